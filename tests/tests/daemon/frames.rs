//! Frames that no client's stack would send: what XDP makes of each, and who answers it, if anybody may.

use std::net::SocketAddr;

use tm_tests::{
    client::said,
    dig::answers,
    frame::Frame,
    lab::{SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Edns, Query, qtype},
};

use crate::wire::{Wire, assert_turned};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// The program.
    Xdp,
    /// The sockets, which count it under this word.
    Sockets(&'static str),
    /// Nobody: the sockets are given it and leave it alone.
    Ignored,
    /// Nobody. Kernels differ in what they still give to the sockets; no answer comes onto the wire.
    Nobody,
}
use By::{Ignored, Nobody, Sockets, Xdp};

fn query() -> Vec<u8> {
    Query::with_edns("web.tm.example", qtype::A).build()
}

fn v4() -> Frame {
    Frame::v4(query())
}

fn v6() -> Frame {
    Frame::v6(query())
}

fn from(source: &str) -> Frame {
    let source: SocketAddr = source.parse().unwrap();
    let server = if source.is_ipv4() { (SERVER_V4, 53).into() } else { (SERVER_V6, 53).into() };
    Frame::between(source, server, query())
}

/// Sends each frame and looks who counted and who answered it.
fn check(cases: impl IntoIterator<Item = (&'static str, Frame, &'static str, By)>) {
    let mut wire = Wire::new("");
    for (what, frame, reason, by) in cases {
        let outcome = wire.send(&frame);
        let expected = [(reason.to_owned(), 1)];
        let own = |(word, _): &&(String, u64)| word != "not_udp" || reason == "not_udp";
        let packets: Vec<_> = outcome.packets.iter().filter(own).cloned().collect();
        if reason == "not_udp" {
            assert!(packets.len() == 1 && packets[0].0 == reason, "{what}: {outcome:?}");
        } else {
            assert_eq!(packets, expected, "{what}: {outcome:?}");
        }
        let (words, replies) = match by {
            Xdp => (Some(vec![]), 1),
            Sockets(word) => (Some(vec![(word.to_owned(), 1)]), 1),
            Ignored => (Some(vec![("ignored".to_owned(), 1)]), 0),
            Nobody => (None, 0),
        };
        if let Some(words) = words {
            assert_eq!(outcome.messages, words, "{what}: {outcome:?}");
        }
        assert_eq!(outcome.replies.len(), replies, "{what}: {outcome:?}");
        for reply in &outcome.replies {
            assert_turned(reply, &frame);
            if matches!(by, Xdp | Sockets("engine")) {
                assert_eq!(answers(&reply.message), ["web.tm.example. 30 IN A 192.0.2.10"], "{what}");
            }
        }
    }
}

#[test]
fn a_source_that_cannot_be_is_not_answered() {
    check([
        ("our own address", from("10.53.0.1:40053"), "source", Nobody),
        ("our own address, v6", from("[fd53::1]:40053"), "source", Nobody),
        ("unspecified, v6", from("[::]:40053"), "source", Nobody),
        ("loopback", from("127.0.0.1:40053"), "source", Nobody),
        ("loopback, another", from("127.1.2.3:40053"), "source", Nobody),
        ("loopback, v6", from("[::1]:40053"), "source", Nobody),
        ("a group", from("224.0.0.1:40053"), "source", Nobody),
        ("a group, v6", from("[ff02::1]:40053"), "source", Nobody),
        ("unspecified", from("0.0.0.0:40053"), "source", Nobody),
        ("everybody", from("255.255.255.255:40053"), "source", Nobody),
        ("everybody on this network", from("10.53.0.255:40053"), "source", Nobody),
        ("IPv4 in IPv6's clothes", from("[::ffff:10.53.0.2]:40053"), "source", Nobody),
    ]);
}

#[test]
fn port_zero_is_not_answered() {
    let mut wire = Wire::new("");
    for frame in [from("10.53.0.2:0"), from("[fd53::2]:0")] {
        let outcome = wire.send(&frame);
        assert!(outcome.packets.contains(&("source".to_owned(), 1)), "{outcome:?}");
        assert_eq!(outcome.replies.len(), 0, "{outcome:?}");
    }
}

