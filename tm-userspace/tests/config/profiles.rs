//! `[[profile]]`, rule by rule.

use crate::kit::{
    NODE, PROFILE, check, check_endpoint, check_monitor, check_profiles, endpoints, load_files,
    loaded_profile, profile,
};

#[test]
fn profile_names_are_there_once_over_all_files() {
    check(
        &[("tm.toml", NODE), ("conf.d/a.toml", PROFILE), ("conf.d/b.toml", &profile("Contoso", ""))],
        "conf.d/b.toml:2:8 `\"Contoso\"` profile `Contoso` is there twice (conf.d/a.toml:2:8 `\"contoso\"`)",
    );
    check_profiles(
        &format!("{PROFILE}{PROFILE}"),
        "conf.d/a.toml:5:8 `\"contoso\"` profile `contoso` is there twice (conf.d/a.toml:2:8 `\"contoso\"`)",
    );
}

#[test]
fn dns_names_are_there_once() {
    check_profiles(
        &(PROFILE.to_owned() + &profile("shop", "relative_name = \"CONTOSO\"\n")),
        "conf.d/a.toml:7:17 `\"CONTOSO\"` DNS name `contoso.tm.example` is that of profile `contoso` too (conf.d/a.toml:2:8 `\"contoso\"`)",
    );
    check_profiles(
        &profile("ns1", ""),
        "conf.d/a.toml:2:8 `\"ns1\"` DNS name `ns1.tm.example` is that of a name server in tm.toml",
    );
}

#[test]
fn names_can_be_told_apart_and_shown() {
    check_profiles(&profile("", "relative_name = \"a\"\n"), "conf.d/a.toml:2:8 `\"\"` the name is empty");
    check_profiles(
        &profile("a/b", "relative_name = \"a\"\n"),
        "conf.d/a.toml:2:8 `\"a/b\"` the name `a/b` has '/' in it",
    );
    check_profiles(
        &profile(r"a\u001bb", "relative_name = \"a\"\n"),
        r#"conf.d/a.toml:2:8 `"a\u001bb"` the name `a\u{1b}b` has '\u{1b}' in it"#,
    );
    check_profiles(
        &profile(" a", "relative_name = \"a\"\n"),
        "conf.d/a.toml:2:8 `\" a\"` the name ` a` begins or ends with a space",
    );
    let long = "n".repeat(261);
    check_profiles(
        &profile(&long, "relative_name = \"a\"\n"),
        &format!("conf.d/a.toml:2:8 `\"{long}\"` the name has 261 characters, over 260"),
    );
}

#[test]
fn relative_names_are_dns_names() {
    let relative = |text: &str| profile("contoso", &format!("relative_name = \"{text}\"\n"));
    let check = |text: &str, what: &str| {
        check_profiles(
            &relative(text),
            &format!("conf.d/a.toml:4:17 `\"{text}\"` `{text}` is not a DNS name: {what}"),
        );
    };
    check("", "it is empty");
    check("a..b", "it has an empty label");
    check("a.", "it has an empty label");
    check("a b", "it has ' ' in it");
    check("*", "it has '*' in it");
    check("-a", "the label `-a` begins or ends with a hyphen");
    check("a.b-", "the label `b-` begins or ends with a hyphen");
    let (fits, over) = ("a".repeat(63), "a".repeat(64));
    check(&over, &format!("the label `{over}` has 64 octets"));
    check_profiles(&relative(&fits), "");
    check_profiles(&relative("_a.b-c.1"), "");
}

#[test]
fn names_are_at_most_255_octets_with_the_zone() {
    // tm.example takes 12 octets with its root's; 63+1 three times leaves 50 for the last label's 49.
    let label = "a".repeat(63);
    let name = |last: usize| format!("{label}.{label}.{label}.{}", "a".repeat(last));
    check_profiles(&profile("a", &format!("relative_name = \"{}\"\n", name(50))), "");
    let over = name(51);
    check_profiles(
        &profile("a", &format!("relative_name = \"{over}\"\n")),
        &format!(
            "conf.d/a.toml:4:17 `\"{over}\"` `{}…` and the zone make a name of 256 octets, over 255",
            &over[..80]
        ),
    );
}

