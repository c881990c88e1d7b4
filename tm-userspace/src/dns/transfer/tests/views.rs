//! What a name has in the static view.

use std::sync::Arc;

use proptest::prelude::*;

use super::{desired, endpoint, of_default, on, profile, published, text, zone};
use crate::{
    desired::{Endpoint, NameServer, Profile, RoutingMethod, Status, Target, Zone},
    dns::transfer::view,
    names::DnsName,
    samples,
};

use RoutingMethod::{MultiValue, Priority, Weighted};

/// What `web` has, of these profiles.
fn web(profiles: Vec<Profile>) -> Vec<String> {
    let desired = desired(1, on(), profiles);
    let names = of_default(view::names(&zone(&desired), &published(&desired).decisions));
    let records = names.get(&"web.tm.example".parse::<DnsName>().unwrap());
    let lines = records.iter().flat_map(|records| records.iter()).map(text);
    lines.map(|line| line.strip_prefix("web.tm.example. 30 ").unwrap().to_owned()).collect()
}

fn alone(method: RoutingMethod, endpoints: &[(&str, u16)]) -> Vec<String> {
    web(vec![profile("web", method, endpoints)])
}

#[test]
fn one_that_answers_is_there_by_its_type() {
    assert_eq!(alone(Priority, &[("192.0.2.1", 1), ("192.0.2.2", 1)]), ["A 192.0.2.1"]);
    assert_eq!(alone(Priority, &[("2001:db8::1", 1)]), ["AAAA 2001:db8::1"]);
    assert_eq!(alone(Priority, &[("www.contoso.com", 1)]), ["CNAME www.contoso.com."]);
}

#[test]
fn those_that_share_are_there_together_and_each_once() {
    assert_eq!(
        alone(Weighted, &[("192.0.2.1", 1), ("192.0.2.2", 9), ("192.0.2.1", 3), ("192.0.2.3", 0)]),
        ["A 192.0.2.1", "A 192.0.2.2"]
    );
    assert_eq!(alone(Weighted, &[("a.test", 1), ("b.test", 3), ("c.test", 3)]), ["CNAME b.test."]);
}

#[test]
fn names_and_addresses_are_not_mixed() {
    let nest = |name: &str, weight| Endpoint {
        target: Target::Profile(name.into()),
        always_serve: false,
        ..endpoint(name, weight)
    };
    let mixed = |first, second| {
        let parent = Profile {
            endpoints: vec![nest("names", first).into(), nest("addresses", second).into()],
            ..profile("web", Weighted, &[])
        };
        web(vec![
            parent,
            profile("names", Priority, &[("a.test", 1)]),
            profile("addresses", Weighted, &[("192.0.2.1", 1), ("192.0.2.2", 1)]),
        ])
    };
    // Two thirds and two times one sixth; one third and as much twice; a fifth and two times two fifths.
    assert_eq!(mixed(2, 1), ["CNAME a.test."]);
    assert_eq!(mixed(1, 2), ["CNAME a.test."]);
    assert_eq!(mixed(1, 4), ["A 192.0.2.1", "A 192.0.2.2"]);
}

#[test]
fn of_several_at_once_as_many_as_are_answered() {
    let endpoints =
        &[("192.0.2.1", 1), ("2001:db8::1", 1), ("192.0.2.2", 1), ("192.0.2.3", 1), ("2001:db8::2", 1)];
    let several = Profile { max_return: 2, ..profile("web", MultiValue, endpoints) };
    assert_eq!(
        web(vec![several.clone()]),
        ["A 192.0.2.1", "A 192.0.2.2", "AAAA 2001:db8::1", "AAAA 2001:db8::2"]
    );
    let one = Profile { max_return: 1, ..several };
    assert_eq!(web(vec![one]), ["A 192.0.2.1", "AAAA 2001:db8::1"]);
}

#[test]
fn a_target_in_the_zone_is_a_cname_and_what_is_behind_it_has_its_own_name() {
    let link = Endpoint { follows: Some("next".into()), ..endpoint("next.tm.example", 1) };
    let web_profile = Profile { endpoints: vec![link.into()], ..profile("web", Priority, &[]) };
    let next = profile("next", Priority, &[("192.0.2.1", 1)]);
    assert_eq!(web(vec![web_profile, next]), ["CNAME next.tm.example."]);
}

#[test]
fn who_has_nothing_to_say_is_not_there() {
    let none: [&str; 0] = [];
    assert_eq!(alone(Priority, &[]), none);
    let off = Profile { status: Status::Disabled, ..profile("web", Priority, &[("192.0.2.1", 1)]) };
    assert_eq!(web(vec![off]), none);
}

