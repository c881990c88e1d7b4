//! Who answers in a profile without others in it.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::kit::{ALWAYS, DOWN, Given, NEW, OFF, Tree, UP, alone, nested};
use crate::{
    decide::Answer,
    desired::RoutingMethod::{self, MultiValue, Priority, Weighted},
};

#[test]
fn priority_takes_the_first_that_is_eligible() {
    let [first, second, third] = [1, 2, 3].map(|priority| move |given| Given { priority, ..given });
    let answers = |given: &[Given]| alone(Priority, true, given).answers("a");
    assert_eq!(answers(&[first(UP), second(UP), third(UP)]), "a0 1");
    assert_eq!(answers(&[first(DOWN), second(UP), third(UP)]), "a1 1");
    assert_eq!(answers(&[first(OFF), second(DOWN), third(NEW)]), "a2 1");
    assert_eq!(answers(&[first(DOWN), second(ALWAYS), third(UP)]), "a1 1");
    assert_eq!(answers(&[first(NEW), second(UP), third(UP)]), "a0 1", "CheckingEndpoint is eligible");
    assert_eq!(answers(&[first(DOWN), second(DOWN), third(DOWN)]), "a0 1", "all degraded: the primary again");
    assert_eq!(
        answers(&[first(OFF), second(DOWN), third(DOWN)]),
        "a1 1",
        "disabled stays out of the all-degraded rule"
    );
    assert_eq!(answers(&[third(UP), first(UP)]), "a1 1", "the number counts, not the order");
}

#[test]
fn weighted_shares_among_the_eligible() {
    let [ten, thirty, sixty] = [10, 30, 60].map(|weight| move |given| Given { weight, ..given });
    let answers = |given: &[Given]| alone(Weighted, true, given).answers("a");
    assert_eq!(answers(&[ten(UP), thirty(UP), sixty(UP)]), "a0 1, a1 3, a2 6");
    assert_eq!(answers(&[ten(DOWN), thirty(UP), sixty(NEW)]), "a1 1, a2 2");
    assert_eq!(answers(&[ten(DOWN), thirty(DOWN), sixty(OFF)]), "a0 1, a1 3", "all degraded");
}

#[test]
fn weight_zero_drains() {
    let drained = |given| Given { weight: 0, ..given };
    let answers = |given: &[Given]| alone(Weighted, true, given).answers("a");
    assert_eq!(answers(&[drained(UP), UP, UP]), "a1 1, a2 1");
    assert_eq!(answers(&[drained(UP), DOWN]), "a0 1", "nobody else is up");
    assert_eq!(answers(&[drained(UP), drained(NEW), DOWN]), "a0 1, a1 1");
    assert_eq!(answers(&[drained(DOWN), DOWN]), "a1 1", "all degraded");
    assert_eq!(answers(&[drained(DOWN), drained(DOWN)]), "a0 1, a1 1");
    assert_eq!(
        alone(Priority, true, &[drained(UP), UP]).answers("a"),
        "a0 1",
        "weights are of Weighted alone"
    );
}

#[test]
fn the_first_that_picks_one_of_several_says_whether_clients_stick() {
    let sticky = |profile: &mut crate::desired::Profile| profile.rules.sticky = true;
    let tree = |parent, parent_sticks: bool, given: &[Given], child_sticks: bool| {
        let change = |sticks| {
            move |profile: &mut crate::desired::Profile| {
                if sticks {
                    sticky(profile);
                }
            }
        };
        Tree::default()
            .and_like("a", parent, given, change(parent_sticks))
            .and_like("b", Weighted, &[UP, UP], change(child_sticks))
            .decided("a")
            .sticky
    };
    let alone = [nested(">b"), DOWN];
    let beside = [nested(">b"), UP];
    assert_eq!(tree(Priority, false, &alone, true), [true], "Priority picks one: the child says");
    assert_eq!(tree(Priority, false, &alone, false), [false]);
    assert_eq!(tree(Weighted, false, &beside, true), [false], "turns above: each query may go elsewhere");
    assert_eq!(tree(Weighted, true, &beside, false), [true], "and for all below");
    assert_eq!(tree(Weighted, true, &alone, false), [false], "one is left, and its child takes turns");
}

