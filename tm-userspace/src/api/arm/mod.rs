//! The face that Azure's own clients speak to: Azure Resource Manager's paths and bodies over the product's documents.
//!
//! | file | what it owns |
//! | --- | --- |
//! | `model` | what a body means and how a profile is shown; it knows neither HTTP nor the catalog |
//! | `path`, `version`, `id`, `request` | what a request is about, and whether its sender may |
//! | `world` | what is there at one moment |
//! | `profiles`, `endpoints`, `names`, `heat_map`, `hierarchy`, `metrics_key` | the service's operations |
//! | `groups`, `providers`, `metadata`, `token` | what clients need around it |
//! | `answer`, `fault`, `refused` | what goes back |
//! | `limits` | Azure's own limits, for those who want them |
//!
//! All operations are synchronous: when one is answered, the tables have it. Nobody is given an ETag, so the last writer wins, as in Azure.

pub mod answer;
pub mod export;
pub mod fault;
pub mod hierarchy;
pub mod id;
pub mod limits;
pub mod metadata;
pub mod model;
pub mod path;
pub mod version;

mod endpoints;
mod groups;
mod heat_map;
mod metrics_key;
mod names;
mod profiles;
mod providers;
mod refused;
mod request;
mod token;
mod world;

use std::time::SystemTime;

use axum::{
    body::Body,
    http::{Method, StatusCode, header, request::Parts},
    response::Response,
};

use super::{RequestId, View, access, body};
use crate::store::Level;

use answer::Answer;
use fault::Fault;
use path::Resource;
use request::Request;
use world::World;

/// Is a path this face's to answer?
pub fn is_own(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    path::parse(path).is_some()
        || ["subscriptions", "providers"].iter().any(|own| first.eq_ignore_ascii_case(own))
}

/// Answers a request at such a path.
pub async fn serve(view: View, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    answer::respond(take(view, &parts, body).await, &id)
}

/// A request from its path to its answer.
async fn take(view: View, parts: &Parts, body: Body) -> Result<Answer, Fault> {
    let absent = || Fault::not_found("NotFound", format!("There is nothing at '{}'.", parts.uri.path()));
    let resource = path::parse(parts.uri.path()).ok_or_else(absent)?;
    let octets = body::read(body).await.map_err(|error| body_fault(&error))?;
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query: Vec<_> = query.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect();
    let version = query.iter().find(|(name, _)| name == "api-version").map(|(_, version)| version.as_str());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let base = || {
        let host = host.or(parts.uri.authority().map(|authority| authority.as_str()));
        metadata::base(host).ok_or_else(|| Fault::bad_request("The Host header is missing or not valid."))
    };
    // What clients ask before they can know who they are.
    match &resource {
        Resource::Metadata if parts.method == Method::GET => {
            let zone = model::Surroundings::zone(&World::of(&view)?);
            return Ok(Answer::ok(metadata::endpoints(&base()?, version.unwrap_or("2022-09-01"), &zone)));
        }
        Resource::OpenId(tenant) if parts.method == Method::GET => {
            return Ok(Answer::ok(metadata::openid(&base()?, tenant)));
        }
        Resource::Keys(_) if parts.method == Method::GET => {
            return Ok(Answer::ok(serde_json::json!({ "keys": [] })));
        }
        Resource::Token(tenant) if parts.method == Method::POST => {
            return token::answer(&view, parts, &octets, tenant, &base()?);
        }
        _ => {}
    }
    let principal = access::authenticate(&view, parts)
        .map_err(|denied| request::denied_fault(denied, Level::Read, None))?;
    let request = Request { view, principal, method: parts.method.clone(), query, octets };
    match &resource {
        Resource::Subscriptions
        | Resource::Subscription(_)
        | Resource::Tenants
        | Resource::Groups(_)
        | Resource::Group(_)
        | Resource::Resources(..)
        | Resource::Providers(_)
        | Resource::Provider(..)
        | Resource::Locations(_) => version::check_date(request.query("api-version"))?,
        _ => version::check(request.query("api-version"), "trafficManagerProfiles")?,
    }
    if limits_hold(&request.view) {
        request.view.throttle.count(&request.method, &resource, SystemTime::now())?;
    }
    operate(&request, resource).await
}

