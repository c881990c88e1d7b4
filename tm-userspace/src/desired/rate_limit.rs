//! How many answers one prefix of clients is given.

use std::{net::IpAddr, sync::Arc, time::Duration};

/// Bounds of the answers over UDP to clients without a right cookie; by default none, which is not what is wanted of a node that says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many are given, while it holds.
    pub limit: Limit,
    /// When it holds; always where there is none.
    pub arming: Option<Arming>,
    /// Prefixes to which it does not apply, each once, 64 at most.
    pub allow: Arc<[(IpAddr, u8)]>,
}

impl RateLimit {
    /// What holds while it is armed or is not. Where there is no limit, nothing else of it matters.
    pub fn in_force(&self, is_armed: bool) -> Limit {
        let holds = is_armed || self.arming.is_none();
        if holds && self.limit.answers_per_second > 0 { self.limit } else { Limit::default() }
    }
}

/// A limit that waits for a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arming {
    /// It holds since the whole node gave more answers a second over UDP than this.
    pub above: u32,
    /// It does so until the node has given fewer than half as many for so long.
    pub calm: Duration,
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
