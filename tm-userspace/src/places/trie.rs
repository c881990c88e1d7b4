//! A view's tries in the words that the engine follows (`tm_common::place`).
//!
//! The prefixes are first laid flat: runs of addresses, each with what its clients' leaf says, no two neighbours alike. A part of the address space that lies in one run
//! is a leaf; any other is a node, whose parts are looked at in turn. Where a node is left, the largest block around a part that is all in one run is its scope.
//!
//! # What is added to a view
//!
//! | prefix | leaf |
//! | --- | --- |
//! | private, shared, loopback and link-local addresses (RFC 1918, 6598, 1122, 3927, 4193, 4291) that are in no prefix of the view | they do not tell where a client is: with a client-subnet option it is placed by who sent the query |
//! | `::ffff:0:0/96`, `64:ff9b::/96`, `2002::/16`, `2001::/32` | placed by the IPv4 address inside; prefixes of the view in there are left out |

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use tm_common::place::{Inner, LINE, Leaf, Line, Roots, Stride, branch};

use super::{Place, View};

/// Addresses that do not tell where a client is.
const PRIVATE_V4: [(Ipv4Addr, u8); 6] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];
const PRIVATE_V6: [(Ipv6Addr, u8); 2] =
    [(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)];

/// Prefixes whose addresses hold an IPv4 address.
pub const EMBEDDING: [(Ipv6Addr, u8, Inner); 4] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Inner::Last),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Inner::Last),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Inner::Turned),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Inner::Second),
];

/// A view of more prefixes than this saves memory where it has few of them, and shares no nodes with others.
const ROOMY: usize = 10_000;

/// Has a view so few prefixes that look-ups count for more than memory?
pub fn is_roomy(view: &View) -> bool {
    view.v4().len() + view.v6().len() <= ROOMY
}

/// Builds the tries of a view. `put` is given each node, 1 or 16 lines, after those that it leads to, and says what its first line's number is.
pub fn build(view: &View, put: &mut dyn FnMut(&[Line]) -> u32) -> Roots {
    let is_roomy = is_roomy(view);
    let v4 = lay_v4(view);
    let mut builder = Builder { runs: &v4, is_roomy, put };
    let v4_root = builder.root();
    let v6 = lay_v6(view, &v4);
    let mut builder = Builder { runs: &v6, is_roomy, put: builder.put };
    Roots { v4: v4_root, v6: builder.root() }
}

/// Addresses from `first` to the next run's, left-aligned in 128 bits; the last run ends with the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u128,
    pub(super) leaf: Leaf,
}

/// A prefix, its address left-aligned in 128 bits.
#[derive(Clone, Copy)]
struct Prefix {
    address: u128,
    length: u8,
    leaf: Leaf,
}

impl Prefix {
    /// The address after its last; none where that is the end of the space.
    fn end(&self) -> Option<u128> {
        match self.length {
            0 => None,
            length => self.address.checked_add(1 << (128 - length)),
        }
    }
    fn holds(&self, other: &Prefix) -> bool {
        self.length <= other.length
            && self.end().is_none_or(|end| other.address < end)
            && other.address >= self.address
    }
}

pub(super) fn lay_v4(view: &View) -> Vec<Run> {
    let aligned = |address: &Ipv4Addr| u128::from(address.to_bits()) << 96;
    let rows = view.v4().iter().map(|(address, length, place)| Prefix {
        address: aligned(address),
        length: *length,
        leaf: leaf(*place),
    });
    let private = PRIVATE_V4.map(|(address, length)| (aligned(&address), length));
    lay(rows.collect(), &private, view.default_place())
}

pub(super) fn lay_v6(view: &View, v4: &[Run]) -> Vec<Run> {
    let inner = EMBEDDING.map(|(address, length, inner)| Prefix {
        address: address.to_bits(),
        length,
        // Where all of IPv4 is alike, there is nothing inside to look at.
        leaf: match v4 {
            [all] => all.leaf,
            _ => Leaf::inside(inner),
        },
    });
    let rows = view.v6().iter().map(|(address, length, place)| Prefix {
        address: address.to_bits(),
        length: *length,
        leaf: leaf(*place),
    });
    let mut rows: Vec<Prefix> = rows.filter(|row| !inner.iter().any(|inner| inner.holds(row))).collect();
    rows.extend(inner);
    rows.sort_by_key(|row| (row.address, row.length));
    let private = PRIVATE_V6.map(|(address, length)| (address.to_bits(), length));
    lay(rows, &private, view.default_place())
}

fn leaf(place: Place) -> Leaf {
    Leaf::at(place.0, false)
}

