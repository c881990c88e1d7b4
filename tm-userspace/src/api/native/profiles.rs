//! Profiles: listed, shown, put, patched and deleted.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Problem,
    etag::{expected, is_known},
    given::{Asked, Named},
    node,
};
use crate::{
    api::{View, access::Principal, body},
    catalog::{Attempt, Draft, Edit, ManagedBy, Outcome, Record},
    config::{Document, FieldFault, ProfileSchema, key},
    desired::Scope,
    names::DnsName,
    store::Level,
    time::rfc3339,
};

/// Profiles of a page, unless asked otherwise; and at most.
const PAGE: usize = 1_000;
const PAGE_AT_MOST: usize = 100_000;

/// A profile.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProfileResource {
    /// As a file would have it: what a PUT takes.
    #[schema(value_type = ProfileSchema)]
    pub profile: Document,
    /// `api` or `file`.
    pub managed_by: String,
    /// The file that manages it, and the line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Another one after each change.
    pub etag: String,
    /// When it came into being.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// The name it answers; none while it is not in force.
    pub dns_name: Option<String>,
    /// As derived.
    pub monitor_status: Option<String>,
    /// Why it is not answered, where it does not fit with the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_in_force: Option<String>,
    /// What is right but hardly meant, of a change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Some of the profiles, by name.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page {
    /// The profiles.
    pub value: Vec<ProfileResource>,
    /// To be given as `after` for the next page, where there is one.
    pub next: Option<String>,
}

/// Is a name free?
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Availability {
    /// The name in full.
    pub dns_name: String,
    /// May a profile have it?
    pub available: bool,
    /// Who has it, where that may be told.
    pub profile: Option<String>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    name: Option<String>,
    subscription: Option<String>,
    resource_group: Option<String>,
    managed_by: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangeQuery {
    #[serde(default, rename = "dryRun")]
    pub(super) dry_run: bool,
}

#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles", params(ListQuery), responses((status = 200, body = Page)))]
pub(super) async fn list(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page>, Problem> {
    // Who has a scope of their own sees what lies in it.
    principal.has(Level::Read)?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_AT_MOST).contains(&limit) {
        return Err(Problem::bad(format_args!("limit {limit} is not from 1 to {PAGE_AT_MOST}")));
    }
    let is = |wanted: &Option<String>, is: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is))
    };
    let part = query.name.as_ref().map(|name| name.to_lowercase());
    let listing = view.catalog.listing();
    let after = query.after.as_deref().map(key);
    let from = match &after {
        Some(after) => (std::ops::Bound::Excluded(after.clone()), std::ops::Bound::Unbounded),
        None => (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
    };
    let mut found = listing.profiles.range(from).filter(|(key, record)| {
        principal.sees(&record.scope)
            && part.as_ref().is_none_or(|part| key.contains(part.as_str()))
            && is(&query.subscription, &record.scope.subscription)
            && is(&query.resource_group, &record.scope.resource_group)
            && is(&query.managed_by, manager(record))
    });
    let value: Vec<_> =
        found.by_ref().take(limit).map(|(_, record)| resource(&view, record, Vec::new())).collect();
    let more = found.next().is_some();
    let last = value.last().and_then(|last| last.profile.get("name")).and_then(Value::as_str);
    let next = last.filter(|_| more).map(str::to_owned);
    Ok(Json(Page { value, next }))
}

#[utoipa::path(get, path = "/api/v1/profiles/{profile}", tag = "profiles", operation_id = "show_profile", params(("profile" = String, Path)), responses((status = 200, body = ProfileResource), (status = 304, description = "Not Modified")))]
pub(super) async fn show(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = readable(&principal, &view, &name)?;
    if is_known(&headers, &record.etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, quoted(&record.etag))]).into_response());
    }
    Ok(answer(&view, StatusCode::OK, &record, Vec::new()))
}

