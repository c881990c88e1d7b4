//! The one way from what is wanted and what is up to the tables: decide, compile, sync, in one task.
//!
//! Woken by a new desired state, by a flip or an operator's order, by a change of the host's interfaces, when a decision is due to change by itself, and by a slow timer whose full pass repairs whatever was lost. The
//! inputs are whole latest states that share structure with the ones before, so what changed is found by comparing them, at a cost that follows the change;
//! nothing depends on being told.
//!
//! This file is the order of things. `write` puts what was decided into the tables, `counted` carries over what others have counted, `attach` keeps the
//! program where it belongs, `changes` takes in a configuration that differs in a few profiles, `due` knows which decision changes next, `repair` is the full pass,
//! `reclaim` frees what nobody reads any more.

mod attach;
mod changes;
mod counted;
mod due;
mod reclaim;
mod repair;
mod tables;
#[cfg(test)]
mod tests;
mod write;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use imbl::{OrdMap, ordmap::DiffItem};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use crate::{
    compile::{Compiled, Tree, Zones, compile},
    decide::{Ancestors, Decision, decide},
    desired::{Desired, Profile},
    geo::RoundTrips,
    health::Health,
    listen::{Host, Listening},
    names::DnsName,
    places::Views,
    time::Clock,
    xdp::{Barrier, Pins},
};

use due::Due;
use repair::Repair;

pub use counted::Counted;
pub use tables::{Answers, Reading, Tables};

/// How often everything is compared: lost writes are found at the latest after this.
const REPAIR_INTERVAL: Duration = Duration::from_secs(60);

/// What the other tasks read: the last state that was published.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The configuration's generation.
    pub generation: u64,
    /// By profile name.
    pub decisions: OrdMap<Arc<str>, Arc<Decision>>,
    /// Where we answer.
    pub listening: Listening,
}

/// What the task is given, and where it puts what it makes.
#[derive(Debug)]
pub struct Inputs {
    /// What is wanted.
    pub desired: watch::Receiver<Option<Desired>>,
    /// Who is up.
    pub health: watch::Receiver<Health>,
    /// The host's interfaces.
    pub host: watch::Receiver<Host>,
    /// The time, for the rules that look at it.
    pub clock: Clock,
}

/// The task.
#[derive(Debug)]
pub struct Control {
    tables: Tables,
    published: watch::Sender<Arc<Published>>,
    desired: Arc<Desired>,
    health: Health,
    host: Host,
    listening: Listening,
    zones: Arc<Zones>,
    /// The names that are no profile's.
    tree: Tree,
    views: Views,
    /// Of `desired`: whose decisions change with whose.
    ancestors: Ancestors,
    decisions: OrdMap<Arc<str>, Arc<Decision>>,
    /// Which of them change by themselves, and when.
    due: Due,
    clock: Clock,
    /// Hands a new program's means to wait to the thread that waits.
    barriers: mpsc::UnboundedSender<Barrier>,
    /// Where the programs are kept for when this process is gone.
    pins: Option<Pins>,
    /// What an earlier run counted, until it is in the tables.
    before: Option<Counted>,
}

impl Control {
    /// Brings the tables to what `inputs` say now, and goes on from what was there `before`. From here on everything answers. `None` while nothing is
    /// desired.
    pub fn start(
        inputs: &mut Inputs,
        tables: Tables,
        published: watch::Sender<Arc<Published>>,
        pins: Option<Pins>,
        before: Counted,
    ) -> Option<Self> {
        let desired = Arc::new(inputs.desired.borrow_and_update().clone()?);
        let zones = Arc::new(Zones::of(&desired));
        let host = inputs.host.borrow_and_update().clone();
        let listening = Listening::of(&desired.node.listen, &host);
        let tree = Tree::of(&desired, zones.clone(), &listening.served);
        let (barriers, receiver) = mpsc::unbounded_channel();
        let reclaimed = tables.clone();
        tokio::spawn(reclaim::reclaim(reclaimed, receiver));
        let mut control = Control {
            tables,
            published,
            zones,
            tree,
            ancestors: Ancestors::of(&desired.profiles),
            desired,
            health: inputs.health.borrow_and_update().clone(),
            host,
            listening,
            views: Views::default(),
            decisions: OrdMap::new(),
            due: Due::default(),
            clock: inputs.clock.clone(),
            barriers,
            pins,
            before: Some(before),
        };
        control.views = place_clients(&control.desired, &control.health.round_trips, &control.views);
        control.views.problems().iter().for_each(|problem| tracing::error!("{problem}"));
        control.decide_all();
        control.rebuild();
        control.publish();
        Some(control)
    }

