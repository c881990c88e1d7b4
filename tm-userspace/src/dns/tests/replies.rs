//! What is found: profiles, the apex, name servers, and the proofs that there is nothing.

use std::sync::{Arc, RwLock};

use tm_common::edns::Payload;
use tokio::sync::watch;

use super::{
    cases::{AUTHORITY, NODATA, NXDOMAIN, RD, REFUSED, SOA, WEB, check, check_all, with_opt},
    kit::{
        Ask, ask, ask_raw, desired, longest, name_server, record, responder, responder_at, responder_for,
        three_servers, wire,
    },
};
use crate::{
    dns::{Contents, Responder, Transport, ZoneView},
    sync::Image,
};

#[test]
fn a_profile_is_answered_by_the_engine_whatever_surrounds_the_question() {
    let web = || ask("web.tm.example A");
    let junk = record(&wire("junk.test"), 16, 1, 5, b"\x04junk");
    let cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let with_opt = with_opt(WEB);
    check_all(&[
        (web(), WEB),
        (ask("six.tm.example AAAA"), &["NOERROR aa", "an six.tm.example. 30 AAAA 2001:db8::7"]),
        (ask("six.tm.example A"), &["NOERROR aa", "ns tm.example. 30 SOA ns1.tm.example. 1800000000"]),
        (ask("web.tm.example HTTPS"), NODATA),
        (ask("web.tm.example DS"), NODATA),
        (ask("web.tm.example 65535"), NODATA),
        (ask("web.tm.example ANY"), WEB),
        (ask("alias.tm.example TXT"), &["NOERROR aa", "an alias.tm.example. 30 CNAME www.contoso.com."]),
        (ask("leaf.mid.top.tm.example A"), &["NOERROR aa", "an leaf.mid.top.tm.example. 30 A 192.0.2.11"]),
        (ask("wEb.TM.exAMPle A").flags(RD), &["NOERROR aa rd", "an wEb.TM.exAMPle. 100 A 192.0.2.10"]),
        // Flags that ask for nothing here: RA, AD, CD; AA, TC, Z; an RCODE.
        (web().flags(0x00b0), WEB),
        (web().flags(0x0640), WEB),
        (web().flags(0x0005), WEB),
        // Other records.
        (web().record(1, &junk), WEB),
        (web().record(2, &junk), WEB),
        (web().record(3, &junk), WEB),
        (web().record(1, &junk).record(3, &junk).opt(1232, 0, &[]), &with_opt),
        (web().opt(1232, 0, &[]).record(3, &junk), &with_opt),
        // A record's owner may be a pointer to the question; an OPT's to its root octet.
        (web().record(3, &record(&[0xc0, 12], 16, 1, 5, b"\x04junk")), WEB),
        (web().record(3, &record(&[0xc0, 12 + 15], 41, 1232, 0, &[])), &with_opt),
        (web().and(b"octets behind"), WEB),
        // EDNS.
        (web().opt(1232, 0, &[]), &with_opt),
        (web().opt(0, 0, &[]), &with_opt),
        (web().opt(65535, 0x0000_7fff, &[]), &with_opt),
        (web().opt(1232, 0x0000_8000, &[]), &[WEB[0], WEB[1], "opt 1232 do"]),
        (web().opt(1232, 0xff00_0000, &[]), &with_opt),
        (web().opt(1232, 0, &cookie), &with_opt),
        (web().opt(1232, 0, &cookie.repeat(40)), &with_opt),
        // RFC 7871, section 6: a client subnet with a prefix of 33, wherever it stands, and one that says nothing.
        (
            web().opt(1232, 0, &[cookie.repeat(40), vec![0, 8, 0, 4, 0, 1, 33, 0]].concat()),
            &["FORMERR", "opt 1232"],
        ),
        (web().opt(1232, 0, &[0, 8, 0, 4, 0, 1, 33, 0]), &["FORMERR", "opt 1232"]),
    ]);
}

