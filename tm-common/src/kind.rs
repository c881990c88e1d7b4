//! Which block answers a type that is neither A nor AAAA nor ANY: of most names one for all of them, of some a block for each type that they have.
//!
//! Such a name has a row of [`Placed`](crate::tables::Placed) in the tables, one a type, at its end one for all others. Each of them has what the entry would have for that type: a block, or
//! with a view the first of a row by place. The entry's own block for other types is one of which a first program, which reads no options, knows nothing: each of
//! its slots names [`NOT_HERE`], an answer of the large class, so that the programs which read all are asked; and what it has for [`Block::turn`] leads those to the row. So who asks for an address pays nothing.

use crate::tables::{AnswerIndex, Block, Class, Lookup};

/// What the slots of a block name whose answer depends on the type.
pub const NOT_HERE: AnswerIndex = AnswerIndex::new(Class::Large, 0);

/// The most types in a row, besides all others.
pub const MOST_TYPES: u32 = 8;

/// What an entry has for a type, by what it has for other types. `None` where the tables are not whole.
#[inline(always)]
pub(crate) fn block<'a>(
    tables: &'a (impl Lookup + ?Sized),
    others: &'a Block,
    kind: u16,
) -> Option<&'a Block> {
    if others.count > 1 || others.turn == 0 {
        return Some(others);
    }
    Some(&tables.placed(tables.find_type(others.turn, u32::from(kind))?)?.block)
}

/// Where in the row by type that begins there the one for a type stands.
#[inline(always)]
pub fn find(tables: &(impl Lookup + ?Sized), first: u32, kind: u32) -> Option<u32> {
    for at in 0..=MOST_TYPES {
        let at = first.wrapping_add(at);
        let row = tables.placed(at)?;
        if row.kind == kind || row.kind == 0 {
            return Some(at);
        }
    }
    None
}
