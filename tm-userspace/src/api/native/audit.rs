//! The audit log, copies of the store, and what is put back from one.

use std::path::{Path, PathBuf};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};

use super::{Problem, ask::read, given::Asked};
use crate::{
    api::{
        View,
        access::{self, Principal},
    },
    catalog::Restored,
    store::{AuditFilter, AuditRow, Level},
};

/// Lines of a page, unless asked otherwise; and at most.
const PAGE: usize = 100;
const PAGE_AT_MOST: usize = 10_000;

/// Lines of the audit log, the latest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditPage {
    /// The lines.
    pub value: Vec<AuditRow>,
    /// To be given as `before` for the next page, where there may be one.
    pub next: Option<i64>,
}

/// Where a copy of the store is to go.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// A path from `/` to a file that is not there, written by the daemon.
    #[schema(value_type = String)]
    pub to: PathBuf,
}

/// The copy of the store that is to be put back.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// A path from `/` to a backup, read by the daemon.
    #[schema(value_type = String)]
    pub from: PathBuf,
}

/// What there is after that.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RestoredView {
    /// Profiles that the API manages.
    pub profiles: usize,
    /// Services, resource groups, users and the like.
    pub objects: usize,
    /// Tokens and clients.
    pub tokens: usize,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    object: Option<String>,
    before: Option<i64>,
    limit: Option<usize>,
}

#[utoipa::path(get, path = "/api/v1/audit", tag = "access", operation_id = "list_audit", params(AuditQuery), responses((status = 200, body = AuditPage)))]
pub(super) async fn list(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    principal.may(Level::Admin, None)?;
    let AuditQuery { object, before, limit } = query;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_AT_MOST).contains(&limit) {
        return Err(Problem::bad(format_args!("limit {limit} is not from 1 to {PAGE_AT_MOST}")));
    }
    let value = view.catalog.audit(AuditFilter { object, before, limit }).await;
    let value =
        value.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, format_args!("{error:#}")))?;
    let next = value.last().filter(|_| value.len() == limit).map(|last| last.id);
    Ok(Json(AuditPage { value, next }))
}

#[utoipa::path(post, path = "/api/v1/backup", tag = "access", request_body = Backup, responses((status = 201, description = "It is written")))]
pub(super) async fn back_up(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let Backup { to } = read(&headers, body).await?;
    may_name_files(&principal, &to)?;
    let done = view.catalog.back_up(to.clone()).await;
    let result = done.as_ref().map_or_else(|error| format!("refused: {error:#}"), |()| "done".to_owned());
    view.catalog.note(&principal.actor(), "back up", &format!("store to {}", to.display()), &result).await;
    done.map(|()| StatusCode::CREATED)
        .map_err(|error| Problem::new(StatusCode::CONFLICT, format_args!("{error:#}")))
}

#[utoipa::path(post, path = "/api/v1/restore", tag = "access", request_body = Restore, responses((status = 200, body = RestoredView)))]
pub(super) async fn restore(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RestoredView>, Problem> {
    let Restore { from } = read(&headers, body).await?;
    may_name_files(&principal, &from)?;
    let Restored { profiles, objects, tokens } = view.catalog.restore(principal.actor(), from).await?;
    Ok(Json(RestoredView { profiles, objects, tokens }))
}

/// May they have the daemon open this file?
fn may_name_files(principal: &Principal, path: &Path) -> Result<(), Problem> {
    principal.may(Level::Admin, None)?;
    if principal.source != access::SOCKET {
        let detail = "files are opened for who comes by the socket alone";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if !path.is_absolute() {
        return Err(Problem::bad("write the path from `/`"));
    }
    Ok(())
}
