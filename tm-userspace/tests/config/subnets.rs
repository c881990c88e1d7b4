//! `subnets`: what they may be, and what they may not.

use crate::kit::{check_profiles, loaded_profile};

fn subnet_profile(each: &[&str]) -> String {
    let endpoint = |(i, subnets): (usize, &&str)| {
        format!(
            "[[profile.endpoint]]\nname = \"e{i}\"\ntarget = \"192.0.2.{}\"\nsubnets = [{subnets}]\n",
            i + 1
        )
    };
    "[[profile]]\nname = \"contoso\"\nrouting_method = \"subnet\"\n".to_owned()
        + &each.iter().enumerate().map(endpoint).collect::<String>()
}

#[test]
fn ranges_in_every_form() {
    let loaded = loaded_profile(&subnet_profile(&[
        r#""203.0.113.0/24", "198.51.100.10-198.51.100.20", "192.0.2.7""#,
        r#""203.0.113.128/25", "2001:db8::/32", "10.0.0.0 - 10.0.0.255""#,
        "",
    ]));
    let said: Vec<Vec<String>> = loaded
        .profiles
        .values()
        .next()
        .unwrap()
        .endpoints
        .iter()
        .map(|e| e.subnets.iter().map(ToString::to_string).collect())
        .collect();
    let expected: [&[&str]; 3] = [
        &["203.0.113.0/24", "198.51.100.10-198.51.100.20", "192.0.2.7/32"],
        &["203.0.113.128/25", "2001:db8::/32", "10.0.0.0/24"],
        &[],
    ];
    assert_eq!(said, expected);
}

#[test]
fn ranges_that_are_none() {
    let bad = |text: &str, what: &str| {
        check_profiles(
            &subnet_profile(&[&format!("\"{text}\"")]),
            &format!("conf.d/a.toml:7:12 `\"{text}\"` `{text}` {what}"),
        );
    };
    bad("203.0.113.1/24", "has bits set beyond its length");
    bad("203.0.113.0/33", "is not a prefix");
    bad("contoso", "is no range of addresses");
    bad("203.0.113.9-203.0.113.1", "ends before it begins");
    bad("203.0.113.9-2001:db8::", "begins and ends in different families");
    bad("64:ff9b::c000:200/120", "is inside 64:ff9b::/96, whose addresses hold IPv4 addresses");
    bad("2002::/16", "is inside 2002::/16, whose addresses hold IPv4 addresses");
}

#[test]
fn ranges_against_each_other() {
    check_profiles(&subnet_profile(&[r#""10.0.0.0/8""#, r#""10.1.0.0/16""#, r#""10.1.2.3""#]), "");
    check_profiles(
        &subnet_profile(&[r#""10.0.0.0/24""#, r#""10.0.0.0-10.0.0.255""#]),
        "conf.d/a.toml:11:12 `\"10.0.0.0-10.0.0.255\"` subnet `10.0.0.0-10.0.0.255` is there twice (conf.d/a.toml:7:12 `\"10.0.0.0/24\"`)",
    );
    check_profiles(
        &subnet_profile(&[r#""10.0.0.0-10.0.0.9""#, r#""10.0.0.5-10.0.0.15""#]),
        "conf.d/a.toml:11:12 `\"10.0.0.5-10.0.0.15\"` subnet `10.0.0.5-10.0.0.15` begins inside `10.0.0.0-10.0.0.9` and ends outside it (conf.d/a.toml:7:12 `\"10.0.0.0-10.0.0.9\"`)",
    );
}

#[test]
fn one_endpoint_without_ranges_answers_the_rest() {
    check_profiles(
        &subnet_profile(&["", ""]),
        "conf.d/a.toml:9:8 `\"e1\"` endpoint `e1` has no subnets, and it is not the only one (conf.d/a.toml:5:8 `\"e0\"`)",
    );
}

#[test]
fn ranges_are_for_the_method_that_reads_them() {
    check_profiles(
        &subnet_profile(&[r#""10.0.0.0/8""#]).replace("\"subnet\"", "\"priority\""),
        "conf.d/a.toml:7:11 `[\"10.0.0.0/8\"]` endpoint `e0` has subnets",
    );
}
