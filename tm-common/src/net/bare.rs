//! A message without a network around it, as sockets hand it over.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Headers, Start, address};
use crate::{
    dns,
    limit::Prefix,
    packet::Packet,
    place::Client,
    sum::Sum,
    tables::{Address, Lookup, v4_mapped},
};

/// What a socket hands over: a message without a network around it. In front of it stands the client's address, and the most octets that the client
/// takes whatever its question says.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Bare {
    start: BareStart,
    dns: dns::Header,
}

/// What stands in front of the message: as long as an address and a UDP header.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct BareStart {
    client: [u32; 4],
    limit: [u32; 2],
}

/// Octets in front of the message behind a [`Bare`].
pub const BARE: usize = size_of::<BareStart>();

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

impl Start for BareStart {
    fn is_plain(&self) -> bool {
        true
    }
    fn target_port(&self) -> u16 {
        0
    }
    fn target(&self) -> Address {
        [0; 2]
    }
}

impl Headers for Bare {
    type Start = BareStart;
    const IP: usize = 16;
    const KIND: u16 = 0;
    const CHECKED: bool = false;

    fn source(&self) -> Address {
        address(&self.start.client)
    }
    fn client(&self) -> Client {
        let mapped = self.source();
        match v4_mapped((mapped[1] >> 32) as u32) == mapped {
            true => Client::v4((mapped[1] >> 32) as u32),
            false => Client::v6(mapped),
        }
    }
    fn prefix(&self) -> Prefix {
        Prefix::of(&self.source())
    }
    fn is_anybodys(&self) -> bool {
        self.start.limit[0] == 0
    }
    fn source_port(&self) -> u16 {
        0
    }
    fn fills(&self, _: usize) -> bool {
        true
    }
    fn is_martian(&self) -> bool {
        false
    }
    fn is_intact(&self, _: Sum) -> bool {
        true
    }
    fn dns(&self) -> &dns::Header {
        &self.dns
    }
    fn reply(&self, _: usize, dns: dns::Header, _: Sum) -> Self {
        Bare { dns, ..*self }
    }
    fn limit(&self, limit: u16) -> usize {
        usize::from(limit.max(self.start.limit[0] as u16))
    }
    fn is_for_us(_: &impl Packet, _: &impl Lookup) -> bool {
        true
    }
    fn turn_link(_: &mut impl Packet) -> Option<()> {
        Some(())
    }
}
