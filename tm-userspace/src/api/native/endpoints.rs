//! Endpoints, each a part of its profile: a change of one is a change of the profile, whose ETag it has.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Problem,
    given::{Asked, Named},
    profiles::{ChangeQuery, change, object, quoted, readable},
};
use crate::{
    api::{View, access::Principal},
    catalog::{Attempt, Record},
    config::{Document, EndpointSchema, key},
};

/// A profile's endpoints, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EndpointPage {
    /// As a file would have them.
    #[schema(value_type = Vec<EndpointSchema>)]
    pub value: Vec<Value>,
}

#[utoipa::path(get, path = "/api/v1/profiles/{profile}/endpoints", tag = "endpoints", operation_id = "list_endpoints", params(("profile" = String, Path)), responses((status = 200, body = EndpointPage)))]
pub(super) async fn list(
    principal: Principal,
    State(view): State<View>,
    Named(profile): Named<String>,
) -> Result<Response, Problem> {
    let record = readable(&principal, &view, &profile)?;
    let body = Json(EndpointPage { value: endpoints(&record.document).to_vec() });
    Ok(([(header::ETAG, quoted(&record.etag))], body).into_response())
}

#[utoipa::path(get, path = "/api/v1/profiles/{profile}/endpoints/{endpoint}", tag = "endpoints", operation_id = "show_endpoint", params(("profile" = String, Path), ("endpoint" = String, Path)), responses((status = 200, body = EndpointSchema)))]
pub(super) async fn show(
    principal: Principal,
    State(view): State<View>,
    Named((profile, endpoint)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let record = readable(&principal, &view, &profile)?;
    let index = find(&record.document, &endpoint).ok_or_else(|| absent(&profile, &endpoint))?;
    let body = Json(endpoints(&record.document)[index].clone());
    Ok(([(header::ETAG, quoted(&record.etag))], body).into_response())
}

#[utoipa::path(put, path = "/api/v1/profiles/{profile}/endpoints/{endpoint}", tag = "endpoints", operation_id = "put_endpoint", params(("profile" = String, Path), ("endpoint" = String, Path), ChangeQuery), request_body = EndpointSchema, responses((status = 200, body = Object), (status = 201, body = EndpointSchema)))]
pub(super) async fn put(
    principal: Principal,
    State(view): State<View>,
    Named((profile, endpoint)): Named<(String, String)>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut wanted = object(&headers, body).await?;
    let shown = endpoint.clone();
    let make = move |profile: &str, before: Option<&Record>| {
        named(&mut wanted, &endpoint)?;
        let mut document = of(profile, before)?;
        let at = find(&document, &endpoint);
        let list = endpoints_mut(&mut document)?;
        match at {
            Some(index) => list[index] = wanted.into(),
            None => list.push(wanted.into()),
        }
        Ok(document)
    };
    let existed =
        view.catalog.profile(&profile).is_some_and(|record| find(&record.document, &shown).is_some());
    let done =
        change(principal, view.clone(), Attempt::Change, profile.clone(), query.dry_run, &headers, make)
            .await?;
    let status = if existed || query.dry_run { StatusCode::OK } else { StatusCode::CREATED };
    answer(done, status, &view, &profile, &shown)
}

#[utoipa::path(patch, path = "/api/v1/profiles/{profile}/endpoints/{endpoint}", tag = "endpoints", operation_id = "patch_endpoint", params(("profile" = String, Path), ("endpoint" = String, Path), ChangeQuery), request_body(content = Object, content_type = "application/merge-patch+json"), responses((status = 200, body = Object)))]
pub(super) async fn patch(
    principal: Principal,
    State(view): State<View>,
    Named((profile, endpoint)): Named<(String, String)>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let patch = Value::Object(object(&headers, body).await?);
    let shown = endpoint.clone();
    let make = move |profile: &str, before: Option<&Record>| {
        let mut document = of(profile, before)?;
        let index = find(&document, &endpoint).ok_or_else(|| absent(profile, &endpoint))?;
        let list = endpoints_mut(&mut document)?;
        json_patch::merge(&mut list[index], &patch);
        match list[index].as_object_mut() {
            Some(merged) => named(merged, &endpoint)?,
            None => return Err(Problem::bad("the patch leaves no endpoint")),
        }
        Ok(document)
    };
    let done =
        change(principal, view.clone(), Attempt::Change, profile.clone(), query.dry_run, &headers, make)
            .await?;
    answer(done, StatusCode::OK, &view, &profile, &shown)
}

#[utoipa::path(delete, path = "/api/v1/profiles/{profile}/endpoints/{endpoint}", tag = "endpoints", operation_id = "delete_endpoint", params(("profile" = String, Path), ("endpoint" = String, Path), ChangeQuery), responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    principal: Principal,
    State(view): State<View>,
    Named((profile, endpoint)): Named<(String, String)>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let make = move |profile: &str, before: Option<&Record>| {
        let mut document = of(profile, before)?;
        let index = find(&document, &endpoint).ok_or_else(|| absent(profile, &endpoint))?;
        endpoints_mut(&mut document)?.remove(index);
        Ok(document)
    };
    change(principal, view, Attempt::Change, profile, query.dry_run, &headers, make).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The endpoint as it is now; on a dry run, what the profile would be.
fn answer(
    done: Response,
    status: StatusCode,
    view: &View,
    profile: &str,
    endpoint: &str,
) -> Result<Response, Problem> {
    let record = view.catalog.profile(profile);
    let found = record.and_then(|record| {
        let index = find(&record.document, endpoint)?;
        let tag = quoted(&record.etag);
        (done.headers().get(header::ETAG) == Some(&tag))
            .then(|| (tag, endpoints(&record.document)[index].clone()))
    });
    Ok(match found {
        Some((etag, endpoint)) => (status, [(header::ETAG, etag)], Json(endpoint)).into_response(),
        None => done,
    })
}

fn of(profile: &str, record: Option<&Record>) -> Result<Document, Problem> {
    let record = record.ok_or_else(|| Problem::not_found(format_args!("there is no profile `{profile}`")))?;
    Ok((*record.document).clone())
}

fn absent(profile: &str, endpoint: &str) -> Problem {
    Problem::not_found(format_args!("profile `{profile}` has no endpoint `{endpoint}`"))
}

/// It is the one that the request names.
fn named(endpoint: &mut Document, name: &str) -> Result<(), Problem> {
    match endpoint.get("name") {
        None | Some(Value::Null) => {
            endpoint.insert("name".to_owned(), name.into());
            Ok(())
        }
        Some(Value::String(written)) if key(written) == key(name) => Ok(()),
        Some(_) => Err(Problem::bad(format_args!("the name in the body is not `{name}`"))),
    }
}

fn endpoints(document: &Document) -> &[Value] {
    document.get("endpoint").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn endpoints_mut(document: &mut Document) -> Result<&mut Vec<Value>, Problem> {
    let list = document.entry("endpoint").or_insert_with(|| Value::Array(Vec::new()));
    list.as_array_mut().ok_or_else(|| Problem::bad("the profile's endpoints are no list"))
}

fn find(document: &Document, name: &str) -> Option<usize> {
    let is = |endpoint: &Value| {
        endpoint.get("name").and_then(Value::as_str).is_some_and(|its| key(its) == key(name))
    };
    endpoints(document).iter().position(is)
}
