//! Several zones, and profiles with names in full.

use tm_userspace::desired::Node;

use crate::kit::{NODE, check, check_node, check_profiles, load_files, loaded_profile, profile};

const HEAD: &str = "name_servers = [\"ns1.tm.example\"]\n";
const TAIL: &str = "[listen]\ninterfaces = [\"eth0\"]\n";

fn node(zones: &str) -> String {
    format!("{HEAD}{zones}{TAIL}")
}

fn loaded(zones: &str) -> Node {
    let text = node(zones);
    Node::clone(&load_files(&[("tm.toml", text.as_bytes())]).1.expect("it is right").node)
}

#[test]
fn each_zone_has_what_it_says_and_else_what_stands_beside_them() {
    let node = loaded(
        "[[zone]]\nname = \"tm.example\"\n[[zone]]\nname = \"b.test\"\n\
         name_servers = [{ name = \"ns.b.test\", addresses = [\"192.0.2.1\"] }]\nsoa = { minimum = 5 }\n\
         [soa]\nrefresh = 7\nmailbox = \"a@c.test\"\n",
    );
    let said: Vec<_> = node
        .zones()
        .map(|zone| {
            let servers: Vec<_> = zone.name_servers.iter().map(|server| server.name.to_string()).collect();
            let soa = &zone.soa;
            (zone.name.to_string(), servers, soa.mailbox.to_string(), soa.refresh, soa.minimum)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("tm.example".to_owned(), vec!["ns1.tm.example".to_owned()], "a.c.test".to_owned(), 7, 60),
            ("b.test".to_owned(), vec!["ns.b.test".to_owned()], "a.c.test".to_owned(), 7, 5),
        ]
    );
    assert_eq!(node.zone().name.to_string(), "tm.example");
    let own = loaded("[[zone]]\nname = \"b.test\"\n");
    assert_eq!(own.zone().soa.mailbox.to_string(), "hostmaster.b.test");
}

#[test]
fn zones_are_names_each_once() {
    check_node(
        &node("[[zone]]\nname = \"a.test\"\n[[zone]]\nname = \"A.test.\"\n[[zone]]\nname = \"-\"\n"),
        "tm.toml:5:8 `\"A.test.\"` zone `A.test.` is there twice (tm.toml:3:8 `\"a.test\"`)
         tm.toml:7:8 `\"-\"` `-` is not a DNS name: the label `-` begins or ends with a hyphen",
    );
    check_node(
        &NODE.replacen("\"tm.example\"", "7", 1),
        "tm.toml:1:8 `7` expected a name in quotes or [[zone]] tables, found integer `7`",
    );
    check_node(
        &format!("[[zone]]\nname = \"a.test\"\nserial = 1\n{TAIL}"),
        "tm.toml missing key `name_servers`
         tm.toml:3:1 `serial` unknown key `serial`",
    );
}

#[test]
fn a_name_in_full_is_taken_as_it_is() {
    let name = |line: &str| {
        let loaded = loaded_profile(&profile("web", line));
        loaded.profiles["web"].dns_name.to_string()
    };
    assert_eq!(name(""), "web.tm.example");
    assert_eq!(name("relative_name = \"a.b\"\n"), "a.b.tm.example");
    assert_eq!(name("dns_name = \"WWW.Contoso.com\"\n"), "www.contoso.com");
    assert_eq!(name("dns_name = \"tm.example.\"\n"), "tm.example");
    check_profiles(
        &profile("web", "dns_name = \"a.test\"\nrelative_name = \"a\"\n"),
        "conf.d/a.toml:5:17 `\"a\"` dns_name and relative_name are both given (conf.d/a.toml:4:12 `\"a.test\"`)",
    );
    check_profiles(
        &(profile("a", "dns_name = \"b.tm.example\"\n") + &profile("b", "")),
        "conf.d/a.toml:6:8 `\"b\"` DNS name `b.tm.example` is that of profile `a` too (conf.d/a.toml:4:12 `\"b.tm.example\"`)",
    );
    check_profiles(
        &profile("a", "dns_name = \"ns1.tm.example\"\n"),
        "conf.d/a.toml:4:12 `\"ns1.tm.example\"` DNS name `ns1.tm.example` is that of a name server in tm.toml",
    );
}

#[test]
fn rfc1034_3_6_2_an_apex_answers_with_addresses() {
    let endpoint = |line: &str| format!("[[profile.endpoint]]\nname = \"e\"\n{line}\n");
    let external = endpoint("target = \"c.test\"");
    let nested = endpoint("type = \"nested\"\ntarget_profile = \"names\"\nmin_child_endpoints = 1");
    let names = profile("names", &external);
    for dns_name in ["tm.example", "www.contoso.com"] {
        let line = format!("dns_name = \"{dns_name}\"\n");
        check_profiles(
            &profile("a", &(line.clone() + &external)),
            &format!(
                "conf.d/a.toml:7:10 `\"c.test\"` target `c.test` is a name, and `{dns_name}` is the apex of a zone"
            ),
        );
        check_profiles(
            &(profile("a", &(line + &nested)) + &names),
            &format!(
                "conf.d/a.toml:8:18 `\"names\"` profile `names` answers with the name `c.test`, and `{dns_name}` is the apex of a zone"
            ),
        );
    }
    // Below a zone that the node has.
    let zones = node("[[zone]]\nname = \"tm.example\"\n[[zone]]\nname = \"contoso.com\"\n");
    let text = profile("a", &("dns_name = \"www.contoso.com\"\n".to_owned() + &external));
    check(&[("tm.toml", &zones), ("conf.d/a.toml", &text)], "");
}

#[test]
fn a_wildcard_is_in_a_zone() {
    let name = |line: &str| {
        let loaded = loaded_profile(&profile("web", line));
        loaded.profiles["web"].dns_name.to_string()
    };
    assert_eq!(name("relative_name = \"*.shop\"\n"), "*.shop.tm.example");
    assert_eq!(name("dns_name = \"*.TM.example\"\n"), "*.tm.example");
    check_profiles(
        &profile("web", "dns_name = \"*.contoso.com\"\n"),
        "conf.d/a.toml:4:12 `\"*.contoso.com\"` `*.contoso.com` is in no zone",
    );
    check_profiles(
        &profile("web", "relative_name = \"a.*\"\n"),
        "conf.d/a.toml:4:17 `\"a.*\"` `a.*` is not a DNS name: it has '*' in it",
    );
}
