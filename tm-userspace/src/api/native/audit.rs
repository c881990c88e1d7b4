//! The audit log, and copies of the store.

use std::path::PathBuf;

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
    principal.may(Level::Admin, None)?;
    let Backup { to } = read(&headers, body).await?;
    if principal.source != access::SOCKET {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "files are written for who comes by the socket alone",
        ));
    }
    if !to.is_absolute() {
        return Err(Problem::bad("write the path from `/`"));
    }
    let done = view.catalog.back_up(to.clone()).await;
    let result = done.as_ref().map_or_else(|error| format!("refused: {error:#}"), |()| "done".to_owned());
    view.catalog.note(&principal.actor(), "back up", &format!("store to {}", to.display()), &result).await;
    done.map(|()| StatusCode::CREATED)
        .map_err(|error| Problem::new(StatusCode::CONFLICT, format_args!("{error:#}")))
}
