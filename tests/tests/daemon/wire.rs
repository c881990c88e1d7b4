//! Whole frames to the daemon's interface, and all that comes of each: what counted it, who answered, with what.

use std::net::SocketAddr;

use serde_json::Value;
use tm_tests::{
    daemon::Daemon,
    frame::Frame,
    lab::{Lab, SERVER_MAC},
    query::{Query, qtype},
    raw::RawSocket,
    reply::{Reply, check_reply},
};

use crate::{profile, serve};

/// The daemon with one profile, and a packet socket on the client's end.
pub(crate) struct Wire {
    pub(crate) lab: Lab,
    pub(crate) daemon: Daemon,
    raw: RawSocket,
}

/// What came of a frame.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Reasons that XDP counted, apart from those of frames that the hosts send by themselves.
    pub(crate) packets: Vec<(String, u64)>,
    /// What the sockets counted.
    pub(crate) messages: Vec<(String, u64)>,
    /// All replies, lengths and checksums right.
    pub(crate) replies: Vec<Reply>,
}

impl Wire {
    pub(crate) fn new(listen: &str) -> Self {
        Self::with(listen, &profile("web", "192.0.2.10"))
    }

    /// The same with these profiles.
    pub(crate) fn with(listen: &str, profiles: &str) -> Self {
        let lab = Lab::new().unwrap();
        let daemon = serve(&lab, listen, profiles);
        let raw = lab.raw().unwrap();
        Self { lab, daemon, raw }
    }

    /// Sends a frame and waits until XDP has seen it, and the sockets whatever was passed up to them: behind it goes a query of the same
    /// family that they answer.
    pub(crate) fn send(&mut self, frame: &Frame) -> Outcome {
        self.send_octets(&frame.build(), frame.source.is_ipv4())
    }

    pub(crate) fn send_octets(&mut self, frame: &[u8], v4: bool) -> Outcome {
        let before = self.daemon.status(&self.lab).unwrap();
        self.raw.send(frame).unwrap();
        let seen = |status: &Value| -> u64 { counts(status, status, true).iter().map(|(_, n)| n).sum() };
        let known = seen(&before.0["packets"]);
        self.daemon.wait_until(&self.lab, "the frame", |status| seen(&status.0["packets"]) > known);
        let last = Query { id: 0xfe9c, ..Query::new("last.example.org", qtype::A) }.build();
        let last = if v4 { Frame::v4(last) } else { Frame::v6(last) };
        self.raw.send(&last.build()).unwrap();
        let mut replies = Vec::new();
        loop {
            let reply = check_reply(&self.raw.receive(is_answer).unwrap()).unwrap();
            if reply.message.metadata.id == 0xfe9c {
                break;
            }
            replies.push(reply);
        }
        let after = self.daemon.status(&self.lab).unwrap();
        let mut packets = counts(&before.0["packets"], &after.0["packets"], false);
        let mut messages = counts(&before.0["messages"], &after.0["messages"], false);
        // Where nothing is known of the way back, it is that for which all is handed up.
        let is_named = packets.iter().any(|(word, _)| word == "unknown_name");
        take_one(&mut packets, if is_named { "unknown_name" } else { "route" });
        take_one(&mut messages, "refused");
        Outcome { packets, messages, replies }
    }
}

/// What has grown, by how much; or all that there is. Hosts join groups by themselves, whose packets are no UDP.
fn counts(before: &Value, after: &Value, all: bool) -> Vec<(String, u64)> {
    let grown = after.as_object().into_iter().flatten().map(|(word, now)| {
        let earlier = if all { 0 } else { before[word].as_u64().unwrap_or(0) };
        (word.clone(), now.as_u64().unwrap_or(0) - earlier)
    });
    grown.filter(|(_, count)| *count > 0).collect()
}

fn take_one(counts: &mut Vec<(String, u64)>, word: &str) {
    let (_, count) = counts.iter_mut().find(|(found, _)| found == word).unwrap();
    *count -= 1;
    counts.retain(|(_, count)| *count > 0);
}

/// UDP from the server's port 53.
fn is_answer(frame: &[u8]) -> bool {
    frame[6..12] == SERVER_MAC && is_from_port_53(frame)
}

/// UDP from port 53, whoever sent it.
pub(crate) fn is_from_port_53(frame: &[u8]) -> bool {
    let (protocol, port) = match frame.get(12..14) {
        Some([0x08, 0x00]) => (23, 34),
        Some([0x86, 0xdd]) => (20, 54),
        _ => return false,
    };
    frame[protocol] == 17 && frame.get(port..port + 2) == Some(&[0, 53])
}

/// Asserts that a reply turns the frame around: addresses of link, network and UDP.
pub(crate) fn assert_turned(reply: &Reply, frame: &Frame) {
    assert_eq!(ends(reply.source, reply.destination), ends(frame.destination, frame.source));
    assert_eq!((reply.source_mac, reply.destination_mac), (SERVER_MAC, frame.source_mac));
}

fn ends(from: SocketAddr, to: SocketAddr) -> (SocketAddr, SocketAddr) {
    (from, to)
}
