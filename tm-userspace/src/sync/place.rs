//! Where a name was put: what has to be known to change it, and to take it away again.

use std::sync::Arc;

use tm_common::{
    dns::ASKED,
    tables::{AnswerIndex, Block},
};

use crate::places::View;

/// The elements of one name.
#[derive(Debug)]
pub(super) struct Place {
    /// Its bucket, and where in it; none where the bucket was full.
    pub(super) bucket: Option<(u32, usize)>,
    /// Its entry.
    pub(super) entry: u32,
    /// What the entry leads to.
    pub(super) rows: Rows,
}

/// What a name answers, as it lies in the tables.
#[derive(Debug)]
pub(super) struct Rows {
    /// The view that tells its clients apart, if any.
    pub(super) view: Option<Arc<View>>,
    /// As in the entry.
    pub(super) entry: [Block; ASKED],
    /// As in the entry if there were no types, and likewise for each type: the blocks themselves, or with a view the first of each row of blocks.
    pub(super) heads: Vec<Block>,
    /// What leads to the blocks of types, if there are any.
    pub(super) by_type: Option<ByType>,
    /// For each place, its blocks, and for each of them what its slots name.
    pub(super) places: Vec<Blocks>,
}

/// What a name answers at one place: by kind of question, then by type, the block and what its slots name.
pub(super) type Blocks = Vec<(Block, Vec<AnswerIndex>)>;

/// What leads to the blocks of types ([`tm_common::kind`]).
#[derive(Debug)]
pub(super) struct ByType {
    /// The types, in their order in the row.
    pub(super) types: Vec<u16>,
    /// The first of the row by type.
    pub(super) first: u32,
    /// The slot that says that the answer is not there.
    pub(super) slot: u32,
    /// With a view the first of a row of blocks that name it.
    pub(super) row: Option<u32>,
}
