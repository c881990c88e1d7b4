//! All that the API manages, as one: written out, and made so in one step.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    Problem, ServiceResource,
    given::Asked,
    node,
    profiles::{object_of_at_most, scope, writable},
    services::scope_of,
};
use crate::{
    api::{View, access::Principal},
    catalog::{Draft, Listing, ManagedBy, Plan, Record, Refusal, SERVICE},
    config::{Document, FieldFault, ProfileSchema, key, service_of},
    desired::{Scope, Service},
    store::{Level, Object},
};

/// Octets of a body: some 50,000 profiles.
const SIZE_AT_MOST: usize = 32 << 20;
/// So many are read and made at once; others wait.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Profiles and services, by the keys of the tables of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    /// Profiles.
    #[serde(default)]
    #[schema(value_type = Vec<ProfileSchema>)]
    pub profile: Vec<Document>,
    /// The inventory of services.
    #[serde(default)]
    #[schema(value_type = Vec<ServiceResource>)]
    pub service: Vec<Document>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppliedView {
    /// What became another one: services, then profiles, by the order in which they were given.
    pub changes: Vec<Change>,
    /// How many were as they are to be.
    pub unchanged: usize,
    /// What is right but hardly meant.
    pub warnings: Vec<String>,
}

/// A change of one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// A profile's name, a service's id.
    pub name: String,
    /// As it was; null where it was not there.
    #[schema(value_type = Option<serde_json::Value>)]
    pub before: Option<Document>,
    /// As it is; null where it is gone.
    #[schema(value_type = Option<serde_json::Value>)]
    pub after: Option<Document>,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Of the inventory.
    Service,
    /// A profile.
    Profile,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplyQuery {
    /// Are those to go that the API manages, and that are not given?
    #[serde(default)]
    prune: bool,
    #[serde(default, rename = "dryRun")]
    dry_run: bool,
}

#[utoipa::path(get, path = "/api/v1/export", tag = "all", responses((status = 200, body = Whole)))]
pub(super) async fn export(principal: Principal, State(view): State<View>) -> Result<Json<Whole>, Problem> {
    if principal.level < Level::Read {
        principal.may(Level::Read, None)?;
    }
    let default = node(&view)?.scope.clone();
    let listing = view.catalog.listing();
    let records = of_the_api(&listing).filter(|record| principal.sees(&record.scope));
    let profile = records.map(|record| short(record, &default)).collect();
    let services = services(&listing)
        .filter(|service| principal.may(Level::Read, scope_of(&id_of(service)).as_ref()).is_ok());
    let service = services.filter_map(|service| service.document.as_object().cloned()).collect();
    Ok(Json(Whole { profile, service }))
}

#[utoipa::path(post, path = "/api/v1/apply", tag = "all", params(ApplyQuery), request_body = Whole, responses((status = 200, body = AppliedView)))]
pub(super) async fn apply(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<ApplyQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AppliedView>, Problem> {
    if principal.level < Level::Write {
        principal.may(Level::Write, None)?;
    }
    let stopping = |_| Problem::from(Refusal::Stopping);
    let _place = PLACES.acquire().await.map_err(stopping)?;
    let body = object_of_at_most(SIZE_AT_MOST, &headers, body).await?;
    let whole: Whole = serde_json::from_value(Value::Object(body)).map_err(|error| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format_args!("the body is not what this takes: {error}"),
        )
    })?;
    let default = node(&view)?.scope.clone();
    let actor = principal.actor();
    let plan = {
        let default = default.clone();
        move |listing: &Listing| plan(&principal, &default, listing, whole, query.prune)
    };
    let applied = view.catalog.apply(actor, query.dry_run, plan).await?;
    let services = applied.services.iter().filter_map(|(before, after)| {
        let document = |object: &Arc<Object>| object.document.as_object().cloned();
        Some(Change {
            kind: ChangeKind::Service,
            name: id_of(after.as_ref().or(before.as_ref())?),
            before: before.as_ref().and_then(document),
            after: after.as_ref().and_then(document),
        })
    });
    let profiles = applied.profiles.iter().filter_map(|(before, after)| {
        let document = |record: &Arc<Record>| short(record, &default);
        Some(Change {
            kind: ChangeKind::Profile,
            name: after.as_ref().or(before.as_ref())?.name.to_string(),
            before: before.as_ref().map(document),
            after: after.as_ref().map(document),
        })
    });
    let changes = services.chain(profiles).collect();
    Ok(Json(AppliedView { changes, unchanged: applied.unchanged, warnings: applied.warnings }))
}

