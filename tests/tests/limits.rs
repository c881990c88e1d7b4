//! How many answers a prefix is given, frame by frame: by the engine on the host at times of the test's choice, and by the loaded programs, which must say the same whenever a window ends.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use tm_common::verdict::{Reason, Verdict};
use tm_tests::{
    cookie::{made, now},
    frame::Frame,
    host::answer_frame,
    limits::{image, is_right},
    namespace::require_root,
    parity::{ask, stay_on},
    query::{Edns, Query, qtype},
    reply::check_reply,
    world::{World, desired},
};
use tm_userspace::{
    desired::{Limit, RateLimit},
    dns::Transport,
    sync::Image,
    xdp::Kernel,
};

const SECRET: [u8; 16] = *b"the first secret";
/// A window of the host's.
const WINDOW: u64 = 1 << 10;

/// Every path to an answer: of a profile, without data, of a name that is not there, of a long name, with options, and all behind tags and over IPv6.
fn frames() -> Vec<(Frame, Vec<u8>)> {
    let long = ["x".repeat(63), "y".repeat(63), "z".repeat(63), "tm.example".into()].join(".");
    let subnet = vec![(8, vec![0, 1, 24, 0, 198, 51, 100])];
    let cookie = vec![(10, b"a client".to_vec())];
    let both = [cookie.clone(), subnet.clone(), vec![(65_001, vec![1, 2, 3])]].concat();
    let mut frames = vec![];
    for (name, kind) in [
        ("web.tm.example", qtype::A),
        ("wEb.tm.example", qtype::TXT),
        ("nobody.tm.example", qtype::A),
        ("x.shop.tm.example", qtype::A),
        (&long, qtype::A),
    ] {
        for options in [None, Some(vec![]), Some(cookie.clone()), Some(subnet.clone()), Some(both.clone())] {
            let with = |options: Option<Vec<(u16, Vec<u8>)>>| {
                let edns = options.map(|options| Edns { options, flags: 0x8000, ..Edns::default() });
                Query { edns, id: 0x1234, flags: 0x0110, ..Query::new(name, kind) }.build()
            };
            let (query, bare) = (with(options.clone()), with(options.map(|_| vec![])));
            for v6 in [false, true] {
                // Tags before a long name are the sockets'.
                for vlans in [vec![], vec![(0x8100, 5)]].into_iter().take(if name == long { 1 } else { 2 }) {
                    let frame = if v6 { Frame::v6(query.clone()) } else { Frame::v4(query.clone()) };
                    frames.push((Frame { vlans, ..frame }, bare.clone()));
                }
            }
        }
    }
    frames
}

/// The reply to a query of which all options were left out: the same, with QR, AA and TC set, AD clear, and the size in its OPT ours.
fn expected(bare: &[u8]) -> Vec<u8> {
    let mut reply = bare.to_vec();
    (reply[2], reply[3]) = (0x87, 0);
    if bare[11] == 1 {
        let opt = bare.len() - 11;
        reply[opt + 3..opt + 5].copy_from_slice(&1232_u16.to_be_bytes());
    }
    reply
}

/// Is it that reply, in a frame right in every octet?
fn check_slipped(frame: &Frame, bare: &[u8], octets: &[u8]) {
    let reply = check_reply(octets).unwrap_or_else(|error| panic!("{error:#}: {octets:02x?}"));
    assert_eq!(reply.payload, expected(bare), "{frame:?}");
    assert_eq!((reply.source, reply.destination), (frame.destination, frame.source));
    assert_eq!((reply.source_mac, reply.destination_mac), (frame.destination_mac, frame.source_mac));
    assert_eq!((reply.ttl, reply.traffic_class, &reply.vlans), (64, 0, &frame.vlans));
    assert!(octets.len() <= frame.build().len(), "no longer than the query");
}

#[test]
fn a_window_has_so_many_answers_and_then_drops_and_slips_in_turn() {
    for (frame, bare) in frames() {
        let image = image(5, 2, &[]).unwrap();
        let built = frame.build();
        for window in 1..4 {
            image.set_ticks(WINDOW * window);
            for turn in 0..5 {
                assert_eq!(answer_frame(&built, &image).0, Reason::Answered, "{turn} of {frame:?}");
            }
            image.set_ticks(WINDOW * window + WINDOW - 1);
            for turn in 0..6 {
                let (reason, octets) = answer_frame(&built, &image);
                match turn % 2 {
                    0 => assert_eq!((reason, &octets), (Reason::Limited, &built), "dropped as it came"),
                    _ => {
                        assert_eq!(reason, Reason::Slipped);
                        check_slipped(&frame, &bare, &octets);
                    }
                }
            }
        }
    }
}