#[utoipa::path(put, path = "/api/v1/profiles/{profile}", tag = "profiles", operation_id = "put_profile", params(("profile" = String, Path), ChangeQuery), request_body = ProfileSchema, responses((status = 200, body = ProfileResource), (status = 201, body = ProfileResource)))]
pub(super) async fn put(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let document = object(&headers, body).await?;
    change(principal, view, Attempt::Put, name, query.dry_run, &headers, move |_, _| Ok(document)).await
}

#[utoipa::path(patch, path = "/api/v1/profiles/{profile}", tag = "profiles", operation_id = "patch_profile", params(("profile" = String, Path), ChangeQuery), request_body(content = Object, content_type = "application/merge-patch+json"), responses((status = 200, body = ProfileResource)))]
pub(super) async fn patch(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let patch = Value::Object(object(&headers, body).await?);
    change(principal, view, Attempt::Change, name, query.dry_run, &headers, move |name, before| {
        let before =
            before.ok_or_else(|| Problem::not_found(format_args!("there is no profile `{name}`")))?;
        let mut merged = Value::Object(writable(before));
        json_patch::merge(&mut merged, &patch);
        match merged {
            Value::Object(document) => Ok(document),
            _ => Err(Problem::bad("the patch leaves no profile")),
        }
    })
    .await
}

#[utoipa::path(delete, path = "/api/v1/profiles/{profile}", tag = "profiles", operation_id = "delete_profile", params(("profile" = String, Path), ChangeQuery), responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
    Asked(query): Asked<ChangeQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let expected = expected(&headers)?;
    let actor = principal.actor();
    let catalog = view.catalog.clone();
    let allowed = move |before: Option<&Record>| {
        if let Some(before) = before {
            principal.may(Level::Write, Some(&before.scope))?;
        } else {
            principal.may(Level::Write, None)?;
        }
        Ok::<_, Problem>(Edit::Delete)
    };
    catalog.edit(actor, Attempt::Delete, &name, expected, query.dry_run, allowed).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/api/v1/names/{name}", tag = "profiles", params(("name" = String, Path)), responses((status = 200, body = Availability)))]
pub(super) async fn is_free(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
) -> Result<Json<Availability>, Problem> {
    principal.has(Level::Read)?;
    let node = node(&view)?;
    let relative: DnsName = name.parse().map_err(Problem::bad)?;
    let is_full = node.has_zone_of(&relative) || name.ends_with('.');
    let full = if is_full { relative } else { relative.under(&node.zone().name).map_err(Problem::bad)? };
    let holder = view.catalog.holder_of(&full).await;
    Ok(Json(Availability {
        dns_name: full.to_string(),
        available: holder.is_none() && !node.is_server(&full),
        profile: holder.filter(|holder| principal.sees(&holder.scope)).map(|holder| holder.name.to_string()),
    }))
}

