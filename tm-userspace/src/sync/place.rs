//! Where a name was put: what has to be known to change it, and to take it away again.

use tm_common::{
    dns::ASKED,
    tables::{AnswerIndex, Block},
};

/// The elements of one name.
#[derive(Debug)]
pub(super) struct Place {
    /// Its bucket, and where in it; none where the bucket was full.
    pub(super) bucket: Option<(u32, usize)>,
    /// Its entry.
    pub(super) entry: u32,
    /// Its blocks, as in the entry.
    pub(super) blocks: [Block; ASKED],
    /// For each block, what its slots name.
    pub(super) slots: [Vec<AnswerIndex>; ASKED],
}
