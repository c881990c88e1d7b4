//! `tm explain` where the client matters: why it is where it is.

use std::fs;

use serde_json::json;
use tm_tests::lab::Lab;

use crate::{
    explain::{explain, text, unprobed},
    placed::{PLACES, countries, quick},
    serve,
};

#[test]
fn places_are_explained() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &unprobed());
    assert_eq!(
        text(&lab, &daemon, &["near", "--ecs", "203.0.113.64/28", "--client", "198.51.100.9"]),
        "\
near.tm.example. A for 203.0.113.64/28 (EDNS Client Subnet)

near  subnet  Online  TTL 30
│  203.0.113.64/28 is in 203.0.113.64/26, of the subnets of far
├─ far   192.0.2.11  Unmonitored  100.0%  always served, never probed; the client is in its subnets
└─ rest  192.0.2.12  Unmonitored       -  always served, never probed; the client is in subnets of far

100.0%  near.tm.example. 30 IN A 192.0.2.11
TTL 30  scope 24
checked: the loaded program answers so
"
    );
    assert_eq!(
        text(&lab, &daemon, &["near", "--ecs", "10.1.0.0/16", "--client", "2002:cb00:7107::1", "--if", "far=disabled", "--all-clients"]),
        "\
near.tm.example. A for 2002:cb00:7107::1 (who sends the query)
10.1.0.0/16 does not tell where its owner is, so the sender counts
if near/far is disabled

near  subnet  Online  TTL 30
├─ far   192.0.2.11  Disabled          -  disabled in the configuration
└─ rest  192.0.2.12  Unmonitored  100.0%  always served, never probed; without subnets: for clients that are in none

100.0%  near.tm.example. 30 IN A 192.0.2.12
TTL 30  scope 0

now
100.0%  near.tm.example. 30 IN A 192.0.2.11
TTL 30  scope 8
checked: now, the loaded program answers so

clients in nobody's subnets -> whoever they are
100.0% -> 100.0%  near/rest

clients in subnets of far -> whoever they are
100.0% -> 0.0%  near/far
  0.0% -> 100.0%  near/rest
"
    );
    let said = explain(
        &lab,
        &daemon,
        &["near", "--ecs", "203.0.113.0/24", "--if", "far=down", "--all-clients", "-o", "json"],
    );
    let endpoint = |name: &str, target: &str, share: f64, reason: &str| {
        json!({
            "name": name, "target": target, "monitor_status": "Unmonitored", "share": share, "share_of_all": share,
            "reason": format!("always served, never probed; {reason}"), "leads": null, "profile": null,
        })
    };
    let outcome = json!({
        "rcode": "NOERROR",
        "profile": {
            "name": "near", "dns_name": "near.tm.example", "routing_method": "subnet", "ttl": 30, "monitor_status": "Online",
            "place": "203.0.113.0/24 is in 203.0.113.0/24, of the subnets of far", "nobody": null,
            "endpoints": [
                endpoint("far", "192.0.2.11", 1.0, "the client is in its subnets"),
                endpoint("rest", "192.0.2.12", 0.0, "the client is in subnets of far"),
            ],
        },
        "answers": [{
            "share": 1.0, "endpoints": ["near/far"], "records": ["near.tm.example. 30 IN A 192.0.2.11"], "authorities": [], "reason": null,
        }],
        "sticky": null, "ttl": 30, "scope": 24,
    });
    let group = |clients: &str, endpoint: &str| json!({ "clients": [clients], "shares": [{ "endpoint": endpoint, "now": 1.0, "then": 1.0 }] });
    assert_eq!(
        said.json(),
        json!({
            "name": "near.tm.example.", "kind": "A", "note": null,
            "client": { "address": "203.0.113.0/24", "by": "ecs", "note": null },
            "assumed": [{ "endpoint": "near/far", "state": "down", "note": "it is always served, whatever its state" }],
            "now": outcome, "then": outcome,
            "check": { "by": "xdp", "reason": null, "turns": 1, "agrees": true, "said": null },
            "all_clients": [group("in nobody's subnets", "near/rest"), group("in subnets of far", "near/far")],
        })
    );
}