    /// Follows the inputs until `shutdown`.
    pub async fn run(mut self, mut inputs: Inputs, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut timer = tokio::time::interval(REPAIR_INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        timer.reset();
        let mut repair: Option<Repair> = None;
        // A wanted state whose views are being made. Meanwhile no other is taken, and all else goes on by the present one.
        let mut ahead: Option<JoinHandle<(Desired, RoundTrips, Views)>> = None;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = inputs.health.changed() => {
                    let health = inputs.health.borrow_and_update().clone();
                    self.take_health(health);
                }
                made = async { Some(ahead.as_mut()?.await) }, if ahead.is_some() => {
                    ahead = None;
                    if let Some((desired, measured, views)) = made.transpose().context("views were not made")? {
                        self.take_desired(Arc::new(desired), &measured, views);
                    }
                }
                Ok(()) = inputs.desired.changed(), if ahead.is_none() => {
                    let desired = inputs.desired.borrow_and_update().clone();
                    ahead = desired.map(|desired| self.make_views(desired));
                }
                Ok(()) = inputs.host.changed() => {
                    let host = inputs.host.borrow_and_update().clone();
                    self.take_host(host);
                }
                () = self.clock.sleep_until(self.due.next()) => self.take_due(),
                _ = timer.tick(), if repair.is_none() => repair = Some(self.begin_repair()),
                // Behind all others: what happens meanwhile goes first.
                () = tokio::task::yield_now(), if repair.is_some() => {
                    repair = repair.and_then(|repair| self.go_on_with(repair));
                }
            }
        }
    }

    /// What was decided until now holds no longer.
    fn take_due(&mut self) {
        let began = Instant::now();
        let changed = self.decide_some(self.due.until(self.clock.now()));
        self.apply(&changed, began);
    }

    /// Flips, orders and measurements: only their profiles, and those in which they are nested, are decided anew.
    fn take_health(&mut self, health: Health) {
        let began = Instant::now();
        let before = std::mem::replace(&mut self.health, health);
        let mut placed: Vec<Arc<str>> = vec![];
        if !self.health.round_trips.is_same(&before.round_trips) {
            let views = place_clients(&self.desired, &self.health.round_trips, &self.views);
            placed.extend(views.differing(&self.views).cloned());
            self.views = views;
        }
        let ordered = before.orders.differing(&self.health.orders).into_iter().map(|key| key.profile);
        let touched: BTreeSet<Arc<str>> = before
            .verdicts
            .diff(&self.health.verdicts)
            .map(|item| match item {
                DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key.profile.clone(),
                DiffItem::Update { old: (key, _), .. } => key.profile.clone(),
            })
            .chain(ordered)
            .chain(placed)
            .collect();
        let changed = self.decide_some(self.ancestors.with(touched));
        self.apply(&changed, began);
    }

    /// Begins to make the views of a wanted state on a thread of its own: a million prefixes take a second or so.
    fn make_views(&self, desired: Desired) -> JoinHandle<(Desired, RoundTrips, Views)> {
        let (before, measured) = (self.views.clone(), self.health.round_trips.clone());
        tokio::task::spawn_blocking(move || {
            let views = place_clients(&desired, &measured, &before);
            (desired, measured, views)
        })
    }

    /// A new configuration, whose views are these with what was measured then: everything that differs from the one before.
    fn take_desired(&mut self, desired: Arc<Desired>, measured: &RoundTrips, views: Views) {
        let began = Instant::now();
        let before = std::mem::replace(&mut self.desired, desired);
        // What was measured while they were made is in few prefixes.
        self.views = match measured.is_same(&self.health.round_trips) {
            true => views,
            false => place_clients(&self.desired, &self.health.round_trips, &views),
        };
        self.views.problems().iter().for_each(|problem| tracing::error!("{problem}"));
        let same_places = before.atlas.as_ref().map(Arc::as_ptr)
            == self.desired.atlas.as_ref().map(Arc::as_ptr)
            && Arc::ptr_eq(&before.overrides, &self.desired.overrides);
        if same_places && before.node == self.desired.node && self.take_changes(&before) {
            return self.publish_desired(began);
        }
        self.zones = Arc::new(Zones::of(&self.desired));
        self.ancestors = Ancestors::of(&self.desired.profiles);
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        let tree = Tree::of(&self.desired, self.zones.clone(), &self.listening.served);
        let tree_before = std::mem::replace(&mut self.tree, tree);
        self.decide_all();
        let listen = (&before.node.listen, &self.desired.node.listen);
        if before.node.state_dir != self.desired.node.state_dir || listen.0.pins != listen.1.pins {
            tracing::warn!("another `state_dir` or `pins` takes effect at the next start");
        }
        if listen.0.port != listen.1.port
            || listen.0.vlans != listen.1.vlans
            || listen.0.mode != listen.1.mode
        {
            self.rebuild();
        } else {
            // The serial has changed, and with it every negative answer: all names are compiled again. Names are given up first, so that a
            // name that moved from one profile to another is there in the end.
            let moved = before.profiles.iter().filter(|(name, profile)| {
                self.desired.profiles.get(*name).is_none_or(|now| now.dns_name != profile.dns_name)
            });
            let mut changes: Vec<(DnsName, Option<Compiled>)> =
                moved.map(|(_, profile)| (profile.dns_name.clone(), None)).collect();
            let gone = tree_before.all().map(|(name, _)| name).filter(|name| self.tree.at(name).is_none());
            changes.extend(gone.map(|name| (name, None)));
            changes.extend(self.compile_all());
            self.write(&changes);
            self.set_addresses();
            self.attach();
        }
        self.forget_endpoints(before.profiles.values());
        self.publish_desired(began);
    }

    /// Gives up the counts of endpoints of these profiles that are there no longer.
    fn forget_endpoints<'a>(&self, before: impl Iterator<Item = &'a Arc<Profile>>) {
        let mut image = self.tables.image_mut();
        for (profile, endpoint) in
            before.flat_map(|profile| profile.endpoints.iter().map(move |endpoint| (profile, endpoint)))
        {
            let known = |now: &Arc<Profile>| now.endpoints.iter().any(|e| e.name == endpoint.name);
            if !self.desired.profiles.get(&profile.name).is_some_and(known) {
                image.forget_endpoint(&profile.key(endpoint));
            }
        }
    }

    fn publish_desired(&self, began: Instant) {
        self.publish();
        tracing::info!(
            generation = self.desired.generation,
            profiles = self.desired.profiles.len(),
            took_us = began.elapsed().as_micros() as u64,
            "configuration published"
        );
    }

    fn take_host(&mut self, host: Host) {
        self.host = host;
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        let servers = self.tree.listen(&self.desired, &self.listening.served);
        let servers: Vec<_> = servers.into_iter().map(|name| (name.clone(), self.tree.at(&name))).collect();
        self.write(&servers);
        self.set_addresses();
        self.attach();
        self.publish();
    }

    fn decide_all(&mut self) {
        let now = self.clock.now();
        self.decisions = self
            .desired
            .profiles
            .iter()
            .map(|(name, profile)| (name.clone(), Arc::new(self.decide(profile, now))))
            .collect();
        self.due = self.decisions.values().collect();
    }

    /// Decides for these profiles; gives those whose decision is another one.
    fn decide_some(&mut self, profiles: impl IntoIterator<Item = Arc<str>>) -> Vec<Arc<Decision>> {
        let now = self.clock.now();
        let mut changed = vec![];
        for name in profiles {
            let Some(profile) = self.desired.profiles.get(&name) else { continue };
            let decision = Arc::new(self.decide(profile, now));
            self.due.set(&name, decision.until);
            if self.decisions.get(&name) != Some(&decision) {
                self.decisions.insert(name, decision.clone());
                changed.push(decision);
            }
        }
        changed
    }

    fn decide(&self, profile: &Arc<Profile>, now: SystemTime) -> Decision {
        decide(&self.desired.profiles, profile, &self.views.get(&profile.name), &self.health, now)
    }

    /// All names: those of profiles, and those that are none's.
    fn compile_all(&self) -> Vec<(DnsName, Option<Compiled>)> {
        let mut all = self.compile(self.decisions.values());
        all.extend(self.tree.all().map(|(name, compiled)| (name, Some(compiled))));
        all
    }

    fn compile<'a>(
        &self,
        decisions: impl IntoIterator<Item = &'a Arc<Decision>>,
    ) -> Vec<(DnsName, Option<Compiled>)> {
        let compiled = |d: &Arc<Decision>| {
            let name = &d.profile.dns_name;
            // Where the profile has no name, others may be below it.
            (name.clone(), compile(d, &self.zones).or_else(|| self.tree.at(name)))
        };
        decisions.into_iter().map(compiled).collect()
    }

    /// Puts changed decisions into the tables, then tells everybody.
    fn apply(&mut self, changed: &[Arc<Decision>], began: Instant) {
        if changed.is_empty() {
            return;
        }
        self.write(&self.compile(changed));
        let took_us = began.elapsed().as_micros() as u64;
        self.publish();
        tracing::info!(profiles = changed.len(), first = %changed[0].profile.name, took_us, "decision published");
    }

    fn publish(&self) {
        self.published.send_replace(Arc::new(Published {
            generation: self.desired.generation,
            decisions: self.decisions.clone(),
            listening: self.listening.clone(),
        }));
    }
}

/// Where clients are: as is wanted, with what was measured since.
fn place_clients(desired: &Desired, measured: &RoundTrips, before: &Views) -> Views {
    if measured.is_empty() {
        return Views::of(desired, before);
    }
    let overrides = Arc::new(desired.overrides.with(measured));
    Views::of(&Desired { overrides, ..desired.clone() }, before)
}