#[test]
fn the_apex_has_its_servers_and_these_their_addresses() {
    let desired = desired(1, on(), vec![]);
    let names = of_default(view::names(&zone(&desired), &published(&desired).decisions));
    let lines: Vec<String> = names.values().flat_map(|records| records.iter()).map(text).collect();
    assert_eq!(lines, ["tm.example. 3600 NS ns1.tm.example.", "ns1.tm.example. 3600 A 192.0.2.53"]);
}

#[test]
fn each_zone_has_what_is_its_own_and_the_servers_of_the_zones_below() {
    let at = |dns_name: &str, target| Profile {
        dns_name: dns_name.parse().unwrap(),
        ..profile(dns_name, Priority, &[(target, 1)])
    };
    let profiles = vec![
        at("eu.tm.example", "192.0.2.1"),
        at("a.eu.tm.example", "192.0.2.2"),
        at("b.tm.example", "192.0.2.3"),
        at("www.contoso.com", "192.0.2.4"),
    ];
    let mut desired = desired(1, on(), profiles);
    let node = Arc::make_mut(&mut desired.node);
    let name_servers = vec![NameServer { name: "ns.eu.tm.example".parse().unwrap(), addresses: vec![] }];
    node.more_zones.push(Zone { name: "eu.tm.example".parse().unwrap(), name_servers, soa: samples::soa() });
    let zoned = view::names(&zone(&desired), &published(&desired).decisions);
    let lines = |zone: &str| -> Vec<String> {
        let names = &zoned[&zone.parse::<DnsName>().unwrap()];
        let mut lines: Vec<String> = names.values().flat_map(|records| records.iter()).map(text).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        lines("tm.example"),
        [
            "b.tm.example. 30 A 192.0.2.3",
            "eu.tm.example. 3600 NS ns.eu.tm.example.",
            "ns1.tm.example. 3600 A 192.0.2.53",
            "tm.example. 3600 NS ns1.tm.example.",
        ]
    );
    assert_eq!(
        lines("eu.tm.example"),
        [
            "a.eu.tm.example. 30 A 192.0.2.2",
            "eu.tm.example. 30 A 192.0.2.1",
            "eu.tm.example. 3600 NS ns.eu.tm.example.",
            "ns.eu.tm.example. 3600 A 192.0.2.53",
        ]
    );
    assert_eq!(
        lines("www.contoso.com"),
        ["www.contoso.com. 30 A 192.0.2.4", "www.contoso.com. 3600 NS ns1.tm.example."]
    );
    assert_eq!(zoned.len(), 3);
    // A profile leaves the apex as it would be without it.
    let mut after = desired.clone();
    after.profiles = after.profiles.without("eu.tm.example");
    let (before, decisions) = (published(&desired).decisions.clone(), published(&after).decisions.clone());
    let zone = zone(&desired);
    let followed = view::follow(zoned.clone(), zone.zones(), &before, &decisions);
    assert_eq!(followed, view::names(&zone, &decisions));
}

/// Some of five profiles, each called by some name, with one of two targets or none.
fn states() -> impl Strategy<Value = Vec<Profile>> {
    let one = (0..5_usize, 0..3_usize, any::<bool>());
    prop::collection::btree_map(0..5_usize, one, 0..5).prop_map(|profiles| {
        let mut taken = vec![];
        let made = profiles.into_iter().filter_map(|(name, (dns_name, targets, enabled))| {
            if taken.contains(&dns_name) {
                return None;
            }
            taken.push(dns_name);
            let targets = &[("192.0.2.1", 1), ("192.0.2.2", 1)][..targets.min(2)];
            let status = if enabled { Status::Enabled } else { Status::Disabled };
            let dns_name = format!("d{dns_name}.tm.example").parse().unwrap();
            Some(Profile { dns_name, status, ..profile(&format!("p{name}"), Weighted, targets) })
        });
        made.collect()
    })
}

proptest! {
    #[test]
    fn what_follows_a_change_is_what_would_be_made_anew(before in states(), after in states()) {
        let (before, after) = (desired(1, on(), before), desired(1, on(), after));
        let zone = zone(&before);
        let decisions = [published(&before).decisions.clone(), published(&after).decisions.clone()];
        let followed = view::follow(
            view::names(&zone, &decisions[0]), zone.zones(), &decisions[0], &decisions[1],
        );
        prop_assert_eq!(followed, view::names(&zone, &decisions[1]));
    }
}
