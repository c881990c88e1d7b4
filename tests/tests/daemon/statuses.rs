//! The operator's switches from outside: what each does to the answers, to the monitor statuses and to the probes.

use std::collections::{HashMap, HashSet};

use tm_tests::{
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
    texts::Profile,
};

use crate::serve;

const FILE: &str = "conf.d/profiles.toml";

/// Two endpoints on the client, of which the first may get further lines, as may the profile.
fn contoso(method: &str, profile: &str, first: &str) -> String {
    Profile {
        method,
        lines: profile,
        endpoints: &[("first", 11, first), ("second", 12, "")],
        ..Profile::default()
    }
    .to_string()
}

#[test]
fn switches_of_profile_and_endpoint() {
    let lab = Lab::new().unwrap();
    let first = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let second = FakeEndpoint::on_client(&lab, [10, 53, 0, 12].into()).unwrap();
    first.set_status(503);
    let daemon = serve(&lab, "", &contoso("priority", "", ""));
    let off = "status = \"disabled\"";
    let always = "always_serve = true";
    // Lines of profile and first endpoint; the profile's monitor status, the endpoints', and the answer.
    let cases = [
        ("", "", "Degraded", ["Degraded", "Online"], "10.53.0.12"),
        ("", off, "Online", ["Disabled", "Online"], "10.53.0.12"),
        (off, "", "Disabled", ["Inactive", "Inactive"], ""),
        (off, off, "Disabled", ["Disabled", "Inactive"], ""),
        ("", always, "Online", ["Unmonitored", "Online"], "10.53.0.11"),
        ("", "", "Degraded", ["Degraded", "Online"], "10.53.0.12"),
    ];
    for (profile, endpoint, status, endpoints, answer) in cases {
        daemon.write(FILE, &contoso("priority", profile, endpoint)).unwrap();
        let case = format!("{profile}/{endpoint}");
        let now = daemon.wait_for_endpoints(&lab, "contoso", &endpoints);
        assert_eq!(now.profile("contoso")["monitor_status"], status, "{case}");
        assert_eq!(now.profile("contoso")["status"], if profile == off { "disabled" } else { "enabled" });
        assert_eq!(lab.answers(&["@10.53.0.1", "contoso.tm.example", "+short"]).unwrap(), answer, "{case}");
        let whole = lab.dig(&["@10.53.0.1", "contoso.tm.example"]).unwrap();
        let rcode = if answer.is_empty() { "status: NXDOMAIN" } else { "status: NOERROR" };
        assert!(whole.contains(rcode), "{case}: {whole}");
        // What is not probed has no outcome to show, and no time since when.
        let probed = !matches!(endpoints[0], "Disabled" | "Inactive" | "Unmonitored");
        let endpoint = now.endpoint("contoso", "first");
        assert_eq!(endpoint["last_reason"].is_string(), probed, "{case}: {endpoint:#}");
        assert_eq!(endpoint["since"].is_string(), probed, "{case}: {endpoint:#}");
    }
    // Nobody asks a disabled endpoint: connections stand still while the second's go on.
    daemon.write(FILE, &contoso("priority", "", off)).unwrap();
    daemon.wait_for_endpoints(&lab, "contoso", &["Disabled", "Online"]);
    let (stands, goes) = (first.connections(), second.connections());
    second.wait_for_connections(goes + 5);
    assert!(first.connections() <= stands + 1, "one may have been under way");
}

#[test]
fn an_unheard_endpoint_answers_and_all_degraded_is_all_online() {
    let lab = Lab::new().unwrap();
    let endpoints = [11, 12].map(|host| FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap());
    endpoints.iter().for_each(FakeEndpoint::hang);
    // A probe that takes its time: until it ends, its endpoint is being checked, and eligible.
    let slow = |method| contoso(method, "", "").replace("200ms", "30s").replace("150ms", "20s");
    let mut daemon = serve(&lab, "", &slow("priority"));
    let answer = || lab.answers(&["@10.53.0.1", "contoso.tm.example", "+short"]).unwrap();
    endpoints.iter().for_each(|endpoint| endpoint.wait_for_connections(1));
    let status = daemon.wait_for_endpoints(&lab, "contoso", &["CheckingEndpoint", "CheckingEndpoint"]);
    assert_eq!(status.profile("contoso")["monitor_status"], "CheckingEndpoints");
    assert_eq!(answer(), "10.53.0.11");
    let shares = |status: &tm_tests::status::Status| {
        ["first", "second"].map(|name| status.endpoint("contoso", name)["share"].as_f64().unwrap())
    };
    assert_eq!(shares(&status), [1.0, 0.0]);

    endpoints.iter().for_each(|endpoint| endpoint.set_status(500));
    let status = daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded"]);
    assert_eq!(status.profile("contoso")["monitor_status"], "Degraded");
    assert_eq!(answer(), "10.53.0.11");
    daemon.write(FILE, &slow("weighted")).unwrap();
    let status = daemon.wait_until(&lab, "both to answer", |status| shares(status) == [0.5, 0.5]);
    assert_eq!(status.endpoints("contoso"), ["Degraded", "Degraded"]);
    daemon.stop().unwrap();
}

