//! What holds for any options of a query that is right but for them: read here again, one by one, from the RFCs.
//!
//! Octets make the options: a choice of kind, then what it is made of, so that most are well-formed; the lengths and octets of some are not.

use std::{net::IpAddr, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use hickory_proto::op::Message;
use tm_common::verdict::{Reason, Verdict};
use tm_userspace::dns::Transport;

use crate::{
    cookie::made,
    frame::Frame,
    host::answer_frame,
    query::{Edns, Query},
    reply::check_reply,
    world::World,
};

const SECRET: [u8; 16] = *b"only for options";
const TIME: u32 = 1_800_000_000;
static COOKIES: LazyLock<World> =
    LazyLock::new(|| World::with_cookies(SECRET, TIME).expect("the zone of the tests loads"));

/// Names whose answer depends on the client, and others; one of no profile, one below a wildcard, one of the large class, one of an answer of the large class.
const NAMES: [(&str, u16); 6] = [
    ("web.tm.example", 1),
    ("near.tm.example", 1),
    ("nobody.tm.example", 1),
    ("x.any.tm.example", 1),
    ("hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh.tm.example", 16),
    ("wordy.tm.example", 16),
];
const NSID: u16 = 3;
const SUBNET: u16 = 8;
const COOKIE: u16 = 10;
/// What the programs read: so many octets of options, so many of them.
const MOST_OCTETS: usize = 128;
const MOST_OPTIONS: usize = 8;

/// The programs answer where every option is in order and they know what to do with each, else the frame is as it came; the sockets say the same, octet by octet; hickory-proto
/// reads query and reply; of the options, the reply has the first cookie and the first subnet.
pub fn check_options(octets: &[u8]) {
    let mut u = Unstructured::new(octets);
    let Ok((query, is_v6)) = build(&mut u) else { return };
    let Some(edns) = &query.edns else { return };
    let payload = query.build();
    let asked = if is_v6 { Frame::v6(payload.clone()) } else { Frame::v4(payload.clone()) };
    let frame = asked.build();
    let (reason, out) = answer_frame(&frame, &COOKIES.image);
    let at = payload.len() - edns.options.iter().map(|(_, data)| data.len() + 4).sum::<usize>();
    let length = edns.length.map_or(payload.len() - at, usize::from);
    let read = if at + length == payload.len() { walk(&payload[at..]) } else { None };
    let sockets = COOKIES.responder.reply(&payload, asked.source.ip(), Transport::Udp);
    let sockets = sockets.expect("a query has a reply");
    let Some(Walked { subnet, cookie, all_subnets_are_right }) = read else {
        assert_eq!(reason.verdict(), Verdict::Pass, "{}: {payload:02x?}", reason.label());
        assert_eq!(out, frame, "passed up but changed");
        Message::from_vec(&sockets).expect("hickory-proto reads what the sockets say");
        return;
    };
    // Options that end as a question does, or an OPT without any: what stands before that is taken for a name of nobody's, and the sockets answer (`encloser::may_be`).
    let seems_to_end = payload.ends_with(&[0, 1]) || payload.ends_with(&[0, 0]);
    if reason == Reason::UnknownName && !edns.options.is_empty() && seems_to_end {
        assert_eq!(out, frame, "passed up but changed");
        Message::from_vec(&sockets).expect("hickory-proto reads what the sockets say");
        return;
    }
    assert_eq!(reason, Reason::Answered, "{}: {payload:02x?}", reason.label());
    // Of two subnets the first counts, and the other is not looked at here, but by hickory-proto.
    if all_subnets_are_right {
        Message::from_vec(&payload).unwrap_or_else(|error| panic!("hickory-proto: {error}: {payload:02x?}"));
    }
    let reply = check_reply(&out).unwrap_or_else(|error| panic!("{error:#}: {out:02x?} to {frame:02x?}"));
    assert_eq!(reply.payload, sockets, "the sockets say something else to {payload:02x?}");
    check_echoed(&reply.payload, subnet, cookie, asked.source.ip());
}

/// The frame that the octets ask with, if they are enough for one.
pub fn options_frame(octets: &[u8]) -> Option<Frame> {
    let (query, is_v6) = build(&mut Unstructured::new(octets)).ok()?;
    Some(if is_v6 { Frame::v6(query.build()) } else { Frame::v4(query.build()) })
}

/// The end of the reply: its OPT, of which the options are those of the query that are given back, the cookie first.
fn check_echoed(reply: &[u8], subnet: Option<&[u8]>, cookie: Option<&[u8]>, client: IpAddr) {
    let cookie = cookie.map(|data| {
        let (client_part, server) = data.split_first_chunk::<8>().expect("as was walked");
        let fresh = made(SECRET, *client_part, [0; 3], TIME, client);
        // One that is right and not half an hour old comes back; none other can be made here but by its very hash.
        let age = server.get(4..8).and_then(|time| time.try_into().ok()).map(u32::from_be_bytes);
        let same = age.filter(|time| server.len() == 16 && (TIME - 1800..=TIME + 300).contains(time));
        let same = same.filter(|time| {
            let reserved = [server[1], server[2], server[3]];
            server[0] == 1 && made(SECRET, *client_part, reserved, *time, client) == data
        });
        if same.is_some() { data.to_vec() } else { fresh }
    });
    let mut rest = reply;
    if let Some(subnet) = subnet {
        let (before, option) = rest.split_at(rest.len() - subnet.len() - 4);
        let scope = option[7];
        let head = [&SUBNET.to_be_bytes()[..], &(subnet.len() as u16).to_be_bytes()].concat();
        assert_eq!(option, [&head, &subnet[..3], &[scope], &subnet[4..]].concat(), "the subnet comes back");
        rest = before;
    }
    if let Some(cookie) = &cookie {
        let (before, option) = rest.split_at(rest.len() - 28);
        assert_eq!(option, [&[0, 10, 0, 24][..], cookie].concat(), "the cookie comes back");
        rest = before;
    }
    assert_eq!(rest[rest.len() - 11..][..3], [0, 0, 41], "and nothing else");
}

/// The data of the first option of each kind.
struct Walked<'a> {
    subnet: Option<&'a [u8]>,
    cookie: Option<&'a [u8]>,
    all_subnets_are_right: bool,
}

