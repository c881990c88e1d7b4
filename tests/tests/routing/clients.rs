//! Random clients, and how they ask: themselves, or by a resolver that says something of their address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::{Strategy, prop};
use tm_tests::{
    frame::Frame,
    lab::{CLIENT_V4, CLIENT_V6, SERVER_V4, SERVER_V6},
    query::Query,
};

/// Who asks, or is said to be behind who asks.
const CLIENTS: [&str; 22] = [
    "203.0.113.7",
    "203.0.113.70",
    "203.0.113.130",
    "203.0.113.199",
    "203.0.113.250",
    "198.51.100.3",
    "198.51.7.7",
    "192.0.2.5",
    "192.0.2.70",
    "192.0.2.200",
    "198.18.0.9",
    "10.1.2.3",
    "10.9.9.9",
    "192.168.7.7",
    "8.8.8.8",
    "1.1.1.1",
    "2001:db8:1::7",
    "2001:db8:9000::7",
    "2600::7",
    "fd00::7",
    "2002:cb00:7107::1",
    "64:ff9b::c000:246",
];

/// A client and how it asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From {
    pub(crate) client: IpAddr,
    /// Asks itself; else a resolver does, which says so much of its address.
    pub(crate) subnet: Option<u8>,
}

pub(crate) fn from() -> impl Strategy<Value = From> {
    let parts = (prop::sample::select(&CLIENTS[..]), prop::option::of(1..=128u8));
    parts.prop_map(|(client, subnet)| {
        let client: IpAddr = client.parse().expect("an address");
        let bits = if client.is_ipv4() { 32 } else { 128 };
        From { client, subnet: subnet.map(|length| length.min(bits)) }
    })
}

impl From {
    /// By which address it is placed, in the end: where the option's tells nothing, by the resolver's.
    pub(crate) fn placed(&self, tells: impl Fn(IpAddr) -> bool) -> IpAddr {
        match self.subnet.map(|length| network(self.client, length)) {
            None => self.client,
            Some(behind) if tells(behind) => behind,
            Some(_) => self.resolver(),
        }
    }

    fn resolver(&self) -> IpAddr {
        match self.client {
            IpAddr::V4(_) => CLIENT_V4.into(),
            IpAddr::V6(_) => CLIENT_V6.into(),
        }
    }

    pub(crate) fn frame(&self, name: &str, qtype: u16) -> Vec<u8> {
        let mut query = Query::with_edns(name, qtype);
        if let Some(length) = self.subnet {
            let (family, octets) = match network(self.client, length) {
                IpAddr::V4(v4) => (1, v4.octets().to_vec()),
                IpAddr::V6(v6) => (2, v6.octets().to_vec()),
            };
            let mut option = vec![0, family, length, 0];
            option.extend(&octets[..usize::from(length.div_ceil(8))]);
            query.edns.get_or_insert_default().options.push((8, option));
        }
        let source = if self.subnet.is_none() { self.client } else { self.resolver() };
        let (source, server): (SocketAddr, IpAddr) = match source {
            IpAddr::V4(_) => ((source, 40_053).into(), SERVER_V4.into()),
            IpAddr::V6(_) => ((source, 40_053).into(), SERVER_V6.into()),
        };
        Frame::between(source, (server, 53).into(), query.build()).build()
    }
}

pub(crate) fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0))
                .into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0))
                .into()
        }
    }
}
