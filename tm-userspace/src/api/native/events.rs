//! What has happened, and what happens: as a list, and as a stream of server-sent events. And a probe at once.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::sse::{self, KeepAlive, Sse},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast::error::RecvError, mpsc};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};

use super::{
    Problem,
    given::{Asked, Named},
    overview::RateEvent,
    profiles::readable,
};
use crate::{
    api::{Event, View, access::Principal},
    config::key,
    desired::EndpointKey,
    store::Level,
    time::rfc3339,
};

/// Events of a page, unless asked otherwise; and at most.
const PAGE: usize = 100;
const PAGE_AT_MOST: usize = 10_000;
/// Events on their way to one reader.
const AHEAD: usize = 16;
/// A probe that has said nothing for so long over its own time says nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Events, the latest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct History {
    /// The events.
    pub value: Vec<Event>,
}

/// What a probe said.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Probed {
    /// The endpoint, as `profile/endpoint`.
    pub endpoint: String,
    /// Was it a success?
    pub ok: bool,
    /// What it found.
    pub reason: String,
    /// When it ended.
    pub at: String,
    /// How long it took.
    pub took_ms: f64,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    profile: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FollowQuery {
    /// Also answers a second, of each profile with `all`, or of a profile and each endpoint in it with its name: as `rates`.
    rates: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/history", tag = "state", params(HistoryQuery), responses((status = 200, body = History)))]
pub(super) async fn history(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<HistoryQuery>,
) -> Result<Json<History>, Problem> {
    principal.has(Level::Read)?;
    let HistoryQuery { profile, limit } = query;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_AT_MOST).contains(&limit) {
        return Err(Problem::bad(format_args!("limit {limit} is not from 1 to {PAGE_AT_MOST}")));
    }
    let (kept, _) = view.events.after(0);
    let of = |event: &Event| {
        profile.as_ref().is_none_or(|profile| key(profile) == key(&event.profile)) && event.is_for(&principal)
    };
    Ok(Json(History { value: kept.into_iter().rev().filter(of).take(limit).collect() }))
}

/// From the event after `Last-Event-ID` on, or from now.
#[utoipa::path(get, path = "/api/v1/events", tag = "state", params(("last-event-id" = Option<u64>, Header), FollowQuery), responses((status = 200, description = "Events as they come", body = Event, content_type = "text/event-stream")))]
pub(super) async fn follow(
    principal: Principal,
    State(view): State<View>,
    Asked(query): Asked<FollowQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    principal.has(Level::Read)?;
    let last = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok()));
    let after = match last {
        None => u64::MAX,
        Some(Some(id)) => id,
        Some(None) => return Err(Problem::bad("Last-Event-ID is no number")),
    };
    let (missed, mut next) = view.events.after(after);
    let ended = view.events.ended();
    let (to, ready) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut gone = pin!(principal.is_gone(&view));
        for event in missed.into_iter().filter(|event| event.is_for(&principal)) {
            if to.send(written(&event)).await.is_err() {
                return;
            }
        }
        let mut samples = view.rates.follow();
        loop {
            tokio::select! {
                () = ended.cancelled() => return,
                () = to.closed() => return,
                () = &mut gone => return,
                event = next.recv() => match event {
                    Ok(event) if !event.is_for(&principal) => {}
                    // Fails where nobody reads any more.
                    Ok(event) => drop(to.send(written(&event)).await),
                    // Who is too slow misses what is lost in between, and sees it by the numbers.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                Ok(()) = samples.changed(), if query.rates.is_some() => {
                    let rates = RateEvent::of(&view, &principal, query.rates.as_deref().filter(|name| *name != "all"));
                    let data = serde_json::to_string(&rates).unwrap_or_default();
                    drop(to.send(sse::Event::default().event("rates").data(data)).await);
                }
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(ready).map(Ok)).keep_alive(KeepAlive::default()))
}

fn written(event: &Event) -> sse::Event {
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.id.to_string()).event(&event.kind).data(data)
}

#[utoipa::path(post, path = "/api/v1/profiles/{profile}/endpoints/{endpoint}/probe", tag = "endpoints", operation_id = "probe_endpoint", params(("profile" = String, Path), ("endpoint" = String, Path)), responses((status = 200, body = Probed)))]
pub(super) async fn probe(
    principal: Principal,
    State(view): State<View>,
    Named((profile, endpoint)): Named<(String, String)>,
) -> Result<Json<Probed>, Problem> {
    let record = readable(&principal, &view, &profile)?;
    principal.may(Level::Write, Some(&record.scope))?;
    let wanted = view.desired.borrow().clone();
    let found = wanted.as_ref().and_then(|desired| {
        let profile = desired.profiles.get(&record.name)?;
        let found = profile.endpoints.iter().find(|its| key(&its.name) == key(&endpoint))?;
        Some((profile.key(found), profile.monitor_of(found).timeout))
    });
    let (key, timeout): (EndpointKey, Duration) = found.ok_or_else(|| {
        Problem::not_found(format_args!("profile `{profile}` has no endpoint `{endpoint}`"))
    })?;
    let outcome = tokio::time::timeout(timeout * 2 + PATIENCE, view.details.probe_now(&key)).await;
    match outcome {
        Ok(Some(outcome)) => Ok(Json(Probed {
            endpoint: key.to_string(),
            ok: outcome.ok,
            reason: outcome.reason.to_string(),
            at: rfc3339(outcome.at),
            took_ms: outcome.took.as_secs_f64() * 1000.0,
        })),
        Ok(None) => Err(Problem::new(
            StatusCode::CONFLICT,
            format_args!("{key} is not probed: it is switched off, nested, or always served"),
        )),
        Err(_) => {
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, format_args!("the probe of {key} did not end")))
        }
    }
}
