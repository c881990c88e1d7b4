//! The reasons, word by word: a line for each line of the tables.

use std::{sync::Arc, time::Duration};

use super::{
    kit::{ALWAYS, DOWN, Given, NEW, OFF, Tree, UP, nested},
    rules::{Case, minute},
};
use crate::{
    decide::{Step, explain},
    desired::{
        Allowance, Failback, Guard, Profile, Profiles, RoutingMethod, Rules, Status, Subnet, WhenAllDown,
    },
    places::{Choice, Class},
};

/// Each endpoint's part and reason; at the end, why nobody answers.
fn told(step: &Step) -> Vec<String> {
    let percent = |part: f64| (part * 100.0).round();
    let lines =
        step.candidates.iter().map(|candidate| format!("{} % {}", percent(candidate.part), candidate.reason));
    lines.chain(step.nobody.iter().map(|nobody| format!("nobody: {nobody}"))).collect()
}

fn of_case(case: &Case, now: u32) -> Vec<String> {
    let profile = Arc::new(case.profile.clone());
    told(&explain(&Profiles::new(), &profile, &Class::default(), &case.health, minute(now), true))
}

fn of_tree(tree: &Tree, name: &str, choice: Option<Choice>) -> Step {
    let class = Class(choice.map(|choice| (name.into(), choice)).into_iter().collect());
    explain(&tree.profiles, &tree.profiles[name], &class, &tree.health, super::kit::NOW, true)
}

#[test]
fn who_is_in_and_who_is_not() {
    let rules = Rules::default;
    let priority = |rules, endpoints: &str| Case::new(RoutingMethod::Priority, rules, endpoints);
    assert_eq!(
        of_case(&priority(rules(), "douw"), 5),
        [
            "0 % down",
            "0 % disabled in the configuration",
            "100 % up; priority 3, the lowest of those that may answer",
            "0 % always served, never probed; priority 4: c has 3"
        ]
    );
    assert_eq!(
        of_case(&priority(rules(), "dd"), 5),
        [
            "100 % down, as all are that could answer; priority 1, the lowest of those that may answer",
            "0 % down; priority 2: a has 1"
        ]
    );
    let none = Rules { when_all_down: WhenAllDown::None, ..rules() };
    assert_eq!(
        of_case(&priority(none, "dd"), 5),
        ["0 % down", "0 % down", "nobody: all are down, and `when_all_down` is \"none\""]
    );
    let last = || Rules { when_all_down: WhenAllDown::LastResort("b".into()), ..rules() };
    assert_eq!(
        of_case(&priority(last(), "uu"), 5),
        [
            "100 % up; priority 1, the lowest of those that may answer",
            "0 % last resort: answers when all others are down"
        ]
    );
    assert_eq!(
        of_case(&priority(last(), "du"), 5),
        [
            "0 % down",
            "100 % last resort: all others are down; priority 2, the lowest of those that may answer"
        ]
    );
    assert_eq!(
        of_case(&priority(last(), "du").forced("b", false, None), 5),
        [
            "100 % down, as all are that could answer; priority 1, the lowest of those that may answer",
            "0 % forced down"
        ]
    );
    assert_eq!(
        of_case(&priority(rules(), "nu").forced("b", false, Some(9)), 5),
        [
            "100 % in until its probes have told; priority 1, the lowest of those that may answer",
            "0 % forced down until 1970-01-01T16:49:00.000Z"
        ]
    );
    let failback = || Rules { failback: Failback::Manual, ..rules() };
    let held = "held back by failback until `tm endpoint restore`";
    assert_eq!(
        of_case(&priority(failback(), "ru"), 5),
        [format!("0 % {held}"), "100 % up; priority 2, the lowest of those that may answer".to_owned()]
    );
    assert_eq!(
        of_case(&priority(failback(), "rd"), 5),
        [
            format!(
                "100 % {held}, but nobody else may answer; priority 1, the lowest of those that may answer"
            ),
            "0 % down".to_owned()
        ]
    );
    let guard = Guard { withdraw_at_most: Allowance::Count(1), window: Duration::from_secs(600) };
    let guarded = priority(Rules { guard: Some(guard), ..rules() }, "ddu").down_since("b", 1);
    assert_eq!(
        of_case(&guarded, 5),
        [
            "0 % down",
            "100 % kept in the answers until 1970-01-01T16:50:00.000Z: at most 1 may be withdrawn within the guard's window; priority 2, the lowest of those that may answer",
            "0 % up; priority 3: b has 2"
        ]
    );
    let mut off = priority(rules(), "u");
    off.profile.status = Status::Disabled;
    assert_eq!(of_case(&off, 5), ["0 % its profile is disabled", "nobody: the profile is disabled"]);
    assert_eq!(
        of_case(&priority(rules(), "o"), 5),
        ["0 % disabled in the configuration", "nobody: none of its endpoints is enabled"]
    );
    assert_eq!(
        of_case(&priority(rules(), "u").forced("a", false, None), 5),
        ["0 % forced down", "nobody: no endpoint may answer"]
    );
}

