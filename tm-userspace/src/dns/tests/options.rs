//! Options that replies carry for who asks for them: because of what they go over, and which server it is.

use std::{sync::Arc, time::Duration};

use super::kit::{Ask, CLIENT, ask, desired, record, responder, responder_for, three_servers};
use crate::{
    desired::{Desired, Node, Sockets},
    dns::{Responder, Transport, reply::Reply},
};

const KEEPALIVE: &[u8] = &[0, 11, 0, 0];
const NSID: &[u8] = &[0, 3, 0, 0];
const PADDING: &[u8] = &[0, 12, 0, 3, 0, 0, 0];
const HALF_A_MINUTE: Option<Duration> = Some(Duration::from_secs(30));

fn reply(responder: &Responder, ask: &Ask, transport: Transport, idle: Option<Duration>) -> Vec<u8> {
    match responder.respond(&ask.octets(), CLIENT, transport, idle) {
        Some(Reply::Message(reply)) => reply,
        _ => panic!("one message was to be said to {ask:?}"),
    }
}

/// The reply with `options` is the one without, but for what stands in its OPT: `expected`.
fn check(ask: Ask, transport: Transport, idle: Option<Duration>, options: &[u8], expected: &[u8]) {
    let responder = responder();
    let plain = reply(&responder, &ask.clone().opt(1232, 0x8000, &[]), Transport::Tcp, None);
    let (head, length) = plain.split_at(plain.len() - 2);
    assert_eq!(length, [0, 0]);
    let whole = [head, &(expected.len() as u16).to_be_bytes(), expected].concat();
    let asked = ask.clone().opt(1232, 0x8000, options);
    assert_eq!(reply(&responder, &asked, transport, idle), whole, "{ask:?} {transport} {options:?}");
}

/// From the engine, with a negative answer, and from the zone's apex.
fn asks() -> [Ask; 4] {
    ["web.tm.example A", "six.tm.example A", "nobody.tm.example A", "tm.example NS"].map(ask)
}

#[test]
fn rfc7828_3_2_keepalive_is_told_who_asks_over_a_connection() {
    for ask in asks() {
        for transport in [Transport::Tcp, Transport::Tls] {
            // 30 s are 300 tenths.
            check(ask.clone(), transport, HALF_A_MINUTE, KEEPALIVE, &[0, 11, 0, 2, 1, 44]);
            // RFC 7828, section 3.2.1: no time in a query; one that is there says nothing to us.
            check(ask.clone(), transport, HALF_A_MINUTE, &[0, 11, 0, 2, 0, 1], &[0, 11, 0, 2, 1, 44]);
            check(
                ask.clone(),
                transport,
                HALF_A_MINUTE,
                &[&[0, 3, 0, 0], KEEPALIVE].concat(),
                &[0, 11, 0, 2, 1, 44],
            );
            check(ask.clone(), transport, HALF_A_MINUTE, &[0, 3, 0, 0], &[]);
            // Over two hours: the longest that can be said.
            let long = Some(Duration::from_secs(7200));
            check(ask.clone(), transport, long, KEEPALIVE, &[0, 11, 0, 2, 255, 255]);
        }
        check(ask.clone(), Transport::Udp, None, KEEPALIVE, &[]);
        check(ask, Transport::Https, None, KEEPALIVE, &[]);
    }
}

#[test]
fn rfc8467_4_1_padded_queries_have_padded_replies_where_nobody_reads_along() {
    for ask in asks() {
        for transport in [Transport::Tls, Transport::Https] {
            let responder = responder();
            let asked = ask.clone().opt(1232, 0, PADDING);
            let padded = reply(&responder, &asked, transport, None);
            assert_eq!(padded.len(), 468, "{ask:?} {transport}");
            let plain = reply(&responder, &ask.clone().opt(1232, 0, &[]), Transport::Tcp, None);
            let zeros = 468 - plain.len() - 4;
            check(
                ask.clone(),
                transport,
                None,
                PADDING,
                &[&[0, 12][..], &(zeros as u16).to_be_bytes(), &vec![0; zeros]].concat(),
            );
        }
        check(ask.clone(), Transport::Tcp, HALF_A_MINUTE, PADDING, &[]);
        check(ask, Transport::Udp, None, PADDING, &[]);
    }
}