/// What is to become of what is there, as far as they may.
fn plan(
    principal: &Principal,
    default: &Scope,
    listing: &Listing,
    whole: Whole,
    prune: bool,
) -> Result<Plan, Problem> {
    let mut plan = Plan::default();
    let mut given: HashSet<Arc<str>> = HashSet::new();
    for (index, mut document) in whole.profile.into_iter().enumerate() {
        let key = document.get("name").and_then(Value::as_str).map(key).unwrap_or_default();
        let before = listing.profiles.get(&key);
        let scope = scope(&mut document, before.map_or(default, |before| &before.scope))
            .map_err(|problem| problem.below(&format!("/profile/{index}")))?;
        if let Some(before) = before {
            principal.may(Level::Write, Some(&before.scope))?;
        }
        principal.may(Level::Write, Some(&scope))?;
        let annotations = before.map(|before| Value::clone(&before.annotations)).unwrap_or_default();
        plan.profiles.push(Draft { scope, document, annotations });
        given.insert(key);
    }
    let mut given_services: HashSet<Arc<str>> = HashSet::new();
    for (index, document) in whole.service.into_iter().enumerate() {
        let document = Value::Object(document);
        let service = service_of(&document, default)
            .map_err(|faults| Problem::from(Refusal::Invalid(faults)).below(&format!("/service/{index}")))?;
        principal.may(Level::Write, scope_of(&service.id).as_ref())?;
        given_services.insert(Service::key(&service.id));
        plan.services.push(document);
    }
    if prune {
        // What lies outside their scope is not theirs to miss.
        let gone = of_the_api(listing).filter(|record| principal.sees(&record.scope));
        plan.gone_profiles =
            gone.map(|record| key(&record.name)).filter(|key| !given.contains(key)).collect();
        let gone = services(listing)
            .filter(|service| principal.may(Level::Write, scope_of(&id_of(service)).as_ref()).is_ok());
        plan.gone_services =
            gone.map(|service| service.key.clone()).filter(|key| !given_services.contains(key)).collect();
    }
    Ok(plan)
}

/// As a file has it: where it belongs is left out where that goes without saying.
fn short(record: &Record, default: &Scope) -> Document {
    let mut document = writable(record);
    for (name, is, default) in [
        ("subscription", &record.scope.subscription, &default.subscription),
        ("resource_group", &record.scope.resource_group, &default.resource_group),
    ] {
        if is == default {
            document.shift_remove(name);
        }
    }
    document
}

fn of_the_api(listing: &Listing) -> impl Iterator<Item = &Arc<Record>> {
    listing.profiles.values().filter(|record| record.managed_by == ManagedBy::Api)
}

fn services(listing: &Listing) -> impl Iterator<Item = &Arc<Object>> {
    listing.objects.values().filter(|object| *object.kind == *SERVICE)
}

/// As it was written.
fn id_of(service: &Arc<Object>) -> String {
    let written = service.document.get("id").and_then(Value::as_str);
    written.unwrap_or(&service.key).to_owned()
}

impl Problem {
    /// The same of values that lie below `above`.
    fn below(mut self, above: &str) -> Self {
        for FieldFault { pointer, .. } in &mut self.errors {
            pointer.insert_str(0, above);
        }
        self
    }
}
