//! dnspython as a strict judge (`tests/clients/judge.py`): thousands of random questions over every transport, with XDP and without, and zone transfers.

use std::fs;

use serde_json::{Value, json};
use tm_tests::{
    daemon::Daemon,
    lab::Lab,
    script::{Endpoints, run, workspace},
};

use crate::{NODE, encrypted::certify, profile, unmonitored, wait_until_ready};

const SECRET: &str = "bWluZCB0aGUgZ2FwIGJldHdlZW4gdGhlIHRyYWluIGFuZA==";

const KEY: &str = r#"
[[tsig_key]]
name = "secondary"
secret_file = "{dir}/secondary.key"
[transfer]
allow = ["secondary"]
[tls]
certificate = "{dir}/chain.pem"
key = "{dir}/key.pem"
[dot]
[doh]
"#;

/// What the script has in `RECORDS`.
fn profiles(web: &str) -> String {
    let one = |name: &str, target: &str, records: &[(&str, &str)]| {
        let known = name.trim_start_matches("*.");
        let keys = format!("[[profile]]\nttl = 60\nrelative_name = \"{name}\"");
        let record =
            |(kind, data): &(&str, &str)| format!("[[profile.record]]\ntype = \"{kind}\"\ndata = '{data}'\n");
        let text = profile(known, target).replacen("[[profile]]", &keys, 1);
        let (head, endpoint) = text.split_once(&unmonitored("only", target)).unwrap();
        let records: String = records.iter().map(record).collect();
        format!("{head}{records}{}{endpoint}", unmonitored("only", target))
    };
    let long = ["a", "b", "c"].map(|letter| letter.repeat(250));
    let big = long.each_ref().map(|text| ("TXT", text.as_str()));
    let text = [
        ("TXT", "\"v=spf1 mx -all\""),
        ("TXT", "\"one\" \"two; three\""),
        ("MX", "10 mail.contoso.com."),
        ("MX", "20 web.tm.example."),
        ("CAA", "0 issue \"ca.example; policy=ev\""),
        ("SRV", "0 5 443 virginia.contoso.com."),
        ("HTTPS", "1 . alpn=h2,h3 ipv4hint=192.0.2.1"),
    ];
    [
        one("web", web, &[]),
        one("six", "2001:db8::7", &[]),
        one("alias", "www.contoso.com", &[]),
        one("follow", "web.tm.example", &[]),
        one("chain", "follow.tm.example", &[]),
        one("gone", "nobody.tm.example", &[]),
        one("between", "mid.top.tm.example", &[]),
        one("leaf.mid.top", "192.0.2.11", &[]),
        one("*.any", "192.0.2.12", &[("TXT", "\"any text\"")]),
        one("text", "192.0.2.13", &text),
        one("big", "192.0.2.14", &big),
    ]
    .concat()
}

/// What the script tells of a daemon that listens so.
fn told(listen: &str) -> (Value, Daemon, Lab) {
    let lab = Lab::new().unwrap();
    let node = format!("{NODE}{listen}");
    let files =
        [("tm.toml", &*node), ("conf.d/profiles.toml", &profiles("192.0.2.10")), ("secondary.key", SECRET)];
    let mut daemon = Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    certify(daemon.directory());
    daemon.write("tm.toml", &format!("{node}{KEY}")).unwrap();
    for _ in 0..4 {
        daemon.wait_for("TLS", |line| {
            line.contains("\"answering\"") && line.contains("TLS\"}") | line.contains("HTTPS\"}")
        });
    }
    let workspace = workspace();
    let interpreter = workspace.join("target/clients/dnspython/bin/python");
    let mut command = lab.client(&interpreter.to_string_lossy());
    command.arg(workspace.join("tests/clients/judge.py"));
    command.arg(daemon.directory().join("chain.pem")).arg(SECRET);
    let mut told = Value::Null;
    run(&lab, &mut command, &mut Endpoints::new(), |word, rest| {
        match word {
            "change" => fs::write(daemon.directory().join("conf.d/profiles.toml"), profiles("192.0.2.99"))?,
            _ => told = serde_json::from_str(rest)?,
        }
        Ok(String::new())
    })
    .unwrap();
    (told, daemon, lab)
}

/// What is told, but for the sum of the replies, which is given.
fn check(told: &mut Value) -> Value {
    let replies = told["replies"].take();
    let expected = json!({
        "counts": { "udp": 4000, "tcp": 1000, "tls": 500, "https": 200 },
        "wrong": [],
        "replies": null,
        "fallback": { "big": [true, 3], "web": [false, 1] },
        "resolved": {
            "chain": "web.tm.example. 192.0.2.10",
            "gone": "NXDOMAIN",
            "between": "NoAnswer",
            "nobody": "NXDOMAIN",
            "web": "NoAnswer",
            "x.any": "x.any.tm.example. \"any text\"",
        },
        "cookies": { "length": 16, "kept": true, "other": true },
        "transfers": {
            "first": ["AXFR", ["follow 60 IN CNAME web", "six 60 IN AAAA 2001:db8::7", "web 60 IN A 192.0.2.10"]],
            "then": ["IXFR", true, ["web 60 IN A 192.0.2.99"]],
            "same": true,
            "unsigned": "TransferError Zone transfer error: REFUSED",
            "right": "signed True",
            "wrong secret": "PeerBadSignature",
            "unknown key": "PeerBadKey",
            "wrong time": "PeerBadTime",
        },
    });
    assert_eq!(*told, expected, "{told:#}");
    replies
}

#[test]
fn dnspython_finds_no_fault_with_any_reply_and_no_difference_without_xdp() {
    let (mut said, daemon, lab) = told("");
    let by_both = check(&mut said);
    let status = daemon.status(&lab).unwrap();
    let by_xdp = status.packets("answered") + status.packets("no_such_name");
    assert!(by_xdp > 2000, "{by_xdp}");
    // Octet by octet.
    assert_eq!(check(&mut told("mode = \"off\"\n").0), by_both);
}
