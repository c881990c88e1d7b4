//! Weighted (2012's Round Robin): every eligible endpoint answers its part.
//!
//! | eligible endpoints, by weight | shares |
//! | --- | --- |
//! | 10, 30, 60 | 10 %, 30 %, 60 % |
//! | 30, 60 | 1/3, 2/3 |
//! | 60 | all |
//! | none | there is no data |
//! | 10 in the third tenth of its slow start, 10 | 3/13, 10/13 |
//!
//! Azure draws at random; we walk a block of slots, so the shares are exact (`compile::interleave`).

use super::{Ruling, Share, slow_start::STEPS};
use crate::desired::Profile;

/// The shares of a Weighted profile.
pub fn shares(profile: &Profile, eligible: &[usize], rulings: &[Ruling]) -> Vec<Share> {
    let weight = |i: usize| {
        let tenths = rulings[i].ramp.map_or(STEPS, |ramp| ramp.tenths);
        u32::from(profile.endpoints[i].weight) * if is_steady(eligible, rulings) { 1 } else { tenths }
    };
    eligible.iter().map(|i| Share { endpoint: *i, weight: weight(*i) }).collect()
}

/// Do all of them have their full weight?
pub fn is_steady(eligible: &[usize], rulings: &[Ruling]) -> bool {
    eligible.iter().all(|i| rulings[*i].ramp.is_none())
}
