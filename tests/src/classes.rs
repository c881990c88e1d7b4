//! The classes of packets that are measured, and the profiles they ask for.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tm_common::cookie::seal;
use tm_common::link::Link;
use tm_userspace::{
    compile::{Choices, Compiled, Records, Zone, interleave, nodata, stick},
    desired::{EndpointKey, Limit, NameServer, Soa},
    frozen::Frozen,
    names::DnsName,
    places::{Choice, Class as PlaceClass, Place, View},
    sync::{Image, buckets_for},
    xdp::frame::frame,
};

use crate::lab::SERVER_MAC;

/// A kind of packet, and frames of it: many different ones, so that neither branches nor caches learn one by heart.
#[derive(Debug)]
pub struct Class {
    /// In a few words.
    pub name: &'static str,
    /// What one may cost; none where nothing is promised.
    pub most: Option<Most>,
    /// The frames; a power of two.
    pub frames: Vec<Vec<u8>>,
    /// How many answers the client is given.
    pub limit: Limit,
}

/// The most instructions that a packet may cost, with the harness subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Most {
    /// So many.
    Count(f64),
    /// So many above a plain hit, where there are so many profiles that names of either kind are equally long.
    AboveHit(f64),
}

/// As many profiles as have each word once in each kind.
pub const COMPARABLE: usize = 80;

/// The class of a plain hit.
pub const HIT: &str = "A hit, EDNS, IPv4";

/// How many frames of each class.
pub const FRAMES: usize = 1024;
/// Who asks.
pub const CLIENT: (&str, &str) = ("10.53.0.2", "fd53::2");
/// Who is asked.
pub const SERVER: (&str, &str) = ("10.53.0.1", "fd53::1");

const A: u16 = 1;
const AAAA: u16 = 28;
const TXT: u16 = 16;

/// The option of a client that has no server's cookie yet.
const COOKIE: [u8; 12] = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
/// The option of one that sends a server's cookie back.
const COOKIE_BACK: [u8; 28] =
    [0, 10, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 104, 0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2];
/// What the tables make cookies with.
const COOKIE_SECRET: [u8; 16] = *b"only a benchmark";
/// The option of a resolver that asks for the network 203.0.113.0/24.
const SUBNET: [u8; 11] = [0, 8, 0, 7, 0, 1, 24, 0, 203, 0, 113];

/// What a profile answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    A,
    Aaaa,
    Cname,
    Weighted,
    Subnet,
    Tree,
    Sticky,
    Carried,
}

/// Tables with so many profiles: a tenth each AAAA, CNAME, weighted, by the client's subnet, Geographic over Weighted, and sticky, a hundredth A and TXT; the rest one A each.
pub fn image(profiles: usize) -> Image {
    image_with_vlans(profiles, &[])
}

/// The same, with VLANs whose frames are answered too.
pub fn image_with_vlans(profiles: usize, vlans: &[u16]) -> Image {
    let mut image = Image::new(buckets_for(profiles), 0x7472_6166_6669_636d);
    let zone = zone();
    for i in 0..profiles {
        let compiled = compiled(i, &zone);
        image.apply([(&compiled.name, Some(&compiled))]);
    }
    let apex = Compiled {
        name: zone.name.clone(),
        view: None,
        types: vec![],
        places: vec![vec![one(nodata(&zone.name, 60, &zone)); 4]],
        absent: Some(zone.absence()),
    };
    image.apply([(&apex.name, Some(&apex))]);
    let address = |text: &str| tm_userspace::listen::key(&parse(text));
    let served = [address(SERVER.0), address(SERVER.1)];
    image.set_addresses(&served, &served);
    let link = Link::of([SERVER_MAC]).expect("there is a card");
    image.set_frozen(Frozen { link, vlans: vlans.to_vec(), ..Frozen::default() });
    image.set_cookies(&[COOKIE_SECRET]);
    image
}

