//! The tables of `decide`, row by row.

use std::time::SystemTime;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::{desired::Endpoint, health::Verdict, samples};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// An endpoint as the tests write it: `on`, `off`, `always`, and what the probes say.
#[derive(Clone, Copy, Debug)]
struct Given {
    enabled: bool,
    always: bool,
    up: Option<bool>,
    priority: u16,
    weight: u16,
}

const UP: Given = Given { enabled: true, always: false, up: Some(true), priority: 1, weight: 1 };
const DOWN: Given = Given { up: Some(false), ..UP };
const NEW: Given = Given { up: None, ..UP };
const OFF: Given = Given { enabled: false, ..UP };
const ALWAYS: Given = Given { always: true, up: Some(false), ..UP };

fn decided(method: RoutingMethod, enabled: bool, given: &[Given]) -> Decision {
    let status = |enabled| if enabled { Status::Enabled } else { Status::Disabled };
    let endpoint = |(i, given): (usize, &Given)| Endpoint {
        status: status(given.enabled),
        priority: given.priority,
        weight: given.weight,
        always_serve: given.always,
        ..samples::endpoint(&format!("e{i}"), &format!("192.0.2.{i}"))
    };
    let endpoints = given.iter().enumerate().map(endpoint).collect();
    let profile = Arc::new(Profile {
        routing_method: method,
        status: status(enabled),
        ..samples::profile("p", samples::monitor(), endpoints)
    });
    let mut health = Health::default();
    for (i, given) in given.iter().enumerate() {
        if let Some(up) = given.up {
            health
                .verdicts
                .insert(samples::key("p", &format!("e{i}")), Verdict { up, since: NOW, recovered: false });
        }
    }
    decide(&profile, &health, NOW)
}

/// The endpoints that answer, with their weights.
fn answering(decision: &Decision) -> Vec<(usize, u32)> {
    decision.places.iter().flat_map(|(_, shares)| shares.iter().map(|s| (s.endpoint, s.weight))).collect()
}

#[test]
fn endpoint_status_by_precedence() {
    use EndpointStatus::{CheckingEndpoint, Degraded, Disabled, Inactive, Online, Unmonitored};
    let given = [UP, DOWN, NEW, OFF, ALWAYS, Given { enabled: false, ..ALWAYS }];
    let on = decided(RoutingMethod::Priority, true, &given);
    assert_eq!(on.endpoints, [Online, Degraded, CheckingEndpoint, Disabled, Unmonitored, Disabled]);
    let off = decided(RoutingMethod::Priority, false, &given);
    assert_eq!(off.endpoints, [Inactive, Inactive, Inactive, Disabled, Inactive, Disabled]);
}

#[test]
fn profile_status_by_precedence() {
    let status = |enabled, given: &[Given]| decided(RoutingMethod::Priority, enabled, given).status;
    assert_eq!(status(false, &[DOWN]), ProfileStatus::Disabled);
    assert_eq!(status(true, &[UP, DOWN, NEW]), ProfileStatus::Degraded);
    assert_eq!(status(true, &[UP, NEW]), ProfileStatus::Online);
    assert_eq!(status(true, &[ALWAYS, NEW]), ProfileStatus::Online);
    assert_eq!(status(true, &[NEW, OFF]), ProfileStatus::CheckingEndpoints);
    assert_eq!(status(true, &[OFF]), ProfileStatus::Inactive);
    assert_eq!(status(true, &[]), ProfileStatus::Inactive);
}

#[test]
fn priority_takes_the_first_that_is_eligible() {
    let [first, second, third] = [1, 2, 3].map(|priority| move |given| Given { priority, ..given });
    let answers = |given: &[Given]| answering(&decided(RoutingMethod::Priority, true, given));
    assert_eq!(answers(&[first(UP), second(UP), third(UP)]), [(0, 1)]);
    assert_eq!(answers(&[first(DOWN), second(UP), third(UP)]), [(1, 1)]);
    assert_eq!(answers(&[first(OFF), second(DOWN), third(NEW)]), [(2, 1)]);
    assert_eq!(answers(&[first(DOWN), second(ALWAYS), third(UP)]), [(1, 1)]);
    assert_eq!(answers(&[first(NEW), second(UP), third(UP)]), [(0, 1)], "CheckingEndpoint is eligible");
    assert_eq!(
        answers(&[first(DOWN), second(DOWN), third(DOWN)]),
        [(0, 1)],
        "all degraded: the primary again"
    );
    assert_eq!(
        answers(&[first(OFF), second(DOWN), third(DOWN)]),
        [(1, 1)],
        "disabled stays out of the all-degraded rule"
    );
    assert_eq!(answers(&[third(UP), first(UP)]), [(1, 1)], "the number counts, not the order");
}

#[test]
fn weighted_shares_among_the_eligible() {
    let [ten, thirty, sixty] = [10, 30, 60].map(|weight| move |given| Given { weight, ..given });
    let answers = |given: &[Given]| answering(&decided(RoutingMethod::Weighted, true, given));
    assert_eq!(answers(&[ten(UP), thirty(UP), sixty(UP)]), [(0, 10), (1, 30), (2, 60)]);
    assert_eq!(answers(&[ten(DOWN), thirty(UP), sixty(NEW)]), [(1, 30), (2, 60)]);
    assert_eq!(answers(&[ten(DOWN), thirty(DOWN), sixty(OFF)]), [(0, 10), (1, 30)], "all degraded");
}

#[test]
fn a_profile_without_anybody_has_no_name() {
    for method in [RoutingMethod::Priority, RoutingMethod::Weighted] {
        for (enabled, given) in [(false, vec![UP]), (true, vec![OFF, OFF]), (true, vec![])] {
            assert_eq!(decided(method, enabled, &given).places, [], "{method:?} {enabled} {given:?}");
        }
    }
}

fn any_given() -> impl Strategy<Value = Given> {
    (any::<bool>(), any::<bool>(), any::<Option<bool>>(), 1..=1000u16)
        .prop_map(|(enabled, always, up, weight)| Given { enabled, always, up, priority: 1, weight })
}

proptest! {
    #[test]
    fn nobody_answers_who_is_not_eligible_while_somebody_is(
        mut given in prop::collection::vec(any_given(), 0..8),
        weighted: bool,
    ) {
        for (i, given) in given.iter_mut().enumerate() {
            given.priority = i as u16 + 1;
        }
        let method = if weighted { RoutingMethod::Weighted } else { RoutingMethod::Priority };
        let decision = decided(method, true, &given);
        let good = |g: &Given| g.enabled && (g.always || g.up != Some(false));
        let answering = answering(&decision);
        prop_assert_eq!(answering.is_empty(), !given.iter().any(|g| g.enabled));
        for (endpoint, _) in answering {
            prop_assert!(given[endpoint].enabled);
            prop_assert!(good(&given[endpoint]) || !given.iter().any(good));
        }
        prop_assert_eq!(&decision, &decided(method, true, &given), "same input, same result");
    }
}
