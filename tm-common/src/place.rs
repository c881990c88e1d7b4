//! Where a client is: from its address, by a trie of prefixes that userspace has built, to a place and to how far around it that holds.
//!
//! A view has two tries, for IPv4 and IPv6. A trie is made of words: a leaf says the place, any other word leads to the next node. A node has a word for each
//! value of the next four or eight bits, in one or sixteen [`Line`]s; the word that leads there says how many bits. So four look-ups find
//! an IPv4 address where nodes are wide, and sparse parts of the IPv6 space take little memory.
//!
//! An IPv6 address that holds an IPv4 one (mapped, 6to4, NAT64, Teredo) leads to a leaf that says where in it; the client is then placed by that.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::tables::{Address, Lookup};

/// Words of a line.
pub const LINE: usize = 16;
/// Look-ups that find any IPv4 address.
const MOST_V4: usize = 8;
/// And any IPv6 address.
const MOST_V6: usize = 32;

/// Part of a node: words for sixteen values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Line(pub [u32; LINE]);

/// A view's tries, each by its first word; stored and read as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Roots {
    /// Of IPv4 addresses.
    pub v4: u32,
    /// Of IPv6 addresses.
    pub v6: u32,
}

const _: () = assert!(size_of::<Line>() == 64 && size_of::<Roots>() == 8, "a cache line, and a word");

/// Bits that a node tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stride {
    /// Four: one line.
    Narrow = 4,
    /// Eight: sixteen lines in a row.
    Wide = 8,
}

/// The word that leads to a node whose first line is `line`, below 2^27.
pub const fn branch(line: u32, stride: Stride) -> u32 {
    line << 4 | stride as u32
}

/// The word that ends a way: what is known of all clients there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf(pub u32);

/// Where in an IPv6 address an IPv4 one stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inner {
    /// In the last 32 bits: `::ffff:0:0/96`, and NAT64's `64:ff9b::/96` (RFC 6052).
    Last = 0,
    /// There, each bit turned: Teredo's `2001::/32` (RFC 4380).
    Turned = 1,
    /// After the first 16 bits: 6to4's `2002::/16` (RFC 3056).
    Second = 2,
}

impl Leaf {
    const LEAF: u32 = 1 << 31;
    const PRIVATE: u32 = 1 << 25;
    const INNER: u32 = 1 << 24;
    const SCOPE: u32 = 16;

    /// Clients at a place, below 65,536. `private` says that the address does not tell where its owner is.
    pub const fn at(place: u16, private: bool) -> Self {
        Leaf(Self::LEAF | if private { Self::PRIVATE } else { 0 } | place as u32)
    }
    /// Clients that are placed by the IPv4 address inside.
    pub const fn inside(inner: Inner) -> Self {
        Leaf(Self::LEAF | Self::INNER | inner as u32)
    }
    /// The same, said of a prefix of `scope` bits, at most 128.
    #[must_use]
    pub const fn with_scope(self, scope: u8) -> Self {
        Leaf(self.0 & !(255 << Self::SCOPE) | (scope as u32) << Self::SCOPE)
    }
    #[inline(always)]
    const fn is(word: u32) -> bool {
        word & Self::LEAF != 0
    }
    /// The IPv4 address in an IPv6 one, highest bit first, and how many bits stand before it.
    #[inline(always)]
    fn inner(self, client: &Client) -> Option<(u64, u32)> {
        if self.0 & Self::INNER == 0 {
            return None;
        }
        Some(match self.0 & 3 {
            2 => (client.high << 16, 16),
            1 => (!client.low << 32, 96),
            _ => (client.low << 32, 96),
        })
    }
}

/// A client's address, highest bit first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    high: u64,
    low: u64,
    is_v4: bool,
}

impl Client {
    /// An IPv4 address, given in memory order.
    #[inline(always)]
    pub const fn v4(address: u32) -> Self {
        Client { high: (address.swap_bytes() as u64) << 32, low: 0, is_v4: true }
    }
    /// An IPv6 address, given in memory order.
    #[inline(always)]
    pub const fn v6(address: Address) -> Self {
        Client { high: address[0].swap_bytes(), low: address[1].swap_bytes(), is_v4: false }
    }
}

/// What is known of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its place.
    pub place: u32,
    /// The length of the largest prefix around it all of which has this place, 0 to 128.
    pub scope: u32,
    /// Does its address not tell where it is? Then the place is that of clients of whom nothing is known.
    pub is_private: bool,
}

/// Finds a client in a view. `None` where the tables are not whole.
#[inline(always)]
pub fn find(tables: &impl Lookup, view: u32, client: &Client) -> Option<Found> {
    let roots = tables.view(view)?;
    if client.is_v4 {
        return Some(found(walk::<MOST_V4>(tables, roots.v4, client.high, 0)?, 0));
    }
    let leaf = walk::<MOST_V6>(tables, roots.v6, client.high, client.low)?;
    match leaf.inner(client) {
        None => Some(found(leaf, 0)),
        Some((inner, before)) => Some(found(walk::<MOST_V4>(tables, roots.v4, inner, 0)?, before)),
    }
}

#[inline(always)]
fn found(leaf: Leaf, before: u32) -> Found {
    Found {
        place: leaf.0 & 0xffff,
        scope: before + (leaf.0 >> Leaf::SCOPE & 255),
        is_private: leaf.0 & Leaf::PRIVATE != 0,
    }
}

/// Follows the words from `root`. One that was never written leads to itself, and the walk ends.
#[inline(always)]
fn walk<const MOST: usize>(tables: &impl Lookup, root: u32, mut high: u64, mut low: u64) -> Option<Leaf> {
    let mut word = root;
    for _ in 0..MOST {
        if Leaf::is(word) {
            break;
        }
        let stride = word & 15;
        let rest = (64 - stride) & 63;
        let next = (high >> rest) as u32 & 255;
        high <<= stride;
        if MOST > MOST_V4 {
            high |= low >> rest;
            low <<= stride;
        }
        word = *tables.line((word >> 4) + (next >> 4))?.0.get(next as usize & (LINE - 1))?;
    }
    Leaf::is(word).then_some(Leaf(word))
}
