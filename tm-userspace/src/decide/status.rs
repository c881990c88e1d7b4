//! What to call the state of endpoints and profiles.
//!
//! # Endpoint monitor status, the first line that holds
//!
//! | the operator wants | known of it | endpoint monitor status |
//! | --- | --- | --- |
//! | endpoint disabled | any | Disabled |
//! | profile disabled | any | Inactive |
//! | always serve | not asked | Unmonitored |
//! | a service that is stopped | not asked | Stopped |
//! | a nested endpoint | its child is switched off | Stopped |
//! | a nested endpoint | its child otherwise | by the table of `nested` |
//! | enabled | nothing yet | CheckingEndpoint |
//! | enabled | up | Online |
//! | enabled | down | Degraded |
//!
//! Who may answer with which status is `eligible`'s: there the operator's orders and the profile's rules come in. Neither changes a status, which is
//! always what the probes say.
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

use std::{sync::Arc, time::SystemTime};

use serde::Serialize;

use super::{
    Ruling,
    eligible::{Candidates, eligible},
    nested, weighted,
};
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
    /// Nested, and its child is switched off or has nobody; or a service that is stopped.
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
    /// Where each endpoint stands.
    pub(super) candidates: Candidates,
    /// Indices of the endpoints that may answer, where the client does not matter.
    pub(super) eligible: Vec<usize>,
    /// By endpoint, what the rules make of it.
    pub(super) rulings: Vec<Ruling>,
    /// Do all that may answer, here and below, have their full weight?
    pub(super) steady: bool,
    /// When anything of this would change by itself, here or below.
    pub(super) until: Option<SystemTime>,
}

impl<'a> Standing<'a> {
    pub(super) fn of(
        profiles: &'a Profiles,
        profile: &'a Arc<Profile>,
        health: &Health,
        now: SystemTime,
    ) -> Self {
        let (mut endpoints, mut children) = (vec![], vec![]);
        for index in 0..profile.endpoints.len() {
            let (status, child) = endpoint(profiles, profile, index, health, now);
            endpoints.push(status);
            children.push(child);
        }
        let (candidates, rulings) = eligible(profile, &endpoints, &children, health, now);
        let eligible = candidates.among(|_| true);
        let below = || children.iter().flatten();
        let is_steady = |i: &usize| children[*i].as_ref().is_none_or(|child| child.steady);
        Standing {
            profile,
            status: roll_up(profile, &endpoints),
            steady: weighted::is_steady(&eligible, &rulings) && eligible.iter().all(is_steady),
            until: rulings
                .iter()
                .filter_map(Ruling::until)
                .chain(below().filter_map(|child| child.until))
                .min(),
            endpoints,
            children,
            candidates,
            eligible,
            rulings,
        }
    }
}

/// The first table above, and for a nested endpoint the state of its child.
fn endpoint<'a>(
    profiles: &'a Profiles,
    profile: &'a Profile,
    index: usize,
    health: &Health,
    now: SystemTime,
) -> (EndpointStatus, Option<Standing<'a>>) {
    let endpoint = &profile.endpoints[index];
    if endpoint.status == Status::Disabled {
        return (EndpointStatus::Disabled, None);
    }
    if profile.status == Status::Disabled {
        return (EndpointStatus::Inactive, None);
    }
    if let Target::Profile(child) = &endpoint.target {
        let child = profiles.get(child).map(|child| Standing::of(profiles, child, health, now));
        return (nested::status(child.as_ref(), endpoint.min_child), child);
    }
    let status = match health.verdicts.get(&profile.key(endpoint)) {
        _ if endpoint.always_serve => EndpointStatus::Unmonitored,
        _ if endpoint.is_stopped() => EndpointStatus::Stopped,
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

impl EndpointStatus {
    /// May it answer beside others that may?
    pub fn is_available(self) -> bool {
        use EndpointStatus::{CheckingEndpoint, Online, Unmonitored};
        matches!(self, Online | CheckingEndpoint | Unmonitored)
    }
}
