//! The failover procedure: two endpoints of priority 1 and 2, TTL 100, and `dig` as the client. It is the same wherever the answers come from.

use tm_tests::{endpoint::FakeEndpoint, lab::Lab, texts::Profile};

use crate::serve;

/// Goes through it with these lines of `[listen]`, which attach the program `hook`, or none.
fn procedure(listen: &str, hook: Option<&str>) {
    let lab = Lab::new().unwrap();
    let mut primary = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let mut secondary = FakeEndpoint::on_client(&lab, [10, 53, 0, 12].into()).unwrap();
    let profile = Profile { lines: "ttl = 100", tolerated_failures: 1, ..Profile::default() };
    let daemon = serve(&lab, listen, &profile.to_string());
    let expect = |address: &str| {
        for way in [&["@10.53.0.1"][..], &["@fd53::1"], &["@10.53.0.1", "+tcp"], &["@fd53::1", "+tcp"]] {
            let answers = lab.answers(&[way, &["contoso.tm.example"]].concat()).unwrap();
            assert_eq!(answers, format!("contoso.tm.example. 100 IN A {address}"), "{way:?}");
        }
    };
    let wait = |expected: [&str; 2]| daemon.wait_for_endpoints(&lab, "contoso", &expected);
    let status = wait(["Online", "Online"]);
    assert_eq!(status.profile("contoso")["monitor_status"], "Online");
    for _ in 0..5 {
        expect("10.53.0.11");
    }
    primary.stop();
    let status = wait(["Degraded", "Online"]);
    assert_eq!(status.profile("contoso")["monitor_status"], "Degraded");
    expect("10.53.0.12");
    secondary.stop();
    wait(["Degraded", "Degraded"]);
    expect("10.53.0.11");
    lab.in_client(|| secondary.resume()).unwrap().unwrap();
    wait(["Degraded", "Online"]);
    expect("10.53.0.12");
    lab.in_client(|| primary.resume()).unwrap().unwrap();
    wait(["Online", "Online"]);
    expect("10.53.0.11");

    // Nine rounds: two queries over UDP and two over TCP each, which are the sockets'.
    let status = daemon.status(&lab).unwrap();
    assert_eq!(status.xdp("tm0"), hook);
    let by_xdp = if hook.is_some() { 18 } else { 0 };
    assert_eq!((status.packets("answered"), status.messages("engine")), (by_xdp, 36 - by_xdp));
    let given = ["virginia", "amsterdam"].map(|name| status.endpoint("contoso", name)["answers"].clone());
    assert_eq!(given, [28, 8], "four answers a round");
}

#[test]
fn from_the_driver() {
    procedure("", Some("native"));
}

#[test]
fn from_the_generic_hook() {
    procedure("mode = \"generic\"", Some("generic"));
}

#[test]
fn from_sockets_alone() {
    procedure("mode = \"off\"", None);
}
