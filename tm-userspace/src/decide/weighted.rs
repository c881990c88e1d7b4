//! Weighted (2012's Round Robin): every eligible endpoint answers its part.
//!
//! | eligible endpoints, by weight | shares |
//! | --- | --- |
//! | 10, 30, 60 | 10 %, 30 %, 60 % |
//! | 30, 60 | 1/3, 2/3 |
//! | 60 | all |
//! | none | the name does not exist |
//!
//! Azure draws at random; we walk a block of slots, so the shares are exact (`compile::interleave`).

use super::Share;
use crate::desired::Profile;

/// The shares of a Weighted profile.
pub fn shares(profile: &Profile, eligible: &[usize]) -> Vec<Share> {
    eligible.iter().map(|i| Share { endpoint: *i, weight: u32::from(profile.endpoints[*i].weight) }).collect()
}
