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

use network_types::{
    eth::{EthHdr, EtherType},
    ip::{IpProto, Ipv4Hdr, Ipv6Hdr},
    udp::UdpHdr,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    dns,
    packet::{Packet, Plain},
    sum::Sum,
    tables::{Address, Lookup, v4_mapped},
    verdict::{OrRefuse as _, Reason},
};

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
const PROTOCOL: u8 = IpProto::Udp as u8;
/// Time to live and hop limit of replies.
const TTL: u8 = 64;

/// What follows the Ethernet header and its tags, and where. Tags are at most two, each with an id that is listed; they are read where `FULL` says so.
#[inline(always)]
pub fn link<const FULL: bool>(packet: &impl Packet, tables: &impl Lookup) -> Result<(u16, usize), Reason> {
    let kind: u16 = packet.read(12).or_refuse(Reason::Short)?;
    if kind != VLAN && kind != SERVICE_VLAN {
        return Ok((kind, EthHdr::LEN));
    }
    if !tables.has_vlans() {
        return Reason::Vlan.refuse();
    }
    if !FULL {
        return Reason::Full.refuse();
    }
    let (kind, at) = untag(packet, tables, EthHdr::LEN)?;
    if kind != VLAN {
        return Ok((kind, at));
    }
    untag(packet, tables, at)
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

/// Is either address of the link one of a group? Nothing is sent to a group, and what came to one is the stack's.
#[inline(always)]
fn is_group(packet: &impl Packet) -> Option<bool> {
    let [first, second]: [u32; 2] = packet.read(0)?;
    Some((first | second >> 16) & 1 != 0)
}

/// Exchanges source and target of the link.
#[inline(always)]
fn turn_link(packet: &mut impl Packet) -> Option<()> {
    let [a, b, c]: [u32; 3] = packet.read(0)?;
    packet.write(0, [b >> 16 | c << 16, c >> 16 | a << 16, a >> 16 | b << 16])
}

/// Source and target port; length and checksum.
type Udp = [u32; 2];

/// All headers of a datagram, as words in memory order.
pub trait Headers: Plain {
    /// Octets of the IP header.
    const IP: usize;
    /// Did it come over a network, whose every rule is ours to check? Else a socket has checked them.
    const CHECKED: bool = true;
    /// Is it plain UDP: no fragment, no options, no extension headers?
    fn is_plain(&self) -> bool;
    /// Do IP and UDP both say that the datagram fills all `size` octets from the IP header on?
    fn fills(&self, size: usize) -> bool;
    /// Who asks, IPv4 as IPv6 sees it.
    fn source(&self) -> Address;
    /// Who is asked, IPv4 as IPv6 sees it.
    fn target(&self) -> Address;
    /// Can the target be one that is served? The tables hold IPv4 addresses as `::ffff:0:0/96`, and empty places as `::`: over IPv6 nobody has these.
    #[inline(always)]
    fn has_target(&self) -> bool {
        true
    }
    /// Is the source one that no host may have: loopback, group, unspecified, reserved, or IPv4 in IPv6's clothes?
    fn is_martian(&self) -> bool;
    /// Are the checksums right, everything after the DNS header summing to `rest`?
    fn is_intact(&self, rest: Sum) -> bool;
    /// The UDP header.
    fn udp(&self) -> &Udp;
    /// The DNS header.
    fn dns(&self) -> &dns::Header;
    /// The headers of the reply: `payload` octets of UDP, everything after the DNS header summing to `rest`.
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self;

    /// Octets of DNS that the client takes, if its question says `asked`.
    #[inline(always)]
    fn limit(&self, asked: u16) -> usize {
        usize::from(asked)
    }
    /// Is it addressed to or from a group on the link?
    #[inline(always)]
    fn is_group(packet: &impl Packet) -> bool {
        is_group(packet).unwrap_or(true)
    }
    /// Turns what lies before the IP header around.
    #[inline(always)]
    fn turn_link(packet: &mut impl Packet) -> Option<()> {
        turn_link(packet)
    }
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
    udp: Udp,
    dns: dns::Header,
}

/// IPv6, UDP, DNS.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct V6 {
    first: u32,
    second: u32,
    source: [u32; 4],
    target: [u32; 4],
    udp: Udp,
    dns: dns::Header,
}
const _: () =
    assert!(size_of::<V4>() == Ipv4Hdr::LEN + UDP + 12 && size_of::<V6>() == Ipv6Hdr::LEN + UDP + 12);

