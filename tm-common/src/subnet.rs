//! The client-subnet option ([RFC 7871, section 6]): read in a query, given back in its reply.
//!
//! ```text
//!  octet 0-1   option 8
//!        2-3   octets that follow: 4 and the address's
//!        4-5   family: 1 IPv4, 2 IPv6
//!        6     source prefix length
//!        7     scope prefix length: 0 in a query
//!        8-    the address, as many octets as the source prefix needs, no bits beyond it
//! ```
//!
//! [RFC 7871, section 6]: https://www.rfc-editor.org/rfc/rfc7871#section-6

use core::hint::black_box;

use crate::{
    packet::Packet,
    place::Client,
    sum::Sum,
    verdict::{OrRefuse as _, Reason},
};

/// Its number, in memory order.
pub const CODE: u16 = 8u16.to_be();
/// Octets before the address.
pub const HEAD: usize = 8;
/// Octets of the longest address.
const LONGEST: usize = 16;

/// The option of a query, or none.
///
/// Without an option all is zero.
#[derive(Clone, Copy, Debug)]
pub struct Subnet {
    /// Octets of the option; 0 where there is none.
    len: usize,
    /// All that stands before the address.
    head: u64,
    /// The address's first eight octets, zeroes behind it.
    first: u64,
    /// And its last eight octets but for the first ones, zeroes behind it.
    second: u64,
    /// The option's last eight octets.
    last: u64,
}

impl Subnet {
    /// No option.
    pub const NONE: Subnet = Subnet { len: 0, head: 0, first: 0, second: 0, last: 0 };

    /// Reads the option that begins at `at`, all of which is known to be in the packet. One that breaks a rule is [`Reason::Edns`].
    #[inline(always)]
    pub fn read(packet: &mut impl Packet, at: usize) -> Result<Self, Reason> {
        let len = checked(packet, at)?;
        packet.forget();
        let at = packet.blur::<1024>(at);
        // Sums of two unknown numbers are hidden from the compiler, which may else check one and use another that is equal; the verifier does not see that they are.
        let count = packet.blur::<32>(len.saturating_sub(HEAD));
        let near = packet.blur::<16>(count.min(8));
        let far = packet.blur::<32>(count.max(8));
        let head: u64 = packet.read(at).or_refuse(Reason::Edns)?;
        let first: u64 = packet.read(black_box(at + near)).or_refuse(Reason::Edns)?;
        let last: u64 = packet.read(black_box(at + count)).or_refuse(Reason::Edns)?;
        // Shifts by the octets that are missing: in halves, since they may be all.
        let (near, far) = ((4 * (8 - near)) & 63, (4 * (16 - far)) & 63);
        Ok(Subnet {
            len: packet.blur::<32>(len),
            head,
            first: first >> near >> near,
            second: last >> far >> far,
            last,
        })
    }

    /// The client; nobody where the option says nothing of it.
    #[inline(always)]
    pub fn client(&self) -> Client {
        let family = if self.len > HEAD { family(self.head) } else { 0 };
        match family {
            0 => Client::NOBODY,
            V4 => Client::v4(self.first as u32),
            _ => Client::v6([self.first, self.second]),
        }
    }

    /// Octets of the option; 0 where there is none.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The option with this scope, at most 128.
    #[inline(always)]
    #[must_use]
    pub fn with_scope(self, scope: u32) -> Self {
        Subnet { head: self.head | u64::from(scope) << 56, ..self }
    }

    /// Its sum, at an even place of the OPT, in which it begins at an odd one. Below 2^25, as what is shifted later must be.
    #[inline(always)]
    pub fn sum(&self) -> Sum {
        let sum = Sum::of(self.head).and64(self.first).and64(self.second);
        Sum::default().and(sum.folded()).shifted(true)
    }

    /// Writes it at `at`, if there is one: its end first, whose eight octets may begin before the address.
    #[inline(always)]
    pub fn write(&self, packet: &mut impl Packet, at: usize) -> Option<()> {
        if self.len == 0 {
            return Some(());
        }
        let count = (self.len - HEAD) & 31;
        packet.write(black_box(at + count), self.last)?;
        if count > 8 {
            packet.write(at + HEAD, self.first)?;
        }
        packet.write(at, self.head)
    }
}

const V4: u16 = 1u16.to_be();

#[inline(always)]
fn family(head: u64) -> u16 {
    (head >> 32) as u16
}

/// The length of the option at `at`: family known, prefix no longer than its addresses, as many octets as it needs, none of its bits beyond it, no scope.
#[inline(always)]
fn checked(packet: &impl Packet, at: usize) -> Result<usize, Reason> {
    let head: u64 = packet.read(at).or_refuse(Reason::Edns)?;
    let len = usize::from(((head >> 16) as u16).swap_bytes()) + 4;
    if !(HEAD..=HEAD + LONGEST).contains(&len) {
        return Reason::Edns.refuse();
    }
    let last: u64 = packet.read(black_box(at + (len - HEAD))).or_refuse(Reason::Edns)?;
    let prefix = (head >> 48) as u32 & 255;
    let beyond = (1u32 << (prefix.wrapping_neg() & 7)) - 1;
    let family = u32::from(family(head).swap_bytes());
    // 32 of the first family, 128 of the second.
    let most = 8 << ((2 * family) & 31);
    let is_right = family.wrapping_sub(1) < 2
        && head >> 56 == 0
        && prefix <= most
        && len - HEAD == (prefix as usize + 7) >> 3
        && (last >> 56) as u32 & beyond == 0;
    match is_right {
        true => Ok(len),
        false => Reason::Edns.refuse(),
    }
}
