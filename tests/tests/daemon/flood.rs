//! A flood: where nobody has set a limit there is none, until the whole node answers more than a ceiling, and again when that is over. The ceiling of these tests is low, and what goes over it is one
//! client that asks on and on with a right cookie, to whom no limit applies: none of its queries may be lost meanwhile.

use std::{fs, process::Command};

use hickory_proto::op::Message;
use tm_tests::{
    client::Stream,
    cookie::{CODE, made, now},
    daemon::Daemon,
    dig::answers,
    lab::{CLIENT_V4, Lab, SERVER_V4},
    metrics::Scraped,
    namespace::run,
    query::{Edns, Query, qtype},
};

use crate::{
    NODE,
    limits::{SECRET, WAYS, parts},
    profile, wait_until_ready,
};

const ARMED: &str = "a flood of queries; the limit on answers is armed";
const DISARMED: &str = "the flood of queries is over; the limit on answers is disarmed";
const IN_PLACE: &str = "the new tables are in place";
const METRICS: &str = "10.53.0.1:9153";

fn serve(lab: &Lab, listen: &str, limit: &str) -> Daemon {
    let secret: String = SECRET.iter().map(|octet| format!("{octet:02x}")).collect();
    let node = format!(
        "{NODE}{listen}[metrics]\nlisten = \"{METRICS}\"\n[cookies]\nsecret_file = \"{{dir}}/secret\"\n[rate_limit]\n{limit}\n"
    );
    let files =
        [("tm.toml", &*node), ("conf.d/web.toml", &profile("web", "192.0.2.10")), ("secret", &secret)];
    let mut daemon = Daemon::start(lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

/// A client that asks without pause, and whom a limit does not concern.
fn flood(lab: &Lab) -> Stream {
    let cookie = made(SECRET, *b"a client", [0; 3], now(), CLIENT_V4.into());
    let edns = Edns { options: vec![(CODE, cookie)], ..Edns::default() };
    let query = Query { edns: Some(edns), ..Query::new("web.tm.example", qtype::A) };
    let judge = |_: usize, answer: &Message| {
        anyhow::ensure!(answers(answer) == ["web.tm.example. 30 IN A 192.0.2.10"], "{answer}");
        Ok(())
    };
    Stream::start(lab, SERVER_V4.into(), vec![query], judge).unwrap()
}

/// Are some queries in a row all answered, to whom a limit of one a second would apply? There are too few of them for the ceiling.
fn is_unlimited(lab: &Lab) -> bool {
    let outcome = parts(1, lab, CLIENT_V4.into(), "web.tm.example", None);
    outcome.answered == outcome.queries()
}

fn is_limited(lab: &Lab) -> bool {
    let outcome = parts(6, lab, CLIENT_V4.into(), "web.tm.example", None);
    outcome.dropped > 0 && outcome.slipped > 0 && outcome.answered < outcome.queries() / 2
}

/// What the status and the metrics say: the state, and how often it was armed and disarmed.
fn said(daemon: &Daemon, lab: &Lab) -> (String, f64, f64, f64) {
    let state = daemon.status(lab).unwrap().0["rate_limit"]["state"].as_str().unwrap().to_owned();
    let scraped = Scraped::from(lab, METRICS).unwrap();
    let value = |name: &str| scraped.get(name).unwrap();
    let changes = |to| value(&format!("tm_rate_limit_changes_total{{to=\"{to}\"}}"));
    (state, value("tm_rate_limit_armed"), changes("armed"), changes("disarmed"))
}

#[test]
fn the_limit_holds_in_a_flood_and_nobody_misses_a_packet() {
    for listen in WAYS {
        let lab = Lab::new().unwrap();
        let limit = "answers_per_second = 1\narmed_above = 100\ndisarmed_after = \"1s\"";
        let mut daemon = serve(&lab, listen, limit);
        let is_xdp = listen.is_empty();
        assert!(is_unlimited(&lab), "{listen}");
        assert_eq!(said(&daemon, &lab), ("disarmed".to_owned(), 0.0, 0.0, 0.0), "{listen}");

        let flood = flood(&lab);
        let line = daemon.wait_for("the limit to be armed", |line| line.contains(ARMED));
        assert!(line.contains("\"WARN\"") && line.contains("\"to_a_prefix\":1"), "{line}");
        if is_xdp {
            daemon.wait_for("programs with the limit", |line| line.contains(IN_PLACE));
        }
        assert!(is_limited(&lab), "{listen}");
        assert_eq!(said(&daemon, &lab), ("armed".to_owned(), 1.0, 1.0, 0.0), "{listen}");
        let shown = run(&mut daemon.tm(&lab, &["status"]).unwrap()).unwrap();
        assert!(shown.contains("limit on answers armed, 1 a second to a prefix"), "{shown}");
        flood.wait_for(1).unwrap();
        flood.stop().unwrap();

        let line = daemon.wait_for("the limit to be disarmed", |line| line.contains(DISARMED));
        assert!(line.contains("\"armed_above\":100"), "{line}");
        if is_xdp {
            daemon.wait_for("programs without it", |line| line.contains(IN_PLACE));
        }
        assert!(is_unlimited(&lab), "{listen}");
        assert_eq!(said(&daemon, &lab), ("disarmed".to_owned(), 0.0, 1.0, 1.0), "{listen}");
    }
}

#[test]
fn programs_that_cannot_be_loaded_leave_those_in_use_serving() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", "answers_per_second = 1\narmed_above = 100");
    let pid = daemon.process_id().to_string();
    // Room for a few connections, but not for the tables of a load.
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let most = format!("--nofile={}:", open + 16);
    run(Command::new("prlimit").args(["--pid", &pid, &most])).unwrap();
    let flood = flood(&lab);
    daemon.wait_for("the limit to be armed", |line| line.contains(ARMED));
    let line = daemon.wait_for("the failed load", |line| line.contains("\"ERROR\""));
    assert!(line.contains("the programs in use go on as they were made; trying again every 60 s"), "{line}");
    let before = daemon.status(&lab).unwrap();
    flood.wait_for(50).unwrap();
    let after = daemon.status(&lab).unwrap();
    assert!(after.packets("answered") >= before.packets("answered") + 50, "by XDP");
    assert_eq!((after.messages("engine"), after.xdp("tm0")), (0, Some("native")));
    flood.stop().unwrap();
    assert!(is_unlimited(&lab), "as they were made");
    assert_eq!(after.0["rate_limit"]["state"], "armed");
}