#[test]
fn methods_statuses_and_types_are_known_words() {
    check_profiles(
        &PROFILE.replace("\"priority\"", "\"nearest\""),
        "conf.d/a.toml:3:18 `\"nearest\"` routing_method `nearest` is not known to this version",
    );
    check_profiles(
        &profile("contoso", "status = \"on\"\n"),
        "conf.d/a.toml:4:10 `\"on\"` status `on` is not known to this version",
    );
    check_endpoint(
        "target = \"192.0.2.1\"\ntype = \"aws\"\nstatus = \"off\"",
        "conf.d/a.toml:7:8 `\"aws\"` type `aws` is not known to this version
         conf.d/a.toml:8:10 `\"off\"` status `off` is not known to this version",
    );
    check_monitor(
        "protocol = \"icmp\"",
        "conf.d/a.toml:5:12 `\"icmp\"` protocol `icmp` is not known to this version",
    );
}

#[test]
fn the_known_words_are_told() {
    let text = PROFILE.replace("\"priority\"", "\"nearest\"");
    let error =
        load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]).1.unwrap_err();
    assert_eq!(
        error.problems()[0].help,
        "write \"priority\" or \"weighted\" or \"multivalue\" or \"subnet\" or \"geographic\" or \"performance\""
    );
}

#[test]
fn ttls_are_31_bits() {
    let ttl = |value: &str| profile("contoso", &format!("ttl = {value}\n"));
    check_profiles(&ttl("-1"), "conf.d/a.toml:4:7 `-1` ttl -1 is out of range");
    check_profiles(&ttl("2147483648"), "conf.d/a.toml:4:7 `2147483648` ttl 2147483648 is out of range");
    check_profiles(&ttl("0"), "");
    check_profiles(&ttl("2147483647"), "");
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let warnings = |text: &str| {
        let warnings = loaded_profile(text).warnings;
        let short = |line: &String| line.split_once("conf.d/").unwrap().1.to_owned();
        warnings.iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(warnings(PROFILE), ["a.toml:2:8: profile `contoso` has no endpoints"]);
    assert_eq!(
        warnings(&endpoints(&["target = \"missing.tm.example\""])),
        ["a.toml:6:10: target `missing.tm.example` is in the zone, but no profile answers it"]
    );
    // By a wildcard's names, which nobody is kept from leading to.
    let leading = |name: &str, relative: &str, target: &str| {
        let head = format!("[[profile]]\nname = \"{name}\"\nrelative_name = \"{relative}\"\n");
        let endpoint = format!("[[profile.endpoint]]\nname = \"e\"\ntarget = \"{target}.tm.example\"\n");
        format!("{head}routing_method = \"priority\"\n{endpoint}")
    };
    let led = |line: usize, way: &str| {
        vec![format!("a.toml:{line}:10: clients that ask for this target are led in a circle: {way}")]
    };
    assert_eq!(warnings(&leading("any", "*.shop", "a.shop")), led(7, "any -> any"));
    let two = leading("any", "*.shop", "web") + &leading("web", "web", "x.shop");
    assert_eq!(warnings(&two), led(14, "any -> web -> any"));
    let straight =
        leading("any", "*.shop", "web") + &leading("web", "web", "x.store") + &leading("b", "*.store", "y.z");
    assert_eq!(
        warnings(&straight),
        ["a.toml:21:10: target `y.z.tm.example` is in the zone, but no profile answers it"]
    );
    let tcp = "[profile.monitor]\nprotocol = \"tcp\"\nexpected_status = [200]\nverify_certificate = true\nheaders = { A = \"\" }\n";
    assert_eq!(
        warnings(&profile(
            "contoso",
            &format!("{tcp}[[profile.endpoint]]\nname = \"e\"\ntarget = \"::1\"\n")
        )),
        [
            "a.toml:6:19: expected_status is not used with protocol tcp",
            "a.toml:8:11: headers is not used with protocol tcp",
            "a.toml:7:22: verify_certificate is used with protocol https alone",
        ]
    );
}
