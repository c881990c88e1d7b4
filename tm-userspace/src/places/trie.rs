//! A partition's tries in the words that the engine follows (`tm_common::place`).
//!
//! A part of the address space that lies in one run is a leaf; any other is a node, whose parts are looked at in turn. Where a node is left, the largest block around a part that is
//! all in one run is its scope: a block in which there are several cannot hold a larger one.
//!
//! What a node says depends on nothing outside its block. So a partition that differs from another in few places is built along the ways to these alone; all other nodes are the
//! other one's.

use tm_common::place::{LINE, Leaf, Line, Roots, Stride, branch, branched};

use super::{
    Partition,
    runs::{Address, Cursor, Runs, Span},
};

/// A partition of more runs than this saves memory where it has few of them, and looks for no nodes that others have alike.
const ROOMY: usize = 10_000;

/// Lines of narrow nodes above which one wide node of sixteen is worth its room.
const MOST_NARROW: usize = 8;

/// Has a partition so few runs that look-ups count for more than memory?
pub fn is_roomy(partition: &Partition) -> bool {
    partition.len() <= ROOMY
}

/// Where nodes are kept.
pub trait Nodes {
    /// A line that was put there.
    fn line(&self, line: u32) -> Option<&Line>;
    /// Puts a node, of 1 or 16 lines, after those that it leads to; says what its first line's number is.
    fn put(&mut self, lines: &[Line]) -> u32;
}

/// Builds the tries of a partition, with the nodes of another one wherever they do not differ.
pub fn build(partition: &Partition, like: Option<(&Partition, Roots)>, nodes: &mut dyn Nodes) -> Roots {
    let is_roomy = is_roomy(partition);
    let v4 = like.map(|(like, roots)| (like.v4().differing(partition.v4()), roots.v4));
    let v6 = like.map(|(like, roots)| (like.v6().differing(partition.v6()), roots.v6));
    Roots { v4: root(partition.v4(), v4, is_roomy, nodes), v6: root(partition.v6(), v6, is_roomy, nodes) }
}

fn root<A: Address>(
    runs: &Runs<A>,
    like: Option<(Vec<Span>, u32)>,
    is_roomy: bool,
    nodes: &mut dyn Nodes,
) -> u32 {
    if let Some(leaf) = runs.only() {
        return leaf.with_scope(0).0;
    }
    let (differing, like) = like.unzip();
    let mut builder =
        Builder { runs, at: runs.at(0), differing: differing.unwrap_or_default(), is_roomy, nodes };
    match like.filter(|like| branched(*like).is_some() && !builder.differs((0, u128::MAX))) {
        Some(same) => same,
        None => builder.node(0, 0, like),
    }
}

struct Builder<'a, A> {
    runs: &'a Runs<A>,
    at: Cursor<'a, A>,
    /// Where the other partition, if there is one, says something else.
    differing: Vec<Span>,
    is_roomy: bool,
    nodes: &'a mut dyn Nodes,
}

impl<A: Address> Builder<'_, A> {
    /// Puts the node of `depth` bits that begins at `first`, in which there are two runs at least; gives the word that leads there. `like` is what the other partition's trie
    /// has for this block.
    fn node(&mut self, first: u128, depth: u8, like: Option<u32>) -> u32 {
        let like = like.and_then(branched);
        let stride = like.map_or_else(|| self.stride(first, depth), |(_, stride)| stride);
        let bits = stride as u8;
        let shift = 128 - u32::from(depth + bits);
        let mut words = [0; 256];
        let words = &mut words[..1 << bits];
        for (i, word) in words.iter_mut().enumerate() {
            let start = first | (i as u128) << shift;
            let last = start | ((1 << shift) - 1);
            self.go(start);
            if self.at.last() >= last {
                *word = self.at.run().leaf.0;
                continue;
            }
            let like =
                like.and_then(|(line, _)| Some(self.nodes.line(line + (i / LINE) as u32)?.0[i % LINE]));
            *word = match like.filter(|like| branched(*like).is_some() && !self.differs((start, last))) {
                Some(same) => same,
                None => self.node(start, depth + bits, like),
            };
        }
        scope(words, depth);
        let mut lines = [Line([0; LINE]); 16];
        let lines = &mut lines[..words.len() / LINE];
        for (line, words) in lines.iter_mut().zip(words.chunks(LINE)) {
            line.0.copy_from_slice(words);
        }
        branch(self.nodes.put(lines), stride)
    }

    /// Goes on to the run that holds `address`.
    fn go(&mut self, address: u128) {
        // Mostly this run or the next.
        for _ in 0..2 {
            match self.at.next() {
                Some(next) if next.run().first() <= address => self.at = next,
                _ => return,
            }
        }
        self.at = self.runs.at(address);
    }

    fn differs(&self, (first, last): Span) -> bool {
        let next = self.differing.partition_point(|span| span.1 < first);
        self.differing.get(next).is_some_and(|span| span.0 <= last)
    }

    /// Wide at every whole octet but where that would waste memory.
    fn stride(&self, first: u128, depth: u8) -> Stride {
        if !depth.is_multiple_of(8) {
            return Stride::Narrow;
        }
        if self.is_roomy || depth < 16 {
            return Stride::Wide;
        }
        // Each half octet in which a run begins that is not at its start needs a node.
        let shift = 128 - u32::from(depth) - 4;
        let (mut count, mut before) = (0, None);
        let mut at = self.runs.at(first).next();
        while let Some(inside) = at.filter(|run| (run.run().first() - first) >> shift < 16) {
            let offset = inside.run().first() - first;
            if offset & ((1 << shift) - 1) != 0 && before != Some(offset >> shift) {
                before = Some(offset >> shift);
                count += 1;
                if count > MOST_NARROW {
                    return Stride::Wide;
                }
            }
            at = inside.next();
        }
        Stride::Narrow
    }
}

/// Gives each leaf among a node's words, or a part of them, the length of the largest block around it that is all alike: the whole, or one of its halves' halves. Nodes stay.
fn scope(words: &mut [u32], depth: u8) {
    if words.iter().all(|word| *word == words[0]) {
        if branched(words[0]).is_none() {
            words.fill(Leaf(words[0]).with_scope(depth).0);
        }
        return;
    }
    let (low, high) = words.split_at_mut(words.len() / 2);
    scope(low, depth + 1);
    scope(high, depth + 1);
}
