//! What an operator may want of a profile's answers beyond its routing method: which endpoints are let in and out, and how fast.

use std::{sync::Arc, time::Duration};

/// The rules of one profile; the default is what Azure does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What is answered when no endpoint is well.
    pub when_all_down: WhenAllDown,
    /// When an endpoint that was down answers again.
    pub failback: Failback,
    /// How many endpoints may be withdrawn, and how fast.
    pub guard: Option<Guard>,
    /// How long an endpoint that returns takes to its full weight (Weighted alone), 1 s to 24 h.
    pub slow_start: Option<Duration>,
    /// Do all clients of one prefix get the same endpoint (Weighted alone)?
    pub sticky: bool,
}

/// What is answered when no endpoint is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WhenAllDown {
    /// As if all were up: Azure's rule.
    #[default]
    All,
    /// That there is no data.
    None,
    /// The endpoint of this name, which answers at no other time.
    LastResort(Arc<str>),
}

/// When an endpoint that was down, and is up, answers again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failback {
    /// At once: Azure's rule.
    #[default]
    Automatic,
    /// After it has been up so long, 1 s to 7 days.
    After(Duration),
    /// When the operator says so.
    Manual,
}

/// How many endpoints may be withdrawn from the answers because they are down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// So many ...
    pub withdraw_at_most: Allowance,
    /// ... in any stretch of this length, 1 s to 7 days.
    pub window: Duration,
}

/// A number of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// So many, at least 1.
    Count(u32),
    /// A part of the endpoints that could answer, 1 to 100 %, rounded down to whole ones, but one at least.
    Percent(u32),
}

impl Allowance {
    /// Of `endpoints`.
    pub fn of(self, endpoints: usize) -> usize {
        match self {
            Allowance::Count(count) => count as usize,
            Allowance::Percent(percent) => (endpoints * percent as usize / 100).max(1),
        }
    }
}
