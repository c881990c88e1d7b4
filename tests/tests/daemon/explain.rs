//! `tm explain` from outside: its words and its JSON, what it foresees, and that nobody notices.

use serde_json::{Value, json};
use tm_tests::{daemon::Daemon, endpoint::FakeEndpoint, lab::Lab};

use crate::{ended::Ended, serve, unmonitored};

/// What `tm explain` prints.
pub(crate) fn text(lab: &Lab, daemon: &Daemon, words: &[&str]) -> String {
    let ended = explain(lab, daemon, words);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{words:?}: {}", ended.out);
    ended.out
}

pub(crate) fn explain(lab: &Lab, daemon: &Daemon, words: &[&str]) -> Ended {
    Ended::of(&mut daemon.tm(lab, &[&["explain"], words].concat()).unwrap())
}

/// A profile, its endpoints behind it.
fn profile(name: &str, method: &str, endpoints: &[String]) -> String {
    format!("[[profile]]\nname = \"{name}\"\nrouting_method = \"{method}\"\n{}", endpoints.concat())
}

fn nested(name: &str, child: &str, more: &str) -> String {
    format!(
        "[[profile.endpoint]]\nname = \"{name}\"\ntype = \"nested\"\ntarget_profile = \"{child}\"\n{more}\n"
    )
}

/// `contoso` is answered by virginia before amsterdam, both of them probed on the client.
const CONTOSO: &str = r#"
[[profile]]
name = "contoso"
routing_method = "priority"
[profile.monitor]
interval = "200ms"
timeout = "150ms"
tolerated_failures = 0
[[profile.endpoint]]
name = "virginia"
target = "10.53.0.11"
[[profile.endpoint]]
name = "amsterdam"
target = "10.53.0.12"
"#;

/// `split` by weights, `near` by the client's address, `world` nests both, `alias` leads to `split`.
pub(crate) fn unprobed() -> String {
    let weighted = |name, target, weight| unmonitored(name, target) + &format!("weight = {weight}\n");
    [
        profile(
            "split",
            "weighted",
            &[
                weighted("one", "192.0.2.1", 1),
                weighted("three", "192.0.2.3", 3),
                weighted("none", "192.0.2.4", 0),
            ],
        ),
        profile(
            "near",
            "subnet",
            &[
                unmonitored("far", "192.0.2.11") + "subnets = [\"203.0.113.0/24\", \"203.0.113.64/26\"]\n",
                unmonitored("rest", "192.0.2.12"),
            ],
        ),
        profile("off", "priority", &[unmonitored("only", "192.0.2.99") + "status = \"disabled\"\n"]),
        profile(
            "world",
            "weighted",
            &[
                nested("europe", "split", "weight = 3"),
                nested("asia", "off", ""),
                weighted("us", "192.0.2.20", 1),
            ],
        ),
        profile("alias", "priority", &[unmonitored("elsewhere", "split.tm.example")]),
    ]
    .concat()
}

