//! The classes of packets that are measured, and the tables that they ask: `profiles` has what is in those, `frames` what is sent.

mod frames;
mod profiles;

use serde::{Deserialize, Serialize};
use tm_common::link::Link;
use tm_userspace::{
    compile::{Compiled, nodata},
    desired::Limit,
    frozen::Frozen,
    sync::{Image, buckets_for},
};

use crate::lab::SERVER_MAC;
use frames::{COOKIE_SECRET, message, other_port, parse, query, query_with, right_cookie, tcp, wrapped};
use profiles::{Kind, compiled, foreign, kind_of, longest, one, wire, zone};

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
/// The option of a resolver that asks for the network 203.0.113.0/24.
const SUBNET: [u8; 11] = [0, 8, 0, 7, 0, 1, 24, 0, 203, 0, 113];

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
