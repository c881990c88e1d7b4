//! Nested endpoints and MultiValue, rule by rule.

use tm_userspace::desired::{MinChild, RoutingMethod, Target};

use crate::kit::{
    NODE, PROFILE, check, check_endpoint, check_profiles, endpoints, load_files, loaded_profile, profile,
};

/// A profile that nests `children`: three lines of its own, and four of each.
fn parent(name: &str, children: &[&str]) -> String {
    let endpoint = |child: &&str| {
        format!(
            "[[profile.endpoint]]\nname = \"to-{child}\"\ntype = \"nested\"\ntarget_profile = \"{child}\"\n"
        )
    };
    profile(name, &children.iter().map(endpoint).collect::<String>())
}

/// A profile with one address.
fn leaf(name: &str) -> String {
    profile(name, "[[profile.endpoint]]\nname = \"e\"\ntarget = \"192.0.2.1\"\n")
}

#[test]
fn nested_endpoints_are_read() {
    let lines = "min_child_endpoints = 2\nmin_child_endpoints_ipv4 = 1\nmin_child_endpoints_ipv6 = 0\n";
    let loaded = loaded_profile(&(parent("top", &["CHILD"]) + lines + &leaf("Child")));
    let nested = &loaded.profiles["top"].endpoints[0];
    assert_eq!(nested.target, Target::Profile("Child".into()), "as the profile has it");
    assert_eq!(nested.min_child, MinChild { endpoints: 2, ipv4: 1, ipv6: 0 });
    let short = loaded.warnings.iter().map(|line| line.split_once("conf.d/").unwrap().1).collect::<Vec<_>>();
    assert_eq!(
        short,
        [
            "a.toml:7:18: endpoint `to-CHILD` needs 2 endpoints of profile `Child`, which has 1: it is always Degraded"
        ]
    );
    let idle = parent("top", &["child"]).replacen(
        "[[profile.endpoint]]",
        "failback = \"manual\"\n[[profile.endpoint]]",
        1,
    );
    let idle = loaded_profile(&(idle + &leaf("child"))).warnings;
    assert_eq!(
        idle[0].split_once(": ").unwrap().1,
        "failback has no effect where all endpoints are nested: write it in their profiles"
    );
    let plain = loaded_profile(&(parent("top", &["child"]) + &leaf("child")));
    assert_eq!(plain.profiles["top"].endpoints[0].min_child, MinChild { endpoints: 1, ipv4: 0, ipv6: 0 });
    assert_eq!(plain.warnings, [""; 0]);
}

#[test]
fn keys_go_with_their_type() {
    check_endpoint(
        "target_profile = \"contoso\"\nmin_child_endpoints = 1",
        "conf.d/a.toml:6:18 `\"contoso\"` `target_profile` on an endpoint that is not nested
         conf.d/a.toml:7:23 `1` `min_child_endpoints` on an endpoint that is not nested",
    );
    check_endpoint(
        "type = \"nested\"\ntarget = \"192.0.2.1\"",
        "conf.d/a.toml:7:10 `\"192.0.2.1\"` a nested endpoint has a `target_profile`, no `target`",
    );
    check_endpoint(
        "type = \"nested\"",
        "conf.d/a.toml:5:8 `\"east\"` missing key `target_profile` of a nested endpoint",
    );
    check_endpoint("weight = 1", "conf.d/a.toml:5:8 `\"east\"` missing key `target`");
    check_profiles(
        &(parent("top", &["child"]) + "always_serve = true\n" + &leaf("child")),
        "conf.d/a.toml:8:16 `true` always_serve on a nested endpoint, which is not probed",
    );
    check_profiles(
        &(parent("top", &["child"]) + "monitor = { port = 81 }\n" + &leaf("child")),
        "conf.d/a.toml:8:11 `{ port = 81 }` a monitor on a nested endpoint, which is not probed",
    );
    check_profiles(
        &(parent("top", &["child"])
            + "min_child_endpoints = 0\nmin_child_endpoints_ipv6 = 1001\n"
            + &leaf("child")),
        "conf.d/a.toml:8:23 `0` min_child_endpoints 0 is out of range
         conf.d/a.toml:9:28 `1001` min_child_endpoints_ipv6 1001 is out of range",
    );
}

