//! Clients told apart by where they are, as they see it; and files that say where, changed under a running daemon.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path, process::Stdio};

use serde_json::json;
use tm_tests::{daemon::Daemon, endpoint::FakeEndpoint, lab::Lab, status::Status};

use crate::{NODE, ended::Ended, serve, wait_until_ready};

pub(crate) const PLACES: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb"));

/// Endpoints that are never probed: a name, the last octet of an address, and what else is said.
fn profile(name: &str, method: &str, endpoints: &[(&str, u8, &str)]) -> String {
    let endpoint = |(name, last, lines): &(&str, u8, &str)| {
        format!(
            "[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"192.0.2.{last}\"\nalways_serve = true\n{lines}\n"
        )
    };
    format!("[[profile]]\nname = \"{name}\"\nrouting_method = \"{method}\"\n")
        + &endpoints.iter().map(endpoint).collect::<String>()
}

pub(crate) fn countries() -> String {
    profile(
        "countries",
        "geographic",
        &[
            ("europe", 1, r#"geo_mapping = ["GEO-EU"]"#),
            ("states", 2, r#"geo_mapping = ["US"]"#),
            ("lab", 3, "geo_mapping = [\"AQ\"]\nsubnets = [\"10.53.0.0/24\", \"fd53::/64\"]"),
        ],
    )
}

pub(crate) fn quick() -> String {
    profile(
        "quick",
        "performance",
        &[
            ("europe", 1, r#"endpoint_location = "West Europe""#),
            ("states", 2, r#"endpoint_location = "East US""#),
            ("asia", 3, r#"endpoint_location = "Southeast Asia""#),
        ],
    )
}

/// What is answered to whom a resolver says this of.
fn ask(lab: &Lab, name: &str, subnet: &str) -> String {
    let subnet = format!("+subnet={subnet}");
    lab.answers(&["@10.53.0.1", name, "+short", &subnet]).unwrap()
}

fn wait_until_published(daemon: &mut Daemon) {
    daemon.wait_for("the new state", |line| line.contains("configuration published"));
}

/// As updaters do it: beside, then in its place.
fn put(path: &Path, octets: &[u8]) {
    let beside = path.with_extension("new");
    fs::write(&beside, octets).unwrap();
    fs::rename(beside, path).unwrap();
}

#[test]
fn clients_are_answered_by_their_country_and_their_nearest_region() {
    let lab = Lab::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    fs::write(&path, PLACES).unwrap();
    let geo = format!("[geo]\ndatabase = \"{}\"\n", path.display());
    let mut daemon = serve(&lab, &geo, &(countries() + &quick()));
    for (subnet, country, region) in [
        ("198.51.100.7/32", "192.0.2.1", "192.0.2.1"),
        ("203.0.113.7/32", "192.0.2.2", "192.0.2.2"),
        ("192.0.2.200/32", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:9000::/56", "", "192.0.2.2"),
        ("2002:c633:6407::/48", "192.0.2.1", "192.0.2.1"),
        ("8.8.8.0/24", "", "any"),
    ] {
        assert_eq!(ask(&lab, "countries.tm.example", subnet), country, "{subnet}");
        for _ in 0..if region == "any" { 0 } else { 4 } {
            assert_eq!(ask(&lab, "quick.tm.example", subnet), region, "{subnet}");
        }
    }
    // Who asks without an option, and by TCP.
    for server in ["@10.53.0.1", "@fd53::1"] {
        for how in ["+notcp", "+tcp"] {
            assert_eq!(lab.answers(&[server, "countries.tm.example", "+short", how]).unwrap(), "192.0.2.3");
        }
    }
    let said = lab.dig(&["@10.53.0.1", "countries.tm.example", "+subnet=198.51.100.7/32"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 198.51.100.7/32/24"), "{said}");
    // Of whom nothing is known: all of them, in turn on each CPU.
    let all: BTreeSet<String> = (0..12).map(|_| ask(&lab, "quick.tm.example", "8.8.8.0/24")).collect();
    assert_eq!(all.iter().collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);

    // Germany becomes a part of the United States: the same file but for the letters.
    let moved: Vec<u8> = PLACES.to_vec();
    let at = moved.windows(3).position(|octets| octets == b"BDE").unwrap();
    let moved = [&moved[..at], b"BUS", &moved[at + 3..]].concat();
    put(&path, &moved);
    wait_until_published(&mut daemon);
    assert_eq!(ask(&lab, "countries.tm.example", "198.51.100.7/32"), "192.0.2.2");
    assert_eq!(ask(&lab, "quick.tm.example", "198.51.100.7/32"), "192.0.2.2");
    assert_eq!(ask(&lab, "countries.tm.example", "192.0.2.200/32"), "192.0.2.1", "France stays");
}

#[test]
fn without_a_database_the_registry_of_the_address_tells_the_continent() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "", &quick());
    for (subnet, answer) in [
        ("193.0.6.0/24", "192.0.2.1"),
        ("8.8.8.0/24", "192.0.2.2"),
        ("1.1.1.0/24", "192.0.2.3"),
        ("2a00:1450::/48", "192.0.2.1"),
        ("2600::/48", "192.0.2.2"),
    ] {
        // More often than by turns.
        for _ in 0..4 {
            assert_eq!(ask(&lab, "quick.tm.example", subnet), answer, "{subnet}");
        }
    }
}

#[test]
fn what_is_known_better_is_followed_as_it_changes() {
    let lab = Lab::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latency.csv");
    fs::write(&path, "# nothing yet\n").unwrap();
    let mut daemon = serve(&lab, &format!("[geo]\nlatency = \"{}\"\n", path.display()), &quick());
    let both = || ["8.8.8.0/24", "8.8.9.0/24"].map(|subnet| ask(&lab, "quick.tm.example", subnet));
    assert_eq!(both(), ["192.0.2.2", "192.0.2.2"]);
    put(&path, b"8.8.8.0/24,Southeast Asia,3\n");
    wait_until_published(&mut daemon);
    assert_eq!(both(), ["192.0.2.3", "192.0.2.2"]);
    let said = lab.dig(&["@10.53.0.1", "quick.tm.example", "+subnet=8.8.8.0/24"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 8.8.8.0/24/24"), "{said}");
    // Its own network too, though its addresses are private.
    put(&path, b"10.53.0.0/24,Southeast Asia,3\nGEO-NA,West Europe,0.1\n");
    wait_until_published(&mut daemon);
    assert_eq!(both(), ["192.0.2.1", "192.0.2.1"]);
    assert_eq!(lab.answers(&["@10.53.0.1", "quick.tm.example", "+short"]).unwrap(), "192.0.2.3");

    put(&path, b"8.8.8.0/24,Southeast Aisa,3\n");
    let said = daemon.wait_for("the bad file", |line| line.contains("configuration not reloaded"));
    assert!(said.contains("did you mean Southeast Asia?"), "{said}");
    assert_eq!(both(), ["192.0.2.1", "192.0.2.1"]);
}

#[test]
fn measured_round_trips_replace_the_guess_and_outlive_the_daemon() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &quick());
    let rtt = |daemon: &Daemon, words: &[&str]| {
        Ended::of(&mut daemon.tm(&lab, &[&["geo", "rtt"], words].concat()).unwrap())
    };
    let both = || ["8.8.8.0/24", "8.8.9.0/24"].map(|subnet| ask(&lab, "quick.tm.example", subnet));
    for _ in 0..2 {
        let done = rtt(&daemon, &["8.8.8.0/24", "southeastasia", "3"]);
        assert_eq!(
            (done.code, done.out.as_str()),
            (Some(0), "1 samples taken; 1 prefixes are known\n"),
            "{}",
            done.err
        );
    }
    assert_eq!(both(), ["192.0.2.2", "192.0.2.2"], "two are not enough");
    // The third, from standard input with others.
    let mut lines = daemon.tm(&lab, &["geo", "rtt", "-"]).unwrap();
    let mut lines = lines.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let text = "# measured\n\n8.8.8.0/24,Southeast Asia,6\n2001:db8::/32,UK South,5\n";
    lines.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(lines.wait().unwrap().success());
    daemon.wait_for("the new order", |line| line.contains("decision published"));
    assert_eq!(both(), ["192.0.2.3", "192.0.2.2"]);
    let said = lab.dig(&["@10.53.0.1", "quick.tm.example", "+subnet=8.8.8.0/24"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 8.8.8.0/24/24"), "{said}");
    let known = json!([
        { "prefix": "8.8.8.0/24", "region": "Southeast Asia", "ms": 4.0, "samples": 3 },
        { "prefix": "2001:db8::/32", "region": "UK South", "ms": 5.0, "samples": 1 },
    ]);
    assert_eq!(rtt(&daemon, &["-o", "json"]).json(), known);
    assert_eq!(rtt(&daemon, &[]).out.lines().next(), Some("8.8.8.0/24,Southeast Asia,4.0  samples 3"));

    for (words, said) in [
        (&["8.8.8.1/24", "UK South", "3"][..], "has bits behind its length"),
        (&["8.8.8.0/24", "UK Sout", "3"], "did you mean UK South?"),
        (&["8.8.8.0/24", "UK South", "-3"], "unexpected argument"),
        (&["8.8.8.0/24", "UK South", "70000"], "is not a number of milliseconds"),
        (&["8.8.8.0/24"], "write PREFIX REGION MS"),
        (&["--forget", "9.9.9.0/24"], "nothing is known of 9.9.9.0/24"),
    ] {
        let bad = rtt(&daemon, words);
        assert!(bad.code != Some(0) && bad.err.contains(said), "{words:?}: {}", bad.err);
    }
    assert_eq!(rtt(&daemon, &["-o", "json"]).json(), known, "nothing has changed");

    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(rtt(&daemon, &["-o", "json"]).json(), known);
    assert_eq!(both(), ["192.0.2.3", "192.0.2.2"]);
    assert_eq!(rtt(&daemon, &["--forget", "8.8.8.0/24"]).code, Some(0));
    daemon.wait_for("the guess", |line| line.contains("decision published"));
    assert_eq!(both(), ["192.0.2.2", "192.0.2.2"]);
}

#[test]
fn how_far_probes_find_an_endpoint_counts_for_clients_near_the_node() {
    let lab = Lab::new().unwrap();
    let mut asia = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    // Asia is the last one.
    let monitor =
        "[profile.endpoint.monitor]\ninterval = \"200ms\"\ntimeout = \"150ms\"\ntolerated_failures = 9\n";
    let profile = quick()
        .replace("target = \"192.0.2.3\"\nalways_serve = true\n", "target = \"10.53.0.11\"\n")
        + monitor;
    let near = "[geo]\nnear = [\"8.8.8.0/24\"]\n";
    let mut daemon = serve(&lab, near, &profile);
    let both = || ["8.8.8.0/24", "8.8.9.0/24"].map(|subnet| ask(&lab, "quick.tm.example", subnet));
    let ms = |status: &Status| status.endpoint("quick", "asia")["round_trip_ms"].as_f64();
    daemon.wait_for("the nearest", |line| line.contains("decision published") && line.contains("quick"));
    daemon.wait_until(&lab, "clients to be answered by what is near", |_| both()[0] == "10.53.0.11");
    assert_eq!(both(), ["10.53.0.11", "192.0.2.2"], "the others by the guess");
    let known = ms(&daemon.status(&lab).unwrap()).unwrap();
    assert!(known > 0.0 && known < 1000.0, "{known}");
    let words = ["explain", "quick", "--ecs", "8.8.8.0/24"];
    let said = Ended::of(&mut daemon.tm(&lab, &words).unwrap()).out;
    let (_, near) = said.split_once("nearest region Southeast Asia ").unwrap();
    assert!(near.contains(" ms by this node's probes, then East US "), "{said}");
    let said = lab.dig(&["@10.53.0.1", "quick.tm.example", "+subnet=8.8.8.0/24"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 8.8.8.0/24/24"), "{said}");

    // The next daemon knows it from the start, though the endpoint answers no probes any more.
    daemon.stop().unwrap();
    asia.stop();
    let slow = profile.replace("200ms", "1h").replace("150ms", "1s");
    daemon.write("conf.d/profiles.toml", &slow).unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(both(), ["10.53.0.11", "192.0.2.2"]);
    // Nobody is near any more.
    daemon.write("tm.toml", NODE).unwrap();
    wait_until_published(&mut daemon);
    assert_eq!(both(), ["192.0.2.2", "192.0.2.2"]);
}
