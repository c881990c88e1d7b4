//! Webhooks as receivers see them: signed, in order, tried again until they are taken, and not forgotten by a daemon that comes after.

use std::process::Command;

use serde_json::Value;
use tm_tests::{
    client::said,
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::Lab,
    receiver::{Received, Receiver},
};

use crate::{NODE, profile, wait_until_ready};

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PROBED: &str = "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\n[profile.monitor]\n\
    interval = \"1h\"\ntimeout = \"5s\"\ntolerated_failures = 0\n\
    [[profile.endpoint]]\nname = \"one\"\ntarget = \"10.53.0.11\"\n";

fn node(events: &str) -> String {
    format!(
        "{NODE}[[webhook]]\nurl = \"http://10.53.0.2:8080/tm\"\nsecret_file = \"{{dir}}/secret\"\n{events}"
    )
}

fn start(lab: &Lab, events: &str, profiles: &str) -> Daemon {
    let files = [("secret", SECRET), ("tm.toml", &node(events)), ("conf.d/profiles.toml", profiles)];
    let mut daemon = Daemon::start(lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

fn probe(lab: &Lab, daemon: &Daemon) {
    said(&mut daemon.tm(lab, &["probe", "now", "web/one"]).unwrap()).unwrap();
}

/// What Python's standard library makes of id, time and body.
fn signature(received: &Received) -> String {
    let header = |name: &str| received.headers[name].clone();
    let script = "import base64, hashlib, hmac, sys\n\
        key = base64.b64decode(sys.argv[1])\n\
        print(base64.b64encode(hmac.new(key, sys.argv[2].encode(), hashlib.sha256).digest()).decode())";
    let content = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), received.body);
    format!("v1,{}", said(Command::new("python3").args(["-c", script, SECRET, &content])).unwrap())
}

/// Kind, endpoint, states before and after, and why.
fn told(received: &Received) -> [String; 5] {
    let body: Value = serde_json::from_str(&received.body).unwrap();
    let data = &body["data"];
    assert_eq!(body["type"], data["kind"]);
    assert_eq!(body["timestamp"], data["at"]);
    assert_eq!(data["profile"], "web");
    ["kind", "endpoint", "from", "to", "reason"].map(|key| data[key].as_str().unwrap_or("").to_owned())
}

#[test]
fn flips_are_told_in_order_though_the_receiver_fails_first() {
    let lab = Lab::new().unwrap();
    let receiver = Receiver::on_client(&lab, &[500, 302]).unwrap();
    let endpoint = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let daemon = start(&lab, "", PROBED);
    daemon.wait_for_endpoints(&lab, "web", &["Online"]);
    endpoint.set_status(503);
    probe(&lab, &daemon);
    daemon.wait_for_endpoints(&lab, "web", &["Degraded"]);
    endpoint.set_status(200);
    probe(&lab, &daemon);

    let all: Vec<Received> = (0..8).map(|_| receiver.next().unwrap()).collect();
    assert!(receiver.is_done());
    for received in &all {
        assert_eq!(received.headers["webhook-signature"], signature(received), "{received:?}");
        assert_eq!(received.headers["content-type"], "application/json");
    }
    // The first is tried until it is taken; a redirection is not followed.
    assert_eq!(
        all.iter().map(|received| received.status).collect::<Vec<_>>(),
        [500, 302, 204, 204, 204, 204, 204, 204]
    );
    let id = |index: usize| &all[index].headers["webhook-id"];
    assert!(id(0) == id(1) && id(1) == id(2) && id(2) != id(3));
    assert_eq!(all[0].body, all[2].body);
    let up = "1 of 1 endpoints up";
    let expected = [
        ["profile_status", "", "CheckingEndpoints", "Online", up],
        ["endpoint_status", "one", "CheckingEndpoint", "Online", "200 OK"],
        ["profile_status", "", "Online", "Degraded", "0 of 1 endpoints up"],
        ["endpoint_status", "one", "Online", "Degraded", "503 Service Unavailable, expected 200"],
        ["profile_status", "", "Degraded", "Online", up],
        ["endpoint_status", "one", "Degraded", "Online", "200 OK"],
    ];
    assert_eq!(all[2..].iter().map(told).collect::<Vec<_>>(), expected);
    // In the log too, each once; what probes found by who counts them.
    let log = daemon.log();
    let lines = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    assert_eq!((lines("\"profile changed\""), lines("\"endpoint changed\"")), (3, 3));
    assert_eq!(lines("an event was not taken"), 1);
}

#[test]
fn what_was_not_taken_is_sent_by_the_next_daemon() {
    let lab = Lab::new().unwrap();
    let mut daemon =
        start(&lab, "events = [\"profile_added\", \"profile_removed\"]\n", &profile("else", "192.0.2.1"));
    // Nobody listens yet.
    daemon.write("conf.d/profiles.toml", &profile("web", "192.0.2.10")).unwrap();
    daemon.wait_for("the failure", |line| line.contains("an event was not taken"));
    daemon.stop().unwrap();
    let receiver = Receiver::on_client(&lab, &[]).unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    let kinds = [receiver.next().unwrap(), receiver.next().unwrap()].map(|received| {
        assert_eq!(received.headers["webhook-signature"], signature(&received));
        let body: Value = serde_json::from_str(&received.body).unwrap();
        (body["type"].as_str().unwrap().to_owned(), body["data"]["profile"].as_str().unwrap().to_owned())
    });
    let pair = |kind: &str, profile: &str| (kind.to_owned(), profile.to_owned());
    assert_eq!(kinds, [pair("profile_removed", "else"), pair("profile_added", "web")]);
    assert!(receiver.is_done());
}
