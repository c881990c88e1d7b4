//! How many answers a second the node and each endpoint give: sampled from the counters all the time, kept for two minutes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant, SystemTime},
};

use tm_common::verdict::Reason;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    control::{Answers, Load, Published, Reading, Tables},
    desired::{EndpointKey, Target},
    dns::{Messages, Responder, Transport},
};

/// From one sample to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);
/// Samples that are kept.
pub(super) const KEPT: usize = 60;

/// A row of samples, the oldest first: answers a second.
pub(super) type Series = [f32; KEPT];

/// The samples of all endpoints. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rates {
    samples: Arc<RwLock<Samples>>,
    /// Number of samples so far: wakes those who follow.
    taken: watch::Sender<u64>,
    /// What the whole node answers, by the last two.
    load: watch::Sender<Option<Load>>,
}

/// What was sampled.
#[derive(Debug)]
pub(super) struct Samples {
    /// When the last sample was taken.
    pub at: SystemTime,
    /// Counts of the last sample, and when they were read.
    counts: Option<(Instant, HashMap<EndpointKey, u64>)>,
    /// Of endpoints that answered within the time that is kept.
    series: HashMap<EndpointKey, Series>,
}

impl Default for Rates {
    fn default() -> Self {
        let samples = Samples { at: SystemTime::now(), counts: None, series: HashMap::new() };
        let (taken, load) = (watch::Sender::new(0), watch::Sender::new(None));
        Rates { samples: Arc::new(RwLock::new(samples)), taken, load }
    }
}

impl Rates {
    /// The samples as they are.
    pub(super) fn samples(&self) -> RwLockReadGuard<'_, Samples> {
        self.samples.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes with each sample.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.taken.subscribe()
    }

    /// What the whole node answers.
    pub fn load(&self) -> watch::Receiver<Option<Load>> {
        self.load.subscribe()
    }

    /// Samples until `shutdown`.
    pub async fn run(
        self,
        tables: Tables,
        responder: Arc<Responder>,
        published: watch::Receiver<Arc<Published>>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut timer = interval(INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<(Instant, u64)> = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = timer.tick() => {}
            }
            let (tables, responder, samples) = (tables.clone(), responder.clone(), self.samples.clone());
            let published = published.borrow().clone();
            let (at, answers) = tokio::task::spawn_blocking(move || {
                let keys = keys(&published);
                let Reading { answers, packets, .. } = tables.counted(&keys);
                let (now, given) = (Instant::now(), given(&packets, &responder.messages()));
                let all = |answers: Answers| answers.elsewhere + answers.in_kernel;
                let counts = keys.into_iter().zip(answers.into_iter().map(all)).collect();
                samples.write().unwrap_or_else(PoisonError::into_inner).take(counts, now);
                (now, given)
            })
            .await?;
            if let Some((then, before)) = last.replace((at, answers)) {
                let seconds = at.duration_since(then).as_secs_f64().max(f64::EPSILON);
                let answers_per_second = (answers.saturating_sub(before) as f64 / seconds) as u64;
                self.load.send_replace(Some(Load { answers_per_second, at }));
            }
            self.taken.send_modify(|taken| *taken += 1);
        }
    }
}

impl Samples {
    /// Of a profile's own endpoints and those of all nested in it; none where nobody answered. Where `each` is given, also of each endpoint.
    pub(super) fn of(
        &self,
        published: &Published,
        profile: &str,
        mut each: Option<&mut BTreeMap<String, Series>>,
    ) -> Option<Series> {
        let mut sum: Option<Series> = None;
        let (mut seen, mut ahead) = (HashSet::new(), vec![profile]);
        while let Some(name) = ahead.pop() {
            let Some(decision) = published.decisions.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            for endpoint in &decision.profile.endpoints {
                if let Target::Profile(child) = &endpoint.target {
                    ahead.push(child);
                    continue;
                }
                let key = decision.profile.key(endpoint);
                let Some(series) = self.series.get(&key) else { continue };
                let sum = sum.get_or_insert([0.0; KEPT]);
                sum.iter_mut().zip(series).for_each(|(sum, rate)| *sum += rate);
                if let Some(each) = each.as_deref_mut() {
                    each.insert(key.to_string(), *series);
                }
            }
        }
        sum
    }

