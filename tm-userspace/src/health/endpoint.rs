//! One endpoint's schedule: a probe at each tick of its own phase, its outcome counted, its flips published.
//!
//! Ticks lie at `phase + n * interval`. A tick that is missed is skipped, never made up for: after the process was stopped for a while,
//! all endpoints would make up for theirs at once. From one probe's start to the next is never less than nine tenths of the interval, and the
//! whole interval unless the earlier one had to wait for its slot or its timer was late; or unless an operator wants a probe at once.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use super::{
    Health, Outcome, Probe, Slots, Verdict, certificate,
    details::{Flip, Memory},
};
use crate::{
    desired::{EndpointKey, Monitor, Target},
    geo::Region,
    time::rfc3339_micros,
};

/// A tick that comes later than this is skipped, unless the one before was.
const LATE: Duration = Duration::from_millis(100);

/// What to probe, and in which epoch.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) epoch: u64,
    pub(super) target: Target,
    pub(super) monitor: Arc<Monitor>,
    /// The region that the probes tell the distance of.
    pub(super) region: Option<Region>,
    /// The endpoint's place among all phases, from 0 to below 1.
    pub(super) phase: f64,
}

/// One endpoint that is probed.
pub(super) struct Endpoint<P> {
    pub(super) key: EndpointKey,
    pub(super) plans: watch::Receiver<Plan>,
    pub(super) prober: Arc<P>,
    pub(super) slots: Slots,
    pub(super) memory: Arc<Memory>,
    pub(super) health: watch::Sender<Health>,
    /// What was last said of its certificate.
    pub(super) warned: Option<String>,
}

impl<P: Probe> Endpoint<P> {
    /// Probes from `first` on, until the plans end.
    pub(super) async fn run(mut self, first: Instant) {
        let mut due = first;
        let mut interval = self.plans.borrow_and_update().monitor.interval;
        let mut skipped = false;
        let mut last: Option<(Instant, Duration)> = None;
        loop {
            select! {
                () = sleep_until(due) => {}
                () = self.memory.wanted() => due = Instant::now(),
                changed = self.plans.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let plan = self.plans.borrow_and_update();
                    if let Some((started, _)) = last && plan.monitor.interval != interval {
                        due = reschedule(started, plan.monitor.interval, plan.phase, Instant::now());
                    }
                    interval = plan.monitor.interval;
                    continue;
                }
            }
            let woken = Instant::now();
            if woken > due + LATE && !skipped {
                skipped = true;
                due = next_tick(due, interval, woken);
                continue;
            }
            skipped = false;
            let slot = self.slots.acquire(last.map(|(_, took)| took)).await;
            let started = Instant::now();
            let plan = self.plans.borrow().clone();
            let outcome = self.probe(&plan).await;
            drop(slot);
            last = Some((started, started.elapsed()));
            self.settle(&plan, &outcome);
            self.learn(&plan);
            self.warn_of_certificate(&plan, &outcome);
            due = next_tick(due, interval, Instant::now().max(started + interval / 10 * 9));
        }
    }

    /// One probe in a task of its own, so that a panic on some reply is a failed probe and not the end of the schedule.
    async fn probe(&self, plan: &Plan) -> Outcome {
        let (prober, target, monitor) = (self.prober.clone(), plan.target.clone(), plan.monitor.clone());
        let started = Instant::now();
        let probe = tokio::spawn(async move { prober.probe(target, monitor).await });
        AbortOnDropHandle::new(probe).await.unwrap_or_else(|error| {
            error!(endpoint = %self.key, %error, "a probe panicked");
            let reason = "the probe panicked: see the log".into();
            let (at, took) = (SystemTime::now(), started.elapsed());
            Outcome { ok: false, reason, at, took, expires: None, connected: None }
        })
    }

    /// Says once a day that the certificate expires soon.
    fn warn_of_certificate(&mut self, plan: &Plan, outcome: &Outcome) {
        let known = outcome.expires.zip(plan.monitor.certificate_warning);
        let Some((expires, within)) = known else { return };
        let warning = certificate::warning(expires, within, outcome.at);
        if let Some(text) = &warning
            && warning != self.warned
        {
            warn!(endpoint = %self.key, "{text}");
        }
        self.warned = warning;
    }

    /// Counts an outcome and publishes the flip that may follow.
    fn settle(&self, plan: &Plan, outcome: &Outcome) {
        let Some(Flip { from, up, failures }) = self.memory.record(plan.epoch, outcome, &plan.monitor) else {
            return;
        };
        let published = self.health.send_if_modified(|health| {
            // Checked under the channel's lock: whoever ends the epoch takes the verdict away after ending it.
            let current = self.memory.is_in(plan.epoch);
            if current {
                health.generation += 1;
                let recovered = up && from == Some(false);
                health.verdicts.insert(self.key.clone(), Verdict { up, since: outcome.at, recovered });
            }
            current
        });
        if published {
            let (from, to, since) = (word(from), word(Some(up)), rfc3339_micros(outcome.at));
            info!(endpoint = %self.key, from, to, since, reason = %outcome.reason, failures, "endpoint changed");
        }
    }

    /// Publishes how far the endpoint's region is, where that is something else than what has counted.
    fn learn(&self, plan: &Plan) {
        let Some((region, smoothed)) = plan.region.zip(self.memory.round_trip()) else { return };
        let news = |health: &Health| smoothed.news(health.round_trips.learnt(&self.key, region));
        if news(&self.health.borrow()).is_none() {
            return;
        }
        self.health.send_if_modified(|health| {
            // As above; and whoever says that it is somewhere else takes away what counted after saying so.
            let current = self.memory.is_in(plan.epoch) && self.plans.borrow().region == plan.region;
            let news = news(health).filter(|_| current);
            if let Some(milliseconds) = news {
                health.generation += 1;
                health.round_trips.learn(self.key.clone(), region, milliseconds);
            }
            news.is_some()
        });
    }
}

