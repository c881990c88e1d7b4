//! Signed queries and what is said to them; signatures made and checked by hickory's client side.

use std::{
    sync::{Arc, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use hickory_proto::{
    op::{Edns, Message, Query, ResponseCode},
    rr::{
        Name, RecordType, TSigVerifier, TSigner,
        rdata::{
            opt::{EdnsCode, EdnsOption, NSIDPayload},
            tsig::{TsigAlgorithm, TsigError},
        },
    },
};
use tokio::sync::watch;

use super::kit::{Ask, CLIENT, ask, desired, image, longest, record, three_servers, wire};
use crate::{
    control::Published,
    decide::decide,
    desired::{self, Desired, Limit, Node, Transfer, TsigKey},
    dns::{Responder, Transfers, Transport, ZoneView, reply::Reply},
    frozen::Frozen,
    health::Health,
    places::View,
    sync::Image,
};

pub(super) const SECRET: &[u8] = b"a secret of 27 octets in it";

fn key(name: &str, algorithm: desired::TsigAlgorithm) -> Arc<TsigKey> {
    Arc::new(TsigKey { name: name.parse().unwrap(), algorithm, secret: SECRET.to_vec() })
}

/// Three keys, of which the first may have the zone.
pub(super) fn keyed() -> Desired {
    use desired::TsigAlgorithm::{HmacSha256, HmacSha384, HmacSha512};
    let long = format!("{}.{}.{}", "k".repeat(63), "e".repeat(63), "y".repeat(63));
    let keys = vec![key("one", HmacSha256), key("two.test", HmacSha384), key(&long, HmacSha512)];
    let plain = desired(three_servers());
    let transfer = Transfer { allow: vec![keys[0].name.clone()], keys, notify: vec![] };
    let node = Arc::new(Node { transfer, ..(*plain.node).clone() });
    Desired { node, ..plain }
}

fn published(desired: &Desired) -> Arc<Published> {
    let decisions = desired.profiles.iter().map(|(name, profile)| {
        let (health, now) = (Health::default(), SystemTime::UNIX_EPOCH);
        (name.clone(), Arc::new(decide(&desired.profiles, profile, &View::anywhere(), &health, now)))
    });
    Arc::new(Published { decisions: decisions.collect(), ..Published::default() })
}

pub(super) fn responder() -> Responder {
    responder_for(&keyed())
}

pub(super) fn responder_for(desired: &Desired) -> Responder {
    responder_over(desired, image(desired, 4096, &["192.0.2.53".parse().unwrap()]))
}

fn responder_over(desired: &Desired, image: Image) -> Responder {
    let (_, zone) = watch::channel(Arc::new(ZoneView::new(desired, &["192.0.2.53".parse().unwrap()])));
    let (_, published) = watch::channel(published(desired));
    let (_, content) = Transfers::new(zone.clone(), published);
    Responder::new(Arc::new(RwLock::new(image)), zone, content, crate::traffic::Traffic::new().0)
}

pub(super) fn signer(name: &str, algorithm: TsigAlgorithm, secret: &[u8]) -> TSigner {
    TSigner::new(secret.to_vec(), algorithm, Name::from_ascii(name).unwrap(), 300).unwrap()
}

pub(super) fn one() -> TSigner {
    signer("one.", TsigAlgorithm::HmacSha256, SECRET)
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(super) fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.id = 0xabcd;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

/// The query as it is sent, and what its replies are checked with.
pub(super) fn signed(mut message: Message, signer: &TSigner, time: u64) -> (Vec<u8>, TSigVerifier) {
    let verifier = message.finalize(signer, time).unwrap().unwrap();
    (message.to_vec().unwrap(), verifier)
}

/// All messages that are said.
pub(super) fn said(responder: &Responder, query: &[u8], transport: Transport) -> Vec<Vec<u8>> {
    match responder.respond(query, CLIENT, transport, None) {
        None => vec![],
        Some(Reply::Message(reply)) => vec![reply],
        Some(Reply::Transfer(transfer)) => transfer.collect(),
    }
}

/// The one message, its status, and what its signature says is wrong; `None` where it has none.
fn told(responder: &Responder, query: &[u8]) -> (ResponseCode, Option<TsigError>, usize) {
    let [reply] = &said(responder, query, Transport::Tcp)[..] else { panic!("one message was to come") };
    let reply = Message::from_vec(reply).unwrap();
    assert!(reply.answers.is_empty() && reply.authorities.is_empty(), "{reply}");
    let signature = reply.signature().map(|signature| &signature.data);
    (
        reply.metadata.response_code,
        signature.and_then(|said| said.error),
        signature.map_or(0, |said| said.mac.len()),
    )
}

/// A server with a name of so many octets, that of its answers over UDP gives so many a window, and tells all others to come back; and its reply to a signed query that asks for the name.
fn named(octets: usize, answers_per_second: u32) -> impl Fn() -> (Message, usize) {
    let mut desired = keyed();
    let node = Arc::make_mut(&mut desired.node);
    node.sockets.nsid = Some("x".repeat(octets).into());
    let mut image = image(&desired, 4096, &["192.0.2.53".parse().unwrap()]);
    let limit = Limit { answers_per_second, slip: 1 };
    image.set_frozen(Frozen { limit, ..image.frozen().clone() });
    image.set_ticks(1 << 10);
    let responder = responder_over(&desired, image);
    move || {
        let mut edns = Edns::new();
        edns.set_max_payload(512);
        edns.options_mut().insert(EdnsOption::NSID(NSIDPayload::new([]).unwrap()));
        let mut message = query("web.tm.example.", RecordType::A);
        message.edns = Some(edns);
        let (octets, mut verifier) = signed(message, &one(), now());
        let [reply] = &said(&responder, &octets, Transport::Udp)[..] else {
            panic!("one message was to come")
        };
        verifier.verify(reply).unwrap();
        (Message::from_vec(reply).unwrap(), reply.len())
    }
}

fn has_name(reply: &Message) -> bool {
    reply.edns.as_ref().unwrap().option(EdnsCode::NSID).is_some()
}

#[test]
fn rfc5001_a_name_that_has_no_room_beside_the_signature_is_left_out() {
    let (with, length) = named(1, 0)();
    assert!(has_name(&with) && with.answers.len() == 1);
    // What fits to the octet, and what does not.
    let room = 512 - length + 1;
    let (with, length) = named(room, 0)();
    assert_eq!((has_name(&with), with.answers.len(), length), (true, 1, 512));
    let (without, _) = named(room + 1, 0)();
    assert_eq!((has_name(&without), without.answers.len(), without.metadata.truncation), (false, 1, false));
}

#[test]
fn what_is_slipped_has_a_signature_and_nothing_more() {
    let ask = named(1, 1);
    let (whole, length) = ask();
    assert!(has_name(&whole));
    let (slipped, shorter) = ask();
    assert!(slipped.metadata.truncation && slipped.answers.is_empty() && !has_name(&slipped));
    // The record, and the name with what stands before it.
    assert_eq!(shorter, length - 16 - 5);
}

#[test]
fn rfc8945_5_3_what_is_rightly_signed_is_answered_signed() {
    let responder = responder();
    let signers = [
        one(),
        signer("ONE.", TsigAlgorithm::HmacSha256, SECRET),
        signer("two.test.", TsigAlgorithm::HmacSha384, SECRET),
    ];
    for signer in signers {
        for what in ["web.tm.example.", "nobody.tm.example.", "tm.example.", "www.contoso.com."] {
            for transport in [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Https] {
                let mut message = query(what, RecordType::A);
                message.edns = Some(Edns::new());
                let plain = responder.reply(&message.to_vec().unwrap(), CLIENT, transport).unwrap();
                // At the end of what is taken for the same time.
                for time in [now(), now() - 290, now() + 290] {
                    let (octets, mut verifier) = signed(message.clone(), &signer, time);
                    let [reply] = &said(&responder, &octets, transport)[..] else { panic!("{what}") };
                    verifier.verify(reply).unwrap();
                    // But for the count of additional records, the same.
                    assert_eq!(reply[..10], plain[..10]);
                    assert_eq!(reply[12..plain.len()], plain[12..], "{what} {transport}");
                }
            }
        }
    }
}

#[test]
fn rfc8945_5_2_what_is_wrongly_signed_is_told_why() {
    let (responder, notauth) = (responder(), ResponseCode::NotAuth);
    let web = || query("web.tm.example.", RecordType::A);
    let by = |signer: &TSigner, time| told(&responder, &signed(web(), signer, time).0);
    let bad_key = (notauth, Some(TsigError::BadKey), 0);
    assert_eq!(by(&signer("none.", TsigAlgorithm::HmacSha256, SECRET), now()), bad_key);
    assert_eq!(by(&signer("one.", TsigAlgorithm::HmacSha512, SECRET), now()), bad_key);
    let bad_sig = (notauth, Some(TsigError::BadSig), 0);
    assert_eq!(by(&signer("one.", TsigAlgorithm::HmacSha256, b"not it"), now()), bad_sig);
    // RFC 8945, section 5.2.3: signed, so that the client can believe what our time is.
    let bad_time = (notauth, Some(TsigError::BadTime), 32);
    for time in [0, 1, now() - 310, now() + 310, (1 << 48) - 1] {
        assert_eq!(by(&one(), time), bad_time, "{time}");
    }
    let (octets, _) = signed(web(), &one(), 7);
    let reply = Message::from_vec(&said(&responder, &octets, Transport::Udp)[0]).unwrap();
    let told = &reply.signature().unwrap().data;
    let ours = told.other.iter().fold(0, |time, octet| time << 8 | u64::from(*octet));
    assert_eq!((told.time, told.other.len()), (7, 6));
    assert!(ours.abs_diff(now()) < 100, "{ours}");
}

#[test]
fn any_octet_that_was_changed_is_found() {
    let responder = responder();
    let (octets, _) = signed(query("web.tm.example.", RecordType::A), &one(), now());
    for at in 12..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 1;
        for reply in said(&responder, &changed, Transport::Tcp) {
            let reply = Message::from_vec(&reply).unwrap();
            let code = reply.metadata.response_code;
            // The type: what is no signature any more is none, and so has its reply none, which the client notices.
            let is_plain = code == ResponseCode::NoError && reply.signature().is_none();
            let is_refused = matches!(code, ResponseCode::NotAuth | ResponseCode::FormErr);
            assert!(
                is_refused && reply.answers.is_empty() || is_plain && (37..39).contains(&at),
                "{at}: {reply}"
            );
        }
    }
    for length in 12..octets.len() {
        for reply in said(&responder, &octets[..length], Transport::Tcp) {
            assert_eq!(Message::from_vec(&reply).unwrap().metadata.response_code, ResponseCode::FormErr);
        }
    }
    // The ID alone may be another than it was signed with: whoever passes queries on may change it.
    let mut passed_on = octets;
    passed_on[..2].copy_from_slice(&[1, 2]);
    let reply = said(&responder, &passed_on, Transport::Tcp).remove(0);
    assert_eq!(reply[..2], [1, 2]);
    assert_eq!(Message::from_vec(&reply).unwrap().answers.len(), 1);
}

#[test]
fn rfc8945_5_1_a_signature_is_the_last_record_and_the_only_one() {
    let responder = responder();
    let malformed = (ResponseCode::FormErr, None, 0);
    let tsig = |class, ttl, data: &[u8]| record(&wire("one"), 250, class, ttl, data);
    // The root for an algorithm, and zeros.
    let whole = tsig(255, 0, &[0; 17]);
    let web = || ask("web.tm.example A");
    let cases: [Ask; 6] = [
        web().record(3, &whole).record(3, &whole),
        web().record(3, &whole).opt(1232, 0, &[]),
        web().record(3, &tsig(1, 0, &[0; 17])),
        web().record(3, &tsig(255, 1, &[0; 17])),
        web().record(3, &tsig(255, 0, &[0; 16])),
        web().record(3, &tsig(255, 0, &[])),
    ];
    for case in cases {
        assert_eq!(told(&responder, &case.octets()), malformed, "{case:?}");
    }
    assert_eq!(told(&responder, &web().record(3, &whole).octets()).0, ResponseCode::NotAuth);
    // In another section there can be none.
    for section in [1, 2] {
        assert_eq!(told(&responder, &web().record(section, &whole).octets()), malformed, "{section}");
    }
}

#[test]
fn rfc8945_5_2_2_1_and_5_2_4_a_signature_that_is_cut_short_does_not_count() {
    let responder = responder();
    let (whole, _) = signed(query("web.tm.example.", RecordType::A), &one(), now());
    // Name of the algorithm, time and fudge; size and MAC; ID, error and other data.
    let (data, mac) = (13 + 8 + 2 + 32 + 6, 32 + 6);
    let with_mac = |length: usize, first: u8| {
        let (head, rest) = whole.split_at(whole.len() - mac);
        let mut made = rest[..32].to_vec();
        made.resize(length, 0);
        if let Some(octet) = made.first_mut() {
            *octet ^= first;
        }
        let mut octets = [head, &made, &rest[32..]].concat();
        let at = head.len() - 2;
        octets[at..at + 2].copy_from_slice(&(length as u16).to_be_bytes());
        let at = whole.len() - data - 2;
        octets[at..at + 2].copy_from_slice(&((data - 32 + length) as u16).to_be_bytes());
        octets
    };
    assert_eq!(with_mac(32, 0), whole);
    for length in [0, 9, 10, 15, 33, 64] {
        let malformed = (ResponseCode::FormErr, None, 0);
        assert_eq!(told(&responder, &with_mac(length, 0)), malformed, "{length}");
    }
    for length in [16, 31] {
        let cut = (ResponseCode::NotAuth, Some(TsigError::BadTrunc), 32);
        assert_eq!(told(&responder, &with_mac(length, 0)), cut, "{length}");
        let wrong = (ResponseCode::NotAuth, Some(TsigError::BadSig), 0);
        assert_eq!(told(&responder, &with_mac(length, 1)), wrong, "{length}");
    }
}

#[test]
fn rfc8945_5_3_what_does_not_fit_with_its_signature_is_cut() {
    let (responder, name) =
        (responder(), format!("{}.{}.{}.", "k".repeat(63), "e".repeat(63), "y".repeat(63)));
    let signer = signer(&name, TsigAlgorithm::HmacSha512, SECRET);
    let asked = || query(&format!("n{}.", &longest()[1..]), RecordType::A);
    let plain = responder.reply(&asked().to_vec().unwrap(), CLIENT, Transport::Udp).unwrap();
    assert!((512 - 300..512).contains(&plain.len()), "{} octets", plain.len());
    let (octets, mut verifier) = signed(asked(), &signer, now());
    let reply = said(&responder, &octets, Transport::Udp).remove(0);
    verifier.verify(&reply).unwrap();
    let read = Message::from_vec(&reply).unwrap();
    assert!(read.metadata.truncation && read.authorities.is_empty(), "{read}");
    let (octets, mut verifier) = signed(asked(), &signer, now());
    let whole = said(&responder, &octets, Transport::Tcp).remove(0);
    verifier.verify(&whole).unwrap();
    assert_eq!(whole[12..plain.len()], plain[12..]);
}
