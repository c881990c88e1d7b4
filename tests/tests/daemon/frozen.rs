//! What programs are told when they are loaded: another setting holds at once when the files are loaded again, and when a daemon starts over programs that an earlier one left pinned with
//! what it was then.

use rustix::process::Signal;
use tm_tests::{
    frame::Frame,
    namespace::run,
    query::{Query, qtype},
    status::Status,
};

use crate::{NODE, profile, wait_until_ready, wire::Wire};

/// Whose frame it is in the place of the client's.
const OTHER: [u8; 6] = [2, 0x53, 0, 0, 8, 8];

/// One setting with two values: the lines behind `[listen]`, and what is seen of XDP with them.
fn check(values: [(&str, &str); 2], look: impl Fn(&mut Wire) -> String) {
    let [(first, _), _] = values;
    // 756 octets with header, question and OPT.
    let text = format!("\"{}\" ", "t".repeat(99)).repeat(7);
    let record = format!("[[profile.record]]\ntype = \"TXT\"\ndata = '{text}'\n[[profile.endpoint]]");
    let web = profile("web", "192.0.2.10").replacen("[[profile.endpoint]]", &record, 1);
    let mut wire = Wire::with(first, &web);
    let mut now = first;
    for (lines, seen) in [values[0], values[1], values[0]] {
        if lines != now {
            wire.daemon.write("tm.toml", &format!("{NODE}{lines}")).unwrap();
            wire.daemon.signal(Signal::HUP).unwrap();
            wire.daemon.wait_for(lines, |line| line.contains("configuration published"));
            now = lines;
        }
        assert_eq!(look(&mut wire), seen, "reloaded: {lines}");
    }
    let (lines, seen) = values[1];
    wire.daemon.kill().unwrap();
    wire.daemon.write("tm.toml", &format!("{NODE}{lines}")).unwrap();
    wire.daemon.restart(&wire.lab).unwrap();
    wire.daemon.wait_for("the old program's end", |line| line.contains("took over from the program"));
    wait_until_ready(&mut wire.daemon);
    assert_eq!(look(&mut wire), seen, "started over the pins: {lines}");
}

/// What of its own `dig` prints of a query, and what XDP counted.
fn dig(wire: &Wire, words: &[&str], counted: &[&str]) -> (String, Vec<u64>) {
    let count = |status: &Status| counted.iter().map(|label| status.packets(label)).collect::<Vec<_>>();
    let before = count(&wire.daemon.status(&wire.lab).unwrap());
    let said = wire.lab.dig(&[&["@10.53.0.1", "+nocookie", "+ignore"], words].concat()).unwrap();
    let after = count(&wire.daemon.status(&wire.lab).unwrap());
    (said, after.iter().zip(&before).map(|(after, before)| after - before).collect())
}

fn web() -> Frame {
    Frame::v4(Query::with_edns("web.tm.example", qtype::A).build())
}

#[test]
fn the_port() {
    check([("port = 53", "53: [1], 5353: [0]"), ("port = 5353", "53: [0], 5353: [1]")], |wire| {
        let [old, new] =
            ["53", "5353"].map(|port| dig(wire, &["-p", port, "web.tm.example"], &["answered"]).1);
        format!("53: {old:?}, 5353: {new:?}")
    });
}

/// What XDP makes of a frame with the tag 7.
fn tagged(wire: &mut Wire) -> String {
    let outcome = wire.send(&Frame { vlans: vec![(0x8100, 7)], ..web() });
    let of = |label| outcome.packets.iter().any(|(found, count)| (&**found, *count) == (label, 1));
    format!("answered: {}, passed up: {}", of("answered"), of("vlan"))
}

const ANSWERED: &str = "answered: true, passed up: false";
const PASSED_UP: &str = "answered: false, passed up: true";

#[test]
fn the_vlans() {
    check([("vlans = [8]", PASSED_UP), ("vlans = [7]", ANSWERED)], tagged);
}

#[test]
fn whether_there_are_vlans() {
    check([("", PASSED_UP), ("vlans = [7]", ANSWERED)], tagged);
}

#[test]
fn the_way_back() {
    let lookup = ("route_lookup = true", "to the client");
    check([("route_lookup = false", "to the sender"), lookup], |wire| {
        run(wire.lab.server("sysctl").args(["-q", "-w", "net.ipv4.conf.lo.forwarding=1"])).unwrap();
        let outcome = wire.send(&Frame { source_mac: OTHER, ..web() });
        assert!(outcome.packets.contains(&("answered".to_owned(), 1)), "{outcome:?}");
        let is_turned = outcome.replies[0].destination_mac == OTHER;
        if is_turned { "to the sender" } else { "to the client" }.to_owned()
    });
}

#[test]
fn how_long_replies_may_be_with_a_cookie_and_what_the_opt_says() {
    let to = |most: u16| format!("[edns]\npayload = {most}\npayload_without_cookie = 512\n");
    check([(&to(1232), "1232 [1]"), (&to(600), "600 [1]")], |wire| {
        let (said, counted) = dig(wire, &["web.tm.example", "A"], &["answered"]);
        let size = said.split("udp: ").nth(1).and_then(|rest| rest.split_whitespace().next());
        format!("{} {counted:?}", size.unwrap_or(&said))
    });
}

#[test]
fn how_long_replies_may_be_without_a_cookie() {
    let without = |most: u16| format!("[edns]\npayload_without_cookie = {most}\n");
    check([(&without(512), "cut [0, 0, 1]"), (&without(1232), "whole [1, 0, 0]")], |wire| {
        let labels = ["answered", "no_room", "too_large"];
        let (said, mut counted) = dig(wire, &["+bufsize=1232", "web.tm.example", "TXT"], &labels);
        // Drivers differ in how far a frame can grow; what has no room is the sockets' to answer.
        counted[0] += std::mem::take(&mut counted[1]);
        let is_cut = said.contains("flags: qr aa tc rd;");
        format!("{} {counted:?}", if is_cut { "cut" } else { "whole" })
    });
}
