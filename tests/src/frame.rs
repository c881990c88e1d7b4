//! Builds Ethernet frames with one UDP datagram, right by default and wrong in any field where a test wants it.
//!
//! Written from the RFCs apart from the engine, checksums included: [RFC 791](https://www.rfc-editor.org/rfc/rfc791),
//! [RFC 8200](https://www.rfc-editor.org/rfc/rfc8200), [RFC 768](https://www.rfc-editor.org/rfc/rfc768),
//! [RFC 1071](https://www.rfc-editor.org/rfc/rfc1071).

use std::net::{IpAddr, SocketAddr};

use crate::lab::{CLIENT_MAC, CLIENT_V4, CLIENT_V6, SERVER_MAC, SERVER_V4, SERVER_V6};

/// IP protocol number of UDP.
pub const UDP: u8 = 17;

/// A frame to be built. `None` in a length or checksum means the right one.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Ethernet destination.
    pub destination_mac: [u8; 6],
    /// Ethernet source.
    pub source_mac: [u8; 6],
    /// VLAN tags, outermost first: tag protocol (0x8100, 0x88a8) and tag control (priority, drop bit, id).
    pub vlans: Vec<(u16, u16)>,
    /// What follows the tags, where it is not the address family's own.
    pub ethertype: Option<u16>,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port; of the source's family.
    pub destination: SocketAddr,
    /// First octet of the IP header, where it is not the version and the right header length.
    pub version: Option<u8>,
    /// DSCP and ECN of IPv4, traffic class of IPv6.
    pub traffic_class: u8,
    /// IPv4: flags and fragment offset.
    pub fragment: u16,
    /// IPv4: options, a multiple of 4 octets.
    pub options: Vec<u8>,
    /// IPv6: extension headers, each beginning with the number of what follows it; `protocol` names the first.
    pub extensions: Vec<u8>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// IPv4 protocol or IPv6 next header.
    pub protocol: u8,
    /// IPv4 total length or IPv6 payload length.
    pub ip_length: Option<u16>,
    /// IPv4 header checksum.
    pub ip_checksum: Option<u16>,
    /// Length of the UDP header and its payload.
    pub udp_length: Option<u16>,
    /// UDP checksum.
    pub udp_checksum: Option<u16>,
    /// What UDP carries.
    pub payload: Vec<u8>,
    /// Octets after the end of the IP packet, as Ethernet pads short frames.
    pub padding: Vec<u8>,
}

impl Frame {
    /// From the lab's client to its server's port 53, over IPv4.
    pub fn v4(payload: Vec<u8>) -> Self {
        Self::between((CLIENT_V4, 40_053).into(), (SERVER_V4, 53).into(), payload)
    }

    /// From the lab's client to its server's port 53, over IPv6.
    pub fn v6(payload: Vec<u8>) -> Self {
        Self::between((CLIENT_V6, 40_053).into(), (SERVER_V6, 53).into(), payload)
    }

    /// Between two addresses of one family. Panics where the families differ.
    pub fn between(source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) -> Self {
        assert_eq!(source.is_ipv4(), destination.is_ipv4(), "{source} and {destination} differ in family");
        Self {
            destination_mac: SERVER_MAC,
            source_mac: CLIENT_MAC,
            vlans: Vec::new(),
            ethertype: None,
            source,
            destination,
            version: None,
            traffic_class: 0,
            fragment: 0x4000, // do not fragment, as Linux sends
            options: Vec::new(),
            extensions: Vec::new(),
            ttl: 64,
            protocol: UDP,
            ip_length: None,
            ip_checksum: None,
            udp_length: None,
            udp_checksum: None,
            payload,
            padding: Vec::new(),
        }
    }