#[test]
fn weights_and_slow_starts() {
    let weights = |case: &mut Case, weights: &[u16]| {
        for (endpoint, weight) in case.profile.endpoints.iter_mut().zip(weights) {
            Arc::make_mut(endpoint).weight = *weight;
        }
    };
    let mut case = Case::weighted(Rules::default(), "uuu");
    weights(&mut case, &[30, 0, 10]);
    assert_eq!(
        of_case(&case, 5),
        [
            "75 % up; weight 30 of 40",
            "0 % up; weight 0: drained while others may answer",
            "25 % up; weight 10 of 40"
        ]
    );
    weights(&mut case, &[0, 0, 0]);
    assert_eq!(of_case(&case, 5), ["33 % up; weight 0, as all have that may answer"; 3]);
    let slow = Rules { slow_start: Some(Duration::from_secs(600)), ..Rules::default() };
    let mut case = Case::weighted(slow, "ru");
    weights(&mut case, &[10, 10]);
    assert_eq!(
        of_case(&case, 2),
        [
            "23 % up; weight 10, of which slow start gives it 30 %",
            "77 % up; weight 10, while others start slowly"
        ]
    );
}

#[test]
fn several_at_once() {
    let six = |given: Given| Given { target: "2001:db8::1", ..given };
    let tree = Tree::default().and("a", RoutingMethod::MultiValue, &[UP, UP, NEW, six(UP), DOWN]);
    assert_eq!(
        told(&of_tree(&tree, "a", None)),
        [
            "67 % up; one of 3 with an IPv4 address, 2 in an answer",
            "67 % up; one of 3 with an IPv4 address, 2 in an answer",
            "67 % in until its probes have told; one of 3 with an IPv4 address, 2 in an answer",
            "100 % up; one of 1 with an IPv6 address, 1 in an answer",
            "0 % down"
        ]
    );
}

#[test]
fn ranges_of_addresses() {
    let ranges = |profile: &mut Profile| {
        for i in [0, 1] {
            let first = [203, 0, 113, i as u8].into();
            Arc::make_mut(&mut profile.endpoints[i]).subnets = vec![Subnet { first, last: first }];
        }
    };
    let tree = |given: &[Given]| Tree::default().and_like("a", RoutingMethod::Subnet, given, ranges);
    let of = |given: &[Given], mapped| told(&of_tree(&tree(given), "a", Some(Choice::Mapped(mapped))));
    let state = "always served, never probed";
    assert_eq!(
        of(&[ALWAYS, UP, UP], Some(0)),
        [
            format!("100 % {state}; the client is in its subnets"),
            "0 % up; the client is in subnets of a0".to_owned(),
            "0 % up; the client is in subnets of a0".to_owned()
        ]
    );
    assert_eq!(
        of(&[UP, DOWN, UP], Some(1)),
        [
            "0 % up; the client is in subnets of a1",
            "0 % down; the client is in its subnets",
            "100 % up; answers for a1, which may not"
        ]
    );
    assert_eq!(
        of(&[UP, DOWN, OFF], Some(1)),
        [
            "0 % up; the client is in subnets of a1",
            "100 % down, as all are that could answer; the client is in its subnets",
            "0 % disabled in the configuration"
        ]
    );
    assert_eq!(of(&[UP, UP, UP], None)[2], "100 % up; without subnets: for clients that are in none");
    assert_eq!(
        of(&[UP, UP], None),
        [
            "0 % up; the client is not in its subnets",
            "0 % up; the client is not in its subnets",
            "nobody: no endpoint that may answer is for this client"
        ]
    );
}

