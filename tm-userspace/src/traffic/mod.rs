//! Traffic View: who asks for the profiles that want it looked at, and what they are given.
//!
//! XDP tells of one answer in so many, by a ring that it never waits for; the sockets tell of each. [`Traffic::run`] reads both, finds the profile and its endpoint,
//! and adds it up ([`flows`]). What an answer counts for is known by the tables that it came from: what was told of earlier ones is passed over.
//!
//! Nothing here is kept beyond the process.

mod flows;
mod ring;
mod told;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use flows::{Bounds, Flows, Network, Sum};
pub use told::{Asked, Told};

use crate::{
    control::{Published, Tables},
    desired::{Desired, EndpointKey, Profile, Profiles, Target},
    dnstap::Tap,
    names::DnsName,
};
use ring::Ring;

/// Answers of the sockets that may wait; further ones are not told of.
const WAITING: usize = 4_096;

/// What was seen. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Traffic {
    seen: Arc<Mutex<Seen>>,
    sockets: mpsc::Sender<Told>,
    /// Answers that should have been told of, and were not for want of room.
    lost: Arc<AtomicU64>,
}

/// What the sockets told, for [`Traffic::run`] to read.
#[derive(Debug)]
pub struct Telling(mpsc::Receiver<Told>);

/// By name of the profile.
type Seen = HashMap<Arc<str>, Flows>;

/// Profiles that are looked at, by the name they answer, and all profiles.
#[derive(Debug, Default)]
struct Watched {
    by_name: HashMap<DnsName, Arc<Profile>>,
    profiles: Profiles,
    bounds: Option<Bounds>,
}

impl Traffic {
    /// Nothing seen yet, and what [`Traffic::run`] is to read.
    pub fn new() -> (Self, Telling) {
        let (sockets, telling) = mpsc::channel(WAITING);
        (Traffic { seen: Arc::default(), sockets, lost: Arc::default() }, Telling(telling))
    }

    /// Tells of an answer of the sockets.
    pub fn tell(&self, told: Told) {
        if self.sockets.try_send(told).is_err() {
            self.lose(1);
        }
    }

    /// What was counted of a profile until now, within so long; nothing where none of its answers was told of.
    pub fn sum(&self, profile: &str, now: SystemTime, bounds: Bounds) -> Option<Sum> {
        self.seen().get(profile).map(|flows| flows.sum(now, bounds))
    }

    /// Answers that should have been told of, and were not for want of room.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is told until `shutdown`; `tap` is told of all samples.
    pub async fn run(
        self,
        Telling(mut telling): Telling,
        tables: Tables,
        mut desired: watch::Receiver<Option<Desired>>,
        mut published: watch::Receiver<Arc<Published>>,
        tap: Tap,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut watched = Watched::of(desired.borrow_and_update().as_ref());
        let mut ring = Ring::of(&tables)?;
        self.keep(&watched);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = desired.changed() => {
                    watched = Watched::of(desired.borrow_and_update().as_ref());
                    self.keep(&watched);
                }
                // With other tables come other programs, which have a ring of their own.
                Ok(()) = published.changed() => {
                    published.mark_unchanged();
                    if let Some(new) = Ring::of(&tables)? {
                        ring = Some(new);
                    }
                }
                Some(told) = telling.recv() => self.take(&told, &watched, &tables),
                samples = ring::next(&mut ring, &tap) => {
                    let (samples, lost) = samples?;
                    self.lose(lost);
                    samples.iter().for_each(|told| self.take(told, &watched, &tables));
                }
            }
        }
    }

    /// Forgets profiles that are not looked at, and begins with those that are.
    fn keep(&self, watched: &Watched) {
        let names: HashSet<&Arc<str>> = watched.by_name.values().map(|profile| &profile.name).collect();
        let mut seen = self.seen();
        seen.retain(|name, _| names.contains(name));
        for name in names {
            seen.entry(name.clone()).or_insert_with(|| Flows::new(SystemTime::now()));
        }
    }

    fn take(&self, told: &Told, watched: &Watched, tables: &Tables) {
        let (Some(bounds), Some(asked)) = (watched.bounds, told.asked()) else { return };
        let (name, endpoints) = {
            let image = tables.image();
            if image.hash_seed() != told.tables {
                return;
            }
            let Some(name) = image.answering(&asked.name) else { return };
            (name, image.counted_for(told.counter))
        };
        let Some(profile) = watched.by_name.get(&name) else { return };
        let mut seen = self.seen();
        let Some(flows) = seen.get_mut(&profile.name) else { return };
        for key in endpoints.iter() {
            if let Some(endpoint) = watched.endpoint(profile, key) {
                flows.add(asked.network, &endpoint, told.count.into(), SystemTime::now(), bounds);
            }
        }
    }
}

impl Watched {
    fn of(desired: Option<&Desired>) -> Self {
        let Some(desired) = desired else { return Watched::default() };
        let looked_at = desired.profiles.values().filter(|profile| profile.traffic_view);
        let by_name: HashMap<DnsName, Arc<Profile>> =
            looked_at.map(|profile| (profile.dns_name.clone(), profile.clone())).collect();
        let bounds = Bounds::new(desired.node.sampling.window, by_name.len());
        Watched {
            bounds: (!by_name.is_empty()).then_some(bounds),
            by_name,
            profiles: desired.profiles.clone(),
        }
    }

    /// The endpoint of this profile by which one was chosen that may lie below it: the first of several.
    fn endpoint(&self, profile: &Profile, key: &EndpointKey) -> Option<Arc<str>> {
        if profile.name == key.profile {
            return Some(key.endpoint.clone());
        }
        let leads_there = |endpoint: &&Arc<crate::desired::Endpoint>| match &endpoint.target {
            Target::Profile(child) => {
                self.profiles.get(child).is_some_and(|child| self.endpoint(child, key).is_some())
            }
            _ => false,
        };
        profile.endpoints.iter().find(leads_there).map(|endpoint| endpoint.name.clone())
    }
}

#[cfg(test)]
mod tests;
