//! What holds for any octets, and for any question about a profile.

use std::sync::{LazyLock, RwLock};

use hickory_proto::{
    op::Message,
    serialize::binary::{BinDecodable, BinDecoder},
};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use tm_common::{
    answer::answer_message,
    name::{LONG, SHORT},
    net::{BARE, Bare},
    packet::Buffer,
    verdict::Reason,
};

use super::kit::{
    Ask, CLIENT, ask, ask_raw, desired, image, longest, record, responder, three_servers, wire,
};
use crate::{
    compile::{Zone, nodata},
    dns::{Responder, Transport},
    sync::Image,
};

static RESPONDER: LazyLock<Responder> = LazyLock::new(responder);
/// Tables like the responder's, so that the engine can be asked directly.
static IMAGE: LazyLock<RwLock<Image>> =
    LazyLock::new(|| RwLock::new(image(&desired(three_servers()), 512, &[])));

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

/// What must hold for whatever was received.
fn check(query: &[u8]) {
    for transport in TRANSPORTS {
        let reply = RESPONDER.reply(query, CLIENT, transport);
        let is_query = query.len() >= 12 && query[2] & 0x80 == 0;
        assert_eq!(reply.is_some(), is_query);
        let Some(reply) = reply else { continue };
        let mut decoder = BinDecoder::new(&reply);
        let message = Message::read(&mut decoder).unwrap();
        assert!(decoder.is_empty());
        assert_eq!(reply[..2], query[..2], "ID");
        assert_eq!(reply[2] & 0xf9, query[2] & 0x79 | 0x80, "QR, opcode and RD");
        assert_eq!(reply[3] & 0xf0, 0, "RA, Z, AD, CD");
        assert!(message.queries.len() <= 1);
        if message.queries.len() == 1 {
            let name = 12 + reply[12..].iter().position(|octet| *octet == 0).unwrap();
            assert_eq!(reply[12..name], query[12..name], "the question");
        }
        assert!(transport == Transport::Tcp || reply.len() <= 1232);
        assert!(message.edns.is_some() || transport == Transport::Tcp || reply.len() <= 512);
    }
}

/// Names of profiles, of the zone and of others, in random case.
fn some_name() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just("web.tm.example".to_owned()),
        Just("alias.tm.example".to_owned()),
        Just("leaf.mid.top.tm.example".to_owned()),
        Just("off.tm.example".to_owned()),
        Just("ns2.dc.tm.example".to_owned()),
        Just("tm.example".to_owned()),
        Just(longest()),
        "[a-z]{1,20}\\.tm\\.example",
        "([a-z]{1,9}\\.){0,9}test",
    ];
    (known, any::<u64>()).prop_map(|(name, case)| in_case(&wire(&name), case))
}

/// Letters in upper case by the bits of a number.
fn in_case(wire: &[u8], case: u64) -> Vec<u8> {
    let upper = |(i, octet): (usize, &u8)| match case >> (i % 64) & 1 {
        1 => octet.to_ascii_uppercase(),
        _ => *octet,
    };
    wire.iter().enumerate().map(upper).collect()
}

fn some_ask() -> impl Strategy<Value = Ask> {
    let kind = prop_oneof![Just(1), Just(28), Just(255), Just(6), Just(2), any::<u16>()];
    let opt = prop::option::of((any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..20)));
    let junk = prop::option::of((1..4usize, any::<u16>(), prop::collection::vec(any::<u8>(), 0..30)));
    (some_name(), kind, any::<u16>(), opt, junk).prop_map(|(name, kind, flags, opt, junk)| {
        let mut asked = ask_raw(&name, kind).flags(flags & 0x07ff);
        if let Some((section, kind, data)) = junk {
            asked = asked.record(section, &record(&[0], kind, 1, 0, &data));
        }
        match opt {
            Some((payload, rest, options)) => asked.opt(payload, rest, &options),
            None => asked,
        }
    })
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&octets);
    }

    #[test]
    fn any_octets_behind_the_header_of_a_query(octets in prop::collection::vec(any::<u8>(), 0..100), counts in prop::array::uniform4(0..3u16)) {
        check(&Ask { flags: 0, counts, question: vec![], behind: octets }.octets());
    }

    #[test]
    fn queries_with_octets_changed(
        asked in some_ask(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut octets = asked.octets();
        check(&octets);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        check(&octets);
        octets.truncate(length.index(octets.len()));
        check(&octets);
    }

    /// What the engine answers is what is said; and what it refuses for what surrounds the question is said as if it stood alone.
    #[test]
    fn a_profile_has_the_engines_octets(
        name in prop_oneof![Just("web.tm.example".to_owned()), Just("alias.tm.example".to_owned()), Just(longest())],
        case in any::<u64>(),
        kind in prop_oneof![Just(1u16), Just(28), Just(255), 1..41u16, 42..128u16, 256..=u16::MAX],
        recursion in any::<bool>(),
        opt in prop::option::of((any::<u16>(), any::<bool>())),
    ) {
        let name = in_case(&wire(&name), case);
        let plain = ask_raw(&name, kind).flags(u16::from(recursion) << 8);
        let plain = match opt {
            Some((payload, dnssec_ok)) => plain.opt(payload, u32::from(dnssec_ok) << 15, &[]),
            None => plain,
        };
        let crowded = plain.clone().record(3, &record(&[0], 16, 1, 0, b"\x01x")).and(b"behind").octets();
        for (transport, limit) in TRANSPORTS.into_iter().zip([0, u16::MAX]) {
            let query = plain.octets();
            let mut octets = [&Bare::prefix(CLIENT, limit)[..], &query].concat();
            let size = octets.len();
            octets.resize(size + 2048, 0);
            let mut packet = Buffer::new(&mut octets, size);
            let image = IMAGE.read().unwrap();
            let answered = match name.len() <= 8 * SHORT {
                true => answer_message::<SHORT>(&mut packet, &image.reader()),
                false => answer_message::<LONG>(&mut packet, &image.reader()),
            };
            let reply = RESPONDER.reply(&query, CLIENT, transport).unwrap();
            match answered {
                Ok(()) => prop_assert_eq!(&reply, &packet.contents()[BARE..]),
                Err(reason) => {
                    prop_assert_eq!(reason, Reason::TooLarge);
                    prop_assert_eq!(reply[2] & 2, 2, "TC");
                }
            }
            prop_assert_eq!(RESPONDER.reply(&crowded, CLIENT, transport).unwrap(), reply);
        }
    }
}

#[test]
fn absence_looks_alike_at_an_apex_and_below() {
    let desired = desired(three_servers());
    let zone = Zone::of(desired.node.zone(), desired.generation);
    for name in ["tm.example", "top.tm.example"] {
        let query = ask(&format!("{name} MX")).octets();
        let reply = RESPONDER.reply(&query, CLIENT, Transport::Udp).unwrap();
        assert_eq!(reply[query.len()..], nodata(&name.parse().unwrap(), 60, &zone).octets[..], "{name}");
    }
}

/// Nor is their work done: 64 KiB of names that point to names that point would be the product of both.
#[test]
fn pointers_of_other_records_are_not_followed() {
    let query = ask("web.tm.example A");
    // To the flags, and there to what is no label.
    let beyond = query.clone().flags(0x00b0).record(3, &record(&[0xc0, 3], 16, 1, 0, &[])).octets();
    assert_eq!(beyond[3], 0xb0);
    let plain = RESPONDER.reply(&query.octets(), CLIENT, Transport::Udp);
    assert_eq!(RESPONDER.reply(&beyond, CLIENT, Transport::Udp), plain);
}
