//! `tm.toml`, key by key.

use std::time::Duration;

use tm_common::edns::Payload;
use tm_userspace::desired::{Arming, Chaos, Limit, Tcp};

use crate::kit::{NODE, PROFILE, check, check_node, load_files};

fn with(line: &str) -> String {
    format!("{line}\n{NODE}")
}

#[test]
fn what_a_node_cannot_do_without() {
    check_node(
        "",
        "tm.toml missing key `zone`
         tm.toml missing key `name_servers`
         tm.toml missing table [listen]",
    );
}

#[test]
fn a_zone_is_a_name_below_the_root() {
    let zone = |text: &str| NODE.replacen("tm.example", text, 1);
    check_node(&zone("."), "tm.toml:1:8 `\".\"` the root is no zone to answer for");
    check_node(&zone(""), "tm.toml:1:8 `\"\"` `` is not a DNS name: it is empty");
    check_node(
        &zone("tm..example"),
        "tm.toml:1:8 `\"tm..example\"` `tm..example` is not a DNS name: it has an empty label",
    );
    check_node(
        &zone("münchen.example"),
        "tm.toml:1:8 `\"münchen.example\"` `münchen.example` has letters outside ASCII",
    );
    check_node(&zone("example"), "");
}

#[test]
fn a_zone_leaves_room_for_its_mailbox() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", "a".repeat(60));
    check_node(
        &NODE.replacen("tm.example", &long, 1),
        "tm.toml `hostmaster` and the zone make a name of 265 octets, over 255",
    );
    let given = format!("{}[soa]\nmailbox = \"a@b.example\"\n", NODE.replacen("tm.example", &long, 1));
    check_node(&given, "");
}

#[test]
fn name_servers_are_names_each_once() {
    let servers = |text: &str| NODE.replacen("[\"ns1.tm.example\"]", text, 1);
    check_node(&servers("[]"), "tm.toml:2:16 `[]` `name_servers` is empty");
    check_node(
        &servers("[\"-\"]"),
        "tm.toml:2:17 `\"-\"` `-` is not a DNS name: the label `-` begins or ends with a hyphen",
    );
    check_node(
        &servers("[\"a.example\", { name = \"A.example.\" }]"),
        "tm.toml:2:39 `\"A.example.\"` name server `A.example.` is given twice (tm.toml:2:17 `\"a.example\"`)",
    );
    check_node(
        &servers("[{ name = \"ns1.tm.example\", addresses = [\"ns\", \"0.0.0.0\", \"::1\", \"::1\"] }]"),
        "tm.toml:2:57 `\"ns\"` `ns` is not an address
         tm.toml:2:63 `\"0.0.0.0\"` `0.0.0.0` is the unspecified address
         tm.toml:2:81 `\"::1\"` address `::1` is given twice (tm.toml:2:74 `\"::1\"`)",
    );
    check_node(
        &servers("[7]"),
        "tm.toml:2:17 `7` expected a name in quotes or { name = \"...\", addresses = [...] }, found integer `7`",
    );
    check_node(&servers("[{ name = \"a\", address = [] }]"), "tm.toml:2:31 `address` unknown key `address`");
}

#[test]
fn the_state_directory_is_absolute() {
    check_node(
        &with("state_dir = \"var/tm\""),
        "tm.toml:1:13 `\"var/tm\"` state_dir `var/tm` is not an absolute path",
    );
}

#[test]
fn the_place_of_pins_is_absolute_and_keep_is_a_switch() {
    let listen = |line: &str| NODE.replace("[listen]\n", &format!("[listen]\n{line}\n"));
    check_node(&listen("pins = \"tm\""), "tm.toml:4:8 `\"tm\"` pins `tm` is not an absolute path");
    check_node(&listen("keep = 1"), "tm.toml:4:8 `1` expected a boolean, found integer `1`");
}

