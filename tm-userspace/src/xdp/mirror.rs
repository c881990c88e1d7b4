//! The kernel's tables, kept a copy of the daemon's.

use std::sync::atomic::{Ordering, fence};

use aya::Ebpf;
use tm_common::{
    name::{LONG, SHORT},
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

    /// Compares everything, and rewrites what differs. Says how many elements did.
    pub fn repair(&self, image: &Image) -> usize {
        let tables = &self.tables;
        let mut vlans = [0u64; 64];
        for id in image.vlan_ids() {
            if let Some(word) = vlans.get_mut(usize::from(*id) / 64) {
                *word |= 1 << (id % 64);
            }
        }
        let mut differed = 0;
        differed += vlans.iter().zip(0..).filter(|(word, i)| tables.vlans.store(*i, *word)).count();
        differed += self.set_addresses(image);
        differed += repair_all(&tables.small, image.small_answers());
        differed += repair_all(&tables.medium, image.medium_answers());
        differed += repair_all(&tables.large, image.large_answers());
        differed += (0..image.slots().len()).filter(|i| self.copy_cell(image, (Table::Slots, *i))).count();
        differed += repair_all(&tables.nodes, image.nodes());
        differed += repair_all(&tables.blocks, image.blocks());
        differed += repair_all(&tables.entries, image.entries());
        differed += repair_all(&tables.long_entries, image.long_entries());
        fence(Ordering::Release);
        differed +=
            image.buckets().iter().zip(0..).filter(|(bucket, i)| tables.buckets.store(*i, *bucket)).count();
        differed
    }

    /// Copies the addresses; says how many elements differed.
    pub fn set_addresses(&self, image: &Image) -> usize {
        let (own, served) = (&self.tables.own, &self.tables.served);
        let differed = image.own_words().iter().zip(0..).filter(|(word, i)| own.store(*i, *word)).count();
        differed + image.served_lines().iter().zip(0..).filter(|(line, i)| served.store(*i, *line)).count()
    }

    /// Elements past the end of a table are left out: nothing the programs find there leads to an answer, and the sockets have it.
    fn copy_cell(&self, image: &Image, (table, index): Cell) -> bool {
        let tables = &self.tables;
        match table {
            Table::Buckets => {
                image.buckets().get(index as usize).is_some_and(|b| tables.buckets.store(index, b))
            }
            Table::Entries => copy_from(&tables.entries, image.entries(), index),
            Table::LongEntries => copy_from(&tables.long_entries, image.long_entries(), index),
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

fn repair_all<T: Whole + Clone>(region: &Region, store: &Store<T>) -> usize {
    (0..store.len()).filter(|index| copy_from(region, store, *index)).count()
}
