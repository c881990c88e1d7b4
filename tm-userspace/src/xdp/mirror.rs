//! The kernel's tables, kept a copy of the daemon's.

use std::sync::atomic::{Ordering, fence};

use aya::Ebpf;
use nix::time::{ClockId, clock_gettime};
use tm_common::{
    cookie::Cookies,
    limit::Allowed,
    name::{ENDINGS, LONG, SHORT},
    place::Line,
    tables::{
        ADDRESS_LINES, Addresses, Answer, AnswerIndex, Bucket, Entry, LARGE, MEDIUM, OWN_BITS, Placed, SMALL,
    },
};

use super::{
    Kernel,
    region::{Region, Whole},
};
use crate::sync::{Cell, Changes, Image, Sizes, Store, Table};

/// The tables that userspace writes.
#[derive(Debug)]
pub(super) struct Mapped {
    vlans: Region,
    served: Region,
    own: Region,
    endings: Region,
    cookies: Region,
    allowed: Region,
    buckets: Region,
    entries: Region,
    long_entries: Region,
    nodes: Region,
    blocks: Region,
    slots: Region,
    small: Region,
    medium: Region,
    large: Region,
}

impl Mapped {
    /// Those of a loaded object.
    pub(super) fn of(bpf: &Ebpf, sizes: Sizes) -> anyhow::Result<Self> {
        Ok(Mapped {
            vlans: Region::map(bpf, "VLANS", 64, 8)?,
            served: Region::map(bpf, "SERVED", ADDRESS_LINES, size_of::<Addresses>())?,
            own: Region::map(bpf, "OWN", OWN_BITS / 64, 8)?,
            endings: Region::map(bpf, "ENDINGS", ENDINGS, 8)?,
            cookies: Region::map(bpf, "COOKIES", 1, size_of::<Cookies>())?,
            allowed: Region::map(bpf, "ALLOWED", 1, size_of::<Allowed>())?,
            buckets: Region::map(bpf, "BUCKETS", sizes.buckets, size_of::<Bucket>())?,
            entries: Region::map(bpf, "ENTRIES", sizes.entries, size_of::<Entry<SHORT>>())?,
            long_entries: Region::map(bpf, "LONG_ENTRIES", sizes.long_entries, size_of::<Entry<LONG>>())?,
            nodes: Region::map(bpf, "NODES", sizes.nodes, size_of::<Line>())?,
            blocks: Region::map(bpf, "BLOCKS", sizes.blocks, size_of::<Placed>())?,
            slots: Region::map(bpf, "SLOTS", sizes.slots, 8)?,
            small: Region::map(bpf, "SMALL_ANSWERS", sizes.small, size_of::<Answer<SMALL>>())?,
            medium: Region::map(bpf, "MEDIUM_ANSWERS", sizes.medium, size_of::<Answer<MEDIUM>>())?,
            large: Region::map(bpf, "LARGE_ANSWERS", sizes.large, size_of::<Answer<LARGE>>())?,
        })
    }
}

/// How far a comparison of everything has come. What changes meanwhile is copied in any case.
#[derive(Debug, Default)]
pub struct Repair {
    /// An index into [`ORDER`].
    table: usize,
    /// The element to go on with.
    index: u32,
    /// Elements that differed so far.
    pub differed: usize,
}

/// The tables such that each comes behind those that it leads to.
const ORDER: [Table; 10] = [
    Table::Small,
    Table::Medium,
    Table::Large,
    Table::Slots,
    Table::Nodes,
    Table::Blocks,
    Table::Entries,
    Table::LongEntries,
    Table::Buckets,
    Table::Endings,
];

/// Elements compared in one go: a fifth of a millisecond where they are large.
const SLICE: u32 = 2048;

impl Kernel {
    /// Copies what changed: first what nothing leads to, then, each as one word, what leads there.
    pub fn copy(&self, image: &Image, changes: &Changes) {
        for cell in &changes.staged {
            self.copy_cell(image, *cell);
        }
        fence(Ordering::Release);
        for cell in &changes.published {
            self.copy_cell(image, *cell);
        }
    }

