//! `geo_mapping`, `endpoint_location` and `[geo]`: what they may be, and what the methods ask for.

use std::fs;

use tm_userspace::{
    desired::{Endpoint, Profile},
    geo::Region,
};

use crate::kit::{NODE, check, check_node, check_profiles, load_files, loaded_profile};

const DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/geo/places.mmdb");

/// A node that names the small database.
fn node() -> String {
    format!("{NODE}[geo]\ndatabase = \"{DATABASE}\"\n")
}

/// Endpoints `e0`, `e1` with a line each, the fourth of its own: 7, 11, 15.
fn of(method: &str, each: &[&str]) -> String {
    let endpoint = |(i, line): (usize, &&str)| {
        format!("[[profile.endpoint]]\nname = \"e{i}\"\ntarget = \"192.0.2.{}\"\n{line}\n", i + 1)
    };
    format!("[[profile]]\nname = \"contoso\"\nrouting_method = \"{method}\"\n")
        + &each.iter().enumerate().map(endpoint).collect::<String>()
}

#[track_caller]
fn check_placed(profiles: &str, expected: &str) {
    check(&[("tm.toml", &node()), ("conf.d/a.toml", profiles)], expected);
}

fn loaded(text: &str) -> Profile {
    let files = [("tm.toml", node()), ("conf.d/a.toml", text.to_owned())];
    let (_dir, loaded) = load_files(&files.each_ref().map(|(path, text)| (*path, text.as_bytes())));
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    (*loaded.profiles["contoso"]).clone()
}

#[test]
fn codes_and_regions_are_read() {
    let codes =
        |endpoint: &Endpoint| endpoint.geo_mapping.iter().map(|code| code.as_str()).collect::<Vec<_>>();
    let geographic = loaded(&of(
        "Geographic",
        &[
            r#"geo_mapping = ["GEO-EU", "us-ca"]"#,
            "geo_mapping = [\"WORLD\"]\nsubnets = [\"203.0.113.0/24\"]",
        ],
    ));
    assert_eq!(codes(&geographic.endpoints[0]), ["GEO-EU", "US-CA"]);
    assert_eq!(codes(&geographic.endpoints[1]), ["WORLD"]);
    assert_eq!(geographic.endpoints[1].subnets.len(), 1);
    let performance = of(
        "Performance",
        &[
            r#"endpoint_location = "West Europe""#,
            "endpoint_location = \"eastus2\"\nsubnets = [\"203.0.113.0/24\"]",
        ],
    );
    // Who asks from where is guessed without any database.
    let performance = &loaded_profile(&performance).profiles["contoso"];
    let locations: Vec<_> = performance.endpoints.iter().map(|e| e.location.map(Region::as_str)).collect();
    assert_eq!(locations, [Some("West Europe"), Some("East US 2")]);
}

