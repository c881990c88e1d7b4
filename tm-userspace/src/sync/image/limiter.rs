//! The sockets' own count of answers by prefix: one for all of their threads.

use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use nix::time::{ClockId, clock_gettime};
use tm_common::{
    limit::{Allowed, Meter, SLOTS, counted, verdict},
    tables::Address,
    verdict::Reason,
};

use super::Reader;
use crate::listen::key;

/// A window is 2^10 milliseconds.
const SHIFT: u32 = 10;

/// How many answers were given, and who is never over the limit.
pub(super) struct Limiter {
    allowed: Box<Allowed>,
    windows: Box<[AtomicU64]>,
    /// The time in milliseconds; 0 for the clock's.
    ticks: AtomicU64,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Limiter {
            allowed: Box::new(Allowed::NONE),
            windows: (0..SLOTS).map(|_| AtomicU64::default()).collect(),
            ticks: AtomicU64::new(0),
        }
    }
}

impl Limiter {
    pub(super) fn set_allowed(&mut self, prefixes: &[(IpAddr, u8)]) {
        let mapped = prefixes
            .iter()
            .map(|(address, bits)| (key(address), bits + if address.is_ipv4() { 96 } else { 0 }));
        *self.allowed = Allowed::new(mapped);
    }

    pub(super) fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    pub(super) fn set_ticks(&self, ticks: u64) {
        self.ticks.store(ticks, Ordering::Relaxed);
    }
}

impl Meter for Reader<'_> {
    fn most(&self) -> u32 {
        if self.turn.is_none() { self.frozen.limit.most_in(1 << SHIFT) } else { 0 }
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
        (!is_allowed).then(|| verdict(over, self.frozen.limit.slip))
    }
}