/// All classes, for tables of so many profiles.
pub fn classes(profiles: usize) -> Vec<Class> {
    let of = |kind: Kind| move |i: usize| kind_of(i % profiles) == kind;
    let class = |name, most, frames: Vec<Vec<u8>>| Class { name, most, frames, limit: Limit::default() };
    let limited = |name, most, answers_per_second, slip, frames| {
        let limit = Limit { answers_per_second, slip };
        Class { limit, ..class(name, most, frames) }
    };
    let some = |kind: Kind| {
        let indices: Vec<usize> = (1..profiles).filter(|i| of(kind)(*i)).collect();
        // Spread over all of the table, in no order.
        (0..FRAMES).map(move |i| indices[i.wrapping_mul(7919) % indices.len()]).collect::<Vec<_>>()
    };
    let ask = |indices: Vec<usize>, kind: u16, edns: bool, v6: bool, shout: bool| -> Vec<Vec<u8>> {
        indices.iter().enumerate().map(|(n, i)| query(&wire(*i, shout), kind, edns, v6, n as u16)).collect()
    };
    let carrying = |indices: Vec<usize>, option: &[u8]| -> Vec<Vec<u8>> {
        let frame = |(n, i): (usize, &usize)| query_with(&wire(*i, false), A, option, n as u16);
        indices.iter().enumerate().map(frame).collect()
    };
    let right = |v6: bool| -> Vec<Vec<u8>> {
        let option = right_cookie(if v6 { CLIENT.1 } else { CLIENT.0 });
        let message = |i: usize, n| message(&wire(i, false), A, Some(&option), n);
        let asked = some(Kind::A).into_iter().zip(0..);
        asked.map(|(i, n)| wrapped(&message(i, n), v6, n, 53)).collect()
    };
    vec![
        class(HIT, Some(Most::Count(950.0)), ask(some(Kind::A), A, true, false, false)),
        class("A hit, EDNS, IPv6", Some(Most::Count(950.0)), ask(some(Kind::A), A, true, true, false)),
        class("A hit, no EDNS, IPv4", Some(Most::Count(950.0)), ask(some(Kind::A), A, false, false, false)),
        class(
            "AAAA hit, EDNS, IPv4",
            Some(Most::Count(950.0)),
            ask(some(Kind::Aaaa), AAAA, true, false, false),
        ),
        class(
            "AAAA hit, EDNS, IPv6",
            Some(Most::Count(950.0)),
            ask(some(Kind::Aaaa), AAAA, true, true, false),
        ),
        class("A hit, EDNS, mixed case", Some(Most::Count(1050.0)), ask(some(Kind::A), A, true, false, true)),
        class("weighted hit, EDNS", None, ask(some(Kind::Weighted), A, true, false, false)),
        class("CNAME hit, EDNS", None, ask(some(Kind::Cname), A, true, false, false)),
        class("NODATA (TXT), EDNS", None, ask(some(Kind::A), TXT, true, false, false)),
        class("TXT hit, EDNS, IPv4", None, ask(some(Kind::Carried), TXT, true, false, false)),
        class("TXT hit, EDNS, IPv6", None, ask(some(Kind::Carried), TXT, true, true, false)),
        class("A hit beside TXT, EDNS, IPv4", None, ask(some(Kind::Carried), A, true, false, false)),
        class("NODATA (AAAA) beside TXT, EDNS", None, ask(some(Kind::Carried), AAAA, true, false, false)),
        class("A hit, EDNS, cookie", None, carrying(some(Kind::A), &COOKIE)),
        class("A hit, EDNS, server cookie", None, carrying(some(Kind::A), &COOKIE_BACK)),
        class("A hit, EDNS, right cookie, IPv4", Some(Most::AboveHit(500.0)), right(false)),
        class("A hit, EDNS, right cookie, IPv6", None, right(true)),
        class("A hit, EDNS, client subnet", None, carrying(some(Kind::A), &SUBNET)),
        class(
            "Subnet hit, EDNS, IPv4",
            Some(Most::Count(1070.0)),
            ask(some(Kind::Subnet), A, true, false, false),
        ),
        class(
            "Geographic tree hit, EDNS, IPv4",
            Some(Most::AboveHit(120.0)),
            ask(some(Kind::Tree), A, true, false, false),
        ),
        class("Geographic tree hit, EDNS, IPv6", None, ask(some(Kind::Tree), A, true, true, false)),
        class("sticky hit, EDNS, IPv4", None, ask(some(Kind::Sticky), A, true, false, false)),
        class("Subnet hit, EDNS, IPv6", None, ask(some(Kind::Subnet), A, true, true, false)),
        class("Subnet hit, EDNS, client subnet", None, carrying(some(Kind::Subnet), &SUBNET)),
        class(
            "longest name, EDNS",
            None,
            (0..FRAMES).map(|n| query(&longest(), A, true, false, n as u16)).collect(),
        ),
        class(
            "NXDOMAIN, EDNS, IPv4",
            Some(Most::Count(1200.0)),
            (0..FRAMES).map(|n| query(&wire(profiles + n, false), A, true, false, n as u16)).collect(),
        ),
        class(
            "NXDOMAIN, EDNS, IPv6",
            None,
            (0..FRAMES).map(|n| query(&wire(profiles + n, false), A, true, true, n as u16)).collect(),
        ),
        class(
            "miss (no name of ours)",
            Some(Most::Count(450.0)),
            (0..FRAMES).map(|n| query(&foreign(profiles + n), A, true, false, n as u16)).collect(),
        ),
        class(
            "not DNS (UDP to another port)",
            Some(Most::Count(60.0)),
            (0..FRAMES).map(|n| other_port(n as u16)).collect(),
        ),
        class("not DNS (TCP)", Some(Most::Count(60.0)), (0..FRAMES).map(|n| tcp(n as u16)).collect()),
        // All but the first are over one a second, and none over so many.
        limited(
            "A hit, EDNS, IPv4, within a limit",
            Some(Most::Count(950.0)),
            1_000_000_000,
            2,
            ask(some(Kind::A), A, true, false, false),
        ),
        limited(
            "AAAA hit, EDNS, IPv6, within a limit",
            None,
            1_000_000_000,
            2,
            ask(some(Kind::Aaaa), AAAA, true, true, false),
        ),
        limited("over the limit, dropped, IPv4", None, 1, 0, ask(some(Kind::A), A, true, false, false)),
        limited("over the limit, slipped, IPv4", None, 1, 1, ask(some(Kind::A), A, true, false, false)),
    ]
}

