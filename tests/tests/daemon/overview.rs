//! What a page of many profiles shows, and what moves on it: summaries, the state of a tree, answers a second, and the three delays of a flip.

use std::time::Instant;

use serde_json::{Value, json};
use tm_tests::{DEADLINE, endpoint::FakeEndpoint, lab::Lab, texts::Profile};

use crate::manage::{Managed, document};

/// Asks until what comes is as wanted; each look is an exchange with the daemon.
fn until(plane: &Managed, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = plane.get(path).json;
        if wanted(&answer) {
            return answer;
        }
        assert!(began.elapsed() < DEADLINE, "{path}: {answer:#}");
    }
}

#[test]
fn a_summary_says_in_a_line_what_a_profile_is() {
    let plane = Managed::start();
    let two = json!({ "routing_method": "Failover", "subscription": "S", "resource_group": "G", "relative_name": "two.shop", "endpoint": [
        { "name": "a", "target": "192.0.2.1", "always_serve": true }, { "name": "b", "target": "192.0.2.2", "status": "disabled" },
        { "name": "c", "target": "192.0.2.3", "always_serve": true },
    ] });
    assert_eq!(plane.put("two", &two).status, 201);
    let off = json!({ "routing_method": "weighted", "status": "disabled" });
    assert_eq!(plane.put("off", &off).status, 201);

    let all = plane.get("summaries").json;
    assert_eq!(
        (&all["zones"], &all["subscription"], &all["resource_group"]),
        (&json!(["tm.example"]), &json!("00000000-0000-0000-0000-000000000001"), &json!("default"))
    );
    let line = |name, managed_by, dns_name, method, status, monitor_status, endpoints, available| {
        json!({
            "name": name, "subscription": "00000000-0000-0000-0000-000000000001", "resource_group": "default", "managed_by": managed_by,
            "dns_name": dns_name, "routing_method": method, "status": status, "monitor_status": monitor_status,
            "endpoints": endpoints, "available": available, "unwatched": false,
        })
    };
    let mut two = line("two", "api", "two.shop.tm.example", "priority", "enabled", "Online", 3, 2);
    (two["subscription"], two["resource_group"], two["unwatched"]) = ("S".into(), "G".into(), true.into());
    let off = line("off", "api", "off.tm.example", "weighted", "disabled", "Disabled", 0, 0);
    // One endpoint has nobody to fail over to: nothing is wrong with it.
    let web = line("web", "file", "web.tm.example", "priority", "enabled", "Online", 1, 1);
    assert_eq!(all["value"], json!([off, two.clone(), web]));
    assert_eq!(plane.get("summaries?profile=TWO").json["value"], json!([two.clone()]));
    assert_eq!(plane.get("summaries?profile=none").json["value"], json!([]));

    let token =
        tm_tests::api::Api::token(&plane.lab, &plane.daemon, &["--scope", "read", "--subscription", "s"]);
    let narrow = plane.api.showing(&token.unwrap());
    let seen = narrow.get(&plane.lab, "/api/v1/summaries").unwrap().json;
    assert_eq!(seen["value"], json!([two]));
    assert_eq!(narrow.get(&plane.lab, "/api/v1/profiles/web/status").unwrap().status, 404);
}

