//! Performance: the eligible endpoints in the region nearest to the client, each with an even share.
//!
//! | the client | eligible are | answer |
//! | --- | --- | --- |
//! | is near to region 1, less to 2, less to 3 | some in 1, 2 and 3 | those in 1, evenly |
//! | the same | some in 2 and 3 | those in 2, evenly |
//! | the same | some in 3 | those in 3, evenly |
//! | nothing is known of it | any | all of them, evenly |
//! | is in a range of an endpoint | that one too | that one |
//! | is in a range of an endpoint | others | as any other client |
//! | any | with all Degraded: all | as if all were up |
//! | any | none | nobody |
//!
//! Regions of which nothing is known come last, all together. A last resort, which answers when nobody is up, does so wherever the client is; it needs no region. Weight and priority do
//! not count.

use super::status::Standing;
use crate::places::Choice;

/// The endpoints that a Performance profile picks at a place with this choice, with their weights.
pub(super) fn pick(standing: &Standing<'_>, choice: Option<&Choice>) -> Vec<(usize, u64)> {
    let eligible = standing.eligible.as_slice();
    let groups: &[Vec<usize>] = match choice {
        Some(Choice::Nearest(groups)) => groups,
        _ => &[],
    };
    let in_group = |group: &Vec<usize>| -> Vec<usize> {
        group.iter().copied().filter(|i| eligible.binary_search(i).is_ok()).collect()
    };
    let nearest = groups.iter().map(in_group).find(|some| !some.is_empty());
    nearest.unwrap_or_else(|| eligible.to_vec()).into_iter().map(|i| (i, 1)).collect()
}

/// Why one that is eligible answers these clients, or does not.
pub(super) fn reason(standing: &Standing<'_>, choice: Option<&Choice>, index: usize) -> String {
    let picked = pick(standing, choice);
    let is_known = matches!(choice, Some(Choice::Nearest(groups)) if !groups.is_empty());
    if !picked.iter().any(|(i, _)| *i == index) {
        let names: Vec<&str> = picked.iter().map(|(i, _)| &*standing.profile.endpoints[*i].name).collect();
        let come = if names.len() > 1 { "come" } else { "comes" };
        return format!("for this client, {} {come} first", names.join(" and "));
    }
    match (is_known, picked.len()) {
        (false, count) => format!("no nearness is known: one of {count}, evenly"),
        (true, 1) => "the first for this client of those that may answer".to_owned(),
        (true, count) => format!("for this client, one of {count} that come first, evenly"),
    }
}
