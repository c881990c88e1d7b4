//! What is answered below a name that is there, for names that are not: that they do not exist, or what a wildcard has ([RFC 4592]).
//!
//! Each entry leads to another one for that. A wildcard `*.shop` is a name in the tables like any other, and `shop` leads to its entry; where there is no wildcard, it leads to one
//! that is in no bucket, whose every block is the zone's NXDOMAIN. That bears the zone's name, since how a name ends may lead there too (`endings`). The word that leads there is changed in place, as one aligned word; where a zone says it otherwise, with another
//! serial, so is the one word that all its names share.
//!
//! A name whose bucket was full is not found by a mirror. So there the names above it say nothing of what is below them, and the sockets are asked, which find it here.
//!
//! [RFC 4592]: https://www.rfc-editor.org/rfc/rfc4592

use std::collections::{HashMap, HashSet};

use tm_common::{
    dns::ASKED,
    name::{LONG, SHORT},
    tables::{Block, Entry},
};

use super::{Image, Store, endings::Said, write::class_of};
use crate::{
    compile::{Absence, Records},
    names::DnsName,
    sync::{Changes, Table},
};

/// What all of a kind lead to.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// The zone that each name is in, for those below it.
    zones: HashMap<DnsName, DnsName>,
    /// How zones say that a name is not there.
    known: HashMap<DnsName, Known>,
    /// Short entries for wildcards whose own are long.
    twins: HashMap<DnsName, u32>,
    /// How many names below one have no bucket.
    homeless: HashMap<DnsName, usize>,
    /// The entries of those that have such names below them, by size class and index.
    silent: HashSet<(usize, u32)>,
}

impl Below {
    /// Is this entry one that says nothing in a mirror?
    pub(super) fn is_silent(&self, class: usize, entry: u32) -> bool {
        self.silent.contains(&(class, entry))
    }

    /// Notes whether it is. Says whether that is new.
    fn set_silent(&mut self, class: usize, entry: u32, is_silent: bool) -> bool {
        match is_silent {
            true => self.silent.insert((class, entry)),
            false => self.silent.remove(&(class, entry)),
        }
    }

    /// An entry as a mirror is to have it.
    fn mirrored<const WORDS: usize>(
        &self,
        entries: &Store<Entry<WORDS>>,
        index: u32,
    ) -> Option<Entry<WORDS>> {
        let entry = *entries.get(index)?;
        let below = if self.is_silent(WORDS, index) { 0 } else { entry.below };
        Some(Entry { below, ..entry })
    }

    /// Forgets an entry that is given up.
    pub(super) fn forget(&mut self, class: usize, entry: u32) {
        self.silent.remove(&(class, entry));
    }
}

/// An entry that says of every name that it does not exist.
#[derive(Debug)]
struct Known {
    entry: u32,
    slot: u32,
    records: Records,
    users: usize,
}

impl Image {
    /// Notes what a name says of those below it, and leads there; nothing where the name is gone.
    pub(super) fn set_below(&mut self, name: &DnsName, absent: Option<&Absence>, changed: &mut Changes) {
        let before = match absent {
            Some(absent) => self.below.zones.insert(name.clone(), absent.zone.clone()),
            None => self.below.zones.remove(name),
        };
        if let Some(absent) = absent {
            self.use_absence(absent, changed);
        }
        if let Some(before) = before {
            self.release_absence(&before);
        }
        if let Some(above) = name.without_asterisk() {
            if !self.places.contains_key(name)
                && let Some(twin) = self.below.twins.remove(name)
            {
                self.entries.retire(twin, 1);
            }
            self.lead_below(&above, changed);
        }
        self.lead_below(name, changed);
    }

    /// Notes that a name has no bucket any more, or has one or is gone again: those above it know less of what is below them, or more.
    pub(super) fn set_homeless(&mut self, name: &DnsName, is_homeless: bool, changed: &mut Changes) {
        for above in name.suffixes().skip(1).map(DnsName::from_wire) {
            let below = self.below.homeless.entry(above.clone()).or_default();
            *below = if is_homeless { *below + 1 } else { below.saturating_sub(1) };
            if *below == 0 {
                self.below.homeless.remove(&above);
            }
            self.lead_below(&above, changed);
        }
    }

    /// An entry as a mirror is to have it.
    pub fn mirrored_entry(&self, index: u32) -> Option<Entry<SHORT>> {
        self.below.mirrored(&self.entries, index)
    }

    /// Likewise one of a long name.
    pub fn mirrored_long_entry(&self, index: u32) -> Option<Entry<LONG>> {
        self.below.mirrored(&self.long_entries, index)
    }

