//! How many probes are under way at once, and who waits when there are too many.
//!
//! A quarter of the slots is kept for endpoints whose last probe was short. However many endpoints hang until their timeout, they share the
//! rest, and the endpoints that answer find a free slot. Waiting for a slot is no part of a probe's timeout. Each lane is first come, first served.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A probe that took longer puts its endpoint's next one into the slow lane.
const LONG: Duration = Duration::from_millis(500);
/// Probes under way at most, where file descriptors allow.
const MOST: u64 = 4096;
/// File descriptors that a probe may hold: two look-ups and two connections.
const DESCRIPTORS_EACH: u64 = 4;

/// The slots of all probes.
#[derive(Clone, Debug)]
pub struct Slots {
    all: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

/// A probe's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _all: Option<OwnedSemaphorePermit>,
    _slow: Option<OwnedSemaphorePermit>,
}

impl Slots {
    /// `count` slots, at least 1.
    pub fn new(count: usize) -> Self {
        let count = count.clamp(1, Semaphore::MAX_PERMITS);
        Slots {
            all: Arc::new(Semaphore::new(count)),
            slow: Arc::new(Semaphore::new((count - count / 4).max(1))),
        }
    }

    /// As many as this process has file descriptors for, after raising its limit as far as it may; half of them are left to everything else.
    pub fn for_this_process() -> Self {
        let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot raise the limit of open files (ulimit -n): fewer probes at once");
            1024
        });
        let count = (limit / 2 / DESCRIPTORS_EACH).min(MOST);
        Slots::new(usize::try_from(count).unwrap_or(1))
    }

    /// Waits for a slot for an endpoint whose last probe took `last`, if it has been probed.
    pub(super) async fn acquire(&self, last: Option<Duration>) -> Slot {
        // The semaphores are never closed; an error would only mean that there is no limit to hold.
        let slow = match last {
            Some(took) if took <= LONG => None,
            _ => self.slow.clone().acquire_owned().await.ok(),
        };
        Slot { _slow: slow, _all: self.all.clone().acquire_owned().await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn slow_endpoints_leave_a_quarter_to_the_others() {
        let slots = Slots::new(8);
        let slow = Some(Duration::from_secs(5));
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(slots.acquire(slow).await);
        }
        let waits = |last| tokio::time::timeout(Duration::from_secs(3600), slots.acquire(last));
        assert!(waits(slow).await.is_err());
        assert!(waits(None).await.is_err());
        let short = Some(Duration::from_millis(500));
        held.push(slots.acquire(short).await);
        held.push(slots.acquire(short).await);
        assert!(waits(short).await.is_err());
        held.clear();
        assert!(waits(slow).await.is_ok());
    }

    #[test]
    fn the_limit_of_open_files_is_raised() {
        let slots = Slots::for_this_process();
        let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!(soft, hard);
        assert_eq!(slots.all.available_permits() as u64, (soft / 8).min(4096));
    }
}