#[test]
fn weights_are_exact_though_types_are_asked_in_turn() {
    let lab = Lab::new().unwrap();
    let weighted = |(name, weight): (&str, u32)| {
        format!("{}weight = {weight}\n", crate::unmonitored(name, &format!("192.0.2.{weight}")))
    };
    let endpoints = [("ten", 10), ("thirty", 30), ("sixty", 60)].map(weighted).concat();
    let profile = format!("[[profile]]\nname = \"spread\"\nrouting_method = \"weighted\"\n{endpoints}");
    let daemon = serve(&lab, "", &profile);
    let mut asker = lab.asker(SERVER_V4.into()).unwrap();
    let mut given = HashMap::<String, u64>::new();
    for _ in 0..1000 {
        let answer = asker.ask(&Query::with_edns("spread.tm.example", qtype::A)).unwrap();
        *given.entry(answer.answers[0].data.to_string()).or_default() += 1;
        let none = asker.ask(&Query::with_edns("spread.tm.example", qtype::AAAA)).unwrap();
        assert_eq!((none.answers.len(), none.authorities.len()), (0, 1));
    }
    let status = daemon.status(&lab).unwrap();
    assert_eq!(status.packets("answered"), 2000);
    // Each CPU that a query came by may be two slots short of a round.
    let short = 2 * std::thread::available_parallelism().unwrap().get() as u64;
    for (name, due) in [("ten", 100), ("thirty", 300), ("sixty", 600)] {
        let endpoint = status.endpoint("spread", name);
        let count = given[endpoint["target"].as_str().unwrap()];
        assert!(count.abs_diff(due) <= short, "{count} of {due}: {given:?}");
        assert_eq!(endpoint["answers"], count, "{name}");
        assert_eq!(endpoint["share"].as_f64(), Some(due as f64 / 1000.0), "{name}");
    }
}

#[test]
fn a_flip_below_is_an_answer_above() {
    let lab = Lab::new().unwrap();
    let first = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let _second = FakeEndpoint::on_client(&lab, [10, 53, 0, 12].into()).unwrap();
    let above = |name: &str, child: &str| {
        format!(
            "[[profile]]\nname = \"{name}\"\nrouting_method = \"priority\"\nttl = 5\n\
             [[profile.endpoint]]\nname = \"nested\"\ntype = \"nested\"\ntarget_profile = \"{child}\"\n\
             min_child_endpoints = 2\n{}",
            crate::unmonitored("last", "192.0.2.99")
        )
    };
    // The middle one has two endpoints, of which both must be up; the lowest too.
    let profiles = contoso("weighted", "", "") + &above("middle", "contoso") + &above("top", "middle");
    let daemon = serve(&lab, "", &profiles);
    let ask = |name: &str| lab.answers(&["@10.53.0.1", &format!("{name}.tm.example")]).unwrap();
    let status = daemon.wait_for_endpoints(&lab, "top", &["Online", "Unmonitored"]);
    let nested = status.endpoint("top", "nested");
    assert_eq!(nested["target"], "middle");
    assert_eq!(
        nested["child"],
        serde_json::json!({"profile": "middle", "monitor_status": "Online", "available": 2, "min_child_endpoints": 2})
    );
    // Each CPU takes its turns by itself: with one more question than there are CPUs, one of them has taken two.
    let asked = std::thread::available_parallelism().unwrap().get() + 1;
    let given: HashSet<String> = (0..asked).map(|_| ask("top")).collect();
    let both = ["11", "12"].map(|host| format!("top.tm.example. 5 IN A 10.53.0.{host}"));
    assert_eq!(given, both.into());
    let answers = |status: &tm_tests::status::Status, profile: &str, name: &str| {
        status.endpoint(profile, name)["answers"].as_u64().unwrap()
    };
    let status = daemon.status(&lab).unwrap();
    let leaves = ["first", "second"].map(|name| answers(&status, "contoso", name));
    assert_eq!(leaves.iter().sum::<u64>(), asked as u64, "the leaves count");
    assert_eq!((answers(&status, "top", "nested"), answers(&status, "middle", "nested")), (0, 0));

    first.set_status(503);
    let status = daemon.wait_for_endpoints(&lab, "top", &["Degraded", "Unmonitored"]);
    assert_eq!(status.endpoints("middle"), ["Degraded", "Unmonitored"]);
    assert_eq!(ask("top"), "top.tm.example. 5 IN A 192.0.2.99");
    let shown = daemon.tm(&lab, &["status"]).unwrap().output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("profile middle") && shown.contains("Degraded: 1 available, 2 needed"), "{shown}");
    first.set_status(200);
    daemon.wait_for_endpoints(&lab, "top", &["Online", "Unmonitored"]);
    assert!(ask("top").contains("10.53.0."));
}