#[test]
fn what_is_no_plain_datagram_is_the_stacks() {
    // Of six octets that only pad (RFC 8200, section 4.2), then UDP.
    let padding = vec![17, 0, 1, 4, 0, 0, 0, 0];
    // RFC 8200, section 4.5: the only fragment of its packet.
    let atomic = vec![17, 0, 0, 0, 0, 0, 0, 1];
    check([
        ("first of several fragments", Frame { fragment: 0x2000, ..v4() }, "not_udp", Nobody),
        ("a later fragment", Frame { fragment: 0x0010, ..v4() }, "not_udp", Nobody),
        ("IPv4 options", Frame { options: vec![1, 1, 1, 0], ..v4() }, "not_udp", Sockets("engine")),
        (
            "hop-by-hop options",
            Frame { protocol: 0, extensions: padding.clone(), ..v6() },
            "not_udp",
            Sockets("engine"),
        ),
        (
            "destination options",
            Frame { protocol: 60, extensions: padding, ..v6() },
            "not_udp",
            Sockets("engine"),
        ),
        (
            "an atomic fragment",
            Frame { protocol: 44, extensions: atomic, ..v6() },
            "not_udp",
            Sockets("engine"),
        ),
        ("TCP's number", Frame { protocol: 6, ..v4() }, "not_udp", Nobody),
        ("IPv5", Frame { version: Some(0x55), ..v4() }, "not_udp", Nobody),
        ("another port", Frame::between(v4().source, (SERVER_V4, 54).into(), query()), "not_dns", Nobody),
        (
            "another address",
            Frame::between(v4().source, ([10, 53, 0, 77], 53).into(), query()),
            "not_served",
            Nobody,
        ),
        (
            "to everybody here",
            Frame::between(v4().source, ([10, 53, 0, 255], 53).into(), query()),
            "not_served",
            Nobody,
        ),
        // Frames to a group may carry a packet for us alone (RFC 1122, section 3.3.6, lets hosts take it).
        ("a frame for everybody", Frame { destination_mac: [0xff; 6], ..v4() }, "source", Sockets("engine")),
        (
            "a frame for a group",
            Frame { destination_mac: [0x33, 0x33, 0, 0, 0, 1], ..v6() },
            "source",
            Sockets("engine"),
        ),
        ("ARP's type", Frame { ethertype: Some(0x0806), ..v4() }, "not_ip", Nobody),
    ]);
}

#[test]
fn sums_and_lengths_have_to_be_right() {
    let short = |frame: Frame, by: usize| {
        let length = u16::try_from(8 + frame.payload.len() - by).unwrap();
        Frame { udp_length: Some(length), ..frame }
    };
    let v4_length = u16::try_from(28 + query().len()).unwrap();
    let v6_length = u16::try_from(8 + query().len()).unwrap();
    check([
        ("as it should be", v4(), "answered", Xdp),
        ("as it should be, v6", v6(), "answered", Xdp),
        ("no sum", Frame { udp_checksum: Some(0), ..v4() }, "answered", Xdp),
        ("no sum, v6", Frame { udp_checksum: Some(0), ..v6() }, "checksum", Nobody),
        ("a wrong sum", Frame { udp_checksum: Some(0x1234), ..v4() }, "checksum", Nobody),
        ("a wrong sum, v6", Frame { udp_checksum: Some(0x1234), ..v6() }, "checksum", Nobody),
        ("a wrong header sum", Frame { ip_checksum: Some(0x1234), ..v4() }, "checksum", Nobody),
        ("padded", Frame { padding: vec![0; 6], ..v4() }, "length", Sockets("engine")),
        ("padded, v6", Frame { padding: vec![0; 6], ..v6() }, "length", Sockets("engine")),
        ("more than came", Frame { ip_length: Some(v4_length + 1), ..v4() }, "length", Nobody),
        ("more than came, v6", Frame { ip_length: Some(v6_length + 1), ..v6() }, "length", Nobody),
        ("less than came", Frame { ip_length: Some(v4_length - 1), ..v4() }, "length", Nobody),
        ("UDP says less", short(v4(), 1), "length", Nobody),
        ("UDP says more", Frame { udp_length: Some(v6_length + 1), ..v4() }, "length", Nobody),
        ("UDP says more, v6", Frame { udp_length: Some(v6_length + 1), ..v6() }, "length", Nobody),
    ]);
}