/// `None` where an option, or the number or length of all, is not one that programs answer to.
fn walk(mut octets: &[u8]) -> Option<Walked<'_>> {
    let mut walked = Walked { subnet: None, cookie: None, all_subnets_are_right: true };
    if octets.len() > MOST_OCTETS {
        return None;
    }
    let mut count = 0;
    while !octets.is_empty() {
        let (head, rest) = octets.split_first_chunk::<4>()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        match u16::from_be_bytes([head[0], head[1]]) {
            NSID => return None,
            SUBNET => {
                walked.subnet = walked.subnet.or(Some(data));
                walked.all_subnets_are_right &= is_right_subnet(data);
            }
            COOKIE => walked.cookie = walked.cookie.or(Some(data)),
            _ => {}
        }
        count += 1;
        octets = rest;
    }
    let is_right = walked.subnet.is_none_or(is_right_subnet)
        // RFC 7873, section 4.
        && walked.cookie.is_none_or(|data| data.len() == 8 || (16..=40).contains(&data.len()));
    (count <= MOST_OPTIONS && is_right).then_some(walked)
}

/// RFC 7871, sections 6 and 7.1.2.
fn is_right_subnet(data: &[u8]) -> bool {
    let [0, family, prefix, 0, address @ ..] = data else { return false };
    let most = match family {
        1 => 32,
        2 => 128,
        _ => return false,
    };
    let beyond = match (address.last(), prefix % 8) {
        (Some(last), 1..) => last << (prefix % 8),
        _ => 0,
    };
    *prefix <= most && address.len() == usize::from(prefix.div_ceil(8)) && beyond == 0
}

fn build(u: &mut Unstructured<'_>) -> Result<(Query, bool)> {
    let is_v6 = u.arbitrary()?;
    let (name, kind) = *u.choose(&NAMES)?;
    let mut edns = Edns::default();
    for _ in 0..=u.choose_index(10)? {
        edns.options.push(option(u, is_v6)?);
    }
    edns.length = if rarely(u)? { Some(u.arbitrary()?) } else { None };
    Ok((Query { edns: Some(edns), ..Query::new(name, kind) }, is_v6))
}

fn option(u: &mut Unstructured<'_>, is_v6: bool) -> Result<(u16, Vec<u8>)> {
    let (code, mut data) = match u.choose_index(8)? {
        0 | 1 => (SUBNET, subnet(u, 1, 32)?),
        2 => (SUBNET, subnet(u, 2, 128)?),
        3 => (COOKIE, u.arbitrary::<[u8; 8]>()?.to_vec()),
        4 => (COOKIE, server_cookie(u, is_v6)?),
        5 => (COOKIE, bytes(u, 44)?),
        6 => (12, vec![0; u.choose_index(70)?]),
        _ => (u.arbitrary::<u16>()? & 31, bytes(u, 20)?),
    };
    if rarely(u)? && !data.is_empty() {
        let at = u.choose_index(data.len())?;
        data[at] = u.arbitrary()?;
    }
    if rarely(u)? {
        data.truncate(u.choose_index(data.len() + 1)?);
    }
    Ok((code, data))
}

fn subnet(u: &mut Unstructured<'_>, family: u8, most: u8) -> Result<Vec<u8>> {
    let prefix = u.int_in_range(0..=most)?;
    // Where somebody is told apart, and anywhere.
    let near: &[u8] = if family == 1 { &[203, 0, 113, 200] } else { &[0x20, 1, 0x0d, 0xb8, 0, 1] };
    let mut address = if u.arbitrary()? { near.to_vec() } else { bytes(u, usize::from(most / 8))? };
    address.resize(usize::from(prefix.div_ceil(8)), 0);
    if let (Some(last), 1..) = (address.last_mut(), prefix % 8) {
        *last &= 0xff << (8 - prefix % 8);
    }
    Ok([&[0, family, prefix, 0][..], &address].concat())
}

/// As the server has made it, of any age.
fn server_cookie(u: &mut Unstructured<'_>, is_v6: bool) -> Result<Vec<u8>> {
    let frame = if is_v6 { Frame::v6(vec![]) } else { Frame::v4(vec![]) };
    let time = TIME - 4000 + u.int_in_range(0..=5000)?;
    Ok(made(SECRET, u.arbitrary()?, [0; 3], time, frame.source.ip()))
}

fn bytes(u: &mut Unstructured<'_>, most: usize) -> Result<Vec<u8>> {
    let length = u.choose_index(most + 1)?.min(u.len());
    Ok(u.bytes(length)?.to_vec())
}

/// Once in sixteen; never where the octets have ended.
fn rarely(u: &mut Unstructured<'_>) -> Result<bool> {
    Ok(u.arbitrary::<u8>()? & 15 == 15)
}
