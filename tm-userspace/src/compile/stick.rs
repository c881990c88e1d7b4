//! Weights laid out as slots that clients stick to.
//!
//! A client's prefix always has the same slot of a full block (`tm_common::place::Client::seat`). Each slot goes to the answer that wants it most: weighted rendezvous hashing
//! ([Thaler and Ravishankar, 1998]; with weights as in [draft-ietf-bess-weighted-hrw], section 4). How much an answer wants a slot depends on
//! who is in it and on its weight, and on no other answer: so when one goes, its slots alone change hands, and when one comes, it takes from each what it is due.
//!
//! The price is that shares are as even as chance makes them: of 1,024 slots, an answer whose share is p has on average 1,024 p, give or take the
//! root of 1,024 p (1 - p).
//!
//! [Thaler and Ravishankar, 1998]: https://doi.org/10.1109/90.663936
//! [draft-ietf-bess-weighted-hrw]: https://datatracker.ietf.org/doc/html/draft-ietf-bess-weighted-hrw

use tm_common::{name::mix, tables::MOST_SLOTS};

/// For each slot the index of an answer, given as who is in it and its weight, at least 1; no slot for no answer.
pub fn stick(answers: &[(u64, u64)]) -> Vec<usize> {
    let slots = if answers.is_empty() { 0 } else { u64::from(MOST_SLOTS) };
    (0..slots)
        .map(|slot| {
            // The time until an answer comes for the slot, whose rate is its weight: the first of them has it.
            let time = |(who, weight): &(u64, u64)| -chance(*who, slot).ln() / *weight as f64;
            let (first, _) =
                answers.iter().map(time).enumerate().fold((0, f64::INFINITY), |(first, least), (i, time)| {
                    if time < least { (i, time) } else { (first, least) }
                });
            first
        })
        .collect()
}

/// Above 0 and below 1, evenly, and always the same.
fn chance(who: u64, slot: u64) -> f64 {
    let bits = mix(mix(mix(who, slot), who), slot) >> 11;
    (bits as f64 + 0.5) / (1u64 << 53) as f64
}

/// A number for who is in an answer, by their names.
pub(super) fn who<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    names.fold(0, |hash, name| {
        let hash = name.bytes().fold(hash, |hash, octet| mix(hash, u64::from(octet) + 1));
        mix(hash, 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(weights: &[u64]) -> Vec<(u64, u64)> {
        let name = |i: usize| format!("endpoint-{i}");
        weights.iter().enumerate().map(|(i, weight)| (who([name(i).as_str()].into_iter()), *weight)).collect()
    }

    #[test]
    fn shares_are_as_even_as_chance() {
        for weights in [&[1, 1][..], &[1, 1, 1, 1, 1], &[10, 30, 60], &[1000, 1, 500]] {
            let slots = stick(&answers(weights));
            assert_eq!(slots.len(), 1024);
            let total: u64 = weights.iter().sum();
            for (i, weight) in weights.iter().enumerate() {
                let share = *weight as f64 / total as f64;
                let due = 1024.0 * share;
                let has = slots.iter().filter(|slot| **slot == i).count() as f64;
                // Four deviations.
                assert!(
                    (has - due).abs() <= 4.0 * (due * (1.0 - share)).sqrt() + 1.0,
                    "{weights:?}: {i} has {has}"
                );
            }
        }
    }

    #[test]
    fn only_the_slots_of_one_that_goes_change_hands() {
        let all = answers(&[3, 1, 4, 1, 5]);
        let before = stick(&all);
        for gone in 0..all.len() {
            let left: Vec<usize> = (0..all.len()).filter(|i| *i != gone).collect();
            let of_left: Vec<(u64, u64)> = left.iter().map(|i| all[*i]).collect();
            let after: Vec<usize> = stick(&of_left).into_iter().map(|i| left[i]).collect();
            for (slot, (before, after)) in before.iter().zip(&after).enumerate() {
                assert!(
                    before == after || *before == gone,
                    "slot {slot} went from {before} to {after} with {gone}"
                );
            }
        }
    }

    #[test]
    fn a_weight_that_grows_takes_and_gives_nothing() {
        let [less, more] = [&[2, 2, 2][..], &[2, 3, 2]].map(|weights| stick(&answers(weights)));
        let changed: Vec<_> = less.iter().zip(&more).filter(|(less, more)| less != more).collect();
        assert!(!changed.is_empty() && changed.iter().all(|(_, more)| **more == 1), "{changed:?}");
    }

    #[test]
    fn names_are_told_apart() {
        assert_ne!(who(["ab", "c"].into_iter()), who(["a", "bc"].into_iter()));
        assert_ne!(who(["a"].into_iter()), who(["b"].into_iter()));
        assert!(stick(&[]).is_empty());
    }
}
