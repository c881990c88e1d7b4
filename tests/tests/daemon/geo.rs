//! The database of places: looked into without a daemon, and followed by one.

use std::{fs, path::PathBuf};

use rustix::process::Signal;
use serde_json::json;
use tm_tests::{lab::Lab, status::Status};

use crate::{
    NODE,
    ended::{Ended, tm},
    profile, serve,
};

fn small() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tm-userspace/tests/geo/places.mmdb")
}

/// Fetched by set-up.
fn real() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/test-data/geo-whois-asn-country.mmdb")
}

fn geo(words: &[&str]) -> Ended {
    tm(&[&["geo"], words, &["--database", small().to_str().unwrap()]].concat())
}

#[test]
fn lookup_tells_the_codes_from_most_to_least_specific() {
    let found = geo(&["lookup", "203.0.113.7"]);
    assert_eq!((found.code, found.err.as_str()), (Some(0), ""));
    assert_eq!(
        found.out,
        "network 203.0.113.0/25\nsaid to be in US, CA\nnearest regions West US (1 ms), West US 3 (20 ms), West US 2 (25 ms), West Central US (26 ms), South Central US (36 ms)\nUS-CA US GEO-NA WORLD\n"
    );
    let inside = geo(&["lookup", "2002:cb00:7107::1"]);
    assert_eq!((inside.code, inside.out.lines().next()), (Some(0), Some("placed by 203.0.113.7")));
    assert_eq!(inside.last_line(), "US-CA US GEO-NA WORLD");
    let nowhere = geo(&["lookup", "10.0.0.1"]);
    assert_eq!((nowhere.code, nowhere.last_line()), (Some(0), "WORLD"));
    let json = geo(&["lookup", "2001:db8:8000::1", "-o", "json"]).json();
    assert_eq!(json["codes"], json!(["CA-ON", "CA", "GEO-NA", "WORLD"]));
    assert_eq!(json["network"], "2001:db8:8000::/33");
    assert_eq!(geo(&["lookup", "nowhere"]).code, Some(2));
}

#[test]
fn regions_are_ranked_by_what_is_known_best() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latency.csv");
    let path_text = path.to_str().unwrap();
    let first = |address: &str| {
        let found = geo(&["lookup", address, "--latency", path_text, "-o", "json"]).json();
        (found["regions"][0]["region"].clone(), found["regions"].as_array().unwrap().len())
    };
    fs::write(&path, "# nothing yet\n").unwrap();
    assert_eq!(first("203.0.113.7"), (json!("West US"), 56));
    assert_eq!(first("192.0.2.64"), (json!("UK West"), 56));
    assert_eq!(first("198.51.100.1"), (json!("Germany North"), 56));
    assert_eq!(first("10.0.0.1"), (json!(null), 0));
    fs::write(&path, "# ours\n\nGEO-EU, norway east, 0.5\n10.0.0.0/8,UK South,7\n").unwrap();
    assert_eq!(first("198.51.100.1"), (json!("Norway East"), 56));
    assert_eq!(first("10.0.0.1"), (json!("UK South"), 1));
    fs::write(&path, "DE,UK South,7\nDE,UK Sout,8\n").unwrap();
    let bad = geo(&["lookup", "10.0.0.1", "--latency", path_text]);
    let said = format!("tm: {path_text}:2: there is no region \"UK Sout\"; did you mean UK South?\n");
    assert_eq!((bad.code, bad.out.as_str(), bad.err), (Some(1), "", said));
    assert_eq!(tm(&["geo", "regions"]).out.lines().count(), 56);
    assert_eq!(tm(&["geo", "regions", "westeurope"]).out, "West Europe\n");
    let unknown = tm(&["geo", "regions", "Europe West"]);
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (Some(1), "tm: there is no region \"Europe West\"; did you mean West Europe?\n")
    );
}

#[test]
fn a_mapping_can_be_tried() {
    let tried = geo(&["map", "west=US,GB", "east=FR,GEO-EU"]);
    assert_eq!((tried.code, tried.err.as_str()), (Some(0), ""));
    assert_eq!(
        tried.out,
        "west: networks 2 of IPv4, 0 of IPv6\neast: networks 2 of IPv4, 1 of IPv6\nall else is nobody's: map WORLD to answer it\n"
    );
    let world = geo(&["map", "home=DE", "rest=WORLD"]);
    assert_eq!(world.last_line(), "rest: networks 0 of IPv4, 0 of IPv6 and all that is not another's");
    for (words, said) in [
        (&["map", "a=UK"][..], "tm: of \"a\": there is no code \"UK\"; did you mean GB?\n"),
        (&["map", "a=DE", "b=de"], "tm: of \"b\": code DE is mapped twice: map it to one alone\n"),
        (&["map", "DE"], "tm: \"DE\" is not NAME=CODE,..., as europe=GEO-EU,TR\n"),
    ] {
        let bad = geo(words);
        assert_eq!((bad.code, bad.err.as_str()), (Some(1), said));
    }
}

