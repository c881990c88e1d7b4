//! Checks a reply frame to the last octet, apart from the engine that made it, and reads its DNS message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result, ensure};
use hickory_proto::op::Message;

use crate::frame::{UDP, checksum, udp_checksum};

/// A frame whose lengths and checksums are all right.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Ethernet destination.
    pub destination_mac: [u8; 6],
    /// Ethernet source.
    pub source_mac: [u8; 6],
    /// VLAN tags, outermost first: tag protocol and tag control.
    pub vlans: Vec<(u16, u16)>,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// IPv4's identification, and its flags and offset.
    pub fragment: Option<[u16; 2]>,
    /// IPv6's flow label.
    pub flow_label: Option<u32>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// DSCP and ECN of IPv4, traffic class of IPv6.
    pub traffic_class: u8,
    /// The DNS message as it came.
    pub payload: Vec<u8>,
    /// The DNS message as hickory-proto reads it.
    pub message: Message,
}

/// Reads a frame and checks every length and checksum in it: nothing may follow the datagram, and its checksum must be there.
pub fn check_reply(frame: &[u8]) -> Result<Reply> {
    let mut rest = Octets(frame);
    let (destination_mac, source_mac) = (rest.take()?, rest.take()?);
    let (mut vlans, mut kind) = (Vec::new(), rest.word()?);
    while matches!(kind, 0x8100 | 0x88a8) {
        vlans.push((kind, rest.word()?));
        kind = rest.word()?;
    }
    let Network { source, destination, fragment, flow_label, ttl, traffic_class } = match kind {
        0x0800 => v4(&mut rest)?,
        0x86dd => v6(&mut rest)?,
        _ => anyhow::bail!("ethertype {kind:#06x} is neither IPv4 nor IPv6"),
    };
    let (from, to, payload) = udp(rest.0, source, destination)?;
    let message = Message::from_vec(&payload).context("hickory-proto cannot read the DNS message")?;
    Ok(Reply {
        destination_mac,
        source_mac,
        vlans,
        source: SocketAddr::new(source, from),
        destination: SocketAddr::new(destination, to),
        fragment,
        flow_label,
        ttl,
        traffic_class,
        payload,
        message,
    })
}

/// What an IP header says.
struct Network {
    source: IpAddr,
    destination: IpAddr,
    fragment: Option<[u16; 2]>,
    flow_label: Option<u32>,
    ttl: u8,
    traffic_class: u8,
}

fn v4(rest: &mut Octets<'_>) -> Result<Network> {
    let packet = rest.0;
    let [first, traffic_class] = rest.take()?;
    ensure!(first == 0x45, "IPv4 header begins with {first:#04x}, not 0x45");
    let length = usize::from(rest.word()?);
    ensure!(length == packet.len(), "IPv4 total length is {length}, the packet has {} octets", packet.len());
    let fragment = [rest.word()?, rest.word()?];
    ensure!(fragment[1] & 0x3fff == 0, "the reply is a fragment ({:#06x})", fragment[1]);
    let [ttl, protocol] = rest.take()?;
    ensure!(protocol == UDP, "IPv4 protocol is {protocol}, not UDP");
    let _checksum = rest.word()?;
    let (source, destination): ([u8; 4], [u8; 4]) = (rest.take()?, rest.take()?);
    ensure!(checksum(&[&packet[..20]]) == 0, "the IPv4 header checksum is wrong");
    let (source, destination) = (Ipv4Addr::from(source).into(), Ipv4Addr::from(destination).into());
    Ok(Network { source, destination, fragment: Some(fragment), flow_label: None, ttl, traffic_class })
}

fn v6(rest: &mut Octets<'_>) -> Result<Network> {
    let [first, second, third, fourth] = rest.take()?;
    ensure!(first >> 4 == 6, "IPv6 header begins with {first:#04x}");
    let length = usize::from(rest.word()?);
    let [protocol, ttl] = rest.take()?;
    ensure!(protocol == UDP, "IPv6 next header is {protocol}, not UDP");
    let (source, destination): ([u8; 16], [u8; 16]) = (rest.take()?, rest.take()?);
    ensure!(length == rest.0.len(), "IPv6 payload length is {length}, {} octets follow", rest.0.len());
    let (source, destination) = (Ipv6Addr::from(source).into(), Ipv6Addr::from(destination).into());
    let flow_label = Some(u32::from_be_bytes([0, second & 15, third, fourth]));
    let traffic_class = first << 4 | second >> 4;
    Ok(Network { source, destination, fragment: None, flow_label, ttl, traffic_class })
}

fn udp(datagram: &[u8], source: IpAddr, destination: IpAddr) -> Result<(u16, u16, Vec<u8>)> {
    let mut rest = Octets(datagram);
    let (from, to, length, sum) = (rest.word()?, rest.word()?, usize::from(rest.word()?), rest.word()?);
    ensure!(length == datagram.len(), "UDP length is {length}, the datagram has {} octets", datagram.len());
    ensure!(sum != 0, "the UDP checksum is missing");
    ensure!(udp_checksum(source, destination, datagram) == 0, "the UDP checksum {sum:#06x} is wrong");
    Ok((from, to, rest.0.to_vec()))
}

/// What is left to read.
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().context("the frame is too short")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn word(&mut self) -> Result<u16> {
        self.take().map(u16::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        frame::Frame,
        query::{Query, qtype},
    };

    fn frames() -> [Frame; 3] {
        let payload = Query::with_edns("www.x", qtype::A).build();
        let tagged = Frame { vlans: vec![(0x88a8, 7), (0x8100, 100)], ..Frame::v4(payload.clone()) };
        [Frame::v4(payload.clone()), Frame::v6(payload), tagged]
    }

    #[test]
    fn what_the_builder_makes_is_right() {
        for frame in frames() {
            let reply = check_reply(&frame.build()).unwrap();
            assert_eq!((reply.source, reply.destination), (frame.source, frame.destination));
            assert_eq!((reply.source_mac, reply.destination_mac), (frame.source_mac, frame.destination_mac));
            assert_eq!((reply.vlans, reply.payload, reply.ttl), (frame.vlans, frame.payload, 64));
            assert_eq!(reply.message.metadata.id, 0x1d53);
        }
    }

    #[test]
    fn a_false_octet_anywhere_past_the_addresses_of_ethernet_is_found() {
        for frame in frames() {
            let right = frame.build();
            let ip = 14 + 4 * frame.vlans.len();
            for at in ip..right.len() {
                // IPv6 has no checksum over its traffic class, flow label and hop limit.
                if frame.source.is_ipv6() && (at - ip < 4 || at - ip == 7) {
                    continue;
                }
                let mut wrong = right.clone();
                wrong[at] ^= 0x10;
                assert!(check_reply(&wrong).is_err(), "octet {at} of {right:02x?}");
            }
            assert!(check_reply(&[&right[..], &[0]].concat()).is_err(), "an octet too many");
            assert!(check_reply(&right[..right.len() - 1]).is_err(), "an octet too few");
        }
    }

    #[test]
    fn a_reply_without_checksum_is_refused() {
        let frame = Frame { udp_checksum: Some(0), ..Frame::v4(Query::new("www.x", qtype::A).build()) };
        assert_eq!(check_reply(&frame.build()).unwrap_err().to_string(), "the UDP checksum is missing");
    }
}
