//! Every kind of frame, with XDP on and with XDP off: what comes of it is the same, and is what the kernel's stack and a careful server make of it.

mod chance;

use std::net::SocketAddr;

use tm_tests::{
    daemon::Daemon,
    frame::{Frame, checksum},
    lab::{CLIENT_MAC, CLIENT_V4, CLIENT_V6, Lab, SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Edns, Query, qtype},
    raw::RawSocket,
    reply::{Reply, check_reply},
};

use crate::{profile, serve, wire::is_from_port_53};

/// What is to come of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// One reply, in which the profile's address stands.
    Answered,
    /// Nothing that a name server says.
    Silence,
    /// One or the other, but the same on both sides.
    Alike,
}
use Outcome::{Alike, Answered, Silence};

/// What is sent one after the other, and what is to come of it.
type Case = (&'static str, Vec<Vec<u8>>, Outcome);

/// A server, and a packet socket on its client's end.
struct Side {
    lab: Lab,
    daemon: Daemon,
    raw: RawSocket,
}

impl Side {
    fn new(listen: &str) -> Self {
        let lab = Lab::new().unwrap();
        // There is a way back to everybody, or the stack alone would not find one.
        let ip = |words: &str| run(lab.server("ip").args(words.split(' '))).unwrap();
        ip(&format!("route add default via {CLIENT_V4}"));
        ip(&format!("-6 route add default via {CLIENT_V6}"));
        let daemon = serve(&lab, listen, &profile("web", "192.0.2.10"));
        let raw = lab.raw().unwrap();
        Self { lab, daemon, raw }
    }

    /// Sends frames, and behind them one of either family that the sockets alone answer; gives all replies before those.
    fn send(&mut self, frames: &[Vec<u8>]) -> Vec<Reply> {
        let mut replies = Vec::new();
        for frame in frames {
            self.raw.send(frame).unwrap();
        }
        for (id, make) in [(0xfe04, Frame::v4 as fn(Vec<u8>) -> Frame), (0xfe06, Frame::v6)] {
            // STATUS, which nobody has implemented.
            let last = Query { id, flags: 0x1000, ..Query::new("web.tm.example", qtype::A) };
            self.raw.send(&make(last.build()).build()).unwrap();
            loop {
                let reply = check_reply(
                    &self.raw.receive(|frame| frame[6..12] != CLIENT_MAC && is_from_port_53(frame)).unwrap(),
                )
                .unwrap();
                if reply.message.metadata.id == id {
                    break;
                }
                replies.push(reply);
            }
        }
        replies
    }

    /// How many frames XDP has answered.
    fn answered(&self) -> u64 {
        self.daemon.status(&self.lab).unwrap().packets("answered")
    }
}

/// Everything of a reply that the client can tell, but for IPv6's flow label.
fn seen(reply: &Reply) -> impl PartialEq + std::fmt::Debug {
    let macs = (reply.destination_mac, reply.source_mac);
    let ends = (reply.source, reply.destination);
    let ip = (reply.fragment, reply.ttl, reply.traffic_class);
    (macs, reply.vlans.clone(), ends, ip, reply.payload.clone())
}

/// Sends each case to both sides. `by_xdp` of the frames XDP answers itself.
fn check(cases: impl IntoIterator<Item = Case>, by_xdp: u64) {
    let (mut on, mut off) = (Side::new(""), Side::new("mode = \"off\""));
    let mut wrong = Vec::new();
    for (what, frames, outcome) in cases {
        let [with, without] = [&mut on, &mut off].map(|side| side.send(&frames));
        if !with.iter().map(seen).eq(without.iter().map(seen)) {
            wrong.push(format!("{what}: with XDP {with:02x?}, without {without:02x?}"));
        }
        let addresses: Vec<_> = with.iter().flat_map(|reply| &reply.message.answers).collect();
        let is_right = match outcome {
            Answered => with.len() == 1 && addresses.len() == 1,
            Silence => with.is_empty() && without.is_empty(),
            Alike => true,
        };
        if !is_right {
            wrong.push(format!("{what}: not {outcome:?}, but {with:02x?} and {without:02x?}"));
        }
        for reply in with.iter().chain(&without) {
            assert_eq!(reply.destination_mac[0] & 1, 0, "{what}: sent to a group");
            assert_eq!((reply.ttl, reply.traffic_class), (64, 0), "{what}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((on.answered(), off.answered()), (by_xdp, 0));
}

fn query() -> Vec<u8> {
    Query::with_edns("web.tm.example", qtype::A).build()
}

fn v4() -> Frame {
    Frame::v4(query())
}

fn v6() -> Frame {
    Frame::v6(query())
}

fn one(what: &'static str, frame: Frame, outcome: Outcome) -> Case {
    (what, vec![frame.build()], outcome)
}

fn between(source: &str, server: &str) -> Frame {
    let [source, server]: [SocketAddr; 2] = [source, server].map(|end| end.parse().unwrap());
    Frame::between(source, server, query())
}

fn from(source: &str) -> Frame {
    between(
        source,
        &if source.starts_with('[') { format!("[{SERVER_V6}]:53") } else { format!("{SERVER_V4}:53") },
    )
}

fn to(server: &str) -> Frame {
    between(if server.starts_with('[') { "[fd53::2]:40053" } else { "10.53.0.2:40053" }, server)
}

#[test]
fn rfc_768_and_rfc_8200_section_8_1_and_rfc_1122_section_3_2_1_2_checksums() {
    check(
        [
            one("v4.csum0", Frame { udp_checksum: Some(0), ..v4() }, Answered),
            one("v6.csum0", Frame { udp_checksum: Some(0), ..v6() }, Silence),
            one("v4.badcsum", Frame { udp_checksum: Some(0x1234), ..v4() }, Silence),
            one("v6.badcsum", Frame { udp_checksum: Some(0x1234), ..v6() }, Silence),
            one("bad-ipcsum", Frame { ip_checksum: Some(0x1234), ..v4() }, Silence),
            one(
                "bad-ipcsum and csum0",
                Frame { ip_checksum: Some(0), udp_checksum: Some(0), ..v4() },
                Silence,
            ),
            one("as they should be", v4(), Answered),
            one("as they should be, v6", v6(), Answered),
        ],
        3,
    );
}

#[test]
fn rfc_791_section_3_1_and_rfc_8200_section_3_lengths_and_versions() {
    let udp = u16::try_from(8 + query().len()).unwrap();
    let v4_length = |length| Frame { ip_length: Some(length), ..v4() };
    let v6_length = |length| Frame { ip_length: Some(length), ..v6() };
    let udp_length = |frame, length| Frame { udp_length: Some(length), ..frame };
    let cut = |frame: Frame, by: usize| {
        let whole = frame.build();
        vec![whole[..whole.len() - by].to_vec()]
    };
    // Octets that IP counts and UDP does not.
    let behind = |mut frame: Frame| {
        frame.udp_length = Some(udp);
        let mut right = frame.clone();
        right.udp_length = None;
        let sums = right.build();
        let at = if frame.source.is_ipv4() { 40 } else { 60 };
        frame.udp_checksum = Some(u16::from_be_bytes([sums[at], sums[at + 1]]));
        frame.ip_length = Some(if frame.source.is_ipv4() { 20 + udp + 3 } else { udp + 3 });
        frame.padding = vec![1, 2, 3];
        frame
    };
    check(
        [
            one("totlen-over", v4_length(20 + udp + 1), Silence),
            one("totlen-short", v4_length(20 + udp - 1), Silence),
            one("totlen of the header", v4_length(20), Silence),
            one("totlen 0", v4_length(0), Silence),
            one("plen-over", v6_length(udp + 1), Silence),
            one("plen-short", v6_length(udp - 1), Silence),
            one("plen0", v6_length(0), Silence),
            one("udplen-short", udp_length(v4(), udp - 1), Silence),
            one("udplen-over", udp_length(v4(), udp + 1), Silence),
            one("udplen 0", udp_length(v4(), 0), Silence),
            one("udplen 7", udp_length(v4(), 7), Silence),
            one("udplen-short, v6", udp_length(v6(), udp - 1), Silence),
            one("udplen-over, v6", udp_length(v6(), udp + 1), Silence),
            one("udplen 0, v6: to Linux as in a jumbogram", udp_length(v6(), 0), Alike),
            one("udplen-less", behind(v4()), Answered),
            one("udplen-less, v6", behind(v6()), Answered),
            one("ihl4", Frame { version: Some(0x44), ..v4() }, Silence),
            one("ihl15", Frame { version: Some(0x4f), ..v4() }, Silence),
            one("ver5", Frame { version: Some(0x55), ..v4() }, Silence),
            one("ver6 in IPv4's type", Frame { ethertype: Some(0x0800), ..v6() }, Silence),
            one("ver4 in IPv6's type", Frame { ethertype: Some(0x86dd), ..v4() }, Silence),
            ("truncated-frame", cut(v4(), 1), Silence),
            ("truncated-frame, half", cut(v4(), 30), Silence),
            ("truncated-frame, v6", cut(v6(), 1), Silence),
            one("pad60", Frame { padding: vec![0; 6], ..v4() }, Answered),
            one("pad60, v6", Frame { padding: vec![0xff; 1], ..v6() }, Answered),
            one("pad-long", Frame { padding: vec![0xff; 700], ..v4() }, Answered),
            one("pad-long, v6", Frame { padding: vec![0; 700], ..v6() }, Answered),
        ],
        0,
    );
}

#[test]
fn rfc_791_section_3_1_and_rfc_7126_options() {
    let with = |options: &[u8]| Frame { options: options.to_vec(), ..v4() };
    // Room for two addresses, none of which is filled yet.
    let route = |kind| [kind, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(
        [
            one("NOP", with(&[1, 1, 1, 0]), Answered),
            one("router alert", with(&[148, 4, 0, 0]), Answered),
            one("timestamp", with(&[68, 8, 5, 0, 0, 0, 0, 0]), Answered),
            one("record-route", with(&route(7)), Answered),
            one("loose source route", with(&[131, 7, 4, 10, 53, 0, 9, 0]), Silence),
            one("strict source route", with(&[137, 7, 4, 10, 53, 0, 9, 0]), Silence),
            one("an option that is longer than all", with(&[7, 40, 4, 0]), Silence),
        ],
        0,
    );
}

/// The parts of an IPv4 packet whose data is cut every so many octets, a multiple of 8.
fn v4_parts(frame: &Frame, every: usize) -> Vec<Vec<u8>> {
    let whole = frame.build();
    let (head, data) = whole.split_at(34);
    let parts = data.chunks(every).enumerate().map(|(i, part)| {
        let mut octets = head.to_vec();
        let more = if (i + 1) * every < data.len() { 0x2000 } else { 0 };
        let place = u16::try_from(i * every / 8).unwrap() | more;
        octets[16..18].copy_from_slice(&u16::try_from(20 + part.len()).unwrap().to_be_bytes());
        octets[18..20].copy_from_slice(&[0x53, 0x53]);
        octets[20..22].copy_from_slice(&place.to_be_bytes());
        octets[24..26].fill(0);
        let sum = checksum(&[&octets[14..34]]);
        octets[24..26].copy_from_slice(&sum.to_be_bytes());
        octets.extend(part);
        octets
    });
    parts.collect()
}

/// The parts of an IPv6 packet, likewise (RFC 8200, section 4.5).
fn v6_parts(frame: &Frame, every: usize) -> Vec<Vec<u8>> {
    let whole = frame.build();
    let (head, data) = whole.split_at(54);
    let parts = data.chunks(every).enumerate().map(|(i, part)| {
        let mut octets = head.to_vec();
        octets[18..20].copy_from_slice(&u16::try_from(8 + part.len()).unwrap().to_be_bytes());
        octets[20] = 44;
        let more = u16::from((i + 1) * every < data.len());
        octets.extend([17, 0]);
        octets.extend((u16::try_from(i * every).unwrap() | more).to_be_bytes());
        octets.extend([0, 0, 0x53, 0x53]);
        octets.extend(part);
        octets
    });
    parts.collect()
}

#[test]
fn rfc_791_section_3_2_and_rfc_8200_section_4_5_fragments() {
    let later = |fragment| Frame { fragment, ..v4() };
    let reserved = Frame { fragment: 0x8000, ..v4() };
    check(
        [
            one("first only", later(0x2000), Silence),
            one("offset", later(0x0010), Silence),
            ("first only, v6", vec![v6_parts(&v6(), 40).remove(0)], Silence),
            ("last only, v6", vec![v6_parts(&from("[2001:db8::6]:40053"), 40).remove(1)], Silence),
            (
                "2 fragments",
                v4_parts(&Frame { source: from("10.53.0.2:40054").source, ..v4() }, 32),
                Answered,
            ),
            (
                "8-byte fragments",
                v4_parts(&Frame { source: from("10.53.0.2:40055").source, ..v4() }, 8),
                Answered,
            ),
            ("2 fragments, v6", v6_parts(&from("[2001:db8::3]:40053"), 32), Answered),
            ("8-byte fragments, v6", v6_parts(&from("[2001:db8::4]:40053"), 8), Answered),
            ("v6 atomic fragment", v6_parts(&from("[2001:db8::5]:40053"), 1024), Answered),
            one("no DF", later(0), Answered),
            one("the reserved bit", reserved, Alike),
        ],
        1,
    );
}

#[test]
fn rfc_8200_section_4_and_rfc_5095_extension_headers() {
    let with = |protocol, extensions: &[u8]| Frame { protocol, extensions: extensions.to_vec(), ..v6() };
    let padding = [17, 0, 1, 4, 0, 0, 0, 0];
    check(
        [
            one("hop-by-hop", with(0, &padding), Answered),
            one("dest options", with(60, &padding), Answered),
            one("both", with(0, &[60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0]), Answered),
            one("an option to be dropped for", with(60, &[17, 0, 0x41, 4, 0, 0, 0, 0]), Silence),
            one("RH0", with(43, &[&[17, 2, 0, 1, 0, 0, 0, 0][..], &[0xfd; 16]].concat()), Silence),
            one("next header 59", with(59, &[]), Silence),
            one("a header past the end", with(60, &[17, 200, 1, 4, 0, 0, 0, 0]), Silence),
        ],
        0,
    );
}

#[test]
fn rfc_1122_section_3_2_1_and_rfc_3168_what_ip_says_besides() {
    let [plain, six] = [v4, v6];
    check(
        [
            one("ttl1", Frame { ttl: 1, ..plain() }, Answered),
            one("ttl0", Frame { ttl: 0, ..plain() }, Alike),
            one("hlim1", Frame { ttl: 1, ..six() }, Answered),
            one("DF", Frame { fragment: 0x4000, ..plain() }, Answered),
            one("TOS 0xbb", Frame { traffic_class: 0xbb, ..plain() }, Answered),
            one("class 0xbb", Frame { traffic_class: 0xbb, ..six() }, Answered),
            one("sport 53", from("10.53.0.2:53"), Answered),
            one("sport 7", from("10.53.0.2:7"), Answered),
            one("sport 19", from("[fd53::2]:19"), Answered),
            one("sport 65535", from("10.53.0.2:65535"), Answered),
            one("sport 0", from("10.53.0.2:0"), Silence),
            one("sport 0, v6", from("[fd53::2]:0"), Silence),
        ],
        10,
    );
}

#[test]
fn rfc_1122_section_3_2_1_3_and_rfc_4291_sources() {
    check(
        [
            one("own", from("10.53.0.1:40053"), Silence),
            one("own, v6", from("[fd53::1]:40053"), Silence),
            one("127/8", from("127.0.0.1:40053"), Silence),
            one("127/8, last", from("127.255.255.255:40053"), Silence),
            one("0/8", from("0.0.0.0:40053"), Silence),
            one("0/8, another", from("0.1.2.3:40053"), Silence),
            one("255.255.255.255", from("255.255.255.255:40053"), Silence),
            one("subnet broadcast", from("10.53.0.255:40053"), Silence),
            one("224/4", from("224.0.0.1:40053"), Silence),
            one("224/4, last", from("239.255.255.255:40053"), Silence),
            one("240/4", from("240.0.0.1:40053"), Silence),
            one("::", from("[::]:40053"), Silence),
            one("::1", from("[::1]:40053"), Silence),
            one("ff00::/8", from("[ff02::1]:40053"), Silence),
            one("::ffff:0:0/96", from("[::ffff:10.53.0.2]:40053"), Silence),
            one("::/96", from("[::10.53.0.2]:40053"), Alike),
            one("anybody", from("8.8.8.8:40053"), Answered),
            one("anybody, v6", from("[2001:db8::8]:40053"), Answered),
            one("1.0.0.0", from("1.0.0.0:40053"), Answered),
            one("126/8, last", from("126.255.255.255:40053"), Answered),
            one("223/8, last", from("223.255.255.255:40053"), Answered),
        ],
        5,
    );
}

#[test]
fn rfc_1122_section_3_2_1_3_destinations() {
    check(
        [
            one("broadcast", to("255.255.255.255:53"), Silence),
            one("subnet broadcast", to("10.53.0.255:53"), Silence),
            one("multicast", to("224.0.0.251:53"), Silence),
            one("all hosts", to("224.0.0.1:53"), Silence),
            one("multicast, v6", to("[ff02::fb]:53"), Silence),
            one("all nodes", to("[ff02::1]:53"), Silence),
            one("other host's IP", to("10.53.0.77:53"), Silence),
            one("other host's IP, v6", to("[fd53::77]:53"), Silence),
            one("127.0.0.1", to("127.0.0.1:53"), Silence),
            one("::1", to("[::1]:53"), Silence),
            one("0.0.0.0", to("0.0.0.0:53"), Silence),
            one("::", to("[::]:53"), Silence),
            one("::ffff:0:0/96", to("[::ffff:10.53.0.1]:53"), Silence),
            one("another port", to("10.53.0.1:5353"), Silence),
            one("another port, v6", to("[fd53::1]:54"), Silence),
        ],
        0,
    );
}

#[test]
fn ieee_802_3_and_802_1q_links_and_tags() {
    let mac = |destination_mac, frame| Frame { destination_mac, ..frame };
    let tags = |vlans: &[(u16, u16)]| Frame { vlans: vlans.to_vec(), ..v4() };
    check(
        [
            one("dst MAC other", mac([0x02, 0x53, 0, 0, 0, 9], v4()), Silence),
            one("dst MAC other, v6", mac([0x02, 0x53, 0, 0, 0, 9], v6()), Silence),
            one("dst MAC other in its first octet", mac([0x06, 0x53, 0, 0, 0, 1], v4()), Silence),
            one("L2 broadcast", mac([0xff; 6], v4()), Alike),
            one("L2 multicast", mac([1, 0, 0x5e, 0, 0, 1], v4()), Alike),
            one("L2 multicast, v6", mac([0x33, 0x33, 0, 0, 0, 1], v6()), Alike),
            one("src MAC multicast", Frame { source_mac: [3, 0x53, 0, 0, 0, 2], ..v4() }, Alike),
            one("src MAC broadcast", Frame { source_mac: [0xff; 6], ..v6() }, Alike),
            one("VLAN 0", tags(&[(0x8100, 0xe000)]), Alike),
            one("VLAN 100", tags(&[(0x8100, 100)]), Silence),
            one("QinQ", tags(&[(0x88a8, 100), (0x8100, 100)]), Silence),
            one("UDP-Lite", Frame { protocol: 136, ..v4() }, Silence),
            one("ICMP", Frame { protocol: 1, ..v4() }, Silence),
            one("TCP's number", Frame { protocol: 6, ..v4() }, Silence),
            one("802.3 LLC", Frame { ethertype: Some(0x0040), ..v4() }, Silence),
            one("ARP's type", Frame { ethertype: Some(0x0806), ..v4() }, Silence),
            one("the right one", v4(), Answered),
            one("the right one, v6", v6(), Answered),
        ],
        2,
    );
}

#[test]
fn rfc_7830_and_rfc_9715_long_queries() {
    let padded = |octets: usize, make: fn(Vec<u8>) -> Frame| {
        let edns = Edns { payload_size: 65_535, options: vec![(12, vec![0; octets])], ..Edns::default() };
        make(Query { edns: Some(edns), ..Query::new("web.tm.example", qtype::A) }.build())
    };
    check(
        [
            one("a short padding", padded(64, Frame::v4), Answered),
            one("1.2 kB with padding", padded(1200, Frame::v4), Answered),
            one("1.2 kB with padding, v6", padded(1200, Frame::v6), Answered),
            one("all that a frame takes", padded(1425, Frame::v4), Answered),
        ],
        1,
    );
}