#[test]
fn the_soa_is_checked() {
    let soa = |line: &str| format!("{NODE}[soa]\n{line}\n");
    check_node(&soa("mailbox = \"a@b@c\""), "tm.toml:6:11 `\"a@b@c\"` `a@b@c` is not a mailbox");
    check_node(&soa("mailbox = \"\""), "tm.toml:6:11 `\"\"` `` is not a mailbox");
    check_node(&soa("refresh = -1"), "tm.toml:6:11 `-1` refresh -1 is out of range");
    check_node(&soa("retry = 2147483648"), "tm.toml:6:9 `2147483648` retry 2147483648 is out of range");
    check_node(&soa("expire = 2147483647"), "");
    check_node(
        &soa("minimum = 99999999999999999999"),
        "tm.toml:6:11 `99999999999999999999` minimum 99999999999999999999 is out of range",
    );
    check_node(&soa("serial = 1"), "tm.toml:6:1 `serial` unknown key `serial`");
}

#[test]
fn interfaces_are_what_the_kernel_takes() {
    let interfaces = |text: &str| NODE.replacen("[\"eth0\"]", text, 1);
    check_node(&interfaces("[\"\"]"), "tm.toml:4:15 `\"\"` `` is not an interface's name: it is empty");
    check_node(
        &interfaces("[\"abcdefghijklmnop\"]"),
        "tm.toml:4:15 `\"abcdefghijklmnop\"` `abcdefghijklmnop` is not an interface's name: it has 16 octets, over 15",
    );
    check_node(&interfaces("[\"abcdefghijklmno\"]"), "");
    check_node(
        &interfaces("[\"eth/0\"]"),
        "tm.toml:4:15 `\"eth/0\"` `eth/0` is not an interface's name: it has '/' in it",
    );
    check_node(
        &interfaces("[\"eth0\", \"eth0\"]"),
        "tm.toml:4:23 `\"eth0\"` interface `eth0` is given twice (tm.toml:4:15 `\"eth0\"`)",
    );
}

#[test]
fn there_must_be_somewhere_to_answer() {
    let listen = |lines: &str| NODE.replacen("interfaces = [\"eth0\"]", lines, 1);
    check_node(&listen(""), "tm.toml:3:1 `[listen]` [listen] has neither interfaces nor addresses");
    check_node(
        &listen("mode = \"off\""),
        "tm.toml:3:1 `[listen]` [listen] has neither interfaces nor addresses",
    );
    check_node(
        &listen("addresses = [\"::1\"]"),
        "tm.toml:3:1 `[listen]` [listen] has addresses but no interfaces",
    );
    check_node(
        &listen("addresses = [\"::1\"]\nmode = \"Native\""),
        "tm.toml:5:8 `\"Native\"` mode `Native` needs interfaces",
    );
    check_node(&listen("addresses = [\"::1\"]\nmode = \"off\""), "");
    check_node(&listen("interfaces = [\"eth0\"]\nmode = \"off\""), "");
    check_node(
        &listen("interfaces = [\"eth0\"]\nmode = \"skb\""),
        "tm.toml:5:8 `\"skb\"` mode `skb` is not known to this version",
    );
    check_node(
        &listen(
            "interfaces = [\"eth0\"]\naddresses = [\"224.0.0.1\", \"255.255.255.255\", \"::ffff:192.0.2.1\"]",
        ),
        "tm.toml:5:14 `\"224.0.0.1\"` `224.0.0.1` is a multicast address
         tm.toml:5:27 `\"255.255.255.255\"` `255.255.255.255` is the broadcast address
         tm.toml:5:46 `\"::ffff:192.0.2.1\"` `::ffff:192.0.2.1` is an IPv4 address in IPv6's clothes",
    );
}

