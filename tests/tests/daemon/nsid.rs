//! Which of several servers answers (RFC 5001), as who looks for it asks: with XDP before the sockets, over UDP and TCP.

use tm_tests::lab::Lab;

use crate::{NODE, profile, serve};

/// The text of the identifier in the reply to `words`, as kdig shows it.
fn ask(lab: &Lab, words: &[&str]) -> Option<String> {
    let said = lab.kdig(&[&["+nsid"], words].concat()).unwrap();
    assert!(said.contains("status: NOERROR") || said.contains("status: NXDOMAIN"), "{words:?}: {said}");
    let line = said.lines().find_map(|line| line.strip_prefix(";; NSID: "))?;
    Some(line.split('"').nth(1).unwrap_or(line).to_owned())
}

#[test]
fn rfc5001_2_the_server_is_named_to_who_asks_once_there_is_a_text() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    let mut ways = vec![];
    for server in ["@10.53.0.1", "@fd53::1"] {
        for way in ["+notcp", "+tcp"] {
            // A profile's, one that is not there, the zone's own; with a cookie and the client's subnet, which still come back.
            let names = [&["web.tm.example"][..], &["nobody.tm.example"], &["tm.example", "NS"]];
            ways.extend(names.map(|name| [&[server, way], name].concat()));
        }
    }
    for words in &ways {
        assert_eq!(ask(&lab, words), None, "{words:?}");
    }
    daemon.write("tm.toml", &format!("{NODE}[edns]\nnsid = \"ams1\"\n")).unwrap();
    daemon.wait_for("the text", |line| line.contains("configuration published"));
    for words in &ways {
        assert_eq!(ask(&lab, words).as_deref(), Some("ams1"), "{words:?}");
        let said = lab.kdig(&[&["+edns"], &words[..]].concat()).unwrap();
        assert!(!said.contains("NSID"), "nobody asked: {said}");
    }
    let others = ["@10.53.0.1", "web.tm.example", "+nsid", "+cookie", "+subnet=198.51.100.0/24"];
    let said = lab.kdig(&others).unwrap();
    for option in [";; NSID: ", ";; COOKIE: ", ";; CLIENT-SUBNET: 198.51.100.0/24/0"] {
        assert_eq!(said.matches(option).count(), 1, "{option}: {said}");
    }
    daemon.write("tm.toml", NODE).unwrap();
    daemon.wait_for("its end", |line| line.contains("configuration published"));
    assert_eq!(ask(&lab, &ways[0]), None);
}
