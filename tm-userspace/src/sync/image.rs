//! The daemon's copy of all tables.

use std::{
    collections::{HashMap, hash_map::Entry as MapEntry},
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use tm_common::{
    dns::ASKED,
    name::{self, LONG, SHORT},
    tables::{
        ADDRESS_LINES, Address, Addresses, Answer, AnswerIndex, Block, Bucket, Class, Entry, LARGE, Lookup,
        MEDIUM, Meta, Names, OWN_BITS, SMALL, address_line, bucket_index, own_bit, tag,
    },
};
use zerocopy::FromZeros;

use super::{Changes, Store, Table, place::Place};
use crate::{
    compile::{Compiled, Records},
    desired::EndpointKey,
    names::DnsName,
};

/// How many elements each table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A power of two.
    pub buckets: u32,
    /// Short names.
    pub entries: u32,
    /// Long names.
    pub long_entries: u32,
    /// Slots.
    pub slots: u32,
    /// Answers of the small class.
    pub small: u32,
    /// Answers of the medium class.
    pub medium: u32,
    /// Answers of the large class.
    pub large: u32,
    /// Turns.
    pub turns: u32,
    /// Counters.
    pub counters: u32,
}

impl Sizes {
    /// Twice as many of everything, and at least some: what to make for tables that are to grow for a while.
    pub fn with_headroom(self) -> Self {
        let more = |size: u32| size.saturating_mul(2).max(256);
        Sizes {
            buckets: self.buckets,
            entries: more(self.entries),
            long_entries: more(self.long_entries),
            slots: more(self.slots),
            small: more(self.small),
            medium: more(self.medium),
            large: more(self.large),
            turns: more(self.turns),
            counters: more(self.counters),
        }
    }

    /// Does all of `other` fit in?
    pub fn hold(self, other: Sizes) -> bool {
        self.buckets == other.buckets
            && self.entries >= other.entries
            && self.long_entries >= other.long_entries
            && self.slots >= other.slots
            && self.small >= other.small
            && self.medium >= other.medium
            && self.large >= other.large
            && self.turns >= other.turns
            && self.counters >= other.counters
    }
}

/// Buckets for so many names: with eight places each, one in a million is full when they hold two names on average for three of them.
pub fn buckets_for(names: usize) -> u32 {
    let names = u32::try_from(names).unwrap_or(u32::MAX / 2);
    names.max(512).checked_next_power_of_two().unwrap_or(1 << 31)
}

/// A change of one name: what it is to be, or that it goes.
pub type Change<'a> = (&'a DnsName, Option<&'a Compiled>);

/// All tables, and where everything lies in them.
#[derive(Debug)]
pub struct Image {
    /// UDP port, in memory order.
    port: u16,
    seed: u64,
    vlans: Vec<u16>,
    served: Vec<Addresses>,
    own: Vec<u64>,
    buckets: Vec<Bucket>,
    entries: Store<Entry<SHORT>>,
    long_entries: Store<Entry<LONG>>,
    slots: Store<AnswerIndex>,
    small: Store<Answer<SMALL>>,
    medium: Store<Answer<MEDIUM>>,
    large: Store<Answer<LARGE>>,
    turns: Store<()>,
    counters: Store<()>,
    /// Whose turn it is, for the sockets.
    own_turns: Vec<AtomicU32>,
    /// Answers given by the sockets.
    own_counts: Vec<AtomicU64>,
    /// Where each name is.
    places: HashMap<DnsName, Place>,
    /// Where each answer is, and how many slots name it.
    answers: HashMap<Records, (AnswerIndex, u32)>,
    /// What each answer is.
    records: HashMap<AnswerIndex, Records>,
    /// What counts for each endpoint, and how many answers do.
    endpoints: HashMap<EndpointKey, u32>,
    /// Names whose bucket was full.
    homeless: u32,
}

/// What counts answers that count for nobody.
const NOBODY: u32 = 0;

impl Image {
    /// Empty tables with so many buckets, a power of two. `seed` should be random.
    pub fn new(buckets: u32, port: u16, seed: u64, vlans: &[u16]) -> Self {
        let no_entry = [Block::default(); ASKED];
        let mut image = Image {
            port: port.to_be(),
            seed,
            vlans: vlans.to_vec(),
            served: vec![Addresses::new_zeroed(); ADDRESS_LINES as usize],
            own: vec![0; OWN_BITS as usize / 64],
            buckets: vec![Bucket([0; 8]); buckets.next_power_of_two() as usize],
            entries: Store::new(entry(no_entry)),
            long_entries: Store::new(entry(no_entry)),
            slots: Store::new(AnswerIndex::default()),
            small: Store::new(no_answer()),
            medium: Store::new(no_answer()),
            large: Store::new(no_answer()),
            turns: Store::new(()),
            counters: Store::new(()),
            own_turns: vec![],
            own_counts: vec![],
            places: HashMap::new(),
            answers: HashMap::new(),
            records: HashMap::new(),
            endpoints: HashMap::new(),
            homeless: 0,
        };
        image.grow_counters();
        image
    }

