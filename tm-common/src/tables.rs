//! What userspace writes and the engine looks up: the layout of every key and value, and the look-ups over them.
//!
//! Userspace is the only writer. A reader never sees half a change: whatever an index leads to is written in full before the index is
//! stored, as one aligned word, and is used for something else only after every reader that may have held the index is done.
//! Index 0 of every table stays empty: it is what a word that was never written leads to.

mod lookup;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    dns::{ASKED, Asked},
    limit::Kind,
    name::{LONG, SHORT, mix, word_of},
    place::Root,
    sum::Sum,
};

pub use lookup::{Lookup, Names};

/// An IPv6 address, or an IPv4 one mapped into it (`::ffff:0:0/96`), as words in memory order.
pub type Address = [u64; 2];

/// The mapped form of an IPv4 address, given and kept in memory order.
#[inline(always)]
pub const fn v4_mapped(address: u32) -> Address {
    [0, 0xffff_0000 | (address as u64) << 32]
}

/// Addresses with the same hash; all zeroes is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Addresses(pub [Address; 4]);

/// Number of lines in a table of addresses: a power of two.
pub const ADDRESS_LINES: u32 = 256;

/// The line that an address belongs in.
#[inline(always)]
pub fn address_line(address: &Address) -> u32 {
    (mix(address[0], address[1]) >> 32) as u32 & (ADDRESS_LINES - 1)
}

/// Number of bits in the set of addresses that no client can have.
pub const OWN_BITS: u32 = 1 << 16;

/// An address's bit in that set. The set errs to the safe side: a client whose bit another address has set is left to the sockets.
#[inline(always)]
pub fn own_bit(address: &Address) -> u32 {
    (mix(address[0], address[1]) >> 32) as u32 & (OWN_BITS - 1)
}

/// Names with the same hash: each `tag << 32 | entry`; zero is empty. The name's length tells the table that the entry lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Bucket(pub [u64; 8]);

/// The part of a hash that is compared; never zero, so that no name matches an empty place.
#[inline(always)]
pub fn tag(hash: u64) -> u32 {
    hash as u32 | 1
}

/// The part of a hash that chooses the bucket, to be masked.
#[inline(always)]
pub fn bucket_index(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// One name of up to `WORDS` words, and what to choose its answers from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(8))]
pub struct Entry<const WORDS: usize> {
    /// Lower-cased wire octets by words; in the last one, the name's last eight octets, which end with its zero octet.
    pub name: [u64; WORDS],
    /// Its folded sum.
    pub name_sum: u16,
    /// Octets from the UDP header to the last eight before the name's zero octet. Positions behind the name are taken from here and not from the
    /// scan: to the verifier this is one unknown number, where a length found by the scan is a state for each of its words.
    pub end: u16,
    /// Words of the name before its last octets, 1 to 8; from here for the same reason.
    pub whole: u8,
    /// Bits of the last word that stand before those octets, because whole words cover them or the name is shorter.
    pub covered: u8,
    /// The view that tells clients apart: [`Root::bits`], or zero for none. With one, `Block::first` of each kind of question begins a row of blocks ([`Placed`]), one a place.
    pub root_bits: u16,
    /// And [`Root::line`].
    pub root_line: u32,
    /// What answers for names below this one that are not there: a short entry, or 0. Its own name does not count here, but see [`Above`]. It alone may change in an entry that is in use.
    pub below: u32,
    /// By [`Asked`].
    pub blocks: [Block; ASKED],
}

/// What is above names that end alike, if they are not in the tables themselves: the short entry that answers all that are below its own name, or one of those here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Above(pub u32);

impl Above {
    /// No name in the tables ends so.
    pub const NOTHING: Above = Above(0);
    /// The closest encloser has to be found: there are several things that it may lead to.
    pub const SEVERAL: Above = Above(u32::MAX);
}

/// A run of slots, walked in turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Block {
    /// The first slot.
    pub first: u32,
    /// How many, 1 to [`MOST_SLOTS`].
    pub count: u32,
    /// Whose turn it is: an index into the per-CPU turns; or, chosen by place, [`STICKY`]. Zero where there is one slot; but of what an entry has for other types, where the row by
    /// type begins ([`kind`]), if there is one.
    pub turn: u32,
}

