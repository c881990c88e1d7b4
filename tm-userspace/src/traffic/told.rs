//! One answer that is told of: by XDP as a frame, by the sockets as a message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::{
    op::Message,
    rr::rdata::opt::{EdnsCode, EdnsOption},
};
use network_types::{
    eth::{EthHdr, EtherType},
    ip::{Ipv4Hdr, Ipv6Hdr},
    udp::UdpHdr,
};
use tm_common::sample::Head;

use super::Network;
use crate::{names::DnsName, places::is_private};

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which tables it came from: their [`hash_seed`](crate::sync::Image::hash_seed).
    pub tables: u64,
    /// What counted it there.
    pub counter: u32,
    /// It stands for so many.
    pub count: u32,
    /// To whom it went.
    pub client: SocketAddr,
    /// The reply.
    pub message: Vec<u8>,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name that was asked for.
    pub name: DnsName,
    /// Who asked.
    pub network: Network,
}

/// A reply in the frame that it left in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// To whom it went.
    pub client: SocketAddr,
    /// From where.
    pub server: SocketAddr,
    /// What it says.
    pub message: &'a [u8],
}

impl Told {
    /// A sample of the programs that read the tables `tables`.
    pub fn of_sample(tables: u64, head: &Head, reply: &Reply<'_>) -> Self {
        let Reply { client, message, .. } = *reply;
        Told { tables, counter: head.counter, count: head.one_in, client, message: message.to_vec() }
    }

    /// What the reply says.
    pub fn asked(&self) -> Option<Asked> {
        let message = Message::from_vec(&self.message).ok()?;
        let name = DnsName::from_hickory(message.queries.first()?.name());
        let subnet = message.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Subnet)? {
            EdnsOption::Subnet(subnet) => Some((subnet.addr(), subnet.source_prefix())),
            _ => None,
        });
        // As the engine has it: an option that names nobody, or somebody who may be anywhere, does not count.
        let subnet = subnet.filter(|(address, length)| *length > 0 && !is_private(*address));
        let network = match subnet {
            Some((address, length)) => Network::of(address, length),
            None => Network::of(self.client.ip(), u8::MAX),
        };
        Some(Asked { name, network })
    }
}

impl<'a> Reply<'a> {
    /// There may be VLAN tags; what the engine writes has neither options nor extension headers. `None` where the frame is shorter than that.
    pub fn in_frame(frame: &'a [u8]) -> Option<Self> {
        let mut at = EthHdr::LEN - 2;
        let kind = loop {
            let kind = u16::from_be_bytes(read(frame, at)?);
            at += 2;
            match kind {
                0x8100 | 0x88a8 => at += 2,
                kind => break kind,
            }
        };
        let (server, client, udp): (IpAddr, IpAddr, usize) = if kind.to_be() == EtherType::Ipv4 as u16 {
            let address = |at| Some(Ipv4Addr::from(read::<4>(frame, at)?).into());
            (address(at + 12)?, address(at + 16)?, at + Ipv4Hdr::LEN)
        } else {
            let address = |at| Some(Ipv6Addr::from(read::<16>(frame, at)?).into());
            (address(at + 8)?, address(at + 24)?, at + Ipv6Hdr::LEN)
        };
        let port = |at| Some(u16::from_be_bytes(read(frame, at)?));
        Some(Reply {
            client: SocketAddr::new(client, port(udp + 2)?),
            server: SocketAddr::new(server, port(udp)?),
            message: frame.get(udp + UdpHdr::LEN..)?,
        })
    }
}

fn read<const LENGTH: usize>(frame: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    frame.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::{Edns, MessageType, OpCode, Query},
        rr::{Name, RecordType, rdata::opt::ClientSubnet},
    };

    use super::*;
    use crate::xdp::frame::frame;

    fn reply(subnet: Option<(&str, u8)>) -> Vec<u8> {
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii("Web.TM.example.").unwrap(), RecordType::A));
        if let Some((address, length)) = subnet {
            let mut edns = Edns::new();
            let subnet = ClientSubnet::new(address.parse().unwrap(), length, 0);
            edns.options_mut().insert(EdnsOption::Subnet(subnet));
            message.set_edns(edns);
        }
        message.to_vec().unwrap()
    }

    fn told(client: &str, server: &str, message: &[u8]) -> Told {
        // A reply's source is the server: whoever `frame` calls the client.
        let reply = frame(message, [2; 6], (server.parse().unwrap(), 53), (client.parse().unwrap(), 5353));
        let head = Head { counter: 30, one_in: 100, lost: 0, length: 0 };
        Told::of_sample(9, &head, &Reply::in_frame(&reply.unwrap()).unwrap())
    }

    fn network(client: &str, server: &str, subnet: Option<(&str, u8)>) -> String {
        let Asked { name, network: Network(address, length) } =
            told(client, server, &reply(subnet)).asked().unwrap();
        assert_eq!(name.to_string(), "web.tm.example");
        format!("{address}/{length}")
    }

    #[test]
    fn a_reply_says_who_asked_for_what() {
        let of = |subnet| network("198.51.100.7", "10.0.0.1", subnet);
        assert_eq!(of(None), "198.51.100.0/24");
        assert_eq!(of(Some(("192.0.2.128", 25))), "192.0.2.0/24");
        assert_eq!(of(Some(("192.0.0.0", 16))), "192.0.0.0/16");
        assert_eq!(of(Some(("2001:db8:7::", 56))), "2001:db8:7::/48");
        assert_eq!(of(Some(("0.0.0.0", 0))), "198.51.100.0/24");
        assert_eq!(of(Some(("10.1.2.0", 24))), "198.51.100.0/24", "which may be anywhere");
        assert_eq!(network("2001:db8:1:2::3", "fd53::1", None), "2001:db8:1::/48");
    }

    #[test]
    fn a_frame_is_read_behind_its_tags() {
        let message = reply(None);
        let whole = told("198.51.100.7", "10.0.0.1", &message);
        assert_eq!((whole.tables, whole.counter, whole.count), (9, 30, 100));
        assert_eq!((whole.client, &whole.message), ("198.51.100.7:5353".parse().unwrap(), &message));
        let plain = frame(
            &message,
            [2; 6],
            ("10.0.0.1".parse().unwrap(), 53),
            ("198.51.100.7".parse().unwrap(), 5353),
        )
        .unwrap();
        let tags = [0x88, 0xa8, 0, 5, 0x81, 0, 0, 7];
        let tagged = [&plain[..12], &tags, &plain[12..]].concat();
        assert_eq!(Reply::in_frame(&tagged), Reply::in_frame(&plain));
        let reply = Reply::in_frame(&plain).unwrap();
        assert_eq!(reply.server, "10.0.0.1:53".parse().unwrap());
        assert_eq!(reply.client, "198.51.100.7:5353".parse().unwrap());
        for length in 0..plain.len() - message.len() {
            assert_eq!(Reply::in_frame(&plain[..length]), None, "{length}");
        }
    }
}