/// Lays prefixes flat, which are in order. Private prefixes count where no other prefix holds them.
fn lay(mut rows: Vec<Prefix>, private: &[(u128, u8)], default: Place) -> Vec<Run> {
    for (address, length) in private {
        let private = Prefix { address: *address, length: *length, leaf: Leaf::at(default.0, true) };
        let at = rows.partition_point(|row| (row.address, row.length) < (*address, *length));
        if !rows.iter().any(|row| row.holds(&private)) {
            rows.insert(at, private);
        }
    }
    let mut runs = vec![Run { first: 0, leaf: leaf(default) }];
    // What the present address is in, the longest prefix last.
    let mut around: Vec<Prefix> = vec![];
    for row in rows {
        close(&mut runs, &mut around, Some(row.address), default);
        say(&mut runs, row.address, row.leaf);
        around.push(row);
    }
    close(&mut runs, &mut around, None, default);
    runs
}

/// Ends the prefixes that end at or before `next`.
fn close(runs: &mut Vec<Run>, around: &mut Vec<Prefix>, next: Option<u128>, default: Place) {
    while let Some(last) = around.last()
        && let end = last.end()
        && (next.is_none() || end.is_some_and(|end| next.is_some_and(|next| end <= next)))
    {
        around.pop();
        if let Some(end) = end {
            say(runs, end, around.last().map_or(leaf(default), |row| row.leaf));
        }
    }
}

/// From `first` on it is this leaf.
fn say(runs: &mut Vec<Run>, first: u128, leaf: Leaf) {
    if runs.last().is_some_and(|last| last.first == first) {
        runs.pop();
    }
    if runs.last().is_none_or(|last| last.leaf != leaf) {
        runs.push(Run { first, leaf });
    }
}

struct Builder<'a> {
    runs: &'a [Run],
    is_roomy: bool,
    put: &'a mut dyn FnMut(&[Line]) -> u32,
}

/// What is at a part of a node.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Leaf(Leaf),
    Node(u32),
}

impl Builder<'_> {
    fn root(&mut self) -> u32 {
        match self.runs {
            [all] => all.leaf.with_scope(0).0,
            _ => self.node(0, 0, 0..self.runs.len()),
        }
    }

    /// Puts the node of `depth` bits that begins at `first`, which `runs` are in, two at least; gives the word that leads there.
    fn node(&mut self, first: u128, depth: u8, runs: Range<usize>) -> u32 {
        let stride = self.stride(first, depth, &runs);
        let shift = 128 - u32::from(depth) - stride as u32;
        let mut parts = [Part::Node(0); 256];
        let parts = &mut parts[..1 << stride as u32];
        let mut at = runs.start;
        for (i, part) in (0u128..).zip(parts.iter_mut()) {
            let start = first | i << shift;
            while at + 1 < runs.end && self.runs[at + 1].first <= start {
                at += 1;
            }
            let size = 1u128 << shift;
            let mut end = at + 1;
            while end < runs.end && self.runs[end].first - start < size {
                end += 1;
            }
            *part = match end - at {
                1 => Part::Leaf(self.runs[at].leaf),
                _ => Part::Node(self.node(start, depth + stride as u8, at..end)),
            };
            at = end - 1;
        }
        let words = scoped(parts, depth, stride as u8);
        let lines: Vec<Line> = words
            .chunks(LINE)
            .map(|words| {
                let mut line = Line([0; LINE]);
                line.0.copy_from_slice(words);
                line
            })
            .collect();
        branch((self.put)(&lines), stride)
    }

    /// Wide at every whole octet but where that would waste memory.
    fn stride(&self, first: u128, depth: u8, runs: &Range<usize>) -> Stride {
        /// Lines of narrow nodes above which one wide node of sixteen is worth its room.
        const MOST_NARROW: usize = 5;
        if !depth.is_multiple_of(8) {
            return Stride::Narrow;
        }
        if self.is_roomy || depth < 16 {
            return Stride::Wide;
        }
        // Each half octet in which a run begins that is not at its start needs a node.
        let shift = 128 - u32::from(depth) - 4;
        let inside = self.runs[runs.start + 1..runs.end].iter().map(|run| run.first - first);
        let split = inside.filter(|at| at & ((1 << shift) - 1) != 0).map(|at| at >> shift);
        let (mut count, mut last) = (0, None);
        for half in split {
            count += usize::from(last != Some(half));
            last = Some(half);
        }
        if count > MOST_NARROW { Stride::Wide } else { Stride::Narrow }
    }
}

/// The words of a node's parts: each leaf with the length of the largest block around it that is all alike.
fn scoped(parts: &[Part], depth: u8, stride: u8) -> Vec<u32> {
    let mut words = vec![0; parts.len()];
    scope(parts, &mut words, depth, depth + stride);
    words
}

/// Blocks are halved until they are alike.
fn scope(parts: &[Part], words: &mut [u32], depth: u8, end: u8) {
    match parts {
        [Part::Node(word)] => words.fill(*word),
        [Part::Leaf(leaf), rest @ ..] if rest.iter().all(|part| *part == Part::Leaf(*leaf)) => {
            words.fill(leaf.with_scope(depth).0);
        }
        _ if depth < end => {
            let half = parts.len() / 2;
            let (low, high) = words.split_at_mut(half);
            scope(&parts[..half], low, depth + 1, end);
            scope(&parts[half..], high, depth + 1, end);
        }
        _ => {}
    }
}