#[test]
fn ports_and_vlans_are_in_range() {
    let listen = |line: &str| format!("{NODE}{line}\n");
    check_node(&listen("port = 0"), "tm.toml:5:8 `0` port 0 is out of range");
    check_node(&listen("port = 65536"), "tm.toml:5:8 `65536` port 65536 is out of range");
    check_node(&listen("port = 65535"), "");
    check_node(
        &listen("vlans = [-1, 4095, 7, 7]"),
        "tm.toml:5:10 `-1` VLAN id -1 is out of range
         tm.toml:5:14 `4095` VLAN id 4095 is out of range
         tm.toml:5:23 `7` VLAN id 7 is given twice (tm.toml:5:20 `7`)",
    );
}

#[test]
fn prefixes_are_whole() {
    let allow = |text: &str| format!("{NODE}[probes]\nallow = [\"{text}\"]\n");
    for bad in ["127.0.0.1", "127.0.0.0/33", "::/129", "127.0.0.0/", "127.0.0.0/+8", "localhost/8", "/8", ""]
    {
        check_node(&allow(bad), &format!("tm.toml:6:10 `\"{bad}\"` `{bad}` is not a prefix"));
    }
    check_node(
        &allow("127.0.0.1/8"),
        "tm.toml:6:10 `\"127.0.0.1/8\"` `127.0.0.1/8` has bits set beyond its length",
    );
    check_node(&allow("0.0.0.0/0"), "");
    check_node(&allow("fe80::/10"), "");
}

#[test]
fn as_many_names_as_profiles() {
    let limits = |names: &str| format!("{NODE}[limits]\nnames = {names}\n");
    check_node(&limits("-1"), "tm.toml:6:9 `-1` names -1 is out of range");
    check_node(&limits("16777217"), "tm.toml:6:9 `16777217` names 16777217 is out of range");
    let two = format!("{PROFILE}{}", PROFILE.replace("contoso", "fabrikam"));
    let load =
        |names: &str, expected| check(&[("tm.toml", &limits(names)), ("conf.d/a.toml", &two)], expected);
    load("1", "tm.toml:6:9 `1` names 1 is less than the 2 profiles");
    load("2", "");
    load("0", "");
}

#[test]
fn connections_are_bounded() {
    let samples = |line: &str| format!("{NODE}[samples]\n{line}\n");
    check_node(&samples("one_in = 0"), "tm.toml:6:10 `0` one_in 0 is out of range");
    check_node(&samples("one_in = 65536"), "tm.toml:6:10 `65536` one_in 65536 is out of range");
    check_node(&samples("window = \"59s\""), "tm.toml:6:10 `\"59s\"` window `59s` is out of range");
    check_node(&samples("window = \"32d\""), "tm.toml:6:10 `\"32d\"` window `32d` is out of range");
    check_node(&samples("one_in = 1\nwindow = \"31d\""), "");
    let tcp = |line: &str| format!("{NODE}[tcp]\n{line}\n");
    check_node(&tcp("idle_timeout = \"0s\""), "tm.toml:6:16 `\"0s\"` idle_timeout `0s` is out of range");
    check_node(&tcp("idle_timeout = \"61m\""), "tm.toml:6:16 `\"61m\"` idle_timeout `61m` is out of range");
    check_node(
        &tcp("idle_timeout = \"soon\""),
        "tm.toml:6:16 `\"soon\"` idle_timeout `soon` is not a duration",
    );
    check_node(
        &tcp("message_timeout = \"2m\""),
        "tm.toml:6:19 `\"2m\"` message_timeout `2m` is out of range",
    );
    check_node(&tcp("connections = 0"), "tm.toml:6:15 `0` connections 0 is out of range");
    check_node(&tcp("connections = 65536"), "tm.toml:6:15 `65536` connections 65536 is out of range");
    check_node(
        &tcp("connections = 20\nconnections_per_client = 21"),
        "tm.toml:7:26 `21` connections_per_client 21 is more than the 20 connections that all clients have together",
    );
    check_node(&tcp("clients = 3"), "tm.toml:6:1 `clients` unknown key `clients`");
}

