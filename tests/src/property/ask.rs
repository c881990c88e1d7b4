//! From octets a frame that asks: mostly well-formed and for names of the zone, now and then wrong in a field or two.
//!
//! The same octets make the same frame, so a fuzzer's corpus keeps its meaning as long as this does. Where the octets end everything is plain.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::LazyLock,
};

use arbitrary::{Result, Unstructured};

use super::{WORLD, name::labels};
use crate::{
    frame::Frame,
    lab::{CLIENT_V4, CLIENT_V6, SERVER_V4, SERVER_V6},
    query::{Edns, Query, wire_name},
};

/// Names of the zone that are no profiles, and of others.
const OTHERS: [&str; 9] = [
    "tm.example",
    "ns1.tm.example",
    "top.tm.example",
    "off.tm.example",
    "nobody.tm.example",
    "x.shop.tm.example",
    "xtm.example",
    "example",
    ".",
];
/// The profiles' names in an order of their own, so that the same octets are the same name, then the others.
static KNOWN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut known: Vec<_> = WORLD.profiles.keys().map(|name| name.wire().to_vec()).collect();
    known.sort();
    known.extend(OTHERS.map(wire_name));
    known
});
/// Types that something hangs on, and one of which nobody knows anything.
const TYPES: [u16; 14] = [1, 28, 5, 2, 6, 12, 15, 16, 41, 65, 251, 252, 255, 1000];
/// Options that resolvers send: NSID, client subnet, cookie, padding, and one of which nobody knows anything.
const OPTIONS: [u16; 5] = [3, 8, 10, 12, 65001];

/// The frame that the octets ask with.
pub fn frame(octets: &[u8]) -> Frame {
    let mut u = Unstructured::new(octets);
    build(&mut u).unwrap_or_else(|_| Frame::v4(vec![]))
}

fn build(u: &mut Unstructured<'_>) -> Result<Frame> {
    let is_v6 = u.arbitrary()?;
    let mut payload = message(u)?;
    if rarely(u)? {
        let at = u.choose_index(payload.len())?;
        payload[at] = u.arbitrary()?;
    }
    if rarely(u)? {
        payload.truncate(u.choose_index(payload.len())?);
    }
    let mut frame = if is_v6 { Frame::v6(payload) } else { Frame::v4(payload) };
    for _ in 0..u.choose_index(4)? {
        let id = *u.choose(&[5, 7, 5, 7, 0, 6, 4095])?;
        frame.vlans.push((*u.choose(&[0x8100, 0x88a8])?, id | u16::from(u.arbitrary::<u8>()? & 7) << 13));
    }
    if rarely(u)? {
        frame.source = source(u, is_v6)?;
    }
    if rarely(u)? {
        frame.destination = source(u, is_v6)?;
    }
    frame.ttl = if rarely(u)? { u.arbitrary()? } else { 64 };
    frame.traffic_class = if rarely(u)? { u.arbitrary()? } else { 0 };
    frame.fragment = if rarely(u)? { u.arbitrary()? } else { 0x4000 };
    frame.protocol = if rarely(u)? { u.arbitrary()? } else { 17 };
    frame.version = if rarely(u)? { Some(u.arbitrary()?) } else { None };
    frame.ip_length = word(u)?;
    frame.ip_checksum = word(u)?;
    frame.udp_length = word(u)?;
    frame.udp_checksum = if rarely(u)? { Some(0) } else { word(u)? };
    if rarely(u)? {
        frame.options = vec![1; 4 * u.choose_index(11)?];
    }
    if rarely(u)? {
        frame.padding = vec![0; u.choose_index(40)?];
    }
    Ok(frame)
}

fn message(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut query = Query::new(".", *u.choose(&TYPES)?);
    query.name = name(u)?;
    query.id = u.arbitrary()?;
    query.flags = u.arbitrary::<u16>()? & 0x0130;
    if rarely(u)? {
        query.flags = u.arbitrary()?;
    }
    if rarely(u)? {
        query.qtype = u.arbitrary()?;
    }
    if rarely(u)? {
        query.qclass = u.arbitrary()?;
    }
    if u.arbitrary()? {
        query.edns = Some(edns(u)?);
    }
    if rarely(u)? {
        query.counts = Some(u.arbitrary::<[u8; 4]>()?.map(|count| u16::from(count & 3)));
    }
    if rarely(u)? {
        query.trailing = octets(u, 24)?;
    }
    Ok(query.build())
}

fn edns(u: &mut Unstructured<'_>) -> Result<Edns> {
    let mut edns = Edns { payload_size: *u.choose(&[1232, 512, 4096, 0, 540])?, ..Edns::default() };
    edns.flags = u.arbitrary::<u16>()? & 0x8000;
    for _ in 0..u.choose_index(4)? {
        edns.options.push((*u.choose(&OPTIONS)?, octets(u, 40)?));
    }
    if rarely(u)? {
        edns.version = u.arbitrary()?;
        edns.flags = u.arbitrary()?;
        edns.extended_rcode = u.arbitrary()?;
    }
    edns.length = word(u)?;
    Ok(edns)
}

/// A profile's name or another, in any case; or whatever labels the octets make.
fn name(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    if rarely(u)? {
        return Ok(labels(&octets(u, 255)?));
    }
    let mut wire = u.choose(&KNOWN)?.clone();
    let case: u64 = u.arbitrary()?;
    for (i, octet) in wire.iter_mut().enumerate() {
        if case >> (i % 64) & 1 == 1 {
            octet.make_ascii_uppercase();
        }
    }
    Ok(wire)
}

fn source(u: &mut Unstructured<'_>, is_v6: bool) -> Result<SocketAddr> {
    let v4 = [
        CLIENT_V4,
        SERVER_V4,
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::UNSPECIFIED,
    ];
    let v6 = [
        CLIENT_V6,
        SERVER_V6,
        Ipv6Addr::LOCALHOST,
        Ipv6Addr::UNSPECIFIED,
        CLIENT_V4.to_ipv6_mapped(),
        Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    ];
    let address: IpAddr = if is_v6 { (*u.choose(&v6)?).into() } else { (*u.choose(&v4)?).into() };
    Ok((address, *u.choose(&[53, 0, 40_053])?).into())
}

fn word(u: &mut Unstructured<'_>) -> Result<Option<u16>> {
    Ok(if rarely(u)? { Some(u.arbitrary()?) } else { None })
}

fn octets(u: &mut Unstructured<'_>, most: usize) -> Result<Vec<u8>> {
    let length = u.choose_index(most + 1)?.min(u.len());
    Ok(u.bytes(length)?.to_vec())
}

/// Once in sixteen; never where the octets have ended.
fn rarely(u: &mut Unstructured<'_>) -> Result<bool> {
    Ok(u.arbitrary::<u8>()? & 15 == 15)
}