/// [`Block::turn`]: nobody's; the client's prefix says which slot ([`Client::seat`](crate::place::Client::seat)).
pub const STICKY: u32 = u32::MAX;

/// What answers one kind of question at one place, or, in an entry's place, one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Placed {
    /// The run of slots; of a type, as the entry would have it.
    pub block: Block,
    /// The type; 0 for all others, and in a row by place.
    pub kind: u32,
}

/// The longest block.
pub const MOST_SLOTS: u32 = 1024;

impl<const WORDS: usize> Entry<WORDS> {
    /// The entry of a lower-cased wire name. `None` where it has no octet or does not fit.
    pub fn new(wire: &[u8], blocks: [Block; ASKED]) -> Option<Self> {
        if wire.is_empty() || wire.len() > 8 * WORDS {
            return None;
        }
        let whole = (wire.len() - 1) / 8;
        let mut name = [0; WORDS];
        for (word, chunk) in name.iter_mut().zip(wire.chunks(8).take(whole)) {
            *word = word_of(chunk);
        }
        let last = wire.iter().fold(0, |word, octet| word >> 8 | u64::from(*octet) << 56);
        name.iter_mut().next_back().into_iter().for_each(|word| *word = last);
        Some(Entry {
            name,
            name_sum: Sum::of_bytes(wire).folded(),
            end: (crate::net::UDP + size_of::<crate::dns::Header>() + wire.len() - 1 - 8) as u16,
            whole: whole as u8,
            covered: 64 - 8 * (wire.len() - 8 * whole) as u8,
            root_bits: 0,
            root_line: 0,
            below: 0,
            blocks,
        })
    }
    /// The same name, for clients that this view tells apart.
    #[must_use]
    pub fn with_view(self, root: Root) -> Self {
        Entry { root_bits: root.bits as u16, root_line: root.line, ..self }
    }
    /// The view that tells the clients apart.
    #[inline(always)]
    pub(crate) fn root(&self) -> Root {
        Root { line: self.root_line, bits: u32::from(self.root_bits) }
    }
}

impl<const WORDS: usize> Entry<WORDS> {
    /// What answers a question, or the first of what answers it by place.
    #[inline(always)]
    pub(crate) fn block(&self, asked: Asked) -> &Block {
        let [a, aaaa, any, other] = &self.blocks;
        match asked {
            Asked::A => a,
            Asked::Aaaa => aaaa,
            Asked::Any => any,
            Asked::Other => other,
        }
    }
}

/// What is known of an answer besides its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Meta {
    /// Where the last sixteen octets begin. Kept instead of the length, so that every position behind the records is this one and a
    /// constant: the verifier takes `at + length - 16` for a negative offset. Beside it, in a bit of its own, [`Meta::STALE`].
    pub tail: u16,
    /// The records' folded sum.
    pub sum: u16,
    /// ANCOUNT, as on the wire.
    pub answers: u16,
    /// NSCOUNT, as on the wire.
    pub authorities: u16,
    /// Header flags besides QR and AA, as on the wire: the RCODE.
    pub flags: u16,
    /// Of so many replies with it one is told of ([`sample`](crate::sample)); 0: of none.
    pub one_in: u16,
    /// What counts it: an index into the per-CPU counters.
    pub counter: u32,
}

impl Meta {
    /// Of [`tail`](Meta::tail): who understands extended errors is told that the answer is stale ([`options`](crate::options)). Only of answers of the large class: the programs that read
    /// options give them, and what is common pays nothing for it.
    pub const STALE: u16 = 1 << 15;

    /// Of [`tail`](Meta::tail): where the number of the answer's [`Kind`] begins.
    const KIND: u32 = 10;

    /// The number of its [`Kind`].
    #[inline(always)]
    pub(crate) fn kind(&self) -> u64 {
        u64::from(self.tail >> Meta::KIND & 3)
    }
    /// Is it said that the answer is stale? 0 or 1.
    #[inline(always)]
    pub(crate) fn stale(&self) -> usize {
        usize::from(self.tail >> Meta::STALE.trailing_zeros())
    }
}