impl Headers for V4 {
    const IP: usize = Ipv4Hdr::LEN;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        // More fragments, offset and the reserved bit; don't-fragment is free.
        const FRAGMENT: u32 = u32::from_le_bytes([0, 0, 0xbf, 0xff]);
        self.first as u8 == 0x45 && self.fragment & FRAGMENT == 0 && (self.protocol >> 8) as u8 == PROTOCOL
    }
    #[inline(always)]
    fn fills(&self, size: usize) -> bool {
        let udp = (self.udp[1] as u16).swap_bytes();
        usize::from(((self.first >> 16) as u16).swap_bytes()) == size && usize::from(udp) + Self::IP == size
    }
    #[inline(always)]
    fn source(&self) -> Address {
        v4_mapped(self.source)
    }
    #[inline(always)]
    fn target(&self) -> Address {
        v4_mapped(self.target)
    }
    #[inline(always)]
    fn is_martian(&self) -> bool {
        matches!(self.source as u8, 0 | 127 | 224..)
    }
    #[inline(always)]
    fn is_intact(&self, rest: Sum) -> bool {
        let addresses = Sum::default().and(self.source).and(self.target);
        addresses.and(self.first).and(self.fragment).and(self.protocol).is_right()
            && (self.udp[1] >> 16 == 0 || datagram(&self.udp, &self.dns, addresses.plus(rest)).is_right())
    }
    #[inline(always)]
    fn udp(&self) -> &Udp {
        &self.udp
    }
    #[inline(always)]
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    #[inline(always)]
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self {
        const FIRST: u32 = u32::from_le_bytes([0x45, 0, 0, 0]);
        const DONT_FRAGMENT: u32 = u32::from_le_bytes([0, 0, 0x40, 0]);
        const LAST: u32 = u32::from_le_bytes([TTL, PROTOCOL, 0, 0]);
        let first = FIRST | u32::from(((Self::IP + payload) as u16).to_be()) << 16;
        let addresses = Sum::default().and(self.source).and(self.target);
        let checksum = addresses.and(first).and(DONT_FRAGMENT).and(LAST).checksum();
        V4 {
            first,
            fragment: DONT_FRAGMENT,
            protocol: LAST | u32::from(checksum) << 16,
            source: self.target,
            target: self.source,
            udp: turn_udp(&self.udp, payload, &dns, rest.plus(addresses)),
            dns,
        }
    }
}

impl Headers for V6 {
    const IP: usize = Ipv6Hdr::LEN;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.first as u8 & 0xf0 == 0x60 && (self.second >> 16) as u8 == PROTOCOL
    }
    #[inline(always)]
    fn fills(&self, size: usize) -> bool {
        let payload = self.second as u16;
        payload == self.udp[1] as u16 && usize::from(payload.swap_bytes()) + Self::IP == size
    }
    #[inline(always)]
    fn source(&self) -> Address {
        address(&self.source)
    }
    #[inline(always)]
    fn target(&self) -> Address {
        address(&self.target)
    }
    #[inline(always)]
    fn has_target(&self) -> bool {
        self.target[0] | self.target[1] != 0
    }
    #[inline(always)]
    fn is_martian(&self) -> bool {
        const MAPPED: u32 = u32::from_le_bytes([0, 0, 0xff, 0xff]);
        let [a, b, c, _] = self.source;
        // ::, ::1 and all of ::/96 (RFC 4291, section 2.5.5.1, deprecates its use), ::ffff:0:0/96, ff00::/8.
        a as u8 == 0xff || (a | b == 0 && (c == 0 || c == MAPPED))
    }
    #[inline(always)]
    fn is_intact(&self, rest: Sum) -> bool {
        // RFC 8200, section 8.1: a zero checksum is not allowed over IPv6.
        self.udp[1] >> 16 != 0 && datagram(&self.udp, &self.dns, rest.plus(self.addresses())).is_right()
    }
    #[inline(always)]
    fn udp(&self) -> &Udp {
        &self.udp
    }
    #[inline(always)]
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    #[inline(always)]
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self {
        const FIRST: u32 = u32::from_le_bytes([0x60, 0, 0, 0]);
        const SECOND: u32 = u32::from_le_bytes([0, 0, PROTOCOL, TTL]);
        V6 {
            first: FIRST,
            second: SECOND | u32::from((payload as u16).to_be()),
            source: self.target,
            target: self.source,
            udp: turn_udp(&self.udp, payload, &dns, rest.plus(self.addresses())),
            dns,
        }
    }
}

