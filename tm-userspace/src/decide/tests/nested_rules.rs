//! The rules and the operator's orders in trees of profiles.

use std::time::{Duration, SystemTime};

use super::kit::{DOWN, Given, NOW, Tree, UP, alone, nested};
use crate::{
    decide::{Decision, EndpointStatus, decide},
    desired::{
        Allowance, Failback, Guard, Profile,
        RoutingMethod::{Priority, Weighted},
        WhenAllDown,
    },
    health::{Forced, Verdict},
    places::View,
    samples::key,
};

/// A time after the verdicts.
fn after(minutes: u64) -> SystemTime {
    NOW + Duration::from_secs(60 * minutes)
}

fn at(tree: &Tree, name: &str, minutes: u64) -> Decision {
    decide(&tree.profiles, &tree.profiles[name], &View::anywhere(), &tree.health, after(minutes))
}

/// A Priority parent `p` of `a`, which is Priority of two with other settings, and an address `p1` of its own.
fn two_levels(given: &[Given], change: impl FnOnce(&mut Profile)) -> Tree {
    Tree::default().and_like("a", Priority, given, change).and("p", Priority, &[nested(">a"), UP])
}

fn forced(mut tree: Tree, profile: &str, endpoint: &str, up: bool, until: Option<u64>) -> Tree {
    let forced = Forced { up, since: NOW, until: until.map(after) };
    tree.health.orders.force(key(profile, endpoint), forced);
    tree
}

#[test]
fn orders_below_are_heard_above_until_they_end() {
    let tree = forced(two_levels(&[UP, UP], |_| {}), "a", "a0", false, Some(3));
    assert_eq!(tree.answers("p"), "a1 1");
    let decision = at(&tree, "p", 0);
    assert_eq!(decision.until, Some(after(3)), "of the tree");
    assert_eq!(decision.rulings[0].until(), None, "the order is the child's");
    assert_eq!(decision.endpoints[0], EndpointStatus::Online);
    assert_eq!((at(&tree, "p", 3).until, at(&tree, "a", 0).until), (None, Some(after(3))));
}

#[test]
fn a_nested_endpoint_is_forced_like_any_other() {
    let tree = || two_levels(&[UP, UP], |_| {});
    assert_eq!(forced(tree(), "p", "p0", false, None).answers("p"), "p1 1");
    assert_eq!(forced(tree(), "p", "p0", false, None).answers("a"), "a0 1", "the child itself goes on");
    let down = two_levels(&[DOWN, DOWN], |_| {});
    assert_eq!(down.answers("p"), "p1 1");
    assert_eq!(
        forced(down, "p", "p0", true, None).answers("p"),
        "a0 1",
        "and leaves the choice to its child"
    );
    let off = Tree::default().and("a", Priority, &[]).and("p", Priority, &[nested(">a"), UP]);
    assert_eq!(forced(off, "p", "p0", true, None).answers("p"), "p1 1", "Stopped is stronger");
}

#[test]
fn a_child_that_has_nobody_gives_way() {
    let none_left = forced(two_levels(&[UP], |_| {}), "a", "a0", false, None);
    assert_eq!((none_left.answers("a").as_str(), none_left.answers("p").as_str()), ("nobody", "p1 1"));
    let tree = forced(none_left, "p", "p0", true, None);
    assert_eq!(tree.answers("p"), "p1 1", "whatever is forced");
    let none = two_levels(&[DOWN], |profile| profile.rules.when_all_down = WhenAllDown::None);
    let tree = none.and("q", Priority, &[nested(">a"), DOWN]);
    assert_eq!(tree.answers("q"), "q1 1", "all down: those that have an answer");
    let tree = tree.and("r", Priority, &[nested(">a")]);
    assert_eq!(tree.answers("r"), "nobody");
}

#[test]
fn a_nested_last_resort() {
    let last = |given: &[Given], own| {
        alone(Priority, true, given).and_like("p", Priority, &[nested(">a"), own], |profile| {
            profile.rules.when_all_down = WhenAllDown::LastResort("p0".into());
        })
    };
    assert_eq!(last(&[UP], UP).answers("p"), "p1 1");
    assert_eq!(last(&[UP], DOWN).answers("p"), "a0 1");
    assert_eq!(last(&[DOWN], DOWN).answers("p"), "a0 1", "up or down");
    let nobody = forced(last(&[UP], DOWN), "a", "a0", false, None);
    assert_eq!(nobody.answers("p"), "p1 1", "it has nobody: as where it is disabled");
}

#[test]
fn failback_below_holds_above_as_well() {
    let mut tree = two_levels(&[UP, UP], |profile| {
        profile.rules.failback = Failback::After(Duration::from_secs(600));
    });
    tree.health.verdicts.insert(key("a", "a0"), Verdict { up: true, since: NOW, recovered: true });
    assert_eq!((tree.answers("p").as_str(), at(&tree, "p", 0).until), ("a1 1", Some(after(10))));
    assert_eq!(at(&tree, "p", 10).until, None);
}

#[test]
fn a_slow_start_below_scales_and_is_not_steady_above() {
    let mut tree = Tree::default()
        .and_like("a", Weighted, &[UP, UP], |profile| {
            profile.rules.slow_start = Some(Duration::from_secs(6000));
        })
        .and("p", Weighted, &[nested(">a"), UP]);
    assert!(at(&tree, "p", 0).steady);
    tree.health.verdicts.insert(key("a", "a0"), Verdict { up: true, since: NOW, recovered: true });
    assert_eq!(tree.answers("p"), "a0 1, a1 10, p1 11", "half of it in 1 to 10");
    let decision = at(&tree, "p", 0);
    assert_eq!((decision.steady, decision.until), (false, Some(after(10))));
    assert!(at(&tree, "p", 90).steady);
}

#[test]
fn a_released_nested_endpoint_starts_slowly() {
    let slowly = |profile: &mut Profile| profile.rules.slow_start = Some(Duration::from_secs(6000));
    let tree = alone(Priority, true, &[UP]).and_like("p", Weighted, &[nested(">a"), UP], slowly);
    let tree = forced(tree, "p", "p0", false, Some(0));
    assert_eq!(tree.answers("p"), "a0 1, p1 10");
}

#[test]
fn the_guard_counts_what_is_probed() {
    let half = Guard { withdraw_at_most: Allowance::Percent(50), window: Duration::from_secs(600) };
    let given = [nested(">a"), nested(">b"), DOWN, DOWN, UP];
    let tree = alone(Priority, true, &[DOWN]).and("b", Priority, &[UP]);
    let tree = tree.and_like("p", Weighted, &given, |profile| profile.rules.guard = Some(half));
    // Half of three is one: p2 is withdrawn, p3 is kept, and `a` is out without taking room.
    assert_eq!(tree.answers("p"), "b0 1, p3 1, p4 1");
}