#[test]
fn the_apex_has_soa_and_ns() {
    let ns = [
        "NOERROR aa",
        "an tm.example. 3600 NS ns1.tm.example.",
        "an tm.example. 3600 NS ns2.dc.tm.example.",
        "an tm.example. 3600 NS ns.example.net.",
        "ar ns1.tm.example. 3600 A 192.0.2.53",
        "ar ns2.dc.tm.example. 3600 A 192.0.2.54",
        "ar ns2.dc.tm.example. 3600 AAAA 2001:db8::54",
    ];
    check_all(&[
        (ask("tm.example SOA"), &["NOERROR aa", SOA]),
        (ask("tm.example ANY"), &["NOERROR aa", SOA]),
        (ask("tm.example SOA").opt(4096, 0x8000, &[]), &["NOERROR aa", SOA, "opt 1232 do"]),
        (ask("tm.example NS"), &ns),
        (ask("tm.example A"), NODATA),
        (ask("tm.example MX"), NODATA),
        (ask("tm.example DS"), NODATA),
        (ask("tm.example 1000"), NODATA),
    ]);
    // Names are compressed to the question, so they look as it does.
    let lines = ask("TM.eXample NS").udp(&responder());
    assert_eq!(lines[1], "an TM.eXample. 3600 NS ns1.TM.eXample.");
    assert_eq!(lines.iter().map(|line| line.to_lowercase()).collect::<Vec<_>>(), ns.map(str::to_lowercase));
}

#[test]
fn name_servers_inside_the_zone_have_addresses() {
    check_all(&[
        // Not fe80::1, which means nothing elsewhere, nor 127.0.0.1.
        (ask("ns1.tm.example A"), &["NOERROR aa", "an ns1.tm.example. 3600 A 192.0.2.53"]),
        (ask("ns1.tm.example AAAA"), NODATA),
        (ask("ns1.tm.example ANY"), &["NOERROR aa", "an ns1.tm.example. 3600 A 192.0.2.53"]),
        (ask("ns1.tm.example TXT"), NODATA),
        (ask("ns2.dc.tm.example A"), &["NOERROR aa", "an ns2.dc.tm.example. 3600 A 192.0.2.54"]),
        (ask("ns2.dc.tm.example AAAA"), &["NOERROR aa", "an ns2.dc.tm.example. 3600 AAAA 2001:db8::54"]),
        (ask("ns2.dc.tm.example ANY"), &["NOERROR aa", "an ns2.dc.tm.example. 3600 A 192.0.2.54"]),
        (ask("dc.tm.example A"), NODATA),
        (ask("x.ns1.tm.example A"), NXDOMAIN),
        (ask("ns.example.net A"), REFUSED),
    ]);
}

#[test]
fn a_server_may_be_the_apex_or_have_no_address() {
    let servers = vec![
        name_server("tm.example", &["2001:db8::53"]),
        name_server("elsewhere.test", &[]),
        name_server("six.ns.tm.example", &["2001:db8::54"]),
    ];
    let apex = responder_for(&desired(servers), 512);
    let soa = "ns tm.example. 60 SOA tm.example. 1800000000";
    check(&apex, &ask("tm.example AAAA"), &["NOERROR aa", "an tm.example. 3600 AAAA 2001:db8::53"]);
    check(&apex, &ask("tm.example A"), &["NOERROR aa", soa]);
    check(&apex, &ask("tm.example ANY"), &["NOERROR aa", &soa.replace("ns ", "an ")]);
    let ns = [
        "NOERROR aa",
        "an tm.example. 3600 NS tm.example.",
        "an tm.example. 3600 NS elsewhere.test.",
        "an tm.example. 3600 NS six.ns.tm.example.",
        "ar tm.example. 3600 AAAA 2001:db8::53",
        "ar six.ns.tm.example. 3600 AAAA 2001:db8::54",
    ];
    check(&apex, &ask("tm.example NS"), &ns);
    let six = ["NOERROR aa", "an six.ns.tm.example. 3600 AAAA 2001:db8::54"];
    check(&apex, &ask("six.ns.tm.example ANY"), &six);
}

