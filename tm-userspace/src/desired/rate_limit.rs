//! How many answers one prefix of clients is given.

use std::{net::IpAddr, sync::Arc};

/// Bounds of the answers over UDP to clients without a right cookie. By default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many are given.
    pub limit: Limit,
    /// Prefixes to which it does not apply, each once, 64 at most.
    pub allow: Arc<[(IpAddr, u8)]>,
}

/// How many answers are given; of XDP's for each CPU. By default any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// To one /24 or /56, of one kind; 0 for any number.
    pub answers_per_second: u32,
    /// Of so many over that, one is told to come back over TCP, and the others nothing; 0: none is told.
    pub slip: u32,
}

impl Limit {
    /// Answers in a window of so many milliseconds, one at least; 0 for any number.
    pub fn most_in(self, milliseconds: u64) -> u32 {
        match u64::from(self.answers_per_second) {
            0 => 0,
            answers => (answers * milliseconds / 1000).clamp(1, u32::MAX.into()) as u32,
        }
    }
}
