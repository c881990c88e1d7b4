//! Files changed under a running daemon, while it is asked without pause: nothing is lost, nothing wrong, nothing forgotten.

use std::net::IpAddr;

use anyhow::ensure;
use hickory_proto::op::Message;
use rustix::process::Signal;
use tm_tests::{
    client::Stream,
    daemon::Daemon,
    dig::answers,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4, SERVER_V6},
    query::{Query, qtype},
    status::Status,
};

use crate::{profile, serve, unmonitored};

const FILE: &str = "conf.d/profiles.toml";

fn published(daemon: &mut Daemon) {
    daemon.wait_for("the new state", |line| line.contains("configuration published"));
}

fn two(first: &str, second: &str) -> String {
    let head = "[[profile]]\nname = \"contoso\"\nrouting_method = \"priority\"\n";
    format!(
        "{head}{}{first}\n{}{second}\n",
        unmonitored("first", "192.0.2.1"),
        unmonitored("second", "192.0.2.2")
    )
}

#[test]
fn a_reload_changes_answers_and_a_bad_one_nothing() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &two("", ""));
    let ask = || lab.answers(&["@10.53.0.1", "contoso.tm.example", "+short"]).unwrap();
    assert_eq!(ask(), "192.0.2.1");
    daemon.write(FILE, &two("weight = 1001", "")).unwrap();
    let said = daemon.wait_for("the bad file", |line| line.contains("configuration not reloaded"));
    assert!(said.contains("profiles.toml") && said.contains("weight"), "{said}");
    let status = daemon.status(&lab).unwrap();
    assert_eq!(status.0["config_ok"], false);
    assert!(status.0["config_error"].as_str().unwrap().contains("weight"), "{:#}", status.0);
    assert_eq!(ask(), "192.0.2.1");
    daemon.write(FILE, &two("status = \"disabled\"", "")).unwrap();
    published(&mut daemon);
    assert_eq!(ask(), "192.0.2.2");
    let status = daemon.wait_until(&lab, "the load's success", |status| status.0["config_ok"] == true);
    assert!(status.0["config_error"].is_null(), "{:#}", status.0);
    daemon.write(FILE, &two("", "")).unwrap();
    published(&mut daemon);
    assert_eq!(ask(), "192.0.2.1");
    // The same files again change nothing, the serial included.
    let generation = daemon.status(&lab).unwrap().0["generation"].clone();
    daemon.signal(Signal::HUP).unwrap();
    daemon.wait_for("the same", |line| {
        line.contains("configuration reloaded") && line.contains("\"changed\":false")
    });
    assert_eq!(daemon.status(&lab).unwrap().0["generation"], generation);
}

/// Profile `i` answers with this address, in the `turn`th state of the files.
fn address(i: usize, turn: usize) -> String {
    format!("10.{}.{}.{}", 100 + turn, i / 250, 1 + i % 250)
}

fn profiles(count: usize, turn: usize) -> String {
    (0..count).map(|i| profile(&format!("p{i}"), &address(i, turn))).collect()
}

fn query(i: usize) -> Query {
    Query::with_edns(&format!("p{i}.tm.example"), qtype::A)
}

/// What profile `i` is to say in that state.
fn line(i: usize, turn: usize) -> [String; 1] {
    [format!("p{i}.tm.example. 30 IN A {}", address(i, turn))]
}

