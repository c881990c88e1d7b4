//! The seeds' failover procedure, end to end: two endpoints of priority 1 and 2, TTL 100, the real daemon, XDP on a veth, and `dig` as the client.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::process::Command;

use tm_tests::{
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::{CLIENT_INTERFACE, Lab},
    namespace::{require_root, run},
};

const NODE: &str = r#"
zone = "tm.example"
name_servers = ["ns1.tm.example"]
state_dir = "{dir}/state"
[listen]
interfaces = ["tm0"]
"#;

const PROFILES: &str = r#"
[[profile]]
name = "contoso"
routing_method = "priority"
ttl = 100
[profile.monitor]
interval = "200ms"
timeout = "150ms"
tolerated_failures = 1
[[profile.endpoint]]
name = "virginia"
target = "10.53.0.11"
priority = 1
[[profile.endpoint]]
name = "amsterdam"
target = "10.53.0.12"
priority = 2

[[profile]]
name = "spread"
routing_method = "weighted"
ttl = 30
[[profile.endpoint]]
name = "ten"
target = "192.0.2.10"
weight = 10
always_serve = true
[[profile.endpoint]]
name = "thirty"
target = "192.0.2.30"
weight = 30
always_serve = true
[[profile.endpoint]]
name = "sixty"
target = "192.0.2.60"
weight = 60
always_serve = true
"#;

fn endpoint(lab: &Lab, address: &str) -> FakeEndpoint {
    run(lab.client("ip").args(["address", "add", &format!("{address}/24"), "dev", CLIENT_INTERFACE]))
        .unwrap();
    lab.in_client(|| FakeEndpoint::start(format!("{address}:80").parse().unwrap())).unwrap().unwrap()
}

fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        .trim()
        .to_owned()
}