/// Makes a change of a whole profile: `make` says what it is to be, of what it is.
pub(super) async fn change(
    principal: Principal,
    view: View,
    attempt: Attempt,
    name: String,
    dry_run: bool,
    headers: &HeaderMap,
    make: impl FnOnce(&str, Option<&Record>) -> Result<Document, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let expected = expected(headers)?;
    let default = node(&view)?.scope.clone();
    let actor = principal.actor();
    let asked = name.clone();
    let edit = move |before: Option<&Record>| {
        if let Some(before) = before {
            principal.may(Level::Write, Some(&before.scope))?;
        }
        let mut document = make(&asked, before)?;
        let scope = scope(&mut document, before.map_or(&default, |before| &before.scope))?;
        principal.may(Level::Write, Some(&scope))?;
        let annotations = before.map(|before| Value::clone(&before.annotations)).unwrap_or_default();
        Ok::<_, Problem>(Edit::Put(Draft { scope, document, annotations }))
    };
    let outcome = view.catalog.edit(actor, attempt, &name, expected, dry_run, edit).await?;
    Ok(match outcome {
        Outcome::Created(record, warnings) if dry_run => answer(&view, StatusCode::OK, &record, warnings),
        Outcome::Created(record, warnings) => answer(&view, StatusCode::CREATED, &record, warnings),
        Outcome::Changed(record, warnings) => answer(&view, StatusCode::OK, &record, warnings),
        Outcome::Deleted(_) => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The JSON object that a body is.
pub(super) async fn object(headers: &HeaderMap, body: Body) -> Result<Document, Problem> {
    object_of_at_most(body::SIZE_AT_MOST, headers, body).await
}

/// The same of a body of so many octets at most.
pub(super) async fn object_of_at_most(
    size: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<Document, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // The body is read first: who is still sending it cannot read an answer.
    let octets = body::read_at_most(size, body).await?;
    if !matches!(&*kind, "application/json" | "application/merge-patch+json") {
        let detail = "send JSON, and say so: Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    match body::json(&octets)? {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::bad("the body is not a JSON object")),
    }
}

/// A profile that they may look at.
pub(super) fn readable(
    principal: &Principal,
    view: &View,
    name: &str,
) -> Result<std::sync::Arc<Record>, Problem> {
    let record = view.catalog.profile(name);
    let visible = record.filter(|record| principal.may(Level::Read, Some(&record.scope)).is_ok());
    // What they may not see is not there, for them.
    visible.ok_or_else(|| Problem::not_found(format_args!("there is no profile `{name}`")))
}

/// What a PUT takes.
pub(super) fn writable(record: &Record) -> Document {
    let mut document = (*record.document).clone();
    document.insert("subscription".to_owned(), (*record.scope.subscription).into());
    document.insert("resource_group".to_owned(), (*record.scope.resource_group).into());
    document
}

pub(super) fn quoted(etag: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{etag}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Where the profile is to belong, which is no part of what the store has as the document.
pub(super) fn scope(document: &mut Document, default: &Scope) -> Result<Scope, Problem> {
    let mut named = |name: &str, default: &std::sync::Arc<str>| match document.remove(name) {
        None | Some(Value::Null) => Ok(default.clone()),
        Some(Value::String(text)) if !text.is_empty() && !text.contains('/') && text.len() <= 260 => {
            Ok(text.into())
        }
        Some(_) => {
            let fault = FieldFault::new(
                &format!("/{name}"),
                "this is no such name",
                "write 1 to 260 characters without `/`",
            );
            Err(crate::catalog::Refusal::Invalid(vec![fault]))
        }
    };
    let subscription = named("subscription", &default.subscription)?;
    let resource_group = named("resource_group", &default.resource_group)?;
    Ok(Scope { subscription, resource_group })
}

fn answer(view: &View, status: StatusCode, record: &Record, warnings: Vec<String>) -> Response {
    (status, [(header::ETAG, quoted(&record.etag))], Json(resource(view, record, warnings))).into_response()
}

fn manager(record: &Record) -> &'static str {
    match record.managed_by {
        ManagedBy::Api => "api",
        ManagedBy::File { .. } => "file",
    }
}

fn resource(view: &View, record: &Record, warnings: Vec<String>) -> ProfileResource {
    let (file, line) = match &record.managed_by {
        ManagedBy::Api => (None, None),
        ManagedBy::File { path, line } => (Some(path.display().to_string()), Some(*line)),
    };
    let decision = view.published.borrow().decisions.get(&record.name).cloned();
    ProfileResource {
        profile: writable(record),
        managed_by: manager(record).to_owned(),
        file,
        line,
        etag: record.etag.clone(),
        created: record.created.map(rfc3339),
        changed: record.changed.map(rfc3339),
        dns_name: decision.as_ref().map(|decision| decision.profile.dns_name.to_string()),
        monitor_status: decision.as_ref().map(|decision| format!("{:?}", decision.status)),
        not_in_force: record.not_in_force.clone(),
        warnings,
    }
}
