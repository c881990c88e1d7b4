//! From what is wanted and what is up to who answers: pure, total, and without a clock of its own.
//!
//! # Endpoint monitor status
//!
//! | the operator wants | the probes say | endpoint monitor status |
//! | --- | --- | --- |
//! | endpoint disabled | any | Disabled |
//! | profile disabled | any | Inactive |
//! | always serve | not asked | Unmonitored |
//! | enabled | nothing yet | CheckingEndpoint |
//! | enabled | up | Online |
//! | enabled | down | Degraded |
//!
//! Who may answer with which status is [`eligible`]'s: there the operator's orders and the profile's rules come in. Neither changes a status, which is
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
//! | otherwise: all disabled, or none | Inactive |
//!
//! # The name itself
//!
//! A disabled profile, and one without an enabled endpoint, has no name: NXDOMAIN, as Azure answers. For an empty profile Azure documents
//! nothing; it is treated alike.
//!
//! # How the other methods fit
//!
//! A [`Decision`] gives shares by [`Place`]. Priority and Weighted do not look at the place and use [`Place::ANYWHERE`]; Performance, Geographic and Subnet
//! will give a row for each place they tell apart, MultiValue all of its endpoints as one share. A nested endpoint becomes the shares of its child, scaled.
//! Time enters as an argument, and [`Decision::until`] says when the result would next change by itself.

pub mod eligible;
pub mod failback;
pub mod guard;
pub mod priority;
mod ruling;
pub mod slow_start;
pub mod weighted;

use std::{sync::Arc, time::SystemTime};

use serde::Serialize;

pub use ruling::{Held, Ruling};
pub use slow_start::Ramp;

use eligible::eligible;

use crate::{
    desired::{EndpointKey, Profile, RoutingMethod, Status},
    health::Health,
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
    /// What the rules make of each endpoint, in the same order.
    pub rulings: Vec<Ruling>,
    /// For each place the endpoints that answer there, none where there is no data; empty where the name does not exist.
    pub places: Vec<(Place, Vec<Share>)>,
    /// Do the shares stay as they are? Else they change step by step, and are best laid out such that a step changes slots alone.
    pub steady: bool,
    /// When the decision would change though nothing else does.
    pub until: Option<SystemTime>,
}

/// A class of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u32);

impl Place {
    /// Every client.
    pub const ANYWHERE: Place = Place(0);
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

/// Decides for one profile at `now`.
pub fn decide(profile: &Arc<Profile>, health: &Health, now: SystemTime) -> Decision {
    let endpoints: Vec<EndpointStatus> =
        (0..profile.endpoints.len()).map(|i| status_of(profile, i, health)).collect();
    let eligible = eligible(profile, &endpoints, health, now);
    let rulings = eligible.rulings;
    let answering = eligible.endpoints.as_deref().unwrap_or_default();
    let shares = match profile.routing_method {
        RoutingMethod::Priority => priority::shares(profile, answering),
        RoutingMethod::Weighted => weighted::shares(profile, answering, &rulings),
    };
    Decision {
        profile: profile.clone(),
        status: roll_up(profile, &endpoints),
        endpoints,
        steady: weighted::is_steady(answering, &rulings),
        places: eligible.endpoints.iter().map(|_| (Place::ANYWHERE, shares.clone())).collect(),
        rulings,
        until: eligible.until,
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
mod rule_tests;
#[cfg(test)]
mod tests;