#[test]
fn a_priority_profile_is_explained_and_what_is_foreseen_comes_true() {
    let lab = Lab::new().unwrap();
    let [mut virginia, mut amsterdam] =
        [11, 12].map(|host| FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap());
    let daemon = serve(&lab, "", CONTOSO);
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Online"]);
    assert_eq!(
        text(&lab, &daemon, &["contoso", "--client", "203.0.113.7"]),
        "\
contoso.tm.example. A for 203.0.113.7 (who sends the query)

contoso  priority  Online  TTL 30
├─ virginia   10.53.0.11  Online  100.0%  up; priority 1, the lowest of those that may answer
└─ amsterdam  10.53.0.12  Online       -  up; priority 2: virginia has 1

100.0%  contoso.tm.example. 30 IN A 10.53.0.11
TTL 30
checked: the loaded program answers so
"
    );
    let foreseen = "\
contoso.tm.example. A for 192.0.2.1 (who sends the query)
if contoso/virginia is down

contoso  priority  Degraded  TTL 30
├─ virginia   10.53.0.11  Degraded       -  down
└─ amsterdam  10.53.0.12  Online    100.0%  up; priority 2, the lowest of those that may answer

100.0%  contoso.tm.example. 30 IN A 10.53.0.12
TTL 30

now
100.0%  contoso.tm.example. 30 IN A 10.53.0.11
TTL 30
checked: now, the loaded program answers so
";
    for words in [&["contoso", "--if", "virginia=down"][..], &["CONTOSO", "--if", "Contoso/Virginia=down"]] {
        assert_eq!(text(&lab, &daemon, words), foreseen);
    }
    // What is foreseen of one that goes, of both, and of one that is back.
    let foresee = |assumed: &[&str]| -> Vec<String> {
        let words: Vec<&str> = assumed.iter().flat_map(|assumed| ["--if", assumed]).collect();
        let said = explain(&lab, &daemon, &[&["contoso", "-o", "json"], &words[..]].concat()).json();
        let records = &said["then"]["answers"][0]["records"];
        serde_json::from_value(records.clone()).unwrap()
    };
    let one = foresee(&["virginia=down"]);
    let both = foresee(&["virginia=down", "amsterdam=down"]);
    let disabled = foresee(&["virginia=disabled", "amsterdam=down"]);
    let answered = |what: &str, expected: &[String]| {
        daemon.wait_until(&lab, what, |_| {
            lab.answers(&["@10.53.0.1", "contoso.tm.example"]).unwrap() == expected[0]
        });
    };
    virginia.stop();
    answered("virginia to be out", &one);
    let back = foresee(&["virginia=up"]);
    amsterdam.stop();
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded"]);
    answered("all to be as if up", &both);
    daemon
        .write("conf.d/profiles.toml", &CONTOSO.replacen("11\"\n", "11\"\nstatus = \"disabled\"\n", 1))
        .unwrap();
    answered("amsterdam alone to be left", &disabled);
    daemon.write("conf.d/profiles.toml", CONTOSO).unwrap();
    lab.in_client(|| virginia.resume()).unwrap().unwrap();
    daemon.wait_for_endpoints(&lab, "contoso", &["Online", "Degraded"]);
    answered("virginia to be back", &back);
    assert_eq!(
        [&one[0], &both[0], &disabled[0], &back[0]].map(|line| &line[line.len() - 2..]),
        ["12", "11", "12", "11"]
    );
}

