//! Frames to ask the loaded program with: what a client on the wire would send.

use std::net::IpAddr;

use network_types::{
    eth::{EthHdr, EtherType},
    ip::{IpProto, Ipv4Hdr, Ipv6Hdr},
    udp::UdpHdr,
};
use tm_common::sum::Sum;

/// A message in UDP, IP and Ethernet, to this card. `None` where the addresses are not of one family.
pub fn frame(
    message: &[u8],
    card: [u8; 6],
    (client, client_port): (IpAddr, u16),
    (server, server_port): (IpAddr, u16),
) -> Option<Vec<u8>> {
    let length = (UdpHdr::LEN + message.len()) as u16;
    let mut udp = [client_port, server_port, length, 0].map(u16::to_be_bytes).concat();
    udp.extend(message);
    let pseudo = |addresses: &[u8]| {
        Sum::of_bytes(addresses).and(u16::from(IpProto::Udp as u8).to_be()).and(length.to_be())
    };
    let mut frame = [card, [2, 0, 0, 0, 0, 2]].concat();
    let sum = match (client, server) {
        (IpAddr::V4(client), IpAddr::V4(server)) => {
            let total = (Ipv4Hdr::LEN as u16 + length).to_be_bytes();
            let mut header =
                [0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, IpProto::Udp as u8, 0, 0].to_vec();
            header.extend([client.octets(), server.octets()].concat());
            let checksum = Sum::of_bytes(&header).checksum().to_le_bytes();
            header[10..12].copy_from_slice(&checksum);
            frame.extend((EtherType::Ipv4 as u16).to_le_bytes());
            let sum = pseudo(&header[12..]);
            frame.extend(header);
            sum
        }
        (IpAddr::V6(client), IpAddr::V6(server)) => {
            let addresses = [client.octets(), server.octets()].concat();
            frame.extend((EtherType::Ipv6 as u16).to_le_bytes());
            frame.extend([0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([IpProto::Udp as u8, 64]);
            frame.extend(&addresses);
            pseudo(&addresses)
        }
        _ => return None,
    };
    let checksum = sum.plus(Sum::of_bytes(&udp)).udp().to_le_bytes();
    udp[6..8].copy_from_slice(&checksum);
    frame.extend(udp);
    Some(frame)
}

/// The message in a frame that has no tags and no options.
pub fn message(frame: &[u8]) -> Option<&[u8]> {
    let ip = match frame.get(12..14)? {
        kind if kind == (EtherType::Ipv4 as u16).to_le_bytes() => Ipv4Hdr::LEN,
        _ => Ipv6Hdr::LEN,
    };
    frame.get(EthHdr::LEN + ip + UdpHdr::LEN..)
}