/// Finished records of 16 to `8 * WORDS + 16` octets, compressed to the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(8))]
pub struct Answer<const WORDS: usize> {
    /// Lengths, counts and sum.
    pub meta: Meta,
    /// The octets but for the last sixteen, whatever behind them.
    pub records: [u64; WORDS],
    /// The last sixteen octets: of an A record, all.
    pub last: [u64; 2],
}

/// Words of records in the small class of answers: 64 octets, records of up to 48.
pub const SMALL: usize = 4;
/// In the medium class: 256 octets, records of up to 240.
pub const MEDIUM: usize = 28;
/// In the large class: 1024 octets, records of up to 1008.
pub const LARGE: usize = 124;
/// Octets of the shortest records that an answer holds.
pub const LEAST_OCTETS: usize = 16;
/// Octets of the longest.
pub const MOST_OCTETS: usize = 8 * LARGE + LEAST_OCTETS;

const _: () = assert!(size_of::<Addresses>() == 64 && size_of::<Bucket>() == 64, "one cache line");
const _: () = assert!(size_of::<Entry<SHORT>>() == 128, "two cache lines");
const _: () = assert!(size_of::<Entry<LONG>>() == 320, "five cache lines");
const _: () = assert!(
    size_of::<Answer<SMALL>>() == 64
        && size_of::<Answer<MEDIUM>>() == 256
        && size_of::<Answer<LARGE>>() == 1024
);

impl<const WORDS: usize> Answer<WORDS> {
    /// The answer of these records. `None` for fewer than sixteen octets or more than fit. Length and sum in `meta` are filled in.
    pub fn new(records: &[u8], meta: Meta) -> Option<Self> {
        let (before, last) = records.split_last_chunk::<LEAST_OCTETS>()?;
        let tail = before.len();
        if tail > 8 * WORDS {
            return None;
        }
        let mut words = [0; WORDS];
        for (word, chunk) in words.iter_mut().zip(before.chunks(8)) {
            *word = word_of(chunk);
        }
        let (first, second) = last.split_at(8);
        let sum = Sum::of_bytes(records).folded();
        let kind = Kind::of(u16::from_be(meta.flags) & 15, meta.answers != 0) as u16;
        Some(Answer {
            meta: Meta { tail: tail as u16 | kind << Meta::KIND | meta.tail & Meta::STALE, sum, ..meta },
            records: words,
            last: [word_of(first), word_of(second)],
        })
    }
}

/// Where an answer lies: its class in the two upper bits, its index in the others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AnswerIndex(pub u32);

/// The size classes of answers, the smallest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// [`SMALL`].
    Small,
    /// [`MEDIUM`].
    Medium,
    /// [`LARGE`].
    Large,
}

impl AnswerIndex {
    const CHAIN: u32 = 1 << 29;
    const INDEX: u32 = Self::CHAIN - 1;

    /// The word of an answer.
    pub const fn new(class: Class, index: u32) -> Self {
        AnswerIndex((class as u32) << 30 | index & Self::INDEX)
    }
    /// The same of one that begins with a CNAME behind which there is more. Where what is answered depends on a client subnet, that CNAME alone is to be given
    /// ([RFC 7871, section 7.2.1](https://www.rfc-editor.org/rfc/rfc7871#section-7.2.1)): it is the next answer of the class.
    #[must_use]
    pub const fn of_chain(self) -> Self {
        AnswerIndex(self.0 | Self::CHAIN)
    }
    /// Is it of such a one?
    #[inline(always)]
    pub const fn is_of_chain(self) -> bool {
        self.0 & Self::CHAIN != 0
    }
    /// Its class; `None` for a word that no answer has.
    #[inline(always)]
    pub const fn class(self) -> Option<Class> {
        match self.0 >> 30 {
            0 => Some(Class::Small),
            1 => Some(Class::Medium),
            2 => Some(Class::Large),
            _ => None,
        }
    }
    /// Its index in the table of its class.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0 & Self::INDEX
    }
}

/// An answer of any class.
#[derive(Clone, Copy)]
pub enum Records<'a> {
    /// Of the small class.
    Small(&'a Answer<SMALL>),
    /// Of the medium class.
    Medium(&'a Answer<MEDIUM>),
    /// Of the large class.
    Large(&'a Answer<LARGE>),
}
