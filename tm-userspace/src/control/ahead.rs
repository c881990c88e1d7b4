//! What is made aside, on a thread of its own, while the present state goes on: where clients are, and where that changes much, all tables.
//!
//! | what is to come | made aside |
//! | --- | --- |
//! | a configuration, or measurements, by which clients are placed as before but for a few | views; the tables in use are changed |
//! | one by which many clients are placed otherwise, or that wants another port, other VLANs, another mode, or longer or more replies | views, decisions and new tables |
//! | room, since tables are full or there are more profiles than they could take, or programs, since there are none or they look for other cards | views, decisions and new tables |
//!
//! A million prefixes take a second or so. What happens meanwhile is decided on and put into the tables in use, and again into the new ones before they take
//! their place ([`Control::adopt`]).

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use imbl::OrdMap;

use super::{Control, Counted, REPAIR_INTERVAL, Tables, counted::Sums, due::Due};
use crate::{
    compile::{Compiled, Tree, Zones, compile},
    decide::{Ancestors, Decision, decide},
    desired::{Desired, RateLimit, XdpMode},
    geo::RoundTrips,
    health::Health,
    listen::Listening,
    names::DnsName,
    places::Views,
    sync::{Image, buckets_for},
    time::Clock,
    xdp::Kernel,
};

/// Runs of addresses that are new or gone above which tables are made anew: fewer are changed in place in about a millisecond.
const MOST_IN_PLACE: usize = 2_000;

/// Names on average for a bucket above which it is likelier than not that one of them is full.
const MOST_IN_BUCKET: u32 = 2;

/// What is to be made, and of what.
pub(super) struct Work {
    /// What is wanted.
    pub(super) desired: Arc<Desired>,
    /// What it was before, which may be the same.
    pub(super) before: Arc<Desired>,
    /// What is known now.
    pub(super) health: Health,
    /// The present views.
    pub(super) views: Views,
    /// The present tables: their counts are carried over.
    pub(super) tables: Tables,
    /// What an earlier run counted, where this is the first state.
    pub(super) counted: Option<Counted>,
    /// For the rules that look at the time.
    pub(super) clock: Clock,
    /// Where it is listened, as far as the host's addresses are known.
    pub(super) listening: Listening,
    /// Are new tables needed in any case?
    pub(super) must: bool,
}

/// What was made.
pub(super) struct Made {
    /// What is wanted.
    pub(super) desired: Arc<Desired>,
    /// What was known when it was begun.
    pub(super) health: Health,
    /// Where clients are.
    pub(super) views: Views,
    /// All of it in new tables, if these are needed.
    pub(super) fresh: Option<Fresh>,
}

/// New tables, and what was decided for them.
pub(super) struct Fresh {
    pub(super) zones: Arc<Zones>,
    pub(super) tree: Tree,
    pub(super) ancestors: Ancestors,
    pub(super) decisions: OrdMap<Arc<str>, Arc<Decision>>,
    pub(super) due: Due,
    pub(super) image: Image,
    pub(super) kernel: Option<Kernel>,
    /// What an earlier run counted, where there is nothing before these.
    pub(super) counted: Option<Counted>,
    /// What of all counts is in `image`.
    pub(super) filled: Sums,
}

/// Makes it, however long that takes.
pub(super) fn make(work: Work) -> Made {
    let views = place_clients(&work.desired, &work.health.round_trips, &work.views);
    let (listen, before) = (&work.desired.node.listen, &work.before.node.listen);
    let is_elsewhere = listen.port != before.port
        || listen.vlans != before.vlans
        || listen.mode != before.mode
        || listen.route_lookup != before.route_lookup;
    let replies = |desired: &Desired| {
        let RateLimit { answers_per_second, slip, .. } = desired.node.rate_limit;
        (desired.node.sockets.payload, answers_per_second, slip)
    };
    let is_otherwise = replies(&work.desired) != replies(&work.before);
    let fresh = work.must
        || is_elsewhere
        || is_otherwise
        || views.upheaval(&work.views) > MOST_IN_PLACE
        || is_beyond(&work.tables, work.desired.profiles.len());
    let fresh = fresh.then(|| make_tables(&work, &views));
    Made { desired: work.desired, health: work.health, views, fresh }
}

