//! The daemon's copy of all tables.
//!
//! `write` puts names in and takes them out, `below` leads them to what is answered for others below them, `endings` knows what that makes of how names end, `views` does so with what places their clients, `lookup` answers the engine.

mod below;
mod counted;
mod endings;
mod limiter;
mod lookup;
mod views;
mod write;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tm_common::{
    cookie::{self, Cookies},
    dns::ASKED,
    limit::Allowed,
    name::{LONG, SHORT},
    place::{LINE, Line},
    tables::{
        ADDRESS_LINES, Address, Addresses, Answer, AnswerIndex, Block, Bucket, Entry, LARGE, MEDIUM, Meta,
        OWN_BITS, Placed, SMALL, address_line, own_bit,
    },
};
use zerocopy::FromZeros;

use super::{Changes, Sizes, Store, nodes::Nodes, place::Place};
use crate::{
    compile::{Compiled, Records},
    desired::EndpointKey,
    frozen::Frozen,
    names::DnsName,
    places::Partition,
};
use below::Below;
use counted::Counted;
use endings::Endings;
use limiter::Limiter;
use views::ViewUse;

pub use counted::Counters;
pub use lookup::Reader;

/// A change of one name: what it is to be, or that it goes.
pub type Change<'a> = (&'a DnsName, Option<&'a Compiled>);

/// All tables, and where everything lies in them.
#[derive(Debug)]
pub struct Image {
    frozen: Frozen,
    seed: u64,
    limiter: Limiter,
    served: Vec<Addresses>,
    own: Vec<u64>,
    cookies: Cookies,
    /// The time that cookies bear; 0 for the clock's.
    time: AtomicU32,
    buckets: Vec<Bucket>,
    entries: Store<Entry<SHORT>>,
    long_entries: Store<Entry<LONG>>,
    nodes: Nodes,
    blocks: Store<Placed>,
    slots: Store<AnswerIndex>,
    small: Store<Answer<SMALL>>,
    medium: Store<Answer<MEDIUM>>,
    large: Store<Answer<LARGE>>,
    turns: Store<()>,
    /// Whose turn it is, for the sockets.
    own_turns: Vec<AtomicU32>,
    /// What counts for each endpoint, and what the sockets have counted.
    counted: Counted,
    /// Where each name is.
    places: HashMap<DnsName, Place>,
    /// Where each view is, and how many names use it.
    known_views: HashMap<Arc<Partition>, ViewUse>,
    /// Where each answer is, and how many slots name it.
    answers: HashMap<Records, (AnswerIndex, u32)>,
    /// What each answer is.
    records: HashMap<AnswerIndex, Records>,
    /// Entries of names whose bucket was full, by hash and size class. The sockets find them here, so that they answer while larger tables are made.
    homeless: HashMap<(u64, usize), u32>,
    /// What names lead to for those below them that are not there.
    below: Below,
    /// What that makes of how names end.
    endings: Endings,
}

impl Image {
    /// Empty tables with so many buckets, a power of two. `seed` should be random.
    pub fn new(buckets: u32, seed: u64) -> Self {
        let no_entry = [Block::default(); ASKED];
        Image {
            frozen: Frozen::default(),
            seed,
            limiter: Limiter::default(),
            served: vec![Addresses::new_zeroed(); ADDRESS_LINES as usize],
            own: vec![0; OWN_BITS as usize / 64],
            cookies: Cookies::default(),
            time: AtomicU32::new(0),
            buckets: vec![Bucket([0; 8]); buckets.next_power_of_two() as usize],
            entries: Store::new(entry(no_entry)),
            long_entries: Store::new(entry(no_entry)),
            // A word that was never written leads to these, and they to themselves.
            nodes: Nodes::of(Line([0; LINE]), LINE as u32),
            blocks: Store::new(Placed::default()),
            slots: Store::new(AnswerIndex::default()),
            small: Store::new(no_answer()),
            medium: Store::new(no_answer()),
            large: Store::new(no_answer()),
            turns: Store::new(()),
            own_turns: vec![],
            counted: Counted::new(),
            places: HashMap::new(),
            known_views: HashMap::new(),
            answers: HashMap::new(),
            records: HashMap::new(),
            homeless: HashMap::new(),
            below: Below::default(),
            endings: Endings::new(),
        }
    }

