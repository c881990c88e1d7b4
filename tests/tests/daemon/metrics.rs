//! The metrics, as a scraper sees them: exact, in a form that Prometheus takes without a word, and all those that the dashboard and the alerts look at.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use tm_tests::{
    api::{self, Api},
    client::said,
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::Lab,
    metrics::Scraped,
    mmdb,
};

use crate::{NODE, profile, unmonitored, wait_until_ready};

const ADDRESS: &str = "127.0.0.1:9153";

/// Starts the daemon with a listener for scrapers; `more` is behind it in `tm.toml`.
fn start(lab: &Lab, more: &str, profiles: &str) -> Daemon {
    let node = format!("{NODE}[metrics]\nlisten = \"{ADDRESS}\"\n{more}");
    let mut daemon = Daemon::start(lab, &[("tm.toml", &node), ("conf.d/profiles.toml", profiles)]).unwrap();
    daemon.wait_for("the metrics", |line| line.contains("metrics are served"));
    if !daemon.log().iter().any(|line| line.contains("\"ready\"")) {
        wait_until_ready(&mut daemon);
    }
    daemon
}

fn contrib(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tm-userspace/contrib").join(file)
}

fn changed(pairs: &[(&str, f64)]) -> Vec<(String, f64)> {
    pairs.iter().map(|(labels, count)| ((*labels).to_owned(), *count)).collect()
}

#[test]
fn every_query_is_counted_once_where_it_was_answered() {
    let lab = Lab::new().unwrap();
    let two = "[[profile]]\nname = \"two\"\nrouting_method = \"priority\"\n".to_owned()
        + &unmonitored("\\\"north\\\"", "192.0.2.1")
        + &unmonitored("south", "192.0.2.2");
    let mut daemon = start(&lab, "", &(profile("web", "192.0.2.10") + &two));
    let before = Scraped::from(&lab, ADDRESS).unwrap();
    let dig = |words: &[&str]| lab.dig(&[&["@10.53.0.1", "+nocookie"][..], words].concat()).unwrap();
    for _ in 0..3 {
        dig(&["web.tm.example"]);
    }
    for _ in 0..4 {
        dig(&["two.tm.example"]);
    }
    dig(&["web.tm.example", "AAAA"]);
    dig(&["nobody.tm.example"]);
    dig(&["nobody.tm.example", "+tcp"]);
    dig(&["web.tm.example", "+tcp"]);
    dig(&["tm.example", "SOA"]);
    dig(&["www.example.org"]);
    let after = Scraped::from(&lab, ADDRESS).unwrap();
    assert_eq!(
        after.since(&before, "tm_dns_queries_total"),
        changed(&[
            ("path=\"socket\",protocol=\"tcp\",result=\"engine\",rcode=\"NOERROR\"", 1.0),
            ("path=\"socket\",protocol=\"tcp\",result=\"nxdomain\",rcode=\"NXDOMAIN\"", 1.0),
            ("path=\"socket\",protocol=\"udp\",result=\"apex\",rcode=\"NOERROR\"", 1.0),
            ("path=\"socket\",protocol=\"udp\",result=\"refused\",rcode=\"REFUSED\"", 1.0),
            ("path=\"xdp\",protocol=\"udp\",result=\"answered\",rcode=\"NOERROR\"", 8.0),
            ("path=\"xdp\",protocol=\"udp\",result=\"no_such_name\",rcode=\"NXDOMAIN\"", 1.0),
        ])
    );
    assert_eq!(
        after.since(&before, "tm_answers_total"),
        changed(&[
            ("profile=\"two\",endpoint=\"\\\"north\\\"\"", 4.0),
            ("profile=\"web\",endpoint=\"only\"", 4.0),
        ])
    );
    let packets = after.since(&before, "tm_xdp_packets_total");
    let of = |reason: &str| packets.iter().find(|(labels, _)| labels == &format!("reason=\"{reason}\""));
    assert_eq!(of("answered").unwrap().1, 8.0);
    assert_eq!(of("unknown_name").unwrap().1, 1.0, "{packets:?}");

    // Nothing is forgotten by who comes after.
    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    daemon.wait_for("the metrics", |line| line.contains("metrics are served"));
    let again = Scraped::from(&lab, ADDRESS).unwrap();
    for metric in ["tm_dns_queries_total", "tm_answers_total"] {
        assert_eq!(again.since(&after, metric), [], "{metric}");
        assert_ne!(again.since(&before, metric), [], "{metric}");
    }
}