#[test]
fn the_loaded_programs_do_the_same() {
    require_root();
    stay_on(0).unwrap();
    for (answers, slip) in [(5, 2), (1, 1), (3, 3), (2, 0)] {
        let image = image(answers, slip, &[]).unwrap();
        let kernel = Kernel::load(&image).unwrap();
        for (i, (frame, bare)) in (0..).zip(frames()) {
            // Each from a prefix of its own.
            let frame = from(frame, i);
            let built = frame.build();
            let said: Vec<(Reason, Vec<u8>)> = (0..40).map(|_| ask(&kernel, &built).unwrap()).collect();
            let reasons: Vec<Reason> = said.iter().map(|(reason, _)| *reason).collect();
            assert!(is_right(&reasons, answers, slip), "{answers}, {slip}: {reasons:?}");
            for (reason, octets) in &said {
                match reason {
                    Reason::Limited => assert_eq!(*octets, built, "dropped as it came"),
                    Reason::Slipped => check_slipped(&frame, &bare, octets),
                    _ => {}
                }
            }
        }
        let counted = kernel.counters().refused();
        assert!(counted[Reason::Limited as usize] > 0 || slip == 1);
        assert_eq!(counted[Reason::Slipped as usize] > 0, slip != 0);
    }
}

#[test]
fn the_sockets_do_the_same_over_udp_and_give_whoever_comes_over_tcp_all() {
    let mut desired = desired().unwrap();
    Arc::make_mut(&mut desired.node).rate_limit =
        RateLimit { limit: Limit { answers_per_second: 5, slip: 2 }, ..RateLimit::default() };
    let responder = World::of(&desired).unwrap().responder;
    for (i, (frame, bare)) in (0..).zip(frames()) {
        let (client, query) = (from(frame.clone(), i).source.ip(), &frame.payload);
        let ask = |transport| responder.reply(query, client, transport);
        let said = |reply: Option<Vec<u8>>| match reply {
            None => Reason::Limited,
            Some(reply) if reply == expected(&bare) => Reason::Slipped,
            Some(reply) => {
                assert_eq!(reply[2] & 2, 0, "{frame:?}: neither whole nor slipped: {reply:02x?}");
                Reason::Answered
            }
        };
        let over_udp: Vec<Reason> = (0..40).map(|_| said(ask(Transport::Udp))).collect();
        assert!(is_right(&over_udp, 5, 2), "{frame:?}: {over_udp:?}");
        let over_tcp: Vec<Reason> = (0..40).map(|_| said(ask(Transport::Tcp))).collect();
        assert_eq!(over_tcp, [Reason::Answered; 40], "{frame:?}");
    }
}

/// The same from the prefix of this number.
fn from(frame: Frame, number: u8) -> Frame {
    let source: IpAddr = match frame.source.is_ipv4() {
        true => [10, 99, number, 7].into(),
        false => [0xfd99, 0, 0, u16::from(number) << 8 | 0xaa, 0, 0, 0, 7].into(),
    };
    Frame { source: SocketAddr::new(source, 40_053), ..frame }
}

fn plain(source: &str, name: &str, kind: u16, options: Vec<(u16, Vec<u8>)>) -> Vec<u8> {
    let query = Query { edns: Some(Edns { options, ..Edns::default() }), ..Query::new(name, kind) }.build();
    let source: IpAddr = source.parse().unwrap();
    let frame = if source.is_ipv4() { Frame::v4(query) } else { Frame::v6(query) };
    Frame { source: SocketAddr::new(source, 40_053), ..frame }.build()
}

fn at_rest(image: Image) -> Image {
    image.set_ticks(WINDOW);
    image
}

/// What the host makes of it, a few times.
fn reasons(image: &Image, frame: &[u8]) -> [Reason; 3] {
    [0; 3].map(|_| answer_frame(frame, image).0)
}

#[test]
fn prefixes_and_kinds_of_answers_are_counted_apart() {
    const OVER: [Reason; 3] = [Reason::Answered, Reason::Limited, Reason::Limited];
    let image = at_rest(image(1, 0, &[]).unwrap());
    let web = |source| plain(source, "web.tm.example", qtype::A, vec![]);
    assert_eq!(reasons(&image, &web("198.51.100.1")), OVER);
    assert_eq!(reasons(&image, &web("198.51.100.200")), [Reason::Limited; 3], "of the same /24");
    assert_eq!(reasons(&image, &web("198.51.101.1")), OVER);
    assert_eq!(reasons(&image, &web("2001:db8:0:aa00::1")), OVER);
    assert_eq!(reasons(&image, &web("2001:db8:0:aaff::2")), [Reason::Limited; 3], "of the same /56");
    assert_eq!(reasons(&image, &web("2001:db8:0:ab00::1")), OVER);
    // The same client is given what is of another kind.
    assert_eq!(reasons(&image, &plain("198.51.100.1", "web.tm.example", qtype::TXT, vec![])), OVER);
    assert_eq!(reasons(&image, &plain("198.51.100.1", "nobody.tm.example", qtype::A, vec![])), OVER);
    // What goes up is not counted.
    let unknown = plain("198.51.102.1", "www.nobody.test", qtype::A, vec![]);
    assert_eq!(reasons(&image, &unknown), [Reason::UnknownName; 3]);
    assert_eq!(reasons(&image, &web("198.51.102.1")), OVER);
}

