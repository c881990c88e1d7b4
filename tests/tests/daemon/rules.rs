//! Operators' orders and a profile's rules from outside: what each does to the answers, and what the status says of it.

use tm_tests::{
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
    texts::Profile,
};

use crate::{serve, wait_until_ready};

/// `contoso` of these endpoints on the client, well and of priority 1, 2 ..., with these lines of its own.
fn contoso(method: &str, rules: &str, endpoints: &[(&str, u8)]) -> String {
    let endpoints: Vec<_> = endpoints.iter().map(|(name, host)| (*name, *host, "")).collect();
    Profile { method, lines: rules, endpoints: &endpoints, ..Profile::default() }.to_string()
}

const BOTH: [(&str, u8); 2] = [("virginia", 11), ("amsterdam", 12)];

fn on_client(lab: &Lab, host: u8) -> FakeEndpoint {
    FakeEndpoint::on_client(lab, [10, 53, 0, host].into()).unwrap()
}

fn answer(lab: &Lab) -> String {
    lab.answers(&["@10.53.0.1", "contoso.tm.example", "+short"]).unwrap()
}

/// Waits until `contoso` answers this.
fn wait_for_answer(daemon: &Daemon, lab: &Lab, expected: &str) {
    daemon.wait_until(lab, &format!("the answer {expected:?}"), |_| answer(lab) == expected);
}

/// Runs `tm endpoint` with these words; its exit code and what it printed.
fn order(daemon: &Daemon, lab: &Lab, words: &[&str]) -> (Option<i32>, String, String) {
    let output = daemon.tm(lab, &[&["endpoint"], words].concat()).unwrap().output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn notes(daemon: &Daemon, lab: &Lab, endpoint: &str) -> Vec<String> {
    let status = daemon.status(lab).unwrap();
    serde_json::from_value(status.endpoint("contoso", endpoint)["notes"].clone()).unwrap()
}

#[test]
fn an_operator_forces_and_releases_and_a_restart_forgets_nothing() {
    let lab = Lab::new().unwrap();
    let _endpoints = [11, 12].map(|host| on_client(&lab, host));
    let mut daemon = serve(&lab, "", &contoso("priority", "", &BOTH));
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    assert_eq!(answer(&lab), "10.53.0.11");

    let (code, out, _) = order(&daemon, &lab, &["force", "Contoso/Virginia", "down"]);
    assert_eq!((code, out.as_str()), (Some(0), "contoso/virginia: forced down\n"));
    wait_for_answer(&daemon, &lab, "10.53.0.12");
    let status = daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    assert_eq!(status.endpoint("contoso", "virginia")["forced"], "down");
    assert_eq!(notes(&daemon, &lab, "virginia"), ["forced down"]);
    let shown = daemon.tm(&lab, &["status"]).unwrap().output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.lines().any(|line| line.contains("virginia") && line.trim_end().ends_with("forced down")));

    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(answer(&lab), "10.53.0.12", "the operator's word outlives the daemon");
    let (code, out, _) = order(&daemon, &lab, &["release", "contoso/virginia"]);
    assert_eq!((code, out.as_str()), (Some(0), "contoso/virginia: released\n"));
    wait_for_answer(&daemon, &lab, "10.53.0.11");
    assert_eq!(notes(&daemon, &lab, "virginia"), [""; 0]);

    // It ends by itself, at a time that nobody has to come by for.
    let (code, out, _) = order(&daemon, &lab, &["force", "contoso/virginia", "down", "--for", "1s"]);
    assert!(code == Some(0) && out.starts_with("contoso/virginia: forced down until 20"), "{out}");
    wait_for_answer(&daemon, &lab, "10.53.0.12");
    wait_for_answer(&daemon, &lab, "10.53.0.11");

    for (words, code, says) in [
        (&["release", "contoso/virginia"][..], 1, "contoso/virginia is not forced"),
        (&["restore", "contoso/virginia"], 1, "contoso/virginia is not held back by failback"),
        (&["force", "contoso/nowhere", "up"], 3, "profile `contoso` has no endpoint `nowhere`"),
        (&["force", "nothing/virginia", "up"], 3, "there is no profile `nothing`"),
        (
            &["force", "contoso/virginia", "up", "--until", "2020-01-01T00:00:00Z"],
            1,
            "2020-01-01T00:00:00.000Z is not within the next ten years",
        ),
        (&["force", "virginia", "up"], 2, "write the profile's name, a slash and the endpoint's name"),
        (&["force", "contoso/virginia", "sideways"], 2, "possible values: up, down"),
    ] {
        let (exit, _, error) = order(&daemon, &lab, words);
        assert!(exit == Some(code) && error.contains(says), "{words:?}: {exit:?} {error}");
    }
}

