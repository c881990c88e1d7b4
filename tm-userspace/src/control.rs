//! The one way from what is wanted and what is up to the tables: decide, compile, sync, in one task.
//!
//! Woken by a new desired state, by a flip, by a change of the host's interfaces, and by a slow timer whose full pass repairs whatever was lost. The
//! inputs are whole latest states that share structure with the ones before, so what changed is found by comparing them, at a cost that follows the change;
//! nothing depends on being told.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Instant, SystemTime},
};

use imbl::{OrdMap, ordmap::DiffItem};
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use crate::{
    compile::{Compiled, Zone, compile},
    decide::{Decision, decide},
    desired::{Desired, XdpMode},
    health::Health,
    listen::{Host, Listening},
    names::DnsName,
    sync::{Image, buckets_for},
    xdp::{Attached, Barrier, Kernel, REPAIR_INTERVAL, strips_vlan_tags},
};

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

/// The tables, shared with those who answer and those who ask. Who wants both locks takes the image's first, or two would wait for each other.
#[derive(Clone, Debug)]
pub struct Tables {
    image: Arc<RwLock<Image>>,
    kernel: Arc<Mutex<Option<Kernel>>>,
}

impl Tables {
    /// Tables without a name in them, and nothing in the kernel.
    pub fn empty() -> Self {
        let image = Image::new(buckets_for(0), 53, 0, &[]);
        Tables { image: Arc::new(RwLock::new(image)), kernel: Arc::default() }
    }

    /// The daemon's copy, shared with the sockets. A panic elsewhere does not make the tables wrong: they are whole between two statements.
    pub fn image_lock(&self) -> Arc<RwLock<Image>> {
        self.image.clone()
    }

    /// The daemon's copy.
    pub fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is in the kernel, if anything is.
    pub fn kernel(&self) -> MutexGuard<'_, Option<Kernel>> {
        self.kernel.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn image_mut(&self) -> RwLockWriteGuard<'_, Image> {
        self.image.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
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
    zone: Arc<Zone>,
    decisions: OrdMap<Arc<str>, Arc<Decision>>,
    /// Hands a new program's means to wait to the thread that waits.
    barriers: mpsc::UnboundedSender<Barrier>,
}

