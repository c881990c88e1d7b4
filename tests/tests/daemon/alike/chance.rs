//! Frames as chance has them, most of them wrong in a few fields, sums right all the same more often than not.

use std::net::IpAddr;

use tm_tests::{
    dice::Dice,
    frame::Frame,
    query::{Edns, Query},
    reply::Reply,
};

use super::{Side, seen, v4, v6};

/// What the frames follow from: another number is another test.
const SEED: u64 = 0x5eed_0002;
/// How many are sent.
const FRAMES: usize = 3000;

/// Whom a reply finds its way to by a route, and who cannot be answered at all; hosts of the link are asked for by ARP first.
const SOURCES: [&str; 12] = [
    "10.53.0.2",
    "8.8.8.8",
    "1.0.0.0",
    "126.255.255.255",
    "223.255.255.255",
    "10.53.0.1",
    "10.53.0.255",
    "127.0.0.1",
    "0.1.2.3",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
];
const SOURCES_V6: [&str; 7] =
    ["fd53::2", "2001:db8::8", "100::", "fd53::1", "::1", "ff02::1", "::ffff:10.53.0.2"];
const SERVERS: [&str; 6] =
    ["10.53.0.1", "10.53.0.77", "10.53.0.255", "255.255.255.255", "224.0.0.1", "127.0.0.1"];
const SERVERS_V6: [&str; 5] = ["fd53::1", "fd53::77", "::1", "ff02::1", "::ffff:10.53.0.1"];
const PORTS: [u16; 6] = [40_053, 53, 0, 1, 7, 65_535];

fn frame(dice: &mut Dice) -> Vec<u8> {
    let mut frame = if dice.below(2) == 0 { v4() } else { v6() };
    frame.payload = message(dice);
    for _ in 0..*dice.one_of(&[0, 1, 1, 1, 2, 3]) {
        change(&mut frame, dice);
    }
    let mut octets = frame.build();
    match dice.below(10) {
        0 => octets.truncate(14 + dice.below(octets.len() - 14)),
        1 => {
            // Behind both addresses of the link, and not in those of IP.
            let at = *dice.one_of(&[12, 14, 15, 16, 17, 18, 20, 21, 22, 23]);
            octets[at] ^= 1 << dice.below(8);
        }
        2 => {
            let at = 34 + dice.below(octets.len() - 34);
            let in_addresses = frame.source.is_ipv6() && at < 54;
            octets[at] ^= if in_addresses { 0 } else { 1 << dice.below(8) };
        }
        _ => {}
    }
    octets
}

fn message(dice: &mut Dice) -> Vec<u8> {
    let names = ["web.tm.example", "WeB.tm.example", "nobody.tm.example", "tm.example", "www.contoso.com"];
    let mut query = Query::new(dice.one_of::<&str>(&names), *dice.one_of(&[1, 1, 1, 28, 16, 255]));
    let subnet = (8, vec![0, 1, 24, 0, 198, 51, 100]);
    let options = [vec![], vec![], vec![subnet], vec![(65_001, vec![1, 2, 3])]];
    if dice.below(3) > 0 {
        let options = dice.one_of(&options).clone();
        let payload_size = *dice.one_of(&[0, 512, 1232, 65_535]);
        query.edns = Some(Edns { options, payload_size, ..Edns::default() });
    }
    if dice.below(10) == 0 {
        query.trailing = dice.octets(3);
    }
    query.build()
}

