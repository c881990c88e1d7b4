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
pub(crate) fn profile(name: &str, method: &str, endpoints: &[String]) -> String {
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
    let to_near = profile("to-near", "priority", &[unmonitored("elsewhere", "near.tm.example")]);
    let daemon = serve(&lab, "", &(unprobed() + &to_near));
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
    // RFC 7871, section 7.2.1: who is told by its subnet is not led on.
    assert_eq!(
        text(&lab, &daemon, &["to-near", "--ecs", "203.0.113.7/24"]),
        "\
to-near.tm.example. A for 203.0.113.0/24 (EDNS Client Subnet)

to-near  priority  Online  TTL 30
└─ elsewhere  near.tm.example  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer

100.0%  to-near.tm.example. 30 IN CNAME near.tm.example.
TTL 30  scope 24
checked: the loaded program answers so
"
    );
    let alone = text(&lab, &daemon, &["to-near", "--client", "203.0.113.7"]);
    assert!(alone.contains("\n100.0%  near.tm.example. 30 IN A 192.0.2.11\n"), "{alone}");
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
