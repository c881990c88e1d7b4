//! Where a client is: from its address, by a trie of prefixes that userspace has built, to a place and to how far around it that holds.
//!
//! A view has two tries, for IPv4 and IPv6. A trie is made of nodes, a node of a word for each value of the next bits, sixteen words to a [`Line`]. A word is a leaf, which
//! says the place, or leads to the next node. Both roots tell the first eight or sixteen bits apart ([`Root`]), and never move. Behind them, IPv4 goes
//! on by eight bits, so that two to four look-ups find an address; IPv6 by eight or four, as the word says that leads there: sparse parts take little memory.
//!
//! An IPv6 address that holds an IPv4 one (mapped, 6to4, NAT64, Teredo) leads to a leaf that says where in it; the client is then placed by that.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    name::mix,
    tables::{Address, Lookup},
};

/// Words of a line.
pub const LINE: usize = 16;
/// Look-ups behind the root that find any IPv4 address.
const MOST_V4: usize = 3;
/// And any IPv6 address.
const MOST_V6: usize = 30;

/// Part of a node: words for sixteen values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Line(pub [u32; LINE]);

const _: () = assert!(size_of::<Line>() == 64, "a cache line");

/// The beginning of both tries of a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// The first line of IPv4's root; IPv6's stands behind it.
    pub line: u32,
    /// Bits of an address that they tell apart: 8 or 16.
    pub bits: u32,
}

impl Root {
    /// Lines of each of the two.
    #[inline(always)]
    pub const fn lines(self) -> u32 {
        (1 << (self.bits & 31)) / LINE as u32
    }
}

/// Bits that a node behind IPv6's root tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stride {
    /// Four: one line.
    Narrow = 4,
    /// Eight: sixteen lines in a row.
    Wide = 8,
}

/// The word that leads to a node of IPv4 whose first line is `line`, below 2^31.
pub const fn branch_v4(line: u32) -> u32 {
    line
}

/// The word that leads to a node of IPv6 whose first line is `line`, below 2^27.
pub const fn branch_v6(line: u32, stride: Stride) -> u32 {
    line << 4 | stride as u32
}

/// Where a word of IPv4 leads that is no leaf: the node's first line.
pub const fn branched_v4(word: u32) -> Option<u32> {
    if Leaf::is(word) { None } else { Some(word) }
}

/// Where a word of IPv6 leads that is no leaf: the node's first line, and the bits that it tells apart.
pub const fn branched_v6(word: u32) -> Option<(u32, Stride)> {
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
    const SENDER: u32 = 1 << 26;
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

impl Client {
    /// Length of the prefix whose clients are treated alike where answers stick to clients: what resolvers tell of them ([RFC 7871, section 11.1]).
    ///
    /// [RFC 7871, section 11.1]: https://www.rfc-editor.org/rfc/rfc7871#section-11.1
    #[inline(always)]
    pub fn prefix(&self) -> u32 {
        if self.bits == 32 { 24 } else { 56 }
    }
    /// Which of `count` slots its prefix has: always the same, on every machine.
    #[inline(always)]
    pub fn seat(&self, count: u32) -> u32 {
        let network = self.high >> (64 - self.prefix());
        let hash = mix(mix(u64::from(self.bits), network), network);
        (((hash >> 32) * u64::from(count)) >> 32) as u32
    }
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
    /// Is it the sender, and not whom the client-subnet option names?
    #[inline(always)]
    pub fn is_sender(self) -> bool {
        self.0 & Leaf::SENDER != 0
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
pub fn find_asker(tables: &(impl Lookup + ?Sized), root: Root, asker: &Asker) -> Option<Found> {
    let mut scope = 0;
    if asker.subnet.bits != 0 {
        let found = tables.find_client(root, &asker.subnet)?;
        if !found.is_private() {
            return Some(found);
        }
        scope = found.scope();
    }
    let sender = tables.find_client(root, &asker.sender)?;
    Some(Found(Leaf(sender.0).with_scope(scope as u8).0 | Leaf::SENDER))
}

/// Finds a client in a view.
#[inline(always)]
pub fn find(tables: &(impl Lookup + ?Sized), root: Root, client: &Client) -> Option<Found> {
    if client.bits == 32 {
        return Some(Found(walk_v4(tables, root, client.high)?.0));
    }
    let leaf = walk_v6(tables, root, client.high, client.low)?;
    match leaf.inner(client) {
        None => Some(Found(leaf.0)),
        Some((inner, before)) => {
            let leaf = walk_v4(tables, root, inner)?;
            Some(Found(leaf.0.wrapping_add(before << Leaf::SCOPE)))
        }
    }
}

/// The word of a node for this value of its bits.
#[inline(always)]
fn word(tables: &(impl Lookup + ?Sized), line: u32, value: u32) -> Option<u32> {
    tables.line(line + value / LINE as u32)?.0.get(value as usize % LINE).copied()
}

/// Follows the words from IPv4's root. One that was never written is no leaf, and leads to a table's first line, where no view is.
#[inline(always)]
fn walk_v4(tables: &(impl Lookup + ?Sized), root: Root, mut high: u64) -> Option<Leaf> {
    let mut next = word(tables, root.line, (high >> ((64 - root.bits) & 63)) as u32)?;
    high <<= root.bits & 63;
    for _ in 0..MOST_V4 {
        if Leaf::is(next) {
            break;
        }
        next = word(tables, next, (high >> 56) as u32)?;
        high <<= 8;
    }
    Leaf::is(next).then_some(Leaf(next))
}

/// The same from IPv6's root.
#[inline(always)]
fn walk_v6(tables: &(impl Lookup + ?Sized), root: Root, mut high: u64, mut low: u64) -> Option<Leaf> {
    let mut next = word(tables, root.line + root.lines(), (high >> ((64 - root.bits) & 63)) as u32)?;
    let mut bits = root.bits & 63;
    for _ in 0..MOST_V6 {
        high = high << bits | low >> ((64 - bits) & 63);
        low <<= bits;
        if Leaf::is(next) {
            break;
        }
        bits = next & 15;
        next = word(tables, next >> 4, (high >> ((64 - bits) & 63)) as u32)?;
    }
    Leaf::is(next).then_some(Leaf(next))
}