#[test]
fn rfc7830_4_padding_comes_last() {
    let both = [PADDING, KEEPALIVE].concat();
    let asked = ask("web.tm.example A").opt(1232, 0, &both);
    let padded = reply(&responder(), &asked, Transport::Tls, HALF_A_MINUTE);
    assert_eq!(padded.len(), 468);
    // Header 12, question 20, A 16, OPT 11.
    assert_eq!(padded[59..65], [0, 11, 0, 2, 1, 44]);
    assert_eq!(padded[65..69], [0, 12, 1, 0x8f]);
    assert_eq!(0x18f, 468 - 69);
}

#[test]
fn rfc6891_6_1_3_another_version_is_told_nothing_but_ours() {
    let asked = ask("web.tm.example A").opt(1232, 0x0001_0000, KEEPALIVE);
    let responder = responder();
    let plain = reply(&responder, &asked, Transport::Tcp, None);
    assert_eq!(reply(&responder, &asked, Transport::Tls, HALF_A_MINUTE), plain);
}

#[test]
fn what_is_refused_as_malformed_is_told_nothing() {
    let responder = responder();
    let web = || ask("web.tm.example A");
    let twice = web().opt(1232, 0, KEEPALIVE).opt(1232, 0, KEEPALIVE);
    let cut = web().opt(1232, 0, &[KEEPALIVE, &[0, 12, 0, 9]].concat());
    let behind = web().record(3, &record(&[0], 41, 1232, 0, KEEPALIVE)[..14]);
    for asked in [twice, cut, behind, web(), web().counts([1, 0, 0, 9])] {
        let plain = reply(&responder, &asked, Transport::Tcp, None);
        assert_eq!(reply(&responder, &asked, Transport::Tls, HALF_A_MINUTE), plain, "{asked:?}");
    }
}

/// A responder that is called so.
fn called(nsid: &str) -> Responder {
    let desired = desired(three_servers());
    let sockets = Sockets { nsid: Some(nsid.into()), ..desired.node.sockets.clone() };
    let node = Arc::new(Node { sockets, ..(*desired.node).clone() });
    responder_for(&Desired { node, ..desired }, 512)
}

#[test]
fn rfc5001_2_1_the_server_is_named_to_who_asks_and_has_a_name() {
    let (named, nameless) = (called("ams1"), responder());
    let transports = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Https];
    for (ask, transport) in asks().into_iter().flat_map(|ask| transports.map(|to| (ask.clone(), to))) {
        let plain = reply(&nameless, &ask.clone().opt(1232, 0, &[]), transport, None);
        // What stands in a query's option is nobody's (section 2.1).
        for sent in [NSID, &[0, 3, 0, 2, 7, 7]] {
            let asked = ask.clone().opt(1232, 0, sent);
            let mut expected = plain.clone();
            assert_eq!(reply(&nameless, &asked, transport, None), expected, "{ask:?} {transport}");
            *expected.last_mut().unwrap() = 8;
            expected.extend([0, 3, 0, 4]);
            expected.extend(b"ams1");
            assert_eq!(reply(&named, &asked, transport, None), expected, "{ask:?} {transport}");
        }
        assert_eq!(reply(&named, &ask.clone().opt(1232, 0, &[]), transport, None), plain, "nobody asked");
        let without = reply(&nameless, &ask, transport, None);
        assert_eq!(reply(&named, &ask, transport, None), without, "there is no place for it");
    }
    let other_version = ask("web.tm.example A").opt(1232, 0x0001_0000, NSID);
    let plain = reply(&nameless, &other_version, Transport::Udp, None);
    assert_eq!(reply(&named, &other_version, Transport::Udp, None), plain);
}

#[test]
fn a_name_that_has_no_room_is_left_out() {
    let named = called(&"n".repeat(255));
    let label = "l".repeat(63);
    let ask = ask(&format!("{label}.{label}.{label}.tm.example A"));
    let length = |size, transport| reply(&named, &ask.clone().opt(size, 0, NSID), transport, None).len();
    let plain = reply(&named, &ask.clone().opt(1232, 0, &[]), Transport::Udp, None).len();
    assert!((512 - 4 - 255..512).contains(&plain), "{plain}");
    let whole = plain + 4 + 255;
    assert_eq!(
        [512, whole as u16 - 1, whole as u16].map(|size| length(size, Transport::Udp)),
        [plain, plain, whole]
    );
    assert_eq!(length(512, Transport::Tcp), whole);
}
