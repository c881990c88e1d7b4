//! Answers of several endpoints count for each of them: while the daemon runs, when it dies and another goes on, with new tables, and when endpoints come and go.

use std::{collections::BTreeMap, fs, time::Instant};

use serde_json::Value;
use tm_tests::{
    DEADLINE,
    daemon::Daemon,
    dig::answers,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
};

use crate::{NODE, serve, unmonitored, wait_until_ready};

const FILE: &str = "conf.d/profiles.toml";

/// A MultiValue profile of these, each named after the last octet of its address; two of them at once.
fn profile(endpoints: &[&str]) -> String {
    let endpoint = |name: &&str| unmonitored(name, &format!("192.0.2.{name}"));
    "[[profile]]\nname = \"many\"\nrouting_method = \"multivalue\"\nmax_return = 2\n".to_owned()
        + &endpoints.iter().map(endpoint).collect::<String>()
}

/// How often each endpoint was in an answer.
type Tally = BTreeMap<String, u64>;

/// Asks so often, and tallies.
fn ask(lab: &Lab, times: usize, tally: &mut Tally) {
    let mut asker = lab.asker(SERVER_V4.into()).unwrap();
    for _ in 0..times {
        let answer = asker.ask(&Query::new("many.tm.example", qtype::A)).unwrap();
        let lines = answers(&answer);
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            let (_, name) = line.rsplit_once('.').unwrap();
            *tally.entry(name.to_owned()).or_default() += 1;
        }
    }
}

fn counted(endpoints: &Value, name: &str) -> Tally {
    let endpoints = endpoints.as_array().into_iter().flatten();
    let count = |endpoint: &Value| {
        let answers = endpoint["answers"].as_u64()?;
        (answers > 0).then(|| (endpoint[name].as_str().unwrap().to_owned(), answers))
    };
    endpoints.filter_map(count).collect()
}

fn status(daemon: &Daemon, lab: &Lab) -> Tally {
    counted(&daemon.status(lab).unwrap().profile("many")["endpoints"], "name")
}

#[test]
fn an_answer_counts_for_every_endpoint_in_it_whatever_happens() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profile(&["1", "2", "3"]));
    let mut tally = Tally::new();
    ask(&lab, 7, &mut tally);
    assert_eq!(tally.values().sum::<u64>(), 14);
    assert_eq!(status(&daemon, &lab), tally);

    // Who is in the answers changes: 1 and 3, 3 and 1.
    let fewer = profile(&["1", "2", "3"]).replace("name = \"2\"", "name = \"2\"\nstatus = \"disabled\"");
    daemon.write(FILE, &fewer).unwrap();
    daemon.wait_for("it", |line| line.contains("configuration published"));
    ask(&lab, 5, &mut tally);
    assert_eq!(status(&daemon, &lab), tally);

    // The daemon dies, and is asked on. It has saved which counters there are, if not all that they say.
    let began = Instant::now();
    let is_saved = || {
        let text = fs::read(daemon.directory().join("state/state.json")).unwrap_or_default();
        let saved: Value = serde_json::from_slice(&text).unwrap_or_default();
        let first = saved["endpoints"].as_array().and_then(|all| all.iter().find(|e| e["endpoint"] == "1"));
        // One with 2, one with 3.
        first.is_some_and(|first| first["counters"].as_array().is_some_and(|counters| counters.len() == 2))
            && saved["generation"].as_u64() == daemon.status(&lab).unwrap().0["generation"].as_u64()
    };
    while !is_saved() {
        assert!(began.elapsed() < DEADLINE, "waited for the counters to be saved");
    }
    daemon.kill().unwrap();
    ask(&lab, 6, &mut tally);
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    ask(&lab, 3, &mut tally);
    assert_eq!(status(&daemon, &lab), tally, "each counted once for each");

    // New tables.
    daemon.write("tm.toml", &format!("{NODE}vlans = [7]\n")).unwrap();
    daemon.wait_for("new tables", |line| line.contains("the new tables are in place"));
    ask(&lab, 4, &mut tally);
    assert_eq!(status(&daemon, &lab), tally);

    // An orderly stop.
    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(status(&daemon, &lab), tally);

    // One goes, and comes again as another one: nobody inherits its count, and the other loses none.
    daemon.write(FILE, &profile(&["2", "3"])).unwrap();
    daemon.wait_for("it", |line| line.contains("configuration published"));
    tally.remove("1");
    ask(&lab, 4, &mut tally);
    assert_eq!(status(&daemon, &lab), tally);
    daemon.write(FILE, &profile(&["1", "3"])).unwrap();
    daemon.wait_for("it", |line| line.contains("configuration published"));
    tally.remove("2");
    ask(&lab, 4, &mut tally);
    assert_eq!(tally["1"], 4);
    assert_eq!(status(&daemon, &lab), tally);
}