#[test]
fn what_probes_find_and_what_follows_from_it() {
    let lab = Lab::new().unwrap();
    let endpoint = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let profiles = "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\n[profile.monitor]\n\
        interval = \"1h\"\ntimeout = \"5s\"\ntolerated_failures = 0\n\
        [[profile.endpoint]]\nname = \"one\"\ntarget = \"10.53.0.11\"\n\
        [[profile.endpoint]]\nname = \"two\"\ntarget = \"192.0.2.2\"\nalways_serve = true\n\
        [[profile.endpoint]]\nname = \"off\"\ntarget = \"192.0.2.3\"\nstatus = \"disabled\"\n";
    let daemon = start(&lab, "", profiles);
    let probe = || said(&mut daemon.tm(&lab, &["probe", "now", "web/one"]).unwrap()).unwrap();
    probe();
    let before = daemon.wait_for_endpoints(&lab, "web", &["Online", "Unmonitored", "Disabled"]);
    let before = (before, Scraped::from(&lab, ADDRESS).unwrap());
    let up = |scraped: &Scraped, name: &str| {
        scraped.get(&format!("tm_endpoint_up{{profile=\"web\",endpoint=\"{name}\"}}"))
    };
    assert_eq!(["one", "two", "off"].map(|name| up(&before.1, name)), [Some(1.0), Some(1.0), None]);

    endpoint.set_status(503);
    probe();
    daemon.wait_for_endpoints(&lab, "web", &["Degraded", "Unmonitored", "Disabled"]);
    said(&mut daemon.tm(&lab, &["endpoint", "force", "web/two", "down"]).unwrap()).unwrap();
    let after = Scraped::from(&lab, ADDRESS).unwrap();
    assert_eq!(["one", "two", "off"].map(|name| up(&after, name)), [Some(0.0), Some(1.0), None]);
    assert_eq!(after.since(&before.1, "tm_probes_total"), changed(&[("result=\"status\"", 1.0)]));
    assert_eq!(
        after.since(&before.1, "tm_endpoint_forced"),
        changed(&[("profile=\"web\",endpoint=\"two\",to=\"down\"", 1.0)])
    );
    assert_eq!(
        after.since(&before.1, "tm_probe_duration_seconds_count"),
        // A head of another status is all that is looked at.
        changed(&[("phase=\"connect\"", 1.0), ("phase=\"head\"", 1.0), ("phase=\"whole\"", 1.0)])
    );
    assert_eq!(
        after.since(&before.1, "tm_publish_duration_seconds_count"),
        // The flip, and the order, which no probe gave.
        changed(&[("since=\"decision\"", 2.0), ("since=\"verdict\"", 1.0)])
    );
}

#[test]
fn a_wrong_file_shows_and_the_listener_follows_a_right_one() {
    let lab = Lab::new().unwrap();
    let mut daemon = start(&lab, "", &profile("web", "192.0.2.10"));
    let before = Scraped::from(&lab, ADDRESS).unwrap();
    daemon.write("conf.d/profiles.toml", "[[profile]]\n").unwrap();
    daemon.wait_for("the refusal", |line| line.contains("configuration not reloaded"));
    let wrong = Scraped::from(&lab, ADDRESS).unwrap();
    let ok = |scraped: &Scraped| scraped.get("tm_config_last_reload_successful");
    let when = |scraped: &Scraped| scraped.get("tm_config_last_reload_success_timestamp_seconds").unwrap();
    assert_eq!((ok(&before), ok(&wrong)), (Some(1.0), Some(0.0)));
    assert_eq!(when(&wrong), when(&before));

    daemon
        .write("conf.d/profiles.toml", &(profile("web", "192.0.2.10") + &profile("more", "192.0.2.11")))
        .unwrap();
    daemon.write("tm.toml", &format!("{NODE}[metrics]\nlisten = \"[::1]:9154\"\n")).unwrap();
    daemon.wait_for("the move", |line| line.contains("metrics are served") && line.contains("[::1]:9154"));
    let right = Scraped::from(&lab, "[::1]:9154").unwrap();
    assert_eq!(ok(&right), Some(1.0));
    assert!(when(&right) > when(&before));
    assert_eq!(right.get("tm_profiles"), Some(2.0));
    assert!(right.get("tm_config_generation") > before.get("tm_config_generation"));
    assert!(Scraped::from(&lab, ADDRESS).is_err(), "the old address is given up");
    let ask =
        |path: &str| said(lab.server("curl").args(["-sS", &format!("http://[::1]:9154{path}")])).unwrap();
    assert_eq!((ask("/healthz"), ask("/readyz")), ("ok".to_owned(), "ready".to_owned()));
    assert_eq!(ask("/api/v1/status"), "", "nothing else is open");
}