#[test]
fn loopback_is_an_address_of_a_server_only_where_there_is_no_other() {
    let with = |listening: &[&str]| {
        let responder = responder_at(&desired(three_servers()), 512, listening);
        ask("ns1.tm.example ANY").udp(&responder).remove(1)
    };
    assert_eq!(with(&["127.0.0.1", "192.0.2.53"]), "an ns1.tm.example. 3600 A 192.0.2.53");
    assert_eq!(with(&["127.0.0.1"]), "an ns1.tm.example. 3600 A 127.0.0.1");
    assert_eq!(with(&["::1", "2001:db8::53"]), "an ns1.tm.example. 3600 AAAA 2001:db8::53");
    for nowhere in ["0.0.0.0", "::", "fe80::1", "169.254.1.1"] {
        assert_eq!(with(&[nowhere]), AUTHORITY, "{nowhere}");
    }
}

#[test]
fn names_that_do_not_exist_and_names_above_those_that_do() {
    let absent = |ttl: u32| AUTHORITY.replace(" 60 ", &format!(" {ttl} "));
    let (seven, eight, nine) = (absent(7), absent(8), absent(9));
    check_all(&[
        (ask("nobody.tm.example A"), NXDOMAIN),
        (ask("nobody.tm.example ANY"), NXDOMAIN),
        (ask("a.b.c.nobody.tm.example A"), NXDOMAIN),
        (ask("NoBody.tm.example A").flags(RD), &["NXDOMAIN aa rd", AUTHORITY]),
        (ask("nobody.tm.example A").opt(512, 0x8000, &[]), &["NXDOMAIN aa", AUTHORITY, "opt 1232 do"]),
        // RFC 8020: nothing exists below a name that has nothing below it.
        (ask("x.web.tm.example A"), NXDOMAIN),
        (ask("top.tm.example A"), NODATA),
        (ask("MID.top.tm.example ANY"), NODATA),
        (ask("mid.top.tm.example 65280"), NODATA),
        (ask("other.top.tm.example A"), NXDOMAIN),
        // A profile that does not answer may come back any time: at most its own TTL.
        (ask("off.tm.example A"), &["NXDOMAIN aa", &seven]),
        (ask("slow.tm.example A"), NXDOMAIN),
        (ask("empty.tm.example A"), &["NXDOMAIN aa", &eight]),
        (ask("half.tm.example A"), &["NOERROR aa", &nine]),
        (ask("x.off.tm.example A"), NXDOMAIN),
    ]);
}

#[test]
fn names_are_octets_and_not_text() {
    let zone = wire("tm.example");
    let inside = |labels: &[u8]| ask_raw(&[labels, &zone].concat(), 1);
    check_all(&[
        // One label `web.`, one with a zero octet behind `web`, `*`, octets above 127.
        (inside(b"\x04web."), NXDOMAIN),
        (inside(b"\x04web\0"), NXDOMAIN),
        (inside(b"\x04\0web"), NXDOMAIN),
        (inside(b"\x01*"), NXDOMAIN),
        (inside(b"\x02\xff\x80"), NXDOMAIN),
        // One label `web.tm.example`, and one `tm.example` below the zone.
        (ask_raw(b"\x0eweb.tm.example\0", 1), REFUSED),
        (inside(b"\x0atm.example"), NXDOMAIN),
        // Only ASCII letters fold: not `w` with its upper bit set. Then the longest label, and the longest names.
        (inside(b"\x03\xd7eb"), NXDOMAIN),
        (inside(&[&[63][..], &[b'x'; 63]].concat()), NXDOMAIN),
        (inside(&b"\x01x".repeat(121)), NXDOMAIN),
        (ask(&format!("q{} A", &longest()[1..])), NXDOMAIN),
    ]);
}

