//! The views of profiles, and of trees of them.

use super::*;
use crate::{
    desired::{Desired, Endpoint, Profile, RoutingMethod, Status, Subnet, Target},
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

fn plain(name: &str, targets: &[&str], status: Status) -> Profile {
    let endpoint = |target: &&str| match target.strip_prefix("profile ") {
        Some(child) => {
            Endpoint { target: Target::Profile(child.into()), ..samples::endpoint(target, "192.0.2.1") }
        }
        None => match target.strip_prefix("follows ") {
            Some(to) => Endpoint {
                follows: Some(to.into()),
                ..samples::endpoint(target, &format!("{to}.tm.example"))
            },
            None => samples::endpoint(target, target),
        },
    };
    Profile { status, ..samples::profile(name, samples::monitor(), targets.iter().map(endpoint).collect()) }
}

/// What the view of `top` says that every profile chooses there, in the order of the tree.
fn said(view: &View, address: &str) -> Vec<(String, Option<usize>)> {
    let class = view.find(address.parse().unwrap()).class;
    let mapped = |choice: &Choice| match choice {
        Choice::Mapped(mapped) => *mapped,
        other => panic!("{other:?}"),
    };
    class.0.iter().map(|(name, choice)| (name.to_string(), mapped(choice))).collect()
}

#[test]
fn a_view_is_the_common_refinement_of_all_layers_of_the_tree() {
    let profiles = |status| {
        vec![
            plain("top", &["profile middle", "192.0.2.9", "follows other"], Status::Enabled),
            plain("middle", &["profile low", "profile other"], status),
            by_subnet(
                "low",
                vec![
                    ranged("a", &["203.0.113.0-203.0.113.127"]),
                    ranged("b", &["203.0.113.128-203.0.113.255"]),
                ],
            ),
            by_subnet("other", vec![ranged("a", &["203.0.113.64-203.0.113.191"])]),
            plain("aside", &["192.0.2.1"], Status::Enabled),
        ]
    };
    let (_, views) = views(profiles(Status::Enabled));
    for top in ["top", "middle"] {
        let view = views.get(top);
        for (address, low, other, scope) in [
            ("203.0.113.1", Some(0), None, 26),
            ("203.0.113.65", Some(0), Some(0), 26),
            ("203.0.113.129", Some(1), Some(0), 26),
            ("203.0.113.255", Some(1), None, 26),
            ("203.0.112.1", None, None, 24),
        ] {
            assert_eq!(
                said(&view, address),
                [("low".to_owned(), low), ("other".to_owned(), other)],
                "{address}"
            );
            assert_eq!(view.find(address.parse().unwrap()).scope, scope, "{address}");
        }
    }
    // The one view is that of both, though not that of either part.
    assert!(Arc::ptr_eq(&views.get("top"), &views.get("middle")));
    assert_eq!(said(&views.get("other"), "203.0.113.1"), [("other".to_owned(), None)]);
    assert!(views.get("aside").is_anywhere());
    // What is disabled leads nowhere; what is followed is still there.
    let (_, views) = self::views(profiles(Status::Disabled));
    assert_eq!(said(&views.get("top"), "203.0.113.1"), [("other".to_owned(), None)]);
    assert!(views.get("middle").is_anywhere());
}

#[test]
fn a_changed_range_is_mended_and_places_that_mean_the_same_keep_their_numbers() {
    let profiles = |last: &str| {
        let many = (0..100).map(|i| format!("198.51.{i}.0-198.51.{i}.255")).collect::<Vec<_>>();
        let many: Vec<&str> = many.iter().map(String::as_str).chain([last]).collect();
        vec![by_subnet("p", vec![ranged("a", &["203.0.113.1"]), ranged("b", &many)])]
    };
    let (_, before) = views(profiles("203.0.113.2"));
    let (desired, anew) = views(profiles("203.0.113.9"));
    let after = Views::of(&desired, &before);
    let [before, after, anew] = [before, after, anew].map(|views| views.get("p"));
    assert!(after.means_as(&before));
    for address in ["203.0.113.1", "203.0.113.2", "203.0.113.9", "198.51.99.1", "198.51.100.1", "10.0.0.1"] {
        let address = address.parse().unwrap();
        let [mended, made] = [&after, &anew].map(|view| view.find(address));
        assert_eq!(
            (mended.class, mended.scope, mended.is_private),
            (made.class, made.scope, made.is_private)
        );
    }
    assert_eq!(after.partition().v4().differing(before.partition().v4()).len(), 2);
}

#[test]
fn another_database_makes_other_views_only_where_it_says_something_else() {
    let geographic =
        Profile { routing_method: RoutingMethod::Geographic, ..plain("p", &["192.0.2.1"], Status::Enabled) };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geo/places.mmdb");
    let load = || Some(Arc::new(crate::geo::Atlas::load(&path).unwrap()));
    let mut endpoint = (*geographic.endpoints[0]).clone();
    endpoint.geo_mapping = vec![crate::geo::Code::find("DE").unwrap()];
    let geographic = Profile { endpoints: vec![Arc::new(endpoint)], ..geographic };
    let ranges = by_subnet("q", vec![ranged("a", &["203.0.113.1"])]);
    let without = samples::desired(&[], vec![geographic, ranges]);
    let with = Desired { atlas: load(), ..without.clone() };
    let [first, second] = [&without, &with].map(|desired| Views::of(desired, &Views::default()));
    assert_eq!(choice(&first.get("p"), "p", "198.51.100.1"), Some(&Choice::Mapped(None)));
    assert_eq!(choice(&second.get("p"), "p", "198.51.100.1"), Some(&Choice::Mapped(Some(0))));
    for (desired, before, same) in [
        (&with, &second, true),
        (&Desired { generation: 7, ..with.clone() }, &second, true),
        (&Desired { atlas: load(), ..with.clone() }, &second, true),
        (&with, &first, false),
    ] {
        let after = Views::of(desired, before);
        assert_eq!(Arc::ptr_eq(after.get("p").partition(), before.get("p").partition()), same);
        assert!(Arc::ptr_eq(&after.get("q"), &before.get("q")), "it looks in no database");
        assert_eq!(choice(&after.get("p"), "p", "198.51.100.1"), Some(&Choice::Mapped(Some(0))));
    }
}