    /// Takes the counts of this moment.
    fn take(&mut self, counts: HashMap<EndpointKey, u64>, now: Instant) {
        for series in self.series.values_mut() {
            series.rotate_left(1);
            series[KEPT - 1] = 0.0;
        }
        if let Some((then, before)) = &self.counts {
            let seconds = now.duration_since(*then).as_secs_f32().max(f32::EPSILON);
            for (key, count) in &counts {
                // A counter that begins anew is behind: what came since is not known.
                let more = before.get(key).map_or(0, |before| count.saturating_sub(*before));
                if more > 0 {
                    let series = self.series.entry(key.clone()).or_insert([0.0; KEPT]);
                    series[KEPT - 1] = more as f32 / seconds;
                }
            }
        }
        self.series.retain(|_, series| series.iter().any(|rate| *rate > 0.0));
        self.counts = Some((now, counts));
        self.at = SystemTime::now();
    }
}

/// Answers over UDP so far, of XDP and of the sockets, with those that a limit held back.
fn given(packets: &[(Reason, u64, u64)], messages: &[Messages]) -> u64 {
    use Reason::{Answered, Limited, NoSuchName, Slipped};

    let by_xdp =
        packets.iter().filter(|(reason, ..)| matches!(reason, Answered | NoSuchName | Limited | Slipped));
    let by_sockets =
        messages.iter().filter(|of| of.transport == Transport::Udp.label() && of.outcome != "ignored");
    by_xdp.map(|(_, count, _)| count).chain(by_sockets.map(|of| &of.count)).sum()
}

/// All endpoints that can have answers of their own.
fn keys(published: &Published) -> Vec<EndpointKey> {
    let profiles = published.decisions.values().map(|decision| &decision.profile);
    profiles
        .flat_map(|profile| {
            let own = profile.endpoints.iter().filter(|its| !matches!(its.target, Target::Profile(_)));
            own.map(|endpoint| profile.key(endpoint))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(endpoint: &str) -> EndpointKey {
        EndpointKey { profile: "p".into(), endpoint: endpoint.into() }
    }

    #[test]
    fn answers_over_udp_are_added_up_with_what_is_held_back() {
        // Each has a digit of its own.
        let packets: Vec<(Reason, u64, u64)> =
            Reason::ALL.iter().zip(0..).map(|(reason, place)| (*reason, 10_u64.pow(place % 16), 0)).collect();
        let of = |wanted: Reason| packets.iter().find(|(reason, ..)| *reason == wanted).unwrap().1;
        let by_xdp = [Reason::Answered, Reason::NoSuchName, Reason::Limited, Reason::Slipped].map(of);
        let message = |transport: &'static str, outcome: &'static str, count| Messages {
            transport: transport.into(),
            outcome: outcome.into(),
            rcode: "",
            count,
        };
        let messages = [
            message("udp", "engine", 1),
            message("udp", "ignored", 20),
            message("udp", "limited", 300),
            message("tcp", "engine", 4_000),
        ];
        assert_eq!(given(&packets, &messages), by_xdp.iter().sum::<u64>() + 301);
    }

    #[test]
    fn rates_are_differences_over_time() {
        let mut samples = Samples { at: SystemTime::now(), counts: None, series: HashMap::new() };
        let start = Instant::now();
        let mut take = |seconds: u64, a: u64, b: u64| {
            let counts = HashMap::from([(key("a"), a), (key("b"), b)]);
            samples.take(counts, start + Duration::from_secs(seconds));
            let last =
                |endpoint: &str| samples.series.get(&key(endpoint)).map(|series| series[KEPT - 2..].to_vec());
            (last("a"), last("b"))
        };
        assert_eq!(take(0, 1_000, 5), (None, None));
        assert_eq!(take(2, 1_030, 5), (Some(vec![0.0, 15.0]), None));
        assert_eq!(take(6, 1_040, 9), (Some(vec![15.0, 2.5]), Some(vec![0.0, 1.0])));
        // Counters that begin anew.
        assert_eq!(take(8, 7, 9), (Some(vec![2.5, 0.0]), Some(vec![1.0, 0.0])));
        for later in 0..KEPT as u64 {
            take(10 + later, 7, 9);
        }
        assert_eq!(take(100, 7, 9), (None, None));
    }
}
