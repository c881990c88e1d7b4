//! The methods that look at the client, row by row.

use super::kit::{ALWAYS, DOWN, Given, NEW, OFF, Tree, UP, alone, nested};
use crate::{
    desired::{
        Profile,
        RoutingMethod::{Geographic, Performance, Priority, Subnet, Weighted},
        WhenAllDown,
    },
    health::Forced,
    places::Choice,
    samples,
};

fn mapped(to: Option<usize>) -> Choice {
    Choice::Mapped(to)
}

fn nearest(groups: &[&[usize]]) -> Choice {
    Choice::Nearest(groups.iter().map(|group| group.to_vec()).collect())
}

fn last_resort(name: &'static str) -> impl Fn(&mut Profile) {
    move |profile| profile.rules.when_all_down = WhenAllDown::LastResort(name.into())
}

fn none_when_down(profile: &mut Profile) {
    profile.rules.when_all_down = WhenAllDown::None;
}

fn forced_down(mut tree: Tree, profile: &str, endpoint: &str) -> Tree {
    let forced = Forced { up: false, since: super::kit::NOW, until: None };
    tree.health.orders.force(samples::key(profile, endpoint), forced);
    tree
}

#[test]
fn geographic_gives_who_is_mapped_up_or_down() {
    let answers = |given: &[Given], to| alone(Geographic, true, given).answers_to("a", &[("a", mapped(to))]);
    for given in [UP, NEW, ALWAYS, DOWN] {
        assert_eq!(answers(&[given, UP], Some(0)), "a0 1", "{given:?}");
    }
    assert_eq!(answers(&[UP, DOWN, DOWN], Some(2)), "a2 1", "no failover");
    assert_eq!(answers(&[UP, UP], None), "nobody", "mapped to nobody");
    assert_eq!(alone(Geographic, true, &[UP]).answers("a"), "nobody");
    assert_eq!(alone(Geographic, true, &[OFF, OFF]).answers_to("a", &[("a", mapped(None))]), "no name");
    let forced = forced_down(alone(Geographic, true, &[UP, UP]), "a", "a0");
    assert_eq!(forced.answers_to("a", &[("a", mapped(Some(0)))]), "nobody", "forced down");
}

#[test]
fn geographic_has_no_data_where_who_is_mapped_is_stopped() {
    let tree = alone(Priority, false, &[UP]).and("g", Geographic, &[nested(">a"), UP]);
    assert_eq!(tree.answers_to("g", &[("g", mapped(Some(0)))]), "nobody");
    assert_eq!(tree.answers_to("g", &[("g", mapped(Some(1)))]), "g1 1");
    let nobody = Tree::default().and_like("a", Priority, &[DOWN], none_when_down);
    let tree = nobody.and("g", Geographic, &[nested(">a"), UP]);
    assert_eq!(tree.answers_to("g", &[("g", mapped(Some(0)))]), "nobody", "its child has nobody");
    let degraded = Tree::default().and("a", Weighted, &[DOWN, DOWN]);
    let tree = degraded.and("g", Geographic, &[nested(">a"), UP]);
    assert_eq!(tree.answers_to("g", &[("g", mapped(Some(0)))]), "a0 1, a1 1", "its child is all down: all");
}

#[test]
fn geographic_has_the_profiles_rules_for_each_place() {
    let with = |given: &[Given], change: &dyn Fn(&mut Profile)| {
        Tree::default().and_like("a", Geographic, given, |profile| change(profile))
    };
    let at = |tree: &Tree, to| tree.answers_to("a", &[("a", mapped(to))]);
    let none = with(&[DOWN, UP], &none_when_down);
    assert_eq!((at(&none, Some(0)), at(&none, Some(1))), ("nobody".to_owned(), "a1 1".to_owned()));
    let last = with(&[DOWN, UP, DOWN], &last_resort("a2"));
    assert_eq!((at(&last, Some(0)), at(&last, Some(1))), ("a2 1".to_owned(), "a1 1".to_owned()));
    assert_eq!(at(&last, None), "nobody", "who is mapped to nobody has no last resort");
}

#[test]
fn performance_gives_the_nearest_region_that_has_somebody() {
    let order = nearest(&[&[0, 1], &[2], &[3]]);
    let answers = |given: &[Given]| alone(Performance, true, given).answers_to("a", &[("a", order.clone())]);
    assert_eq!(answers(&[UP, UP, UP, UP]), "a0 1, a1 1", "evenly, whatever the weight");
    assert_eq!(answers(&[DOWN, UP, UP, UP]), "a1 1");
    assert_eq!(answers(&[DOWN, OFF, NEW, UP]), "a2 1");
    assert_eq!(answers(&[DOWN, OFF, DOWN, ALWAYS]), "a3 1");
    assert_eq!(answers(&[DOWN, DOWN, DOWN, DOWN]), "a0 1, a1 1", "all degraded: as if all were up");
    assert_eq!(answers(&[OFF, OFF, DOWN, DOWN]), "a2 1");
    assert_eq!(answers(&[OFF, OFF, OFF, OFF]), "no name");
    let heavy = Given { weight: 9, priority: 4, ..UP };
    assert_eq!(answers(&[heavy, UP, UP, UP]), "a0 1, a1 1");
}