/// Do Azure's own limits hold?
fn limits_hold(view: &View) -> bool {
    let desired = view.desired.borrow();
    desired.as_ref().and_then(|desired| desired.node.api.as_ref()).is_some_and(|api| api.azure_limits)
}

/// The operation that the method is on the resource, for a sender who may.
async fn operate(request: &Request, resource: Resource) -> Result<Answer, Fault> {
    let world = World::of(&request.view)?;
    let method = request.method.as_str();
    match (method, &resource) {
        ("GET" | "HEAD", Resource::Profile(id)) => {
            request.needs(Level::Read, Some(&id.scope))?;
            profiles::get(&world, id)
        }
        ("PUT", Resource::Profile(id)) => {
            request.needs(Level::Write, Some(&id.scope))?;
            profiles::put(request, id).await
        }
        ("PATCH", Resource::Profile(id)) => {
            request.needs(Level::Write, Some(&id.scope))?;
            profiles::patch(request, id).await
        }
        ("DELETE", Resource::Profile(id)) => {
            request.needs(Level::Write, Some(&id.scope))?;
            profiles::delete(request, &world, id).await
        }
        ("GET" | "HEAD", Resource::Endpoint(id, kind, name)) => {
            request.needs(Level::Read, Some(&id.scope))?;
            endpoints::get(&world, id, *kind, name)
        }
        ("PUT" | "PATCH", Resource::Endpoint(id, kind, name)) => {
            request.needs(Level::Write, Some(&id.scope))?;
            endpoints::put(request, id, *kind, name, method == "PATCH").await
        }
        ("DELETE", Resource::Endpoint(id, kind, name)) => {
            request.needs(Level::Write, Some(&id.scope))?;
            endpoints::delete(request, &world, id, *kind, name).await
        }
        ("GET", Resource::ProfilesOfSubscription(id)) => profiles::list_of_subscription(request, &world, id),
        ("GET", Resource::ProfilesOfGroup(scope)) => {
            request.needs(Level::Read, Some(scope))?;
            profiles::list_of_group(&world, scope)
        }
        ("GET", Resource::HeatMap(id)) => {
            request.needs(Level::Read, Some(&id.scope))?;
            heat_map::get(request, &world, id)
        }
        ("POST", Resource::NameAvailability(_)) => names::check(request, &world).await,
        ("GET", Resource::Hierarchy) => Ok(Answer::ok(hierarchy::show().clone())),
        (_, Resource::UserMetricsKey(subscription)) => metrics_key::answer(request, subscription).await,
        _ => around(request, &world, resource).await,
    }
}

/// The same of what is around the service.
async fn around(request: &Request, world: &World, resource: Resource) -> Result<Answer, Fault> {
    let method = request.method.as_str();
    match (method, &resource) {
        ("GET", Resource::Subscriptions) => Ok(groups::list_subscriptions(request, world)),
        ("GET", Resource::Subscription(id)) => groups::get_subscription(world, id),
        ("GET", Resource::Tenants) => Ok(groups::list_tenants()),
        ("GET", Resource::Groups(subscription)) => groups::list(request, world, subscription),
        ("GET" | "HEAD", Resource::Group(scope)) => {
            request.needs(Level::Read, Some(scope))?;
            let found = groups::get(world, scope)?;
            Ok(if method == "HEAD" { Answer::nothing() } else { found })
        }
        ("PUT" | "PATCH", Resource::Group(scope)) => {
            request.needs(Level::Write, Some(scope))?;
            groups::put_group(request, world, scope, method == "PATCH").await
        }
        ("DELETE", Resource::Group(scope)) => {
            request.needs(Level::Write, Some(scope))?;
            groups::delete(request, world, &request.view.catalog, scope).await
        }
        ("GET", Resource::Resources(subscription, group)) => {
            groups::resources(request, world, subscription, group.as_deref())
        }
        ("GET", Resource::Providers(subscription)) => Ok(providers::list(subscription)),
        ("GET" | "POST", Resource::Provider(subscription, name)) => Ok(providers::get(subscription, name)),
        ("GET", Resource::Locations(subscription)) => Ok(providers::locations(subscription)),
        _ => Err(request.not_allowed()),
    }
}

fn body_fault(error: &body::BodyError) -> Fault {
    let (status, code) = match error {
        body::BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        body::BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "RequestTimeout"),
        _ => (StatusCode::BAD_REQUEST, "InvalidRequestContent"),
    };
    Fault::new(status, code, error.to_string())
}
