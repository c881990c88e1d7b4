//! From what is wanted and what is up to who answers: pure, total, and without a clock of its own.
//!
//! # Eligibility, shared by all methods
//!
//! | the operator wants | the probes say | endpoint monitor status | eligible |
//! | --- | --- | --- | --- |
//! | endpoint disabled | any | Disabled | never |
//! | profile disabled | any | Inactive | never |
//! | always serve | not asked | Unmonitored | yes |
//! | enabled | nothing yet | CheckingEndpoint | yes |
//! | enabled | up | Online | yes |
//! | enabled | down | Degraded | only if no endpoint of the profile is eligible |
//!
//! The last line is Azure's all-degraded rule: a broken probe path must not take a service down, so with every enabled endpoint
//! Degraded the profile answers as if all of them were Online.
//!
//! # Profile monitor status, the first line that holds
//!
//! | condition | status |
//! | --- | --- |
//! | profile disabled | Disabled |
//! | any endpoint Degraded | Degraded |
//! | any endpoint Online or Unmonitored | Online |
//! | any endpoint CheckingEndpoint | CheckingEndpoints |
//! | otherwise: all disabled, or none | Inactive |
//!
//! # The name itself
//!
//! A disabled profile, and one without an enabled endpoint, has no name: NXDOMAIN, as Azure answers. For an empty profile Azure documents
//! nothing; it is treated alike.
//!
//! # Places
//!
//! A [`Decision`] gives shares by [`Place`]. Priority and Weighted do not look at the client and have but [`Place::ANYWHERE`]; Subnet has a row for each place of
//! the profile's view. A place without shares has no data; the name exists all the same.
//!
//! Time enters as an argument, and [`Decision::until`] says when the result would next change by itself.

pub mod priority;
pub mod subnet;
pub mod weighted;

use std::{sync::Arc, time::SystemTime};

use serde::Serialize;

use crate::{
    desired::{EndpointKey, Profile, RoutingMethod, Status},
    health::Health,
    places::{Class, Place, View},
};

/// Who answers for one profile, and what to call its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided on.
    pub profile: Arc<Profile>,
    /// By endpoint, in the profile's order.
    pub endpoints: Vec<EndpointStatus>,
    /// The profile's.
    pub status: ProfileStatus,
    /// Which clients are at which place.
    pub view: Arc<View>,
    /// For each place of the view, in order, the endpoints that answer there; empty where the name does not exist.
    pub places: Vec<(Place, Vec<Share>)>,
    /// When the decision would change though nothing else does.
    pub until: Option<SystemTime>,
}

/// An endpoint's part of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index in the profile's endpoints.
    pub endpoint: usize,
    /// In relation to the sum of all weights of the place; not zero.
    pub weight: u32,
}

/// What we derived of an endpoint (Azure's endpointMonitorStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EndpointStatus {
    /// Switched off by the operator.
    Disabled,
    /// Its profile is switched off.
    Inactive,
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

/// Decides for one profile, whose clients `view` tells apart, at `now`.
pub fn decide(profile: &Arc<Profile>, view: &Arc<View>, health: &Health, _now: SystemTime) -> Decision {
    let endpoints: Vec<EndpointStatus> =
        (0..profile.endpoints.len()).map(|i| status_of(profile, i, health)).collect();
    let eligible = eligible(&endpoints);
    let shares = |class: &Class| match profile.routing_method {
        RoutingMethod::Priority => priority::shares(profile, &eligible),
        RoutingMethod::Weighted => weighted::shares(profile, &eligible),
        RoutingMethod::Subnet => subnet::shares(profile, &endpoints, class.choice(&profile.name)),
    };
    let places = match eligible.is_empty() {
        true => vec![],
        false => (0..).map(Place).zip(view.classes().iter().map(shares)).collect(),
    };
    Decision {
        profile: profile.clone(),
        status: roll_up(profile, &endpoints),
        endpoints,
        view: view.clone(),
        places,
        until: None,
    }
}

fn status_of(profile: &Profile, index: usize, health: &Health) -> EndpointStatus {
    let endpoint = &profile.endpoints[index];
    if endpoint.status == Status::Disabled {
        return EndpointStatus::Disabled;
    }
    if profile.status == Status::Disabled {
        return EndpointStatus::Inactive;
    }
    if endpoint.always_serve {
        return EndpointStatus::Unmonitored;
    }
    let key = EndpointKey { profile: profile.name.clone(), endpoint: endpoint.name.clone() };
    match health.verdicts.get(&key) {
        None => EndpointStatus::CheckingEndpoint,
        Some(verdict) if verdict.up => EndpointStatus::Online,
        Some(_) => EndpointStatus::Degraded,
    }
}

/// Indices of the endpoints that may answer, by the first table above.
fn eligible(endpoints: &[EndpointStatus]) -> Vec<usize> {
    use EndpointStatus::{CheckingEndpoint, Degraded, Online, Unmonitored};
    let with = |wanted: &[EndpointStatus]| -> Vec<usize> {
        (0..endpoints.len()).filter(|i| wanted.contains(&endpoints[*i])).collect()
    };
    match with(&[Online, CheckingEndpoint, Unmonitored]) {
        none if none.is_empty() => with(&[Degraded]),
        some => some,
    }
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

#[cfg(test)]
mod tests;