#[test]
fn check_reads_the_whole_file() {
    let good = geo(&["check"]);
    assert_eq!((good.code, good.last_line()), (Some(0), "ok"));
    assert!(
        good.out.contains("Test-City, built 2026-01-02T03:04:05.000Z\nnetworks: 9 of IPv4, 2 of IPv6\n"),
        "{}",
        good.out
    );
    for warning in
        ["days old", "country \"EH\" is not in the hierarchy: its 2 networks", "1 networks have no country"]
    {
        assert!(good.err.contains(warning), "{}", good.err);
    }
    assert_eq!(geo(&["check", "-o", "json"]).json()["survey"]["countries"], 6);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("half.mmdb");
    fs::write(&path, &fs::read(small()).unwrap()[..900]).unwrap();
    for what in [&["check"][..], &["lookup", "192.0.2.1"]] {
        let bad = tm(&[&["geo"], what, &["--database", path.to_str().unwrap()]].concat());
        assert_eq!((bad.code, bad.out.as_str()), (Some(1), ""));
        assert!(bad.err.contains("half.mmdb: not a database in MaxMind's format"), "{}", bad.err);
    }
    // Where tm.toml names it, or does not.
    let toml = dir.path().join("tm.toml");
    fs::write(&toml, format!("[geo]\ndatabase = \"{}\"\n", small().display())).unwrap();
    let config = dir.path().to_str().unwrap();
    assert_eq!(tm(&["geo", "check", "--config", config]).code, Some(0));
    fs::write(&toml, "").unwrap();
    let none = tm(&["geo", "check", "--config", config]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("no database is named in"), "{}", none.err);
    assert_eq!(tm(&["geo", "check", "--config", "/nonexistent"]).code, Some(78));
}

#[test]
fn codes_are_listed_and_mistyped_ones_explained() {
    let britain = tm(&["geo", "codes", "gb"]);
    assert_eq!(
        britain.out.split_whitespace().collect::<Vec<_>>(),
        ["GB", "GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"]
    );
    let json = tm(&["geo", "codes", "-o", "json"]).json();
    assert_eq!(json[0], json!({ "code": "WORLD", "in": null }));
    let unknown = tm(&["geo", "codes", "UK"]);
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (Some(1), "tm: there is no code \"UK\"; did you mean GB?\n")
    );
}

#[test]
fn a_wrong_database_is_pointed_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mmdb");
    fs::write(&path, "no database").unwrap();
    let check = |database: &str| {
        fs::write(
            dir.path().join("tm.toml"),
            format!("{NODE}\n[geo]\ndatabase = \"{database}\"\n")
                .replace("{bpf}", "/b")
                .replace("{dir}", "/d"),
        )
        .unwrap();
        tm(&["check", dir.path().to_str().unwrap()])
    };
    for (database, said) in [
        (path.to_str().unwrap(), "not a database in MaxMind's format"),
        ("/nonexistent.mmdb", "No such file"),
        ("country.mmdb", "is not an absolute path"),
    ] {
        let ended = check(database);
        assert_eq!(ended.code, Some(78), "{database}");
        assert!(ended.err.contains(said), "{}", ended.err);
    }
    assert_eq!(check(small().to_str().unwrap()).code, Some(0));
}

#[test]
fn a_changed_database_is_loaded_and_a_bad_one_changes_nothing() {
    let lab = Lab::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    fs::copy(small(), &path).unwrap();
    let geo = format!("[geo]\ndatabase = \"{}\"\n", path.display());
    let mut daemon = serve(&lab, &geo, &profile("web", "192.0.2.10"));
    let in_use = |status: &Status| (status.0["geo"]["kind"].clone(), status.0["geo"]["rows_ipv4"].clone());
    let small = (json!("Test-City"), json!(9));
    let before = daemon.status(&lab).unwrap();
    assert_eq!(in_use(&before), small);
    assert_eq!(before.0["geo"]["built"], "2026-01-02T03:04:05.000Z");

    fs::write(&path, "half a database").unwrap();
    let said = daemon.wait_for("the bad file", |line| line.contains("configuration not reloaded"));
    assert!(said.contains("places.mmdb: not a database in MaxMind's format"), "{said}");
    let status = daemon.status(&lab).unwrap();
    assert_eq!((in_use(&status), &status.0["config_ok"]), (small.clone(), &json!(false)));

    // As updaters do it: beside, then in its place.
    fs::copy(real(), dir.path().join("new")).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    daemon.wait_for("the new file", |line| {
        line.contains("configuration reloaded") && line.contains("\"changed\":true")
    });
    let status = daemon.wait_until(&lab, "the new database", |status| status.0["config_ok"] == true);
    assert_eq!(in_use(&status), (json!("country ipvAll"), json!(494_271)));
    assert!(status.0["generation"].as_u64() > before.0["generation"].as_u64());
    // The same file is not read again, and changes nothing.
    daemon.signal(Signal::HUP).unwrap();
    daemon.wait_for("the same", |line| {
        line.contains("configuration reloaded") && line.contains("\"changed\":false")
    });
    let text = Ended::of(&mut daemon.tm(&lab, &["status"]).unwrap());
    assert!(
        text.out.contains(&format!("places from {}  country ipvAll  built 2026-06-17", path.display())),
        "{}",
        text.out
    );
}