    /// What cookies are made with from now on; none at first.
    pub fn set_cookies(&mut self, secrets: &[[u8; 16]]) {
        let mut cookies = Cookies { count: secrets.len().min(2) as u32, ..Cookies::default() };
        for (words, secret) in cookies.secrets.iter_mut().zip(secrets) {
            *words = zerocopy::transmute!(*secret);
        }
        // What was remembered of another secret is right no longer.
        cookies.epoch = cookie::seal(&cookies.secrets[0], 0, 0, &[0; 2]) | 1;
        self.cookies = cookies;
    }

    /// Makes it this time for cookies, in seconds since 1970, instead of what the clock says: to answer as somebody else has answered.
    pub fn set_time(&self, seconds: u32) {
        self.time.store(seconds, Ordering::Relaxed);
    }

    /// What cookies are made with.
    pub(crate) fn cookie_secrets(&self) -> &Cookies {
        &self.cookies
    }

    /// Makes names what they are to be, and says what changed. Names that are not mentioned stay.
    pub fn apply<'a>(&mut self, changes: impl IntoIterator<Item = Change<'a>>) -> Changes {
        let mut changed = Changes::default();
        for (name, compiled) in changes {
            let was_homeless = self.is_homeless(name);
            match (self.places.remove(name), compiled) {
                (None, None) => {}
                (None, Some(compiled)) => self.add(compiled, &mut changed),
                (Some(place), None) => self.remove(place, name, &mut changed),
                (Some(place), Some(compiled)) => self.change(place, compiled, &mut changed),
            }
            let absent = compiled.and_then(|compiled| compiled.absent.as_ref());
            self.set_below(name, absent, &mut changed);
            let is_homeless = self.is_homeless(name);
            if is_homeless != was_homeless {
                self.set_homeless(name, is_homeless, &mut changed);
            }
        }
        self.own_turns.resize_with(self.turns.len() as usize, AtomicU32::default);
        changed
    }

    fn is_homeless(&self, name: &DnsName) -> bool {
        self.places.get(name).is_some_and(|place| place.bucket.is_none())
    }

    /// Says that a wait begins for every reader of a mirror that may hold what was given up. `false` where nothing was.
    pub fn begin_wait(&mut self) -> bool {
        let retired = self.entries.has_retired()
            || self.long_entries.has_retired()
            || self.nodes.has_retired()
            || self.blocks.has_retired()
            || self.slots.has_retired()
            || self.small.has_retired()
            || self.medium.has_retired()
            || self.large.has_retired();
        self.entries.begin_wait();
        self.long_entries.begin_wait();
        self.nodes.begin_wait();
        self.blocks.begin_wait();
        self.slots.begin_wait();
        self.small.begin_wait();
        self.medium.begin_wait();
        self.large.begin_wait();
        self.turns.begin_wait();
        retired
    }

    /// Frees what had been given up when that wait began. Only when it has ended.
    pub fn reclaim(&mut self) {
        self.entries.reclaim();
        self.long_entries.reclaim();
        self.nodes.reclaim();
        self.blocks.reclaim();
        self.slots.reclaim();
        self.small.reclaim();
        self.medium.reclaim();
        self.large.reclaim();
        self.turns.reclaim();
    }

    /// Replaces the addresses that are served, and those that no client can have. A served address for which its line has no room is left out and returned.
    pub fn set_addresses(&mut self, served: &[Address], own: &[Address]) -> Vec<Address> {
        let mut left_out = vec![];
        self.served.fill(Addresses::new_zeroed());
        for address in served {
            let line = &mut self.served[address_line(address) as usize].0;
            match line.iter_mut().find(|place| **place == [0; 2] || *place == address) {
                Some(place) => *place = *address,
                None => left_out.push(*address),
            }
        }
        self.own.fill(0);
        for address in own {
            let bit = own_bit(address);
            self.own[bit as usize / 64] |= 1 << (bit % 64);
        }
        left_out
    }

    /// Replaces what programs are told when they are loaded. The sockets go by it from now on; programs that are loaded already go by what it was then: see
    /// [`Kernel::holds`](crate::xdp::Kernel::holds).
    pub fn set_frozen(&mut self, frozen: Frozen) {
        self.frozen = frozen;
    }

    /// What programs are told when they are loaded.
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Replaces who is never over the limit.
    pub fn set_allowed(&mut self, prefixes: &[(IpAddr, u8)]) {
        self.limiter.set_allowed(prefixes);
    }

    /// Who is never over the limit.
    pub(crate) fn allowed(&self) -> &Allowed {
        self.limiter.allowed()
    }

    /// Makes it so many milliseconds for limits, instead of what the clock says.
    pub fn set_ticks(&self, ticks: u64) {
        self.limiter.set_ticks(ticks);
    }

    /// How large the tables are now.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            buckets: self.buckets.len() as u32,
            entries: self.entries.len(),
            long_entries: self.long_entries.len(),
            nodes: self.nodes.lines().len(),
            blocks: self.blocks.len(),
            slots: self.slots.len(),
            small: self.small.len(),
            medium: self.medium.len(),
            large: self.large.len(),
            turns: self.turns.len(),
            counters: self.counted.len(),
        }
    }

    /// Adds to what was counted for an endpoint: counts that came from elsewhere.
    pub fn add_count(&mut self, endpoint: &EndpointKey, count: u64) {
        self.counted.add(endpoint, count);
    }

    /// Every endpoint that was ever in an answer, with its counters.
    pub fn counters(&self) -> impl Iterator<Item = (&EndpointKey, Counters)> {
        self.counted.all()
    }

    /// Number of names.
    pub fn names(&self) -> usize {
        self.places.len()
    }

    /// Names that a mirror cannot find, because their bucket was full. Not zero: the tables have to be made anew, with more buckets or another seed.
    pub fn homeless(&self) -> usize {
        self.homeless.len()
    }

    /// An endpoint's counters: what to read in a mirror, with what was counted elsewhere.
    pub fn counter(&self, endpoint: &EndpointKey) -> Option<Counters> {
        self.counted.get(endpoint)
    }

    /// Forgets an endpoint that is gone. Its counters are not used for another one while these tables are there: nobody inherits a count.
    pub fn forget_endpoint(&mut self, endpoint: &EndpointKey) {
        self.counted.forget(endpoint);
    }

    /// Whom a counter counts for.
    pub fn counted_for(&self, counter: u32) -> Arc<[EndpointKey]> {
        self.counted.whom(counter)
    }

    /// The name whose answers are given to who asks for this one: itself, or the wildcard of the longest name above it that is there.
    pub fn answering(&self, name: &DnsName) -> Option<DnsName> {
        if self.has(name) {
            return Some(name.clone());
        }
        let above = name.suffixes().skip(1).find(|above| self.places.contains_key(*above))?;
        DnsName::from_wire(above).with_asterisk().filter(|wildcard| self.has(wildcard))
    }

    /// Whether anything is filed under exactly this name.
    pub fn has(&self, name: &DnsName) -> bool {
        self.places.contains_key(name)
    }

    /// The tables that a mirror copies element by element.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }
    /// Entries of short names.
    pub fn entries(&self) -> &Store<Entry<SHORT>> {
        &self.entries
    }
    /// Entries of long names.
    pub fn long_entries(&self) -> &Store<Entry<LONG>> {
        &self.long_entries
    }
    /// Lines of their nodes.
    pub fn nodes(&self) -> &Store<Line> {
        self.nodes.lines()
    }
    /// Blocks chosen by place.
    pub fn blocks(&self) -> &Store<Placed> {
        &self.blocks
    }
    /// Slots.
    pub fn slots(&self) -> &Store<AnswerIndex> {
        &self.slots
    }
    /// Answers of the small class.
    pub fn small_answers(&self) -> &Store<Answer<SMALL>> {
        &self.small
    }
    /// Answers of the medium class.
    pub fn medium_answers(&self) -> &Store<Answer<MEDIUM>> {
        &self.medium
    }
    /// Answers of the large class.
    pub fn large_answers(&self) -> &Store<Answer<LARGE>> {
        &self.large
    }
    /// Lines of served addresses.
    pub fn served_lines(&self) -> &[Addresses] {
        &self.served
    }
    /// The set of addresses that no client can have.
    pub fn own_words(&self) -> &[u64] {
        &self.own
    }
    /// What name hashes begin with.
    pub fn hash_seed(&self) -> u64 {
        self.seed
    }
}

fn entry<const WORDS: usize>(blocks: [Block; ASKED]) -> Entry<WORDS> {
    Entry {
        name: [0; WORDS],
        name_sum: 0,
        end: 0,
        whole: 0,
        covered: 0,
        root_bits: 0,
        root_line: 0,
        below: 0,
        blocks,
    }
}

fn no_answer<const WORDS: usize>() -> Answer<WORDS> {
    Answer { meta: Meta::default(), records: [0; WORDS], last: [0; 2] }
}
