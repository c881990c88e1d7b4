//! The sockets' own count of answers by prefix: one for all of their threads.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use nix::time::{ClockId, clock_gettime};
use tm_common::{
    limit::{Allowed, Meter, SLOTS, counted, verdict},
    tables::Address,
    verdict::Reason,
};

use super::Reader;
use crate::{desired::RateLimit, listen::key};

/// A window is 2^10 milliseconds.
const SHIFT: u32 = 10;

/// How many answers are given, and were.
pub(super) struct Limiter {
    limit: RateLimit,
    allowed: Box<Allowed>,
    windows: Box<[AtomicU64]>,
    /// The time in milliseconds; 0 for the clock's.
    ticks: AtomicU64,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Limiter {
            limit: RateLimit::default(),
            allowed: Box::new(Allowed::NONE),
            windows: (0..SLOTS).map(|_| AtomicU64::default()).collect(),
            ticks: AtomicU64::new(0),
        }
    }
}

impl Limiter {
    pub(super) fn set(&mut self, limit: &RateLimit) {
        self.limit = limit.clone();
        *self.allowed = allowed(limit);
    }

    pub(super) fn limit(&self) -> &RateLimit {
        &self.limit
    }

    pub(super) fn set_ticks(&self, ticks: u64) {
        self.ticks.store(ticks, Ordering::Relaxed);
    }
}

impl Meter for Reader<'_> {
    fn most(&self) -> u32 {
        if self.turn.is_none() { self.limiter.limit.most_in(1 << SHIFT) } else { 0 }
    }
    fn shift(&self) -> u32 {
        SHIFT
    }
    fn ticks(&self) -> u64 {
        let set = self.limiter.ticks.load(Ordering::Relaxed);
        if set != 0 {
            return set;
        }
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE);
        now.map_or(0, |now| now.tv_sec() as u64 * 1000 + now.tv_nsec() as u64 / 1_000_000)
    }
    fn count_in(&self, slot: u32, window: u32) -> Option<u32> {
        let slot = self.limiter.windows.get(slot as usize)?;
        let before =
            slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(counted(word, window)));
        before.ok().map(|word| counted(word, window) as u32)
    }
    fn judge(&self, over: u32, client: &Address) -> Option<Reason> {
        let is_allowed = self.limiter.allowed.has(client);
        (!is_allowed).then(|| verdict(over, self.limiter.limit.slip))
    }
}

/// The table of those who are allowed.
pub fn allowed(limit: &RateLimit) -> Allowed {
    let mapped = limit
        .allow
        .iter()
        .map(|(address, bits)| (key(address), bits + if address.is_ipv4() { 96 } else { 0 }));
    Allowed::new(mapped)
}
