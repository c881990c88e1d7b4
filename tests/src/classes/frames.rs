//! The frames that ask.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{SystemTime, UNIX_EPOCH},
};

use tm_common::cookie::seal;
use tm_userspace::xdp::frame::frame;

use super::{A, CLIENT, SERVER, profiles::longest};
use crate::lab::SERVER_MAC;

/// What the tables make cookies with.
pub(super) const COOKIE_SECRET: [u8; 16] = *b"only a benchmark";
/// An address.
pub(super) fn parse(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// A query for this name and type, with these options of its OPT if it has one.
pub(super) fn message(wire: &[u8], kind: u16, opt: Option<&[u8]>, id: u16) -> Vec<u8> {
    let mut message = [id, 0x0100, 1, 0, 0, u16::from(opt.is_some())].map(u16::to_be_bytes).concat();
    message.extend(wire);
    message.extend([kind, 1].map(u16::to_be_bytes).concat());
    if let Some(options) = opt {
        message.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0]);
        message.extend((options.len() as u16).to_be_bytes());
        message.extend(options);
    }
    message
}

/// A message to this port in a frame of its own.
pub(super) fn wrapped(message: &[u8], v6: bool, id: u16, port: u16) -> Vec<u8> {
    let pick = |(v4, v6_): (&str, &str)| parse(if v6 { v6_ } else { v4 });
    frame(message, SERVER_MAC, (pick(CLIENT), 1024 + id), (pick(SERVER), port)).unwrap_or_default()
}

/// A frame that asks without options.
pub(super) fn query(wire: &[u8], kind: u16, edns: bool, v6: bool, id: u16) -> Vec<u8> {
    wrapped(&message(wire, kind, edns.then_some(&[]), id), v6, id, 53)
}

/// A frame that asks with these.
pub(super) fn query_with(wire: &[u8], kind: u16, options: &[u8], id: u16) -> Vec<u8> {
    wrapped(&message(wire, kind, Some(options), id), false, id, 53)
}

/// A frame of UDP that is not DNS.
pub(super) fn other_port(id: u16) -> Vec<u8> {
    wrapped(&[0; 48], false, id, 4433)
}

/// The option of a client whose cookie was made just now.
pub(super) fn right_cookie(client: &str) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32);
    let [client_cookie, head] = [*b"a client", (u64::from(now.swap_bytes()) << 32 | 1).to_le_bytes()];
    let [low, high] = [0, 8].map(|at| word(&COOKIE_SECRET[at..]));
    let seal =
        seal(&[low, high], word(&client_cookie), word(&head), &tm_userspace::listen::key(&parse(client)));
    [&[0, 10, 0, 24][..], &client_cookie, &head, &seal.to_le_bytes()].concat()
}

fn word(octets: &[u8]) -> u64 {
    octets.first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets))
}

/// A frame of TCP, to what would be the DNS port: its first octets are all that is looked at.
pub(super) fn tcp(id: u16) -> Vec<u8> {
    let mut frame = query(&longest(), A, false, false, id);
    frame[23] = 6;
    // The header's sum is less by UDP's number less TCP's, its complement more.
    let sum = u32::from(u16::from_be_bytes([frame[24], frame[25]])) + 11;
    frame[24..26].copy_from_slice(&((sum % 0xffff) as u16).to_be_bytes());
    frame
}
