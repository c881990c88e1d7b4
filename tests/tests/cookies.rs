//! DNS cookies: the vectors of RFC 9018, how long a cookie is right, and what the loaded programs make of all this beside the engine on the host.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::{cell::Cell, net::IpAddr, sync::Arc};

use tm_common::{
    cookie::{self, Asked, Jar, Known, MOST_KNOWN, seal},
    edns::Payload,
    tables::Address,
    verdict::Reason,
};
use tm_tests::{
    cookie::{made, now},
    frame::Frame,
    lab::{CLIENT_V4, CLIENT_V6},
    namespace::require_root,
    parity::Pair,
    query::{Edns, Query, qtype},
    reply::check_reply,
    world::{World, desired},
};
use tm_userspace::{cookies::Secrets, desired::Cookies, dns::Transport, listen::key};

const FIRST: [u8; 16] = *b"the first secret";
const OTHER: [u8; 16] = *b"the other secret";

/// What cookies are made with, at a time of the test's choice.
struct Fixed {
    cookies: cookie::Cookies,
    now: u32,
}

impl Fixed {
    fn new(secrets: &[[u8; 16]], now: u32) -> Self {
        let mut cookies = cookie::Cookies { count: secrets.len() as u32, ..cookie::Cookies::default() };
        for (words, secret) in cookies.secrets.iter_mut().zip(secrets) {
            *words = [0, 8].map(|at| u64::from_le_bytes(secret[at..at + 8].try_into().unwrap()));
        }
        Fixed { cookies, now }
    }

    /// The reply's cookie, and whether the query's was right.
    fn answer(&self, sent: &[u8], client: &str) -> (Vec<u8>, bool) {
        let address = key(&client.parse::<IpAddr>().unwrap());
        let cookie = Asked::of(sent).unwrap().answer(self, &address).unwrap();
        let octets = cookie.octets();
        assert_eq!(octets[..4], [0, 10, 0, 24]);
        (octets[4..].to_vec(), cookie.is_right)
    }
}

impl Jar for Fixed {
    fn cookies(&self) -> Option<&cookie::Cookies> {
        Some(&self.cookies)
    }
    fn now(&self, _: &cookie::Cookies) -> Option<u32> {
        Some(self.now)
    }
}

/// Remembers one cookie, and counts the seals that it makes.
struct Remembering {
    fixed: Fixed,
    known: Cell<Option<Known>>,
    seals: Cell<u32>,
}

impl Jar for Remembering {
    fn cookies(&self) -> Option<&cookie::Cookies> {
        self.fixed.cookies()
    }
    fn now(&self, cookies: &cookie::Cookies) -> Option<u32> {
        self.fixed.now(cookies)
    }
    fn seal(&self, secret: &[u64; 2], client: u64, head: u64, address: &Address) -> u64 {
        self.seals.set(self.seals.get() + 1);
        seal(secret, client, head, address)
    }
    fn knows(&self, known: &Known) -> bool {
        self.known.get() == Some(*known)
    }
    fn remember(&self, known: &Known) {
        assert!(known.index() < MOST_KNOWN);
        self.known.set(Some(*known));
    }
}

