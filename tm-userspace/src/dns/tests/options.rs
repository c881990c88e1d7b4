//! Options that replies carry because of what they go over.

use std::time::Duration;

use super::kit::{Ask, CLIENT, ask, record, responder};
use crate::dns::{Responder, Transport, reply::Reply};

const KEEPALIVE: &[u8] = &[0, 11, 0, 0];
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
