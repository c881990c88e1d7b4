//! The one way from what is wanted and what is up to the tables: decide, compile, sync, in one task.
//!
//! Woken by a new desired state, by a flip or an operator's order, by a change of the host's interfaces, when a decision is due to change by itself, and by a slow timer whose full pass repairs whatever was lost. The
//! inputs are whole latest states that share structure with the ones before, so what changed is found by comparing them, at a cost that follows the change;
//! nothing depends on being told.
//!
//! This file is the order of things. `inputs` takes in what has come, `decided` decides and tells, `ahead` makes views and new tables aside, `adopt` puts these in the place of the old ones, `write` puts what was decided into the tables in use,
//! `counted` carries over what others have counted, `attach` keeps the program where it belongs, `changes` takes in a configuration that differs in a few profiles, `due` knows
//! which decision changes next, `arming` whether the limit on answers holds, `repair` is the full pass, `reclaim` frees what nobody reads any more.

mod adopt;
mod ahead;
mod arming;
mod attach;
mod changes;
mod counted;
mod decided;
mod due;
mod inputs;
mod reclaim;
mod repair;
mod tables;
#[cfg(test)]
mod tests;
mod timed;
mod write;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use imbl::OrdMap;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use crate::{
    compile::{Tree, Zones},
    cookies::Secrets,
    decide::{Ancestors, Decision},
    desired::Desired,
    geo::RoundTrips,
    health::Health,
    listen::{Host, Listening},
    metrics::Meters,
    places::Views,
    time::Clock,
    xdp::{Barrier, Pins},
};

use adopt::Settling;
use ahead::{Made, Work};
use arming::Alarm;
use due::Due;
use repair::Repair;

pub use arming::Load;
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
    /// Is the limit on answers armed, where it waits for a flood?
    pub is_armed: bool,
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
    /// How much is answered, since there are two readings.
    pub load: watch::Receiver<Option<Load>>,
    /// The time, for the rules that look at it.
    pub clock: Clock,
    /// Where it is noted how soon the tables had what was decided.
    pub meters: Meters,
    /// What cookies are made with where the configuration says nothing else.
    pub own_cookies: Secrets,
}

/// The task.
pub struct Control {
    tables: Tables,
    published: watch::Sender<Arc<Published>>,
    desired: Arc<Desired>,
    health: Health,
    /// The measurements that `views` were made with.
    measured: RoundTrips,
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
    alarm: Alarm,
    meters: Meters,
    own_cookies: Secrets,
    /// Hands a new program's means to wait to the thread that waits.
    barriers: mpsc::UnboundedSender<Barrier>,
    /// Where the programs are kept for when this process is gone.
    pins: Option<Pins>,
    /// Are the tables too small, or are the programs in the kernel others than are wanted?
    needs_tables: bool,
    /// Has the kernel refused what was to be loaded? It is asked again with the next full pass.
    is_refused: bool,
    /// Makes what is made aside.
    make: Arc<dyn Fn(Work) -> Made + Send + Sync>,
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
        let (barriers, receiver) = mpsc::unbounded_channel();
        tokio::spawn(reclaim::reclaim(tables.clone(), receiver));
        let mut control = Control {
            tables,
            published,
            tree: Tree::of(&desired, zones.clone(), &[]),
            zones,
            ancestors: Ancestors::default(),
            desired,
            health: inputs.health.borrow_and_update().clone(),
            measured: RoundTrips::default(),
            host: inputs.host.borrow_and_update().clone(),
            listening: Listening::default(),
            views: Views::default(),
            decisions: OrdMap::new(),
            due: Due::default(),
            clock: inputs.clock.clone(),
            alarm: Alarm::default(),
            meters: inputs.meters.clone(),
            own_cookies: inputs.own_cookies.clone(),
            barriers,
            pins,
            needs_tables: true,
            is_refused: false,
            make: Arc::new(ahead::make),
        };
        let first = Work { counted: Some(before), ..control.work(control.desired.clone()) };
        let settling = control.take(ahead::make(first));
        settling.into_iter().for_each(Settling::settle);
        Some(control)
    }

    /// Follows the inputs until `shutdown`.
    pub async fn run(mut self, mut inputs: Inputs, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut timer = tokio::time::interval(REPAIR_INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        timer.reset();
        let mut repair: Option<Repair> = None;
        // What is being made aside. Meanwhile nothing else that would have to be is taken, and all else goes on by the present state.
        let mut ahead: Option<JoinHandle<Made>> = None;
        let mut settling: Option<JoinHandle<()>> = None;
        loop {
            let is_idle = ahead.is_none() && settling.is_none();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Ok(()) = inputs.health.changed() => {
                    let health = inputs.health.borrow_and_update().clone();
                    self.take_health(health);
                }
                made = async { Some(ahead.as_mut()?.await) }, if ahead.is_some() => {
                    ahead = None;
                    if let Some(made) = made.transpose().context("what was to come was not made")? {
                        let rest = self.take(made);
                        settling = rest.map(|rest| tokio::task::spawn_blocking(|| rest.settle()));
                    }
                }
                settled = async { Some(settling.as_mut()?.await) }, if settling.is_some() => {
                    settling = None;
                    settled.transpose().context("the old tables were not given up")?;
                }
                Ok(()) = inputs.desired.changed(), if is_idle => {
                    let desired = inputs.desired.borrow_and_update().clone();
                    ahead = desired.map(|desired| self.begin(Arc::new(desired)));
                }
                () = std::future::ready(()), if is_idle && self.is_behind() => {
                    ahead = Some(self.begin(self.desired.clone()));
                }
                Ok(()) = inputs.host.changed() => {
                    let host = inputs.host.borrow_and_update().clone();
                    self.take_host(host);
                }
                Ok(()) = inputs.load.changed() => {
                    let load = *inputs.load.borrow_and_update();
                    load.into_iter().for_each(|load| self.take_load(load));
                }
                () = self.clock.sleep_until(self.due.next()) => self.take_due(),
                _ = timer.tick(), if repair.is_none() => repair = Some(self.begin_repair()),
                // Behind all others: what happens meanwhile goes first.
                () = tokio::task::yield_now(), if repair.is_some() => {
                    repair = repair.and_then(|repair| self.go_on_with(repair));
                }
            }
        }
        // What the old programs counted is saved after this.
        match settling {
            Some(settling) => settling.await.context("the old tables were not given up"),
            None => Ok(()),
        }
    }

    /// Begins to make `desired`, or what else is behind.
    fn begin(&mut self, desired: Arc<Desired>) -> JoinHandle<Made> {
        let (work, make) = (self.work(desired), self.make.clone());
        tokio::task::spawn_blocking(move || make(work))
    }

    /// Takes what was made. With new tables something is left to be done.
    fn take(&mut self, mut made: Made) -> Option<Settling> {
        let began = Instant::now();
        self.measured = made.health.round_trips.clone();
        made.views.problems().iter().for_each(|problem| tracing::error!("{problem}"));
        self.is_refused = made.is_refused;
        if let Some(fresh) = made.fresh.take() {
            return Some(self.adopt(made, fresh, began));
        }
        self.needs_tables |= made.is_refused;
        match Arc::ptr_eq(&made.desired, &self.desired) {
            true => self.take_views(made.views, began),
            false => self.take_desired(made.desired, made.views),
        }
        None
    }
}