#[test]
fn the_state_of_a_profile_comes_with_those_below_it() {
    let plane = Managed::start();
    assert_eq!(plane.put("low", &document("192.0.2.7")).status, 201);
    let nested = |child: &str| json!({ "name": child, "type": "nested", "target_profile": child });
    let middle = json!({ "routing_method": "weighted", "endpoint": [nested("low"), nested("web")] });
    assert_eq!(plane.put("middle", &middle).status, 201);
    let top = json!({ "routing_method": "priority", "endpoint": [nested("middle"), nested("low")] });
    assert_eq!(plane.put("top", &top).status, 201);
    let names = |path: &str| -> Vec<String> {
        let states = plane.get(path).json;
        let names = states.as_array().unwrap().iter().map(|state| state["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(names("profiles/Top/status"), ["top", "middle", "low", "web"]);
    assert_eq!(names("profiles/low/status"), ["low"]);
    let state = plane.get("profiles/middle/status").json;
    let [low, web] = [0, 1].map(|index| state[0]["endpoints"][index].clone());
    assert_eq!(
        low["child"],
        json!({ "profile": "low", "monitor_status": "Online", "available": 1, "min_child_endpoints": 1 })
    );
    assert_eq!((&low["share"], &web["share"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(plane.get("profiles/none/status").status, 404);
}

#[test]
fn answers_a_second_are_told_of_who_gave_them_and_of_those_above() {
    let plane = Managed::start();
    assert_eq!(plane.put("quiet", &document("192.0.2.7")).status, 201);
    let nested = |child: &str| json!({ "name": child, "type": "nested", "target_profile": child });
    let top = json!({ "routing_method": "priority", "endpoint": [nested("web"), nested("quiet")] });
    assert_eq!(plane.put("top", &top).status, 201);
    // Answers count from one sample to the next: what came before the first is of no known time.
    let found = until(&plane, "rates?profile=top", |found| {
        assert_eq!(plane.short("top"), "192.0.2.10");
        found["endpoints"]["web/only"].is_array()
    });
    assert_eq!(found["interval_ms"], 2000);
    let series = found["endpoints"]["web/only"].as_array().unwrap();
    assert_eq!(series.len(), 60);
    assert!(series[59].as_f64().unwrap() > 0.0 && series[..58].iter().all(|rate| rate == 0.0), "{series:?}");
    assert_eq!(
        (found["endpoints"].as_object().unwrap().len(), &found["profiles"]["top"]),
        (1, &found["endpoints"]["web/only"])
    );

    let all = plane.get("rates").json;
    let names: Vec<_> = all["profiles"].as_object().unwrap().keys().cloned().collect();
    assert_eq!((names, &all["endpoints"]), (vec!["top".to_owned(), "web".to_owned()], &json!({})));
    assert_eq!(plane.get("rates?profile=none").json["profiles"], json!({}));
}

#[test]
fn a_flip_tells_how_long_each_part_of_it_took() {
    let lab = Lab::new().unwrap();
    let mut primary = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let profile = Profile { lines: "ttl = 7", tolerated_failures: 2, ..Profile::default() };
    let plane = Managed::within(lab, &profile.to_string());
    plane.daemon.wait_for_endpoints(&plane.lab, "contoso", &["Online", "Degraded"]);
    primary.stop();
    plane.daemon.wait_for_endpoints(&plane.lab, "contoso", &["Degraded", "Degraded"]);
    let history = plane.get("history?profile=contoso").json;
    let flip =
        history["value"].as_array().unwrap().iter().find(|event| event["endpoint"] == "virginia").unwrap();
    assert_eq!((&flip["from"], &flip["to"]), (&json!("Online"), &json!("Degraded")));
    let delays = &flip["delays"];
    // Three probes in a row, 200 ms apart or no less than nine tenths of that.
    assert!(delays["detect_ms"].as_u64().unwrap() >= 360, "{flip:#}");
    assert!(delays["publish_us"].as_u64().unwrap() > 0, "{flip:#}");
    assert_eq!(delays["drain_s"], 7);
    let began =
        history["value"].as_array().unwrap().iter().find(|event| event["kind"] == "profile_status").unwrap();
    assert_eq!(began.get("delays"), None, "of endpoints alone");
}

#[test]
fn the_node_says_what_its_tables_hold_and_how_much_it_probes() {
    let plane = Managed::start();
    let probed = json!({ "routing_method": "priority", "monitor": { "interval": "4s" }, "endpoint": [
        { "name": "a", "target": "10.53.0.11" }, { "name": "b", "target": "10.53.0.12", "monitor": { "interval": "2s" } },
        { "name": "c", "target": "10.53.0.13", "status": "disabled" }, { "name": "d", "target": "10.53.0.14", "always_serve": true },
    ] });
    assert_eq!(plane.put("probed", &probed).status, 201);
    assert_eq!(plane.short("web"), "192.0.2.10");
    let node = plane.get("node").json;
    assert_eq!(
        ["profiles", "endpoints", "probed"].map(|key| node[key].as_u64().unwrap()),
        [2, 5, 2],
        "{node:#}"
    );
    // One in four seconds and one in two.
    assert_eq!(node["probes_per_second"], 0.75);
    assert_eq!(
        (&node["zones"], &node["mode"], &node["addresses"]),
        (&json!(["tm.example"]), &json!("auto"), &json!(["10.53.0.1", "fd53::1"]))
    );
    assert_eq!(node["interfaces"], json!([{ "name": "tm0", "xdp": "native" }]));
    assert_eq!((&node["packets"]["answered"], &node["config_error"]), (&json!(1), &Value::Null));
    let buckets = &node["tables"][0];
    // Two profiles, the zone itself and its name server.
    assert_eq!((&buckets["name"], &buckets["used"]), (&json!("buckets"), &json!(4)));
    let tables = node["tables"].as_array().unwrap();
    let fits = |table: &Value| table["used"].as_u64().unwrap() <= table["capacity"].as_u64().unwrap();
    assert!(tables.len() == 11 && tables.iter().all(fits), "{tables:#?}");
    let programs = node["programs"].as_array().unwrap();
    assert!(
        programs.len() == 11 && programs.iter().all(|its| its["machine_code"].as_u64().unwrap() > 0),
        "{programs:#?}"
    );

    let narrow =
        tm_tests::api::Api::token(&plane.lab, &plane.daemon, &["--scope", "read", "--subscription", "s"]);
    let narrow = plane.api.showing(&narrow.unwrap());
    assert_eq!(narrow.get(&plane.lab, "/api/v1/node").unwrap().status, 403);
}