/// Are so many profiles surely more than these tables take? They need not be filled to find out, which would be on the time of those who wait for a flip.
fn is_beyond(tables: &Tables, profiles: usize) -> bool {
    let buckets = tables.image().sizes().buckets;
    let entries =
        tables.kernel().as_ref().map(Kernel::sizes).map(|s| s.entries.saturating_add(s.long_entries));
    profiles > entries.unwrap_or(u32::MAX).min(buckets.saturating_mul(MOST_IN_BUCKET)) as usize
}

/// Where clients are: as is wanted, with what was measured since.
fn place_clients(desired: &Desired, measured: &RoundTrips, before: &Views) -> Views {
    if measured.is_empty() {
        return Views::of(desired, before);
    }
    let overrides = Arc::new(desired.overrides.with(measured));
    Views::of(&Desired { overrides, ..desired.clone() }, before)
}

fn make_tables(work: &Work, views: &Views) -> Fresh {
    let Work { desired, health, tables, .. } = work;
    let zones = Arc::new(Zones::of(desired));
    let now = work.clock.now();
    let decisions = decide_all(desired, views, health, now);
    let tree = Tree::of(desired, zones.clone(), &work.listening.served);
    let mut compiled: Vec<(DnsName, Option<Compiled>)> =
        decisions.values().map(|d| (d.profile.dns_name.clone(), compile(d, &tree))).collect();
    compiled.retain(|(_, compiled)| compiled.is_some());
    compiled.extend(tree.all().map(|(name, compiled)| (name, Some(compiled))));
    let mut image = fill(desired, &compiled);
    image.set_payload(work.listening.payload(desired.node.sockets.payload));
    image.set_rate_limit(&desired.node.rate_limit);
    image.set_link(work.listening.link.unwrap_or_else(|| tables.image().link()));
    image.set_routed(desired.node.listen.route_lookup);
    let counted = work.counted.as_ref();
    let filled = counted.map_or_else(|| Counted::of_tables(tables).now(), Counted::now);
    filled.add_answers_since(&Sums::default(), &mut image);
    Fresh {
        ancestors: Ancestors::of(&desired.profiles),
        due: decisions.values().collect(),
        kernel: load(&image, desired.node.listen.mode),
        counted: work.counted.clone(),
        zones,
        tree,
        decisions,
        image,
        filled,
    }
}

/// Decides for every profile.
pub(super) fn decide_all(
    desired: &Desired,
    views: &Views,
    health: &Health,
    now: SystemTime,
) -> OrdMap<Arc<str>, Arc<Decision>> {
    let decided = desired.profiles.iter().map(|(name, profile)| {
        (name.clone(), Arc::new(decide(&desired.profiles, profile, &views.get(name), health, now)))
    });
    decided.collect()
}

/// Tables with these names in them, in buckets of which none is full.
fn fill(desired: &Desired, compiled: &[(DnsName, Option<Compiled>)]) -> Image {
    let listen = &desired.node.listen;
    let names = compiled.iter().filter(|(_, compiled)| compiled.is_some()).count();
    let mut buckets = buckets_for(names.max(desired.node.capacity as usize));
    loop {
        let seed = RandomState::new().hash_one(buckets);
        let mut image = Image::new(buckets, listen.port, seed, &listen.vlans);
        image.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        if image.homeless() == 0 {
            return image;
        }
        buckets = buckets.saturating_mul(2);
    }
}

/// Programs and tables of this image in the kernel, if XDP is wanted and can be had.
fn load(image: &Image, mode: XdpMode) -> Option<Kernel> {
    if mode == XdpMode::Off {
        return None;
    }
    let loaded = Kernel::load(image).inspect_err(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "XDP does not answer; the sockets answer everything; trying again every {} s",
            Duration::as_secs(&REPAIR_INTERVAL)
        );
    });
    loaded.ok()
}

impl Control {
    /// Has `desired` made, and whatever else is behind: measurements that nobody is placed by yet, and tables that are needed.
    pub(super) fn work(&mut self, desired: Arc<Desired>) -> Work {
        let listening = Listening::of(&desired.node.listen, &self.host);
        Work {
            desired,
            before: self.desired.clone(),
            health: self.health.clone(),
            views: self.views.clone(),
            tables: self.tables.clone(),
            counted: None,
            clock: self.clock.clone(),
            listening,
            must: std::mem::take(&mut self.needs_tables),
        }
    }

    /// Is there something to be made though nothing new is wanted?
    pub(super) fn is_behind(&self) -> bool {
        self.needs_tables || !self.measured.is_same(&self.health.round_trips)
    }
}