#[test]
fn countries_and_nearness_are_explained() {
    let lab = Lab::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let [database, latency] = ["places.mmdb", "latency.csv"].map(|name| dir.path().join(name));
    fs::write(&database, PLACES).unwrap();
    fs::write(&latency, "203.0.113.0/25,Southeast Asia,3\n").unwrap();
    let geo = format!("[geo]\ndatabase = \"{}\"\nlatency = \"{}\"\n", database.display(), latency.display());
    let world = "[[profile]]\nname = \"world\"\nrouting_method = \"priority\"\n[[profile.endpoint]]\nname = \"all\"\ntype = \"nested\"\ntarget_profile = \"countries\"\n";
    let daemon = serve(&lab, &geo, &(countries() + &quick() + world));
    assert_eq!(
        text(&lab, &daemon, &["world", "--ecs", "198.51.100.0/24", "--client", "10.53.0.2"]),
        "\
world.tm.example. A for 198.51.100.0/24 (EDNS Client Subnet)

world  priority  Online  TTL 30
└─ all  profile countries  Online  100.0%  3 of 3 in profile countries available, 1 needed; priority 1, the lowest of those that may answer
   countries  geographic  Online  TTL 30
   │  198.51.100.0/24: country DE (database row 198.51.100.0/24), mapped to europe by GEO-EU
   ├─ europe  192.0.2.1  Unmonitored  100.0%  always served, never probed; the client is mapped to it
   ├─ states  192.0.2.2  Unmonitored       -  always served, never probed; the client is mapped to europe
   └─ lab     192.0.2.3  Unmonitored       -  always served, never probed; the client is mapped to europe

100.0%  world.tm.example. 30 IN A 192.0.2.1
TTL 30  scope 24
checked: the loaded program answers so
"
    );
    for (words, place, answer) in [
        (
            &["countries", "--client", "203.0.113.1"][..],
            "203.0.113.1: US-CA (database row 203.0.113.0/25), mapped to states by US",
            "192.0.2.2",
        ),
        (
            &["countries", "--client", "10.53.0.2"],
            "10.53.0.2 is in 10.53.0.0/24, of the subnets of lab",
            "192.0.2.3",
        ),
        (
            &["countries", "--client", "64:ff9b::c633:6407"],
            "64:ff9b::c633:6407 (inside: 198.51.100.7): country DE (database row 198.51.100.0/24), mapped to europe by GEO-EU",
            "192.0.2.1",
        ),
        (
            &["countries", "--ecs", "2001:db8:9000::/56"],
            "2001:db8:9000::/56: CA-ON (database row 2001:db8:8000::/33), and nobody has CA-ON or CA or GEO-NA or WORLD",
            "no data: no endpoint that may answer is for this client",
        ),
        (
            &["countries", "--client", "192.168.7.7"],
            "192.168.7.7: does not tell where its owner is, and nobody has WORLD",
            "no data: no endpoint that may answer is for this client",
        ),
        (
            &["quick", "--client", "203.0.113.200"],
            "203.0.113.200: country US (database row 203.0.113.128/25); nearest region East US 14 ms, then West Europe 92 ms, then Southeast Asia 232 ms",
            "192.0.2.2",
        ),
        (
            &["quick", "--client", "203.0.113.1"],
            "203.0.113.1: US-CA (database row 203.0.113.0/25); nearest region Southeast Asia 3 ms, then East US 73 ms, then West Europe 153 ms",
            "192.0.2.3",
        ),
    ] {
        let told = text(&lab, &daemon, words);
        assert!(told.lines().any(|line| line == format!("│  {place}")), "{place}\n{told}");
        assert!(
            told.contains(&format!("100.0%  {answer}")) || told.contains(&format!(" A {answer}\n")),
            "{answer}\n{told}"
        );
        assert!(told.contains("checked: the loaded program answers so"), "{told}");
    }
    // Who was in the east of the United States goes to the next region, and of whom nothing is known is shared out among fewer.
    let all = text(&lab, &daemon, &["quick", "--if", "states=disabled", "--all-clients"]);
    let (_, all) = all.split_once("answers so").unwrap();
    assert_eq!(
        all,
        "

clients of whom no nearness is known
 33.3% -> 50.0%  quick/asia
 33.3% -> 50.0%  quick/europe
 33.3% -> 0.0%  quick/states

clients nearest to states, then europe, then asia -> nearest to europe, then asia
  0.0% -> 100.0%  quick/europe
100.0% -> 0.0%  quick/states

clients nearest to europe, then states, then asia -> nearest to europe, then asia
100.0% -> 100.0%  quick/europe

clients nearest to asia, then states, then europe -> nearest to asia, then europe
100.0% -> 100.0%  quick/asia
"
    );
}

