//! Questions as chance has them, each a right one: names in the zone, above, below and beside it; types; flags; EDNS.

use std::fmt;

use tm_tests::{
    dice::Dice,
    query::{Edns, Query},
};

/// A question, and how to show it.
pub(super) struct Question {
    pub(super) query: Query,
    name: String,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Query { qtype, qclass, flags, edns, .. } = &self.query;
        write!(f, "{} type {qtype} class {qclass} flags {flags:04x} {edns:?}", self.name)
    }
}

/// A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR, DNAME, DS, DNSKEY, CAA, SVCB, HTTPS, ANY, and two that nobody knows.
/// RRSIG and NSEC are left out, which may stand beside a CNAME (RFC 4034, sections 3 and 4): where they do not, BIND and Knot DNS say so, NSD and we lead on.
const TYPES: [u16; 19] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43, 48, 257, 64, 65, 255, 1000, 65_280];

impl Question {
    pub(super) fn random(dice: &mut Dice, id: u16) -> Self {
        let name = name(dice);
        let kind = if dice.below(2) == 0 { 1 } else { *dice.one_of(&TYPES) };
        let mut query = Query::new(&name, kind);
        query.id = id;
        // RD, AD and CD.
        query.flags = *dice.one_of(&[0, 0x0100, 0x0120, 0x0110, 0x0130]);
        if dice.below(50) == 0 {
            // Not CHAOS, in which BIND answers no more than three times a second.
            query.qclass = *dice.one_of(&[4, 254, 256]);
        }
        if dice.below(3) > 0 {
            query.edns = Some(edns(dice));
        }
        Question { query, name }
    }
}

fn edns(dice: &mut Dice) -> Edns {
    let options = match dice.below(4) {
        0 => vec![(12, vec![0; dice.below(64)])],
        1 => vec![(100, vec![0xff; dice.below(16)]), (65_001, vec![])],
        _ => vec![],
    };
    Edns {
        payload_size: *dice.one_of(&[0, 511, 512, 540, 1232, 1400, 4096, 65_535]),
        version: if dice.below(40) == 0 { 1 } else { 0 },
        flags: *dice.one_of(&[0, 0, 0x8000, 0x0001, 0x7fff]),
        options,
        ..Edns::default()
    }
}

fn name(dice: &mut Dice) -> String {
    let zone = super::zone();
    let known = |dice: &mut Dice| format!("{}.tm.example", dice.one_of(&zone).0);
    let name = match dice.below(13) {
        0..=5 => known(dice),
        6 => (*dice.one_of(&["tm.example", "ns1.tm.example", "top.tm.example", "mid.top.tm.example"]))
            .to_owned(),
        7 => format!("{}.tm.example", label(dice)),
        8 => below(&label(dice), &known(dice)),
        9 => format!("{}.{}.top.tm.example", label(dice), label(dice)),
        10 => format!("{}.any.tm.example", label(dice)),
        11 => format!("*.{}", if dice.below(2) == 0 { "tm.example" } else { "top.tm.example" }),
        _ => {
            (*dice.one_of(&["example", "xtm.example", "tm.example.test", "www.contoso.com", "."])).to_owned()
        }
    };
    match dice.below(3) {
        0 => name.chars().map(|c| if dice.below(2) == 0 { c.to_ascii_uppercase() } else { c }).collect(),
        _ => name,
    }
}

/// A name below another, or that one where there is no room.
fn below(label: &str, name: &str) -> String {
    if name.len() + label.len() > 252 { name.to_owned() } else { format!("{label}.{name}") }
}

fn label(dice: &mut Dice) -> String {
    let length = 1 + dice.below(12);
    (0..length).map(|_| char::from(*dice.one_of(b"abcdefghijklmnopqrstuvwxyz0123456789-_"))).collect()
}