#[test]
fn a_cookie_that_was_right_is_known_again_without_its_seal() {
    let (time, client) = (1_800_000_000, "192.0.2.1".parse::<IpAddr>().unwrap());
    let cookie = |time| made(FIRST, *b"a client", [0; 3], time, client);
    let mut jar =
        Remembering { fixed: Fixed::new(&[FIRST], time), known: Cell::new(None), seals: Cell::new(0) };
    let ask = |jar: &Remembering, sent: &[u8], client: IpAddr| {
        jar.seals.set(0);
        let reply = Asked::of(sent).unwrap().answer(jar, &key(&client)).unwrap();
        (reply.is_right, reply.octets()[4..].to_vec(), jar.seals.get())
    };
    assert_eq!(ask(&jar, &cookie(time), client), (true, cookie(time), 1));
    assert_eq!(ask(&jar, &cookie(time), client), (true, cookie(time), 0));
    // From another address it is wrong, and what is made for that one takes another seal.
    let other = "192.0.2.2".parse().unwrap();
    assert_eq!(ask(&jar, &cookie(time), other), (false, made(FIRST, *b"a client", [0; 3], time, other), 2));
    // One that is to be made anew is made anew, but known to be right.
    jar.fixed.now = time + 1801;
    assert_eq!(ask(&jar, &cookie(time), client), (true, cookie(time + 1801), 1));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", Fixed::new(&[FIRST, OTHER], 7).cookies);
    assert_eq!(shown, "Cookies { count: 2, .. }");
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Secrets, the time, the client, its cookie, the reply's, and whether it was right.
type Vector = (&'static [&'static str], u32, &'static str, &'static str, &'static str, bool);

#[test]
fn rfc9018_appendix_a() {
    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const VECTORS: [Vector; 5] = [
        // A.1: a new cookie.
        (
            &[SECRET],
            1_559_731_985,
            "198.51.100.100",
            "2464c4abcf10c957",
            "2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480",
            false,
        ),
        // A.2: the same client, forty minutes later.
        (
            &[SECRET],
            1_559_734_385,
            "198.51.100.100",
            "2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480",
            "2464c4abcf10c957 010000005cf7a871 d4a564a1442aca77",
            true,
        ),
        // A.3: reserved octets that are not zero, of a cookie that is too old; and of the same a minute after it was made.
        (
            &[SECRET],
            1_559_734_700,
            "203.0.113.203",
            "fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5",
            "fc93fc62807ddb86 010000005cf7a9ac f73a7810aca2381e",
            false,
        ),
        (
            &[SECRET],
            1_559_728_045,
            "203.0.113.203",
            "fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5",
            "fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5",
            true,
        ),
        // A.4: IPv6, and a cookie of the secret before.
        (
            &["445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"],
            1_559_741_961,
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            "22681ab97d52c298 010000005cf7c579 26556bd0934c72f8",
            "22681ab97d52c298 010000005cf7c609 a6bb79d16625507a",
            true,
        ),
    ];
    for (secrets, now, client, sent, expected, is_right) in VECTORS {
        let secrets: Vec<[u8; 16]> =
            secrets.iter().map(|secret| hexadecimal(secret).try_into().unwrap()).collect();
        let fixed = Fixed::new(&secrets, now);
        assert_eq!(fixed.answer(&hexadecimal(sent), client), (hexadecimal(expected), is_right), "{client}");
    }
}

#[test]
fn rfc9018_4_3_a_cookie_is_right_for_an_hour_and_is_made_anew_after_half_of_it() {
    let client: IpAddr = "192.0.2.1".parse().unwrap();
    // Also where seconds begin again at zero, in 2106: serial arithmetic (RFC 1982).
    for time in [1_800_000_000, u32::MAX - 100] {
        // How old, whether it is right, and whether it comes back unchanged.
        let ages = [
            (0, true, true),
            (1800, true, true),
            (1801, true, false),
            (3600, true, false),
            (3601, false, false),
        ];
        let ahead = [(-300, true, true), (-301, false, false)];
        for (age, is_right, same) in ages.into_iter().chain(ahead) {
            let now = time.wrapping_add_signed(age);
            let sent = made(FIRST, *b"a client", [0; 3], time, client);
            let (reply, right) = Fixed::new(&[FIRST], now).answer(&sent, "192.0.2.1");
            assert_eq!((right, reply == sent), (is_right, same), "{age} s");
            assert_eq!(reply, made(FIRST, *b"a client", [0; 3], if same { time } else { now }, client));
        }
    }
}

#[test]
fn rfc9018_5_a_cookie_of_the_other_secret_is_right_and_made_anew() {
    let client: IpAddr = "2001:db8::5".parse().unwrap();
    let sent = made(OTHER, *b"a client", [0; 3], 1_800_000_000, client);
    let fresh = made(FIRST, *b"a client", [0; 3], 1_800_000_060, client);
    let answer = |secrets: &[[u8; 16]]| Fixed::new(secrets, 1_800_000_060).answer(&sent, "2001:db8::5");
    assert_eq!(answer(&[FIRST, OTHER]), (fresh.clone(), true));
    assert_eq!(answer(&[FIRST]), (fresh, false));
}

#[test]
fn a_clients_cookie_is_no_other_clients() {
    let client: IpAddr = "192.0.2.1".parse().unwrap();
    let sent = made(FIRST, *b"a client", [0; 3], 1_800_000_000, client);
    let is_right = |sent: &[u8], client| Fixed::new(&[FIRST, OTHER], 1_800_000_000).answer(sent, client).1;
    assert!(is_right(&sent, "192.0.2.1"));
    for other in ["192.0.2.2", "::192.0.2.1", "2001:db8::1"] {
        assert!(!is_right(&sent, other), "{other}");
    }
    for octet in 0..sent.len() {
        let mut sent = sent.clone();
        sent[octet] ^= 1;
        assert!(!is_right(&sent, "192.0.2.1"), "octet {octet}");
    }
    // Lengths that are allowed, but not ours: as if there were none.
    for length in [8, 16, 23, 25, 40] {
        let mut sent = sent.clone();
        sent.resize(length, 0);
        assert!(!is_right(&sent, "192.0.2.1"), "{length} octets");
    }
    for length in [0, 1, 7, 9, 15, 41] {
        assert!(Asked::of(&vec![1; length]).is_none(), "{length} octets");
    }
}

fn frame(v6: bool, name: &str, options: &[(u16, Vec<u8>)]) -> Frame {
    let edns = Edns { options: options.to_vec(), ..Edns::default() };
    let query = Query { edns: Some(edns), ..Query::new(name, qtype::A) }.build();
    if v6 { Frame::v6(query) } else { Frame::v4(query) }
}

fn client(v6: bool) -> IpAddr {
    if v6 { CLIENT_V6.into() } else { CLIENT_V4.into() }
}

/// The data of the options in a reply to a frame, and whether XDP gave it.
fn options(pair: &Pair, frame: &Frame) -> Result<Vec<(u16, Vec<u8>)>, Reason> {
    let (reason, reply) = pair.ask(&frame.build()).unwrap_or_else(|error| panic!("{error:#}"));
    if reason != Reason::Answered {
        return Err(reason);
    }
    let message = check_reply(&reply).unwrap().payload;
    let mut options = vec![];
    let mut rest = &message[message.len() - opt_length(&message)..];
    while let [a, b, c, d, data @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        options.push((u16::from_be_bytes([*a, *b]), data[..length].to_vec()));
        rest = &data[length..];
    }
    Ok(options)
}

/// Octets of options: what stands behind the last record's fixed part.
fn opt_length(message: &[u8]) -> usize {
    let opt = message.windows(5).rposition(|octets| octets == [0, 0, 41, 4, 208]).unwrap();
    let length = usize::from(u16::from_be_bytes([message[opt + 9], message[opt + 10]]));
    assert_eq!(opt + 11 + length, message.len());
    length
}

#[test]
fn the_loaded_programs_make_and_know_cookies() {
    require_root();
    let mut image = World::new().unwrap().image;
    image.set_cookies(&[FIRST, OTHER]);
    let pair = Pair::load(image).unwrap();
    // One that is there, one of a wildcard, one that is not.
    let names = ["web.tm.example", "x.shop.tm.example", "nobody.tm.example"];
    let subnet = (8, vec![0, 1, 24, 0, 198, 51, 100]);
    let unknown = (65_001, vec![1, 2, 3]);
    for (v6, name) in [false, true].into_iter().flat_map(|v6| names.map(|name| (v6, name))) {
        let sent = |cookie: Vec<u8>| frame(v6, name, &[(10, cookie)]);
        let first = options(&pair, &sent(b"a client".to_vec())).unwrap();
        let [(10, fresh)] = &first[..] else { panic!("{first:?}") };
        let time = u32::from_be_bytes(fresh[12..16].try_into().unwrap());
        assert!(now().abs_diff(time) <= 2, "{time}");
        assert_eq!(*fresh, made(FIRST, *b"a client", [0; 3], time, client(v6)));
        // Known by its hash, then by having been seen; behind a tag and among other options too.
        for _ in 0..3 {
            assert_eq!(options(&pair, &sent(fresh.clone())).unwrap(), first);
        }
        let other = frame(!v6, name, &[(10, fresh.clone())]);
        assert_ne!(options(&pair, &other).unwrap()[0].1, *fresh, "it was seen, but of another client");
        let among = frame(v6, name, &[unknown.clone(), subnet.clone(), (10, fresh.clone())]);
        assert_eq!(options(&pair, &among).unwrap(), [first[0].clone(), subnet.clone()]);
        let among = frame(v6, name, &[(10, fresh.clone()), subnet.clone(), (10, vec![7; 8])]);
        assert_eq!(options(&pair, &among).unwrap(), [first[0].clone(), subnet.clone()]);

        // Not right: of the other secret, too old, of another client, spoilt, or of a length that is not ours. All bring a fresh one.
        let old = |age: i32| made(FIRST, *b"a client", [0; 3], now().wrapping_add_signed(-age), client(v6));
        assert_eq!(options(&pair, &sent(old(1700))).unwrap()[0].1, old(1700), "not old enough");
        let mut spoilt = fresh.clone();
        spoilt[20] ^= 1;
        let stale = [
            made(OTHER, *b"a client", [0; 3], now(), client(v6)),
            old(1802),
            old(3700),
            old(-400),
            made(FIRST, *b"a client", [0; 3], now(), client(!v6)),
            spoilt,
            [fresh.clone(), vec![0; 8]].concat(),
            fresh[..16].to_vec(),
        ];
        for cookie in stale {
            let reply = options(&pair, &sent(cookie.clone())).unwrap();
            let [(10, fresh)] = &reply[..] else { panic!("{reply:?}") };
            let time = u32::from_be_bytes(fresh[12..16].try_into().unwrap());
            assert!(now().abs_diff(time) <= 2, "{cookie:02x?}: {time}");
            assert_eq!(*fresh, made(FIRST, *b"a client", [0; 3], time, client(v6)), "{cookie:02x?}");
        }
        // RFC 7873, section 5.2.2: FORMERR, which the sockets say.
        for length in [0, 1, 7, 9, 15, 41] {
            assert_eq!(options(&pair, &sent(vec![1; length])), Err(Reason::Edns), "{length} octets");
        }
    }
}

#[test]
fn rfc7873_5_2_3_who_has_a_right_cookie_is_given_more_than_512_octets() {
    require_root();
    let mut desired = desired().unwrap();
    let secrets = FIRST.iter().chain(b"\n").chain(&OTHER).map(|octet| match octet {
        b'\n' => "\n".to_owned(),
        octet => format!("{octet:02x}"),
    });
    Arc::make_mut(&mut desired.node).cookies =
        Cookies::Of(Secrets::parse(secrets.collect::<String>().as_bytes()).unwrap());
    // Header 12, question 259, CNAME 12 and 253, OPT 11: with a cookie 575.
    let name =
        ["x".repeat(63), "y".repeat(63), "a".repeat(63), "d".repeat(50), "tm.example".into()].join(".");
    for (most, without_cookie, takes) in
        [(1232, 512, 4096), (575, 512, 575), (574, 574, 4096), (1400, 575, 575)]
    {
        Arc::make_mut(&mut desired.node).sockets.payload = Payload { most, without_cookie };
        let world = World::of(&desired).unwrap();
        let pair = Pair::load(world.image).unwrap();
        for v6 in [false, true] {
            let made = |secret, age| made(secret, *b"a client", [0; 3], now() - age, client(v6));
            let cookies = [
                (made(FIRST, 0), true),
                (made(FIRST, 3500), true),
                (made(OTHER, 0), true),
                (made(FIRST, 3700), false),
                (made(*b"another's secret", 0), false),
                (b"a client".to_vec(), false),
            ];
            for (cookie, is_right) in cookies {
                let fits = 575 <= if is_right { most } else { without_cookie };
                let edns = Edns { payload_size: takes, options: vec![(10, cookie)], ..Edns::default() };
                let query = Query { edns: Some(edns), ..Query::new(&name, qtype::A) }.build();
                let frame = if v6 { Frame::v6(query.clone()) } else { Frame::v4(query.clone()) };
                let (reason, reply) = pair.ask(&frame.build()).unwrap();
                let expected = if fits { Reason::Answered } else { Reason::TooLarge };
                assert_eq!(reason, expected, "most {most}, without {without_cookie}, right {is_right}");
                let said = world.responder.reply(&query, client(v6), Transport::Udp).unwrap();
                let truncated = said[2] & 2 != 0;
                assert_eq!((truncated, said.len()), (!fits, if fits { 575 } else { 12 + 259 + 11 + 28 }));
                let opt = said.len() - 28 - 11;
                assert_eq!(said[opt + 3..opt + 5], most.to_be_bytes(), "announced");
                if fits {
                    assert_eq!(check_reply(&reply).unwrap().payload, said, "the same from both");
                }
                // Over TCP it is whole, whatever the cookie.
                let whole = world.responder.reply(&query, client(v6), Transport::Tcp).unwrap();
                assert_eq!((whole.len(), whole[2] & 2), (575, 0));
            }
        }
    }
}

#[test]
fn where_cookies_are_off_the_option_is_one_like_any_other() {
    require_root();
    let pair = Pair::load(World::new().unwrap().image).unwrap();
    let sent = frame(false, "web.tm.example", &[(10, b"a client".to_vec())]);
    assert_eq!(options(&pair, &sent).unwrap(), []);
}
