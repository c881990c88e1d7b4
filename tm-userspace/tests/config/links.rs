//! Whom endpoints lead to by their targets: the profile of that name, or the one whose wildcard has it (RFC 4592), against a model; and after each change as after a load of all.
#![expect(clippy::unwrap_used, reason = "a test's own profiles that cannot be loaded end the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;
use serde_json::json;
use tm_userspace::{
    config::{Document, Stored, key, load_for},
    desired::{Profiles, Status, Target},
};

use crate::kit::{NODE, load_files};

/// Where profiles are in the zone.
const NAMES: [&str; 8] = ["a", "*.a", "c.b.a", "*.b.a", "*.c.b.a", "x.ns1", "*", "y"];
/// Where their endpoints lead: to an address, to names in the zone, and to one that is not.
const TARGETS: [&str; 10] = [
    "192.0.2.1",
    "a.tm.example",
    "q.a.tm.example",
    "c.b.a.tm.example",
    "z.b.a.tm.example",
    "z.y.c.b.a.tm.example",
    "q.x.ns1.tm.example",
    "ns1.tm.example",
    "q.y.tm.example",
    "y.example",
];

/// A profile: whether it is enabled, and the numbers of its targets.
type Made = (bool, BTreeSet<usize>);

/// By number in `NAMES`.
type State = BTreeMap<usize, Made>;

fn made() -> impl Strategy<Value = Made> {
    let targets = prop_oneof![
        1 => Just(BTreeSet::from([0])),
        4 => prop::collection::btree_set(1..TARGETS.len(), 1..3),
    ];
    (prop::bool::weighted(0.8), targets)
}

fn document(index: usize, (is_enabled, targets): &Made) -> Arc<Document> {
    let endpoint = |target: &usize| json!({ "name": format!("e{target}"), "target": TARGETS[*target] });
    let document = json!({
        "name": format!("p{index}"),
        "dns_name": format!("{}.tm.example", NAMES[index]),
        "routing_method": "priority",
        "status": if *is_enabled { "enabled" } else { "disabled" },
        "endpoint": targets.iter().map(endpoint).collect::<Vec<_>>(),
    });
    Arc::new(document.as_object().unwrap().clone())
}

/// What each endpoint goes on to, by profile and endpoint.
fn led(profiles: &Profiles) -> BTreeMap<(String, String), String> {
    let endpoints = profiles.values().flat_map(|profile| profile.endpoints.iter().map(move |e| (profile, e)));
    endpoints
        .filter_map(|(profile, endpoint)| {
            let to = profiles.get(endpoint.follows.as_ref()?).filter(|to| to.status == Status::Enabled)?;
            Some(((profile.name.to_string(), endpoint.name.to_string()), to.name.to_string()))
        })
        .collect()
}

/// The same by the rules alone.
fn model(profiles: &Profiles) -> BTreeMap<(String, String), String> {
    let labels = |name: &str| name.split('.').rev().map(str::to_owned).collect::<Vec<_>>();
    let there: BTreeMap<Vec<String>, &str> = profiles
        .values()
        .filter(|profile| profile.status == Status::Enabled)
        .map(|profile| (labels(&profile.dns_name.to_string()), &*profile.name))
        .collect();
    let names: Vec<Vec<String>> = there.keys().cloned().chain([labels("ns1.tm.example")]).collect();
    let exists = |name: &[String]| names.iter().any(|known| known.starts_with(name));
    let wildcard = |name: &[String]| {
        let encloser = (0..name.len()).rev().map(|length| &name[..length]).find(|above| exists(above))?;
        there.get(&[encloser, &["*".to_owned()]].concat())
    };
    let all: BTreeMap<Vec<String>, &str> =
        profiles.values().map(|p| (labels(&p.dns_name.to_string()), &*p.name)).collect();
    // Who leads to whom: by name even where that is switched off, and by a wildcard.
    let (mut edges, mut led) = (vec![], vec![]);
    for profile in profiles.values() {
        for endpoint in &profile.endpoints {
            let Target::Name(target) = &endpoint.target else { continue };
            let target = labels(&target.to_string());
            edges.extend(all.get(&target).map(|to| (&*profile.name, *to)));
            let key = (profile.name.to_string(), endpoint.name.to_string());
            if exists(&target) {
                led.extend(there.get(&target).map(|to| (key, (*to).to_owned(), None)));
            } else if let Some(to) = wildcard(&target) {
                edges.push((&*profile.name, *to));
                led.push((key, (*to).to_owned(), Some(&*profile.name)));
            }
        }
    }
    let reaches = |from: &str, to: &str| {
        let (mut seen, mut ahead) = (BTreeSet::new(), vec![from]);
        while let Some(at) = ahead.pop() {
            if seen.insert(at) {
                ahead.extend(edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to));
            }
        }
        seen.contains(to)
    };
    // Nobody is led in a circle.
    let straight = led.into_iter().filter(|(_, to, from)| from.is_none_or(|from| !reaches(to, from)));
    straight.map(|(key, to, _)| (key, to)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn rfc4592_3_3_1_wildcards_are_followed_as_names_come_and_go(
        steps in prop::collection::vec(prop::collection::btree_map(0..NAMES.len(), prop::option::of(made()), 1..4), 1..8)
    ) {
        let (dir, base) = load_files(&[("tm.toml", NODE.as_bytes())]);
        let base = base.unwrap();
        let (mut state, mut registry, mut profiles) = (State::new(), base.registry, base.profiles);
        for step in steps {
            let mut next = state.clone();
            for (index, made) in &step {
                match made {
                    Some(made) => _ = next.insert(*index, made.clone()),
                    None => _ = next.remove(index),
                }
            }
            let changes: Vec<_> = step
                .iter()
                .map(|(index, made)| {
                    let entry = made.as_ref().map(|made| Arc::new(registry.check(&document(*index, made)).unwrap().0));
                    (key(&format!("p{index}")), entry)
                })
                .collect();
            let changed = registry.change(&profiles, &changes);
            let documents: Vec<_> = next.iter().map(|(index, made)| document(*index, made)).collect();
            let stored = Stored { documents: &documents, ..Stored::default() };
            let loaded = load_for(dir.path(), &[], None, stored);
            prop_assert_eq!(changed.is_ok(), loaded.is_ok(), "{:?} {:?}", changed.err(), loaded.err());
            let (Ok(changed), Ok(loaded)) = (changed, loaded) else { continue };
            prop_assert_eq!(led(&changed.profiles), led(&loaded.profiles));
            prop_assert_eq!(led(&loaded.profiles), model(&loaded.profiles));
            prop_assert_eq!(&changed.profiles, &loaded.profiles);
            (state, registry, profiles) = (next, changed.registry, changed.profiles);
        }
    }
}