#[test]
fn fewer_connections_are_fewer_for_each_client() {
    let text = format!("{NODE}[tcp]\nidle_timeout = \"1h\"\nmessage_timeout = \"1s\"\nconnections = 20\n");
    let node = load_files(&[("tm.toml", text.as_bytes())]).1.unwrap().node;
    let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
    let expected =
        Tcp { idle_timeout: hour, message_timeout: second, connections: 20, connections_per_client: 20 };
    assert_eq!(node.sockets.tcp, expected);
}

#[test]
fn what_the_server_says_of_itself_is_one_text_each() {
    let chaos = |lines: &str| format!("{NODE}[chaos]\n{lines}\n");
    let load = |lines: &str| load_files(&[("tm.toml", chaos(lines).as_bytes())]).1.unwrap().node;
    assert_eq!(load("").sockets.chaos, Chaos::default());
    let longest = "v".repeat(255);
    let node = load(&format!("version = \"{longest}\"\nserver = \"ams1\""));
    let expected = Chaos { version: Some(longest.as_str().into()), server: Some("ams1".into()) };
    assert_eq!(node.sockets.chaos, expected);
    check_node(&chaos("version = \"\""), "tm.toml:6:11 `\"\"` version has 0 octets");
    let long = "v".repeat(256);
    let expected = format!("tm.toml:6:10 `\"{long}\"` server has 256 octets");
    check_node(&chaos(&format!("server = \"{long}\"")), &expected);
    check_node(&chaos("id = \"ams1\""), "tm.toml:6:1 `id` unknown key `id`");
}

#[test]
fn the_servers_identifier_is_a_text_or_none() {
    let load = |lines: &str| load_files(&[("tm.toml", format!("{NODE}{lines}").as_bytes())]).1.unwrap().node;
    assert_eq!(load("").sockets.nsid, None);
    assert_eq!(load("[edns]\n").sockets.nsid, None);
    assert_eq!(load("[edns]\nnsid = \"ams1\"\n").sockets.nsid.as_deref(), Some("ams1"));
    check_node(&format!("{NODE}[edns]\nnsid = \"\"\n"), "tm.toml:6:8 `\"\"` nsid has 0 octets");
    let long = "n".repeat(256);
    check_node(
        &format!("{NODE}[edns]\nnsid = \"{long}\"\n"),
        &format!("tm.toml:6:8 `\"{long}\"` nsid has 256 octets"),
    );
    check_node(&format!("{NODE}[edns]\nid = \"a\"\n"), "tm.toml:6:1 `id` unknown key `id`");
}

const OFF: Limit = Limit { answers_per_second: 0, slip: 0 };

#[test]
fn who_says_nothing_of_a_limit_has_one_in_a_flood() {
    let load = |lines: &str| {
        let node = format!("{NODE}[rate_limit]\n{lines}\n");
        load_files(&[("tm.toml", node.as_bytes())]).1.unwrap().node.rate_limit.clone()
    };
    let seconds = Duration::from_secs;
    for (lines, answers_per_second, above, calm) in [
        ("", 25_000, 2_000_000, seconds(60)),
        ("armed_above = 5000", 500, 5000, seconds(60)),
        ("armed_above = 9\ndisarmed_after = \"1h\"", 1, 9, seconds(3600)),
        ("answers_per_second = 20\narmed_above = 1000000000", 20, 1_000_000_000, seconds(60)),
        ("disarmed_after = \"1s\"", 25_000, 2_000_000, seconds(1)),
    ] {
        let limit = load(lines);
        assert_eq!(limit.arming, Some(Arming { above, calm }), "{lines}");
        assert_eq!(limit.in_force(true), Limit { answers_per_second, slip: 2 }, "{lines}");
        assert_eq!(limit.in_force(false), OFF, "{lines}");
    }

    let check = |lines: &str, expected: &str| check_node(&format!("{NODE}[rate_limit]\n{lines}\n"), expected);
    check("armed_above = 0", "tm.toml:6:15 `0` armed_above 0 is out of range");
    check("disarmed_after = \"0s\"", "tm.toml:6:18 `\"0s\"` disarmed_after `0s` is out of range");
    check(
        "answers_per_second = 0\narmed_above = 5",
        "tm.toml:7:15 `5` armed_above says when there is a limit, and answers_per_second 0 that there is none",
    );
    check(
        "answers_per_second = 5\ndisarmed_after = \"5s\"",
        "tm.toml:7:18 `\"5s\"` disarmed_after is given, but the limit does not wait for anything",
    );
}