fn dig(lab: &Lab, arguments: &[&str]) -> String {
    text(lab.client("dig").args(["+tries=2", "+timeout=2", "+noall", "+answer", "+nottlid"]).args(arguments))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn status(lab: &Lab, daemon: &Daemon) -> serde_json::Value {
    let output = daemon.tm(lab, &["status", "-o", "json"]).unwrap().output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn the_primary_answers_until_it_stops_and_again_when_it_is_back() {
    require_root();
    let lab = Lab::new().unwrap();
    let mut primary = endpoint(&lab, "10.53.0.11");
    let mut secondary = endpoint(&lab, "10.53.0.12");
    let mut daemon = Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/profiles.toml", PROFILES)]).unwrap();
    daemon.wait_for("XDP is attached", |line| line.contains("XDP attached") && line.contains("Native"));
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    let expect = |answer: &str| {
        let full = |address: &str| format!("contoso.tm.example. 100 IN A {address}");
        let plain = ["@10.53.0.1", "contoso.tm.example", "+ttlid"];
        assert_eq!(dig(&lab, &plain), full(answer), "over IPv4");
        assert_eq!(dig(&lab, &["@fd53::1", "contoso.tm.example", "+ttlid"]), full(answer), "over IPv6");
        assert_eq!(
            dig(&lab, &["@10.53.0.1", "contoso.tm.example", "+ttlid", "+tcp"]),
            full(answer),
            "over TCP"
        );
    };
    primary.wait_for_connections(1);
    secondary.wait_for_connections(1);
    for _ in 0..5 {
        expect("10.53.0.11");
    }
    // Until here the endpoints went from CheckingEndpoint to Online; wait for it, or that would be taken for a flip below.
    wait_for_status(&lab, &daemon, &["Online", "Online"]);
    primary.stop();
    wait_for_status(&lab, &daemon, &["Degraded", "Online"]);
    expect("10.53.0.12");
    secondary.stop();
    wait_for_status(&lab, &daemon, &["Degraded", "Degraded"]);
    expect("10.53.0.11");
    lab.in_client(|| secondary.resume()).unwrap().unwrap();
    wait_for_status(&lab, &daemon, &["Degraded", "Online"]);
    expect("10.53.0.12");
    lab.in_client(|| primary.resume()).unwrap().unwrap();
    wait_for_status(&lab, &daemon, &["Online", "Online"]);
    expect("10.53.0.11");

    let packets = status(&lab, &daemon)["packets"].clone();
    // Nine rounds, each with one query over IPv4 and one over IPv6 that XDP answers.
    assert!(packets["answered"].as_u64().unwrap() >= 18, "{packets}");
}

/// Looks at the status until the endpoints of the first profile are what they are to be. Each look is an exchange with the daemon; the kit's deadline holds.
fn wait_for_status(lab: &Lab, daemon: &Daemon, expected: &[&str]) {
    let began = std::time::Instant::now();
    loop {
        let status = status(lab, daemon);
        let endpoints = status["profiles"][0]["endpoints"].as_array().unwrap();
        let now: Vec<&str> = endpoints.iter().map(|e| e["monitor_status"].as_str().unwrap()).collect();
        if now == expected {
            return;
        }
        assert!(began.elapsed() < tm_tests::DEADLINE, "still {now:?}, not {expected:?}");
    }
}

#[test]
fn what_is_asked_decides_what_is_answered() {
    require_root();
    let lab = Lab::new().unwrap();
    let mut daemon = Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/profiles.toml", PROFILES)]).unwrap();
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    let rcode = |arguments: &[&str]| {
        let said =
            text(lab.client("dig").args(["+tries=2", "+timeout=2", "+noall", "+comments"]).args(arguments));
        let at = said.find("status: ").unwrap_or_else(|| panic!("{said}")) + 8;
        said[at..].split(',').next().unwrap().to_owned()
    };
    assert_eq!(rcode(&["@10.53.0.1", "contoso.tm.example", "AAAA"]), "NOERROR");
    assert_eq!(dig(&lab, &["@10.53.0.1", "contoso.tm.example", "AAAA"]), "");
    assert_eq!(rcode(&["@10.53.0.1", "nobody.tm.example"]), "NXDOMAIN");
    assert_eq!(rcode(&["@10.53.0.1", "www.example.org"]), "REFUSED");
    assert_eq!(
        dig(&lab, &["@10.53.0.1", "tm.example", "NS", "+ttlid"]),
        "tm.example. 3600 IN NS ns1.tm.example."
    );
    assert_eq!(
        dig(&lab, &["@10.53.0.1", "CONTOSO.tm.Example", "+ttlid"]),
        "CONTOSO.tm.Example. 100 IN A 10.53.0.11"
    );
    // `tm query` asks the loaded program; the last line is for scripts.
    let asked = text(&mut daemon.tm(&lab, &["query", "contoso"]).unwrap());
    assert!(asked.starts_with("; NOERROR by xdp"), "{asked}");
    assert_eq!(asked.lines().last(), Some("10.53.0.11"));
}

#[test]
fn a_reload_changes_answers_and_a_bad_one_nothing() {
    require_root();
    let lab = Lab::new().unwrap();
    let mut daemon = Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/profiles.toml", PROFILES)]).unwrap();
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    let ask = || dig(&lab, &["@10.53.0.1", "contoso.tm.example", "+ttlid"]);
    assert_eq!(ask(), "contoso.tm.example. 100 IN A 10.53.0.11");
    daemon.write("conf.d/profiles.toml", &PROFILES.replacen("ttl = 100", "ttl = -1", 1)).unwrap();
    daemon.wait_for("the bad file is refused", |line| line.contains("configuration not reloaded"));
    assert_eq!(ask(), "contoso.tm.example. 100 IN A 10.53.0.11");
    let disabled = PROFILES.replacen("priority = 1", "priority = 1\nstatus = \"disabled\"", 1);
    daemon.write("conf.d/profiles.toml", &disabled).unwrap();
    daemon.wait_for("the new state is published", |line| line.contains("configuration published"));
    assert_eq!(ask(), "contoso.tm.example. 100 IN A 10.53.0.12");
    daemon.write("conf.d/profiles.toml", PROFILES).unwrap();
    daemon.wait_for("the first state is back", |line| line.contains("configuration published"));
    assert_eq!(ask(), "contoso.tm.example. 100 IN A 10.53.0.11");
}

#[test]
fn weights_are_exact_though_types_are_asked_in_turn() {
    require_root();
    let lab = Lab::new().unwrap();
    let mut daemon = Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/profiles.toml", PROFILES)]).unwrap();
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    for _ in 0..100 {
        for kind in ["A", "AAAA"] {
            let asked = daemon.tm(&lab, &["query", "spread", "--type", kind]).unwrap().output().unwrap();
            assert!(asked.status.success(), "{asked:?}");
        }
    }
    let status = status(&lab, &daemon);
    let profile = status["profiles"].as_array().unwrap().iter().find(|p| p["name"] == "spread").unwrap();
    let answers = profile["endpoints"].as_array().unwrap().iter().map(|e| e["answers"].as_u64().unwrap());
    for (given, due) in answers.zip([10, 30, 60]) {
        // Each CPU that a question came by may be short of a whole round: two CPUs here, two slots each.
        assert!(given.abs_diff(due) <= 4, "{given} of {due}: {profile}");
    }
}
