//! What is answered below a name that is there, for names that are not: that they do not exist, or what a wildcard has ([RFC 4592]).
//!
//! Each entry leads to another one for that. A wildcard `*.shop` is a name in the tables like any other, and `shop` leads to its entry; where there is no wildcard, it leads to one
//! without a name, whose every block is the zone's NXDOMAIN. The word that leads there is changed in place, as one aligned word.
//!
//! [RFC 4592]: https://www.rfc-editor.org/rfc/rfc4592

use std::collections::HashMap;

use tm_common::{
    dns::ASKED,
    name::{self, SHORT},
    tables::{Block, Entry},
};

use super::{Image, write::class_of};
use crate::{
    compile::Records,
    names::DnsName,
    sync::{Changes, Table},
};

/// What all of a kind lead to.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// What each name says of those below it.
    absent: HashMap<DnsName, Records>,
    /// The entries of what they say.
    known: HashMap<Records, Absence>,
    /// Short entries for wildcards whose own are long.
    twins: HashMap<DnsName, u32>,
}

/// An entry that says of every name that it does not exist.
#[derive(Debug)]
struct Absence {
    entry: u32,
    slot: u32,
    users: u32,
}

impl Image {
    /// Notes what a name says of those below it, and leads there; nothing where the name is gone.
    pub(super) fn set_below(&mut self, name: &DnsName, absent: Option<&Records>, changed: &mut Changes) {
        let before = match absent {
            Some(absent) => self.below.absent.insert(name.clone(), absent.clone()),
            None => self.below.absent.remove(name),
        };
        if before.as_ref() != absent {
            if let Some(absent) = absent {
                self.use_absence(absent, changed);
            }
            if let Some(before) = before {
                self.release_absence(&before);
            }
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

    /// Puts how a name ends into the set. Of a name too short to say, any may stand before it.
    fn note_ending(&mut self, name: &DnsName, changed: &mut Changes) {
        let last = name::last_eight(name.wire());
        for (index, word) in (0..).zip(&mut self.endings) {
            let bits = match last.map(name::ending) {
                Some((at, bit)) if at == index => bit,
                Some(_) => 0,
                None => u64::MAX,
            };
            if bits & !*word != 0 {
                *word |= bits;
                changed.staged.push((Table::Endings, index));
            }
        }
    }

    /// Makes a name's entry lead to what is to be answered below it.
    fn lead_below(&mut self, name: &DnsName, changed: &mut Changes) {
        let Some(entry) = self.places.get(name).map(|place| place.entry) else { return };
        let wildcard = name.with_asterisk().filter(|wildcard| self.places.contains_key(wildcard));
        let below = match wildcard {
            Some(wildcard) => self.entry_of_wildcard(&wildcard, changed),
            None => {
                let absent = self.below.absent.get(name).and_then(|absent| self.below.known.get(absent));
                absent.map_or(0, |absent| absent.entry)
            }
        };
        if below != 0 {
            self.note_ending(name, changed);
        }
        match class_of(name) {
            SHORT => {
                let item = self.entries.get(entry).copied().filter(|item| item.below != below);
                if let Some(item) = item {
                    self.entries.put(entry, Entry { below, ..item });
                    changed.published.push((Table::Entries, entry));
                }
            }
            _ => {
                let item = self.long_entries.get(entry).copied().filter(|item| item.below != below);
                if let Some(item) = item {
                    self.long_entries.put(entry, Entry { below, ..item });
                    changed.published.push((Table::LongEntries, entry));
                }
            }
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

    fn use_absence(&mut self, records: &Records, changed: &mut Changes) {
        if let Some(known) = self.below.known.get_mut(records) {
            known.users += 1;
            return;
        }
        let answer = self.use_answer(records, changed);
        let slot = self.slots.take(1);
        self.slots.put(slot, answer);
        changed.staged.push((Table::Slots, slot));
        let entry = self.entries.take(1);
        self.entries.put(entry, nameless([Block { first: slot, count: 1, turn: 0 }; ASKED]));
        changed.staged.push((Table::Entries, entry));
        self.below.known.insert(records.clone(), Absence { entry, slot, users: 1 });
    }

    fn release_absence(&mut self, records: &Records) {
        let Some(known) = self.below.known.get_mut(records) else { return };
        known.users -= 1;
        if known.users == 0
            && let Some(gone) = self.below.known.remove(records)
        {
            let answer = self.slots.get(gone.slot).copied().unwrap_or_default();
            self.entries.retire(gone.entry, 1);
            self.slots.retire(gone.slot, 1);
            self.release(answer);
        }
    }
}

/// An entry that is never found by its name.
fn nameless(blocks: [Block; ASKED]) -> Entry<SHORT> {
    super::entry(blocks)
}