#[test]
fn nobody_comes_back_before_the_operator_says_so() {
    let lab = Lab::new().unwrap();
    let [mut virginia, mut amsterdam] = [11, 12].map(|host| on_client(&lab, host));
    let mut daemon = serve(&lab, "", &contoso("priority", "failback = \"manual\"", &BOTH));
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    assert_eq!(answer(&lab), "10.53.0.11", "nobody has to let it in at the start");
    virginia.stop();
    wait_for_answer(&daemon, &lab, "10.53.0.12");
    lab.in_client(|| virginia.resume()).unwrap().unwrap();
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    assert_eq!(answer(&lab), "10.53.0.12");
    assert_eq!(notes(&daemon, &lab, "virginia"), ["held back by failback until `tm endpoint restore`"]);
    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(answer(&lab), "10.53.0.12", "nor because the daemon began anew");
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    amsterdam.stop();
    wait_for_answer(&daemon, &lab, "10.53.0.11");
    lab.in_client(|| amsterdam.resume()).unwrap().unwrap();
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    let (code, out, _) = order(&daemon, &lab, &["restore", "contoso/amsterdam"]);
    assert_eq!((code, out.as_str()), (Some(0), "contoso/amsterdam: restored\n"));
    wait_for_answer(&daemon, &lab, "10.53.0.12");
    order(&daemon, &lab, &["restore", "contoso/virginia"]);
    wait_for_answer(&daemon, &lab, "10.53.0.11");
}

#[test]
fn when_everything_is_down() {
    let lab = Lab::new().unwrap();
    let three = [BOTH[0], BOTH[1], ("sorry", 13)];
    let _endpoints = [11, 12, 13].map(|host| {
        let endpoint = on_client(&lab, host);
        endpoint.set_status(503);
        endpoint
    });
    let daemon = serve(&lab, "", &contoso("priority", "when_all_down = \"none\"", &three));
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded", "Degraded"]);
    for way in [&["@10.53.0.1"][..], &["@10.53.0.1", "+tcp"]] {
        let none = lab.dig(&[way, &["contoso.tm.example"]].concat()).unwrap();
        assert!(none.contains("status: NOERROR") && none.contains("ANSWER: 0, AUTHORITY: 1"), "{none}");
    }
    let write = |rules| daemon.write("conf.d/profiles.toml", &contoso("priority", rules, &three)).unwrap();
    write("last_resort = \"sorry\"");
    wait_for_answer(&daemon, &lab, "10.53.0.13");
    assert_eq!(notes(&daemon, &lab, "sorry"), ["last resort: answers when all others are down"]);
    write("");
    wait_for_answer(&daemon, &lab, "10.53.0.11");
}

#[test]
fn a_guard_lets_one_go() {
    let lab = Lab::new().unwrap();
    let [virginia, amsterdam] = [11, 12].map(|host| on_client(&lab, host));
    let rules = |window| format!("[profile.guard]\nwithdraw_at_most = \"50%\"\nwindow = \"{window}\"\n");
    let three = [BOTH[0], BOTH[1], ("tokyo", 13)];
    let _tokyo = on_client(&lab, 13);
    let daemon = serve(&lab, "", &contoso("priority", &rules("7d"), &three));
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online", "Online"]);
    virginia.set_status(503);
    wait_for_answer(&daemon, &lab, "10.53.0.12");
    amsterdam.set_status(503);
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded", "Online"]);
    assert_eq!(answer(&lab), "10.53.0.12", "the second of three has to wait");
    let said = notes(&daemon, &lab, "amsterdam");
    assert!(said[0].starts_with("kept in the answers until 20"), "{said:?}");
    assert!(said[0].ends_with(": at most 1 may be withdrawn within the guard's window"), "{said:?}");
    assert_eq!(notes(&daemon, &lab, "virginia"), [""; 0]);
    // A window that is over by itself soon.
    daemon.write("conf.d/profiles.toml", &contoso("priority", &rules("1s"), &three)).unwrap();
    wait_for_answer(&daemon, &lab, "10.53.0.13");
}

#[test]
fn a_slow_start_takes_its_steps_and_rewrites_slots_alone() {
    let lab = Lab::new().unwrap();
    let [virginia, _amsterdam] = [11, 12].map(|host| on_client(&lab, host));
    let daemon = serve(&lab, "", &contoso("weighted", "slow_start = \"24h\"", &BOTH));
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    // In parts of a thousand: the share goes through decimals.
    let share = |status: &tm_tests::status::Status| {
        (status.endpoint("contoso", "virginia")["share"].as_f64().unwrap() * 1000.0).round() as u32
    };
    assert_eq!(share(&daemon.status(&lab).unwrap()), 500, "from the start it has all of its weight");
    virginia.set_status(503);
    daemon.wait_until(&lab, "virginia to be out", |status| share(status) == 0);
    virginia.set_status(200);
    daemon.wait_until(&lab, "virginia to be back", |status| share(status) == 91);
    assert!(notes(&daemon, &lab, "virginia")[0].starts_with("slow start: 10 % of its weight until 20"));
    // 1,024 slots, of which 93 are a part of 1 in 11.
    let mut asker = lab.asker(SERVER_V4.into()).unwrap();
    let mut given = 0;
    for _ in 0..1024 {
        let answer = asker.ask(&Query::with_edns("contoso.tm.example", qtype::A)).unwrap();
        given += u32::from(answer.answers[0].data.to_string() == "10.53.0.11");
    }
    let short = 2 * std::thread::available_parallelism().unwrap().get() as u32;
    assert!(given.abs_diff(93) <= short, "{given} of 93");
}