#[test]
fn a_reply_that_does_not_fit_is_cut_to_nothing() {
    let responder = responder();
    let long = ask(&format!("{} A", longest()));
    // 12 + 259 of question and 267 of CNAME.
    assert_eq!(long.udp(&responder), ["NOERROR aa tc"]);
    assert_eq!(long.clone().opt(500, 0, &[]).udp(&responder), ["NOERROR aa tc", "opt 1232"]);
    assert_eq!(long.clone().opt(12 + 259 + 267 + 10, 0, &[]).udp(&responder), ["NOERROR aa tc", "opt 1232"]);
    assert_eq!(long.clone().opt(12 + 259 + 267 + 11, 0, &[]).udp(&responder).len(), 3);
    let junk = record(&wire("junk.test"), 16, 1, 5, b"\x04junk");
    assert_eq!(long.clone().record(1, &junk).udp(&responder), ["NOERROR aa tc"]);
    let tcp = long.record(1, &junk).reply(&responder, Transport::Tcp);
    assert_eq!(tcp[0], "NOERROR aa");
    assert!(tcp[1].contains(" 30 CNAME xxx") && tcp[1].ends_with(".far.test."), "{tcp:?}");
}

#[test]
fn additional_records_give_way_before_the_answer_does() {
    // Each NS has 12 octets and a name of 2 + 7, each address 2 + 14 more.
    let servers = |count: usize| -> Vec<_> {
        (0..count).map(|i| name_server(&format!("ns-{i:03}.tm.example"), &["192.0.2.1"])).collect()
    };
    let asked = ask("tm.example NS");
    let lines = |count: usize, ask: &Ask, transport| {
        ask.reply(&responder_for(&desired(servers(count)), 512), transport)
    };
    // 12 + 16 octets up to the question's end, 21 an NS, 16 an address: 13 servers have 509, 14 have 546.
    assert_eq!(lines(13, &asked, Transport::Udp).len(), 1 + 2 * 13);
    let without = lines(14, &asked, Transport::Udp);
    assert_eq!((without[0].as_str(), without.len()), ("NOERROR aa", 1 + 14));
    assert_eq!(lines(14, &asked.clone().opt(1232, 0, &[]), Transport::Udp).len(), 1 + 2 * 14 + 1);
    // 23 servers alone have 511, 24 have 532.
    assert_eq!(lines(23, &asked, Transport::Udp).len(), 1 + 23);
    assert_eq!(lines(24, &asked, Transport::Udp), ["NOERROR aa tc"]);
    assert_eq!(lines(24, &asked, Transport::Tcp).len(), 1 + 2 * 24);
    // With the OPT 543: what the client takes is what it says.
    assert_eq!(lines(24, &asked.clone().opt(542, 0, &[]), Transport::Udp), ["NOERROR aa tc", "opt 1232"]);
    assert_eq!(lines(24, &asked.clone().opt(543, 0, &[]), Transport::Udp).len(), 1 + 24 + 1);
    // 57 alone have 1,236 with the OPT: no payload size that a client names makes it more than 1,232.
    assert_eq!(lines(57, &asked.clone().opt(65535, 0, &[]), Transport::Udp), ["NOERROR aa tc", "opt 1232"]);
    assert_eq!(lines(57, &asked, Transport::Tcp).len(), 1 + 2 * 57);
}