    /// Makes a name's entry lead to what is to be answered below it.
    fn lead_below(&mut self, name: &DnsName, changed: &mut Changes) {
        let Some(entry) = self.places.get(name).map(|place| place.entry) else {
            return self.set_said(name, None, changed);
        };
        let wildcard = name.with_asterisk().filter(|wildcard| self.places.contains_key(wildcard));
        let known = self.below.zones.get(name).and_then(|zone| Some((zone, self.below.known.get(zone)?)));
        let (below, said) = match (wildcard, known) {
            (Some(wildcard), _) => (self.entry_of_wildcard(&wildcard, changed), Said::Other),
            (None, Some((zone, known))) => (known.entry, Said::Absence(zone.clone())),
            (None, None) => (0, Said::Other),
        };
        let is_silent = self.below.homeless.contains_key(name);
        self.set_said(name, Some(if is_silent { Said::Other } else { said }), changed);
        let is_new = self.below.set_silent(class_of(name), entry, is_silent);
        let (table, leads) = match class_of(name) {
            SHORT => (Table::Entries, lead(&mut self.entries, entry, below)),
            _ => (Table::LongEntries, lead(&mut self.long_entries, entry, below)),
        };
        if leads || is_new {
            changed.published.push((table, entry));
        }
    }

    /// The short entry of a wildcard that is there.
    fn entry_of_wildcard(&mut self, wildcard: &DnsName, changed: &mut Changes) -> u32 {
        let Some(place) = self.places.get(wildcard) else { return 0 };
        if class_of(wildcard) == SHORT {
            return place.entry;
        }
        let view = place.rows.view.as_ref().and_then(|view| self.root(view.partition()));
        let twin = nameless(place.rows.entry);
        let twin = view.map_or(twin, |view| twin.with_view(view));
        let known = self.below.twins.get(wildcard).copied();
        if let Some(known) = known.filter(|known| self.entries.get(*known) == Some(&twin)) {
            return known;
        }
        let index = self.entries.take(1);
        self.entries.put(index, twin);
        changed.staged.push((Table::Entries, index));
        if let Some(old) = self.below.twins.insert(wildcard.clone(), index) {
            self.entries.retire(old, 1);
        }
        index
    }

    /// The entry that says of all names of this zone that are not there that they are not, if it can be compared with its name.
    pub(super) fn absence_of(&self, zone: &DnsName) -> Option<u32> {
        self.below.known.get(zone).filter(|_| class_of(zone) == SHORT).map(|known| known.entry)
    }

    fn use_absence(&mut self, Absence { zone, records }: &Absence, changed: &mut Changes) {
        if let Some(known) = self.below.known.get_mut(zone) {
            known.users += 1;
            if known.records == *records {
                return;
            }
            known.records = records.clone();
            let slot = known.slot;
            let answer = self.use_answer(records, changed);
            let before = self.slots.get(slot).copied().unwrap_or_default();
            self.slots.put(slot, answer);
            changed.published.push((Table::Slots, slot));
            self.release(before);
            return;
        }
        let answer = self.use_answer(records, changed);
        let slot = self.slots.take(1);
        self.slots.put(slot, answer);
        changed.staged.push((Table::Slots, slot));
        let entry = self.entries.take(1);
        let blocks = [Block { first: slot, count: 1, turn: 0 }; ASKED];
        self.entries.put(entry, Entry::new(zone.wire(), blocks).unwrap_or_else(|| nameless(blocks)));
        changed.staged.push((Table::Entries, entry));
        let known = Known { entry, slot, records: records.clone(), users: 1 };
        self.below.known.insert(zone.clone(), known);
    }

    fn release_absence(&mut self, zone: &DnsName) {
        let Some(known) = self.below.known.get_mut(zone) else { return };
        known.users -= 1;
        if known.users == 0
            && let Some(gone) = self.below.known.remove(zone)
        {
            let answer = self.slots.get(gone.slot).copied().unwrap_or_default();
            self.entries.retire(gone.entry, 1);
            self.slots.retire(gone.slot, 1);
            self.release(answer);
        }
    }
}

/// Makes an entry lead there. Says whether it did not.
fn lead<const WORDS: usize>(entries: &mut Store<Entry<WORDS>>, index: u32, below: u32) -> bool {
    let Some(entry) = entries.get(index).copied().filter(|entry| entry.below != below) else { return false };
    entries.put(index, Entry { below, ..entry });
    true
}

/// An entry without a name.
fn nameless(blocks: [Block; ASKED]) -> Entry<SHORT> {
    super::entry(blocks)
}
