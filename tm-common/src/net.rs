//! Ethernet, VLAN tags, IPv4, IPv6 and UDP: what is accepted, and how a request's headers become its reply's.
//!
//! The XDP hook sits before every check that the kernel's stack makes, so a request that is answered here must be one that the stack
//! would have delivered: whole, right in its sums, from somebody who may be answered ([RFC 1122, section 3.2.1],
//! [RFC 8200], [RFC 768]).
//!
//! All headers from IP to DNS are read and written as one block of words: one bounds check, and the compiler picks the words it uses.
//!
//! [RFC 1122, section 3.2.1]: https://www.rfc-editor.org/rfc/rfc1122#section-3.2.1
//! [RFC 8200]: https://www.rfc-editor.org/rfc/rfc8200
//! [RFC 768]: https://www.rfc-editor.org/rfc/rfc768

mod bare;
mod v6;

use network_types::{
    eth::{EthHdr, EtherType},
    ip::{IpProto, Ipv4Hdr, Ipv6Hdr},
    udp::UdpHdr,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    dns,
    limit::Prefix,
    packet::{Packet, Plain},
    place::Client,
    sum::Sum,
    tables::{Address, Lookup, v4_mapped},
    verdict::{OrRefuse as _, Reason},
};

pub use bare::{BARE, Bare, BareStart};
pub use v6::{V6, V6Start};

/// Ethernet type of IPv4, in memory order.
pub const IPV4: u16 = EtherType::Ipv4 as u16;
/// Ethernet type of IPv6, in memory order.
pub const IPV6: u16 = EtherType::Ipv6 as u16;
const VLAN: u16 = EtherType::Ieee8021q as u16;
const SERVICE_VLAN: u16 = EtherType::Ieee8021ad as u16;
/// Octets of a VLAN tag.
const TAG: usize = 4;
/// Octets of a UDP header.
pub const UDP: usize = UdpHdr::LEN;
/// IP's number of UDP.
pub const UDP_PROTOCOL: u8 = IpProto::Udp as u8;
/// Time to live and hop limit of replies.
const TTL: u8 = 64;

/// Octets of an Ethernet header without tags.
pub const LINK: usize = EthHdr::LEN;
/// Where in it the type stands.
pub const KIND: usize = LINK - 2;

/// What follows the Ethernet header and its tags, and where. Tags are at most two, each with an id that is listed.
#[inline(always)]
pub fn link(packet: &impl Packet, tables: &impl Lookup) -> Result<(u16, usize), Reason> {
    let kind: u16 = packet.read(KIND).or_refuse(Reason::Short)?;
    if !is_tag(kind) {
        return Ok((kind, LINK));
    }
    let (kind, at) = match untag(packet, tables, LINK)? {
        (VLAN, at) => untag(packet, tables, at)?,
        link => link,
    };
    // A third one, or one of a provider's inside another.
    if is_tag(kind) { Reason::Vlan.refuse() } else { Ok((kind, at)) }
}

/// Is it the type of a VLAN tag?
#[inline(always)]
pub fn is_tag(kind: u16) -> bool {
    kind == VLAN || kind == SERVICE_VLAN
}

/// Steps over the tag at `at`: its id, in the low twelve bits, then the type of what follows.
#[inline(always)]
fn untag(packet: &impl Packet, tables: &impl Lookup, at: usize) -> Result<(u16, usize), Reason> {
    let tag: u32 = packet.read(at).or_refuse(Reason::Short)?;
    match tables.vlan((tag as u16).swap_bytes() & 0xfff) {
        true => Ok(((tag >> 16) as u16, at + TAG)),
        false => Reason::Vlan.refuse(),
    }
}

/// Is it for our card, and from no group? Nothing is sent to a group, and what came to one, or to others, is the stack's.
#[inline(always)]
fn is_for_us(packet: &impl Packet, tables: &impl Lookup) -> Option<bool> {
    Some(tables.link().passes(packet.read(0)?))
}

/// Exchanges source and target of the link.
#[inline(always)]
fn turn_link(packet: &mut impl Packet) -> Option<()> {
    let [a, b, c, d, e, f]: [u16; 6] = packet.read(0)?;
    packet.write(0, [d, e, f, a, b, c])
}

/// The headers of a datagram as far as its ports: by these, most of what is not ours is told.
pub trait Start: Plain {
    /// Is it plain UDP: no fragment, no options, no extension headers?
    fn is_plain(&self) -> bool;
    /// The UDP port that it is for, in memory order.
    fn target_port(&self) -> u16;
    /// Who is asked, IPv4 as IPv6 sees it.
    fn target(&self) -> Address;
    /// Can the target be one that is served? The tables hold IPv4 addresses as `::ffff:0:0/96`, and empty places as `::`: over IPv6 nobody has these.
    #[inline(always)]
    fn has_target(&self) -> bool {
        true
    }
}

/// All headers of a datagram, as words in memory order.
pub trait Headers: Plain {
    /// Their beginning, which is read first and alone.
    type Start: Start;
    /// Octets of the IP header.
    const IP: usize;
    /// Their Ethernet type, in memory order.
    const KIND: u16;
    /// Did it come over a network, whose every rule is ours to check? Else a socket has checked them.
    const CHECKED: bool = true;
    /// Who asks, IPv4 as IPv6 sees it.
    fn source(&self) -> Address;
    /// Who asks, to be placed.
    fn client(&self) -> Client;
    /// Whom answers to it are counted for.
    fn prefix(&self) -> Prefix;
    /// Could anybody have sent it, whoever it says it is from?
    #[inline(always)]
    fn is_anybodys(&self) -> bool {
        true
    }
    /// The UDP port that the question is from.
    fn source_port(&self) -> u16;
    /// Do IP and UDP both say that the datagram fills all `size` octets from the IP header on?
    fn fills(&self, size: usize) -> bool;
    /// Is the source one that no host may have: loopback, group, unspecified, reserved, or IPv4 in IPv6's clothes?
    fn is_martian(&self) -> bool;
    /// What counts in the sums of request and reply alike, if it is dear: the addresses of IPv6.
    #[inline(always)]
    fn common(&self) -> Sum {
        Sum::default()
    }
    /// Are the checksums right, everything after the DNS header and what is common summing to `rest`?
    fn is_intact(&self, rest: Sum) -> bool;
    /// The DNS header.
    fn dns(&self) -> &dns::Header;
    /// The headers of the reply: `payload` octets of UDP, everything after the DNS header and what is common summing to `rest`.
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self;