#[test]
fn rfc7873_5_2_3_by_default_more_than_512_octets_are_for_who_has_a_right_cookie() {
    let servers =
        (0..24).map(|i| name_server(&format!("ns-{i:03}.tm.example"), &["192.0.2.1"])).collect::<Vec<_>>();
    let payload = |payload| {
        let mut desired = desired(servers.clone());
        Arc::make_mut(&mut desired.node).sockets.payload = payload;
        responder_for(&desired, 512)
    };
    let asked = ask("tm.example NS");
    let cut = |announced: u16| vec!["NOERROR aa tc".to_owned(), format!("opt {announced}")];
    // 543 with the OPT.
    let by_default = payload(Payload::default());
    assert_eq!(asked.clone().opt(1232, 0, &[]).udp(&by_default), cut(1232));
    assert_eq!(asked.clone().opt(1232, 0, &[]).reply(&by_default, Transport::Tcp).len(), 1 + 2 * 24 + 1);
    for (most, without_cookie, fits) in
        [(1400, 543, true), (543, 543, true), (1400, 542, false), (542, 512, false)]
    {
        let said = asked.clone().opt(65535, 0, &[]).udp(&payload(Payload { most, without_cookie }));
        match fits {
            true => assert_eq!((said.len(), &said[25]), (1 + 24 + 1, &format!("opt {most}"))),
            false => assert_eq!(said, cut(most)),
        }
    }
}

#[test]
fn a_profile_that_no_bucket_has_room_for_is_answered_all_the_same() {
    // One bucket of eight places, and more names than that.
    let mut wanted = desired(three_servers());
    for i in 0..8 {
        let mut profile = (**wanted.profiles.get("web.tm.example").unwrap()).clone();
        profile.name = format!("p{i}").into();
        profile.dns_name = format!("p{i}.tm.example").parse().unwrap();
        wanted.profiles.insert(profile.name.clone(), profile.into());
    }
    let responder = responder_for(&wanted, 1);
    let statuses: Vec<String> =
        (0..8).map(|i| ask(&format!("p{i}.tm.example A")).udp(&responder).remove(0)).collect();
    assert_eq!(statuses, ["NOERROR aa"; 8]);
}

#[test]
fn a_name_of_a_zone_that_the_tables_do_not_have_yet_is_not_said_to_be_absent() {
    let (_, zone) = watch::channel(Arc::new(ZoneView::new(&desired(three_servers()), &[])));
    let (_, contents) = watch::channel(Contents::new());
    let tables = Arc::new(RwLock::new(Image::new(1, 42)));
    let responder = Responder::new(tables, zone, contents, crate::traffic::Traffic::new().0);
    for what in ["web.tm.example A", "nobody.tm.example A", "ns1.tm.example A", "tm.example SOA"] {
        assert_eq!(ask(what).udp(&responder), ["SERVFAIL"], "{what}");
    }
    assert_eq!(ask("contoso.com A").udp(&responder), ["REFUSED"]);
}

#[test]
fn every_outcome_is_counted() {
    let responder = responder();
    for (what, times) in [
        (ask("web.tm.example A"), 2),
        (ask("web.tm.example A").record(1, &record(&[0], 1, 1, 0, &[])), 1),
        (ask("tm.example NS"), 2),
        (ask("ns1.tm.example A"), 4),
        (ask("top.tm.example A"), 5),
        (ask("tm.example TXT"), 5),
        (ask("nobody.tm.example A"), 6),
        (ask("contoso.com A"), 7),
        (ask("web.tm.example 0"), 8),
        (ask("web.tm.example 254"), 9),
        (ask("web.tm.example A").opt(1232, 0x0001_0000, &[]), 10),
        (ask(&format!("{} A", longest())), 11),
        (ask("web.tm.example A").record(3, &record(&wire("key.test"), 250, 255, 0, &[0; 17])), 14),
        (ask("web.tm.example A").flags(0x8000), 12),
    ] {
        (0..times).for_each(|_| drop(what.udp(&responder)));
    }
    let expected = [
        ("engine", 12),
        ("apex", 2),
        ("nodata", 5),
        ("nxdomain", 6),
        ("chaos", 0),
        ("cookie", 0),
        ("badcookie", 0),
        ("refused", 7),
        ("formerr", 8),
        ("notimp", 9),
        ("badvers", 10),
        ("servfail", 0),
        ("transfer", 0),
        ("notauth", 14),
        ("truncated", 11),
        ("limited", 0),
        ("slipped", 0),
        ("ignored", 12),
    ];
    assert_eq!(responder.counts(), expected);
}