    /// The frame's bytes, without the frame check sequence.
    pub fn build(&self) -> Vec<u8> {
        let udp = self.udp();
        let mut frame = [self.destination_mac, self.source_mac].concat();
        for (protocol, control) in &self.vlans {
            frame.extend(protocol.to_be_bytes());
            frame.extend(control.to_be_bytes());
        }
        let (own, header): (u16, _) = match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                (0x0800, self.v4_header(udp.len(), source.octets(), destination.octets()))
            }
            _ => (0x86dd, self.v6_header(udp.len())),
        };
        frame.extend(self.ethertype.unwrap_or(own).to_be_bytes());
        frame.extend(header);
        frame.extend(udp);
        frame.extend(&self.padding);
        frame
    }

    fn v4_header(&self, udp: usize, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
        let words = 5 + self.options.len() / 4;
        let length = self.ip_length.unwrap_or(short(words * 4 + udp));
        let mut header =
            vec![self.version.unwrap_or(0x40 | short(words).to_be_bytes()[1] & 0x0f), self.traffic_class];
        header.extend(length.to_be_bytes());
        header.extend([0, 0]); // identification: free where fragmenting is forbidden
        header.extend(self.fragment.to_be_bytes());
        header.extend([self.ttl, self.protocol, 0, 0]);
        header.extend(source);
        header.extend(destination);
        header.extend(&self.options);
        let checksum = self.ip_checksum.unwrap_or_else(|| checksum(&[&header]));
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        header
    }

    fn v6_header(&self, udp: usize) -> Vec<u8> {
        let length = self.ip_length.unwrap_or(short(self.extensions.len() + udp));
        let first = self.version.unwrap_or(0x60);
        let mut header = vec![first | self.traffic_class >> 4, self.traffic_class << 4, 0, 0];
        header.extend(length.to_be_bytes());
        header.extend([self.protocol, self.ttl]);
        header.extend(octets(self.source.ip()));
        header.extend(octets(self.destination.ip()));
        header.extend(&self.extensions);
        header
    }

    fn udp(&self) -> Vec<u8> {
        let length = self.udp_length.unwrap_or(short(8 + self.payload.len()));
        let mut udp = Vec::with_capacity(8 + self.payload.len());
        udp.extend(self.source.port().to_be_bytes());
        udp.extend(self.destination.port().to_be_bytes());
        udp.extend(length.to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(&self.payload);
        let checksum = self.udp_checksum.unwrap_or_else(|| {
            match udp_checksum(self.source.ip(), self.destination.ip(), &udp) {
                0 => 0xffff, // zero would mean that none was made
                checksum => checksum,
            }
        });
        udp[6..8].copy_from_slice(&checksum.to_be_bytes());
        udp
    }
}

/// The checksum of a datagram over its pseudo header; 0 for one that holds its right checksum.
pub fn udp_checksum(source: IpAddr, destination: IpAddr, udp: &[u8]) -> u16 {
    let length = u32::try_from(udp.len()).unwrap_or(u32::MAX).to_be_bytes();
    checksum(&[&octets(source), &octets(destination), &length, &[0, UDP], udp])
}

/// The Internet checksum over parts that lie one after the other, each but the last of even length.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !short(usize::try_from(sum).unwrap_or(0))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// A length that a header can carry; a test that wants a false one sets it.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071_section_3() {
        // Sum ddf2 there; the checksum is its complement.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0x00, 0x01], &[0xf2]]), !0xf201, "an odd octet counts as the higher one");
    }

    #[test]
    fn a_v4_frame_byte_by_byte() {
        let frame = Frame { vlans: vec![(0x8100, 100)], ..Frame::v4(vec![0xab, 0xcd]) }.build();
        // Header sum: 4500 + 001e + 0000 + 4000 + 4011 + 0a35 + 0002 + 0a35 + 0001 = d99c.
        // UDP sum: 0a35 + 0002 + 0a35 + 0001 + 0011 + 000a + 9c75 + 0035 + 000a + abcd = 15d09, folded 5d0a.
        let wanted = [
            &[0x02, 0x53, 0, 0, 0, 1, 0x02, 0x53, 0, 0, 0, 2, 0x81, 0x00, 0, 100, 0x08, 0x00][..],
            &[0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, 17, 0x26, 0x63, 10, 53, 0, 2, 10, 53, 0, 1],
            &[0x9c, 0x75, 0, 53, 0, 10, 0xa2, 0xf5, 0xab, 0xcd],
        ];
        assert_eq!(frame, wanted.concat());
    }

    #[test]
    fn a_v6_datagram_holds_its_checksum() {
        let frame = Frame::v6(vec![1, 2, 3]).build();
        assert_eq!(frame.len(), 14 + 40 + 8 + 3);
        assert_eq!(frame[12..22], [0x86, 0xdd, 0x60, 0, 0, 0, 0, 11, 17, 64]);
        assert_eq!(udp_checksum(CLIENT_V6.into(), SERVER_V6.into(), &frame[54..]), 0);
    }
}
