//! Probes from outside: what each kind of endpoint is found to be, and with what words, all of them beside each other.

use std::fs;

use tm_tests::{daemon::Daemon, endpoint::FakeEndpoint, lab::Lab};

use crate::{NODE, serve, wait_until_ready};

/// A profile of one endpoint, probed often.
fn probed(name: &str, target: &str, monitor: &str) -> String {
    format!(
        "[[profile]]\nname = \"{name}\"\nrouting_method = \"priority\"\n[profile.monitor]\n\
         interval = \"500ms\"\ntimeout = \"400ms\"\ntolerated_failures = 0\n{monitor}\n\
         [[profile.endpoint]]\nname = \"only\"\ntarget = \"{target}\"\n"
    )
}

/// Waits until each profile's endpoint is up or not, for this reason.
fn expect(daemon: &Daemon, lab: &Lab, cases: &[(&str, bool, &str)]) {
    for (name, up, reason) in cases {
        let status = daemon.wait_for_endpoints(lab, name, &[if *up { "Online" } else { "Degraded" }]);
        let endpoint = status.endpoint(name, "only");
        assert_eq!(
            (&endpoint["last_ok"], &endpoint["last_reason"]),
            (&(*up).into(), &(*reason).into()),
            "{name}"
        );
    }
}

#[test]
fn what_probes_find() {
    let lab = Lab::new().unwrap();
    let on_client = |host| FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap();
    let [well, absent, ill, silent] = [11, 12, 13, 14].map(on_client);
    absent.set_status(404);
    ill.set_status(503);
    silent.hang();
    let (_known, certificate) =
        FakeEndpoint::on_client_tls(&lab, [10, 53, 0, 15].into(), "www.contoso.com").unwrap();
    let _unknown = FakeEndpoint::on_client_tls(&lab, [10, 53, 0, 16].into(), "www.contoso.com").unwrap();
    let roots = tempfile::NamedTempFile::new().unwrap();
    fs::write(roots.path(), certificate).unwrap();

    let https = "protocol = \"https\"\nport = 443\nverify_certificate = true";
    let contoso = "headers = { Host = \"www.contoso.com\", X-Probe = \"yes\" }";
    let fabrikam = "headers = { Host = \"www.fabrikam.com\" }";
    let profiles = [
        probed("well", "10.53.0.11", &format!("path = \"/health?deep=1\"\n{contoso}")),
        probed("ranges", "10.53.0.12", "expected_status = [\"200-299\", \"404\"]"),
        probed("outside", "10.53.0.13", "expected_status = [\"200-299\", \"404\"]"),
        probed("strict", "10.53.0.12", ""),
        probed("silent", "10.53.0.14", ""),
        probed("tcp", "10.53.0.14", "protocol = \"tcp\""),
        probed("closed", "10.53.0.11", "protocol = \"tcp\"\nport = 81"),
        probed("plain", "10.53.0.11", "protocol = \"https\"\nport = 80"),
        probed("unverified", "10.53.0.16", "protocol = \"https\"\nport = 443"),
        probed("trusted", "10.53.0.15", &format!("{https}\n{contoso}")),
        probed("misnamed", "10.53.0.15", &format!("{https}\n{fabrikam}")),
        probed("untrusted", "10.53.0.16", &format!("{https}\n{contoso}")),
        probed("nameless", "nowhere.invalid", ""),
        probed("loopback", "127.0.0.1", ""),
        probed("loopback6", "::1", "protocol = \"tcp\""),
        probed("link", "169.254.1.1", ""),
    ];
    let files = [("tm.toml", NODE), ("conf.d/profiles.toml", &profiles.concat())];
    let trust = format!("SSL_CERT_FILE={}", roots.path().display());
    let mut daemon = Daemon::start_by(&["env", &trust], &lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let cases = [
        ("well", true, "200 OK"),
        ("ranges", true, "404 Not Found"),
        ("outside", false, "503 Service Unavailable, expected 200-299, 404"),
        ("strict", false, "404 Not Found, expected 200"),
        ("silent", false, "no answer within 400ms"),
        ("tcp", true, "connected"),
        ("closed", false, "connection refused"),
        ("unverified", true, "200 OK"),
        ("trusted", true, "200 OK"),
        ("loopback", false, "127.0.0.1 may not be probed: loopback (list it in [probes] allow)"),
        ("loopback6", false, "::1 may not be probed: loopback (list it in [probes] allow)"),
        ("link", false, "169.254.1.1 may not be probed: link-local (list it in [probes] allow)"),
    ];
    expect(&daemon, &lab, &cases);
    // Whose words are the libraries' or depend on the host's resolver: what they begin with.
    for (name, begins) in [
        ("plain", ""),
        ("untrusted", "TLS: invalid peer certificate: "),
        ("misnamed", "TLS: invalid peer certificate: certificate not valid for name \"www.fabrikam.com\""),
        ("nameless", "nowhere.invalid "),
    ] {
        let status = daemon.wait_for_endpoints(&lab, name, &["Degraded"]);
        let reason = status.endpoint(name, "only")["last_reason"].as_str().unwrap();
        assert!(reason.starts_with(begins), "{name}: {reason}");
    }
    let request = &well.requests()[0];
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
    let lines: Vec<String> = request.lines().map(str::to_lowercase).collect();
    assert!(lines.contains(&"host: www.contoso.com".to_owned()), "{request}");
    assert!(lines.contains(&"x-probe: yes".to_owned()), "{request}");

    // The silent one keeps a probe for most of its interval, and nobody waits for it: two more of each.
    let probes = |name: &str| daemon.status(&lab).unwrap().endpoint(name, "only")["probes"].as_u64().unwrap();
    let before = ["well", "silent", "tcp"].map(probes);
    daemon.wait_until(&lab, "more probes of all", |status| {
        let now = ["well", "silent", "tcp"].map(|name| status.endpoint(name, "only")["probes"].as_u64());
        now.iter().zip(before).all(|(now, before)| now.is_some_and(|now| now >= before + 2))
    });

    // Allowed by the node's file, loopback is probed, where nobody listens.
    daemon.write("tm.toml", &format!("{NODE}[probes]\nallow = [\"127.0.0.0/8\"]\n")).unwrap();
    daemon.wait_until(&lab, "loopback to be probed", |status| {
        status.endpoint("loopback", "only")["last_reason"] == "connection refused"
    });
    expect(
        &daemon,
        &lab,
        &[("loopback6", false, "::1 may not be probed: loopback (list it in [probes] allow)")],
    );
}

#[test]
fn more_successes_may_be_asked_for_than_one() {
    let lab = Lab::new().unwrap();
    let endpoint = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    endpoint.set_status(500);
    let monitor = "successes_to_recover = 3";
    let files = [("tm.toml", NODE), ("conf.d/p.toml", &probed("slow", "10.53.0.11", monitor))];
    let mut daemon = Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon.wait_for_endpoints(&lab, "slow", &["Degraded"]);
    endpoint.set_status(200);
    let risen = daemon.wait_for_endpoints(&lab, "slow", &["Online"]);
    let good = endpoint.connections();
    assert!(good >= 4, "one failure and three successes at least, not {good}");
    assert_eq!(risen.endpoint("slow", "only")["last_reason"], "200 OK");
    let seen = daemon.log().iter().filter(|line| line.contains("decision published")).count();
    assert_eq!(seen, 2, "down once and up once: {:#?}", daemon.log());
}

#[test]
fn an_endpoint_has_a_monitor_of_its_own() {
    let lab = Lab::new().unwrap();
    let on_client = |host| FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap();
    let [answered, probed] = [11, 12].map(on_client);
    let (_secure, _) = FakeEndpoint::on_client_tls(&lab, [10, 53, 0, 13].into(), "www.contoso.com").unwrap();
    answered.set_status(503);
    let own = |lines: &str| format!("[profile.endpoint.monitor]\n{lines}\n");
    let profiles = [
        probed_by("elsewhere", "10.53.0.11", &own("target = \"10.53.0.12\"")),
        probed_by("wordless", "10.53.0.12", &own("body_contains = \"well\"")),
        probed_by("from", "10.53.0.12", &own("source = \"10.53.0.1\"")),
        probed_by("nowhere", "10.53.0.12", &own("source = \"192.0.2.99\"")),
        probed_by("secure", "10.53.0.13", &own("protocol = \"https\"\ncertificate_warning_days = 365")),
    ];
    let daemon = serve(&lab, "", &profiles.concat());
    expect(
        &daemon,
        &lab,
        &[
            ("elsewhere", true, "200 OK"),
            ("wordless", false, "200 OK, but the body does not contain `well`"),
            ("from", true, "200 OK"),
            ("secure", true, "200 OK"),
        ],
    );
    let status = daemon.wait_for_endpoints(&lab, "nowhere", &["Degraded"]);
    let reason = status.endpoint("nowhere", "only")["last_reason"].as_str().unwrap();
    assert!(reason.contains("address not available"), "{reason}");
    assert_eq!(status.endpoint("secure", "only")["certificate_expires"], "4096-01-01T00:00:00.000Z");
    assert_eq!(status.endpoint("elsewhere", "only")["target"], "10.53.0.11");
    let answer = lab.answers(&["@10.53.0.1", "elsewhere.tm.example", "+short"]).unwrap();
    assert_eq!(answer, "10.53.0.11", "what is answered is not what is probed");
    assert_eq!(answered.connections(), 0);
    assert!(probed.connections() > 0);
}

/// A profile of one endpoint with these lines behind it.
fn probed_by(name: &str, target: &str, lines: &str) -> String {
    probed(name, target, "") + lines
}
