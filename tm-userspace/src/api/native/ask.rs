//! What the daemon knows, what it would answer, and what operators order of it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Problem, profiles::object};
use crate::{
    api::{
        Answered, Explained, Inquiry, NodeView, Order, Ordered, Question, RoundTripView, RoundTripsChange,
        Status, VERSION, View,
        access::{self, Principal},
        explain, node,
        orders::{self, Refused},
        query, round_trips, status,
    },
    store::Level,
};

#[utoipa::path(get, path = "/api/v1/status", tag = "state", responses((status = 200, body = Status)))]
pub(super) async fn status(principal: Principal, State(view): State<View>) -> Result<Json<Status>, Problem> {
    principal.has(Level::Read)?;
    let gathered = {
        let view = view.clone();
        tokio::task::spawn_blocking(move || status::status(&view)).await
    };
    match gathered {
        Ok(Ok(status)) if principal.sees_all() => Ok(Json(status)),
        Ok(Ok(status)) => Ok(Json(status.of(|profile| principal.sees_profile(&view, profile)))),
        Ok(Err(error)) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format_args!("{error:#}"))),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error)),
    }
}

#[utoipa::path(get, path = "/api/v1/node", tag = "state", responses((status = 200, body = NodeView)))]
pub(super) async fn node(principal: Principal, State(view): State<View>) -> Result<Json<NodeView>, Problem> {
    principal.may(Level::Read, None)?;
    match tokio::task::spawn_blocking(move || node::node(&view)).await {
        Ok(Ok(node)) => Ok(Json(node)),
        Ok(Err(error)) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format_args!("{error:#}"))),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error)),
    }
}

#[utoipa::path(get, path = "/api/v1/version", tag = "state", responses((status = 200, body = Object)))]
pub(super) async fn version(_: Principal) -> Json<Value> {
    Json(serde_json::json!({ "version": VERSION }))
}

#[utoipa::path(post, path = "/api/v1/query", tag = "state", request_body = Question, responses((status = 200, body = Answered)))]
pub(super) async fn query(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Answered>, Problem> {
    // Everybody may ask at port 53.
    principal.has(Level::Read)?;
    let question: Question = read(&headers, body).await?;
    match tokio::task::spawn_blocking(move || query::query(&view, &question)).await {
        Ok(Ok(answered)) => Ok(Json(answered)),
        Ok(Err(error)) => Err(Problem::bad(format_args!("{error:#}"))),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error)),
    }
}

/// Decisions and tables change while they are looked at: what does not fit together is looked at again once more was published, a few times.
#[utoipa::path(post, path = "/api/v1/explain", tag = "state", request_body = Object, responses((status = 200, body = Object)))]
pub(super) async fn explain(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Explained>, Problem> {
    const TRIES: usize = 5;
    const PATIENCE: Duration = Duration::from_millis(500);
    principal.has(Level::Read)?;
    let inquiry: Arc<Inquiry> = Arc::new(read(&headers, body).await?);
    let sees = |profile: &str| principal.sees_profile(&view, profile);
    if !principal.sees_all() && !explain::name_of(&view, &inquiry).is_some_and(|name| sees(&name)) {
        return Err(Problem::not_found(format_args!("there is no profile `{}`", inquiry.profile)));
    }
    let mut published = view.published.clone();
    for attempt in 1..=TRIES {
        published.mark_unchanged();
        let (view, inquiry) = (view.clone(), inquiry.clone());
        match tokio::task::spawn_blocking(move || explain::explain(&view, &inquiry)).await {
            Ok(Ok(explained)) if explained.check.agrees || attempt == TRIES => {
                if !explained.profiles().all(sees) {
                    let detail = "what it leads to is not all within what you may look at";
                    return Err(access::Denied::Forbidden(detail.to_owned()).into());
                }
                return Ok(Json(explained));
            }
            Ok(Ok(_) | Err(explain::Refused::Changing)) => {
                // Nothing new is an answer too.
                _ = tokio::time::timeout(PATIENCE, published.changed()).await;
            }
            Ok(Err(explain::Refused::Unknown(error))) => {
                return Err(Problem::not_found(format_args!("{error:#}")));
            }
            Ok(Err(explain::Refused::Unfit(error))) => return Err(Problem::bad(format_args!("{error:#}"))),
            Err(error) => return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error)),
        }
    }
    let message = "the configuration is being put in force: ask again";
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, message))
}

#[utoipa::path(post, path = "/api/v1/order", tag = "endpoints", request_body = Order, responses((status = 200, body = Ordered)))]
pub(super) async fn order(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Ordered>, Problem> {
    let order: Order = read(&headers, body).await?;
    let scope = view.catalog.profile(&order.profile).map(|record| record.scope.clone());
    principal.may(Level::Write, scope.as_ref())?;
    let done = orders::order(&view, &order);
    let object = format!("endpoint {}/{}", order.profile, order.endpoint);
    let result = match &done {
        Ok(ordered) => ordered.done.clone(),
        Err(Refused::Unknown(error) | Refused::Unfit(error)) => format!("refused: {error:#}"),
    };
    view.catalog.note(&principal.actor(), order.order.label(), &object, &result).await;
    match done {
        Ok(ordered) => Ok(Json(ordered)),
        Err(Refused::Unknown(error)) => Err(Problem::not_found(format_args!("{error:#}"))),
        Err(Refused::Unfit(error)) => Err(Problem::bad(format_args!("{error:#}"))),
    }
}

#[utoipa::path(get, path = "/api/v1/round-trips", tag = "state", responses((status = 200, body = [RoundTripView])))]
pub(super) async fn round_trips(
    principal: Principal,
    State(view): State<View>,
) -> Result<Json<Vec<RoundTripView>>, Problem> {
    principal.may(Level::Read, None)?;
    Ok(Json(round_trips::show(&view)))
}

#[utoipa::path(post, path = "/api/v1/round-trips", tag = "state", request_body = RoundTripsChange, responses((status = 200, body = Object)))]
pub(super) async fn change_round_trips(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    principal.may(Level::Write, None)?;
    let change: RoundTripsChange = read(&headers, body).await?;
    match round_trips::change(&view, &change) {
        Ok(prefixes) => Ok(Json(serde_json::json!({ "prefixes": prefixes }))),
        Err(error) => Err(Problem::bad(format_args!("{error:#}"))),
    }
}

/// A body of this form.
pub(super) async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let object = Value::Object(object(headers, body).await?);
    serde_json::from_value(object).map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error))
}