#[test]
fn without_a_database_the_registry_is_told() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &quick());
    assert_eq!(
        text(&lab, &daemon, &["quick", "--ecs", "193.0.6.0/24"]),
        "\
quick.tm.example. A for 193.0.6.0/24 (EDNS Client Subnet)

quick  performance  Online  TTL 30
│  193.0.6.0/24: GEO-EU, by its registry; nearest region West Europe 12 ms, then East US 94 ms, then Southeast Asia 157 ms
├─ europe  192.0.2.1  Unmonitored  100.0%  always served, never probed; the first for this client of those that may answer
├─ states  192.0.2.2  Unmonitored       -  always served, never probed; for this client, europe comes first
└─ asia    192.0.2.3  Unmonitored       -  always served, never probed; for this client, europe comes first

100.0%  quick.tm.example. 30 IN A 192.0.2.1
TTL 30  scope 8
checked: the loaded program answers so
"
    );
}

/// Of a thousand turns none is the client's: it has one answer, and the program agrees which.
#[test]
fn who_sticks_is_told_to_what() {
    let lab = Lab::new().unwrap();
    let weighted = |name, target, weight| crate::unmonitored(name, target) + &format!("weight = {weight}\n");
    let profile = "[[profile]]\nname = \"loyal\"\nrouting_method = \"weighted\"\nsticky = true\n".to_owned()
        + &weighted("one", "192.0.2.1", 1)
        + &weighted("three", "192.0.2.3", 3);
    let daemon = serve(&lab, "", &profile);
    let mut given = std::collections::BTreeSet::new();
    for third in 92..100 {
        let told = explain(&lab, &daemon, &["loyal", "--ecs", &format!("203.0.{third}.7/28"), "-o", "json"]);
        assert_eq!(told.code, Some(0), "{}", told.err);
        let told = told.json();
        let sticky = &told["now"]["sticky"];
        assert_eq!(sticky["clients"], format!("203.0.{third}.0/24"));
        assert_eq!((&told["now"]["scope"], &told["check"]["turns"]), (&json!(24), &json!(1)));
        assert_eq!((&told["check"]["by"], &told["check"]["agrees"]), (&json!("xdp"), &json!(true)));
        let subnet = format!("+subnet=203.0.{third}.7/28");
        let line = lab.answers(&["@10.53.0.1", "loyal.tm.example", &subnet]).unwrap();
        assert_eq!(sticky["records"], json!([line]));
        given.insert(line);
    }
    let told = text(&lab, &daemon, &["loyal", "--client", "203.0.113.7"]);
    assert!(
        told.lines().any(|line| line.starts_with("always  loyal.tm.example. 30 IN A 192.0.2.")),
        "{told}"
    );
    assert!(told.contains("  for 203.0.113.0/24\n") && !told.contains("203.0.113.7 is in"), "{told}");
}
