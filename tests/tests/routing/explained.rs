//! What is explained is what is decided: over the same random trees, for every class of clients.

use std::{collections::BTreeMap, time::SystemTime};

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use tm_tests::world::decide_now;
use tm_userspace::{
    decide::{self, Answer, Share, Step, explain},
    desired::{EndpointKey, Target},
};

use crate::{Case, health, trees::tree};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_explained_is_what_is_decided(tree in tree(0..9)) {
        let case = Case::of(tree);
        let health = health(&case.verdicts);
        for profile in case.desired.profiles.values() {
            let decision = decide_now(&case.desired, profile, &health);
            for (place, class) in decision.view.classes().iter().enumerate() {
                let now = SystemTime::UNIX_EPOCH;
                let step = explain(&case.desired.profiles, profile, class, &health, now, true);
                let statuses: Vec<_> = step.candidates.iter().map(|candidate| candidate.status).collect();
                prop_assert_eq!((step.status, &statuses), (decision.status, &decision.endpoints));
                let (mut decided, mut explained) = (Ways::new(), Ways::new());
                if let Some(shares) = decision.places.get(place) {
                    ways_decided(shares, &[], 1.0, &mut decided);
                }
                ways_explained(&step, &[], 1.0, &mut explained);
                let near = |(way, part): (&Vec<EndpointKey>, &f64)| {
                    explained.get(way).is_some_and(|other| (part - other).abs() < 1e-6)
                };
                prop_assert!(
                    decided.len() == explained.len() && decided.iter().all(near),
                    "{decided:?} {explained:?} {}", case.tree.files()
                );
                prop_assert_eq!(step.nobody.is_some(), decided.is_empty());
            }
        }
    }
}

/// By the endpoints whose names lead to it and, at the end, the one that answers: the part of the answers that it is in.
type Ways = BTreeMap<Vec<EndpointKey>, f64>;

fn ways_decided(shares: &[Share], way: &[EndpointKey], part: f64, ways: &mut Ways) {
    let total: u64 = shares.iter().map(|share| share.weight).sum();
    for share in shares {
        let part = part * share.weight as f64 / total as f64;
        let mut put =
            |leaf: &decide::Leaf, part| *ways.entry([way, &[leaf.key()]].concat()).or_default() += part;
        match &share.answer {
            Answer::One(leaf) => put(leaf, part),
            Answer::Followed(leaf, _, behind) if behind.is_empty() => put(leaf, part),
            Answer::Followed(leaf, _, behind) => {
                ways_decided(behind, &[way, &[leaf.key()]].concat(), part, ways);
            }
            Answer::Several(leaves, most) => {
                let is_ipv4 = |leaf: &decide::Leaf| matches!(leaf.endpoint.target, Target::V4(_));
                for leaf in leaves {
                    let family = leaves.iter().filter(|other| is_ipv4(other) == is_ipv4(leaf)).count();
                    put(leaf, part * f64::from(*most).min(family as f64) / family as f64);
                }
            }
        }
    }
}

fn ways_explained(step: &Step, way: &[EndpointKey], part: f64, ways: &mut Ways) {
    for candidate in step.candidates.iter().filter(|candidate| candidate.part > 0.0) {
        let own = [way, &[step.profile.key(&candidate.endpoint)]].concat();
        let part = part * candidate.part;
        match (&candidate.below, &candidate.endpoint.target) {
            (Some(below), Target::Profile(_)) => ways_explained(below, way, part, ways),
            (Some(below), _) if below.nobody.is_none() => ways_explained(below, &own, part, ways),
            (_, _) => *ways.entry(own).or_default() += part,
        }
    }
}
