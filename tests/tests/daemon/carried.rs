//! Records that names carry besides addresses: the same from XDP, from sockets and over TCP, with the health of their endpoints, and explained.

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, UdpSocket},
};

use tm_tests::{
    DEADLINE,
    endpoint::FakeEndpoint,
    lab::Lab,
    query::{Query, qtype},
    texts::Profile,
};

use crate::{EDNS_RULE, explain::text, serve};

fn record(kind: &str, data: &str) -> String {
    format!("[[profile.record]]\ntype = \"{kind}\"\ndata = '{data}'\n")
}

/// `web` with all that a profile may carry, and one endpoint with SRV.
pub(crate) fn web() -> String {
    let records = [
        ("TXT", "\"v=spf1 -all\""),
        ("TXT", "one \"two; three\""),
        ("CAA", "0 issue \"ca.example\""),
        ("CAA", "128 iodef \"mailto:security@contoso.com\""),
        ("MX", "10 mail.contoso.com"),
        ("MX", "20 web.tm.example."),
        ("HTTPS", "1 . port=8443 alpn=h2,h3 ipv6hint=2001:db8::1"),
        ("SVCB", "0 svc.contoso.com."),
    ];
    let records = records.map(|(kind, data)| record(kind, data)).concat();
    let endpoint = crate::unmonitored("only", "192.0.2.10");
    let srv = "type = \"SRV\"\nttl = 20\ndata = \"0 5 443 web.contoso.com\"\n";
    format!(
        "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\n{records}{endpoint}[[profile.endpoint.record]]\n{srv}"
    )
}

/// The same, and a text that is too long for 512 octets.
fn profiles() -> String {
    let (text, endpoint) = (record("TXT", &"x".repeat(700)), crate::unmonitored("only", "192.0.2.11"));
    format!("{}[[profile]]\nname = \"long\"\nrouting_method = \"priority\"\n{text}{endpoint}", web())
}

/// Type and data of each record of `web`, as dig prints them, in the order of the file.
const CARRIED: [(&str, &str); 6] = [
    ("TXT", "30 IN TXT \"v=spf1 -all\"|30 IN TXT \"one\" \"two; three\""),
    ("CAA", "30 IN CAA 0 issue \"ca.example\"|30 IN CAA 128 iodef \"mailto:security@contoso.com\""),
    ("MX", "30 IN MX 10 mail.contoso.com.|30 IN MX 20 web.tm.example."),
    ("HTTPS", "30 IN HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv6hint=2001:db8::1"),
    ("SVCB", "30 IN SVCB 0 svc.contoso.com."),
    ("SRV", "20 IN SRV 0 5 443 web.contoso.com."),
];

#[test]
fn dig_reads_them_over_every_way() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, EDNS_RULE, &profiles());
    let answered = || daemon.status(&lab).unwrap().packets("answered");
    for (kind, records) in CARRIED {
        let expected = records.split('|').map(|data| format!("web.tm.example. {data}")).collect::<Vec<_>>();
        for server in ["@10.53.0.1", "@fd53::1"] {
            for (way, by_xdp) in [("+notcp", 1), ("+noedns", 1), ("+tcp", 0)] {
                let before = answered();
                let said = lab.answers(&[server, way, "web.tm.example", kind]).unwrap();
                assert_eq!(said, expected.join("\n"), "{server} {way}");
                assert_eq!(answered() - before, by_xdp, "{kind} {server} {way}");
            }
        }
    }
    // What is not carried is not there, by XDP.
    for kind in ["AAAA", "NAPTR", "CNAME", "TYPE65280"] {
        let before = answered();
        let said = lab.dig(&["@10.53.0.1", "+notcp", "web.tm.example", kind]).unwrap();
        assert!(
            said.contains("status: NOERROR") && said.contains("ANSWER: 0, AUTHORITY: 1"),
            "{kind}: {said}"
        );
        assert_eq!(answered() - before, 1, "{kind}");
    }
    // Too long for the client: cut over UDP, whole over TCP, and whole for who takes it.
    let cut = lab.dig(&["@10.53.0.1", "+noedns", "+ignore", "long.tm.example", "TXT"]).unwrap();
    assert!(cut.contains("flags: qr aa tc rd") && cut.contains("ANSWER: 0"), "{cut}");
    let parts = [255, 255, 190].map(|length| format!("\"{}\"", "x".repeat(length)));
    let whole = format!("long.tm.example. 30 IN TXT {}", parts.join(" "));
    // The room that a driver leaves behind a frame decides whether XDP can.
    let by_xdp = || ["answered", "no_room"].map(|reason| daemon.status(&lab).unwrap().packets(reason));
    let before: u64 = by_xdp().iter().sum();
    for way in ["+tcp", "+bufsize=1232"] {
        assert_eq!(lab.answers(&["@10.53.0.1", way, "long.tm.example", "TXT"]).unwrap(), whole, "{way}");
    }
    assert_eq!(by_xdp().iter().sum::<u64>() - before, 1);
}

