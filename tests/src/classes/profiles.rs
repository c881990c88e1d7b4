//! The profiles that the classes ask for: names as people give them, and every way to answer.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
};

use tm_userspace::{
    compile::{Choices, Compiled, Records, Zone, interleave, nodata, stick},
    desired::{EndpointKey, NameServer, Soa},
    names::DnsName,
    places::{Choice, Class as PlaceClass, Place, View},
};

use super::TXT;

/// What a profile answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    Aaaa,
    Cname,
    Weighted,
    Subnet,
    Tree,
    Sticky,
    Carried,
}

/// Always this.
pub(super) fn one(records: Records) -> Choices {
    Choices { answers: vec![records], slots: vec![0], sticky: false }
}

/// What the profile of this number answers with.
pub(super) fn kind_of(i: usize) -> Kind {
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
pub(super) fn wire(i: usize, shout: bool) -> Vec<u8> {
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
pub(super) fn foreign(i: usize) -> Vec<u8> {
    let mut wire = wire(i, false);
    let last = wire.len() - 2;
    wire[last] = b'y';
    wire
}

/// The longest name there is, 255 octets: the first profile's.
pub(super) fn longest() -> Vec<u8> {
    let mut wire = vec![];
    for length in [63, 63, 63, 61] {
        wire.push(length);
        wire.extend(vec![b'x'; usize::from(length)]);
    }
    wire.push(0);
    wire
}

/// Their zone.
pub(super) fn zone() -> Zone {
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

/// The profile of this number, as it lies in the tables.
pub(super) fn compiled(i: usize, zone: &Zone) -> Compiled {
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
            first: None,
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
