//! What is made aside, on a thread of its own, while the present state goes on: where clients are, and where that changes much, all tables.
//!
//! | what is to come | made aside |
//! | --- | --- |
//! | a configuration, or measurements, by which clients are placed as before but for a few | views; the tables in use are changed |
//! | one by which many clients are placed otherwise | views, decisions and new tables |
//! | room, since tables are full or there are more profiles than they could take | views, decisions and new tables |
//! | programs where there are none, or that go by something else than is [frozen](Frozen) in those that are there; or none any more | views, decisions and new tables |
//!
//! Programs that the kernel does not load are tried again with the next full pass. Until then those that are in use go on as they were made, and the tables in use are changed.
//!
//! A million prefixes take a second or so. What happens meanwhile is decided on and put into the tables in use, and again into the new ones before they take
//! their place ([`Control::adopt`]).

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, sync::Arc, time::SystemTime};

use imbl::OrdMap;

use super::{Control, Counted, REPAIR_INTERVAL, Tables, counted::Sums, due::Due};
use crate::{
    compile::{Compiled, Tree, Zones, compile},
    decide::{Ancestors, Decision, decide},
    desired::{Desired, XdpMode},
    frozen::Frozen,
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
    /// What programs are to go by.
    pub(super) frozen: Frozen,
    /// Are new tables needed in any case?
    pub(super) must: bool,
    /// Has the kernel just refused programs, so that none are loaded now?
    pub(super) is_refused: bool,
}

/// What was made.
pub(super) struct Made {
    /// What is wanted.
    pub(super) desired: Arc<Desired>,
    /// What was known when it was begun.
    pub(super) health: Health,
    /// Where clients are.
    pub(super) views: Views,
    /// All of it in new tables, if these are needed and can be had.
    pub(super) fresh: Option<Fresh>,
    /// Does the kernel refuse the programs that are needed?
    pub(super) is_refused: bool,
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
    let are_needed = work.must
        || !has_programs(&work)
        || views.upheaval(&work.views) > MOST_IN_PLACE
        || is_beyond(&work.tables, work.desired.profiles.len());
    let (fresh, is_refused) = match are_needed {
        false => (None, false),
        true if work.is_refused && work.desired.node.listen.mode != XdpMode::Off => (None, true),
        true => make_tables(&work, &views),
    };
    Made { desired: work.desired, health: work.health, views, fresh, is_refused }
}

/// Are the programs that are wanted in the kernel, or none where none are?
fn has_programs(work: &Work) -> bool {
    let is_off = work.desired.node.listen.mode == XdpMode::Off;
    work.tables.kernel().as_ref().map_or(is_off, |kernel| !is_off && *kernel.frozen() == work.frozen)
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

/// New tables, and whether the kernel refuses the programs for them. Where it does, there are none if others are in use.
fn make_tables(work: &Work, views: &Views) -> (Option<Fresh>, bool) {
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
    image.set_frozen(work.frozen.clone());
    let kernel = match desired.node.listen.mode {
        XdpMode::Off => Ok(None),
        _ => Kernel::load(&image).map(Some),
    };
    let is_refused = kernel.is_err();
    let kernel = kernel.unwrap_or_else(|error| {
        let meanwhile = match is_answering(tables) {
            true => "the programs in use go on as they were made",
            false => "XDP does not answer; the sockets answer everything",
        };
        tracing::error!(
            error = format!("{error:#}"),
            "{meanwhile}; trying again every {} s",
            REPAIR_INTERVAL.as_secs()
        );
        None
    });
    if is_refused && is_answering(tables) {
        return (None, true);
    }
    let counted = work.counted.as_ref();
    let filled = counted.map_or_else(|| Counted::of_tables(tables).now(), Counted::now);
    filled.add_answers_since(&Sums::default(), &mut image);
    let fresh = Fresh {
        ancestors: Ancestors::of(&desired.profiles),
        due: decisions.values().collect(),
        kernel,
        counted: work.counted.clone(),
        zones,
        tree,
        decisions,
        image,
        filled,
    };
    (Some(fresh), is_refused)
}

fn is_answering(tables: &Tables) -> bool {
    tables.kernel().is_some()
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
    let names = compiled.iter().filter(|(_, compiled)| compiled.is_some()).count();
    let mut buckets = buckets_for(names.max(desired.node.capacity as usize));
    loop {
        let seed = RandomState::new().hash_one(buckets);
        let mut image = Image::new(buckets, seed);
        image.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        if image.homeless() == 0 {
            return image;
        }
        buckets = buckets.saturating_mul(2);
    }
}

impl Control {
    /// Has `desired` made, and whatever else is behind: measurements that nobody is placed by yet, and tables that are needed.
    pub(super) fn work(&mut self, desired: Arc<Desired>) -> Work {
        let listening = Listening::of(&desired.node.listen, &self.host);
        let frozen = self.frozen(&desired, &listening);
        Work {
            desired,
            health: self.health.clone(),
            views: self.views.clone(),
            tables: self.tables.clone(),
            counted: None,
            clock: self.clock.clone(),
            listening,
            frozen,
            must: std::mem::take(&mut self.needs_tables),
            is_refused: self.is_refused,
        }
    }

    /// Is there something to be made though nothing new is wanted?
    pub(super) fn is_behind(&self) -> bool {
        self.needs_tables && !self.is_refused || !self.measured.is_same(&self.health.round_trips)
    }
}
