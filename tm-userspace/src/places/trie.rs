//! A partition's tries in the words that the engine follows (`tm_common::place`).
//!
//! A part of the address space that lies in one run is a leaf; any other is a node, whose parts are looked at in turn. Where a node is left, the largest block around a part that is
//! all in one run is its scope: a block in which there are several cannot hold a larger one.
//!
//! What a node says depends on nothing outside its block. So a partition that differs from another in few places is built along the ways to these alone, with roots of its own;
//! all other nodes are the other one's.

use tm_common::place::{LINE, Leaf, Line, Root, Stride, branch_v4, branch_v6, branched_v4, branched_v6};

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
    partition.count() <= ROOMY
}

/// Whose words: each family has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Where a word leads that is no leaf: the node's first line, and the bits that it tells apart.
    pub fn branched(self, word: u32) -> Option<(u32, Stride)> {
        match self {
            Family::V4 => branched_v4(word).map(|line| (line, Stride::Wide)),
            Family::V6 => branched_v6(word),
        }
    }

    fn branch(self, line: u32, stride: Stride) -> u32 {
        match self {
            Family::V4 => branch_v4(line),
            Family::V6 => branch_v6(line, stride),
        }
    }
}

/// Where nodes are kept.
pub trait Nodes {
    /// A line that was put there.
    fn line(&self, line: u32) -> Option<&Line>;
    /// Puts a node, of 1 or 16 lines, after those that it leads to; says what its first line's number is.
    fn put(&mut self, family: Family, lines: &[Line]) -> u32;
}

/// Builds the tries of a partition, with the nodes of another one wherever they do not differ. Gives the lines of both roots, and the bits that these tell apart.
pub fn build(
    partition: &Partition,
    like: Option<(&Partition, Root)>,
    nodes: &mut dyn Nodes,
) -> (Vec<Line>, u32) {
    let is_roomy = is_roomy(partition);
    let bits = if is_roomy { 8 } else { 16 };
    let like = like.filter(|(_, root)| root.bits == bits);
    let v4 = like.map(|(like, root)| (like.v4().differing(partition.v4()), root.line));
    let v6 = like.map(|(like, root)| (like.v6().differing(partition.v6()), root.line + root.lines()));
    let mut root = Builder::new(partition.v4(), Family::V4, v4, is_roomy, nodes).root(bits as u8);
    root.extend(Builder::new(partition.v6(), Family::V6, v6, is_roomy, nodes).root(bits as u8));
    (root, bits)
}

struct Builder<'a, A> {
    runs: &'a Runs<A>,
    family: Family,
    at: Cursor<'a, A>,
    /// The first line of the other partition's root, if there is one, and where that says something else.
    like: Option<u32>,
    differing: Vec<Span>,
    is_roomy: bool,
    nodes: &'a mut dyn Nodes,
}

impl<'a, A: Address> Builder<'a, A> {
    fn new(
        runs: &'a Runs<A>,
        family: Family,
        like: Option<(Vec<Span>, u32)>,
        is_roomy: bool,
        nodes: &'a mut dyn Nodes,
    ) -> Self {
        let (differing, like) = like.unzip();
        Builder {
            runs,
            family,
            at: runs.at(0),
            like,
            differing: differing.unwrap_or_default(),
            is_roomy,
            nodes,
        }
    }

    /// The lines of the root.
    fn root(&mut self, bits: u8) -> Vec<Line> {
        let mut words = vec![0; 1 << bits];
        self.fill(&mut words, 0, 0, bits, self.like);
        lines(&words).collect()
    }

    /// Puts the node of `depth` bits that begins at `first`, in which there are two runs at least; gives the word that leads there. `like` is the other partition's
    /// node of this block.
    fn node(&mut self, first: u128, depth: u8, like: Option<(u32, Stride)>) -> u32 {
        let stride = like.map_or_else(|| self.stride(first, depth), |(_, stride)| stride);
        let mut words = [0; 256];
        let words = &mut words[..1 << stride as u8];
        self.fill(words, first, depth, stride as u8, like.map(|(line, _)| line));
        let mut node = [Line([0; LINE]); 16];
        node.iter_mut().zip(lines(words)).for_each(|(line, words)| *line = words);
        self.family.branch(self.nodes.put(self.family, &node[..words.len() / LINE]), stride)
    }

    /// The words of a node that tells `bits` apart; `like` is the first line of the other partition's.
    fn fill(&mut self, words: &mut [u32], first: u128, depth: u8, bits: u8, like: Option<u32>) {
        let shift = 128 - u32::from(depth + bits);
        let mut others = None;
        for (i, word) in words.iter_mut().enumerate() {
            let start = first | (i as u128) << shift;
            let last = start | ((1 << shift) - 1);
            if i % LINE == 0 {
                others = like.and_then(|line| self.nodes.line(line + (i / LINE) as u32)).copied();
            }
            let other = others.map(|line| line.0[i % LINE]);
            let branched = other.and_then(|other| self.family.branched(other));
            *word = match other {
                // What is the same is not looked at. Scopes are told below.
                Some(other) if !self.differs((start, last)) => match branched {
                    Some(_) => other,
                    None => Leaf(other).with_scope(0).0,
                },
                _ => {
                    self.go(start);
                    match self.at.last() >= last {
                        true => self.at.run().leaf.0,
                        false => self.node(start, depth + bits, branched),
                    }
                }
            };
        }
        self.scope(words, depth);
    }

    /// Gives each leaf among a node's words, or a part of them, the length of the largest block around it that is all alike: the whole, a half, a half's half. Nodes stay.
    fn scope(&self, words: &mut [u32], depth: u8) {
        if words.iter().all(|word| *word == words[0]) {
            if self.family.branched(words[0]).is_none() {
                words.fill(Leaf(words[0]).with_scope(depth).0);
            }
            return;
        }
        let (low, high) = words.split_at_mut(words.len() / 2);
        self.scope(low, depth + 1);
        self.scope(high, depth + 1);
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
        if self.family == Family::V4 || self.is_roomy || depth < 16 {
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

/// Words as they are kept.
fn lines(words: &[u32]) -> impl Iterator<Item = Line> {
    words.chunks(LINE).map(|words| {
        let mut line = Line([0; LINE]);
        line.0.copy_from_slice(words);
        line
    })
}