#[test]
fn at_the_api_a_token_is_wanted_that_may_read_everything() {
    let lab = Lab::new().unwrap();
    let mut daemon = start(&lab, api::LISTEN, &profile("web", "192.0.2.10"));
    let api = Api::new(&lab, &mut daemon).unwrap();
    let reader = Api::token(&lab, &daemon, &["--scope", "read"]).unwrap();
    let partial =
        Api::token(&lab, &daemon, &["--scope", "read", "--subscription", "s", "--resource-group", "shop"])
            .unwrap();
    let ask = |token: &str| api.showing(token).get(&lab, "/metrics").unwrap();
    assert_eq!([ask("").status, ask("tm_nobody").status, ask(&partial).status], [401, 401, 403]);
    let answer = ask(&reader);
    assert_eq!((answer.status, answer.kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
}

/// Runs `promtool` with this on its standard input; it says what it finds, and fails where it finds anything.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), said)
}

/// The names of metrics in an expression of PromQL or a file of them.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("tm_") || word.starts_with("process_")).map(str::to_owned).collect()
}

#[test]
fn prometheus_takes_all_of_it_and_dashboard_and_alerts_look_at_what_there_is() {
    let lab = Lab::new().unwrap();
    let (_endpoint, _) =
        FakeEndpoint::on_client_tls(&lab, [10, 53, 0, 15].into(), "www.contoso.com").unwrap();
    let mut networks = mmdb::Writer::default();
    networks.add([192, 0, 2, 0].into(), 24, "DE");
    let database = tempfile::NamedTempFile::new().unwrap();
    fs::write(database.path(), networks.finish()).unwrap();
    let more = format!("{}[geo]\ndatabase = \"{}\"\n", api::LISTEN, database.path().display());
    let tls = "[[profile]]\nname = \"tls\"\nrouting_method = \"priority\"\n[profile.monitor]\n\
        protocol = \"https\"\nport = 443\n[[profile.endpoint]]\nname = \"one\"\ntarget = \"10.53.0.15\"\n";
    let daemon = start(&lab, &more, &(profile("web", "192.0.2.10") + tls));
    said(&mut daemon.tm(&lab, &["probe", "now", "tls/one"]).unwrap()).unwrap();
    said(&mut daemon.tm(&lab, &["endpoint", "force", "web/only", "down"]).unwrap()).unwrap();
    let scraped = Scraped::from(&lab, ADDRESS).unwrap();
    assert_eq!(promtool(&["check", "metrics"], &scraped.text), (true, String::new()));
    let open = said(lab.server("curl").args([
        "-sS",
        "-H",
        "Accept: application/openmetrics-text;version=1.0.0",
        &format!("http://{ADDRESS}/metrics"),
    ]));
    assert!(open.unwrap().ends_with("# EOF"));

    let names: BTreeSet<&str> = scraped.names().into_iter().collect();
    let dashboard = fs::read_to_string(contrib("grafana/traffic-manager.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let mut seen = BTreeSet::new();
    for target in
        dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap())
    {
        let found = metrics_in(target["expr"].as_str().unwrap());
        assert!(!found.is_empty(), "{target}");
        seen.extend(found);
    }
    let rules = fs::read_to_string(contrib("prometheus/alerts.yml")).unwrap();
    seen.extend(metrics_in(&rules));
    let missing: Vec<&String> = seen.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not among {names:?}: {missing:?}");
    // And nobody has to find out alone what a metric is good for.
    let parts = ["_sum", "_count", "_bucket"];
    let unseen: Vec<&str> = names
        .into_iter()
        .filter(|name| !seen.contains(*name) && !parts.iter().any(|part| name.ends_with(part)))
        .collect();
    assert_eq!(unseen, Vec::<&str>::new(), "no panel and no alert");
}

#[test]
fn each_alert_fires_where_it_is_to() {
    let (rules, tests) = (contrib("prometheus/alerts.yml"), contrib("prometheus/alerts_test.yml"));
    let (ok, said) = promtool(&["check", "rules", rules.to_str().unwrap()], "");
    assert!(ok, "{said}");
    let (ok, said) = promtool(&["test", "rules", tests.to_str().unwrap()], "");
    assert!(ok, "{said}");
    let named = |path: &PathBuf, key: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(path).unwrap();
        let names = text.lines().filter_map(|line| line.split_once(key));
        names.map(|(_, name)| name.trim_end_matches('}').trim().to_owned()).collect()
    };
    assert_eq!(named(&rules, "- alert: "), named(&tests, "alertname: "), "each alert has a test");
}