#[test]
fn answers_are_limited_as_is_said() {
    let lines = |lines: &str| format!("{NODE}[rate_limit]\n{lines}\n");
    let load =
        |text: &str| load_files(&[("tm.toml", lines(text).as_bytes())]).1.unwrap().node.rate_limit.clone();
    let none = load("answers_per_second = 0");
    assert_eq!((none.arming, none.in_force(true), none.in_force(false)), (None, OFF, OFF), "never");
    let always = load("answers_per_second = 7\nslip = 3");
    let seven = Limit { answers_per_second: 7, slip: 3 };
    assert_eq!((always.arming, always.in_force(true), always.in_force(false)), (None, seven, seven));
    let prefixes: Vec<String> = (0..64).map(|i| format!("\"10.0.{i}.0/24\"")).collect();
    let all =
        load(&format!("answers_per_second = 1000000000\nslip = 100\nallow = [{}]", prefixes.join(", ")));
    assert_eq!((all.limit.answers_per_second, all.limit.slip, all.allow.len()), (1_000_000_000, 100, 64));
    assert_eq!(all.allow[63], ("10.0.63.0".parse().unwrap(), 24));
    let v6 = load("slip = 0\nallow = [\"2001:db8::/32\"]");
    assert_eq!((v6.limit.slip, &v6.allow[..]), (0, &[("2001:db8::".parse().unwrap(), 32)][..]));

    check_node(&lines("answers_per_second = -1"), "tm.toml:6:22 `-1` answers_per_second -1 is out of range");
    check_node(&lines("slip = 101"), "tm.toml:6:8 `101` slip 101 is out of range");
    check_node(
        &lines("allow = [\"10.0.0.1/24\"]"),
        "tm.toml:6:10 `\"10.0.0.1/24\"` `10.0.0.1/24` has bits set beyond its length",
    );
    let more = format!("allow = [{}, \"::/0\"]", prefixes.join(", "));
    check_node(
        &lines(&more),
        &format!("tm.toml:6:{} `\"::/0\"` allow has 65 prefixes, over 64", more.find("\"::").unwrap() + 1),
    );
    check_node(
        &lines("allow = [\"10.0.0.0/8\", \"10.0.0.0/8\"]"),
        "tm.toml:6:24 `\"10.0.0.0/8\"` `10.0.0.0/8` is given twice (tm.toml:6:10 `\"10.0.0.0/8\"`)",
    );
}

#[test]
fn replies_over_udp_are_as_long_as_is_said() {
    let edns = |lines: &str| format!("{NODE}[edns]\n{lines}\n");
    let load =
        |lines: &str| load_files(&[("tm.toml", edns(lines).as_bytes())]).1.unwrap().node.sockets.payload;
    assert_eq!(load(""), Payload { most: 1232, without_cookie: 512 });
    assert_eq!(load("payload = 512"), Payload { most: 512, without_cookie: 512 });
    let both = load("payload = 1400\npayload_without_cookie = 1400");
    assert_eq!(both, Payload { most: 1400, without_cookie: 1400 });
    for wrong in ["511", "1401"] {
        for key in ["payload", "payload_without_cookie"] {
            let column = key.len() + 4;
            let expected = format!("tm.toml:6:{column} `{wrong}` {key} {wrong} is out of range");
            check_node(&edns(&format!("{key} = {wrong}")), &expected);
        }
    }
    check_node(
        &edns("payload = 1000\npayload_without_cookie = 1001"),
        "tm.toml:7:26 `1001` payload_without_cookie 1001 is more than the payload 1000 of anybody",
    );
}
