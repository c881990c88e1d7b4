//! The inventory of services that endpoints of type `azure` are picked from.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Problem, ask::read, given::Named};
use crate::{
    api::{View, access::Principal, arm::id::Scoped},
    desired::{Scope, Service, Services},
    store::Level,
};

/// A page with all of them.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServicePage {
    /// By id.
    pub value: Vec<ServiceResource>,
}

/// A service, by the keys of a `[[service]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceResource {
    /// Its resource id.
    #[schema(required = false)]
    pub id: String,
    /// `public_ip`, `web_app`, `cloud_service` or `other`.
    #[schema(required = false)]
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// An address or a DNS name.
    pub target: String,
    /// The region that it is in.
    pub location: Option<String>,
    /// `running` or `stopped`.
    #[schema(required = false)]
    pub state: String,
}

impl From<&Service> for ServiceResource {
    fn from(service: &Service) -> Self {
        ServiceResource {
            id: service.id.to_string(),
            kind: service.kind.label().to_owned(),
            name: service.name.to_string(),
            target: service.target.to_string(),
            location: service.location.as_ref().map(ToString::to_string),
            state: service.state.label().to_owned(),
        }
    }
}

#[utoipa::path(get, path = "/api/v1/services", tag = "services", operation_id = "list_services", responses((status = 200, body = ServicePage)))]
pub(super) async fn list(
    principal: Principal,
    State(view): State<View>,
) -> Result<Json<ServicePage>, Problem> {
    let services = inventory(&view);
    let seen = services
        .values()
        .filter(|service| principal.may(Level::Read, scope_of(&service.id).as_ref()).is_ok());
    Ok(Json(ServicePage { value: seen.map(|service| ServiceResource::from(&**service)).collect() }))
}

#[utoipa::path(get, path = "/api/v1/services/{id}", tag = "services", params(("id" = String, Path, description = "A resource id without its first slash")), operation_id = "show_service", responses((status = 200, body = ServiceResource)))]
pub(super) async fn show(
    principal: Principal,
    State(view): State<View>,
    Named(path): Named<String>,
) -> Result<Json<ServiceResource>, Problem> {
    let id = format!("/{path}");
    principal.may(Level::Read, scope_of(&id).as_ref())?;
    let found: Option<Arc<Service>> = inventory(&view).get(&Service::key(&id)).cloned();
    let service = found.ok_or_else(|| Problem::not_found(format_args!("there is no service `{id}`")))?;
    Ok(Json(ServiceResource::from(&*service)))
}

#[utoipa::path(put, path = "/api/v1/services/{id}", tag = "services", params(("id" = String, Path, description = "A resource id without its first slash")), operation_id = "put_service", request_body = ServiceResource, responses((status = 200, body = ServiceResource), (status = 201, body = ServiceResource)))]
pub(super) async fn put(
    principal: Principal,
    State(view): State<View>,
    Named(path): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ServiceResource>), Problem> {
    let id = format!("/{path}");
    principal.may(Level::Write, scope_of(&id).as_ref())?;
    let mut document: Value = read(&headers, body).await?;
    let written = document.get("id").and_then(Value::as_str);
    if written.is_some_and(|written| !written.eq_ignore_ascii_case(&id)) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the id is not that of the request: leave it out",
        ));
    }
    document["id"] = id.into();
    let (service, is_new) = view.catalog.put_service(principal.actor(), document).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(ServiceResource::from(&*service))))
}

#[utoipa::path(delete, path = "/api/v1/services/{id}", tag = "services", params(("id" = String, Path, description = "A resource id without its first slash")), operation_id = "delete_service", responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    principal: Principal,
    State(view): State<View>,
    Named(path): Named<String>,
) -> Result<StatusCode, Problem> {
    let id = format!("/{path}");
    principal.may(Level::Write, scope_of(&id).as_ref())?;
    view.catalog.delete_service(principal.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn inventory(view: &View) -> Services {
    view.desired.borrow().as_ref().map(|desired| desired.services.clone()).unwrap_or_default()
}

/// Where a service belongs, by its id; none where that does not say.
pub(super) fn scope_of(id: &str) -> Option<Scope> {
    Scoped::parse(id).map(|scoped| scoped.scope)
}