#[test]
fn who_has_a_right_cookie_is_not_counted() {
    require_root();
    stay_on(0).unwrap();
    let mut image = image(1, 0, &[]).unwrap();
    image.set_cookies(&[SECRET]);
    let kernel = Kernel::load(&image).unwrap();
    for (i, name) in (0..).zip(["web.tm.example", "nobody.tm.example", "x.shop.tm.example"]) {
        for source in [IpAddr::from([10, 99, i, 7]), [0xfd99, 0, 0, u16::from(i) << 8, 0, 0, 0, 7].into()] {
            let sent = |secret, age| {
                let cookie = made(secret, *b"a client", [0; 3], now() - age, source);
                plain(&source.to_string(), name, qtype::A, vec![(10, cookie)])
            };
            for age in [0, 3000] {
                let right = sent(SECRET, age);
                for _ in 0..20 {
                    assert_eq!(ask(&kernel, &right).unwrap().0, Reason::Answered, "{name}");
                    assert_eq!(answer_frame(&right, &image).0, Reason::Answered, "{name}");
                }
            }
            let wrong = sent(*b"another's secret", 0);
            let said: Vec<Reason> = (0..20).map(|_| ask(&kernel, &wrong).unwrap().0).collect();
            assert!(is_right(&said, 1, 0), "{said:?}");
        }
    }
}

#[test]
fn who_is_allowed_is_never_over() {
    require_root();
    stay_on(0).unwrap();
    let allow = [("10.53.0.0".parse().unwrap(), 30), ("fd53::2".parse().unwrap(), 128)];
    let image = image(1, 2, &allow).unwrap();
    let kernel = Kernel::load(&image).unwrap();
    for (source, is_allowed) in
        [("10.53.0.2", true), ("10.53.0.4", false), ("fd53::2", true), ("fd53::3", false)]
    {
        let frame = plain(source, "web.tm.example", qtype::A, vec![]);
        let said: Vec<Reason> = (0..20).map(|_| ask(&kernel, &frame).unwrap().0).collect();
        assert_eq!(said == [Reason::Answered; 20], is_allowed, "{source}: {said:?}");
        let said: Vec<Reason> = (0..20).map(|_| answer_frame(&frame, &image).0).collect();
        assert_eq!(said == [Reason::Answered; 20], is_allowed, "{source} on the host: {said:?}");
    }
}

#[test]
fn who_is_not_answered_takes_no_turn_and_is_not_counted() {
    let limited = at_rest(image(3, 2, &[]).unwrap());
    let frame = |source| plain(source, "split.tm.example", qtype::A, vec![]);
    let given: Vec<Vec<u8>> = (0..3).map(|_| answer_frame(&frame("198.51.100.1"), &limited).1).collect();
    for _ in 0..7 {
        assert_ne!(answer_frame(&frame("198.51.100.1"), &limited).0, Reason::Answered);
    }
    // The next one is the one behind the last that was given: as if nobody had asked meanwhile.
    let untouched = at_rest(image(0, 0, &[]).unwrap());
    let due: Vec<Vec<u8>> = (0..6).map(|_| answer_frame(&frame("198.51.100.1"), &untouched).1).collect();
    assert_eq!(given, due[..3]);
    let next: Vec<_> =
        (0..3).map(|_| check_reply(&answer_frame(&frame("198.51.101.1"), &limited).1).unwrap()).collect();
    let due: Vec<_> = due[3..].iter().map(|octets| check_reply(octets).unwrap()).collect();
    assert!(next.iter().zip(&due).all(|(next, due)| next.payload == due.payload));
}

#[test]
fn a_drop_is_a_drop() {
    assert_eq!(Reason::Limited.verdict(), Verdict::Drop);
    assert_eq!(Reason::Slipped.verdict(), Verdict::Reply);
    let dropping = Reason::ALL.iter().filter(|reason| reason.verdict() == Verdict::Drop);
    assert_eq!(dropping.collect::<Vec<_>>(), [&Reason::Limited], "only the limiter drops");
}