impl V6 {
    #[inline(always)]
    fn addresses(&self) -> Sum {
        [self.source, self.target].as_flattened().iter().fold(Sum::default(), |sum, word| sum.and(*word))
    }
}

/// What a socket hands over: a message without a network around it. In front of it the client's address takes the place of an IP header, and the most
/// octets that the client takes those of the UDP ports.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Bare {
    client: [u32; 4],
    udp: Udp,
    dns: dns::Header,
}

/// Octets in front of the message behind a [`Bare`].
pub const BARE: usize = size_of::<Bare>() - size_of::<dns::Header>();

impl Bare {
    /// What to put in front of a message from `client`, who takes `limit` octets whatever its question says (0 over UDP).
    pub fn prefix(client: core::net::IpAddr, limit: u16) -> [u8; BARE] {
        let client = match client {
            core::net::IpAddr::V4(address) => address.to_ipv6_mapped(),
            core::net::IpAddr::V6(address) => address,
        };
        let mut prefix = [0; BARE];
        let (address, rest) = prefix.split_at_mut(16);
        address.copy_from_slice(&client.octets());
        for (to, from) in rest.iter_mut().zip(limit.to_le_bytes()) {
            *to = from;
        }
        prefix
    }
}

impl Headers for Bare {
    const IP: usize = 16;
    const CHECKED: bool = false;

    fn is_plain(&self) -> bool {
        true
    }
    fn fills(&self, _: usize) -> bool {
        true
    }
    fn source(&self) -> Address {
        address(&self.client)
    }
    fn target(&self) -> Address {
        [0; 2]
    }
    fn is_martian(&self) -> bool {
        false
    }
    fn is_intact(&self, _: Sum) -> bool {
        true
    }
    fn udp(&self) -> &Udp {
        &self.udp
    }
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    fn reply(&self, _: usize, dns: dns::Header, _: Sum) -> Self {
        Bare { dns, ..*self }
    }
    fn limit(&self, asked: u16) -> usize {
        usize::from(asked.max(self.udp[0] as u16))
    }
    fn is_group(_: &impl Packet) -> bool {
        false
    }
    fn turn_link(_: &mut impl Packet) -> Option<()> {
        Some(())
    }
}

/// The port that a datagram is for, in memory order.
#[inline(always)]
pub fn target_port(udp: &Udp) -> u16 {
    (udp[0] >> 16) as u16
}

/// The port that it is from.
#[inline(always)]
pub fn source_port(udp: &Udp) -> u16 {
    udp[0] as u16
}

#[inline(always)]
fn address(words: &[u32; 4]) -> Address {
    let [a, b, c, d] = words.map(u64::from);
    [a | b << 32, c | d << 32]
}

/// The sum of a datagram with its pseudo header, addresses and what follows the DNS header summing to `others`.
#[inline(always)]
fn datagram(udp: &Udp, dns: &dns::Header, others: Sum) -> Sum {
    let [ports, rest] = *udp;
    others.plus(dns::sum(dns)).and(ports).and(rest).and(rest as u16).and(u16::from(PROTOCOL).to_be())
}

/// The UDP header of a reply of `len` octets, addresses and what follows the DNS header summing to `others`.
#[inline(always)]
fn turn_udp(request: &Udp, len: usize, dns: &dns::Header, others: Sum) -> Udp {
    let len = u32::from((len as u16).to_be());
    let ports = request[0].rotate_right(16);
    let udp = [ports, len];
    [ports, len | u32::from(datagram(&udp, dns, others).udp()) << 16]
}
