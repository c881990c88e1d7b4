//! A view that takes another one's place in the tables.

use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::sync::Table;

proptest! {
    #[test]
    fn what_is_made_from_another_view_is_as_if_made_alone(first in any_naive(), also in any_naive(), keep in 0..20usize) {
        // Much alike: some of the first one's prefixes, and a few others.
        let mut second = first.clone();
        second.v4.truncate(keep);
        second.v6.truncate(keep);
        second.v4.extend(also.v4.iter().take(2));
        second.v6.extend(also.v6.iter().take(2));
        let (a, b) = (first.view(), second.view());
        let (mut image, _) = image(&a);
        change(&mut image, &b);
        let index = view_of(&image);
        for address in second.points(Ipv6Addr::UNSPECIFIED.into()).into_iter().chain(second.points(Ipv4Addr::UNSPECIFIED.into())) {
            prop_assert_eq!(told_by_engine(&image, index, address), told(&b, address), "{}", address);
        }
        // Nothing is left of either.
        let name = name("www.tm.example");
        image.apply([(&name, None)]);
        image.begin_wait();
        image.reclaim();
        let before = image.sizes();
        change(&mut image, &a);
        change(&mut image, &b);
        prop_assert_eq!(image.sizes(), before);
    }

    #[test]
    fn runs_that_were_changed_are_those_made_anew(
        first in any_naive(),
        second in any_naive(),
        edges in prop::collection::vec(proptest::num::u32::ANY, 2),
    ) {
        let (a, b) = (first.view(), second.view());
        let (a, b) = (a.partition().v4(), b.partition().v4());
        let (low, high) = (edges[0].min(edges[1]), edges[0].max(edges[1]));
        let span = (u128::from(low) << 96, prefix::span(u128::from(high) << 96, 32).1);
        let mut edit = runs::Builder::default();
        edit.push(span.0, b.at(span.0).run().leaf);
        b.iter().filter(|run| run.first() > span.0 && run.first() <= span.1).for_each(|run| edit.push(run.first(), run.leaf));
        let (mixed, ..) = a.with(span, &edit.finish());
        let firsts: Vec<u128> = mixed.iter().map(|run| run.first()).collect();
        prop_assert!(firsts[0] == 0 && firsts.is_sorted_by(|a, b| a < b));
        let leaves: Vec<_> = mixed.iter().map(|run| run.leaf).collect();
        prop_assert!(leaves.windows(2).all(|pair| pair[0] != pair[1]));
        let differing = a.differing(&mixed);
        for at in a.iter().chain(b.iter()).map(|run| run.first()).chain([span.0, span.1, 0]) {
            for at in [at, at.wrapping_sub(1 << 96)] {
                let from = if (span.0..=span.1).contains(&at) { b } else { a };
                prop_assert_eq!(mixed.at(at).run().leaf, from.at(at).run().leaf);
                let differs = differing.iter().any(|(first, last)| (*first..=*last).contains(&at));
                prop_assert_eq!(differs, a.at(at).run().leaf != mixed.at(at).run().leaf);
            }
        }
    }
}

fn v4(address: [u8; 4], length: u8, place: u16) -> (Ipv4Addr, u8, Place) {
    (address.into(), length, Place(place))
}

#[test]
fn a_change_of_one_prefix_puts_the_nodes_on_the_way_there_alone() {
    let all: Vec<_> = (0..200)
        .flat_map(|i| (0..200).map(move |j| v4([1 + i, j, 0, 0], 24, 1 + u16::from(j & 1))))
        .collect();
    let mut other = all.clone();
    other.push(v4([7, 7, 0, 128], 25, 3));
    let [a, b] = [all, other].map(|v4| Arc::new(View::new(v4, vec![], Place::ANYWHERE, classes(4))));
    let (mut image, before) = image(&a);
    let changes = change(&mut image, &b);
    let of = |table| changes.staged.iter().filter(|cell| cell.0 == table).count();
    // Both roots, and the nodes of 7.7/16 and 7.7.0.0/24.
    assert_eq!(of(Table::Nodes), 2 * 4096 + 16 + 16);
    assert_eq!((of(Table::Entries), of(Table::Blocks), of(Table::Slots)), (1, 0, 0));
    assert_eq!(changes.published.len(), 1, "one word leads to all of it");
    // Whoever is on the way by the old view finds what it found.
    for (address, place) in [([7, 7, 0, 128], 2), ([7, 7, 0, 1], 2), ([9, 8, 0, 1], 1)] {
        assert_eq!(ask(&image, before, IpAddr::from(address)).place(), place);
    }
    assert_eq!(ask(&image, view_of(&image), IpAddr::from([7, 7, 0, 128])).place(), 3);
}

#[test]
fn small_views_share_nodes() {
    let mut image = Image::new(512, 7);
    let [a, b] = ["a.tm.example", "b.tm.example"].map(name);
    let [first, second] = [1, 2].map(|place| {
        Arc::new(View::new(vec![v4([203, 0, 0, 0], 8, place)], vec![], Place::ANYWHERE, classes(4)))
    });
    image.apply([(&a, Some(&compiled(&a, &first)))]);
    let one = image.sizes().nodes;
    image.apply([(&b, Some(&compiled(&b, &second)))]);
    assert_eq!(image.sizes().nodes - one, 32, "only the roots are its own");
}
