//! Tagged frames: those of listed ids are answered under the tags they came with, all others are the stack's.

use tm_tests::{
    dig::answers,
    frame::Frame,
    lab::{CLIENT_INTERFACE, Lab},
    namespace::run,
    query::{Query, qtype},
    raw::RawSocket,
    reply::check_reply,
};

use crate::{
    profile, serve, wait_until_ready,
    wire::{Wire, assert_turned},
};

const CUSTOMER: u16 = 0x8100;
const SERVICE: u16 = 0x88a8;

fn frames(vlans: &[(u16, u16)]) -> [Frame; 2] {
    let query = || Query::with_edns("web.tm.example", qtype::A).build();
    [Frame::v4(query()), Frame::v6(query())].map(|frame| Frame { vlans: vlans.to_vec(), ..frame })
}

#[test]
fn listed_tags_are_answered_under_the_same_tags() {
    let mut wire = Wire::new("vlans = [7, 8, 4094]");
    for vlans in [
        &[(CUSTOMER, 7)][..],
        &[(CUSTOMER, 4094)],
        &[(SERVICE, 8)],
        &[(CUSTOMER, 7), (CUSTOMER, 8)],
        &[(SERVICE, 8), (CUSTOMER, 7)],
        // Of highest priority, and to be dropped first: what is no id does not matter.
        &[(CUSTOMER, 0xf007)],
        &[],
    ] {
        let mut client = vlans.first().map(|outer| {
            wire.lab.in_client(|| RawSocket::open_tagged(CLIENT_INTERFACE, *outer)).unwrap().unwrap()
        });
        for frame in frames(vlans) {
            let outcome = wire.send(&frame);
            assert!(outcome.packets.contains(&("answered".to_owned(), 1)), "{vlans:?}: {outcome:?}");
            assert_eq!(outcome.messages, [], "{vlans:?}");
            let reply = match &mut client {
                Some(client) => check_reply(&client.receive(|_| true).unwrap()).unwrap(),
                None => outcome.replies[0].clone(),
            };
            assert_turned(&reply, &frame);
            assert_eq!(reply.vlans, vlans.get(1..).unwrap_or_default(), "the outer tag came off");
            assert_eq!(answers(&reply.message), ["web.tm.example. 30 IN A 192.0.2.10"], "{vlans:?}");
        }
    }
}

#[test]
fn other_tags_are_left_alone() {
    let mut wire = Wire::new("vlans = [7, 8]");
    for vlans in [
        &[(CUSTOMER, 9)][..],
        &[(SERVICE, 9)],
        &[(CUSTOMER, 7), (CUSTOMER, 9)],
        &[(CUSTOMER, 9), (CUSTOMER, 7)],
    ] {
        for frame in frames(vlans) {
            let outcome = wire.send(&frame);
            assert!(outcome.packets.contains(&("vlan".to_owned(), 1)), "{vlans:?}: {outcome:?}");
            assert_eq!((outcome.replies.len(), outcome.messages.len()), (0, 0), "{vlans:?}: {outcome:?}");
        }
    }
    // Without an id a tag only says how urgent a frame is: it belongs to no VLAN, and the stack takes it.
    for frame in frames(&[(CUSTOMER, 0xe000)]) {
        let outcome = wire.send(&frame);
        assert!(outcome.packets.contains(&("vlan".to_owned(), 1)), "{outcome:?}");
        assert_eq!(outcome.messages, [("engine".to_owned(), 1)], "{outcome:?}");
        assert_turned(&outcome.replies[0], &frame);
    }
    for frame in frames(&[(CUSTOMER, 7), (CUSTOMER, 8), (CUSTOMER, 7)]) {
        let outcome = wire.send(&frame);
        assert_eq!((outcome.replies.len(), outcome.messages.len()), (0, 0), "three tags: {outcome:?}");
        assert!(!outcome.packets.iter().any(|(word, _)| word == "answered"), "three tags: {outcome:?}");
    }
}

#[test]
fn without_a_list_no_tag_is_answered() {
    let mut wire = Wire::new("");
    for frame in frames(&[(CUSTOMER, 7)]) {
        let outcome = wire.send(&frame);
        assert!(outcome.packets.contains(&("vlan".to_owned(), 1)), "{outcome:?}");
        assert_eq!((outcome.replies.len(), outcome.messages.len()), (0, 0), "{outcome:?}");
    }
}

#[test]
fn a_list_takes_force_by_a_reload() {
    let mut wire = Wire::new("");
    let node = format!("{}vlans = [7]", crate::NODE);
    wire.daemon.write("tm.toml", &node).unwrap();
    wire.daemon.wait_for("the list", |line| line.contains("configuration published"));
    for frame in frames(&[(CUSTOMER, 7)]) {
        let outcome = wire.send(&frame);
        assert!(outcome.packets.contains(&("answered".to_owned(), 1)), "{outcome:?}");
    }
}

#[test]
fn a_card_that_hides_the_tags_is_told() {
    let lab = Lab::new().unwrap();
    run(lab.server("ethtool").args(["-K", "tm0", "rxvlan", "on"])).unwrap();
    let mut daemon = serve(&lab, "vlans = [7]", &profile("web", "192.0.2.10"));
    drop(daemon.stop());
    daemon.restart(&lab).unwrap();
    let line = daemon.wait_for("the warning", |line| line.contains("strips VLAN tags"));
    assert!(line.contains("ethtool -K tm0 rx-vlan-offload off"), "{line}");
    wait_until_ready(&mut daemon);
}
