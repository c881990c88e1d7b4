//! From finished answers to the tables: compares what is wanted with what is there, and applies the difference.
//!
//! [`Image`] is the daemon's own copy of all tables, and what its sockets answer from. [`Image::apply`] changes it for a few names and says which
//! elements changed, in two steps: what nothing leads to yet, then the words that lead there. A mirror (the kernel's maps, `xdp::Kernel`) copies the elements in that
//! order. So at every moment both hold, for each name, the old answer or the new one.
//!
//! Who asks matters to some names. Their entry leads to a view and to rows of blocks, both of which it keeps for as long as it lives: a name whose clients are to be told apart in
//! another way gets another entry, so that no client is ever placed by one view and answered by another's rows. Names with equal views share one.
//!
//! What is given up (an entry, an answer, a run of slots) is not used again until a wait for every packet on its way, which begins with
//! [`Image::begin_wait`] and after which comes [`Image::reclaim`].

mod image;
mod nodes;
mod place;
mod sizes;
mod store;

pub use image::{Change, Counters, Image, Reader};
pub use sizes::{Sizes, buckets_for};
pub use store::Store;

/// Which table an element is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// `tables::Bucket`.
    Buckets,
    /// `tables::Above`.
    Endings,
    /// `tables::Entry<SHORT>`.
    Entries,
    /// `tables::Entry<LONG>`.
    LongEntries,
    /// `place::Line`.
    Nodes,
    /// `tables::Placed`.
    Blocks,
    /// `tables::AnswerIndex`.
    Slots,
    /// `tables::Answer<SMALL>`.
    Small,
    /// `tables::Answer<MEDIUM>`.
    Medium,
    /// `tables::Answer<LARGE>`.
    Large,
}

/// An element of a table.
pub type Cell = (Table, u32);

/// Elements that changed, in the order in which a mirror has to copy them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Nothing leads to them yet.
    pub staged: Vec<Cell>,
    /// The words that lead to the others, each to be stored whole.
    pub published: Vec<Cell>,
}

impl Changes {
    /// Nothing to do?
    pub fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.published.is_empty()
    }
}

#[cfg(test)]
mod tests;
