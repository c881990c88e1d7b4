//! What a page of many profiles shows at once, and what moves on it: summaries, states, rates.

use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    Problem,
    given::{Asked, Named},
    node,
    profiles::readable,
};
use crate::{
    api::{
        ProfileView, Summary, View,
        access::Principal,
        rates::{INTERVAL, Series},
        status,
        summary::summaries as summarize,
        traffic::{TrafficView, flows},
    },
    config::key,
    store::Level,
    time::rfc3339,
};

/// Every profile in a line, and what new ones begin with.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Summaries {
    /// The zones, that of relative names first.
    pub zones: Vec<String>,
    /// Where profiles belong that do not say.
    pub subscription: String,
    /// And in it.
    pub resource_group: String,
    /// By name.
    pub value: Vec<Summary>,
}

/// Answers a second over the last two minutes, the oldest sample first. Who is not there gave none.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RatesView {
    /// When the last sample was taken.
    pub at: String,
    /// From one sample to the next.
    pub interval_ms: u64,
    /// By profile, with those of all that is nested in it.
    pub profiles: BTreeMap<String, Vec<f32>>,
    /// Where one profile was asked for: by endpoint of it and of those nested in it, as `profile/endpoint`.
    pub endpoints: BTreeMap<String, Vec<f32>>,
}

/// The last sample: answers a second. Who is not there gave none.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RateEvent {
    /// When it was taken.
    pub at: String,
    /// By profile, with those of all that is nested in it.
    pub profiles: BTreeMap<String, f32>,
    /// Where one profile was asked for: by endpoint of it and of those nested in it, as `profile/endpoint`.
    pub endpoints: BTreeMap<String, f32>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OneQuery {
    /// This profile alone.
    profile: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/summaries", tag = "profiles", params(OneQuery), responses((status = 200, body = Summaries)))]
pub(super) async fn summaries(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<OneQuery>,
) -> Result<Json<Summaries>, Problem> {
    principal.has(Level::Read)?;
    let node = node(&view)?;
    let only = query.profile.as_deref().map(key);
    let value = summarize(&view, |record| {
        principal.sees(&record.scope) && only.as_ref().is_none_or(|only| *only == key(&record.name))
    });
    Ok(Json(Summaries {
        zones: node.zones().map(|zone| zone.name.to_string()).collect(),
        subscription: node.scope.subscription.to_string(),
        resource_group: node.scope.resource_group.to_string(),
        value,
    }))
}

#[utoipa::path(get, path = "/api/v1/profiles/{profile}/status", tag = "profiles", params(("profile" = String, Path)), responses((status = 200, description = "The profile, and behind it each that is nested below it", body = [ProfileView])))]
pub(super) async fn profile_status(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
) -> Result<Json<Vec<ProfileView>>, Problem> {
    let record = readable(&principal, &view, &name)?;
    let mut tree = status::tree(&view, &record.name);
    // What lies below may be another group's.
    tree.retain(|profile| principal.sees_profile(&view, &profile.name));
    Ok(Json(tree))
}

#[utoipa::path(get, path = "/api/v1/profiles/{profile}/traffic", tag = "profiles", params(("profile" = String, Path)), responses((status = 200, description = "Who asked for it, where its `traffic_view` is true", body = TrafficView)))]
pub(super) async fn traffic(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
) -> Result<Json<TrafficView>, Problem> {
    let record = readable(&principal, &view, &name)?;
    let flows = flows(&view, &record.name).ok_or_else(|| {
        Problem::not_found(format_args!("Traffic View of `{name}` is off: set its traffic_view to true"))
    })?;
    Ok(Json(flows.show()))
}

#[utoipa::path(get, path = "/api/v1/rates", tag = "state", params(OneQuery), responses((status = 200, body = RatesView)))]
pub(super) async fn rates(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<OneQuery>,
) -> Result<Json<RatesView>, Problem> {
    principal.has(Level::Read)?;
    let (at, profiles, endpoints) = all(&view, &principal, query.profile.as_deref());
    let listed =
        |all: BTreeMap<String, Series>| all.into_iter().map(|(key, its)| (key, its.to_vec())).collect();
    let interval_ms = INTERVAL.as_millis() as u64;
    Ok(Json(RatesView { at, interval_ms, profiles: listed(profiles), endpoints: listed(endpoints) }))
}

impl RateEvent {
    /// Of the profiles that answer now, or of this one and its endpoints.
    pub(super) fn of(view: &View, principal: &Principal, profile: Option<&str>) -> Self {
        let (at, profiles, endpoints) = all(view, principal, profile);
        let last = |all: BTreeMap<String, Series>| {
            let last = all.into_iter().filter_map(|(key, its)| Some((key, *its.last()?)));
            last.filter(|(_, rate)| *rate > 0.0).collect()
        };
        RateEvent { at, profiles: last(profiles), endpoints: last(endpoints) }
    }
}

type ByName = BTreeMap<String, Series>;

/// Of what they may look at.
fn all(view: &View, principal: &Principal, profile: Option<&str>) -> (String, ByName, ByName) {
    let published = view.published.borrow().clone();
    let samples = view.rates.samples();
    let mut endpoints = ByName::new();
    let mut profiles: ByName = match profile.and_then(|name| view.catalog.profile(name)) {
        Some(record) => {
            let series = samples.of(&published, &record.name, Some(&mut endpoints));
            series.into_iter().map(|series| (record.name.to_string(), series)).collect()
        }
        None if profile.is_some() => ByName::new(),
        None => {
            let names = published.decisions.keys();
            names.filter_map(|name| Some((name.to_string(), samples.of(&published, name, None)?))).collect()
        }
    };
    if !principal.sees_all() {
        let mut seen = HashMap::new();
        let mut sees =
            |name: &str| *seen.entry(name.to_owned()).or_insert_with(|| principal.sees_profile(view, name));
        profiles.retain(|name, _| sees(name));
        endpoints.retain(|key, _| key.split_once('/').is_some_and(|(profile, _)| sees(profile)));
    }
    (rfc3339(samples.at), profiles, endpoints)
}
