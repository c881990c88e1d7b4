//! What clients see: `dig` and `kdig` over IPv4, IPv6 and TCP, with the options they know, and names at the limits of DNS.

use tm_tests::lab::Lab;

use crate::{EDNS_RULE, profile, serve};

/// A name of 255 octets with its length octets and the root, of this letter first: labels of 63, 63, 63 and 50 before the zone's twelve.
fn longest(letter: &str) -> String {
    format!("{}.{}.{}.{}.tm.example", letter.repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(50))
}

/// As many labels as a name has room for: 121 of one octet, which is 242 and 12 for the zone, before a last that would be empty.
fn deepest() -> String {
    format!("{}.tm.example", ["x"; 121].join("."))
}

/// A profile that answers this name of the zone.
fn at(name: &str, dns_name: &str, target: &str) -> String {
    let relative = dns_name.strip_suffix(".tm.example").unwrap();
    profile(name, target).replacen("[[profile]]", &format!("[[profile]]\nrelative_name = \"{relative}\""), 1)
}

#[test]
fn what_is_asked_decides_what_is_answered() {
    let lab = Lab::new().unwrap();
    let profiles =
        [profile("web", "192.0.2.10"), profile("six", "2001:db8::7"), profile("alias", "www.contoso.com")];
    let daemon = serve(&lab, "", &profiles.concat());
    let soa = "tm.example. 30 IN SOA ns1.tm.example. hostmaster.tm.example.";
    // The question, rcode, answers, authority without the SOA's numbers, and whether XDP answers.
    let cases = [
        ("web.tm.example A", "NOERROR", "web.tm.example. 30 IN A 192.0.2.10", "", true),
        ("web.tm.example AAAA", "NOERROR", "", soa, true),
        ("web.tm.example MX", "NOERROR", "", soa, true),
        ("web.tm.example HTTPS", "NOERROR", "", soa, true),
        ("web.tm.example ANY", "NOERROR", "web.tm.example. 30 IN A 192.0.2.10", "", true),
        ("wEb.Tm.eXAMPLe A", "NOERROR", "wEb.Tm.eXAMPLe. 30 IN A 192.0.2.10", "", true),
        ("six.tm.example AAAA", "NOERROR", "six.tm.example. 30 IN AAAA 2001:db8::7", "", true),
        ("six.tm.example A", "NOERROR", "", soa, true),
        ("alias.tm.example A", "NOERROR", "alias.tm.example. 30 IN CNAME www.contoso.com.", "", true),
        ("alias.tm.example TXT", "NOERROR", "alias.tm.example. 30 IN CNAME www.contoso.com.", "", true),
        ("nobody.tm.example A", "NXDOMAIN", "", "tm.example. 60 IN SOA", true),
        ("sub.web.tm.example A", "NXDOMAIN", "", "tm.example. 60 IN SOA", true),
        ("tm.example NS", "NOERROR", "tm.example. 3600 IN NS ns1.tm.example.", "", false),
        ("tm.example A", "NOERROR", "", "tm.example. 60 IN SOA", true),
        ("www.example.org A", "REFUSED", "", "", false),
        (". NS", "REFUSED", "", "", false),
    ];
    for (question, rcode, answer, authority, by_xdp) in cases {
        for server in ["@10.53.0.1", "@fd53::1"] {
            let before = daemon.status(&lab).unwrap();
            let words =
                [&[server, "+nocookie", "+notcp"][..], &question.split(' ').collect::<Vec<_>>()].concat();
            let whole = lab.dig(&words).unwrap();
            assert!(whole.contains(&format!("status: {rcode},")), "{question} at {server}: {whole}");
            assert_eq!(lab.answers(&words).unwrap(), answer, "{question} at {server}");
            let found = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(found.contains("AUTHORITY SECTION"), !authority.is_empty(), "{question}: {whole}");
            assert!(found.contains(authority), "{question} at {server}: {whole}");
            let after = daemon.status(&lab).unwrap();
            let reason = if rcode == "NXDOMAIN" { "no_such_name" } else { "answered" };
            let two = if by_xdp { 2 } else { 0 };
            assert_eq!(after.packets(reason) - before.packets(reason), two, "{question}: {whole}");
        }
    }
}

