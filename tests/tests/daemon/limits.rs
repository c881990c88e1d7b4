//! The limit on answers as clients meet it, with XDP and without: bursts from one network, its neighbours, clients that come back over TCP, cookies, who is allowed; and that a reload takes
//! new numbers over.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use rustix::process::Signal;
use tm_tests::{
    DEADLINE,
    client::said,
    cookie::{CODE, made, now},
    daemon::Daemon,
    lab::{CLIENT_V4, CLIENT_V6, Lab, SERVER_V4, SERVER_V6},
    parity::stay_on,
    query::{Edns, Query, qtype},
};

use crate::{NODE, profile, unmonitored, wait_until_ready};

pub(crate) const SECRET: [u8; 16] = *b"the first secret";
/// Queries of a part of a burst that no buffer is too small for, and parts of a whole one.
const PART: u64 = 50;
const WHOLE: u16 = 6;
/// A client in another network.
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 54, 0, 2);

/// Both ways to answer: lines of `[listen]`.
pub(crate) const WAYS: [&str; 2] = ["", "mode = \"off\"\n"];

fn node(listen: &str, limit: &str) -> String {
    format!("{NODE}{listen}[cookies]\nsecret_file = \"{{dir}}/secret\"\n[rate_limit]\n{limit}\n")
}