impl Control {
    /// Brings the tables to what `inputs` say now. From here on everything answers. `None` while nothing is desired.
    pub fn start(
        inputs: &mut Inputs,
        tables: Tables,
        published: watch::Sender<Arc<Published>>,
    ) -> Option<Self> {
        let desired = Arc::new(inputs.desired.borrow_and_update().clone()?);
        let zone = Arc::new(Zone::of(&desired.node, desired.generation));
        let (barriers, receiver) = mpsc::unbounded_channel();
        let reclaimed = tables.clone();
        tokio::spawn(reclaim(reclaimed, receiver));
        let mut control = Control {
            tables,
            published,
            zone,
            desired,
            health: inputs.health.borrow_and_update().clone(),
            host: inputs.host.borrow_and_update().clone(),
            listening: Listening::default(),
            decisions: OrdMap::new(),
            barriers,
        };
        control.listening = Listening::of(&control.desired.node.listen, &control.host);
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
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = inputs.health.changed() => {
                    let health = inputs.health.borrow_and_update().clone();
                    self.take_health(health);
                }
                Ok(()) = inputs.desired.changed() => {
                    let desired = inputs.desired.borrow_and_update().clone();
                    if let Some(desired) = desired {
                        self.take_desired(Arc::new(desired));
                    }
                }
                Ok(()) = inputs.host.changed() => {
                    let host = inputs.host.borrow_and_update().clone();
                    self.take_host(host);
                }
                _ = timer.tick() => self.repair(),
            }
        }
    }

    /// Flips: only their profiles are decided anew.
    fn take_health(&mut self, health: Health) {
        let began = Instant::now();
        let before = std::mem::replace(&mut self.health, health);
        let touched: BTreeSet<Arc<str>> = before
            .verdicts
            .diff(&self.health.verdicts)
            .map(|item| match item {
                DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key.profile.clone(),
                DiffItem::Update { old: (key, _), .. } => key.profile.clone(),
            })
            .collect();
        let changed = self.decide_some(touched);
        self.apply(&changed, began);
    }

    /// A new configuration: everything that differs from the one before.
    fn take_desired(&mut self, desired: Arc<Desired>) {
        let began = Instant::now();
        let before = std::mem::replace(&mut self.desired, desired);
        let zone = Zone::of(&self.desired.node, self.desired.generation);
        self.zone = Arc::new(zone);
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        self.decide_all();
        let listen = (&before.node.listen, &self.desired.node.listen);
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
            changes.extend(self.compile_all());
            self.write(&changes);
            self.set_addresses();
            self.attach();
        }
        let mut image = self.tables.image_mut();
        for (key, _, _) in before.endpoints() {
            let known = |profile: &Arc<crate::desired::Profile>| {
                profile.endpoints.iter().any(|e| e.name == key.endpoint)
            };
            if !self.desired.profiles.get(&key.profile).is_some_and(known) {
                image.forget_endpoint(&key);
            }
        }
        drop(image);
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
        self.set_addresses();
        self.attach();
        self.publish();
    }

    /// The slow timer: everything is decided, compared and put right.
    fn repair(&mut self) {
        self.decide_all();
        let changes = self.compile_all();
        self.write(&changes);
        self.set_addresses();
        self.attach();
        let image = self.tables.image();
        if let Some(kernel) = &*self.tables.kernel() {
            match kernel.repair(&image) {
                0 => {}
                elements => tracing::warn!(elements, "the kernel's tables differed and were repaired"),
            }
        }
        drop(image);
        self.publish();
    }

    fn decide_all(&mut self) {
        let now = SystemTime::now();
        self.decisions = self
            .desired
            .profiles
            .iter()
            .map(|(name, profile)| (name.clone(), Arc::new(decide(profile, &self.health, now))))
            .collect();
    }

    /// Decides for these profiles; gives those whose decision is another one.
    fn decide_some(&mut self, profiles: BTreeSet<Arc<str>>) -> Vec<Arc<Decision>> {
        let now = SystemTime::now();
        let mut changed = vec![];
        for name in profiles {
            let Some(profile) = self.desired.profiles.get(&name) else { continue };
            let decision = Arc::new(decide(profile, &self.health, now));
            if self.decisions.get(&name) != Some(&decision) {
                self.decisions.insert(name, decision.clone());
                changed.push(decision);
            }
        }
        changed
    }

    fn compile_all(&self) -> Vec<(DnsName, Option<Compiled>)> {
        self.decisions.values().map(|d| (d.profile.dns_name.clone(), compile(d, &self.zone))).collect()
    }

    /// Puts changed decisions into the tables, then tells everybody.
    fn apply(&mut self, changed: &[Arc<Decision>], began: Instant) {
        if changed.is_empty() {
            return;
        }
        let changes: Vec<(DnsName, Option<Compiled>)> =
            changed.iter().map(|d| (d.profile.dns_name.clone(), compile(d, &self.zone))).collect();
        self.write(&changes);
        let took_us = began.elapsed().as_micros() as u64;
        self.publish();
        tracing::info!(profiles = changed.len(), first = %changed[0].profile.name, took_us, "decision published");
    }

    fn write(&mut self, changes: &[(DnsName, Option<Compiled>)]) {
        let mut image = self.tables.image_mut();
        let changed = image.apply(changes.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        let mut outgrown = image.homeless() > 0;
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.copy(&image, &changed);
            outgrown |= !kernel.holds(&image);
        }
        drop(image);
        if outgrown {
            tracing::info!("the tables are full, making larger ones");
            self.rebuild();
        }
    }

    /// Makes all tables anew beside the old ones, fills them, and puts them in their place in one step. Counts are carried over.
    fn rebuild(&mut self) {
        let listen = &self.desired.node.listen;
        let compiled = self.compile_all();
        let names = compiled.iter().filter(|(_, compiled)| compiled.is_some()).count();
        let mut buckets = buckets_for(names.max(self.desired.node.capacity as usize));
        let mut fresh = loop {
            let seed =
                std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), buckets);
            let mut fresh = Image::new(buckets, listen.port, seed, &listen.vlans);
            fresh.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
            if fresh.homeless() == 0 {
                break fresh;
            }
            buckets = buckets.saturating_mul(2);
        };
        let (served, own) = self.listening.keys();
        warn_left_out(fresh.set_addresses(&served, &own));
        let kernel = match listen.mode {
            XdpMode::Off => None,
            _ => match Kernel::load(&fresh) {
                Ok(kernel) => Some(kernel),
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "XDP does not answer; the sockets answer everything"
                    );
                    None
                }
            },
        };
        let mut image = self.tables.image_mut();
        let mut slot = self.tables.kernel();
        let mut old = slot.take();
        if let Some(mut new) = kernel {
            if let Some(old) = &mut old
                && let Err(error) = new.replace(old)
            {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot hand an interface over to the new program"
                );
            }
            if let Some(barrier) = new.take_barrier() {
                // Fails only where the thread is gone, at shutdown.
                let _ = self.barriers.send(barrier);
            }
            *slot = Some(new);
        }
        // Last of all, when the old program is asked no more: it has answered all the while.
        for (endpoint, counter, count) in image.counters() {
            let in_kernel = old.as_ref().map_or(0, |kernel| kernel.answered(counter));
            fresh.add_count(endpoint, count + in_kernel);
        }
        *image = fresh;
        drop(slot);
        drop(image);
        drop(old);
        self.attach();
    }

    fn set_addresses(&mut self) {
        let (served, own) = self.listening.keys();
        let mut image = self.tables.image_mut();
        let left_out = image.set_addresses(&served, &own);
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.set_addresses(&image);
        }
        drop(image);
        warn_left_out(left_out);
    }

    /// Attaches to every listed interface that is there and not attached to, and lets go of those that are not listed, gone, made anew, or attached in
    /// another hook than is wanted.
    fn attach(&mut self) {
        let listen = &self.desired.node.listen;
        let mut kernel = self.tables.kernel();
        let Some(kernel) = kernel.as_mut() else { return };
        let attached: Vec<(String, u32, Attached)> =
            kernel.attached().map(|(name, index, how)| (name.to_owned(), index, how)).collect();
        for (name, index, how) in &attached {
            let now = self.host.get(name).map(|interface| interface.index);
            if !listen.interfaces.contains(name) || now != Some(*index) || !how.suits(listen.mode) {
                match now {
                    None => tracing::error!(
                        interface = name,
                        "the interface is gone; waiting for it to come back"
                    ),
                    Some(_) => tracing::info!(interface = name, "detached"),
                }
                kernel.detach(name);
            }
        }
        for name in &listen.interfaces {
            if kernel.attached().any(|(attached, ..)| attached == name) {
                continue;
            }
            if !self.host.contains_key(name) {
                tracing::error!(interface = name, "there is no such interface; waiting for it");
                continue;
            }
            if strips_vlan_tags(name) == Some(true) && !listen.vlans.is_empty() {
                tracing::error!(
                    interface = name,
                    "the card strips VLAN tags before XDP sees them: `ethtool -K {name} rx-vlan-offload off`, or tagged queries are taken for untagged ones"
                );
            }
            match kernel.attach(name, listen.mode) {
                Ok(mode) => tracing::info!(interface = name, ?mode, "XDP attached"),
                Err(error) => tracing::error!(
                    interface = name,
                    error = format!("{error:#}"),
                    "XDP does not answer here; the sockets do"
                ),
            }
        }
    }

    fn publish(&self) {
        self.published.send_replace(Arc::new(Published {
            generation: self.desired.generation,
            decisions: self.decisions.clone(),
            listening: self.listening.clone(),
        }));
    }
}