#[test]
fn shares_are_explained_and_gone_through_turn_by_turn() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &unprobed());
    assert_eq!(
        text(&lab, &daemon, &["split.tm.example"]),
        "\
split.tm.example. A for 192.0.2.1 (who sends the query)

split  weighted  Online  TTL 30
├─ one    192.0.2.1  Unmonitored  25.0%  always served, never probed; weight 1 of 4
├─ three  192.0.2.3  Unmonitored  75.0%  always served, never probed; weight 3 of 4
└─ none   192.0.2.4  Unmonitored      -  always served, never probed; weight 0: drained while others may answer

 75.0%  split.tm.example. 30 IN A 192.0.2.3
 25.0%  split.tm.example. 30 IN A 192.0.2.1
TTL 30
checked: the loaded program answers so, in 4 turns
"
    );
    assert_eq!(
        text(&lab, &daemon, &["world", "--ecs", "203.0.113.7/24"]),
        "\
world.tm.example. A for 203.0.113.0/24 (EDNS Client Subnet)

world  weighted  Online  TTL 30
├─ europe  profile split  Online       75.0%  3 of 3 in profile split available, 1 needed; weight 3 of 4
│  split  weighted  Online  TTL 30
│  ├─ one    192.0.2.1  Unmonitored  18.8%  always served, never probed; weight 1 of 4
│  ├─ three  192.0.2.3  Unmonitored  56.2%  always served, never probed; weight 3 of 4
│  └─ none   192.0.2.4  Unmonitored      -  always served, never probed; weight 0: drained while others may answer
├─ asia    profile off    Stopped          -  profile off has no endpoint in use
└─ us      192.0.2.20     Unmonitored  25.0%  always served, never probed; weight 1 of 4

 56.2%  world.tm.example. 30 IN A 192.0.2.3
 25.0%  world.tm.example. 30 IN A 192.0.2.20
 18.8%  world.tm.example. 30 IN A 192.0.2.1
TTL 30  scope 0
checked: the loaded program answers so, in 16 turns
"
    );
    // A name that is followed, and who asks for what nobody has.
    let alias = text(&lab, &daemon, &["alias"]);
    for line in [
        "└─ elsewhere  split.tm.example  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer",
        "   ├─ one    192.0.2.1  Unmonitored  25.0%  always served, never probed; weight 1 of 4",
        " 75.0%  alias.tm.example. 30 IN CNAME split.tm.example.",
        " 75.0%  split.tm.example. 30 IN A 192.0.2.3",
        "checked: the loaded program answers so, in 4 turns",
    ] {
        assert!(alias.lines().any(|told| told == line), "{line}\n{alias}");
    }
    for (words, line) in [
        (&["split", "--type", "AAAA"][..], "100.0%  no data: who is chosen has no record of type AAAA"),
        (&["off"], "100.0%  no such name: none of its endpoints is enabled"),
        (&["off"], "checked: the loaded program answers so"),
        (
            &["split", "--client", "10.53.0.1"],
            "checked: the sockets (the program hands the packet up: source) answers so, in 4 turns",
        ),
    ] {
        let told = text(&lab, &daemon, words);
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
}

#[test]
fn nobody_notices() {
    let lab = Lab::new().unwrap();
    for listen in ["", "mode = \"off\"\n"] {
        let daemon = serve(&lab, listen, &unprobed());
        let ask = || lab.answers(&["@10.53.0.1", "split.tm.example", "+short"]).unwrap();
        ask();
        // Strangers' packets are counted too: only what questions count under is compared.
        let counted = || -> Value {
            let status = daemon.status(&lab).unwrap().0;
            let packets = ["answered", "unknown_name", "source", "edns", "full", "no_answer"]
                .map(|reason| status["packets"][reason].clone());
            json!([packets, status["messages"], status["profiles"], status["generation"]])
        };
        let before = counted();
        for words in [
            &["split"][..],
            &["off"],
            &["near", "--ecs", "203.0.113.0/24"],
            &["world", "--if", "three=down", "--all-clients"],
        ] {
            let told = text(&lab, &daemon, words);
            let by =
                if listen.is_empty() { "" } else { "checked: the sockets (no program is loaded) answers so" };
            assert!(
                told.contains(by) || told.contains("checked: now, the sockets (no program is loaded)"),
                "{told}"
            );
        }
        assert_eq!(counted(), before);
    }
}

/// What is switched off has no name: below a wildcard that has it, above a name that is there, and where there is neither.
#[test]
fn what_is_at_the_name_of_a_profile_that_is_switched_off_is_explained() {
    let lab = Lab::new().unwrap();
    let at = |name: &str, relative: &str, address: &str, more: &str| {
        let text = profile(name, "priority", &[unmonitored("only", address)]);
        text.replacen("[[profile]]\n", &format!("[[profile]]\nrelative_name = \"{relative}\"\n{more}"), 1)
    };
    let off = "status = \"disabled\"\nttl = 7\n";
    let profiles = [
        at("all", "*.shop", "192.0.2.1", ""),
        at("off", "a.shop", "192.0.2.2", off),
        at("above", "b.shop", "192.0.2.3", off),
        at("below", "x.b.shop", "192.0.2.4", ""),
        at("alone", "alone", "192.0.2.5", off),
    ];
    let daemon = serve(&lab, "", &profiles.concat());
    assert_eq!(
        text(&lab, &daemon, &["off"]),
        "\
a.shop.tm.example. A for 192.0.2.1 (who sends the query)
profile off has no name as it is; profile all has all that are not there

all  priority  Online  TTL 30
└─ only  192.0.2.1  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer

100.0%  *.shop.tm.example. 30 IN A 192.0.2.1
TTL 30
checked: the loaded program answers so
"
    );
    for (name, rcode) in [("off", "NOERROR"), ("above", "NOERROR"), ("alone", "NXDOMAIN")] {
        for kind in ["A", "AAAA", "TXT", "ANY"] {
            let ended = explain(&lab, &daemon, &[name, "--type", kind, "-o", "json"]);
            assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{name} {kind}: {}", ended.out);
            let told: Value = serde_json::from_str(&ended.out).unwrap();
            assert_eq!(
                (&told["now"]["rcode"], &told["check"]["agrees"]),
                (&json!(rcode), &json!(true)),
                "{told}"
            );
            assert_eq!(told["note"].is_null(), name != "off", "{told}");
        }
    }
}

