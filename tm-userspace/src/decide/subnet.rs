//! Subnet: the endpoint in whose address ranges the client is.
//!
//! | the client is in a range of | its status | the endpoint without ranges | answers |
//! | --- | --- | --- | --- |
//! | an endpoint | Online, CheckingEndpoint, Unmonitored | any | that endpoint |
//! | an endpoint | Degraded | Online, CheckingEndpoint, Unmonitored | the one without ranges |
//! | an endpoint | Degraded | Degraded, disabled, or none | that endpoint: with everybody Degraded, all are as if Online |
//! | none | | enabled, whatever its status | the one without ranges |
//! | none | | disabled, or none | NODATA |
//!
//! Of ranges inside one another the smallest counts (Azure refuses them). A disabled endpoint's ranges are as if they were not there. What Azure answers where nobody fits its pages
//! tell differently, NODATA and NXDOMAIN; a resolver keeps NXDOMAIN for every type, and some clients' missing answer must not say that the name is not there.
//!
//! Where the profile has rules, they are for the two that the client may have: where both are down, a last resort answers, or nobody, as it says. The last resort is not the one
//! without ranges.

use super::status::Standing;
use crate::{
    desired::{Profile, Status},
    places::Choice,
};

/// The endpoint that a Subnet profile picks at a place with this choice, with its weight.
pub(super) fn pick(standing: &Standing<'_>, choice: Option<&Choice>) -> Vec<(usize, u64)> {
    let (mapped, rest) = fitting(standing.profile, choice);
    if mapped.or(rest).is_none() {
        return vec![];
    }
    let may = standing.candidates.among(|i| Some(i) == mapped || Some(i) == rest);
    let first = mapped.filter(|i| may.contains(i)).or(may.first().copied());
    first.map(|i| (i, 1)).into_iter().collect()
}

/// The endpoint in whose ranges the clients are, and the one without ranges.
fn fitting(profile: &Profile, choice: Option<&Choice>) -> (Option<usize>, Option<usize>) {
    let last_resort = profile.last_resort();
    let is_rest = |i: &usize| {
        let endpoint = &profile.endpoints[*i];
        endpoint.subnets.is_empty() && endpoint.status == Status::Enabled && Some(*i) != last_resort
    };
    let rest = (0..profile.endpoints.len()).find(is_rest);
    match choice {
        Some(Choice::Mapped(mapped)) => (*mapped, rest),
        _ => (None, rest),
    }
}

/// What an endpoint is to the clients with this choice.
pub(super) fn reason(standing: &Standing<'_>, choice: Option<&Choice>, index: usize) -> String {
    let (mapped, rest) = fitting(standing.profile, choice);
    let name = |i: usize| &standing.profile.endpoints[i].name;
    let picked = pick(standing, choice).first().map(|(i, _)| *i);
    match mapped {
        Some(mapped) if mapped == index => "the client is in its subnets".to_owned(),
        Some(mapped) if picked == Some(index) => format!("answers for {}, which may not", name(mapped)),
        Some(mapped) => format!("the client is in subnets of {}", name(mapped)),
        None if rest == Some(index) => "without subnets: for clients that are in none".to_owned(),
        None => "the client is not in its subnets".to_owned(),
    }
}