/// Another value in one of its fields.
fn change(frame: &mut Frame, dice: &mut Dice) {
    let is_v4 = frame.source.is_ipv4();
    let octet = dice.below(256) as u8;
    let near = |right: usize, dice: &mut Dice| Some((right + dice.below(9)).saturating_sub(4) as u16);
    let udp = 8 + frame.payload.len();
    match dice.below(18) {
        0 => frame.source.set_ip(address(dice, is_v4, &SOURCES, &SOURCES_V6)),
        1 => frame.destination.set_ip(address(dice, is_v4, &SERVERS, &SERVERS_V6)),
        2 => frame.source.set_port(*dice.one_of(&PORTS)),
        3 => frame.destination.set_port(*dice.one_of(&[53, 54, 5353])),
        4 => {
            frame.destination_mac =
                *dice.one_of(&[[0xff; 6], [0x33, 0x33, 0, 0, 0, 1], [0x02, 0x53, 0, 0, 0, 9]]);
        }
        5 => {
            let tag = (*dice.one_of(&[0x8100, 0x88a8]), *dice.one_of(&[0, 100, 0xe000]));
            frame.vlans.push(tag);
        }
        6 => frame.ethertype = Some(*dice.one_of(&[0x0800, 0x86dd, 0x0806, 0x0040])),
        7 => frame.version = Some(*dice.one_of(&[0x44, 0x46, 0x4f, 0x55, 0x60, 0x00, octet])),
        8 => frame.traffic_class = octet,
        9 => frame.fragment = *dice.one_of(&[0, 0x4000, 0x8000, 0x2000, 0x0001, 0x6000]),
        10 if is_v4 => frame.options = options(dice),
        10 => {
            let first = *dice.one_of(&[17, 59, 60]);
            frame.protocol = *dice.one_of(&[0, 60, 44, 43, 51]);
            frame.extensions = [vec![first, 0, 1, 4], dice.octets(4)].concat();
        }
        11 => frame.ttl = *dice.one_of(&[1, 255, octet]),
        12 => frame.protocol = *dice.one_of(&[1, 6, 58, 136, 59, octet]),
        13 => frame.ip_length = near(if is_v4 { 20 + udp } else { udp }, dice),
        14 => frame.udp_length = near(udp, dice),
        15 => frame.udp_checksum = Some(*dice.one_of(&[0, 0xffff, u16::from(octet)])),
        16 => frame.ip_checksum = Some(*dice.one_of(&[0, 0xffff, u16::from(octet)])),
        _ => {
            let count = dice.below(40);
            frame.padding = dice.octets(count);
        }
    }
}

fn address(dice: &mut Dice, is_v4: bool, v4: &[&str], v6: &[&str]) -> IpAddr {
    dice.one_of(if is_v4 { v4 } else { v6 }).parse().unwrap()
}

fn options(dice: &mut Dice) -> Vec<u8> {
    let known = [vec![1, 1, 1, 0], vec![148, 4, 0, 0], vec![131, 7, 4, 10, 53, 0, 9, 0]];
    if dice.below(2) == 0 {
        return dice.one_of(&known).clone();
    }
    let words = 1 + dice.below(9);
    dice.octets(4 * words)
}

/// The serial of a side's zone, which is when it began, as it stands in replies.
fn serial(side: &mut Side) -> [u8; 4] {
    let soa = side.lab.answers(&["@10.53.0.1", "tm.example", "SOA"]).unwrap();
    // What dig was told is no reply to what comes.
    side.send(&[]);
    soa.split(' ').nth(6).unwrap().parse::<u32>().unwrap().to_be_bytes()
}

/// The replies, without the serial.
fn send(side: &mut Side, frame: &[u8], serial: [u8; 4]) -> Vec<Reply> {
    let mut replies = side.send(&[frame.to_vec()]);
    for reply in &mut replies {
        if let Some(at) = reply.payload.windows(4).position(|octets| octets == serial) {
            reply.payload[at..at + 4].fill(0);
        }
    }
    replies
}

#[test]
fn whatever_comes_is_answered_alike() {
    let (mut on, mut off) = (Side::new(""), Side::new("mode = \"off\""));
    let serials = [serial(&mut on), serial(&mut off)];
    let mut dice = Dice(SEED);
    let (mut wrong, mut answered) = (vec![], 0);
    for _ in 0..FRAMES {
        let frame = frame(&mut dice);
        let [with, without] = [send(&mut on, &frame, serials[0]), send(&mut off, &frame, serials[1])];
        if !with.iter().map(seen).eq(without.iter().map(seen)) {
            wrong.push(format!("{frame:02x?}\n  with XDP {with:02x?}\n  without {without:02x?}"));
        }
        answered += with.len();
    }
    let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {FRAMES}, seed {SEED:#x}\n{shown}", wrong.len());
    let by_xdp = on.answered();
    assert!(by_xdp > 300 && answered as u64 > by_xdp + 300, "{by_xdp} of {answered} by XDP");
}
