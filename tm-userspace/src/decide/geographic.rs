//! Geographic: the endpoint to which the client's place is mapped, up or down.
//!
//! | the client's codes, the most specific first, are mapped to | its status | answers |
//! | --- | --- | --- |
//! | an endpoint | Online, CheckingEndpoint, Unmonitored | that endpoint |
//! | an endpoint | Degraded | that endpoint: there is no failover to the next code up |
//! | an endpoint | Stopped, forced down, or nested and its child has nobody to answer | NODATA: nor for these |
//! | a disabled endpoint | | as if it had no codes: the next code up counts |
//! | nobody, not even `WORLD` | | NODATA |
//! | a client in a range of an endpoint | as above | as above, wherever the client is |
//!
//! The profile's rules are for the one endpoint as if there were no other: with `when_all_down = "none"` a Degraded one has no data, and with a last resort that one answers for an endpoint
//! that is down, Stopped or forced down. The last resort has no codes of its own. A client of whom nothing is known is in `WORLD`. Who wants
//! a region to fail over maps it to a nested profile.

use super::status::Standing;
use crate::places::Choice;

/// The endpoint that a Geographic profile picks at a place with this choice, with its weight.
pub(super) fn pick(standing: &Standing<'_>, choice: Option<&Choice>) -> Vec<(usize, u64)> {
    let Some(Choice::Mapped(Some(mapped))) = choice else { return vec![] };
    standing.candidates.among(|i| i == *mapped).into_iter().map(|i| (i, 1)).collect()
}

/// What an endpoint is to the clients with this choice.
pub(super) fn reason(standing: &Standing<'_>, choice: Option<&Choice>, index: usize) -> String {
    let Some(Choice::Mapped(Some(mapped))) = choice else {
        return "the client is mapped to nobody".to_owned();
    };
    let name = &standing.profile.endpoints[*mapped].name;
    match pick(standing, choice).first() {
        _ if *mapped == index => "the client is mapped to it".to_owned(),
        Some((picked, _)) if *picked == index => format!("answers for {name}, which may not"),
        _ => format!("the client is mapped to {name}"),
    }
}
