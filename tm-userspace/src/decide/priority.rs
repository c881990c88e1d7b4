//! Priority (2012's Failover): one endpoint answers everything, and gives way only when it is not eligible.
//!
//! | eligible endpoints, by priority | answers |
//! | --- | --- |
//! | 1, 2, 3 | 1 |
//! | 2, 3 | 2 |
//! | 2 | 2 |
//! | none | there is no data |
//!
//! The lowest number answers; it answers again the moment it is eligible again (when that is, is `failback`'s). With all endpoints Degraded all are eligible, and the
//! first of all answers.

use super::Share;
use crate::desired::Profile;

/// The shares of a Priority profile.
pub fn shares(profile: &Profile, eligible: &[usize]) -> Vec<Share> {
    let first = eligible.iter().min_by_key(|i| profile.endpoints[**i].priority);
    first.map(|endpoint| Share { endpoint: *endpoint, weight: 1 }).into_iter().collect()
}
