//! No contents of the files make loading panic, and what loads is in range.

use proptest::prelude::*;

use crate::kit::{NODE, PROFILE, load_files};

/// Pieces that reach deep into the checks when strung together.
const PIECES: &[&str] = &[
    "[[profile]]\n",
    "[profile.monitor]\n",
    "[[profile.endpoint]]\n",
    "[listen]\n",
    "[soa]\n",
    "name = ",
    "zone = ",
    "target = ",
    "routing_method = ",
    "priority = ",
    "weight = ",
    "ttl = ",
    "port = ",
    "path = ",
    "interval = ",
    "timeout = ",
    "headers = ",
    "expected_status = ",
    "name_servers = ",
    "mailbox = ",
    "interfaces = ",
    "vlans = ",
    "protocol = ",
    "relative_name = ",
    "\"a\"\n",
    "\"tcp\"\n",
    "\"weighted\"\n",
    "\"10s\"\n",
    "\"200-299\"\n",
    "\"/\"\n",
    "1\n",
    "-1\n",
    "9e99\n",
    "99999999999999999999999999999999999999999\n",
    "[\"200\"]\n",
    "[1, 1]\n",
    "[]\n",
    "{}\n",
    "{ Host = \"a\" }\n",
    "\"192.0.2.1\"\n",
    "\"a.tm.example\"\n",
    "\"\\u0000\"\n",
    "\"é\"\n",
    "\n",
    "\"",
    "[",
    "}",
    "#",
    "\u{feff}",
    "\r\n",
    "1979-05-27T07:32:00Z\n",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// Loads, and looks at all that loading gives.
fn survive(node: &[u8], profiles: &[u8]) {
    match load_files(&[("tm.toml", node), ("conf.d/a.toml", profiles)]).1 {
        Ok(loaded) => {
            for profile in loaded.profiles.values() {
                assert!(profile.dns_name.wire().len() <= 255 && profile.ttl <= 2_147_483_647);
                assert!(profile.monitor.timeout < profile.monitor.interval && profile.monitor.port > 0);
                assert!(profile.endpoints.iter().all(|endpoint| (1..=1000).contains(&endpoint.weight)));
            }
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            assert!(
                error
                    .problems()
                    .iter()
                    .all(|problem| !problem.message.is_empty() && !problem.help.is_empty())
            );
            let placed = error.problems().iter().take(50).filter(|problem| problem.line > 0).count();
            let report = error.render(false);
            assert!(
                report.matches("╭─[").count() >= placed && !report.contains("Failed to read"),
                "{report}"
            );
            assert!(!error.render(true).is_empty() && !error.to_string().is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_load_or_are_told(node in prop::collection::vec(any::<u8>(), 0..200), profiles in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&node, &profiles);
    }

    #[test]
    fn any_pieces_load_or_are_told(node in pieces(), profiles in pieces()) {
        survive(node.as_bytes(), profiles.as_bytes());
        survive(NODE.as_bytes(), (PROFILE.to_owned() + &profiles).as_bytes());
        survive((NODE.to_owned() + &node).as_bytes(), profiles.as_bytes());
    }

    #[test]
    fn any_value_loads_or_is_told(key in prop::sample::select(PIECES), value in ".{0,40}") {
        let value = format!("{key}\"{}\"\n", value.escape_default());
        survive((NODE.to_owned() + &value).as_bytes(), (PROFILE.to_owned() + &value).as_bytes());
    }
}