#[test]
fn the_octets_are_the_same_with_xdp_and_without_and_over_tcp() {
    let (with, without) = (Lab::new().unwrap(), Lab::new().unwrap());
    let (on, off) = (serve(&with, "", &profiles()), serve(&without, "mode = \"off\"", &profiles()));
    // What is there, then what is not.
    let kinds = [16, 257, 15, 65, 64, 33, 1, 255, 28, 5, 65_280];
    let queries = kinds
        .iter()
        .flat_map(|kind| [Query::new("WeB.tm.example", *kind), Query::with_edns("web.tm.example", *kind)]);
    let queries: Vec<Vec<u8>> = queries.map(|query| query.build()).collect();
    let over_udp = |lab: &Lab| -> Vec<Vec<u8>> {
        lab.in_client(|| {
            let socket = UdpSocket::bind("10.53.0.2:0").unwrap();
            socket.connect("10.53.0.1:53").unwrap();
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
            let ask = |query: &Vec<u8>| {
                let mut reply = [0; 4096];
                socket.send(query).unwrap();
                let length = socket.recv(&mut reply).unwrap();
                reply[..length].to_vec()
            };
            queries.iter().map(ask).collect()
        })
        .unwrap()
    };
    let over_tcp = with.in_client(|| -> Vec<Vec<u8>> {
        let mut stream = TcpStream::connect("10.53.0.1:53").unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut ask = |query: &Vec<u8>| {
            let length = u16::try_from(query.len()).unwrap();
            stream.write_all(&[&length.to_be_bytes()[..], query].concat()).unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut reply = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut reply).unwrap();
            reply
        };
        queries.iter().map(&mut ask).collect()
    });
    let (by_xdp, by_sockets) = (over_udp(&with), over_udp(&without));
    let answered = [on.status(&with), off.status(&without)].map(|status| status.unwrap().packets("answered"));
    assert_eq!(answered, [queries.len() as u64, 0]);
    assert_eq!(by_xdp, over_tcp.unwrap());
    // The SOA of the other daemon has a serial of its own.
    assert_eq!(by_xdp[..16], by_sockets[..16]);
    for (ours, theirs) in by_xdp[16..].iter().zip(&by_sockets[16..]) {
        assert_eq!((ours.len(), &ours[..50]), (theirs.len(), &theirs[..50]));
    }
}

#[test]
fn the_services_of_a_multivalue_profile_are_those_of_whoever_is_up() {
    let lab = Lab::new().unwrap();
    let mut endpoints =
        [11, 12, 13].map(|host| FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap());
    let srv = |name: &str| {
        format!("[[profile.endpoint.record]]\ntype = \"SRV\"\ndata = \"0 1 5060 {name}.contoso.com\"")
    };
    let lines = ["one", "two", "three"].map(srv);
    let profile = Profile {
        name: "pbx",
        method: "multivalue",
        lines: "relative_name = \"_sip._tcp\"\nmax_return = 10",
        endpoints: &[("one", 11, &lines[0]), ("two", 12, &lines[1]), ("three", 13, &lines[2])],
        ..Profile::default()
    };
    let daemon = serve(&lab, "", &profile.to_string());
    let services = |way: &str| {
        let said = lab.answers(&["@10.53.0.1", way, "_sip._tcp.tm.example", "SRV"]).unwrap();
        let mut lines: Vec<String> = said.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    let of = |names: &[&str]| -> Vec<String> {
        let line = |name: &&str| format!("_sip._tcp.tm.example. 30 IN SRV 0 1 5060 {name}.contoso.com.");
        names.iter().map(line).collect()
    };
    daemon.wait_for_endpoints(&lab, "pbx", &["Online", "Online", "Online"]);
    for way in ["+notcp", "+tcp"] {
        assert_eq!(services(way), of(&["one", "three", "two"]));
    }
    endpoints[1].stop();
    daemon.wait_for_endpoints(&lab, "pbx", &["Online", "Degraded", "Online"]);
    for way in ["+notcp", "+tcp"] {
        assert_eq!(services(way), of(&["one", "three"]));
    }
    lab.in_client(|| endpoints[1].resume()).unwrap().unwrap();
    daemon.wait_for_endpoints(&lab, "pbx", &["Online", "Online", "Online"]);
    assert_eq!(services("+notcp"), of(&["one", "three", "two"]));
    let given = daemon.status(&lab).unwrap().endpoint("pbx", "two")["answers"].clone();
    assert_eq!(given, 3, "an answer counts for everybody in it");
    // In turn: each of them is the first of as many answers.
    let mut asker = lab.asker([10, 53, 0, 1].into()).unwrap();
    let mut firsts = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..30 {
        let answer = asker.ask(&Query::new("_sip._tcp.tm.example", qtype::SRV)).unwrap();
        *firsts.entry(answer.answers[0].data.to_string()).or_default() += 1;
    }
    assert_eq!(firsts.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}

#[test]
fn they_are_explained_and_the_program_answers_so() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &profiles());
    assert_eq!(
        text(&lab, &daemon, &["web", "--type", "TXT"]),
        "\
web.tm.example. TXT for 192.0.2.1 (who sends the query)

web  priority  Online  TTL 30
└─ only  192.0.2.10  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer

100.0%  web.tm.example. 30 IN TXT \"v=spf1 -all\"
100.0%  web.tm.example. 30 IN TXT \"one\" \"two; three\"
TTL 30
checked: the loaded program answers so
"
    );
    for kind in ["CAA", "MX", "HTTPS", "SVCB", "SRV", "NAPTR", "ANY"] {
        let said = text(&lab, &daemon, &["web", "--type", kind]);
        assert!(said.ends_with("checked: the loaded program answers so\n"), "{kind}: {said}");
    }
}
