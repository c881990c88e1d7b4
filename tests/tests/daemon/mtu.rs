//! Links that take shorter packets than Ethernet: no reply is cut up on them or lost, on either path.

use tm_tests::{lab::Lab, namespace::run};

use crate::{profile, serve};

/// Every client is given replies of any length, cookie or not.
const WHOLE: &str = "[edns]\npayload_without_cookie = 1232\n";

/// A profile with a text of so many octets. With header, question, OPT and what is before the text, a reply has 56 more.
fn carrier(name: &str, octets: usize) -> String {
    let text: Vec<String> = (0..octets / 100).map(|_| format!("\"{}\"", "t".repeat(99))).collect();
    let record = format!("[[profile.record]]\ntype = \"TXT\"\ndata = '{}'\n", text.join(" "));
    profile(name, "192.0.2.1").replacen("[[profile.endpoint]]", &format!("{record}[[profile.endpoint]]"), 1)
}

#[test]
fn replies_are_no_longer_than_the_links_packets_and_follow_these() {
    for (mode, by_xdp) in [("", 1), ("mode = \"off\"\n", 0)] {
        let lab = Lab::new().unwrap();
        let set = |mtu: &str| {
            run(lab.client("ip").args(["link", "set", "tm1", "mtu", mtu])).unwrap();
            run(lab.server("ip").args(["link", "set", "tm0", "mtu", mtu])).unwrap();
        };
        set("900");
        let daemon = serve(&lab, &format!("{mode}{WHOLE}"), &(carrier("some", 700) + &carrier("more", 900)));
        let ask = |server: &str, name: &str| {
            let words = [server, "+ignore", "+nocookie", "+bufsize=1232", name, "TXT"];
            let said = lab.dig(&words).unwrap();
            let size =
                said.lines().find_map(|line| line.strip_prefix(";; MSG SIZE  rcvd: ")).map(str::to_owned);
            (said.contains("flags: qr aa tc rd;"), size.unwrap_or(said))
        };
        // IPv6 knows no links under 1280 octets.
        for (name, cut, size) in [("some", false, "756"), ("more", true, "44")] {
            assert_eq!(
                ask("@10.53.0.1", &format!("{name}.tm.example")),
                (cut, size.to_owned()),
                "{mode}{name}"
            );
        }
        let status = daemon.status(&lab).unwrap();
        // Drivers differ in how far a frame can grow; what has no room is answered by the sockets.
        let seen = (status.packets("answered") + status.packets("no_room"), status.packets("too_large"));
        assert_eq!(seen, (by_xdp, by_xdp), "{mode}");
        set("1500");
        daemon.wait_until(&lab, "longer replies", |_| !ask("@10.53.0.1", "more.tm.example").0);
        assert_eq!(ask("@10.53.0.1", "more.tm.example"), (false, "956".to_owned()), "{mode}");
    }
}
