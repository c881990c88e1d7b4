//! Weighted (2012's Round Robin): every eligible endpoint answers its part.
//!
//! | eligible endpoints, by weight | shares |
//! | --- | --- |
//! | 10, 30, 60 | 10 %, 30 %, 60 % |
//! | 30, 60 | 1/3, 2/3 |
//! | 60 | all |
//! | 0, 30, 60 | none, 1/3, 2/3 |
//! | 0, 0 | half, half |
//! | none | nobody |
//! | 10 in the third tenth of its slow start, 10 | 3/13, 10/13 |
//!
//! Azure draws at random; we walk a block of slots, so the shares are exact (`compile::interleave`). Weight 0 drains an endpoint, which Azure cannot: it answers only
//! while no other one is eligible. It is still probed, and gives way no sooner than there is somebody to give way to.

use super::{Ruling, slow_start::STEPS};
use crate::desired::Profile;

/// The endpoints that a Weighted profile picks, with their weights.
pub(super) fn pick(profile: &Profile, eligible: &[usize], rulings: &[Ruling]) -> Vec<(usize, u64)> {
    let tenths = |i: usize| match is_steady(eligible, rulings) {
        true => 1,
        false => u64::from(rulings[i].ramp.map_or(STEPS, |ramp| ramp.tenths)),
    };
    let weights = eligible.iter().map(|i| (*i, u64::from(profile.endpoints[*i].weight) * tenths(*i)));
    let picked: Vec<_> = weights.filter(|(_, weight)| *weight > 0).collect();
    if picked.is_empty() { eligible.iter().map(|i| (*i, tenths(*i))).collect() } else { picked }
}

/// Do all of them have their full weight?
pub(super) fn is_steady(eligible: &[usize], rulings: &[Ruling]) -> bool {
    eligible.iter().all(|i| rulings[*i].ramp.is_none())
}

/// Why one that is eligible answers, or does not.
pub(super) fn reason(profile: &Profile, eligible: &[usize], rulings: &[Ruling], index: usize) -> String {
    let weight = profile.endpoints[index].weight;
    let picked = pick(profile, eligible, rulings);
    let Some((_, part)) = picked.iter().find(|(i, _)| *i == index) else {
        return format!("weight {weight}: drained while others may answer");
    };
    match (weight, rulings[index].ramp) {
        (0, _) => "weight 0, as all have that may answer".to_owned(),
        (_, Some(ramp)) => format!("weight {weight}, of which slow start gives it {} %", ramp.tenths * 10),
        (_, None) if is_steady(eligible, rulings) => {
            format!("weight {part} of {}", picked.iter().map(|(_, part)| part).sum::<u64>())
        }
        (_, None) => format!("weight {weight}, while others start slowly"),
    }
}