/// What an endpoint leaves behind when it goes is what is there then: a wildcard's answer, a name without data, or none; and it comes so.
#[test]
fn what_is_at_a_name_whose_last_endpoint_goes_is_foreseen() {
    let lab = Lab::new().unwrap();
    let at = |name: &str, relative: &str, address: &str| {
        let text = profile(name, "priority", &[unmonitored("only", address)]);
        text.replacen("[[profile]]\n", &format!("[[profile]]\nrelative_name = \"{relative}\"\nttl = 7\n"), 1)
    };
    let profiles = [
        at("all", "*.shop", "192.0.2.1"),
        at("one", "a.shop", "192.0.2.2"),
        at("above", "b.shop", "192.0.2.3"),
        at("below", "x.b.shop", "192.0.2.4"),
        at("alone", "alone", "192.0.2.5"),
    ];
    let daemon = serve(&lab, "", &profiles.concat());
    assert_eq!(
        text(&lab, &daemon, &["one", "--if", "only=disabled", "--client", "203.0.113.7"]),
        "\
a.shop.tm.example. A for 203.0.113.7 (who sends the query)
profile one would have no name; profile all has all that are not there
if one/only is disabled

all  priority  Online  TTL 7
└─ only  192.0.2.1  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer

100.0%  *.shop.tm.example. 7 IN A 192.0.2.1
TTL 7

now
100.0%  a.shop.tm.example. 7 IN A 192.0.2.2
TTL 7
checked: now, the loaded program answers so
"
    );
    let gone = ["one", "above", "alone"];
    let foreseen = gone.map(|name| {
        let told = explain(&lab, &daemon, &[name, "--if", "only=disabled", "-o", "json"]).json();
        let then = &told["then"];
        (
            then["rcode"].as_str().unwrap().to_owned(),
            then["answers"][0]["records"].to_string(),
            then["ttl"].clone(),
        )
    });
    let expected =
        [("NOERROR", "[\"*.shop.tm.example. 7 IN A 192.0.2.1\"]"), ("NOERROR", "[]"), ("NXDOMAIN", "[]")];
    assert_eq!(foreseen, expected.map(|(code, records)| (code.to_owned(), records.to_owned(), json!(7))));
    // And so it comes.
    let disabled = |text: &String| match gone.iter().any(|name| text.contains(&format!("name = \"{name}\"")))
    {
        true => text.replace("always_serve", "status = \"disabled\"\nalways_serve"),
        false => text.clone(),
    };
    daemon.write("conf.d/profiles.toml", &profiles.iter().map(disabled).collect::<String>()).unwrap();
    let dig = |name: &str| lab.dig(&["@10.53.0.1", &format!("{name}.tm.example")]).unwrap();
    daemon.wait_until(&lab, "it", |_| dig("alone").contains("NXDOMAIN"));
    assert!(dig("a.shop").contains("192.0.2.1"));
    assert!(dig("b.shop").contains("status: NOERROR") && dig("b.shop").contains("SOA"));
}

