//! Which endpoints are probed: one task for each enabled endpoint of an enabled profile that is not always served, nor a service that is stopped.
//!
//! With each new `Desired` the difference to the last one is applied. What is unchanged keeps its task, its phase, its counts and its history. A
//! changed monitor applies from the next probe and forgets nothing; a changed target forgets the outcomes of the old one.
//! What is no longer to be probed loses its task and its verdict, and begins anew, as CheckingEndpoint, should it come back.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use imbl::{OrdMap, ordmap::DiffItem};
use tokio::{
    select,
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Details, Health, Probe, Slots,
    details::Memory,
    endpoint::{Endpoint, Plan},
};
use crate::{
    desired::{self, Desired, EndpointKey, Monitor, Profile, Status, Target},
    geo::Region,
};

/// Endpoints that begin together begin within this time...
const SHORTEST_SPREAD: Duration = Duration::from_millis(200);
/// ... or longer, at this distance on average; but each within its interval.
const DISTANCE: Duration = Duration::from_millis(1);

/// Probes the endpoints of the latest `desired` and publishes flips in `health`, until `shutdown`.
pub async fn run<P: Probe>(
    prober: Arc<P>,
    slots: Slots,
    mut desired: watch::Receiver<Option<Desired>>,
    health: watch::Sender<Health>,
    details: Arc<Details>,
    shutdown: CancellationToken,
) {
    let mut schedule = Schedule {
        prober,
        slots,
        health,
        details,
        profiles: OrdMap::new(),
        running: HashMap::new(),
        tasks: JoinSet::new(),
        seed: RandomState::new(),
    };
    desired.mark_changed();
    let mut began = false;
    loop {
        select! {
            () = shutdown.cancelled() => return,
            // Should no more be desired ever again, what there is goes on.
            Ok(()) = desired.changed() => {
                let latest = desired.borrow_and_update().as_ref().map(|desired| desired.profiles.clone());
                schedule.apply(latest.unwrap_or_default());
                if !std::mem::replace(&mut began, true) {
                    schedule.withdraw_strangers();
                }
            }
            Some(ended) = schedule.tasks.join_next() => match ended {
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                Ok(()) | Err(_) => {}
            },
        }
    }
}

struct Schedule<P> {
    prober: Arc<P>,
    slots: Slots,
    health: watch::Sender<Health>,
    details: Arc<Details>,
    /// As last applied.
    profiles: OrdMap<Arc<str>, Arc<Profile>>,
    running: HashMap<EndpointKey, Running>,
    tasks: JoinSet<()>,
    /// Makes phases differ from one run, and one node, to the next.
    seed: RandomState,
}

/// An endpoint's task and how to steer it.
struct Running {
    plans: watch::Sender<Plan>,
    memory: Arc<Memory>,
    task: AbortHandle,
}

impl<P: Probe> Schedule<P> {
    fn apply(&mut self, profiles: OrdMap<Arc<str>, Arc<Profile>>) {
        let previous = std::mem::replace(&mut self.profiles, profiles.clone());
        let mut beginnings = Vec::new();
        let mut leaving = Vec::new();
        for difference in previous.diff(&profiles) {
            let (old, new) = match difference {
                DiffItem::Add(_, new) => (None, Some(new)),
                DiffItem::Update { old: (_, old), new: (_, new) } => (Some(old), Some(new)),
                DiffItem::Remove(_, old) => (Some(old), None),
            };
            let mut gone: HashSet<_> = probed(old).map(|(key, ..)| key).collect();
            for (key, probed) in probed(new) {
                gone.remove(&key);
                match self.running.get(&key) {
                    Some(running) => self.adjust(&key, running, &probed),
                    None => beginnings.push((key, probed)),
                }
            }
            leaving.extend(gone);
        }
        self.end(leaving);
        let spread =
            SHORTEST_SPREAD.max(DISTANCE.saturating_mul(beginnings.len().try_into().unwrap_or(u32::MAX)));
        for (key, probed) in beginnings {
            self.begin(key, probed, spread);
        }
    }

