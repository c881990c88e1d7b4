//! The views of profiles, and of trees of them.

use super::*;
use crate::{
    desired::{Desired, Endpoint, Profile, RoutingMethod, Status, Subnet},
    samples,
};

fn subnet(text: &str) -> Subnet {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Subnet { first: first.parse().unwrap(), last: last.parse().unwrap() }
}

fn ranged(name: &str, ranges: &[&str]) -> Endpoint {
    let subnets = ranges.iter().map(|text| subnet(text)).collect();
    Endpoint { subnets, ..samples::endpoint(name, "192.0.2.1") }
}

fn by_subnet(name: &str, endpoints: Vec<Endpoint>) -> Profile {
    Profile { routing_method: RoutingMethod::Subnet, ..samples::profile(name, samples::monitor(), endpoints) }
}

fn views(profiles: Vec<Profile>) -> (Desired, Views) {
    let desired = samples::desired(&[], profiles);
    let views = Views::of(&desired, &Views::default());
    (desired, views)
}

fn choice<'a>(view: &'a View, profile: &str, address: &str) -> Option<&'a Choice> {
    view.find(address.parse().unwrap()).class.choice(profile)
}

#[test]
fn a_disabled_endpoint_has_no_ranges() {
    let off = Endpoint { status: Status::Disabled, ..ranged("a", &["203.0.113.1"]) };
    let (_, views) = views(vec![by_subnet("p", vec![off, ranged("b", &["203.0.113.2"])])]);
    let view = views.get("p");
    assert_eq!(choice(&view, "p", "203.0.113.1"), Some(&Choice::Mapped(None)));
    assert_eq!(choice(&view, "p", "203.0.113.2"), Some(&Choice::Mapped(Some(1))));
    assert_eq!(view.find("203.0.113.2".parse().unwrap()).scope, 32);
    assert!(views.get("q").is_anywhere());
}

#[test]
fn of_ranges_inside_one_another_the_smallest_counts_whatever_the_order() {
    let outer = ranged("outer", &["10.0.0.1-10.0.0.10"]);
    let inner = ranged("inner", &["10.0.0.2-10.0.0.9"]);
    for endpoints in [vec![outer.clone(), inner.clone()], vec![inner, outer]] {
        let at = |name: &str| endpoints.iter().position(|e| *e.name == *name);
        let (_, views) = views(vec![by_subnet("p", endpoints.clone())]);
        let view = views.get("p");
        for (address, name) in
            [("10.0.0.1", "outer"), ("10.0.0.2", "inner"), ("10.0.0.9", "inner"), ("10.0.0.10", "outer")]
        {
            assert_eq!(choice(&view, "p", address), Some(&Choice::Mapped(at(name))), "{address}");
        }
    }
}

#[test]
fn what_has_not_changed_is_the_same_view() {
    let profiles = |range: &str| {
        vec![by_subnet("p", vec![ranged("a", &["203.0.113.1"])]), by_subnet("q", vec![ranged("a", &[range])])]
    };
    let (desired, before) = views(profiles("203.0.113.2"));
    let again = samples::desired(&[], profiles("203.0.113.2"));
    let other = samples::desired(&[], profiles("203.0.113.3"));
    for (desired, same) in [(&desired, true), (&again, true), (&other, false)] {
        let after = Views::of(desired, &before);
        assert!(Arc::ptr_eq(&after.get("p"), &before.get("p")));
        assert_eq!(Arc::ptr_eq(&after.get("q"), &before.get("q")), same);
    }
}

#[test]
fn profiles_that_ask_the_same_share_a_partition() {
    let profile = |name| by_subnet(name, vec![ranged("a", &["203.0.113.1"])]);
    let (_, views) = views(vec![profile("p"), profile("q")]);
    let [p, q] = ["p", "q"].map(|name| views.get(name));
    assert!(Arc::ptr_eq(p.partition(), q.partition()));
    assert_eq!(choice(&p, "p", "203.0.113.1"), Some(&Choice::Mapped(Some(0))));
    assert_eq!(choice(&q, "p", "203.0.113.1"), None);
    assert_eq!(choice(&q, "q", "203.0.113.1"), Some(&Choice::Mapped(Some(0))));
}
