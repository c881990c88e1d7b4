//! No contents of the files make loading panic, and what loads is in range.

use proptest::prelude::*;
use tm_tests::property::config::{NODE, PROFILE, check_files};

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
    "dns_name = ",
    "[[zone]]",
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

proptest! {
    #[test]
    fn any_bytes_load_or_are_told(node in prop::collection::vec(any::<u8>(), 0..200), profiles in prop::collection::vec(any::<u8>(), 0..200)) {
        check_files(&node, &profiles);
    }

    #[test]
    fn any_pieces_load_or_are_told(node in pieces(), profiles in pieces()) {
        check_files(node.as_bytes(), profiles.as_bytes());
        check_files(NODE.as_bytes(), (PROFILE.to_owned() + &profiles).as_bytes());
        check_files((NODE.to_owned() + &node).as_bytes(), profiles.as_bytes());
    }

    #[test]
    fn any_value_loads_or_is_told(key in prop::sample::select(PIECES), value in ".{0,40}") {
        let value = format!("{key}\"{}\"\n", value.escape_default());
        check_files((NODE.to_owned() + &value).as_bytes(), (PROFILE.to_owned() + &value).as_bytes());
    }
}
