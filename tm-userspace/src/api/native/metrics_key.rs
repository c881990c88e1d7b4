//! The key of a subscription's real user measurements.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::{Problem, given::Asked, node};
use crate::{
    api::{View, access::Principal, metrics_key},
    store::Level,
};

/// A subscription's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MetricsKey {
    /// The subscription.
    pub subscription: String,
    /// 32 hexadecimal digits; nothing where it has none.
    pub key: Option<String>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeyQuery {
    /// The default one where it is left out.
    subscription: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/user-metrics-key", tag = "state", operation_id = "show_user_metrics_key", params(KeyQuery), responses((status = 200, body = MetricsKey)))]
pub(super) async fn show(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<KeyQuery>,
) -> Result<Json<MetricsKey>, Problem> {
    let subscription = allowed(&principal, Level::Read, &view, query)?;
    let key = metrics_key::find(&view.catalog, &subscription);
    Ok(Json(MetricsKey { subscription, key }))
}

#[utoipa::path(put, path = "/api/v1/user-metrics-key", tag = "state", operation_id = "make_user_metrics_key", params(KeyQuery), responses((status = 200, body = MetricsKey)))]
pub(super) async fn make(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<KeyQuery>,
) -> Result<Json<MetricsKey>, Problem> {
    let subscription = allowed(&principal, Level::Write, &view, query)?;
    let key = metrics_key::make(&view.catalog, principal.actor(), &subscription).await?;
    Ok(Json(MetricsKey { subscription, key: Some(key) }))
}

#[utoipa::path(delete, path = "/api/v1/user-metrics-key", tag = "state", operation_id = "delete_user_metrics_key", params(KeyQuery), responses((status = 204, description = "There is none any more")))]
pub(super) async fn delete(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<KeyQuery>,
) -> Result<StatusCode, Problem> {
    let subscription = allowed(&principal, Level::Write, &view, query)?;
    metrics_key::delete(&view.catalog, principal.actor(), &subscription).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The subscription that is asked for, if that is allowed them there.
fn allowed(principal: &Principal, level: Level, view: &View, query: KeyQuery) -> Result<String, Problem> {
    let subscription = match query.subscription {
        Some(subscription) if !subscription.is_empty() && !subscription.contains('/') => subscription,
        Some(_) => return Err(Problem::bad("`subscription` is no subscription's id")),
        None => node(view)?.scope.subscription.to_string(),
    };
    principal.may(level, Some(&metrics_key::scope(&subscription)))?;
    Ok(subscription)
}
