//! How a name gets into the tables, is changed there, and goes again.

use std::collections::hash_map::Entry as MapEntry;

use tm_common::{
    dns::ASKED,
    name::{self, LONG, SHORT},
    tables::{Answer, AnswerIndex, Block, Class, Entry, LARGE, MEDIUM, Meta, SMALL, bucket_index, tag},
};

use super::{Image, NOBODY};
use crate::{
    compile::{Compiled, Records},
    names::DnsName,
    sync::{Changes, Table, place::Place},
};

impl Image {
    pub(super) fn add(&mut self, compiled: &Compiled, changed: &mut Changes) {
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
            None => {
                self.homeless.insert((hash, class_of(&compiled.name)), entry);
            }
        }
        let place = Place { bucket: at.map(|at| (line, at)), entry, blocks, slots };
        self.places.insert(compiled.name.clone(), place);
    }

    pub(super) fn remove(&mut self, place: Place, name: &DnsName, changed: &mut Changes) {
        match place.bucket {
            Some((line, at)) => {
                self.buckets[line as usize].0[at] = 0;
                changed.published.push((Table::Buckets, line));
            }
            None => {
                self.homeless.remove(&(name::hash(name.wire(), self.seed), class_of(name)));
            }
        }
        self.give_up(&place, name);
    }

    /// Rewrites slots where only they differ: the common case, a flip. Else the name gets a new entry, and one word leads there.
    pub(super) fn change(&mut self, mut place: Place, compiled: &Compiled, changed: &mut Changes) {
        let same_shape =
            place.slots.iter().zip(&compiled.blocks).all(|(now, wanted)| now.len() == wanted.slots.len());
        if !same_shape {
            let (blocks, slots) = self.put_blocks(compiled, changed);
            let entry = self.put_entry(&compiled.name, blocks, changed);
            match place.bucket {
                Some((line, at)) => {
                    let word = &mut self.buckets[line as usize].0[at];
                    *word = *word >> 32 << 32 | u64::from(entry);
                    changed.published.push((Table::Buckets, line));
                }
                None => {
                    let hash = name::hash(compiled.name.wire(), self.seed);
                    self.homeless.insert((hash, class_of(&compiled.name)), entry);
                }
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
        match class_of(name) {
            SHORT => self.entries.retire(place.entry, 1),
            _ => self.long_entries.retire(place.entry, 1),
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
}

/// The size class of a name's entry, by its words.
fn class_of(name: &DnsName) -> usize {
    if name.wire().len() <= 8 * SHORT { SHORT } else { LONG }
}
