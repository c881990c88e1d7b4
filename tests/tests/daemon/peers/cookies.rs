//! Cookies of BIND, Knot DNS and NSD are known here, and ours are known there, where all have the same secret (RFC 9018, section 3).

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::rdata::opt::{EdnsCode, EdnsOption},
};
use tm_tests::{
    cookie::CODE,
    daemon::Daemon,
    lab::Lab,
    query::{Edns, Query, qtype},
};

use crate::{NODE, wait_until_ready};

use super::{
    servers::{Asker, Peer},
    zone, zone_file,
};

const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/// What a query with this cookie is answered: the code, and the cookie that comes back.
fn ask(asker: &mut Asker, cookie: &[u8]) -> (ResponseCode, Vec<u8>) {
    let edns = Edns { options: vec![(CODE, cookie.to_vec())], ..Edns::default() };
    // Not the number of the queries that were sent until the server was there, which may be answered late.
    let query = Query { id: 0x7873, edns: Some(edns), ..Query::new("web.tm.example", qtype::A) }.build();
    asker.send(&query);
    let message = Message::from_vec(&asker.receive(&query)).unwrap();
    let edns = message.edns.as_ref().unwrap();
    let Some(EdnsOption::Unknown(CODE, cookie)) = edns.option(EdnsCode::Cookie) else {
        panic!("no cookie: {message}")
    };
    (message.response_code, cookie.clone())
}

/// The same with another hash.
fn spoil(cookie: &[u8]) -> Vec<u8> {
    let mut spoilt = cookie.to_vec();
    *spoilt.last_mut().unwrap() ^= 1;
    spoilt
}

#[test]
fn rfc9018_3_cookies_are_known_at_every_server_with_the_secret() {
    let lab = Lab::new().unwrap();
    let profiles: String = zone().into_iter().map(|(.., profile)| profile).collect();
    let node = format!("{NODE}[cookies]\nsecret_file = \"{{dir}}/secrets\"\n");
    let files = [("tm.toml", &*node), ("conf.d/profiles.toml", &profiles), ("secrets", SECRET)];
    let mut daemon = Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let peers = Peer::with_cookies(&lab, [5301, 5302, 5303], &zone_file(&lab), SECRET);
    let mut us = Asker::new(&lab, 53);
    let (code, ours) = ask(&mut us, b"a client");
    assert_eq!((code, ours.len()), (ResponseCode::NoError, 24));
    for peer in &peers {
        let mut them = peer.asker(&lab);
        // NSD tells by the cookie that it gives back whether it knew it, the others by the code.
        let (known, unknown) = match peer.name {
            "nsd" => (ResponseCode::NoError, ResponseCode::NoError),
            _ => (ResponseCode::NoError, ResponseCode::BADCOOKIE),
        };
        assert_eq!(ask(&mut them, &ours).0, known, "{}", peer.name);
        let spoilt = ask(&mut them, &spoil(&ours));
        assert_eq!(spoilt.0, unknown, "{}", peer.name);
        assert_ne!(spoilt.1, spoil(&ours), "{}", peer.name);
        if peer.name == "nsd" {
            assert_eq!(ask(&mut them, &ours).1, ours);
        }
        let (_, theirs) = ask(&mut them, b"a friend");
        assert_eq!(theirs.len(), 24, "{}", peer.name);
        // What we know comes back as it is, what we do not is made anew.
        assert_eq!(ask(&mut us, &theirs), (ResponseCode::NoError, theirs.clone()), "{}", peer.name);
        let (code, fresh) = ask(&mut us, &spoil(&theirs));
        assert_eq!(code, ResponseCode::NoError, "{}", peer.name);
        assert_ne!(fresh, spoil(&theirs), "{}", peer.name);
    }
}