#[test]
fn performance_shares_among_all_where_nothing_is_known() {
    let tree = alone(Performance, true, &[UP, DOWN, UP]);
    assert_eq!(tree.answers_to("a", &[("a", nearest(&[]))]), "a0 1, a2 1");
    assert_eq!(tree.answers("a"), "a0 1, a2 1", "a profile that tells nobody apart");
    // A range of an endpoint, and nothing else known.
    assert_eq!(tree.answers_to("a", &[("a", nearest(&[&[2]]))]), "a2 1");
    assert_eq!(tree.answers_to("a", &[("a", nearest(&[&[1]]))]), "a0 1, a2 1");
}

#[test]
fn performance_has_the_profiles_rules() {
    let with = |given: &[Given], change: &dyn Fn(&mut Profile)| {
        let tree = Tree::default().and_like("a", Performance, given, |profile| change(profile));
        tree.answers_to("a", &[("a", nearest(&[&[0], &[1]]))])
    };
    assert_eq!(with(&[DOWN, DOWN], &none_when_down), "nobody");
    assert_eq!(with(&[DOWN, DOWN, DOWN], &last_resort("a2")), "a2 1");
    assert_eq!(with(&[DOWN, UP, UP], &last_resort("a2")), "a1 1");
}

#[test]
fn subnet_gives_who_has_the_range_or_the_rest() {
    let ranged = |profile: &mut Profile| {
        let address = "203.0.113.1".parse().unwrap();
        let mut endpoints = profile.endpoints.clone();
        for endpoint in &mut endpoints[..2] {
            std::sync::Arc::make_mut(endpoint).subnets =
                vec![crate::desired::Subnet { first: address, last: address }];
        }
        profile.endpoints = endpoints;
    };
    let at = |given: &[Given], to, change: &dyn Fn(&mut Profile)| {
        let tree = Tree::default().and_like("a", Subnet, given, |profile| {
            ranged(profile);
            change(profile);
        });
        tree.answers_to("a", &[("a", mapped(to))])
    };
    let plain = |given: &[Given], to| at(given, to, &|_| {});
    assert_eq!(plain(&[UP, UP, UP], Some(1)), "a1 1");
    assert_eq!(plain(&[UP, DOWN, UP], Some(1)), "a2 1");
    assert_eq!(plain(&[UP, DOWN, DOWN], Some(1)), "a1 1");
    assert_eq!(plain(&[UP, DOWN, OFF], Some(1)), "a1 1");
    assert_eq!(plain(&[UP, DOWN], Some(1)), "a1 1");
    assert_eq!(plain(&[UP, UP, DOWN], None), "a2 1");
    assert_eq!(plain(&[UP, UP, OFF], None), "nobody");
    assert_eq!(plain(&[UP, UP], None), "nobody");
    // A last resort is not the rest, and is for those who have somebody.
    assert_eq!(at(&[UP, DOWN, UP], None, &last_resort("a2")), "nobody");
    assert_eq!(at(&[UP, DOWN, UP], Some(1), &last_resort("a2")), "a2 1");
    assert_eq!(at(&[UP, DOWN, DOWN], Some(1), &none_when_down), "nobody");
}

#[test]
fn each_profile_of_a_tree_has_its_own_choice() {
    let tree = Tree::default()
        .and("west", Weighted, &[UP, Given { weight: 3, ..UP }])
        .and("east", Performance, &[UP, UP])
        .and("world", Geographic, &[nested(">west"), nested(">east"), UP]);
    let at =
        |to, order: &[&[usize]]| tree.answers_to("world", &[("east", nearest(order)), ("world", mapped(to))]);
    assert_eq!(at(Some(0), &[&[1], &[0]]), "west0 1, west1 3");
    assert_eq!(at(Some(1), &[&[1], &[0]]), "east1 1");
    assert_eq!(at(Some(1), &[]), "east0 1, east1 1");
    assert_eq!(at(Some(2), &[&[1], &[0]]), "world2 1");
    assert_eq!(at(None, &[&[1], &[0]]), "nobody");
    // Weighted above, each side by its own choice: who has nobody for these clients leaves its share to the others.
    let tree = tree.and("split", Weighted, &[nested(">world"), nested(">east")]);
    let at = |to| tree.answers_to("split", &[("east", nearest(&[&[0], &[1]])), ("world", mapped(to))]);
    assert_eq!(at(Some(2)), "world2 1, east0 1");
    assert_eq!(at(None), "east0 1");
}
