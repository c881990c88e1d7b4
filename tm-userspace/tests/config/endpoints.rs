//! `[[profile.endpoint]]`, rule by rule.

use crate::kit::{check_endpoint, check_profiles, endpoints, profile};

#[test]
fn endpoints_are_named_once() {
    let text = endpoints(&["target = \"192.0.2.1\"", "target = \"192.0.2.2\""]).replace("e1", "E0");
    check_profiles(
        &text,
        "conf.d/a.toml:8:8 `\"E0\"` endpoint `E0` is there twice (conf.d/a.toml:5:8 `\"e0\"`)",
    );
}

#[test]
fn targets_are_there_once() {
    check_profiles(
        &endpoints(&["target = \"192.0.2.1\"", "target = \"192.0.2.1\""]),
        "conf.d/a.toml:9:10 `\"192.0.2.1\"` target `192.0.2.1` is there twice (conf.d/a.toml:6:10 `\"192.0.2.1\"`)",
    );
    check_profiles(
        &endpoints(&["target = \"a.example\"", "target = \"A.Example.\""]),
        "conf.d/a.toml:9:10 `\"A.Example.\"` target `A.Example.` is there twice (conf.d/a.toml:6:10 `\"a.example\"`)",
    );
    check_profiles(
        &endpoints(&["target = \"2001:db8::1\"", "target = \"2001:DB8:0::1\""]),
        "conf.d/a.toml:9:10 `\"2001:DB8:0::1\"` target `2001:DB8:0::1` is there twice (conf.d/a.toml:6:10 `\"2001:db8::1\"`)",
    );
}

#[test]
fn targets_are_of_one_kind() {
    check_profiles(
        &endpoints(&[
            "target = \"192.0.2.1\"",
            "target = \"192.0.2.2\"",
            "target = \"::1\"",
            "target = \"a.example\"",
        ]),
        "conf.d/a.toml:12:10 `\"::1\"` an IPv6 address beside an IPv4 address in one profile (conf.d/a.toml:6:10 `\"192.0.2.1\"`)",
    );
    check_profiles(
        &endpoints(&["target = \"a.example\"", "target = \"192.0.2.2\""]),
        "conf.d/a.toml:9:10 `\"192.0.2.2\"` an IPv4 address beside a DNS name in one profile (conf.d/a.toml:6:10 `\"a.example\"`)",
    );
}

#[test]
fn priorities_are_there_once_on_all_or_none() {
    check_profiles(
        &endpoints(&["target = \"192.0.2.1\"\npriority = 2", "target = \"192.0.2.2\"\npriority = 2"]),
        "conf.d/a.toml:11:12 `2` priority 2 is there twice (conf.d/a.toml:7:12 `2`)",
    );
    check_profiles(
        &endpoints(&[
            "target = \"192.0.2.1\"",
            "target = \"192.0.2.2\"\npriority = 2",
            "target = \"192.0.2.3\"",
        ]),
        "conf.d/a.toml:5:8 `\"e0\"` endpoint `e0` has no priority, but others have (conf.d/a.toml:10:12 `2`)",
    );
}

#[test]
fn priorities_and_weights_are_in_range() {
    let endpoint =
        |line: &str, expected| check_endpoint(&format!("target = \"192.0.2.1\"\n{line}"), expected);
    endpoint("priority = 0", "conf.d/a.toml:7:12 `0` priority 0 is out of range");
    endpoint("priority = 1001", "conf.d/a.toml:7:12 `1001` priority 1001 is out of range");
    endpoint("priority = 1000", "");
    endpoint("weight = 0", "");
    endpoint("weight = -1", "conf.d/a.toml:7:10 `-1` weight -1 is out of range");
    endpoint("weight = 0x3e9", "conf.d/a.toml:7:10 `0x3e9` weight 0x3e9 is out of range");
    endpoint("weight = 1000", "");
}

#[test]
fn a_profile_has_at_most_as_many_endpoints_as_there_are_priorities() {
    let many = |count: u32| {
        let each: Vec<_> =
            (0..count).map(|n| format!("target = \"10.{}.{}.{}\"", n >> 16, n >> 8 & 255, n & 255)).collect();
        endpoints(&each.iter().map(String::as_str).collect::<Vec<_>>())
    };
    check_profiles(&many(1000), "");
    // More than 16 bits count.
    check_profiles(&many(65_536), "conf.d/a.toml:3005:8 `\"e1000\"` 65536 endpoints, over 1000");
    // Three lines of profile, three of each endpoint before, and its own second.
    check_profiles(&many(1001), "conf.d/a.toml:3005:8 `\"e1000\"` 1001 endpoints, over 1000");
}

#[test]
fn targets_are_hosts_alone() {
    let target = |text: &str, what: &str| {
        check_endpoint(
            &format!("target = \"{text}\""),
            &format!("conf.d/a.toml:6:10 `\"{text}\"` `{text}` {what}"),
        );
    };
    target("http://www.example.com/x", "is a URL");
    target("www.example.com/x", "has a path");
    target("www.example.com:80", "has a port");
    target("192.0.2.1:80", "has a port");
    target("[2001:db8::1]:80", "has a port");
    target("[2001:db8::1]", "is neither an IPv6 address nor a DNS name");
    target("fe80::1%eth0", "is neither an IPv6 address nor a DNS name");
    target("192.0.2.256", "is neither an IPv4 address nor a DNS name");
    target("192.0.2", "is neither an IPv4 address nor a DNS name");
    target("", "is not a DNS name: it is empty");
    target("www example.com", "is not a DNS name: it has ' ' in it");
    target("0.0.0.0", "is the unspecified address");
    target("::", "is the unspecified address");
    target("224.0.0.1", "is a multicast address");
    target("ff02::1", "is a multicast address");
    target("255.255.255.255", "is the broadcast address");
    target("::ffff:192.0.2.1", "is an IPv4 address in IPv6's clothes");
}

#[test]
fn targets_never_lead_back() {
    check_endpoint(
        "target = \"Contoso.tm.example.\"",
        "conf.d/a.toml:6:10 `\"Contoso.tm.example.\"` target `contoso.tm.example` leads back to this profile: contoso -> contoso",
    );
    let to = |name: &str, target: &str| {
        profile(name, &format!("[[profile.endpoint]]\nname = \"e\"\ntarget = \"{target}.tm.example\"\n"))
    };
    check_profiles(
        &(to("a", "b") + &to("b", "c") + &to("c", "a")),
        "conf.d/a.toml:18:10 `\"a.tm.example\"` target `a.tm.example` leads back to this profile: a -> b -> c -> a",
    );
    let end = profile("d", "[[profile.endpoint]]\nname = \"e\"\ntarget = \"192.0.2.1\"\n");
    check_profiles(&(to("a", "d") + &to("b", "d") + &to("c", "b") + &end), "");
}
