//! MultiValue: several eligible endpoints in one answer, each as often as any other.
//!
//! | eligible: a1, a2, a3 with IPv4, b1 with IPv6 | `max_return` | answers, in turn |
//! | --- | --- | --- |
//! | asked for A | 1 | a1; a2; a3 |
//! | asked for A | 2 | a1 a2; a2 a3; a3 a1 |
//! | asked for A | 3 to 10 | a1 a2 a3; a2 a3 a1; a3 a1 a2 |
//! | asked for AAAA | any | b1 |
//! | asked for ANY | any | as for A; as for AAAA where nobody eligible has an IPv4 address |
//! | asked for another type | any | no data |
//! | nobody eligible has an address of the family | any | no data |
//!
//! Who is eligible is told for the profile as a whole, before the type is looked at: while an IPv6 endpoint is up, an IPv4 one that is down is not given. Priority and weight do not count. Azure
//! gives some subset in some order; ours are rotations, so that every endpoint is first as often as any other. Its ANY has both families, ours one RRset
//! ([RFC 8482](https://www.rfc-editor.org/rfc/rfc8482)). An answer counts for every endpoint in it. Targets are addresses; a MultiValue profile may be nested, but nests none.

use super::{Answer, Leaf, Share, status::Standing};
use crate::desired::{Profile, Target};

/// The one share of a MultiValue profile, if anybody is eligible.
pub(super) fn shares(standing: &Standing<'_>) -> Vec<Share> {
    let (profile, eligible) = (standing.profile, &standing.eligible);
    let leaves: Vec<Leaf> = eligible.iter().map(|i| Leaf::of(standing, *i)).collect();
    let first = eligible.first();
    let share = first.map(|first| Share {
        endpoint: *first,
        weight: 1,
        answer: Answer::Several(leaves, profile.max_return),
    });
    share.into_iter().collect()
}

/// How often one of the profile's own endpoints is in an answer of its family, 0 to 1.
pub(super) fn part(profile: &Profile, endpoint: usize, share: &Share) -> f64 {
    let Answer::Several(leaves, most) = &share.answer else { return 0.0 };
    let wanted = &profile.endpoints[endpoint];
    let is_ipv4 = |target: &Target| matches!(target, Target::V4(_));
    let family =
        leaves.iter().filter(|leaf| is_ipv4(&leaf.endpoint.target) == is_ipv4(&wanted.target)).count();
    match leaves.iter().any(|leaf| leaf.endpoint.name == wanted.name) {
        true => f64::from(*most).min(family as f64) / family as f64,
        false => 0.0,
    }
}

/// In which answers one that is eligible is.
pub(super) fn reason(profile: &Profile, eligible: &[usize], index: usize) -> String {
    let is_ipv4 = |i: usize| matches!(profile.endpoints[i].target, Target::V4(_));
    let family = eligible.iter().filter(|i| is_ipv4(**i) == is_ipv4(index)).count();
    let version = if is_ipv4(index) { 4 } else { 6 };
    let most = usize::from(profile.max_return).min(family);
    format!("one of {family} with an IPv{version} address, {most} in an answer")
}