#[test]
fn what_is_no_code_or_region_is_explained() {
    check_placed(
        &of("geographic", &[r#"geo_mapping = ["EU", "DE-BY", "nowhere", "DE"]"#]),
        "conf.d/a.toml:7:16 `\"EU\"` there is no code `EU`
         conf.d/a.toml:7:22 `\"DE-BY\"` there is no code `DE-BY`
         conf.d/a.toml:7:31 `\"nowhere\"` there is no code `nowhere`",
    );
    check_placed(
        &of("performance", &[r#"endpoint_location = "West Europ""#, r#"endpoint_location = "Frankfurt""#]),
        "conf.d/a.toml:7:21 `\"West Europ\"` there is no region `West Europ`
         conf.d/a.toml:11:21 `\"Frankfurt\"` there is no region `Frankfurt`",
    );
    let helps = |text: &str| {
        let files = [("tm.toml", node()), ("conf.d/a.toml", text.to_owned())];
        let (_dir, loaded) = load_files(&files.each_ref().map(|(path, text)| (*path, text.as_bytes())));
        loaded.unwrap_err().problems().into_iter().map(|problem| problem.help).collect::<Vec<_>>()
    };
    assert_eq!(
        helps(&of("geographic", &[r#"geo_mapping = ["EU", "nowhere"]"#])),
        [
            "did you mean \"GEO-EU\"?",
            "write a code that `tm geo codes` lists, as \"GEO-EU\", \"DE\" or \"US-CA\""
        ]
    );
    assert_eq!(
        helps(&of("performance", &[r#"endpoint_location = "Europe West""#])),
        ["did you mean \"West Europe\"?"]
    );
}

#[test]
fn geographic_wants_codes_on_all_and_each_once() {
    check_placed(
        &of("geographic", &["geo_mapping = [\"DE\"]", "", "geo_mapping = []\nstatus = \"disabled\""]),
        "conf.d/a.toml:9:8 `\"e1\"` endpoint `e1` has no geo_mapping, but the routing_method is geographic
         conf.d/a.toml:15:15 `[]` endpoint `e2` has no geo_mapping, but the routing_method is geographic",
    );
    check_placed(
        &of("geographic", &[r#"geo_mapping = ["DE", "FR"]"#, r#"geo_mapping = ["fr"]"#]),
        "conf.d/a.toml:11:16 `\"fr\"` code FR is mapped twice (conf.d/a.toml:7:22 `\"FR\"`)",
    );
    // Nested ones too, and one inside the other is no twice.
    let nested = of("geographic", &[r#"geo_mapping = ["GEO-EU"]"#])
        + "[[profile.endpoint]]\nname = \"n\"\ntype = \"nested\"\ntarget_profile = \"child\"\n";
    let child = "[[profile]]\nname = \"child\"\nrouting_method = \"priority\"\n";
    check_placed(
        &format!("{nested}{child}"),
        "conf.d/a.toml:9:8 `\"n\"` endpoint `n` has no geo_mapping, but the routing_method is geographic",
    );
    check_placed(&format!("{nested}geo_mapping = [\"DE\"]\n{child}"), "");
}

#[test]
fn geographic_wants_a_database() {
    let text = of("geographic", &["geo_mapping = [\"DE\"]"]);
    check_profiles(
        &text,
        "conf.d/a.toml:3:18 `\"geographic\"` routing_method `geographic` without a database that says where clients are",
    );
    // One that cannot be read is told once.
    let node = format!("{NODE}[geo]\ndatabase = \"/nonexistent.mmdb\"\n");
    check(
        &[("tm.toml", &node), ("conf.d/a.toml", &text)],
        "tm.toml:6:12 `\"/nonexistent.mmdb\"` cannot use the database /nonexistent.mmdb: No such file or directory (os error 2)",
    );
}

#[test]
fn performance_wants_a_region_on_all() {
    let nested = "[[profile.endpoint]]\nname = \"n\"\ntype = \"nested\"\ntarget_profile = \"child\"\n";
    let child = "[[profile]]\nname = \"child\"\nrouting_method = \"priority\"\n";
    check_profiles(
        &(of("performance", &[r#"endpoint_location = "West Europe""#, ""]) + nested + child),
        "conf.d/a.toml:9:8 `\"e1\"` endpoint `e1` has no endpoint_location, but the routing_method is performance
         conf.d/a.toml:13:8 `\"n\"` endpoint `n` has no endpoint_location, but the routing_method is performance",
    );
}

#[test]
fn the_last_resort_is_of_no_place() {
    let with = |method: &str, each: &[&str]| {
        of(method, each).replacen("[[profile.endpoint]]", "last_resort = \"E1\"\n[[profile.endpoint]]", 1)
    };
    check_placed(&with("geographic", &["geo_mapping = [\"DE\"]", ""]), "");
    check_placed(&with("performance", &["endpoint_location = \"East US\"", ""]), "");
    check_placed(&with("subnet", &["", "", "subnets = [\"203.0.113.0/24\"]"]), "");
    check_placed(
        &with("geographic", &["geo_mapping = [\"DE\"]", "geo_mapping = [\"FR\"]"]),
        "conf.d/a.toml:12:15 `[\"FR\"]` endpoint `e1` has a geo_mapping, but it is the last_resort",
    );
    check_placed(
        &with("performance", &["endpoint_location = \"East US\"", "subnets = [\"203.0.113.0/24\"]"]),
        "conf.d/a.toml:12:11 `[\"203.0.113.0/24\"]` endpoint `e1` has subnets, but it is the last_resort",
    );
}

#[test]
fn overrides_are_compared_as_ranges_are() {
    let same = [
        "geo_mapping = [\"DE\"]\nsubnets = [\"203.0.113.0/24\"]",
        "geo_mapping = [\"FR\"]\nsubnets = [\"203.0.113.0/24\"]",
    ];
    check_placed(
        &of("geographic", &same),
        "conf.d/a.toml:13:12 `\"203.0.113.0/24\"` subnet `203.0.113.0/24` is there twice (conf.d/a.toml:8:12 `\"203.0.113.0/24\"`)",
    );
}

#[test]
fn what_the_method_does_not_use_is_checked_and_told() {
    let text = of("priority", &["geo_mapping = [\"DE\"]\nendpoint_location = \"East US\""]);
    let warnings = loaded_profile(&text).warnings;
    let said: Vec<_> = warnings.iter().map(|line| line.split_once("conf.d/").unwrap().1).collect();
    assert_eq!(said, ["a.toml:7:15: geo_mapping is used with routing_method geographic alone"]);
    check_profiles(
        &of("priority", &["geo_mapping = [\"QQ\"]"]),
        "conf.d/a.toml:7:16 `\"QQ\"` there is no code `QQ`",
    );
}

#[test]
fn latencies_are_read_and_what_is_wrong_in_them_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latency.csv");
    fs::write(&path, "# ours\n203.0.113.0/24,West Europe,12\n").unwrap();
    let node = format!("{NODE}[geo]\nlatency = \"{}\"\n", path.display());
    let (_dir, whole) = load_files(&[("tm.toml", node.as_bytes())]);
    let prefixes: Vec<_> = whole.unwrap().overrides.prefixes().collect();
    assert_eq!(prefixes, [("203.0.113.0".parse().unwrap(), 24)]);
    fs::write(&path, "DE,West Europ,12\n").unwrap();
    let shown = path.display();
    check_node(
        &node,
        &format!(
            "tm.toml:6:11 `\"{shown}\"` cannot use the latencies: {shown}:1: there is no region \"West Europ\"; did you mean West Europe?"
        ),
    );
    check_node(
        &format!("{NODE}[geo]\nlatency = \"latency.csv\"\n"),
        "tm.toml:6:11 `\"latency.csv\"` latency `latency.csv` is not an absolute path",
    );
    check_node(
        &format!("{NODE}[geo]\nlatency = \"{}\"\n", dir.path().display()),
        &format!(
            "tm.toml:6:11 `\"{0}\"` cannot use the latencies: cannot read {0}: it is not a regular file",
            dir.path().display()
        ),
    );
}