/// The first tick of `due`'s phase after `due` that is not before `earliest`.
fn next_tick(due: Instant, interval: Duration, earliest: Instant) -> Instant {
    let behind = earliest.saturating_duration_since(due).as_nanos();
    let ticks = behind.div_ceil(interval.as_nanos().max(1)).max(1);
    due + interval.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

/// The next tick after the interval was changed: an interval after the last probe or, where that is over, at a point of its own within
/// the new interval, lest all endpoints of a profile find themselves due at once.
fn reschedule(started: Instant, interval: Duration, phase: f64, now: Instant) -> Instant {
    let due = started + interval;
    if due > now { due } else { now + interval.mul_f64(phase) }
}

/// A verdict in the words of the endpoint's monitor status.
fn word(verdict: Option<bool>) -> &'static str {
    match verdict {
        None => "CheckingEndpoint",
        Some(true) => "Online",
        Some(false) => "Degraded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ticks_stay_in_phase_and_missed_ones_are_skipped() {
        let due = Instant::now();
        let after = |earliest: u64| {
            let tick = next_tick(due, 10 * SECOND, due + Duration::from_millis(earliest));
            (tick - due).as_secs()
        };
        assert_eq!(after(0), 10);
        assert_eq!(after(9_000), 10);
        assert_eq!(after(10_000), 10);
        assert_eq!(after(10_001), 20);
        assert_eq!(after(65_000), 70);
    }

    #[test]
    fn a_changed_interval_counts_from_the_last_probe() {
        let started = Instant::now();
        let next = |interval: u32, now: u32| {
            reschedule(started, interval * SECOND, 0.25, started + now * SECOND) - started
        };
        assert_eq!(next(30, 5), 30 * SECOND);
        assert_eq!(next(8, 5), 8 * SECOND);
        assert_eq!(next(4, 5), 6 * SECOND);
    }
}
