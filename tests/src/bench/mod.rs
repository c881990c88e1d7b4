//! What `cargo xtask bench` measures, a part to a file; each gives figures that are printed as a table or as JSON.

pub mod failover;
pub mod flips;
mod gdnsd;
pub mod manage;
pub mod packets;
pub mod places;
pub mod portal;
pub mod queries;
pub mod watch;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Many measurements of one time, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Half took no longer.
    pub median: f64,
    /// Ninety-nine in a hundred took no longer.
    pub p99: f64,
    /// None took longer.
    pub most: f64,
}

impl Spread {
    /// Of at least one measurement; none where there is none.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut sorted: Vec<Duration> = times.into_iter().collect();
        sorted.sort();
        // The nearest rank: the smallest measurement that so many hundredths do not exceed.
        let rank = |hundredths: usize| (sorted.len() * hundredths).div_ceil(100).max(1) - 1;
        let at = |hundredths| sorted.get(rank(hundredths)).map(|time| time.as_secs_f64() * 1e6);
        Some(Self { count: sorted.len(), median: at(50)?, p99: at(99)?, most: at(100)? })
    }
}

/// Lets time pass where the time itself is wanted: a pace, or a place within an interval.
#[expect(clippy::disallowed_methods, reason = "no event is waited for")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let spread = |count: u64| Spread::of((1..=count).rev().map(Duration::from_micros));
        let of = |count, median, p99, most| Some(Spread { count, median, p99, most });
        assert_eq!(spread(0), None);
        assert_eq!(spread(1), of(1, 1.0, 1.0, 1.0));
        assert_eq!(spread(4), of(4, 2.0, 4.0, 4.0));
        assert_eq!(spread(200), of(200, 100.0, 198.0, 200.0));
    }
}
