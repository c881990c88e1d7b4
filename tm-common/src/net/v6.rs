//! IPv6 and UDP.

use network_types::ip::Ipv6Hdr;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Headers, Start, TTL, UDP_PROTOCOL, address, datagram, turn_udp};
use crate::{dns, limit::Prefix, place::Client, sum::Sum, tables::Address};

/// IPv6, and UDP: in words as long as can be.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct V6Start {
    first: u32,
    second: u32,
    source: Address,
    target: Address,
    source_port: u16,
    target_port: u16,
    length: u16,
    checksum: u16,
}

/// IPv6, UDP, DNS.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct V6 {
    first: u32,
    second: u32,
    source: [u32; 4],
    target: [u32; 4],
    ports: u32,
    length: u32,
    dns: dns::Header,
}
impl Start for V6Start {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.first as u8 & 0xf0 == 0x60 && (self.second >> 16) as u8 == UDP_PROTOCOL
    }
    #[inline(always)]
    fn target_port(&self) -> u16 {
        self.target_port
    }
    #[inline(always)]
    fn target(&self) -> Address {
        self.target
    }
    #[inline(always)]
    fn has_target(&self) -> bool {
        self.target[0] != 0
    }
}

impl Headers for V6 {
    type Start = V6Start;
    const IP: usize = Ipv6Hdr::LEN;
    const KIND: u16 = super::IPV6;

    #[inline(always)]
    fn source(&self) -> Address {
        address(&self.source)
    }
    #[inline(always)]
    fn client(&self) -> Client {
        Client::v6(self.source())
    }
    #[inline(always)]
    fn prefix(&self) -> Prefix {
        Prefix::v6(self.source()[0])
    }
    #[inline(always)]
    fn source_port(&self) -> u16 {
        self.ports as u16
    }
    #[inline(always)]
    fn fills(&self, size: usize) -> bool {
        let payload = self.second as u16;
        payload == self.length as u16 && usize::from(payload.swap_bytes()) + Self::IP == size
    }
    #[inline(always)]
    fn is_martian(&self) -> bool {
        const MAPPED: u32 = u32::from_le_bytes([0, 0, 0xff, 0xff]);
        let [a, b, c, _] = self.source;
        // ::, ::1 and all of ::/96 (RFC 4291, section 2.5.5.1, deprecates its use), ::ffff:0:0/96, ff00::/8.
        a as u8 == 0xff || (a | b == 0 && (c == 0 || c == MAPPED))
    }
    #[inline(always)]
    fn common(&self) -> Sum {
        [self.source, self.target].as_flattened().iter().fold(Sum::default(), |sum, word| sum.and(*word))
    }
    #[inline(always)]
    fn is_intact(&self, rest: Sum) -> bool {
        // RFC 8200, section 8.1: a zero checksum is not allowed over IPv6.
        self.length >> 16 != 0 && datagram(self.ports, self.length, &self.dns, rest).is_right()
    }
    #[inline(always)]
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    #[inline(always)]
    fn reply(&self, payload: usize, dns: dns::Header, rest: Sum) -> Self {
        const FIRST: u32 = u32::from_le_bytes([0x60, 0, 0, 0]);
        const SECOND: u32 = u32::from_le_bytes([0, 0, UDP_PROTOCOL, TTL]);
        let (ports, length) = turn_udp(self.ports, payload, &dns, rest);
        V6 {
            first: FIRST,
            second: SECOND | u32::from((payload as u16).to_be()),
            source: self.target,
            target: self.source,
            ports,
            length,
            dns,
        }
    }
}
