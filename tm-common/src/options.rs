//! The options of a query's OPT ([RFC 6891, section 6.1.2]): walked once, for all that they say. The cookie and the client's subnet mean something to us; NSID is left to the sockets; what we
//! do not know is ignored, but its lengths must be right.
//!
//! [RFC 6891, section 6.1.2]: https://www.rfc-editor.org/rfc/rfc6891#section-6.1.2

use core::hint::black_box;

use crate::{
    cookie::{self, Asked, Cookie, Jar},
    packet::Packet,
    subnet::{self, Subnet},
    sum::Sum,
    tables::Address,
    verdict::{OrRefuse as _, Reason},
};

/// Options read here: octets and number. A query with more is left to the sockets.
const MOST_OPTIONS: usize = 8;
const MOST_WORDS: usize = 16;
/// Asks for the server's identifier (RFC 5001), in memory order: the sockets' to say, which know whether it may be said.
const NSID: u16 = 3u16.to_be();

/// An extended error (RFC 8914) of two octets without a text, 3: the answer rests on what was so once.
const STALE: [u16; 3] = [15u16.to_be(), 2u16.to_be(), 3u16.to_be()];
/// Its octets as a word whose sum is that of the option at an odd place.
const STALE_AT_ODD: u64 = u64::from_le_bytes([0, 0, 15, 0, 2, 0, 3, 0]);

/// What the options of a query come to, and those of its reply.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Options {
    /// The sum of the query's, at the parity of where they begin.
    pub sum: Sum,
    /// The cookie that is given back.
    pub cookie: Cookie,
    /// The client's subnet as it was sent.
    pub subnet: Subnet,
    /// Is it said that the answer is stale? 0 or 1: what is reckoned with, and not branched on, is one state to the verifier.
    pub stale: usize,
}

impl Options {
    /// None.
    pub const NONE: Options =
        Options { sum: Sum::ZERO, cookie: Cookie::NONE, subnet: Subnet::NONE, stale: 0 };

    /// Reads `len` octets of options that begin at `at` and end the packet; whoever is at `address` has sent them.
    #[inline(always)]
    pub fn read(
        packet: &mut impl Packet,
        at: usize,
        len: usize,
        address: &Address,
        jar: &(impl Jar + ?Sized),
    ) -> Result<Self, Reason> {
        let found = Found::walk(packet, at, len)?;
        packet.forget();
        let sum = sum(packet, at, found.len)?;
        packet.forget();
        let (mut cookie, mut subnet) = (Cookie::NONE, Subnet::NONE);
        if found.subnet != 0 {
            subnet = Subnet::read(packet, at - 1 + found.subnet)?;
        }
        if found.cookie != 0 {
            let asked = Asked::among(packet, at - 1 + found.cookie)?;
            cookie = asked.answer(jar, address).unwrap_or(Cookie::NONE);
        }
        Ok(Options { sum, cookie, subnet, stale: 0 })
    }

    /// Octets of the reply's options.
    #[inline(always)]
    pub fn reply_len(&self) -> usize {
        self.cookie.len() + self.stale_len() + self.subnet.len()
    }

    /// Their sum, at an even place of the OPT: all begin at an odd one, since the length of each but the last is even.
    #[inline(always)]
    pub fn reply_sum(&self) -> Sum {
        self.subnet.sum().plus(self.cookie.sum()).and64(STALE_AT_ODD.wrapping_mul(self.stale as u64))
    }

    #[inline(always)]
    fn stale_len(&self) -> usize {
        self.stale * size_of_val(&STALE)
    }

    /// Writes them at `at`: back to front, since what is written of a subnet may begin before it.
    #[inline(always)]
    pub fn write(&self, packet: &mut impl Packet, at: usize) -> Option<()> {
        self.subnet.write(packet, at + self.cookie.len() + self.stale_len())?;
        if self.stale != 0 {
            packet.write(at + self.cookie.len(), STALE)?;
        }
        self.cookie.write(packet, at)
    }
}

/// Where the first of each kind begins among all: one more than that, 0 where there is none.
struct Found {
    len: usize,
    subnet: usize,
    cookie: usize,
}

impl Found {
    #[inline(always)]
    fn walk(packet: &impl Packet, at: usize, len: usize) -> Result<Self, Reason> {
        if len > 8 * MOST_WORDS {
            return Reason::Edns.refuse();
        }
        let (mut next, mut subnet, mut cookie) = (0, 0, 0);
        for _ in 0..MOST_OPTIONS {
            if next == len {
                break;
            }
            // Hidden: else the compiler adds up another way what it has compared, and Linux 6.1 does not see that it is the same number.
            let head: u32 = packet.read(black_box(at + next)).or_refuse(Reason::Edns)?;
            if head as u16 == NSID {
                return Reason::Edns.refuse();
            }
            if head as u16 == subnet::CODE && subnet == 0 {
                subnet = next + 1;
            }
            if head as u16 == cookie::CODE && cookie == 0 {
                cookie = next + 1;
            }
            next += 4 + usize::from(((head >> 16) as u16).swap_bytes());
            if next > len {
                return Reason::Edns.refuse();
            }
        }
        if next != len {
            return Reason::Edns.refuse();
        }
        // Here, before there is more to follow for each of them.
        Ok(Found {
            len: packet.blur::<256>(len),
            subnet: packet.blur::<{ 8 * MOST_WORDS }>(subnet),
            cookie: packet.blur::<{ 8 * MOST_WORDS }>(cookie),
        })
    }
}

/// The sum of `len` octets, at most what is read here, at the parity of `at`; they end the packet.
#[inline(always)]
fn sum(packet: &impl Packet, at: usize, len: usize) -> Result<Sum, Reason> {
    let mut sum = Sum::default();
    for i in 0..MOST_WORDS {
        if 8 * i + 8 > len {
            break;
        }
        sum = sum.and64(packet.read(at + 8 * i).or_refuse(Reason::Edns)?);
    }
    if len & 7 != 0 {
        sum = sum.and64(packet.rest(at + (len & !7)).or_refuse(Reason::Edns)?);
    }
    Ok(sum)
}