#[test]
fn the_target_profile_is_there() {
    let text = parent("top", &["chlid"]) + &leaf("child");
    check_profiles(&text, "conf.d/a.toml:7:18 `\"chlid\"` there is no profile `chlid`");
    let files = [("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())];
    assert_eq!(load_files(&files).1.unwrap_err().problems()[0].help, "did you mean `child`?");
    check_profiles(
        &(parent("top", &["child", "Child"]).replace("to-Child", "other") + &leaf("child")),
        "conf.d/a.toml:11:18 `\"Child\"` target_profile `Child` is there twice (conf.d/a.toml:7:18 `\"child\"`)",
    );
}

#[test]
fn nested_endpoints_stand_beside_any_other() {
    let text = parent("top", &["child"]) + "[[profile.endpoint]]\nname = \"v6\"\ntarget = \"2001:db8::1\"\n";
    check_profiles(&(text + &leaf("child")), "");
}

#[test]
fn loops_are_told_with_their_chain() {
    check_profiles(
        &parent("top", &["Top"]),
        "conf.d/a.toml:7:18 `\"Top\"` target_profile `top` leads back to this profile: top -> top",
    );
    check_profiles(
        &(leaf("x") + &parent("a", &["x", "b"]) + &parent("b", &["c"]) + &parent("c", &["b", "x"])),
        "conf.d/a.toml:31:18 `\"b\"` target_profile `b` leads back to this profile: b -> c -> b",
    );
    // By way of a name in the zone: what is nested would answer with the name that was asked.
    check_profiles(
        &(parent("a", &["b"])
            + &profile("b", "[[profile.endpoint]]\nname = \"e\"\ntarget = \"a.tm.example\"\n")),
        "conf.d/a.toml:13:10 `\"a.tm.example\"` target `a.tm.example` leads back to this profile: a -> b -> a",
    );
    // Two ways to one profile are no loop.
    check_profiles(
        &(parent("a", &["b", "c"]) + &parent("b", &["d"]) + &parent("c", &["d"]) + &leaf("d")),
        "",
    );
}

#[test]
fn ten_levels_and_no_more() {
    let levels = |count: usize| -> String {
        let above = (1..count).map(|n| parent(&format!("p{n}"), &["leaf", &format!("p{}", n + 1)]));
        above.collect::<String>() + &leaf(&format!("p{count}")) + &leaf("leaf")
    };
    check_profiles(&levels(10), "");
    check_profiles(
        &levels(11),
        "conf.d/a.toml:11:18 `\"p2\"` profiles are nested 11 deep, over 10: p1 -> p2 -> p3 -> p4 -> p5 -> p6 -> p7 -> p8 -> p9 -> p10 -> leaf",
    );
    // Very deep: told all the same, by its ends.
    check_profiles(
        &levels(3000),
        "conf.d/a.toml:11:18 `\"p2\"` profiles are nested 3000 deep, over 10: p1 -> p2 -> p3 -> p4 -> p5 -> p6 -> p7 -> p8 -> p9 -> p10 -> … -> p2991 -> p2992 -> p2993 -> p2994 -> p2995 -> p2996 -> p2997 -> p2998 -> p2999 -> leaf",
    );
}

#[test]
fn trees_are_not_too_large() {
    // Each of six levels nests all eight of the next: 8^5 ways to the last.
    let name = |level: usize, n: usize| format!("l{level}-{n}");
    let level = |level: usize| -> String {
        let children: Vec<String> = (0..8).map(|n| name(level + 1, n)).collect();
        let children: Vec<&str> = children.iter().map(String::as_str).collect();
        (0..8).map(|n| parent(&name(level, n), &children)).collect()
    };
    let last: String = (0..8).map(|n| leaf(&name(5, n))).collect();
    let fits = (2..5).map(level).collect::<String>() + &last;
    check_profiles(&(parent("top", &["l2-0"]) + &fits), "");
    // 16, 136, 1096 and 8776 at the levels above the last, and three of these with three endpoints.
    let over = parent("top", &["l1-0", "l1-1", "l1-2"]) + &level(1) + &fits;
    check_profiles(
        &over,
        "conf.d/a.toml:2:8 `\"top\"` profile `top` has 26331 endpoints with those below it, over 10000",
    );
}

#[test]
fn multivalue_answers_with_addresses_of_both_families() {
    let multivalue = |text: String| text.replacen("priority", "multivalue", 1);
    let both = endpoints(&["target = \"192.0.2.1\"", "target = \"2001:db8::1\""]);
    let loaded = loaded_profile(&multivalue(both));
    let contoso = &loaded.profiles["contoso"];
    assert_eq!((contoso.routing_method, contoso.max_return), (RoutingMethod::MultiValue, 2));
    check_profiles(
        &multivalue(endpoints(&["target = \"192.0.2.1\"", "target = \"a.example\""])),
        "conf.d/a.toml:9:10 `\"a.example\"` endpoint `e1` answers with a DNS name, but the routing_method is multivalue",
    );
    check_profiles(
        &(multivalue(parent("top", &["child"])) + &leaf("child")),
        "conf.d/a.toml:7:18 `\"child\"` endpoint `to-child` answers with a profile, but the routing_method is multivalue",
    );
    check_profiles(&(parent("top", &["child"]) + &multivalue(leaf("child"))), "");
}

#[test]
fn max_return_is_one_to_ten() {
    let with = |value: &str| {
        profile("contoso", &format!("max_return = {value}\n")).replacen("priority", "MultiValue", 1)
    };
    check_profiles(&with("0"), "conf.d/a.toml:4:14 `0` max_return 0 is out of range");
    check_profiles(&with("11"), "conf.d/a.toml:4:14 `11` max_return 11 is out of range");
    assert_eq!(loaded_profile(&with("10")).profiles["contoso"].max_return, 10);
    let unused = loaded_profile(&profile("contoso", "max_return = 3\n")).warnings.concat();
    assert!(
        unused.contains("a.toml:4:14: max_return is used with routing_method multivalue alone"),
        "{unused}"
    );
}

#[test]
fn old_names_and_other_spellings() {
    let method = |word: &str| {
        loaded_profile(&PROFILE.replace("\"priority\"", &format!("\"{word}\""))).profiles["contoso"]
            .routing_method
    };
    for (word, expected) in [
        ("Failover", RoutingMethod::Priority),
        ("RoundRobin", RoutingMethod::Weighted),
        ("Round Robin", RoutingMethod::Weighted),
        ("round_robin", RoutingMethod::Weighted),
        ("MultiValue", RoutingMethod::MultiValue),
        ("multi_value", RoutingMethod::MultiValue),
        ("Performance", RoutingMethod::Performance),
    ] {
        assert_eq!(method(word), expected, "{word}");
    }
}

#[test]
fn azures_weights_are_a_setting() {
    let files = |node: &str, weight: u8, expected: &str| {
        let text = endpoints(&[&format!("target = \"192.0.2.1\"\nweight = {weight}")]);
        check(&[("tm.toml", &(NODE.to_owned() + node)), ("conf.d/a.toml", &text)], expected);
    };
    files("", 0, "");
    files("[limits]\nleast_weight = 0\n", 0, "");
    files("[limits]\nleast_weight = 1\n", 0, "conf.d/a.toml:7:10 `0` weight 0 is out of range");
    files("[limits]\nleast_weight = 1\n", 1, "");
    files("[limits]\nleast_weight = 2\n", 1, "tm.toml:6:16 `2` least_weight 2 is out of range");
}