    /// Starts the task of an endpoint, its first probe at a random point within `spread` and the interval.
    fn begin(&mut self, key: EndpointKey, probed: Probed, spread: Duration) {
        let Probed { target, monitor, region } = probed;
        let phase = fraction(self.seed.hash_one(&key));
        let first = Instant::now() + spread.min(monitor.interval).mul_f64(phase);
        let memory = self.details.begin(key.clone(), &target);
        let (plans, plan) = watch::channel(Plan { epoch: 0, target, monitor, region, phase });
        let endpoint = Endpoint {
            key: key.clone(),
            plans: plan,
            prober: self.prober.clone(),
            slots: self.slots.clone(),
            memory: memory.clone(),
            health: self.health.clone(),
            warned: None,
        };
        let task = self.tasks.spawn(endpoint.run(first));
        self.running.insert(key, Running { plans, memory, task });
    }

    /// Hands a running endpoint what has changed for it.
    fn adjust(&self, key: &EndpointKey, running: &Running, probed: &Probed) {
        let Probed { target, monitor, region } = probed;
        let retargeted = running.plans.borrow().target != *target;
        let moved = running.plans.borrow().region != *region;
        let epoch = retargeted.then(|| running.memory.forget());
        running.plans.send_if_modified(|plan| {
            let changed = epoch.is_some() || plan.monitor != *monitor;
            plan.region = *region;
            plan.epoch = epoch.unwrap_or(plan.epoch);
            plan.target = target.clone();
            plan.monitor = monitor.clone();
            changed
        });
        if retargeted {
            self.withdraw(std::slice::from_ref(key));
        } else if moved {
            self.health.send_if_modified(|health| health.round_trips.unlearn(key));
        }
    }

    /// Stops the tasks of endpoints and takes what was known of them away.
    fn end(&mut self, keys: Vec<EndpointKey>) {
        for key in &keys {
            if let Some(running) = self.running.remove(key) {
                running.task.abort();
                running.memory.forget();
                self.details.end(key);
            }
        }
        self.withdraw(&keys);
    }

    /// Takes away the verdicts of an earlier run on what is not probed now.
    fn withdraw_strangers(&self) {
        let verdicts = self.health.borrow().verdicts.clone();
        let strangers: Vec<_> =
            verdicts.keys().filter(|key| !self.running.contains_key(*key)).cloned().collect();
        self.withdraw(&strangers);
    }

    /// Takes verdicts away, all in one generation.
    fn withdraw(&self, keys: &[EndpointKey]) {
        self.health.send_if_modified(|health| {
            let mut take = |key| {
                u64::from(health.verdicts.remove(key).is_some()) + u64::from(health.round_trips.unlearn(key))
            };
            let removed: u64 = keys.iter().map(&mut take).sum();
            health.generation += u64::from(removed > 0);
            removed > 0
        });
    }
}

/// The upper half of a hash as a number from 0 to below 1.
fn fraction(hash: u64) -> f64 {
    let upper = u32::try_from(hash >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

/// Is an endpoint of this profile to be probed? A nested one is not: its child's endpoints are.
pub fn is_probed(profile: &Profile, endpoint: &desired::Endpoint) -> bool {
    profile.status == Status::Enabled
        && endpoint.status == Status::Enabled
        && !endpoint.always_serve
        && !endpoint.is_stopped()
        && !matches!(endpoint.target, Target::Profile(_))
}

/// How an endpoint is to be probed.
struct Probed {
    target: Target,
    monitor: Arc<Monitor>,
    /// Where the target is; none of what is probed in its place.
    region: Option<Region>,
}

/// The endpoints of a profile that are to be probed.
fn probed(profile: Option<&Arc<Profile>>) -> impl Iterator<Item = (EndpointKey, Probed)> {
    profile.into_iter().flat_map(|profile| {
        let endpoints = profile.endpoints.iter().filter(|endpoint| is_probed(profile, endpoint));
        endpoints.map(move |endpoint| {
            let monitor = profile.monitor_of(endpoint);
            let probed = Probed {
                target: profile.probed_target(endpoint).clone(),
                monitor: monitor.clone(),
                region: endpoint.location.filter(|_| monitor.target.is_none()),
            };
            (profile.key(endpoint), probed)
        })
    })
}