fn one(records: Records) -> Choices {
    Choices { answers: vec![records], slots: vec![0], sticky: false }
}

fn kind_of(i: usize) -> Kind {
    match i % 10 {
        1 => Kind::Aaaa,
        2 => Kind::Cname,
        3 => Kind::Weighted,
        4 => Kind::Subnet,
        5 => Kind::Tree,
        // A full block each: no more than a hundred of them.
        6 if i < 1_000 => Kind::Sticky,
        7 if i % 100 == 7 => Kind::Carried,
        _ => Kind::A,
    }
}

/// Names of 16 to 35 octets, 23 on average, as people give them.
fn wire(i: usize, shout: bool) -> Vec<u8> {
    // Any ten in a row are of all lengths, and any [`COMPARABLE`] in a row have each word once in each kind: what kinds cost can be compared.
    let word = ["www", "api", "cdn", "login", "static", "eu-west-1", "m", "images"][(i * 5 + i / 10) % 8];
    let text = match i / 80 % 4 {
        3 => format!("{word}{i:x}.contoso.tm.example"),
        _ => format!("{word}{i:x}.tm.example"),
    };
    let name: DnsName = text.parse().unwrap_or_else(|_| DnsName::root());
    let mut wire = name.wire().to_vec();
    if shout {
        for (at, octet) in wire.iter_mut().enumerate() {
            if (i >> (at % 13)) & 1 == 1 || at % 3 == 0 {
                octet.make_ascii_uppercase();
            }
        }
    }
    wire
}

/// A name as long as others, in no zone of ours.
fn foreign(i: usize) -> Vec<u8> {
    let mut wire = wire(i, false);
    let last = wire.len() - 2;
    wire[last] = b'y';
    wire
}

/// The longest name there is, 255 octets: the first profile's.
fn longest() -> Vec<u8> {
    let mut wire = vec![];
    for length in [63, 63, 63, 61] {
        wire.push(length);
        wire.extend(vec![b'x'; usize::from(length)]);
    }
    wire.push(0);
    wire
}

fn zone() -> Zone {
    let name = |text: &str| text.parse().unwrap_or_else(|_| DnsName::root());
    let soa = Soa {
        mailbox: name("hostmaster.tm.example"),
        refresh: 3600,
        retry: 600,
        expire: 1_209_600,
        minimum: 60,
    };
    let servers = [NameServer { name: name("ns1.tm.example"), addresses: vec![] }].into();
    Zone { name: name("tm.example"), servers, soa, serial: 1 }
}

