//! What holds for any frame.

use tm_common::verdict::Verdict;
use tm_userspace::{desired::RoutingMethod, dns::Transport, names::DnsName};

use super::{WORLD, message::check_answer, request::Request};
use crate::{
    host::answer_frame,
    lab::{SERVER_V4, SERVER_V6},
    reply::check_reply,
};

/// Left exactly as it came, or answered: then it could be answered, and the reply is right to the last octet, goes back to where the request came
/// from, and says what the sockets say.
pub fn check_frame(frame: &[u8]) {
    let (reason, out) = answer_frame(frame, &WORLD.image);
    match reason.verdict() {
        Verdict::Pass => assert_eq!(out, frame, "passed up ({}) but changed", reason.label()),
        Verdict::Drop => panic!("dropped, though nobody can ask so much"),
        Verdict::Abort => panic!("half written: {frame:02x?}"),
        Verdict::Reply => check(frame, &out),
    }
}

fn check(frame: &[u8], out: &[u8]) {
    let request = Request::read(frame).unwrap_or_else(|| panic!("may not be answered: {frame:02x?}"));
    let reply = check_reply(out).unwrap_or_else(|error| panic!("{error:#}: {out:02x?} to {frame:02x?}"));
    assert_eq!((reply.source, reply.destination), (request.destination, request.source));
    assert_eq!((reply.source_mac, reply.destination_mac), (request.destination_mac, request.source_mac));
    assert_eq!((&reply.vlans, reply.ttl), (&request.vlans, 64));
    assert!(reply.vlans.len() <= 2 && reply.vlans.iter().all(|(_, tag)| [5, 7].contains(&(tag & 0xfff))));
    assert_eq!(request.destination.port(), 53);
    assert!([SERVER_V4.into(), SERVER_V6.into()].contains(&request.destination.ip()), "answered for another");
    assert_ne!(request.source.ip(), request.destination.ip());

    let name = check_answer(request.message, &reply.payload, Transport::Udp);
    let name = DnsName::from_wire(&name);
    assert!(WORLD.zones.find(&name).is_some(), "{name} is in no zone");
    // The turns of weighted blocks are each side's own.
    if WORLD.profiles.get(&name).is_none_or(|method| *method == RoutingMethod::Priority) {
        let sockets = WORLD.responder.reply(request.message, request.source.ip(), Transport::Udp);
        assert_eq!(sockets.as_deref(), Some(&reply.payload[..]), "the sockets say something else");
    }
}
