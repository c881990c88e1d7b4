//! Priority (2012's Failover): one endpoint answers everything, and gives way only when it is not eligible.
//!
//! | eligible endpoints, by priority | answers |
//! | --- | --- |
//! | 1, 2, 3 | 1 |
//! | 2, 3 | 2 |
//! | 2 | 2 |
//! | none | nobody |
//!
//! The lowest number answers; it answers again the moment it is eligible again (when that is, is `failback`'s). With all endpoints Degraded all are eligible, and the
//! first of all answers.

use crate::desired::Profile;

/// The endpoint that a Priority profile picks, with its weight.
pub(super) fn pick(profile: &Profile, eligible: &[usize]) -> Vec<(usize, u64)> {
    let first = eligible.iter().min_by_key(|i| profile.endpoints[**i].priority);
    first.map(|i| (*i, 1)).into_iter().collect()
}

/// Why one that is eligible answers, or does not.
pub(super) fn reason(profile: &Profile, eligible: &[usize], index: usize) -> String {
    let priority = |i: usize| profile.endpoints[i].priority;
    match pick(profile, eligible).first() {
        Some((first, _)) if *first != index => {
            format!(
                "priority {}: {} has {}",
                priority(index),
                profile.endpoints[*first].name,
                priority(*first)
            )
        }
        _ => format!("priority {}, the lowest of those that may answer", priority(index)),
    }
}