#[test]
fn tables_grow_under_queries_from_a_few_names_to_thousands() {
    const FEW: usize = 4;
    const MANY: usize = 3000;
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profiles(FEW, 0));
    let streams = [SERVER_V4.into(), SERVER_V6.into()].map(|server: IpAddr| {
        let judge = |place: usize, answer: &Message| {
            ensure!(answers(answer) == line(place, 0), "{answer}");
            Ok(())
        };
        Stream::start(&lab, server, (0..FEW).map(query).collect(), judge).unwrap()
    });
    daemon.write(FILE, &profiles(MANY, 0)).unwrap();
    // Asked for its status all the while: whoever reads the tables must not stand in the way of who writes them.
    let count = |status: &Status| status.0["profiles"].as_array().unwrap().len();
    daemon.wait_until(&lab, "thousands", |status| count(status) == MANY);
    published(&mut daemon);
    daemon.wait_for("them to answer", |line| line.contains("the new tables are in place"));
    let [v4, v6] = streams.map(|stream| stream.stop().unwrap());
    assert!(v4 > 0 && v6 > 0, "{v4} {v6}");
    let before = daemon.status(&lab).unwrap();
    let mut asker = lab.asker(SERVER_V4.into()).unwrap();
    for i in 0..MANY {
        assert_eq!(answers(&asker.ask(&query(i)).unwrap()), line(i, 0));
    }
    let after = daemon.status(&lab).unwrap();
    assert_eq!(after.packets("answered") - before.packets("answered"), MANY as u64, "all from XDP");
    assert_eq!(after.xdp("tm0"), Some("native"));
    // The counts of the four went along: every answer that was ever given is still there.
    let given = |i: usize| after.endpoint(&format!("p{i}"), "only")["answers"].as_u64().unwrap();
    assert_eq!((0..FEW).map(given).sum::<u64>(), v4 + v6 + FEW as u64);
    daemon.write(FILE, &profiles(FEW, 1)).unwrap();
    daemon.wait_until(&lab, "a few again", |status| count(status) == FEW);
    published(&mut daemon);
    assert_eq!(answers(&asker.ask(&query(0)).unwrap()), line(0, 1));
    let gone = asker.ask(&query(MANY - 1)).unwrap();
    assert_eq!((gone.metadata.response_code.low(), gone.answers.len()), (3, 0), "{gone}");
}

#[test]
fn profiles_come_change_and_go_and_no_query_is_lost() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profiles(20, 0));
    // The first ten are always there: each answer is one of the states'. The others come and go.
    let judge = |place: usize, answer: &Message| {
        let found = answers(answer);
        let known = (0..3).any(|turn| found == line(place, turn));
        let absent = place >= 10 && answer.metadata.response_code.low() == 3 && found.is_empty();
        ensure!(known || absent, "{answer}");
        Ok(())
    };
    let stream = Stream::start(&lab, SERVER_V4.into(), (0..20).map(query).collect(), judge).unwrap();
    for (count, turn) in [(10, 1), (20, 2), (12, 0), (20, 1), (10, 2)] {
        daemon.write(FILE, &profiles(count, turn)).unwrap();
        published(&mut daemon);
        let mut asker = lab.asker(SERVER_V4.into()).unwrap();
        for i in 0..count {
            assert_eq!(answers(&asker.ask(&query(i)).unwrap()), line(i, turn));
        }
        stream.wait_for(1).unwrap();
    }
    stream.stop().unwrap();
}

#[test]
fn health_is_remembered_by_all_that_did_not_change() {
    let lab = Lab::new().unwrap();
    let _well = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let profile = |ttl: u32, extra: &str| {
        format!(
            "[[profile]]\nname = \"contoso\"\nrouting_method = \"priority\"\nttl = {ttl}\n\
             [profile.monitor]\ninterval = \"200ms\"\ntimeout = \"150ms\"\ntolerated_failures = 0\n\
             [[profile.endpoint]]\nname = \"well\"\ntarget = \"10.53.0.11\"\n\
             [[profile.endpoint]]\nname = \"ill\"\ntarget = \"10.53.0.12\"\n{extra}"
        )
    };
    let mut daemon = serve(&lab, "", &profile(30, ""));
    let known = |status: &Status| {
        ["well", "ill"].map(|name| {
            let endpoint = status.endpoint("contoso", name);
            (endpoint["since"].clone(), endpoint["probes"].as_u64().unwrap())
        })
    };
    let before = known(&daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Degraded"]));
    for (ttl, extra) in
        [(60, ""), (60, "[[profile.endpoint]]\nname = \"new\"\ntarget = \"10.53.0.13\"\n"), (30, "")]
    {
        daemon.write(FILE, &profile(ttl, extra)).unwrap();
        published(&mut daemon);
        let after = daemon.status(&lab).unwrap();
        assert_eq!(after.endpoints("contoso")[..2], ["Online", "Degraded"]);
        for ((since, probes), (since_before, probes_before)) in known(&after).iter().zip(&before) {
            assert_eq!(since, since_before);
            assert!(probes >= probes_before, "{probes} after {probes_before}");
        }
    }
    // Another target is another endpoint: it begins anew.
    daemon.write(FILE, &profile(30, "").replace("10.53.0.12", "10.53.0.13")).unwrap();
    published(&mut daemon);
    let after = known(&daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Degraded"]));
    assert_eq!(after[0].0, before[0].0);
    assert_ne!(after[1].0, before[1].0);
}