#[test]
fn multivalue_gives_all_that_are_eligible() {
    let answers = |given: &[Given]| alone(MultiValue, true, given).answers("a");
    let v6 = Given { target: "2001:db8::1", ..UP };
    assert_eq!(answers(&[UP, DOWN, NEW, OFF, ALWAYS, v6]), "[a0 a2 a4 a5] by 2 1");
    assert_eq!(answers(&[DOWN, DOWN, OFF]), "[a0 a1] by 2 1", "all degraded");
    assert_eq!(answers(&[DOWN, v6]), "[a1] by 2 1", "eligible over both families");
    let five = Tree::default().and_like("a", MultiValue, &[UP, UP, UP, v6], |profile| profile.max_return = 2);
    let decision = five.decided("a");
    let near = |part: f64, due: f64| (part - due).abs() < 1e-9;
    assert!(near(decision.part(0), 2.0 / 3.0) && near(decision.part(3), 1.0));
    assert_eq!(alone(MultiValue, true, &[UP, DOWN]).decided("a").part(1), 0.0);
}

#[test]
fn a_name_without_data_and_no_name() {
    for method in [Priority, Weighted, MultiValue] {
        for (enabled, given) in [(false, vec![UP]), (true, vec![OFF, OFF]), (true, vec![])] {
            assert_eq!(
                alone(method, enabled, &given).answers("a"),
                "no name",
                "{method:?} {enabled} {given:?}"
            );
        }
    }
    for method in [Priority, Weighted] {
        let parent = |child| alone(Priority, false, &[UP]).and("p", method, &[nested(child), OFF]);
        assert_eq!(parent(">a").answers("p"), "nobody", "all enabled endpoints are Stopped");
    }
}

fn any_given() -> impl Strategy<Value = Given> {
    (any::<bool>(), any::<bool>(), any::<Option<bool>>(), 0..=1000u16)
        .prop_map(|(enabled, always, up, weight)| Given { enabled, always, up, weight, ..UP })
}

fn answering(tree: &Tree) -> Vec<(String, u64)> {
    let shares = tree.decided("a").places.into_iter().flatten();
    let each = shares.flat_map(|share| match share.answer {
        Answer::One(leaf) => vec![(leaf.endpoint.name.to_string(), share.weight)],
        Answer::Followed(link, ..) => vec![(link.endpoint.name.to_string(), share.weight)],
        Answer::Several(leaves, _) => leaves.iter().map(|l| (l.endpoint.name.to_string(), 1)).collect(),
    });
    each.collect()
}

fn any_method() -> impl Strategy<Value = RoutingMethod> {
    prop::sample::select(vec![Priority, Weighted, MultiValue])
}

proptest! {
    #[test]
    fn nobody_answers_who_is_not_eligible_while_somebody_is(
        given in prop::collection::vec(any_given(), 0..8),
        method in any_method(),
    ) {
        let tree = alone(method, true, &given);
        let good = |g: &Given| g.enabled && (g.always || g.up != Some(false));
        let answering = answering(&tree);
        prop_assert_eq!(answering.is_empty(), !given.iter().any(|g| g.enabled));
        for (endpoint, _) in answering {
            let given_to: &Given = &given[endpoint[1..].parse::<usize>().unwrap()];
            prop_assert!(given_to.enabled);
            prop_assert!(good(given_to) || !given.iter().any(good));
        }
        prop_assert_eq!(tree.decided("a"), tree.decided("a"), "same input, same result");
    }

    #[test]
    fn who_goes_takes_only_its_share(weights in prop::collection::vec(1..=1000u16, 2..8), gone: prop::sample::Index) {
        let gone = gone.index(weights.len());
        let given: Vec<Given> = weights.iter().map(|weight| Given { weight: *weight, ..UP }).collect();
        let mut without = given.clone();
        without[gone].up = Some(false);
        let [before, after] = [&given, &without].map(|given| answering(&alone(Weighted, true, given)));
        let rest: Vec<_> = before.iter().filter(|(name, _)| *name != format!("a{gone}")).collect();
        prop_assert_eq!(rest.len(), after.len());
        for (a, b) in rest.iter().zip(&after) {
            prop_assert_eq!(&a.0, &b.0);
            // Among those who stay nothing moves: their ratios are what they were.
            prop_assert_eq!(a.1 * after[0].1, b.1 * rest[0].1);
        }
    }
}