fn compiled(i: usize, zone: &Zone) -> Compiled {
    // The first profile has the longest name there is.
    let name = if i == 0 { DnsName::from_wire(&longest()) } else { DnsName::from_wire(&wire(i, false)) };
    let key =
        |endpoint: &str| Some(EndpointKey { profile: format!("p{i}").into(), endpoint: endpoint.into() });
    let record = |kind: u8, data: &[u8], endpoint: &str| {
        let mut octets = vec![0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 30, 0, data.len() as u8];
        octets.extend(data);
        Records {
            octets: octets.into(),
            answers: 1,
            authorities: 0,
            code: 0,
            counts_for: key(endpoint).into_iter().collect(),
            one_in: 0,
            is_stale: false,
        }
    };
    let [.., a, b, c] = (i as u32).to_be_bytes();
    let v4 = record(1, &[10, a, b, c], "first");
    let placed = |view, places: Vec<[Choices; 4]>| Compiled {
        name: name.clone(),
        view,
        types: vec![],
        places: places.into_iter().map(Vec::from).collect(),
        absent: Some(zone.absence()),
    };
    let none = one(nodata(&name, 30, zone));
    let blocks = match kind_of(i) {
        Kind::A => [one(v4.clone()), none.clone(), one(v4), none],
        Kind::Carried => {
            let text = one(record(TXT as u8, b"\x0bv=spf1 -all", "first"));
            let row = vec![one(v4.clone()), none.clone(), one(v4), none, text];
            return Compiled { types: vec![TXT], places: vec![row], ..placed(None, vec![]) };
        }
        Kind::Aaaa => {
            let v6 = record(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c], "first");
            [none.clone(), one(v6.clone()), one(v6), none]
        }
        Kind::Cname => {
            let target = record(5, b"\x03www\x07contoso\x04test\x00", "first");
            [one(target.clone()), one(target.clone()), one(target.clone()), one(target)]
        }
        Kind::Weighted | Kind::Tree | Kind::Sticky => {
            let answers =
                vec![v4, record(1, &[10, 128 | a, b, c], "second"), record(1, &[10, 64 | a, b, c], "third")];
            let who = [(11, 10), (22, 30), (33, 60)];
            let (slots, sticky) = match kind_of(i) {
                Kind::Sticky => (stick(&who), true),
                _ => (interleave(&who.map(|(_, weight)| weight)), false),
            };
            let all = Choices { answers, slots: slots.into_iter().map(|slot| slot as u16).collect(), sticky };
            let row = [all.clone(), none.clone(), all, none];
            match kind_of(i) {
                Kind::Tree => return placed(Some(world()), vec![row; 3]),
                Kind::Sticky => return placed(Some(view(i)), vec![row; 3]),
                _ => row,
            }
        }
        Kind::Subnet => {
            let place = |octet: u8, endpoint| {
                let answer = one(record(1, &[10, octet | a, b, c], endpoint));
                [answer.clone(), none.clone(), answer, none.clone()]
            };
            let places = vec![place(0, "first"), place(128, "second"), place(64, "third")];
            return placed(Some(view(i)), places);
        }
    };
    placed(None, vec![blocks])
}

/// A view of its own for each profile, in which both who asks and whom its option names are found in the last octet of a /24 and of a /64.
fn view(i: usize) -> Arc<View> {
    let class = |choice| PlaceClass(vec![(format!("p{i}").into(), Choice::Mapped(choice))]);
    let v4 = |text: &str| text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
    let v6 = |text: &str| text.parse().unwrap_or(Ipv6Addr::UNSPECIFIED);
    Arc::new(View::new(
        vec![(v4("10.53.0.0"), 30, Place(1)), (v4("203.0.113.0"), 25, Place(2))],
        vec![(v6("fd53::"), 64, Place(1))],
        Place::ANYWHERE,
        [None, Some(1), Some(2)].map(class).to_vec(),
    ))
}

/// A view as a database of countries makes one: of many networks, the client's in a /24 and a /48 of their own.
fn world() -> Arc<View> {
    static WORLD: LazyLock<Arc<View>> = LazyLock::new(|| {
        let class = |choice| PlaceClass(vec![("world".into(), Choice::Mapped(choice))]);
        let v4 =
            (0..30_000u32).map(|i| (Ipv4Addr::from_bits(0x0a00_0000 + (i << 8)), 24, Place((i % 3) as u16)));
        let v6 = (0..5_000u128)
            .map(|i| (Ipv6Addr::from_bits((0xfd53_0000_0000 + i) << 80), 48, Place((i % 3) as u16)));
        let classes = [None, Some(0), Some(1)].map(class).to_vec();
        Arc::new(View::new(v4.collect(), v6.collect(), Place::ANYWHERE, classes))
    });
    WORLD.clone()
}

fn parse(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn message(wire: &[u8], kind: u16, opt: Option<&[u8]>, id: u16) -> Vec<u8> {
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

fn wrapped(message: &[u8], v6: bool, id: u16, port: u16) -> Vec<u8> {
    let pick = |(v4, v6_): (&str, &str)| parse(if v6 { v6_ } else { v4 });
    frame(message, SERVER_MAC, (pick(CLIENT), 1024 + id), (pick(SERVER), port)).unwrap_or_default()
}

fn query(wire: &[u8], kind: u16, edns: bool, v6: bool, id: u16) -> Vec<u8> {
    wrapped(&message(wire, kind, edns.then_some(&[]), id), v6, id, 53)
}

fn query_with(wire: &[u8], kind: u16, options: &[u8], id: u16) -> Vec<u8> {
    wrapped(&message(wire, kind, Some(options), id), false, id, 53)
}

fn other_port(id: u16) -> Vec<u8> {
    wrapped(&[0; 48], false, id, 4433)
}

/// The option of a client whose cookie was made just now.
fn right_cookie(client: &str) -> Vec<u8> {
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
fn tcp(id: u16) -> Vec<u8> {
    let mut frame = query(&longest(), A, false, false, id);
    frame[23] = 6;
    // The header's sum is less by UDP's number less TCP's, its complement more.
    let sum = u32::from(u16::from_be_bytes([frame[24], frame[25]])) + 11;
    frame[24..26].copy_from_slice(&((sum % 0xffff) as u16).to_be_bytes());
    frame
}
