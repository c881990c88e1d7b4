//! Names that lead to names of ours (RFC 6604): what is said of them changes at the moment at which these come and go, on both paths.

use tm_tests::lab::Lab;

use crate::{explain::text, profile, serve};

const FILE: &str = "conf.d/profiles.toml";

fn at(name: &str, relative: &str, target: &str) -> String {
    let text = profile(name, target);
    text.replacen("[[profile]]\n", &format!("[[profile]]\ndns_name = \"{relative}.tm.example\"\n"), 1)
}

#[test]
fn rfc6604_3_the_code_is_that_of_the_last_name_whenever_that_comes_or_goes() {
    let lab = Lab::new().unwrap();
    let fixed = at("alias", "alias", "a.b.tm.example") + &at("over", "over", "alias.tm.example");
    let mut daemon = serve(&lab, "", &fixed);
    let cname = "alias.tm.example. 30 IN CNAME a.b.tm.example.";
    // What else there is; the code, and what stands behind the CNAME.
    let off = at("target", "a.b", "192.0.2.1").replace("routing", "status = \"disabled\"\nttl = 7\nrouting");
    let soa = |ttl: u32| format!("tm.example. {ttl} IN SOA");
    let steps = [
        (String::new(), "NXDOMAIN", soa(60)),
        (at("target", "a.b", "192.0.2.1"), "NOERROR", "a.b.tm.example. 30 IN A 192.0.2.1".to_owned()),
        (at("target", "a.b", "2001:db8::1"), "NOERROR", soa(30)),
        (off.clone(), "NXDOMAIN", soa(7)),
        (at("below", "x.a.b", "192.0.2.2"), "NOERROR", soa(60)),
        (at("beside", "x.b", "192.0.2.3"), "NXDOMAIN", soa(60)),
        // The name exists by it.
        (at("around", "*.b", "192.0.2.4"), "NOERROR", "a.b.tm.example. 30 IN A 192.0.2.4".to_owned()),
        (at("around", "*", "192.0.2.5"), "NOERROR", "a.b.tm.example. 30 IN A 192.0.2.5".to_owned()),
        // What is switched off has no name.
        (at("around", "*", "192.0.2.5") + &off, "NOERROR", "a.b.tm.example. 30 IN A 192.0.2.5".to_owned()),
        // No longer: the longest name above it that is there has no wildcard.
        (at("around", "*", "192.0.2.5") + &at("beside", "x.b", "192.0.2.3"), "NXDOMAIN", soa(60)),
        (String::new(), "NXDOMAIN", soa(60)),
    ];
    let before = daemon.status(&lab).unwrap();
    for (step, (more, code, end)) in steps.iter().enumerate() {
        if step > 0 {
            daemon.write(FILE, &format!("{fixed}{more}")).unwrap();
            daemon.wait_for("it", |line| line.contains("configuration published"));
        }
        for (name, links) in [("alias", 1), ("over", 2)] {
            for way in ["+notcp", "+tcp"] {
                let name = format!("{name}.tm.example");
                let said = lab.dig(&["@10.53.0.1", way, "+nocookie", &name, "A"]).unwrap();
                assert!(said.contains(&format!("status: {code}")), "step {step}: {said}");
                let lines: Vec<String> = said
                    .lines()
                    .filter(|line| !line.is_empty() && !line.starts_with(';'))
                    .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect();
                assert_eq!(lines.get(links - 1).map(String::as_str), Some(cname), "step {step}: {said}");
                let behind = lines.get(links..).unwrap_or_default();
                match end.as_str() {
                    "" => assert!(behind.is_empty(), "step {step}: {said}"),
                    end => assert!(behind.len() == 1 && behind[0].starts_with(end), "step {step}: {said}"),
                }
            }
        }
    }
    let after = daemon.status(&lab).unwrap();
    let moved = |reason| after.packets(reason) - before.packets(reason);
    assert_eq!((moved("answered"), moved("no_such_name")), (12, 10), "two over UDP at each step");
    assert_eq!(
        text(&lab, &daemon, &["alias"]),
        "\
alias.tm.example. A for 192.0.2.1 (who sends the query)

alias  priority  Online  TTL 30
└─ only  a.b.tm.example  Unmonitored  100.0%  always served, never probed; priority 1, the lowest of those that may answer

100.0%  alias.tm.example. 30 IN CNAME a.b.tm.example.
        and no more: the last name has none of type A
TTL 30
checked: the loaded program answers so
"
    );
}
