//! What a forged query is worth: octets of the reply to each of its own, over UDP, for every kind of query, by XDP and by the sockets, with nothing configured.

use std::collections::BTreeMap;

use hickory_proto::op::{Message, ResponseCode};
use tm_common::verdict::Reason;
use tm_tests::{
    frame::Frame,
    host::answer_frame,
    lab::CLIENT_V4,
    query::{Edns, Query, qtype},
    reply::check_reply,
    world::World,
};
use tm_userspace::dns::Transport;

/// Octets of the headers of IPv4 and UDP; those of IPv6 are longer, and so make ratios smaller.
const HEADERS: usize = 28;
/// Octets of the longest reply to who has shown no cookie.
const LONGEST: usize = 512;

/// The worst of a kind.
#[derive(Clone, Debug, Default)]
struct Worst {
    /// Octets of the reply for each of the query: of DNS alone, and with the headers of IPv4 and UDP.
    ratio: f64,
    with_headers: f64,
    /// The query, in words, and both lengths.
    what: String,
}

/// Every query that there is a rule for, in words.
fn queries(world: &World) -> Vec<(String, Vec<u8>)> {
    let profiles = world.profiles.keys().map(|name| name.to_string());
    let others = [
        "tm.example",
        "fabrikam.test",
        "ns1.tm.example",
        "gap.tm.example",
        "no.tm.example",
        "a.b.c.tm.example",
    ];
    let foreign = [".", "test", "www.nobody.test", "version.bind", "id.server"];
    let names = profiles.chain(others.into_iter().chain(foreign).map(str::to_owned));
    let types = [
        qtype::A,
        qtype::NS,
        qtype::CNAME,
        qtype::SOA,
        12,
        qtype::MX,
        qtype::TXT,
        qtype::AAAA,
        qtype::SRV,
        43,
        46,
        47,
        48,
        52,
        qtype::HTTPS,
        64,
        257,
        qtype::ANY,
        0,
        41,
        251,
        252,
        65_280,
    ];
    let option = |code, data: &[u8]| {
        Some(Edns { options: vec![(code, data.to_vec())], payload_size: 65_535, ..Edns::default() })
    };
    let plain = Edns { payload_size: 65_535, ..Edns::default() };
    let subnet = [0, 1, 24, 0, 198, 51, 100];
    let edns = [
        ("no EDNS", None),
        ("EDNS", Some(plain.clone())),
        ("EDNS of 512", Some(Edns { payload_size: 512, ..plain.clone() })),
        ("DO", Some(Edns { flags: 0x8000, ..plain.clone() })),
        ("version 1", Some(Edns { version: 1, ..plain })),
        ("cookie", option(10, b"a client")),
        ("wrong cookie", option(10, &[7; 24])),
        ("short cookie", option(10, &[7; 5])),
        ("subnet", option(8, &subnet)),
        ("wrong subnet", option(8, &[0, 9, 24, 0])),
        ("NSID", option(3, &[])),
        ("padding", option(12, &[0; 4])),
        ("keepalive", option(11, &[])),
        ("unknown option", option(65_001, &[1])),
    ];
    let mut queries = vec![];
    for name in names {
        for kind in types {
            for (words, edns) in &edns {
                for class in [1, 3] {
                    let query = Query { edns: edns.clone(), qclass: class, ..Query::new(&name, kind) };
                    queries.push((format!("{name} class {class} type {kind}, {words}"), query.build()));
                }
            }
        }
    }
    let web = Query::with_edns("web.tm.example", qtype::A).build();
    queries.extend((12..web.len()).map(|length| (format!("cut to {length}"), web[..length].to_vec())));
    for flags in (0..16).map(|bit| 1 << bit) {
        let query = Query { flags, ..Query::with_edns("web.tm.example", qtype::A) };
        queries.push((format!("flags {flags:#06x}"), query.build()));
    }
    for counts in [[0; 4], [2, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 2]] {
        queries.push((
            format!("counts {counts:?}"),
            Query { counts: Some(counts), ..Query::new("web.tm.example", 1) }.build(),
        ));
    }
    queries
}

/// What kind of reply it is.
fn kind(reply: &[u8]) -> &'static str {
    let message = Message::from_vec(reply).unwrap_or_else(|error| panic!("{error}: {reply:02x?}"));
    match (message.metadata.response_code, message.metadata.truncation) {
        (_, true) => "truncated",
        (ResponseCode::NXDomain, _) => "no such name",
        (ResponseCode::NoError, _) if message.answers.is_empty() => "no data",
        (ResponseCode::NoError, _) => "answers",
        _ => "errors",
    }
}

#[test]
fn a_reply_has_so_many_octets_for_each_of_its_query() {
    let world = World::by_default().unwrap();
    let mut worst: BTreeMap<&'static str, Worst> = BTreeMap::new();
    let mut count = |query: &[u8], what: &str, by: &str, reply: &[u8]| {
        assert!(reply.len() <= LONGEST, "{what}: {} octets by {by}", reply.len());
        let ratio = |headers: usize| (reply.len() + headers) as f64 / (query.len() + headers) as f64;
        let known = worst.entry(kind(reply)).or_default();
        if ratio(0) > known.ratio {
            let what = format!("{what}, by {by}: {} octets to {}", reply.len(), query.len());
            *known = Worst { ratio: ratio(0), with_headers: ratio(HEADERS), what };
        }
    };
    let all = queries(&world);
    for (what, query) in &all {
        if let Some(reply) = world.responder.reply(query, CLIENT_V4.into(), Transport::Udp) {
            count(query, what, "the sockets", &reply);
        }
        for frame in [Frame::v4(query.clone()), Frame::v6(query.clone())] {
            let (reason, octets) = answer_frame(&frame.build(), &world.image);
            if reason == Reason::Answered {
                count(query, what, "XDP", &check_reply(&octets).unwrap().payload);
            }
        }
    }
    for (kind, Worst { ratio, with_headers, what }) in &worst {
        println!("{kind:14} {ratio:5.2} {with_headers:5.2}  {what}");
    }
    println!("{} queries", all.len());
    // As the README has it.
    let most = [
        ("answers", 9.3, 5.5),
        ("errors", 1.3, 1.2),
        ("no data", 3.4, 2.4),
        ("no such name", 4.2, 2.8),
        ("truncated", 1.0, 1.0),
    ];
    assert!(worst.keys().eq(most.iter().map(|(kind, ..)| kind)), "{worst:?}");
    for (kind, alone, with_headers) in most {
        let found = &worst[kind];
        assert!(found.ratio <= alone && found.with_headers <= with_headers, "{kind}: {found:?}");
    }
}
