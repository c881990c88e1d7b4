//! `tm explain` of names that are no profile's alone: switched off, given up, or a zone's apex.

use serde_json::{Value, json};
use tm_tests::lab::Lab;

use crate::{
    explain::{explain, profile, text},
    serve, unmonitored,
};

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
        at("leads", "leads", "a.shop.tm.example"),
    ];
    let daemon = serve(&lab, "", &profiles.concat());
    // So is what those are told who are led there.
    let told = text(&lab, &daemon, &["leads", "--if", "one/only=disabled"]);
    assert!(told.contains("\n100.0%  a.shop.tm.example. 7 IN A 192.0.2.1\nTTL 7\n\nnow\n"), "{told}");
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
    assert!(dig("leads").contains("192.0.2.1"));
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