    /// Octets of the longest reply, if it may have `limit` over UDP.
    #[inline(always)]
    fn limit(&self, limit: u16) -> usize {
        usize::from(limit)
    }
    /// Is it, on the link, to our card and from no group?
    #[inline(always)]
    fn is_for_us(packet: &impl Packet, tables: &impl Lookup) -> bool {
        is_for_us(packet, tables).unwrap_or(false)
    }
    /// Turns what lies before the IP header around.
    #[inline(always)]
    fn turn_link(packet: &mut impl Packet) -> Option<()> {
        turn_link(packet)
    }
}

/// IPv4 without options, and ports: in words as long as can be.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct V4Start {
    fragment: u64,
    protocol: u64,
    target: u32,
    source_port: u16,
    target_port: u16,
}

/// IPv4 without options, UDP, DNS.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct V4 {
    first: u32,
    fragment: u32,
    protocol: u32,
    source: u32,
    target: u32,
    ports: u32,
    length: u32,
    dns: dns::Header,
}

const _: () =
    assert!(size_of::<V4>() == Ipv4Hdr::LEN + UDP + 12 && size_of::<V6>() == Ipv6Hdr::LEN + UDP + 12);

impl Start for V4Start {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        // Version 4 and five words; more fragments, offset and the reserved bit, but don't-fragment is free.
        const MASK: u64 = u64::from_le_bytes([0xff, 0, 0, 0, 0, 0, 0xbf, 0xff]);
        self.fragment & MASK == 0x45 && (self.protocol >> 8) as u8 == UDP_PROTOCOL
    }
    #[inline(always)]
    fn target_port(&self) -> u16 {
        self.target_port
    }
    #[inline(always)]
    fn target(&self) -> Address {
        v4_mapped(self.target)
    }
}

impl Headers for V4 {
    type Start = V4Start;
    const IP: usize = Ipv4Hdr::LEN;
    const KIND: u16 = IPV4;

    #[inline(always)]
    fn source(&self) -> Address {
        v4_mapped(self.source)
    }
    #[inline(always)]
    fn client(&self) -> Client {
        Client::v4(self.source)
    }
    #[inline(always)]
    fn prefix(&self) -> Prefix {
        Prefix::v4(self.source)
    }
    #[inline(always)]
    fn source_port(&self) -> u16 {
        self.ports as u16
    }
    #[inline(always)]
    fn fills(&self, size: usize) -> bool {
        let udp = (self.length as u16).swap_bytes();
        usize::from(((self.first >> 16) as u16).swap_bytes()) == size && usize::from(udp) + Self::IP == size
    }
    #[inline(always)]
    fn is_martian(&self) -> bool {
        matches!(self.source as u8, 0 | 127 | 224..)
    }
    #[inline(always)]
    fn is_intact(&self, rest: Sum) -> bool {
        let addresses = Sum::default().and(self.source).and(self.target);
        addresses.and(self.first).and(self.fragment).and(self.protocol).is_right()
            && (self.length >> 16 == 0
                || datagram(self.ports, self.length, &self.dns, addresses.plus(rest)).is_right())
    }
    #[inline(always)]
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    #[inline(always)]
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self {
        const FIRST: u32 = u32::from_le_bytes([0x45, 0, 0, 0]);
        const DONT_FRAGMENT: u32 = u32::from_le_bytes([0, 0, 0x40, 0]);
        const LAST: u32 = u32::from_le_bytes([TTL, UDP_PROTOCOL, 0, 0]);
        let first = FIRST | u32::from(((Self::IP + payload) as u16).to_be()) << 16;
        let addresses = Sum::default().and(self.source).and(self.target);
        let checksum = addresses.and(first).and(DONT_FRAGMENT).and(LAST).checksum();
        let (ports, length) = turn_udp(self.ports, payload, &dns, rest.plus(addresses));
        V4 {
            first,
            fragment: DONT_FRAGMENT,
            protocol: LAST | u32::from(checksum) << 16,
            source: self.target,
            target: self.source,
            ports,
            length,
            dns,
        }
    }
}

#[inline(always)]
fn address(words: &[u32; 4]) -> Address {
    let [a, b, c, d] = words.map(u64::from);
    [a | b << 32, c | d << 32]
}

/// The sum of a datagram with its pseudo header, addresses and what follows the DNS header summing to `others`.
#[inline(always)]
fn datagram(ports: u32, length: u32, dns: &dns::Header, others: Sum) -> Sum {
    others.plus(dns::sum(dns)).and(ports).and(length).and(length as u16).and(u16::from(UDP_PROTOCOL).to_be())
}

/// Ports, and length with checksum, of a reply of `len` octets of UDP, addresses and what follows the DNS header summing to `others`.
#[inline(always)]
fn turn_udp(ports: u32, len: usize, dns: &dns::Header, others: Sum) -> (u32, u32) {
    let length = u32::from((len as u16).to_be());
    let ports = ports.rotate_right(16);
    (ports, length | u32::from(datagram(ports, length, dns, others).udp()) << 16)
}
