//! Every kind of frame, with XDP on and with XDP off: what comes of it is the same, and is what the kernel's stack and a careful server make of it.
//!
//! | file | what of a frame |
//! | --- | --- |
//! | `headers` | sums, lengths, options, what IP says besides |
//! | `fragments` | one that comes in parts |
//! | `ends` | who it is from and to, links and tags |
//! | `chance` | all of it, as chance has it |

mod chance;
mod ends;
mod fragments;
mod headers;

use std::net::SocketAddr;

use tm_tests::{
    daemon::Daemon,
    frame::Frame,
    lab::{CLIENT_MAC, CLIENT_V4, CLIENT_V6, Lab, SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Query, qtype},
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

/// Everything of a reply that the client can tell.
fn seen(reply: &Reply) -> impl PartialEq + std::fmt::Debug {
    let macs = (reply.destination_mac, reply.source_mac);
    let ends = (reply.source, reply.destination);
    let ip = (reply.fragment, reply.flow_label, reply.ttl, reply.traffic_class);
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