    /// Makes names what they are to be, and says what changed. Names that are not mentioned stay.
    pub fn apply<'a>(&mut self, changes: impl IntoIterator<Item = Change<'a>>) -> Changes {
        let mut changed = Changes::default();
        for (name, compiled) in changes {
            match (self.places.remove(name), compiled) {
                (None, None) => {}
                (None, Some(compiled)) => self.add(compiled, &mut changed),
                (Some(place), None) => self.remove(place, name, &mut changed),
                (Some(place), Some(compiled)) => self.change(place, compiled, &mut changed),
            }
        }
        self.grow_counters();
        changed
    }

    /// Says that a wait begins for every reader of a mirror that may hold what was given up. `false` where nothing was.
    pub fn begin_wait(&mut self) -> bool {
        let retired = self.entries.has_retired()
            || self.long_entries.has_retired()
            || self.slots.has_retired()
            || self.small.has_retired()
            || self.medium.has_retired()
            || self.large.has_retired();
        self.entries.begin_wait();
        self.long_entries.begin_wait();
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

    /// How large the tables are now.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            buckets: self.buckets.len() as u32,
            entries: self.entries.len(),
            long_entries: self.long_entries.len(),
            slots: self.slots.len(),
            small: self.small.len(),
            medium: self.medium.len(),
            large: self.large.len(),
            turns: self.turns.len(),
            counters: self.counters.len(),
        }
    }

    /// Adds to what the sockets have counted for an endpoint: counts that came from elsewhere.
    pub fn add_count(&mut self, endpoint: &EndpointKey, count: u64) {
        let counter = match self.endpoints.entry(endpoint.clone()) {
            MapEntry::Occupied(known) => *known.get(),
            MapEntry::Vacant(new) => *new.insert(self.counters.take(1)),
        };
        self.grow_counters();
        self.own_counts[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Every endpoint that was ever given as an answer, with its counter.
    pub fn counters(&self) -> impl Iterator<Item = (&EndpointKey, u32, u64)> {
        self.endpoints.iter().map(|(endpoint, counter)| {
            (endpoint, *counter, self.own_counts[*counter as usize].load(Ordering::Relaxed))
        })
    }

    /// Number of names.
    pub fn names(&self) -> usize {
        self.places.len()
    }

    /// Names that cannot be found, because their bucket was full. Not zero: the tables have to be made anew, with more buckets or another seed.
    pub fn homeless(&self) -> u32 {
        self.homeless
    }

    /// The name's endpoint counters: what to read in a mirror, with what the sockets have counted.
    pub fn counter(&self, endpoint: &EndpointKey) -> Option<(u32, u64)> {
        let counter = *self.endpoints.get(endpoint)?;
        Some((counter, self.own_counts.get(counter as usize)?.load(Ordering::Relaxed)))
    }

    /// Forgets an endpoint that is gone. Its counter is not used for another one while the daemon runs: nobody inherits a count.
    pub fn forget_endpoint(&mut self, endpoint: &EndpointKey) {
        self.endpoints.remove(endpoint);
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
    /// VLAN ids that are ours.
    pub fn vlan_ids(&self) -> &[u16] {
        &self.vlans
    }
    /// UDP port served, in memory order.
    pub fn served_port(&self) -> u16 {
        self.port
    }

    fn add(&mut self, compiled: &Compiled, changed: &mut Changes) {
        let (blocks, slots) = self.put_blocks(compiled, changed);
        let entry = self.put_entry(&compiled.name, blocks, changed);
        let hash = name::hash(compiled.name.wire(), self.seed);
        let line = bucket_index(hash) & (self.buckets.len() as u32 - 1);
        let bucket = &mut self.buckets[line as usize].0;
        // Places with an equal tag would hide each other; such a pair needs another seed.
        let tag_taken = bucket.iter().any(|place| (*place >> 32) as u32 == tag(hash));
        let at = bucket.iter().position(|place| *place == 0).filter(|_| !tag_taken);
        match at {
            Some(at) => {
                bucket[at] = u64::from(tag(hash)) << 32 | u64::from(entry);
                changed.published.push((Table::Buckets, line));
            }
            None => self.homeless += 1,
        }
        let place = Place { bucket: at.map(|at| (line, at)), entry, blocks, slots };
        self.places.insert(compiled.name.clone(), place);
    }

    fn remove(&mut self, place: Place, name: &DnsName, changed: &mut Changes) {
        match place.bucket {
            Some((line, at)) => {
                self.buckets[line as usize].0[at] = 0;
                changed.published.push((Table::Buckets, line));
            }
            None => self.homeless -= 1,
        }
        self.give_up(&place, name);
    }

    /// Rewrites slots where only they differ: the common case, a flip. Else the name gets a new entry, and one word leads there.
    fn change(&mut self, mut place: Place, compiled: &Compiled, changed: &mut Changes) {
        let same_shape =
            place.slots.iter().zip(&compiled.blocks).all(|(now, wanted)| now.len() == wanted.slots.len());
        if !same_shape {
            let (blocks, slots) = self.put_blocks(compiled, changed);
            let entry = self.put_entry(&compiled.name, blocks, changed);
            if let Some((line, at)) = place.bucket {
                let word = &mut self.buckets[line as usize].0[at];
                *word = *word >> 32 << 32 | u64::from(entry);
                changed.published.push((Table::Buckets, line));
            }
            self.give_up(&place, &compiled.name);
            let place = Place { bucket: place.bucket, entry, blocks, slots };
            self.places.insert(compiled.name.clone(), place);
            return;
        }
        for (i, wanted) in compiled.blocks.iter().enumerate() {
            let answers: Vec<AnswerIndex> =
                wanted.answers.iter().map(|answer| self.use_answer(answer, changed)).collect();
            for (at, choice) in wanted.slots.iter().enumerate() {
                let (old, new) = (place.slots[i][at], answers[usize::from(*choice)]);
                if old != new {
                    self.hold(new);
                    self.slots.put(place.blocks[i].first + at as u32, new);
                    changed.published.push((Table::Slots, place.blocks[i].first + at as u32));
                    place.slots[i][at] = new;
                    self.release(old);
                }
            }
            answers.into_iter().for_each(|answer| self.release(answer));
        }
        self.places.insert(compiled.name.clone(), place);
    }

    /// Puts the slots of all blocks where nothing leads to yet.
    fn put_blocks(
        &mut self,
        compiled: &Compiled,
        changed: &mut Changes,
    ) -> ([Block; ASKED], [Vec<AnswerIndex>; ASKED]) {
        let mut blocks = [Block::default(); ASKED];
        let mut slots = [const { vec![] }; ASKED];
        for (i, wanted) in compiled.blocks.iter().enumerate() {
            let answers: Vec<AnswerIndex> =
                wanted.answers.iter().map(|answer| self.use_answer(answer, changed)).collect();
            let count = wanted.slots.len() as u32;
            let first = self.slots.take(count);
            for (at, choice) in (first..).zip(&wanted.slots) {
                let answer = answers[usize::from(*choice)];
                self.hold(answer);
                self.slots.put(at, answer);
                changed.staged.push((Table::Slots, at));
                slots[i].push(answer);
            }
            let turn = if count > 1 { self.turns.take(1) } else { 0 };
            blocks[i] = Block { first, count, turn };
            answers.into_iter().for_each(|answer| self.release(answer));
        }
        (blocks, slots)
    }

    fn put_entry(&mut self, name: &DnsName, blocks: [Block; ASKED], changed: &mut Changes) -> u32 {
        if let Some(entry) = Entry::<SHORT>::new(name.wire(), blocks) {
            let index = self.entries.take(1);
            self.entries.put(index, entry);
            changed.staged.push((Table::Entries, index));
            return index;
        }
        let index = self.long_entries.take(1);
        if let Some(entry) = Entry::<LONG>::new(name.wire(), blocks) {
            self.long_entries.put(index, entry);
            changed.staged.push((Table::LongEntries, index));
        }
        index
    }

    /// Gives up all that a name had.
    fn give_up(&mut self, place: &Place, name: &DnsName) {
        match name.wire().len() <= 8 * SHORT {
            true => self.entries.retire(place.entry, 1),
            false => self.long_entries.retire(place.entry, 1),
        }
        for (block, slots) in place.blocks.iter().zip(&place.slots) {
            self.slots.retire(block.first, block.count);
            if block.count > 1 {
                self.turns.retire(block.turn, 1);
            }
            slots.iter().for_each(|answer| self.release(*answer));
        }
    }

    /// Where these records are, put there if need be, held once.
    fn use_answer(&mut self, records: &Records, changed: &mut Changes) -> AnswerIndex {
        if let Some((index, users)) = self.answers.get_mut(records) {
            *users += 1;
            return *index;
        }
        let counter = match &records.endpoint {
            None => NOBODY,
            Some(endpoint) => match self.endpoints.entry(endpoint.clone()) {
                MapEntry::Occupied(known) => *known.get(),
                MapEntry::Vacant(new) => *new.insert(self.counters.take(1)),
            },
        };
        let meta = Meta {
            answers: records.answers.to_be(),
            authorities: records.authorities.to_be(),
            counter,
            ..Meta::default()
        };
        let index = if let Some(answer) = Answer::<SMALL>::new(&records.octets, meta) {
            let index = self.small.take(1);
            self.small.put(index, answer);
            changed.staged.push((Table::Small, index));
            AnswerIndex::new(Class::Small, index)
        } else if let Some(answer) = Answer::<MEDIUM>::new(&records.octets, meta) {
            let index = self.medium.take(1);
            self.medium.put(index, answer);
            changed.staged.push((Table::Medium, index));
            AnswerIndex::new(Class::Medium, index)
        } else if let Some(answer) = Answer::<LARGE>::new(&records.octets, meta) {
            let index = self.large.take(1);
            self.large.put(index, answer);
            changed.staged.push((Table::Large, index));
            AnswerIndex::new(Class::Large, index)
        } else {
            // Records of under 8 or over 1,008 octets: the slot stays empty.
            AnswerIndex::default()
        };
        self.answers.insert(records.clone(), (index, 1));
        self.records.insert(index, records.clone());
        index
    }

    fn hold(&mut self, answer: AnswerIndex) {
        if let Some((_, users)) = self.records.get(&answer).and_then(|records| self.answers.get_mut(records))
        {
            *users += 1;
        }
    }

    fn release(&mut self, answer: AnswerIndex) {
        let Some(MapEntry::Occupied(mut known)) =
            self.records.get(&answer).map(|records| self.answers.entry(records.clone()))
        else {
            return;
        };
        known.get_mut().1 -= 1;
        if known.get().1 > 0 {
            return;
        }
        known.remove();
        self.records.remove(&answer);
        match answer.class() {
            Some(Class::Small) if answer.index() > 0 => self.small.retire(answer.index(), 1),
            Some(Class::Medium) => self.medium.retire(answer.index(), 1),
            Some(Class::Large) => self.large.retire(answer.index(), 1),
            _ => {}
        }
    }

    fn grow_counters(&mut self) {
        self.own_turns.resize_with(self.turns.len() as usize, AtomicU32::default);
        self.own_counts.resize_with(self.counters.len() as usize, AtomicU64::default);
    }
}

fn entry<const WORDS: usize>(blocks: [Block; ASKED]) -> Entry<WORDS> {
    Entry { name: [0; WORDS], name_len: 0, name_sum: 0, end: 0, whole: 0, flags: 0, spare: 0, blocks }
}

fn no_answer<const WORDS: usize>() -> Answer<WORDS> {
    Answer { meta: Meta::default(), records: [0; WORDS], last: 0 }
}

impl Lookup for Image {
    fn port(&self) -> u16 {
        self.port
    }
    fn seed(&self) -> u64 {
        self.seed
    }
    fn has_vlans(&self) -> bool {
        !self.vlans.is_empty()
    }
    fn vlan(&self, id: u16) -> bool {
        self.vlans.contains(&id)
    }
    fn served(&self, line: u32) -> Option<&Addresses> {
        self.served.get(line as usize)
    }
    fn own(&self, word: u32) -> Option<u64> {
        self.own.get(word as usize).copied()
    }
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.buckets.get(index as usize & (self.buckets.len() - 1))
    }
    fn turn(&self, index: u32, count: u32) -> Option<u32> {
        let turn = self.own_turns.get(index as usize)?;
        let next = |now: u32| Some(if now < count { now + 1 } else { 1 });
        let now = turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(if now < count { now } else { 0 })
    }
    fn give_back(&self, index: u32) {
        if let Some(turn) = self.own_turns.get(index as usize) {
            // It fails for nobody: there is always a value.
            _ = turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(1)));
        }
    }
    fn slot(&self, index: u32) -> Option<AnswerIndex> {
        self.slots.get(index).copied()
    }
    fn small(&self, index: u32) -> Option<&Answer<SMALL>> {
        self.small.get(index)
    }
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>> {
        self.medium.get(index)
    }
    fn large(&self, index: u32) -> Option<&Answer<LARGE>> {
        self.large.get(index)
    }
    fn count(&self, counter: u32) {
        if let Some(count) = self.own_counts.get(counter as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Names<SHORT> for Image {
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        self.entries.get(index)
    }
}

impl Names<LONG> for Image {
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        self.long_entries.get(index)
    }
}
