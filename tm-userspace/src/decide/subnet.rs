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

use super::{EndpointStatus, Share};
use crate::{
    desired::{Profile, Status},
    places::Choice,
};

/// The shares of a Subnet profile at a place with this choice.
pub fn shares(profile: &Profile, statuses: &[EndpointStatus], choice: Option<Choice>) -> Vec<Share> {
    use EndpointStatus::{CheckingEndpoint, Online, Unmonitored};
    let is_up = |i: &usize| matches!(statuses[*i], Online | CheckingEndpoint | Unmonitored);
    let rest = profile.endpoints.iter().position(|e| e.subnets.is_empty() && e.status == Status::Enabled);
    let mapped = match choice {
        Some(Choice::Subnet(mapped)) => mapped,
        None => None,
    };
    let first = mapped.filter(is_up).or(rest.filter(is_up)).or(mapped).or(rest);
    first.map(|endpoint| Share { endpoint, weight: 1 }).into_iter().collect()
}