#[test]
fn places_in_the_world() {
    let of = |given: &[Given], mapped| {
        let tree = Tree::default().and("a", RoutingMethod::Geographic, given);
        told(&of_tree(&tree, "a", Some(Choice::Mapped(mapped))))
    };
    assert_eq!(
        of(&[DOWN, UP, OFF], Some(0)),
        [
            "100 % down, as all are that could answer; the client is mapped to it",
            "0 % up; the client is mapped to a0",
            "0 % disabled in the configuration"
        ]
    );
    assert_eq!(
        of(&[UP], None),
        ["0 % up; the client is mapped to nobody", "nobody: no endpoint that may answer is for this client"]
    );
    let resort = |profile: &mut Profile| {
        profile.rules.when_all_down = WhenAllDown::LastResort("a1".into());
    };
    let tree = Tree::default().and_like("a", RoutingMethod::Geographic, &[DOWN, UP], resort);
    assert_eq!(
        told(&of_tree(&tree, "a", Some(Choice::Mapped(Some(0))))),
        [
            "0 % down; the client is mapped to it",
            "100 % last resort: all others are down; answers for a0, which may not"
        ]
    );
}

#[test]
fn nearness() {
    let of = |given: &[Given], groups: &[&[usize]]| {
        let tree = Tree::default().and("a", RoutingMethod::Performance, given);
        let groups: Vec<Vec<usize>> = groups.iter().map(|group| group.to_vec()).collect();
        told(&of_tree(&tree, "a", Some(Choice::Nearest(groups.into()))))
    };
    assert_eq!(
        of(&[UP, UP, DOWN], &[&[2], &[1], &[0]]),
        [
            "0 % up; for this client, a1 comes first",
            "100 % up; the first for this client of those that may answer",
            "0 % down"
        ]
    );
    assert_eq!(
        of(&[UP, UP, UP], &[&[0, 1], &[2]]),
        [
            "50 % up; for this client, one of 2 that come first, evenly",
            "50 % up; for this client, one of 2 that come first, evenly",
            "0 % up; for this client, a0 and a1 come first"
        ]
    );
    assert_eq!(of(&[UP, UP], &[]), ["50 % up; no nearness is known: one of 2, evenly"; 2]);
}

#[test]
fn nested_profiles() {
    let tree = Tree::default()
        .and("well", RoutingMethod::Weighted, &[UP, DOWN, UP])
        .and_like("off", RoutingMethod::Weighted, &[UP], |profile| profile.status = Status::Disabled)
        .and("empty", RoutingMethod::Weighted, &[OFF])
        .and("ill", RoutingMethod::Weighted, &[DOWN, UP])
        .and("new", RoutingMethod::Weighted, &[NEW])
        .and(
            "a",
            RoutingMethod::Weighted,
            &[
                Given { weight: 3, ..nested(">well") },
                nested(">off"),
                nested(">empty"),
                Given { min_child: [2, 1, 1], ..nested(">ill") },
                nested(">new"),
            ],
        );
    let step = of_tree(&tree, "a", None);
    assert_eq!(
        told(&step),
        [
            "75 % 2 of 3 in profile well available, 1 needed; weight 3 of 4",
            "0 % profile off is disabled",
            "0 % profile empty has no endpoint in use",
            "0 % down: 1 of 2 in profile ill available, 2 needed, 1 for IPv4, 1 needed, 0 for IPv6, 1 needed",
            "25 % not known yet: 1 of 1 in profile new available, 1 needed; weight 1 of 4",
        ]
    );
    let below = step.candidates[0].below.as_ref().unwrap();
    assert_eq!(told(below), ["50 % up; weight 1 of 2", "0 % down", "50 % up; weight 1 of 2"]);
}
