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
    /// As in the entry: the blocks themselves, or with a view the first of each row of blocks.
    pub(super) entry: [Block; ASKED],
    /// For each place, its blocks, and for each of them what its slots name.
    pub(super) places: Vec<Blocks>,
}

/// What a name answers at one place: by kind of question, the block and what its slots name.
pub(super) type Blocks = [(Block, Vec<AnswerIndex>); ASKED];