#[test]
fn messages_beyond_a_plain_query_are_the_sockets() {
    let plain = || Query::with_edns("web.tm.example", qtype::A);
    let with = |query: Query| Frame::v4(query.build());
    let class = |qclass| with(Query { qclass, ..plain() });
    let edns = |edns| with(Query { edns: Some(edns), ..plain() });
    let version = Edns { version: 1, ..Edns::default() };
    let lying = Edns { length: Some(9), ..Edns::default() };
    check([
        ("a reply", with(Query { flags: 0x8180, ..plain() }), "not_query", Ignored),
        ("a reply, v6", Frame::v6(Query { flags: 0x8180, ..plain() }.build()), "not_query", Ignored),
        ("NOTIFY", with(Query { flags: 0x2000, ..plain() }), "not_query", Sockets("notimp")),
        ("UPDATE", with(Query { flags: 0x2800, ..plain() }), "not_query", Sockets("notimp")),
        ("an rcode", with(Query { flags: 0x0105, ..plain() }), "not_query", Sockets("engine")),
        (
            "no question",
            with(Query { counts: Some([0, 0, 0, 1]), ..plain() }),
            "not_query",
            Sockets("formerr"),
        ),
        (
            "two questions",
            with(Query { counts: Some([2, 0, 0, 0]), ..plain() }),
            "not_query",
            Sockets("formerr"),
        ),
        ("CHAOS", class(3), "type", Sockets("refused")),
        ("any class", class(255), "type", Sockets("refused")),
        ("AXFR", with(Query { qtype: 252, ..plain() }), "type", Sockets("refused")),
        ("EDNS 1", edns(version), "edns", Sockets("badvers")),
        ("options longer than the message", edns(lying), "edns", Sockets("formerr")),
        ("octets behind", with(Query { trailing: vec![0; 3], ..plain() }), "length", Sockets("engine")),
        ("a pointer", with(Query { name: vec![0xc0, 12], ..plain() }), "unknown_name", Sockets("formerr")),
        ("half a header", Frame::v4(plain().build()[..6].to_vec()), "short", Ignored),
        ("nothing", Frame::v4(vec![]), "short", Ignored),
    ]);
}

#[test]
fn a_sum_that_its_sender_leaves_to_the_card_is_the_stacks_to_trust() {
    let wire = Wire::new("");
    run(wire.lab.client("ethtool").args(["-K", "tm1", "tx", "on"])).unwrap();
    for server in ["@10.53.0.1", "@fd53::1"] {
        let words = [server, "+notcp", "web.tm.example"];
        assert_eq!(wire.lab.answers(&words).unwrap(), "web.tm.example. 30 IN A 192.0.2.10");
    }
    let status = wire.daemon.status(&wire.lab).unwrap();
    let seen = (status.packets("checksum"), status.packets("answered"), status.messages("engine"));
    assert_eq!(seen, (2, 0, 2));
}

#[test]
fn our_own_address_is_answered_over_lo() {
    let wire = Wire::new("");
    for (source, server) in [
        (SERVER_V4.to_string(), SERVER_V4.to_string()),
        ("127.0.0.1".to_owned(), SERVER_V4.to_string()),
        (SERVER_V6.to_string(), SERVER_V6.to_string()),
        ("::1".to_owned(), SERVER_V6.to_string()),
    ] {
        let mut dig = wire.lab.server("dig");
        dig.args(["+short", "+tries=1", "-b", &source, &format!("@{server}"), "web.tm.example"]);
        assert_eq!(said(&mut dig).unwrap(), "192.0.2.10", "from {source}");
    }
    let status = wire.daemon.status(&wire.lab).unwrap();
    assert_eq!((status.packets("answered"), status.messages("engine")), (0, 4));
    assert_eq!(status.packets("source"), 0);
}

#[test]
fn frames_cut_anywhere_are_left_alone() {
    let mut wire = Wire::new("");
    let whole = v4().build();
    let short = [14, 15, 33, 34, 41, 42, 53, 54].map(|length| (length, "short"));
    // Cut inside its name, the name is another one; inside the OPT, that is none.
    for (length, reason) in short.into_iter().chain([(60, "unknown_name"), (whole.len() - 1, "edns")]) {
        let outcome = wire.send_octets(&whole[..length], true);
        assert!(outcome.packets.contains(&(reason.to_owned(), 1)), "{length}: {outcome:?}");
        assert_eq!(outcome.replies.len(), 0, "{length}: {outcome:?}");
    }
}
