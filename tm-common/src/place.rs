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

/// Where a word leads that is no leaf: the node's first line, and how many bits it tells apart.
pub const fn branched(word: u32) -> Option<(u32, Stride)> {
    match word & (Leaf::LEAF | 15) {
        4 => Some((word >> 4, Stride::Narrow)),
        8 => Some((word >> 4, Stride::Wide)),
        _ => None,
    }
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
    /// The first eight octets; of IPv4, all four.
    pub high: u64,
    /// The others.
    pub low: u64,
    /// Of which family it is, by the bits of an address: 32 or 128; 0 for nobody.
    pub bits: u32,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asker {
    /// The client that the client-subnet option names, if any.
    pub subnet: Client,
    /// The sender.
    pub sender: Client,
}

impl Client {
    /// None.
    pub const NOBODY: Client = Client { high: 0, low: 0, bits: 0 };
    /// An IPv4 address, given in memory order.
    #[inline(always)]
    pub const fn v4(address: u32) -> Self {
        Client { high: (address.swap_bytes() as u64) << 32, low: 0, bits: 32 }
    }
    /// An IPv6 address, given in memory order.
    #[inline(always)]
    pub const fn v6(address: Address) -> Self {
        Client { high: address[0].swap_bytes(), low: address[1].swap_bytes(), bits: 128 }
    }
}

/// What is known of a client, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found(pub u32);

impl Found {
    /// Nothing: the tables are not whole.
    pub const NOTHING: Found = Found(0);

    /// Its place.
    #[inline(always)]
    pub fn place(self) -> u32 {
        self.0 & 0xffff
    }
    /// The length of the largest prefix around it all of which has this place, 0 to 128.
    #[inline(always)]
    pub fn scope(self) -> u32 {
        self.0 >> Leaf::SCOPE & 255
    }
    /// Does its address not tell where it is? Then the place is that of clients of whom nothing is known.
    #[inline(always)]
    pub fn is_private(self) -> bool {
        self.0 & Leaf::PRIVATE != 0
    }
}

/// Finds whoever the question is for: the client that its subnet option names, who is told the scope, else its sender. An option that names
/// nobody (`/0`), or an address that does not tell where it is, leaves it at the sender's place ([RFC 7871, sections 7.1.2, 7.5 and 10]).
///
/// [RFC 7871, sections 7.1.2, 7.5 and 10]: https://www.rfc-editor.org/rfc/rfc7871#section-7
#[inline(always)]
pub fn find_asker(tables: &(impl Lookup + ?Sized), view: u32, asker: &Asker) -> Option<Found> {
    let mut scope = 0;
    if asker.subnet.bits != 0 {
        let found = tables.find_client(view, &asker.subnet)?;
        if !found.is_private() {
            return Some(found);
        }
        scope = found.scope();
    }
    let sender = tables.find_client(view, &asker.sender)?;
    Some(Found(Leaf(sender.0).with_scope(scope as u8).0))
}

/// Finds a client in a view.
#[inline(always)]
pub fn find(tables: &(impl Lookup + ?Sized), view: u32, client: &Client) -> Option<Found> {
    let roots = tables.view(view)?;
    if client.bits == 32 {
        return Some(Found(walk::<MOST_V4>(tables, roots.v4, client.high, 0)?.0));
    }
    let leaf = walk::<MOST_V6>(tables, roots.v6, client.high, client.low)?;
    match leaf.inner(client) {
        None => Some(Found(leaf.0)),
        Some((inner, before)) => {
            let leaf = walk::<MOST_V4>(tables, roots.v4, inner, 0)?;
            Some(Found(leaf.0 + (before << Leaf::SCOPE)))
        }
    }
}

/// Follows the words from `root`. One that was never written leads to itself, and the walk ends.
#[inline(always)]
fn walk<const MOST: usize>(
    tables: &(impl Lookup + ?Sized),
    root: u32,
    mut high: u64,
    mut low: u64,
) -> Option<Leaf> {
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
