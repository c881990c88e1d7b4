//! The way back as the kernel's routing table has it: replies go to the next host on it, whoever has sent the frame, and what cannot go that way is the stack's.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tm_tests::{
    dig::answers,
    frame::Frame,
    lab::{CLIENT_MAC, SERVER_INTERFACE, SERVER_MAC, SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Edns, Query, qtype},
    raw::RawSocket,
};

use crate::{
    NODE,
    wire::{Outcome, Wire},
};

const GATEWAY: [u8; 6] = [2, 0x53, 0, 0, 9, 9];
const OTHER: [u8; 6] = [2, 0x53, 0, 0, 8, 8];
const FAR_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const FAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 7);

fn query(name: &str) -> Vec<u8> {
    Query::with_edns(name, qtype::A).build()
}

fn from_far(name: &str) -> [Frame; 2] {
    let v4: [SocketAddr; 2] = [(FAR_V4, 40_053).into(), (SERVER_V4, 53).into()];
    let v6: [SocketAddr; 2] = [(FAR_V6, 40_053).into(), (SERVER_V6, 53).into()];
    [v4, v6].map(|[from, to]| Frame { source_mac: OTHER, ..Frame::between(from, to, query(name)) })
}

/// The server with these settings of `[listen]`, and with these `ip` and `sysctl` commands run on it.
fn wire(commands: &[&str]) -> Wire {
    let wire = Wire::new("route_lookup = true");
    for command in commands {
        let (program, words) = command.split_once(' ').unwrap();
        run(wire.lab.server(program).args(words.split(' '))).unwrap();
    }
    wire
}

const FORWARD: [&str; 2] =
    ["sysctl -q -w net.ipv4.conf.lo.forwarding=1", "sysctl -q -w net.ipv6.conf.lo.forwarding=1"];
const NEIGHBOURS: [&str; 4] = [
    "ip neigh replace 10.53.0.2 lladdr 02:53:00:00:00:02 dev tm0 nud permanent",
    "ip neigh replace fd53::2 lladdr 02:53:00:00:00:02 dev tm0 nud permanent",
    "ip neigh replace 10.53.0.9 lladdr 02:53:00:00:09:09 dev tm0 nud permanent",
    "ip neigh replace fd53::9 lladdr 02:53:00:00:09:09 dev tm0 nud permanent",
];
const BY_GATEWAY: [&str; 2] =
    ["ip route add 198.51.100.0/24 via 10.53.0.9", "ip -6 route add 2001:db8:1::/48 via fd53::9"];

/// What XDP counted, but for what the client's stack says to replies that nobody there waits for.
fn counted(outcome: &Outcome) -> Vec<(String, u64)> {
    outcome.packets.iter().filter(|(word, _)| word != "not_udp").cloned().collect()
}

/// XDP has answered, to this address on the link.
fn assert_sent(outcome: &Outcome, frame: &Frame, to: [u8; 6]) {
    assert_eq!(counted(outcome), [("answered".to_owned(), 1)], "{frame:?}");
    assert_eq!((outcome.messages.len(), outcome.replies.len()), (0, 1), "{outcome:?}");
    let reply = &outcome.replies[0];
    assert_eq!((reply.source_mac, reply.destination_mac), (SERVER_MAC, to), "{frame:?}");
    assert_eq!((reply.source, reply.destination), (frame.destination, frame.source));
    assert_eq!(answers(&reply.message), ["web.tm.example. 30 IN A 192.0.2.10"]);
}

/// XDP has handed it up for its way back, and the sockets have answered it.
fn assert_handed_up(outcome: &Outcome, what: &str) {
    assert_eq!(counted(outcome), [("route".to_owned(), 1)], "{what}: {outcome:?}");
    assert_eq!(outcome.messages, [("engine".to_owned(), 1)], "{what}: {outcome:?}");
}

