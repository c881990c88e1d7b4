//! What to call the state of endpoints and profiles, and who may answer.
//!
//! # Endpoint monitor status, the first line that holds
//!
//! | the operator wants | known of it | endpoint monitor status | eligible |
//! | --- | --- | --- | --- |
//! | endpoint disabled | any | Disabled | never |
//! | profile disabled | any | Inactive | never |
//! | always serve | not asked | Unmonitored | yes |
//! | a nested endpoint | its child is switched off | Stopped | never |
//! | a nested endpoint | its child otherwise | by the table of `nested` | as below |
//! | enabled | nothing yet | CheckingEndpoint | yes |
//! | enabled | up | Online | yes |
//! | enabled | down | Degraded | only if no endpoint of the profile is eligible |
//!
//! The last line is Azure's all-degraded rule: a broken probe path must not take a service down, so with every endpoint that could answer
//! Degraded the profile answers as if all of them were Online. Disabled and Stopped endpoints stay out of it.
//!
//! # Profile monitor status, the first line that holds
//!
//! | condition | status |
//! | --- | --- |
//! | profile disabled | Disabled |
//! | any endpoint Degraded | Degraded |
//! | any endpoint Online or Unmonitored | Online |
//! | any endpoint CheckingEndpoint | CheckingEndpoints |
//! | otherwise: all Disabled or Stopped, or none | Inactive |

use std::sync::Arc;

use serde::Serialize;

use super::nested;
use crate::{
    desired::{Profile, Profiles, Status, Target},
    health::Health,
};

/// What we derived of an endpoint (Azure's endpointMonitorStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EndpointStatus {
    /// Switched off by the operator.
    Disabled,
    /// Its profile is switched off.
    Inactive,
    /// Nested, and its child is switched off or has nobody.
    Stopped,
    /// Served always, never probed.
    Unmonitored,
    /// No verdict yet.
    CheckingEndpoint,
    /// Up.
    Online,
    /// Down.
    Degraded,
}

/// What we derived of a profile (Azure's profileMonitorStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ProfileStatus {
    /// Switched off by the operator.
    Disabled,
    /// At least one endpoint is down.
    Degraded,
    /// At least one endpoint is up, none is down.
    Online,
    /// No verdict yet.
    CheckingEndpoints,
    /// No endpoint to speak of.
    Inactive,
}

/// A profile's state, with that of those nested in it.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) profile: &'a Arc<Profile>,
    pub(super) status: ProfileStatus,
    /// By endpoint.
    pub(super) endpoints: Vec<EndpointStatus>,
    /// By endpoint; none where it is not nested or switched off.
    pub(super) children: Vec<Option<Standing<'a>>>,
}

impl<'a> Standing<'a> {
    pub(super) fn of(profiles: &'a Profiles, profile: &'a Arc<Profile>, health: &Health) -> Self {
        let (mut endpoints, mut children) = (vec![], vec![]);
        for index in 0..profile.endpoints.len() {
            let (status, child) = endpoint(profiles, profile, index, health);
            endpoints.push(status);
            children.push(child);
        }
        Standing { profile, status: roll_up(profile, &endpoints), endpoints, children }
    }
}

/// The first table above, and for a nested endpoint the state of its child.
fn endpoint<'a>(
    profiles: &'a Profiles,
    profile: &'a Profile,
    index: usize,
    health: &Health,
) -> (EndpointStatus, Option<Standing<'a>>) {
    let endpoint = &profile.endpoints[index];
    if endpoint.status == Status::Disabled {
        return (EndpointStatus::Disabled, None);
    }
    if profile.status == Status::Disabled {
        return (EndpointStatus::Inactive, None);
    }
    if let Target::Profile(child) = &endpoint.target {
        let child = profiles.get(child).map(|child| Standing::of(profiles, child, health));
        return (nested::status(child.as_ref(), endpoint.min_child), child);
    }
    let status = match health.verdicts.get(&profile.key(endpoint)) {
        _ if endpoint.always_serve => EndpointStatus::Unmonitored,
        None => EndpointStatus::CheckingEndpoint,
        Some(verdict) if verdict.up => EndpointStatus::Online,
        Some(_) => EndpointStatus::Degraded,
    };
    (status, None)
}

/// The second table above.
fn roll_up(profile: &Profile, endpoints: &[EndpointStatus]) -> ProfileStatus {
    let any = |status| endpoints.contains(&status);
    if profile.status == Status::Disabled {
        ProfileStatus::Disabled
    } else if any(EndpointStatus::Degraded) {
        ProfileStatus::Degraded
    } else if any(EndpointStatus::Online) || any(EndpointStatus::Unmonitored) {
        ProfileStatus::Online
    } else if any(EndpointStatus::CheckingEndpoint) {
        ProfileStatus::CheckingEndpoints
    } else {
        ProfileStatus::Inactive
    }
}

/// Indices of the endpoints that may answer, by the first table.
pub(super) fn eligible(endpoints: &[EndpointStatus]) -> Vec<usize> {
    let with = |wanted: fn(EndpointStatus) -> bool| -> Vec<usize> {
        (0..endpoints.len()).filter(|i| wanted(endpoints[*i])).collect()
    };
    match with(EndpointStatus::is_available) {
        none if none.is_empty() => with(|status| status == EndpointStatus::Degraded),
        some => some,
    }
}

impl EndpointStatus {
    /// May it answer beside others that may?
    pub fn is_available(self) -> bool {
        use EndpointStatus::{CheckingEndpoint, Online, Unmonitored};
        matches!(self, Online | CheckingEndpoint | Unmonitored)
    }
}
