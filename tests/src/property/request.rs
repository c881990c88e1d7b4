//! Reads a request's frame as far as it can be answered, and judges it: apart from the engine, from the RFCs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::frame::{UDP, checksum, udp_checksum};

/// A frame that may be answered: one whole UDP datagram, right in its lengths and sums, from somebody who can be answered.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) destination_mac: [u8; 6],
    pub(super) source_mac: [u8; 6],
    pub(super) vlans: Vec<(u16, u16)>,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) message: &'a [u8],
}

impl<'a> Request<'a> {
    /// `None` where anything forbids an answer.
    pub(super) fn read(frame: &'a [u8]) -> Option<Self> {
        let (destination_mac, rest) = frame.split_first_chunk()?;
        let (source_mac, mut rest) = rest.split_first_chunk::<6>()?;
        let (mut vlans, mut kind) = (vec![], word(&mut rest)?);
        while matches!(kind, 0x8100 | 0x88a8) {
            vlans.push((kind, word(&mut rest)?));
            kind = word(&mut rest)?;
        }
        let (from, to, datagram) = match kind {
            0x0800 => v4(rest)?,
            0x86dd => v6(rest)?,
            _ => return None,
        };
        let [source_port, port, length, sum] = words(datagram)?;
        if usize::from(length) != datagram.len()
            || source_port == 0
            || (destination_mac[0] | source_mac[0]) & 1 == 1
        {
            return None;
        }
        let is_right = match sum {
            0 => from.is_ipv4(), // RFC 768; RFC 8200, section 8.1
            _ => udp_checksum(from, to, datagram) == 0,
        };
        is_right.then_some(Request {
            destination_mac: *destination_mac,
            source_mac: *source_mac,
            vlans,
            source: SocketAddr::new(from, source_port),
            destination: SocketAddr::new(to, port),
            message: &datagram[8..],
        })
    }
}

fn v4(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let (header, datagram) = packet.split_at_checked(20)?;
    let [first, length, _, fragment] = words(header)?;
    let from = Ipv4Addr::from(<[u8; 4]>::try_from(&header[12..16]).ok()?);
    let to = Ipv4Addr::from(<[u8; 4]>::try_from(&header[16..20]).ok()?);
    let is_plain = first >> 8 == 0x45 && fragment & 0xbfff == 0 && header[9] == UDP;
    let is_whole = usize::from(length) == packet.len() && checksum(&[header]) == 0;
    // RFC 1122, section 3.2.1.3: no host's own address.
    let is_somebody = !matches!(from.octets()[0], 0 | 127 | 224..);
    (is_plain && is_whole && is_somebody).then_some((from.into(), to.into(), datagram))
}

fn v6(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let (header, datagram) = packet.split_at_checked(40)?;
    let [first, _, length, _] = words(header)?;
    let from = Ipv6Addr::from(<[u8; 16]>::try_from(&header[8..24]).ok()?);
    let to = Ipv6Addr::from(<[u8; 16]>::try_from(&header[24..40]).ok()?);
    let is_plain = first >> 12 == 6 && header[6] == UDP && usize::from(length) == datagram.len();
    let is_somebody = !from.is_unspecified()
        && !from.is_loopback()
        && !from.is_multicast()
        && from.to_ipv4_mapped().is_none();
    (is_plain && is_somebody).then_some((from.into(), to.into(), datagram))
}

fn word(rest: &mut &[u8]) -> Option<u16> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u16::from_be_bytes(*taken))
}

fn words<const N: usize>(octets: &[u8]) -> Option<[u16; N]> {
    let octets = octets.get(..2 * N)?;
    Some(std::array::from_fn(|i| u16::from_be_bytes([octets[2 * i], octets[2 * i + 1]])))
}
