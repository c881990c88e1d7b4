//! Addresses that are placed otherwise than by where they lie.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tm_common::place::Inner;

use crate::prefix::network;

/// Addresses that do not tell where a client is: private, shared, loopback and link-local ones (RFC 1918, 6598, 1122, 3927).
pub(super) const PRIVATE_V4: [(Ipv4Addr, u8); 6] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];

/// The same in IPv6 (RFC 4193, 4291).
pub(super) const PRIVATE_V6: [(Ipv6Addr, u8); 2] =
    [(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)];

/// Does an address not tell where its owner is?
pub fn is_private(address: IpAddr) -> bool {
    let within = |first: IpAddr, length| network(address, length) == first;
    match address {
        IpAddr::V4(_) => PRIVATE_V4.iter().any(|(first, length)| within((*first).into(), *length)),
        IpAddr::V6(_) => PRIVATE_V6.iter().any(|(first, length)| within((*first).into(), *length)),
    }
}

/// Prefixes whose addresses hold an IPv4 address.
pub const EMBEDDING: [(Ipv6Addr, u8, Inner); 4] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Inner::Last),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Inner::Last),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Inner::Turned),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Inner::Second),
];

/// The IPv4 address that stands there in one of IPv6, and how many bits stand before it.
pub(super) fn inner(address: Ipv6Addr, inner: Inner) -> (Ipv4Addr, u8) {
    let bits = address.to_bits();
    match inner {
        Inner::Last => (Ipv4Addr::from(bits as u32), 96),
        Inner::Turned => (Ipv4Addr::from(!(bits as u32)), 96),
        Inner::Second => (Ipv4Addr::from((bits >> 80) as u32), 16),
    }
}