/// An apex has SOA and name servers whoever answers there, and says of types that nobody has that there is no more.
#[test]
fn what_the_sockets_say_of_an_apex_is_explained() {
    let lab = Lab::new().unwrap();
    let apex = profile("apex", "priority", &[unmonitored("only", "192.0.2.1")]);
    let apex = apex.replacen("[[profile]]\n", "[[profile]]\ndns_name = \"tm.example\"\n", 1);
    let daemon = serve(&lab, "", &apex);
    let told = |kind: &str, more: &[&str]| {
        let words = [&["apex", "--type", kind, "-o", "json"][..], more].concat();
        let ended = explain(&lab, &daemon, &words);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{kind}: {}", ended.out);
        let told = ended.json();
        assert_eq!(told["check"]["agrees"], true, "{told}");
        told
    };
    for (kind, by, records, authorities) in [
        ("A", "xdp", "tm.example. 30 IN A 192.0.2.1", ""),
        ("AAAA", "xdp", "", "tm.example. 30 IN SOA"),
        ("NS", "sockets", "tm.example. 3600 IN NS ns1.tm.example.", ""),
        ("SOA", "sockets", "tm.example. 60 IN SOA", ""),
        ("TXT", "sockets", "", "tm.example. 60 IN SOA"),
    ] {
        for more in [&[][..], &["--ecs", "203.0.113.0/24"]] {
            let told = told(kind, more);
            assert_eq!(
                (&told["check"]["by"], &told["now"]["rcode"]),
                (&json!(by), &json!("NOERROR")),
                "{told}"
            );
            let first =
                |section: &str| told["now"]["answers"][0][section][0].as_str().unwrap_or("").to_owned();
            let (said, beside) = (first("records"), first("authorities"));
            assert!(said.starts_with(records) && said.is_empty() == records.is_empty(), "{kind}: {told}");
            assert!(beside.starts_with(authorities) && beside.is_empty() == authorities.is_empty(), "{told}");
        }
    }
    // A type that the sockets say is so whoever may answer.
    assert_eq!(
        told("NS", &["--if", "only=disabled"])["then"]["answers"][0]["records"],
        json!(["tm.example. 3600 IN NS ns1.tm.example."])
    );
    assert!(
        text(&lab, &daemon, &["apex", "-t", "TXT"])
            .contains("no data: who is chosen has no record of type TXT")
    );
}

#[test]
fn what_is_wrong_is_told() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &(unprobed() + CONTOSO));
    for (words, code, says) in [
        (
            &["contosso"][..],
            3,
            "tm: the daemon says: there is no profile `contosso`; did you mean `contoso`?\n",
        ),
        (&["nothing.like.it"], 3, "tm: the daemon says: there is no profile `nothing.like.it`\n"),
        (
            &["contoso", "--if", "virginja=down"],
            3,
            "has no endpoint `virginja`, nor has one below it; did you mean `virginia`?",
        ),
        (&["contoso", "--if", "split/one=down"], 3, "has no endpoint `split/one`"),
        (
            &["world", "--if", "europe=down"],
            1,
            "world/europe is nested, and as up as profile split is: assume something of its endpoints, as split/one=down",
        ),
        (
            &["contoso", "--if", "virginia=down", "--if", "virginia=up"],
            1,
            "contoso/virginia is assumed to be two things",
        ),
        (&["contoso", "--type", "AXFR"], 1, "no name has records of type AXFR"),
        (&["contoso", "--if", "virginia"], 2, "write the endpoint's name and =up, =down or =disabled"),
        (&["contoso", "--client", "203.0.113"], 2, "invalid IP address syntax"),
        (&["contoso", "--ecs", "203.0.113.0/33"], 2, "`203.0.113.0/33` is not a prefix"),
    ] {
        let ended = explain(&lab, &daemon, words);
        assert_eq!((ended.code, ended.out.as_str()), (Some(code), ""), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
    }
}