fn warn_left_out(addresses: Vec<tm_common::tables::Address>) {
    if !addresses.is_empty() {
        tracing::warn!(
            addresses = addresses.len(),
            "too many addresses with the same hash; the sockets answer at the rest"
        );
    }
}

/// Frees what was given up, once no packet can still be reading it. Waiting takes the kernel some milliseconds, so it has a thread of its own.
async fn reclaim(tables: Tables, mut barriers: mpsc::UnboundedReceiver<Barrier>) {
    /// Not to be busy waiting for grace periods while flips come in bursts.
    const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
    let mut barrier: Option<Barrier> = None;
    loop {
        match tokio::time::timeout(PAUSE, barriers.recv()).await {
            Ok(Some(new)) => barrier = Some(new),
            Ok(None) => return,
            Err(_) => {}
        }
        if !tables.image_mut().begin_wait() {
            continue;
        }
        let Some(mut waiting) = barrier.take() else {
            // Nobody reads but the sockets, and they hold the lock while they do.
            tables.image_mut().reclaim();
            continue;
        };
        let waited = tokio::task::spawn_blocking(move || (waiting.wait(), waiting)).await;
        match waited {
            Ok((Ok(()), done)) => {
                tables.image_mut().reclaim();
                barrier = Some(done);
            }
            Ok((Err(error), done)) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot wait for the kernel; what was given up is not used again"
                );
                barrier = Some(done);
            }
            Err(_) => return,
        }
    }
}