    /// Goes on with a comparison of everything for some elements, and rewrites those that differ. Says whether there are more.
    pub fn repair(&self, image: &Image, repair: &mut Repair) -> bool {
        if (repair.table, repair.index) == (0, 0) {
            repair.differed += self.set_vlans(image) + self.set_addresses(image);
            self.set_cookies(image);
            self.set_allowed(image);
        }
        let Some(table) = ORDER.get(repair.table) else { return false };
        let elements = length(image, *table);
        let end = repair.index.saturating_add(SLICE).min(elements);
        fence(Ordering::Release);
        repair.differed +=
            (repair.index..end).filter(|index| self.copy_cell(image, (*table, *index))).count();
        repair.index = end;
        if end == elements {
            (repair.table, repair.index) = (repair.table + 1, 0);
        }
        repair.table < ORDER.len()
    }

    /// Copies the VLANs; says how many words differed.
    fn set_vlans(&self, image: &Image) -> usize {
        let mut vlans = [0u64; 64];
        for id in &image.frozen().vlans {
            if let Some(word) = vlans.get_mut(usize::from(*id) / 64) {
                *word |= 1 << (id % 64);
            }
        }
        vlans.iter().zip(0..).filter(|(word, i)| self.tables.vlans.store(*i, *word)).count()
    }

    /// Copies the addresses; says how many elements differed.
    pub fn set_addresses(&self, image: &Image) -> usize {
        let (own, served) = (&self.tables.own, &self.tables.served);
        let differed = image.own_words().iter().zip(0..).filter(|(word, i)| own.store(*i, *word)).count();
        differed + image.served_lines().iter().zip(0..).filter(|(line, i)| served.store(*i, *line)).count()
    }

    /// Copies what cookies are made with, and tells the programs what their clock is ahead: since leap seconds do not come by surprise, and whoever sets the clock
    /// tells the kernel of them at most once, to look now and then is enough. Less than a minute makes no cookie wrong in any case.
    pub fn set_cookies(&self, image: &Image) {
        let seconds =
            |clock| clock_gettime(clock).map(|time| time.tv_sec() * 1000 + time.tv_nsec() / 1_000_000);
        let ahead = seconds(ClockId::CLOCK_TAI).and_then(|tai| Ok(tai - seconds(ClockId::CLOCK_REALTIME)?));
        let ahead = ((ahead.unwrap_or(0) + 500) / 1000) as u32;
        self.tables.cookies.store(0, &Cookies { ahead, ..*image.cookie_secrets() });
    }

    /// Copies who is never over the limit.
    pub fn set_allowed(&self, image: &Image) {
        self.tables.allowed.store(0, image.allowed());
    }

    /// Elements past the end of a table are left out: nothing the programs find there leads to an answer, and the sockets have it.
    fn copy_cell(&self, image: &Image, (table, index): Cell) -> bool {
        let tables = &self.tables;
        match table {
            Table::Buckets => {
                image.buckets().get(index as usize).is_some_and(|b| tables.buckets.store(index, b))
            }
            Table::Endings => {
                image.above(index).is_some_and(|above| tables.endings.store(index, &u64::from(above.0)))
            }
            Table::Entries => {
                image.mirrored_entry(index).is_some_and(|entry| tables.entries.store(index, &entry))
            }
            Table::LongEntries => {
                image.mirrored_long_entry(index).is_some_and(|entry| tables.long_entries.store(index, &entry))
            }
            Table::Nodes => copy_from(&tables.nodes, image.nodes(), index),
            Table::Blocks => copy_from(&tables.blocks, image.blocks(), index),
            Table::Slots => image
                .slots()
                .get(index)
                .is_some_and(|slot: &AnswerIndex| tables.slots.store(index, &u64::from(slot.0))),
            Table::Small => copy_from(&tables.small, image.small_answers(), index),
            Table::Medium => copy_from(&tables.medium, image.medium_answers(), index),
            Table::Large => copy_from(&tables.large, image.large_answers(), index),
        }
    }
}

fn copy_from<T: Whole + Clone>(region: &Region, store: &Store<T>, index: u32) -> bool {
    store.get(index).is_some_and(|item| region.store(index, item))
}

/// How many elements a table has.
fn length(image: &Image, table: Table) -> u32 {
    match table {
        Table::Buckets => image.buckets().len() as u32,
        Table::Endings => ENDINGS,
        Table::Entries => image.entries().len(),
        Table::LongEntries => image.long_entries().len(),
        Table::Slots => image.slots().len(),
        Table::Nodes => image.nodes().len(),
        Table::Blocks => image.blocks().len(),
        Table::Small => image.small_answers().len(),
        Table::Medium => image.medium_answers().len(),
        Table::Large => image.large_answers().len(),
    }
}