fn serve(lab: &Lab, listen: &str, limit: &str) -> Daemon {
    let secret: String = SECRET.iter().map(|octet| format!("{octet:02x}")).collect();
    let split = "[[profile]]\nname = \"split\"\nrouting_method = \"weighted\"\n".to_owned()
        + &unmonitored("one", "192.0.2.11")
        + &unmonitored("two", "192.0.2.12");
    let files = [
        ("tm.toml", &*node(listen, limit)),
        ("conf.d/profiles.toml", &(profile("web", "192.0.2.10") + &split)),
        ("secret", &secret),
    ];
    let mut daemon = Daemon::start(lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

fn right(client: IpAddr) -> Vec<u8> {
    made(SECRET, *b"a client", [0; 3], now(), client)
}

/// What became of a burst: replies that say something, those that say to come back over TCP, and nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) answered: u64,
    pub(crate) slipped: u64,
    pub(crate) dropped: u64,
}

const ALL: Outcome = Outcome { answered: WHOLE as u64 * PART, slipped: 0, dropped: 0 };

impl Outcome {
    /// Of how many queries it came.
    pub(crate) fn queries(self) -> u64 {
        self.answered + self.slipped + self.dropped
    }
}

/// Sends one query again and again, from one CPU, with this cookie or none.
fn burst(lab: &Lab, client: IpAddr, name: &str, cookie: Option<Vec<u8>>) -> Outcome {
    parts(WHOLE, lab, client, name, cookie)
}

/// The same in so many parts. Behind each goes a query with a right cookie: when its reply is there, no other one comes.
pub(crate) fn parts(parts: u16, lab: &Lab, client: IpAddr, name: &str, cookie: Option<Vec<u8>>) -> Outcome {
    let server: IpAddr = if client.is_ipv4() { SERVER_V4.into() } else { SERVER_V6.into() };
    let query = |id, cookie: Option<Vec<u8>>| {
        let options = cookie.into_iter().map(|cookie| (CODE, cookie)).collect();
        Query { id, edns: Some(Edns { options, ..Edns::default() }), ..Query::new(name, qtype::A) }.build()
    };
    let mut outcome = Outcome { answered: 0, slipped: 0, dropped: u64::from(parts) * PART };
    lab.in_client(|| {
        stay_on(0).unwrap();
        let socket = UdpSocket::bind((client, 0)).unwrap();
        socket.connect((server, 53)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut reply = [0; 1500];
        for part in 0..parts {
            for _ in 0..PART {
                socket.send(&query(part, cookie.clone())).unwrap();
            }
            socket.send(&query(u16::MAX, Some(right(client)))).unwrap();
            loop {
                let length = socket.recv(&mut reply).unwrap();
                let reply = &reply[..length];
                match reply {
                    [0xff, 0xff, ..] => break,
                    [_, _, flags, ..] if flags & 2 != 0 => {
                        assert_eq!(
                            reply.len(),
                            query(0, None).len(),
                            "no longer than the query: {reply:02x?}"
                        );
                        assert_eq!(reply[6..10], [0; 4], "says nothing");
                        outcome.slipped += 1;
                    }
                    _ => outcome.answered += 1,
                }
                outcome.dropped -= 1;
            }
        }
    })
    .unwrap();
    outcome
}

/// What the daemon counted as limited and as slipped, by XDP and by the sockets.
fn counted(daemon: &Daemon, lab: &Lab) -> (u64, u64) {
    let status = daemon.status(lab).unwrap();
    let both = |label| status.packets(label) + status.messages(label);
    (both("limited"), both("slipped"))
}

#[test]
fn a_burst_is_cut_down_and_neighbours_and_cookies_are_not() {
    for listen in WAYS {
        let lab = Lab::new().unwrap();
        let daemon = serve(&lab, listen, "answers_per_second = 5\nslip = 2");
        said(lab.client("ip").args(["address", "add", "10.54.0.2/24", "dev", "tm1"])).unwrap();
        said(lab.server("ip").args(["route", "add", "10.54.0.0/24", "dev", "tm0"])).unwrap();
        let mut before = (0, 0);
        for client in [IpAddr::from(CLIENT_V4), CLIENT_V6.into()] {
            for name in ["web.tm.example", "nobody.tm.example", "www.nobody.test"] {
                let Outcome { answered, slipped, dropped } = burst(&lab, client, name, None);
                let after = counted(&daemon, &lab);
                // A refusal cannot say to come back over TCP, and goes out itself in the place of what does.
                let (answered, slipped) = match name {
                    "www.nobody.test" => (answered - (after.1 - before.1), slipped + (after.1 - before.1)),
                    _ => (answered, slipped),
                };
                let what = format!("{name} {client} {listen}: {answered} {slipped} {dropped}");
                assert_eq!((after.0 - before.0, after.1 - before.1), (dropped, slipped), "{what}");
                // Every window has five answers, and then drops and slips in turn.
                assert!(answered >= 5 && slipped > 0, "{what}");
                assert!((0..=answered.div_ceil(5)).contains(&(dropped - slipped)), "{what}");
                before = after;
            }
            assert_eq!(burst(&lab, client, "web.tm.example", Some(right(client))), ALL, "{listen}");
            assert_eq!(counted(&daemon, &lab), before);
        }
        assert!(before.0 > 500, "{before:?}");
        // Right behind a burst of the other network.
        let mut neighbour = lab.asker_from(NEIGHBOUR.into(), SERVER_V4.into()).unwrap();
        burst(&lab, CLIENT_V4.into(), "web.tm.example", None);
        for _ in 0..5 {
            let answer = neighbour.ask(&Query::with_edns("web.tm.example", qtype::A)).unwrap();
            assert_eq!(answer.answers.len(), 1);
        }
    }
}

#[test]
fn who_is_told_to_comes_back_over_tcp() {
    for listen in WAYS {
        let lab = Lab::new().unwrap();
        let daemon = serve(&lab, listen, "answers_per_second = 1\nslip = 1");
        for server in ["@10.53.0.1", "@fd53::1"] {
            for turn in 0..10 {
                let answers = lab.answers(&[server, "web.tm.example"]).unwrap();
                assert_eq!(answers, "web.tm.example. 30 IN A 192.0.2.10", "{turn} {server} {listen}");
            }
        }
        // The program's twin, which is asked for every turn, is nobody's to limit.
        let explained = said(&mut daemon.tm(&lab, &["explain", "split"]).unwrap()).unwrap();
        assert!(explained.contains("answers so"), "{explained}");
        let (limited, slipped) = counted(&daemon, &lab);
        assert!(limited == 0 && slipped > 0, "{limited} {slipped}");
    }
}

#[test]
fn a_reload_takes_over_who_is_allowed_and_how_much() {
    for listen in WAYS {
        let lab = Lab::new().unwrap();
        let mut daemon = serve(&lab, listen, "answers_per_second = 5");
        let clients = [IpAddr::from(CLIENT_V4), CLIENT_V6.into()];
        let are_limited = || clients.map(|client| burst(&lab, client, "web.tm.example", None) != ALL);
        assert_eq!(are_limited(), [true, true]);
        for (limit, expected) in [
            ("answers_per_second = 5\nallow = [\"10.53.0.0/24\"]", [false, true]),
            ("answers_per_second = 5\nallow = [\"fd53::/64\"]", [true, false]),
            ("answers_per_second = 0", [false, false]),
            ("answers_per_second = 6", [true, true]),
            // More than anybody asks for.
            ("", [false, false]),
        ] {
            reload(&mut daemon, listen, limit);
            assert_eq!(are_limited(), expected, "{limit} {listen}");
        }
    }
}

fn reload(daemon: &mut Daemon, listen: &str, limit: &str) {
    daemon.write("tm.toml", &node(listen, limit)).unwrap();
    daemon.signal(Signal::HUP).unwrap();
    daemon.wait_for("the new limit", |line| line.contains("configuration published"));
}

#[test]
fn each_number_holds_from_a_reload_on_and_from_a_start_over_the_pins() {
    // However many windows a burst lies in: one answer in each, or all that the first of two has.
    type Judge = fn(Outcome) -> bool;
    // Each with a kind of answers of its own: what was counted goes on to count where the sockets answer.
    let [v4, v6] = [IpAddr::from(CLIENT_V4), CLIENT_V6.into()];
    let values: [(&str, (IpAddr, &str), Judge); 3] = [
        ("answers_per_second = 1\nslip = 0", (v4, "web.tm.example"), |its| {
            its.answered < 100 && its.slipped == 0
        }),
        ("answers_per_second = 1\nslip = 1", (v6, "web.tm.example"), |its| {
            its.answered < 100 && its.dropped == 0
        }),
        ("answers_per_second = 200\nslip = 0", (v4, "nobody.tm.example"), |its| {
            its.answered >= 150 && its.slipped == 0
        }),
    ];
    for listen in WAYS {
        let lab = Lab::new().unwrap();
        let mut daemon = serve(&lab, listen, values[2].0);
        for (limit, (client, name), is_right) in values {
            reload(&mut daemon, listen, limit);
            let outcome = burst(&lab, client, name, None);
            assert!(is_right(outcome), "{limit} {listen}: {outcome:?}");
        }
        for (limit, (client, name), is_right) in values {
            daemon.kill().unwrap();
            daemon.write("tm.toml", &node(listen, limit)).unwrap();
            daemon.restart(&lab).unwrap();
            wait_until_ready(&mut daemon);
            let outcome = burst(&lab, client, name, None);
            assert!(is_right(outcome), "started with {limit} {listen}: {outcome:?}");
        }
    }
}
