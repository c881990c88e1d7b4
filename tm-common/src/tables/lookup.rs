//! The look-ups over the tables: what whoever holds them implements, and what follows from that.

use super::{
    Above, Address, Addresses, Answer, AnswerIndex, Block, Bucket, Class, Entry, LARGE, MEDIUM, Placed,
    Records, SMALL, address_line, bucket_index, own_bit, tag,
};
use crate::{
    answer::Slip,
    aside::Aside,
    cookie::Jar,
    edns::{Opt, Payload},
    kind,
    limit::Meter,
    link::Link,
    options::Options,
    packet::Packet,
    place::{self, Asker, Client, Found, Line, Root},
    verdict::{OrRefuse as _, Reason},
};

/// All look-ups but those of names. An index out of range finds nothing.
pub trait Lookup: Jar + Meter {
    /// UDP port we serve, in memory order.
    fn port(&self) -> u16;
    /// What name hashes begin with: random, so that nobody can prepare names that share a bucket.
    fn seed(&self) -> u64;
    /// What the OPT of every reply begins with.
    fn opt(&self) -> Opt;
    /// How long replies over UDP may be.
    fn payload(&self) -> Payload;
    /// Is any VLAN listed?
    fn has_vlans(&self) -> bool;
    /// Are frames with this VLAN id (0 to 4095) ours?
    fn vlan(&self, id: u16) -> bool;
    /// What frames to us begin with.
    fn link(&self) -> Link;
    /// What names that end in this way ([`name::ending`](crate::name::ending)) have above them.
    fn ending(&self, ending: u32) -> Option<Above>;
    /// A line of the addresses we answer at.
    fn served(&self, line: u32) -> Option<&Addresses>;
    /// A word of 64 bits of the set of addresses that no client can have: all of this host's, and its networks' broadcast addresses.
    fn own(&self, word: u32) -> Option<u64>;
    /// A bucket of names; the index is masked.
    fn bucket(&self, index: u32) -> Option<&Bucket>;
    /// The next number below `count` of a sequence of its own on this CPU.
    fn turn(&self, index: u32, count: u32) -> Option<u32>;
    /// Gives the last turn of a sequence back: it is the next one again.
    fn give_back(&self, index: u32);
    /// A line of the views' nodes.
    fn line(&self, index: u32) -> Option<&Line>;
    /// A block of those that are chosen by place.
    fn placed(&self, index: u32) -> Option<&Placed>;
    /// A client's place in a view. `None` where the tables are not whole.
    #[inline(always)]
    fn find_client(&self, root: Root, client: &Client) -> Option<Found> {
        place::find(self, root, client)
    }
    /// The place of whoever asks. `FULL` says whether the query may have an option for it.
    #[inline(always)]
    fn find_asker<const FULL: bool>(&self, root: Root, asker: &Asker) -> Option<Found> {
        match FULL {
            true => place::find_asker(self, root, asker),
            false => self.find_client(root, &asker.sender),
        }
    }
    /// What `len` octets of options at `at` come to, which whoever is at this address has sent. [`Reason::Options`] where they are yet to be read by another program.
    #[inline(always)]
    fn options(
        &self,
        packet: &mut impl Packet,
        at: usize,
        len: usize,
        address: &Address,
    ) -> Result<Options, Reason> {
        Options::read(packet, at, len, address, self)
    }
    /// Which block of a row by type is for this one.
    #[inline(always)]
    fn find_type(&self, first: u32, kind: u32) -> Option<u32> {
        kind::find(self, first, kind)
    }
    /// A slot.
    fn slot(&self, index: u32) -> Option<AnswerIndex>;
    /// An answer of the small class.
    fn small(&self, index: u32) -> Option<&Answer<SMALL>>;
    /// An answer of the medium class.
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>>;
    /// An answer of the large class.
    fn large(&self, index: u32) -> Option<&Answer<LARGE>>;
    /// Counts an answer given.
    fn count(&self, counter: u32);

    /// Leaves `len` octets of options at `at`, which whoever is at this address has sent, to the program that reads them, where there is one.
    #[inline(always)]
    fn leave_options(&self, _at: usize, _len: usize, _address: &Address) {}
    /// Keeps what was found until the program for its options goes on with it, where there is one.
    #[inline(always)]
    fn put_aside(&self, _found: Aside) {}

    /// Leaves the writing of this reply to another program, where there is one; `false` where there is none.
    #[inline(always)]
    fn leave_slip(&self, _slip: &Slip) -> bool {
        false
    }

    /// Do we answer at this address?
    #[inline(always)]
    fn is_served(&self, address: &Address) -> bool {
        self.served(address_line(address)).is_some_and(|line| has(line, address))
    }
    /// Is it an address that no client can have?
    #[inline(always)]
    fn is_own(&self, address: &Address) -> bool {
        let bit = own_bit(address);
        self.own(bit >> 6).is_none_or(|word| word >> (bit & 63) & 1 != 0)
    }

    /// The answer whose turn it is, or of a chain only the first CNAME. `FULL` says whether the large class is read here.
    #[inline(always)]
    fn pick<const FULL: bool>(&self, block: &Block, is_cut: bool) -> Result<Records<'_>, Reason> {
        let turn = if block.count > 1 {
            self.turn(block.turn, block.count).or_refuse(Reason::NoAnswer)?
        } else {
            0
        };
        let slot = self.slot(block.first.wrapping_add(turn)).or_refuse(Reason::NoAnswer)?;
        if slot.0 == 0 {
            return Reason::NoAnswer.refuse();
        }
        let index = slot.index().wrapping_add(u32::from(is_cut && slot.is_of_chain()));
        match slot.class() {
            Some(Class::Small) => self.small(index).map(Records::Small),
            Some(Class::Medium) => self.medium(index).map(Records::Medium),
            Some(Class::Large) if !FULL => {
                self.unpick(block);
                return Reason::Full.refuse();
            }
            Some(Class::Large) => self.large(index).map(Records::Large),
            None => None,
        }
        .or_refuse(Reason::NoAnswer)
    }

    /// Makes the answer that was picked last the next one again, where it cannot be given here: a turn that nobody is answered with is none.
    #[inline(always)]
    fn unpick(&self, block: &Block) {
        if block.count > 1 {
            self.give_back(block.turn);
        }
    }
}

/// The second words are compared first: of mapped IPv4 addresses the first ones are all alike.
#[inline(always)]
fn has(line: &Addresses, address: &Address) -> bool {
    line.0.iter().any(|ours| ours[1] == address[1] && ours[0] == address[0])
}

/// Look-ups by name, in one size class of entries.
pub trait Names<const WORDS: usize>: Lookup {
    /// An entry.
    fn entry(&self, index: u32) -> Option<&Entry<WORDS>>;

    /// The entry filed under this hash, and its index. [`Reason::UnknownName`] where there is none, and [`Reason::NoAnswer`] where it is not here: while larger tables are made,
    /// the kernel's do not have all that names lead to.
    #[inline(always)]
    fn find(&self, hash: u64) -> Result<(u32, &Entry<WORDS>), Reason> {
        let tag = tag(hash);
        let bucket = self.bucket(bucket_index(hash)).or_refuse(Reason::NoAnswer)?;
        let place = bucket.0.iter().find(|place| (**place >> 32) as u32 == tag);
        let index = *place.or_refuse(Reason::UnknownName)? as u32;
        Ok((index, self.entry(index).or_refuse(Reason::NoAnswer)?))
    }
}
