//! Profiles in profiles: who answers, and whose decisions rest on whose.

use std::collections::BTreeSet;

use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::kit::{DOWN, Given, NEW, OFF, UP, alone, nested};
use crate::{
    decide::{Ancestors, nested::scale},
    desired::RoutingMethod::{MultiValue, Priority, Weighted},
};

fn weigh(weight: u16, given: Given) -> Given {
    Given { weight, ..given }
}

#[test]
fn a_childs_shares_are_scaled_within_its_parents() {
    let tree = alone(Weighted, true, &[weigh(2, UP), UP]);
    let tree = tree.and("b", Priority, &[UP, UP]);
    let tree = tree.and("p", Weighted, &[nested(">a"), weigh(2, nested(">b")), UP]);
    // 1/4 of them to a, of which 2/3 to a0; 2/4 to b; 1/4 to p2.
    assert_eq!(tree.answers("p"), "a0 2, a1 1, b0 6, p2 3");
    let parts = [0, 1, 2].map(|i| tree.decided("p").part(i));
    assert_eq!(parts, [0.25, 0.5, 0.25]);
    let top = tree.and("q", Priority, &[nested(">p"), UP]);
    assert_eq!(top.answers("q"), "a0 2, a1 1, b0 6, p2 3");
}

#[test]
fn a_nested_endpoint_gives_way_as_any_other() {
    let parent = |child: &[Given], min_child| {
        alone(Priority, true, child)
            .and("p", Priority, &[Given { min_child, ..nested(">a") }, UP])
            .answers("p")
    };
    assert_eq!(parent(&[UP, UP], [1, 0, 0]), "a0 1");
    assert_eq!(parent(&[DOWN, NEW], [1, 0, 0]), "a1 1");
    assert_eq!(parent(&[DOWN, DOWN], [1, 0, 0]), "p1 1");
    assert_eq!(parent(&[UP, DOWN], [2, 0, 0]), "p1 1", "too few of its endpoints are up");
    assert_eq!(parent(&[OFF], [1, 0, 0]), "p1 1", "Stopped");
}

#[test]
fn with_all_degraded_the_childs_own_rule_holds() {
    let parent =
        |child: &[Given]| alone(Priority, true, child).and("p", Priority, &[nested(">a"), DOWN]).answers("p");
    assert_eq!(parent(&[DOWN, DOWN]), "a0 1");
    let too_few = alone(Priority, true, &[DOWN, UP]);
    let parent = too_few.and("p", Priority, &[Given { min_child: [2, 0, 0], ..nested(">a") }, DOWN]);
    assert_eq!(parent.answers("p"), "a1 1", "picked though Degraded, the child gives who is up");
    let stopped = alone(Priority, false, &[UP]).and("p", Priority, &[nested(">a"), DOWN]);
    assert_eq!(stopped.answers("p"), "p1 1", "Stopped stays out of the all-degraded rule");
}

#[test]
fn a_multivalue_child_is_one_share() {
    let tree = alone(MultiValue, true, &[UP, UP, DOWN]).and("p", Weighted, &[nested(">a"), weigh(3, UP)]);
    assert_eq!(tree.answers("p"), "[a0 a1] by 2 1, p1 3");
}

#[test]
fn ten_levels() {
    let mut tree = alone(Weighted, true, &[UP, UP]);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let children = [">a", ">b", ">c", ">d", ">e", ">f", ">g", ">h", ">i"];
    for (name, child) in names[1..].iter().zip(children) {
        tree = tree.and(name, Weighted, &[nested(child), UP]);
    }
    // Each level gives half to its own endpoint; the lowest two share the last half of 2^-9.
    assert_eq!(
        tree.answers("j"),
        "a0 1, a1 1, b1 2, c1 4, d1 8, e1 16, f1 32, g1 64, h1 128, i1 256, j1 512"
    );
}

#[test]
fn a_change_below_is_one_for_all_above() {
    let tree = alone(Priority, true, &[UP]).and("b", Priority, &[nested(">a"), nested(">z")]);
    let tree = tree.and("c", Weighted, &[nested(">b"), UP]).and("d", Priority, &[nested(">a")]);
    let tree = tree.and("other", Priority, &[UP]).and("z", Priority, &[UP]);
    let ancestors = Ancestors::of(&tree.profiles);
    let with = |name: &str| -> Vec<String> {
        ancestors.with([name.into()]).iter().map(ToString::to_string).collect()
    };
    assert_eq!(with("a"), ["a", "b", "c", "d"]);
    assert_eq!(with("z"), ["b", "c", "z"]);
    assert_eq!(with("other"), ["other"]);
    assert_eq!(ancestors.with([]), BTreeSet::new());
}

#[test]
fn what_128_bits_cannot_hold_is_near() {
    // 2^32 - 5 is prime, and so are the others: the least common denominator is far over 128 bits.
    let primes = [4_294_967_291, 4_294_967_279, 4_294_967_231, 4_294_967_197, 4_294_967_189];
    let parts = primes.iter().map(|prime| (1, vec![(1, "small"), (prime - 1, "rest")])).collect();
    let scaled = scale(parts);
    let total: u64 = scaled.iter().map(|(weight, _)| weight).sum();
    assert!(total < 1 << 33);
    for (weight, name) in scaled {
        let part = weight as f64 / total as f64;
        assert!(weight > 0 && (part - if name == "rest" { 0.2 } else { 0.0 }).abs() < 1e-8, "{name} {part}");
    }
}

proptest! {
    #[test]
    fn scaling_keeps_shares(
        parts in prop::collection::vec((1..=1000u64, prop::collection::vec(1..=1000u64, 0..5)), 0..6),
    ) {
        let scaled = scale(parts.iter().map(|(w, items)| (*w, items.iter().map(|i| (*i, ())).collect())).collect());
        let weight: u64 = parts.iter().filter(|(_, items)| !items.is_empty()).map(|(weight, _)| weight).sum();
        let due = parts.iter().flat_map(|(part, items)| {
            let total: u64 = items.iter().sum();
            items.iter().map(move |item| *part as f64 / weight as f64 * *item as f64 / total as f64)
        });
        let total: u64 = scaled.iter().map(|(weight, ())| weight).sum();
        let due: Vec<f64> = due.collect();
        prop_assert_eq!(due.len(), scaled.len());
        for ((weight, ()), due) in scaled.iter().zip(due) {
            prop_assert!((*weight as f64 / total.max(1) as f64 - due).abs() < 1e-8);
        }
    }
}