#[test]
fn options_are_taken_and_the_cookie_and_the_client_subnet_come_back() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    // What kdig is told, the flags of the OPT that comes back, and whether XDP answers: at most 128 octets of options are read there, and NSID
    // is the sockets' to say.
    let cases = [
        (&["+noedns"][..], None, true),
        (&["+edns"], Some(""), true),
        (&["+edns", "+cookie"], Some(""), true),
        (&["+edns", "+nsid"], Some(""), false),
        (&["+edns", "+padding=64"], Some(""), true),
        (&["+edns", "+padding=200"], Some(""), false),
        (&["+edns", "+subnet=198.51.100.0/24"], Some(""), true),
        (&["+edns", "+subnet=2001:db8::/56"], Some(""), true),
        (&["+edns", "+cookie", "+nsid", "+subnet=198.51.100.0/24", "+padding=32"], Some(""), false),
        (&["+edns", "+cookie", "+subnet=198.51.100.0/24", "+padding=32"], Some(""), true),
        (&["+dnssec"], Some("do"), true),
        (&["+dnssec", "+cookie"], Some("do"), true),
        (&["+edns", "+bufsize=512"], Some(""), true),
        (&["+edns", "+bufsize=0"], Some(""), true),
        (&["+edns", "+ednsopt=65001:abcd"], Some(""), true),
        (&["+adflag", "+cdflag", "+noedns"], None, true),
    ];
    for (words, opt, by_xdp) in cases {
        for (server, tcp) in [("@10.53.0.1", false), ("@fd53::1", false), ("@10.53.0.1", true)] {
            let before = daemon.status(&lab).unwrap();
            let way = if tcp { "+tcp" } else { "+notcp" };
            let said = lab.kdig(&[&[server, way, "web.tm.example"], words].concat()).unwrap();
            assert!(said.contains("status: NOERROR"), "{words:?} {server} {way}: {said}");
            assert!(said.contains("Flags: qr aa rd;"), "{words:?} {server} {way}: {said}");
            assert!(said.contains("30\tIN\tA\t192.0.2.10"), "{words:?} {server} {way}: {said}");
            let line = said.lines().find_map(|line| line.strip_prefix(";; Version: 0; flags: "));
            let expected = opt.map(|flags| format!("{flags}; UDP size: 1232 B; ext-rcode: NOERROR"));
            assert_eq!(line.map(str::trim), expected.as_deref(), "{words:?} {server} {way}: {said}");
            for option in ["NSID", "PADDING", "Option"] {
                assert!(!said.contains(option), "{words:?} {server} {way}: {said}");
            }
            // The client's half, which kdig checks, and the server's.
            let cookie = said.lines().find_map(|line| line.strip_prefix(";; COOKIE: "));
            let expected = words.contains(&"+cookie").then_some(2 * (8 + 16));
            assert_eq!(cookie.map(str::len), expected, "{words:?} {server} {way}: {said}");
            // With scope 0: who asks makes no difference.
            let subnet = words.iter().find_map(|word| word.strip_prefix("+subnet="));
            let told = said.lines().find_map(|line| line.strip_prefix(";; CLIENT-SUBNET: "));
            let expected = subnet.map(|subnet| format!("{subnet}/0"));
            assert_eq!(told, expected.as_deref(), "{words:?} {server} {way}: {said}");
            let after = daemon.status(&lab).unwrap();
            let by_xdp = u64::from(by_xdp && !tcp);
            let moved = (
                after.packets("answered") - before.packets("answered"),
                after.messages("engine") - before.messages("engine"),
            );
            assert_eq!(moved, (by_xdp, 1 - by_xdp), "{words:?} {server} {way}");
        }
    }
}

#[test]
fn another_version_of_edns_is_told_ours() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    let said = lab.kdig(&["@10.53.0.1", "web.tm.example", "+edns=1"]).unwrap();
    assert!(said.contains("Version: 0; flags: ; UDP size: 1232 B; ext-rcode: BADVERS"), "{said}");
    assert!(said.contains("ANSWER: 0;"), "{said}");
}

#[test]
fn names_at_the_limits() {
    let lab = Lab::new().unwrap();
    let far = format!("{}.{}.{}.{}.far.test", "w".repeat(63), "x".repeat(63), "y".repeat(63), "z".repeat(52));
    let profiles = [
        at("longest", &longest("a"), "192.0.2.20"),
        at("deepest", &deepest(), "192.0.2.21"),
        at("far", &longest("f"), &far),
    ];
    let daemon = serve(&lab, EDNS_RULE, &profiles.concat());
    for server in ["@10.53.0.1", "@fd53::1"] {
        for way in ["+notcp", "+tcp"] {
            for (name, address) in [(longest("a"), "192.0.2.20"), (deepest(), "192.0.2.21")] {
                for name in [name.to_uppercase(), name] {
                    let answers = lab.answers(&[server, way, &name]).unwrap();
                    assert_eq!(answers, format!("{name}. 30 IN A {address}"), "{server} {way}");
                }
            }
        }
    }
    // All over UDP were XDP's: two names in two cases at two addresses.
    let status = daemon.status(&lab).unwrap();
    assert_eq!((status.packets("answered"), status.messages("engine")), (8, 8));

    // Header 12, question 259, CNAME 12 and 255, OPT 11: too much for 512 octets, whether said or not.
    let name = longest("f");
    let whole = format!("{name}. 30 IN CNAME {far}.");
    for small in [&["+noedns"][..], &["+bufsize=512"], &["+bufsize=548"]] {
        let cut = lab.dig(&[&["@10.53.0.1", "+ignore", &name][..], small].concat()).unwrap();
        assert!(cut.contains("flags: qr aa tc rd; QUERY: 1, ANSWER: 0, AUTHORITY: 0"), "{small:?}: {cut}");
        assert_eq!(lab.answers(&[&["@10.53.0.1", &name][..], small].concat()).unwrap(), whole, "{small:?}");
    }
    for enough in ["+bufsize=549", "+bufsize=1232", "+bufsize=65535"] {
        let words = ["@fd53::1", "+ignore", "+nocookie", enough, &name];
        assert_eq!(lab.answers(&words).unwrap(), whole, "{enough}");
    }
    let after = daemon.status(&lab).unwrap();
    // Drivers differ in how far a frame can grow; what has no room is answered by the sockets.
    assert_eq!(after.packets("answered") + after.packets("no_room"), 8 + 3, "{:#}", after.0["packets"]);
    assert_eq!(after.packets("too_large"), 6, "three sizes, asked twice");
    assert_eq!(after.messages("truncated"), 6);
}