#[test]
fn replies_go_to_the_next_host_on_the_way_back() {
    let mut wire = wire(&[&FORWARD[..], &NEIGHBOURS, &BY_GATEWAY].concat());
    for frame in from_far("web.tm.example") {
        let outcome = wire.send(&frame);
        assert_sent(&outcome, &frame, GATEWAY);
    }
    // On the link itself: its neighbour, though another has sent the frame.
    for frame in [Frame::v4(query("web.tm.example")), Frame::v6(query("web.tm.example"))] {
        let frame = Frame { source_mac: OTHER, ..frame };
        let outcome = wire.send(&frame);
        assert_sent(&outcome, &frame, CLIENT_MAC);
    }
    // What options have led through other programs goes the same way.
    for code in [10, 65_001] {
        let edns = Edns { options: vec![(code, vec![1, 2, 3, 4, 5, 6, 7, 8])], ..Edns::default() };
        let payload = Query { edns: Some(edns), ..Query::new("web.tm.example", qtype::A) }.build();
        let frame = Frame { payload, ..from_far("web.tm.example")[0].clone() };
        let outcome = wire.send(&frame);
        assert_sent(&outcome, &frame, GATEWAY);
    }
}

#[test]
fn what_is_handed_up_is_as_it_came() {
    let mut wire = wire(&[&FORWARD[..], &NEIGHBOURS, &BY_GATEWAY].concat());
    let mut server = wire.lab.in_server(|| RawSocket::open(SERVER_INTERFACE)).unwrap().unwrap();
    let unknown = query("nobody.example.org");
    let transfer = Query::with_edns("web.tm.example", 252).build();
    for payload in [unknown, transfer] {
        for frame in from_far("web.tm.example") {
            let frame = Frame { payload: payload.clone(), ..frame };
            wire.send(&frame);
            let seen = server.receive(|seen| seen[6..12] == OTHER).unwrap();
            assert_eq!(seen, frame.build(), "what the stack is given");
        }
    }
}

#[test]
fn other_ways_back_are_the_stacks() {
    let mut wire = wire(&[&FORWARD[..], &NEIGHBOURS].concat());
    for (what, commands) in [
        ("no route", &[][..]),
        (
            "nobody knows the gateway's address",
            &[
                "ip route replace 198.51.100.0/24 via 10.53.0.8",
                "ip -6 route replace 2001:db8:1::/48 via fd53::8",
            ],
        ),
        (
            "by another interface",
            &[
                "ip link add tmd type veth peer name tme",
                "ip link set tmd up",
                "ip route replace 198.51.100.0/24 dev tmd",
                "ip -6 route replace 2001:db8:1::/48 dev tmd",
            ],
        ),
        (
            "nowhere",
            &["ip route replace blackhole 198.51.100.0/24", "ip -6 route replace blackhole 2001:db8:1::/48"],
        ),
    ] {
        for command in commands {
            let (program, words) = command.split_once(' ').unwrap();
            run(wire.lab.server(program).args(words.split(' '))).unwrap();
        }
        for frame in from_far("web.tm.example") {
            let outcome = wire.send(&frame);
            assert_handed_up(&outcome, what);
            assert_eq!(outcome.replies.len(), 0, "{what}: {outcome:?}");
        }
    }
}

#[test]
fn without_forwarding_nothing_is_found_and_the_log_says_so() {
    let mut wire = wire(&NEIGHBOURS);
    for family in ["v4", "v6"] {
        let advice = format!("sysctl -w net.ip{family}.conf.lo.forwarding=1");
        assert!(wire.daemon.log().iter().any(|line| line.contains(&advice)), "{advice}");
    }
    for frame in [Frame::v4(query("web.tm.example")), Frame::v6(query("web.tm.example"))] {
        let outcome = wire.send(&frame);
        assert_handed_up(&outcome, "no forwarding");
        assert_eq!(outcome.replies.len(), 1, "the sockets' own");
    }
}

#[test]
fn the_setting_is_taken_over_as_it_runs() {
    let mut wire = wire(&[&FORWARD[..], &NEIGHBOURS, &BY_GATEWAY].concat());
    let [frame, _] = from_far("web.tm.example");
    for (setting, to) in [("route_lookup = false", OTHER), ("route_lookup = true", GATEWAY)] {
        wire.daemon.write("tm.toml", &format!("{NODE}{setting}")).unwrap();
        wire.daemon.wait_for(setting, |line| line.contains("configuration published"));
        let outcome = wire.send(&frame);
        assert_sent(&outcome, &frame, to);
    }
}
