//! How a name gets into the tables, is changed there, and goes again.

use std::{collections::hash_map::Entry as MapEntry, sync::Arc};

use tm_common::{
    dns::ASKED,
    kind::NOT_HERE,
    name::{self, LONG, SHORT},
    tables::{
        Answer, AnswerIndex, Block, Class, Entry, LEAST_OCTETS, MEDIUM, MOST_OCTETS, Meta, Placed, SMALL,
        STICKY, bucket_index, tag,
    },
};

use super::Image;
use crate::{
    compile::{Choices, Compiled, Records},
    names::DnsName,
    places::View,
    sync::{
        Changes, Store, Table,
        place::{Blocks, ByType, Place, Rows},
    },
};

impl Image {
    pub(super) fn add(&mut self, compiled: &Compiled, changed: &mut Changes) {
        let rows = self.put_rows(compiled, None, changed);
        let entry = self.put_entry(&compiled.name, &rows, changed);
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
        let place = Place { bucket: at.map(|at| (line, at)), entry, rows };
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

    /// Rewrites slots where only they differ: the common case, a flip. Where only the view does, an entry with another one leads to the same rows. Else the name gets new rows as
    /// well, so that nobody is placed by one view and answered with what was chosen for the other's places; one word leads there.
    pub(super) fn change(&mut self, mut place: Place, compiled: &Compiled, changed: &mut Changes) {
        let other_view = place.rows.view != compiled.view;
        if !same_shape(&place.rows, compiled) || other_view && !self.same_answers(&place.rows, compiled) {
            let rows = self.put_rows(compiled, place.rows.view.as_ref(), changed);
            let entry = self.put_entry(&compiled.name, &rows, changed);
            self.lead_to(&place, &compiled.name, entry, changed);
            self.give_up(&place, &compiled.name);
            let place = Place { bucket: place.bucket, entry, rows };
            self.places.insert(compiled.name.clone(), place);
            return;
        }
        if other_view {
            self.change_view(&mut place, compiled, changed);
            self.places.insert(compiled.name.clone(), place);
            return;
        }
        let blocks = place.rows.places.iter_mut().flatten();
        for ((block, slots), wanted) in blocks.zip(compiled.places.iter().flatten()) {
            let answers: Vec<AnswerIndex> =
                wanted.answers.iter().map(|answer| self.use_answer(answer, changed)).collect();
            for ((at, slot), choice) in (block.first..).zip(slots).zip(&wanted.slots) {
                let (old, new) = (*slot, answers[usize::from(*choice)]);
                if old != new {
                    self.hold(new);
                    self.slots.put(at, new);
                    changed.published.push((Table::Slots, at));
                    *slot = new;
                    self.release(old);
                }
            }
            answers.into_iter().for_each(|answer| self.release(answer));
        }
        self.places.insert(compiled.name.clone(), place);
    }

    /// Gives a name whose places mean what they meant another view: by an entry that leads to the same rows.
    fn change_view(&mut self, place: &mut Place, compiled: &Compiled, changed: &mut Changes) {
        let old = std::mem::replace(&mut place.rows.view, compiled.view.clone());
        if let (Some(old), Some(new)) = (&old, &compiled.view) {
            self.use_view(new.partition(), Some(old.partition()), changed);
            let entry = self.put_entry(&compiled.name, &place.rows, changed);
            self.lead_to(place, &compiled.name, entry, changed);
            self.retire_entry(place.entry, &compiled.name);
            self.release_view(old.partition());
            place.entry = entry;
        }
    }

    /// Does every slot of blocks of this shape name what it is to name?
    fn same_answers(&self, now: &Rows, wanted: &Compiled) -> bool {
        let blocks = now.places.iter().flatten().zip(wanted.places.iter().flatten());
        blocks.into_iter().all(|((_, slots), wanted)| {
            let wanted = wanted.slots.iter().map(|choice| wanted.answers.get(usize::from(*choice)));
            slots.iter().map(|slot| self.records.get(slot)).eq(wanted)
        })
    }

    /// Makes the word that leads to a name's entry lead to another one.
    fn lead_to(&mut self, place: &Place, name: &DnsName, entry: u32, changed: &mut Changes) {
        match place.bucket {
            Some((line, at)) => {
                let word = &mut self.buckets[line as usize].0[at];
                *word = *word >> 32 << 32 | u64::from(entry);
                changed.published.push((Table::Buckets, line));
            }
            None => {
                self.homeless.insert((name::hash(name.wire(), self.seed), class_of(name)), entry);
            }
        }
    }

    /// Puts all that an entry leads to where nothing leads to yet. `before` is the view that the name had.
    fn put_rows(&mut self, compiled: &Compiled, before: Option<&Arc<View>>, changed: &mut Changes) -> Rows {
        let places: Vec<Blocks> = compiled
            .places
            .iter()
            .map(|wanted| wanted.iter().map(|wanted| self.put_block(wanted, changed)).collect())
            .collect();
        let of_one = places.first().map_or(&[][..], Vec::as_slice);
        let mut heads: Vec<Block> = of_one.iter().map(|(block, _)| *block).collect();
        if let Some(view) = &compiled.view {
            self.use_view(view.partition(), before.map(|before| before.partition()), changed);
            for (kind, head) in heads.iter_mut().enumerate() {
                let blocks = places.iter().map(|blocks| Placed { block: blocks[kind].0, kind: 0 });
                *head = Block { first: self.put_run(blocks, changed), ..Block::default() };
            }
        }
        let mut entry = [Block::default(); ASKED];
        entry.iter_mut().zip(&heads).for_each(|(block, head)| *block = *head);
        let [.., others] = &mut entry;
        let by_type = (!compiled.types.is_empty()).then(|| self.put_types(compiled, &heads, others, changed));
        Rows { view: compiled.view.clone(), entry, heads, by_type, places }
    }

    /// Puts what leads to the blocks of types, and makes the entry's block for other types lead there.
    fn put_types(
        &mut self,
        compiled: &Compiled,
        heads: &[Block],
        others: &mut Block,
        changed: &mut Changes,
    ) -> ByType {
        let types = compiled.types.iter().zip(&heads[ASKED..]);
        let types = types.map(|(kind, head)| Placed { block: *head, kind: u32::from(*kind) });
        let all_others = Placed { block: *others, kind: 0 };
        let first = self.put_run(types.chain([all_others]), changed);
        let slot = self.slots.take(1);
        self.slots.put(slot, NOT_HERE);
        changed.staged.push((Table::Slots, slot));
        let nowhere = Block { first: slot, count: 1, turn: 0 };
        let row = compiled.view.as_ref().map(|_| {
            let nowhere = Placed { block: nowhere, kind: 0 };
            self.put_run(compiled.places.iter().map(|_| nowhere), changed)
        });
        *others = match row {
            Some(row) => Block { first: row, count: 0, turn: first },
            None => Block { turn: first, ..nowhere },
        };
        ByType { types: compiled.types.clone(), first, slot, row }
    }

    /// Puts blocks in a row; gives the first.
    fn put_run(&mut self, blocks: impl Iterator<Item = Placed>, changed: &mut Changes) -> u32 {
        let blocks: Vec<Placed> = blocks.collect();
        let first = self.blocks.take(blocks.len() as u32);
        for (at, block) in (first..).zip(blocks) {
            self.blocks.put(at, block);
            changed.staged.push((Table::Blocks, at));
        }
        first
    }

    fn put_block(&mut self, wanted: &Choices, changed: &mut Changes) -> (Block, Vec<AnswerIndex>) {
        let answers: Vec<AnswerIndex> =
            wanted.answers.iter().map(|answer| self.use_answer(answer, changed)).collect();
        let count = wanted.slots.len() as u32;
        let first = self.slots.take(count);
        let mut slots = Vec::with_capacity(wanted.slots.len());
        for (at, choice) in (first..).zip(&wanted.slots) {
            let answer = answers[usize::from(*choice)];
            self.hold(answer);
            self.slots.put(at, answer);
            changed.staged.push((Table::Slots, at));
            slots.push(answer);
        }
        let turn = match wanted.sticky {
            true => STICKY,
            false if count > 1 => self.turns.take(1),
            false => 0,
        };
        answers.into_iter().for_each(|answer| self.release(answer));
        (Block { first, count, turn }, slots)
    }

    fn put_entry(&mut self, name: &DnsName, rows: &Rows, changed: &mut Changes) -> u32 {
        let view = rows.view.as_ref().and_then(|view| self.root(view.partition()));
        if let Some(entry) = Entry::<SHORT>::new(name.wire(), rows.entry) {
            let index = self.entries.take(1);
            self.entries.put(index, view.map_or(entry, |view| entry.with_view(view)));
            changed.staged.push((Table::Entries, index));
            return index;
        }
        let index = self.long_entries.take(1);
        if let Some(entry) = Entry::<LONG>::new(name.wire(), rows.entry) {
            self.long_entries.put(index, view.map_or(entry, |view| entry.with_view(view)));
            changed.staged.push((Table::LongEntries, index));
        }
        index
    }

    /// Gives up all that a name had.
    fn give_up(&mut self, place: &Place, name: &DnsName) {
        self.retire_entry(place.entry, name);
        if let Some(view) = &place.rows.view {
            for row in &place.rows.heads {
                self.blocks.retire(row.first, place.rows.places.len() as u32);
            }
            self.release_view(view.partition());
        }
        if let Some(by_type) = &place.rows.by_type {
            self.blocks.retire(by_type.first, by_type.types.len() as u32 + 1);
            self.slots.retire(by_type.slot, 1);
            if let Some(row) = by_type.row {
                self.blocks.retire(row, place.rows.places.len() as u32);
            }
        }
        for (block, slots) in place.rows.places.iter().flatten() {
            self.slots.retire(block.first, block.count);
            if block.count > 1 && block.turn != STICKY {
                self.turns.retire(block.turn, 1);
            }
            slots.iter().for_each(|answer| self.release(*answer));
        }
    }

    fn retire_entry(&mut self, entry: u32, name: &DnsName) {
        self.below.forget(class_of(name), entry);
        match class_of(name) {
            SHORT => self.entries.retire(entry, 1),
            _ => self.long_entries.retire(entry, 1),
        }
    }

    /// Where these records are, put there if need be, held once.
    pub(super) fn use_answer(&mut self, records: &Records, changed: &mut Changes) -> AnswerIndex {
        if let Some((index, users)) = self.answers.get_mut(records) {
            *users += 1;
            return *index;
        }
        // A chain's first CNAME is the next answer of the same class.
        let all: Vec<(&Records, Meta)> = std::iter::once(records)
            .chain(records.first.as_deref())
            .map(|records| (records, meta(records, self.counted.of(records))))
            .collect();
        // Records that no class has, of under 16 or over 1,008 octets: the slot stays empty.
        let index = match all.iter().map(|(records, _)| class(records)).collect::<Option<Vec<_>>>() {
            None => AnswerIndex::default(),
            Some(classes) => {
                let class = classes.into_iter().max().unwrap_or(Class::Large);
                let (table, first) = match class {
                    Class::Small => (Table::Small, put_answers(&mut self.small, &all)),
                    Class::Medium => (Table::Medium, put_answers(&mut self.medium, &all)),
                    Class::Large => (Table::Large, put_answers(&mut self.large, &all)),
                };
                changed.staged.extend((first..).zip(&all).map(|(index, _)| (table, index)));
                let index = AnswerIndex::new(class, first);
                if records.first.is_some() { index.of_chain() } else { index }
            }
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

    pub(super) fn release(&mut self, answer: AnswerIndex) {
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
        let count = 1 + u32::from(answer.is_of_chain());
        match answer.class() {
            Some(Class::Small) if answer.index() > 0 => self.small.retire(answer.index(), count),
            Some(Class::Medium) => self.medium.retire(answer.index(), count),
            Some(Class::Large) => self.large.retire(answer.index(), count),
            _ => {}
        }
    }
}

/// The smallest class that has room for these records; of what there is more to say the large one, whose programs say it.
fn class(records: &Records) -> Option<Class> {
    const fn most(words: usize) -> usize {
        8 * words + LEAST_OCTETS
    }
    match records.octets.len() {
        ..LEAST_OCTETS => None,
        length if length > MOST_OCTETS => None,
        _ if records.is_stale => Some(Class::Large),
        length if length <= most(SMALL) => Some(Class::Small),
        length if length <= most(MEDIUM) => Some(Class::Medium),
        _ => Some(Class::Large),
    }
}

fn meta(records: &Records, counter: u32) -> Meta {
    Meta {
        answers: records.answers.to_be(),
        authorities: records.authorities.to_be(),
        flags: records.code.to_be(),
        counter,
        one_in: records.one_in,
        tail: if records.is_stale { Meta::STALE } else { 0 },
        ..Meta::default()
    }
}

/// Puts answers that have room there side by side; gives where the first is.
fn put_answers<const WORDS: usize>(store: &mut Store<Answer<WORDS>>, answers: &[(&Records, Meta)]) -> u32 {
    let first = store.take(answers.len() as u32);
    for (index, (records, meta)) in (first..).zip(answers) {
        if let Some(answer) = Answer::new(&records.octets, *meta) {
            store.put(index, answer);
        }
    }
    first
}

/// Do the places mean the same, with as many slots in each block?
fn same_shape(now: &Rows, wanted: &Compiled) -> bool {
    let now_blocks = now.places.iter().flatten().map(|(block, slots)| (slots.len(), block.turn == STICKY));
    let wanted_blocks = wanted.places.iter().flatten().map(|choices| (choices.slots.len(), choices.sticky));
    let same_places = match (&now.view, &wanted.view) {
        (Some(now), Some(wanted)) => now.means_as(wanted),
        (now, wanted) => now.is_none() && wanted.is_none(),
    };
    let now_types = now.by_type.as_ref().map_or(&[][..], |by_type| &by_type.types);
    same_places && now_types == wanted.types && now_blocks.eq(wanted_blocks)
}

/// The size class of a name's entry, by its words.
pub(super) fn class_of(name: &DnsName) -> usize {
    if name.wire().len() <= 8 * SHORT { SHORT } else { LONG }
}
