//! What is remembered of each probed endpoint: its counts and its last outcome.
//!
//! An endpoint's memory is of one **epoch**: one target, probed without interruption. An outcome is counted only in the epoch in which its
//! probe began, so a probe that ends after its endpoint was switched off or given another target changes nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Outcome, track::Track};
use crate::{
    desired::{EndpointKey, Monitor, Target},
    geo::Smoothed,
};

/// The memory of all probed endpoints; shared, and never locked for longer than a look-up.
#[derive(Debug, Default)]
pub struct Details {
    memories: RwLock<HashMap<EndpointKey, Arc<Memory>>>,
    /// What an earlier run knew of endpoints that are not probed yet.
    earlier: Mutex<HashMap<EndpointKey, Remembered>>,
}

/// What an earlier run knew of an endpoint.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// What it probed; of another target it knew nothing.
    pub target: Target,
    /// Up or down; none before the first verdict.
    pub verdict: Option<bool>,
    /// The rest.
    pub details: EndpointDetails,
}

/// What is known of one endpoint besides its verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointDetails {
    /// The last probe's outcome.
    pub last: Option<Outcome>,
    /// Failures since the last success.
    pub failures: u32,
    /// Successes since the last failure.
    pub successes: u32,
    /// Outcomes since the endpoint has its target.
    pub probes: u64,
    /// When the first probe began that found what the last one did, and all between.
    #[serde(default, with = "crate::time::serde_rfc3339::option")]
    pub row_since: Option<SystemTime>,
    /// How long its probes take to connect, where that is learnt.
    #[serde(default)]
    pub round_trip: Option<Smoothed>,
}

impl Details {
    /// With what an earlier run knew, for the first time that each of these endpoints is probed.
    pub fn with(earlier: HashMap<EndpointKey, Remembered>) -> Self {
        Details { earlier: Mutex::new(earlier), ..Details::default() }
    }

    /// Of one endpoint; `None` if it is not probed.
    pub fn get(&self, endpoint: &EndpointKey) -> Option<EndpointDetails> {
        let memories = self.memories.read().unwrap_or_else(PoisonError::into_inner);
        memories.get(endpoint).map(|memory| memory.details())
    }

    /// Has an endpoint probed at once, and waits for what that probe says; `None` if it is not probed. A probe that is under way already may be the one.
    pub async fn probe_now(&self, endpoint: &EndpointKey) -> Option<Outcome> {
        let memory = {
            let memories = self.memories.read().unwrap_or_else(PoisonError::into_inner);
            memories.get(endpoint).cloned()?
        };
        let counted = memory.counted.notified();
        memory.wanted.notify_one();
        counted.await;
        memory.details().last
    }

    /// Begins a memory: an empty one, unless an earlier run's is there.
    pub(super) fn begin(&self, endpoint: EndpointKey, target: &Target) -> Arc<Memory> {
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner).remove(&endpoint);
        let earlier = earlier.filter(|earlier| earlier.target == *target);
        let seen = earlier.map(Seen::from).unwrap_or_default();
        let memory = Arc::new(Memory { seen: Mutex::new(seen), ..Memory::default() });
        let mut memories = self.memories.write().unwrap_or_else(PoisonError::into_inner);
        memories.insert(endpoint, memory.clone());
        memory
    }

    /// Drops a memory.
    pub(super) fn end(&self, endpoint: &EndpointKey) {
        let mut memories = self.memories.write().unwrap_or_else(PoisonError::into_inner);
        memories.remove(endpoint);
    }
}

/// The memory of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Memory {
    epoch: AtomicU64,
    /// Somebody wants a probe at once.
    wanted: Notify,
    /// One was counted.
    counted: Notify,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    track: Track,
    last: Option<Outcome>,
    probes: u64,
    row_since: Option<SystemTime>,
    round_trip: Option<Smoothed>,
}

impl From<Remembered> for Seen {
    fn from(earlier: Remembered) -> Self {
        let EndpointDetails { last, failures, successes, probes, row_since, round_trip } = earlier.details;
        let track = Track::resume(earlier.verdict, failures, successes);
        Seen { track, last, probes, row_since, round_trip }
    }
}

/// A change of verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flip {
    /// The verdict before.
    pub(super) from: Option<bool>,
    /// The verdict now.
    pub(super) up: bool,
    /// Failures in a row, 0 if it is up.
    pub(super) failures: u32,
}

impl Memory {
    /// Is `epoch` still the present one?
    pub(super) fn is_in(&self, epoch: u64) -> bool {
        self.epoch.load(Ordering::Acquire) == epoch
    }

    /// Waits until somebody wants a probe at once.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Counts the outcome of a probe that began in `epoch`.
    pub(super) fn record(&self, epoch: u64, outcome: &Outcome, monitor: &Monitor) -> Option<Flip> {
        let mut seen = self.lock();
        if !self.is_in(epoch) {
            return None;
        }
        if seen.last.as_ref().is_none_or(|last| last.ok != outcome.ok) {
            seen.row_since = outcome.at.checked_sub(outcome.took);
        }
        seen.last = Some(outcome.clone());
        seen.probes += 1;
        if let Some(connected) = outcome.connected {
            seen.round_trip.get_or_insert_default().add(connected.as_secs_f64() * 1e3);
        }
        self.counted.notify_waiters();
        let from = seen.track.verdict();
        let up = seen.track.observe(outcome.ok, monitor.tolerated_failures, monitor.successes_to_recover)?;
        Some(Flip { from, up, failures: seen.track.failures() })
    }

    /// How long probes take to connect, as far as that was learnt.
    pub(super) fn round_trip(&self) -> Option<Smoothed> {
        self.lock().round_trip
    }

    /// Forgets everything and begins the next epoch, which is returned.
    pub(super) fn forget(&self) -> u64 {
        let mut seen = self.lock();
        *seen = Seen::default();
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn details(&self) -> EndpointDetails {
        let seen = self.lock();
        EndpointDetails {
            last: seen.last.clone(),
            failures: seen.track.failures(),
            successes: seen.track.successes(),
            probes: seen.probes,
            row_since: seen.row_since,
            round_trip: seen.round_trip,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
