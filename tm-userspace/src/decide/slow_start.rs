//! Slow start: an endpoint that returns takes its full weight in ten steps.
//!
//! | of `slow_start`, since it returned | part of its weight |
//! | --- | --- |
//! | under 1/10 | 1/10 |
//! | under 2/10 | 2/10 |
//! | ... | ... |
//! | 9/10 or more | all |
//!
//! It has returned when it may answer again: when it came up after having been down and failback let it in, or when a forced "down" ended. What is known from the
//! start has nothing to return from.

use std::time::{Duration, SystemTime};

/// Steps to the full weight.
pub(super) const STEPS: u32 = 10;

/// A step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// Tenths of the weight, 1 to 9.
    pub tenths: u32,
    /// When the next step is taken.
    pub until: SystemTime,
}

/// Where an endpoint is that has `returned`; none where it has its full weight.
pub(super) fn ramp(returned: SystemTime, over: Duration, now: SystemTime) -> Option<Ramp> {
    let step = over / STEPS;
    let elapsed = now.duration_since(returned).unwrap_or_default();
    let tenths = (1..STEPS).find(|tenths| elapsed < step * *tenths)?;
    Some(Ramp { tenths, until: returned + step * tenths })
}
