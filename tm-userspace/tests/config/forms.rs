//! The form of the files: syntax, unknown and missing keys, wrong types.

use crate::kit::{NODE, PROFILE, check, check_node, check_profiles, load_files};

#[test]
fn unknown_keys_are_told_all_at_once() {
    check_node(
        &format!("zome = 1\n{NODE}prot = 53\n"),
        "tm.toml:1:1 `zome` unknown key `zome`
         tm.toml:6:1 `prot` unknown key `prot`",
    );
    check_profiles(
        &format!(
            "{PROFILE}tll = 1\n[profile.monitor]\npaht = 1\n[[profile.endpoint]]\nname = \"e\"\ntarget = \"192.0.2.1\"\nwheight = 1\npriority = 0\n"
        ),
        "conf.d/a.toml:4:1 `tll` unknown key `tll`
         conf.d/a.toml:6:1 `paht` unknown key `paht`
         conf.d/a.toml:10:1 `wheight` unknown key `wheight`
         conf.d/a.toml:11:12 `0` priority 0 is out of range",
    );
}

#[test]
fn the_key_that_was_meant_is_offered() {
    let help = |text: &str| {
        let files = [("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())];
        load_files(&files).1.unwrap_err().problems()[0].help.clone()
    };
    assert_eq!(
        help(&format!("{PROFILE}tll = 1\n")),
        "did you mean `ttl`? Known here: name, subscription, resource_group, relative_name, dns_name, status, routing_method, ttl, max_return, traffic_view, when_all_down, last_resort, failback, guard, slow_start, sticky, monitor, record, endpoint"
    );
    assert_eq!(
        help(&format!("{PROFILE}colour = 1\n")),
        "known here: name, subscription, resource_group, relative_name, dns_name, status, routing_method, ttl, max_return, traffic_view, when_all_down, last_resort, failback, guard, slow_start, sticky, monitor, record, endpoint"
    );
    assert_eq!(
        help("zone = \"a\"\n"),
        "a file in conf.d holds [[profile]] and [[service]] tables; all else belongs in tm.toml"
    );
}

#[test]
fn files_hold_what_is_theirs() {
    check_node(&format!("{NODE}{PROFILE}"), "tm.toml:5:3 `profile` unknown key `profile`");
    check_profiles("zone = \"a\"\n", "conf.d/a.toml:1:1 `zone` unknown key `zone`");
    check_profiles(
        "[profile]\nname = \"a\"\n",
        "conf.d/a.toml:1:1 `[profile]` `profile` is not a list of tables",
    );
    check_profiles("profile = 1\n", "conf.d/a.toml:1:11 `1` `profile` is not a list of tables");
    check_profiles("profile = [1]\n", "conf.d/a.toml:1:12 `1` expected a table, found integer `1`");
}

#[test]
fn missing_keys_are_told_at_their_table() {
    check_profiles(
        "[[profile]]\nrouting_method = \"priority\"\n[[profile]]\nname = \"a\"\n",
        "conf.d/a.toml:1:1 `[[profile]]` missing key `name`
         conf.d/a.toml:3:1 `[[profile]]` missing key `routing_method`",
    );
    check_profiles(
        &format!("{PROFILE}[[profile.endpoint]]\nname = \"a\"\n"),
        "conf.d/a.toml:5:8 `\"a\"` missing key `target`",
    );
}

#[test]
fn wrong_types_stop_their_profile_alone() {
    check_profiles(
        &format!("{PROFILE}ttl = \"30\"\n{}ttl = -1\n", PROFILE.replace("contoso", "fabrikam")),
        "conf.d/a.toml:4:7 `\"30\"` expected a whole number, found string \"30\"
         conf.d/a.toml:8:7 `-1` ttl -1 is out of range",
    );
    check_profiles(
        &format!("{PROFILE}ttl = 1.5\n"),
        "conf.d/a.toml:4:7 `1.5` expected a whole number, found floating point `1.5`",
    );
    check_profiles(
        &format!("{PROFILE}monitor = 1\n"),
        "conf.d/a.toml:4:11 `1` expected a table, found integer `1`",
    );
    check_node(&format!("{NODE}vlans = 1\n"), "tm.toml:5:9 `1` expected an array, found integer `1`");
    check_node(&format!("state_dir = []\n{NODE}"), "tm.toml:1:13 `[]` expected a string, found an array");
}

#[test]
fn broken_syntax_stops_its_file_alone() {
    check(
        &[
            ("tm.toml", NODE),
            ("conf.d/a.toml", "[[profile]\nname = contoso\n"),
            ("conf.d/b.toml", &format!("{PROFILE}ttl = -1\n")),
        ],
        "conf.d/a.toml:1:11 `` invalid TOML: unclosed array table
         conf.d/b.toml:4:7 `-1` ttl -1 is out of range",
    );
}

#[test]
fn broken_syntax_is_told_once_a_line() {
    check_profiles(
        "[[profile]]\nname = contoso, x y z = = 3\nrouting_method = \"priority\nttl = 30\n",
        "conf.d/a.toml:2:8 `contoso` invalid TOML: string values must be quoted
         conf.d/a.toml:3:27 `` invalid TOML: invalid basic string",
    );
}

#[test]
fn duplicate_keys_are_told() {
    check_node(&format!("zone = \"a.example\"\n{NODE}"), "tm.toml:2:1 `zone` invalid TOML: duplicate key");
}

#[test]
fn everything_wrong_in_every_file_is_told_in_order() {
    check(
        &[
            ("tm.toml", &NODE.replace("tm.example", "tm..example")),
            ("conf.d/b.toml", &format!("{PROFILE}ttl = -1\n")),
            (
                "conf.d/a.toml",
                &format!("{}ttl = -2\nstatus = \"x\"\n", PROFILE.replace("contoso", "fabrikam")),
            ),
        ],
        "tm.toml:1:8 `\"tm..example\"` `tm..example` is not a DNS name: it has an empty label
         tm.toml:2:17 `\"ns1.tm..example\"` `ns1.tm..example` is not a DNS name: it has an empty label
         conf.d/a.toml:4:7 `-2` ttl -2 is out of range
         conf.d/a.toml:5:10 `\"x\"` status `x` is not known to this version
         conf.d/b.toml:4:7 `-1` ttl -1 is out of range",
    );
}
