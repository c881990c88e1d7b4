//! What browsers measured of how far regions are (Azure's Real User Measurements), told by pages that have the key of a subscription.
//!
//! The key is on those pages, so anybody can have it. What it opens is little: whoever tells says something of the network that the connection comes from (/24 or /56) and of
//! no other, so many times a minute at most. Without a key there is nothing to tell to. What comes is gathered for a moment, so that many who tell cost as much as one.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{View, body, metrics_key, native::Problem};
use crate::{geo::Sample, prefix};

/// What comes within this time is taken in together.
const GATHER: Duration = Duration::from_secs(1);
/// Samples that may wait for that.
const WAITING_AT_MOST: usize = 10_000;
/// Regions that a page measures.
const SAMPLES_AT_MOST: usize = 6;
/// Times that something is told of a network within [`WINDOW`].
const TOLD_AT_MOST: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);
/// Networks that are counted at a time.
const NETWORKS_AT_MOST: usize = 100_000;

/// What was told and is not taken in yet. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    samples: Mutex<Vec<Sample>>,
    more: Notify,
    /// How often something was told of a network, and since when that is counted.
    counts: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

/// What a page says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measurements {
    key: String,
    samples: Vec<RegionSample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionSample {
    region: String,
    ms: f64,
}

/// `POST /rum`, and the script that pages tell it by.
pub(super) fn router(view: View) -> Router {
    Router::new().route("/rum", post(take)).route("/tm-rum.js", get(script)).with_state(view)
}

/// Pages of anybody may have it.
async fn script() -> impl IntoResponse {
    const SCRIPT: &str = include_str!("../../contrib/rum/tm-rum.js");
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, SCRIPT)
}

/// Takes in what was told, until `shutdown`.
pub async fn run(view: View, shutdown: CancellationToken) -> anyhow::Result<()> {
    let told = view.told.clone();
    let mut failed = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = told.0.more.notified() => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(GATHER) => {}
        }
        let samples = std::mem::take(&mut *lock(&told.0.samples));
        let mut taken = Ok(());
        view.change_health(|health| {
            taken = health.round_trips.take(&samples);
            taken.is_ok()
        });
        if let (Err(error), false) = (&taken, failed) {
            tracing::warn!(error = format!("{error:#}"), "what browsers measured is not kept");
        }
        failed = taken.is_err();
    }
}

async fn take(State(view): State<View>, request: Request) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(client) = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) else {
        return Problem::bad("at the socket nobody has a network").into_response();
    };
    match tell(client, &view, request.into_body()).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn tell(client: IpAddr, view: &View, sent: Body) -> Result<(), Problem> {
    // Whatever type browsers say it is of: JSON would have them ask first.
    let octets = body::read(sent).await?;
    let value = body::json(&octets)?;
    let said: Measurements = serde_json::from_value(value).map_err(Problem::bad)?;
    if !metrics_key::is_known(&view.catalog, &said.key) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "no subscription has this key"));
    }
    if said.samples.is_empty() || said.samples.len() > SAMPLES_AT_MOST {
        return Err(Problem::bad(format_args!("1 to {SAMPLES_AT_MOST} samples are taken at a time")));
    }
    let (first, length) = network(client);
    let prefix = format!("{first}/{length}");
    let samples = said.samples.iter().map(|sample| Sample::new(&prefix, &sample.region, sample.ms));
    let samples: Vec<Sample> =
        samples.collect::<anyhow::Result<_>>().map_err(|error| Problem::bad(format_args!("{error:#}")))?;
    let too_many =
        || Problem::new(StatusCode::TOO_MANY_REQUESTS, "enough was told of this network: wait a minute");
    if !view.told.counts(first, Instant::now()) {
        return Err(too_many());
    }
    let mut waiting = lock(&view.told.0.samples);
    if waiting.len() + samples.len() > WAITING_AT_MOST {
        return Err(too_many());
    }
    waiting.extend(samples);
    view.told.0.more.notify_one();
    Ok(())
}

impl Told {
    /// Counts one more of a network; is it not one too many?
    fn counts(&self, network: IpAddr, now: Instant) -> bool {
        let mut counts = lock(&self.0.counts);
        if counts.len() >= NETWORKS_AT_MOST && !counts.contains_key(&network) {
            counts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            if counts.len() >= NETWORKS_AT_MOST {
                return false;
            }
        }
        let (since, count) = counts.entry(network).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= TOLD_AT_MOST
    }
}

/// The network that an address is taken for: nobody in particular.
fn network(client: IpAddr) -> (IpAddr, u8) {
    let length = if client.is_ipv4() { 24 } else { 56 };
    (prefix::network(client, length), length)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_in_particular_is_remembered() {
        let of = |text: &str| {
            let (first, length) = network(text.parse().unwrap());
            format!("{first}/{length}")
        };
        assert_eq!(of("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(of("2001:db8:1:2ff:3:4:5:6"), "2001:db8:1:200::/56");
    }

    #[test]
    fn a_network_is_heard_so_many_times_a_minute() {
        let (told, now) = (Told::default(), Instant::now());
        let (one, other) = (network([203, 0, 113, 7].into()).0, network([203, 0, 114, 7].into()).0);
        assert!((0..60).all(|_| told.counts(one, now)));
        assert!(!told.counts(one, now + Duration::from_millis(59_999)));
        assert!(told.counts(other, now));
        assert!(told.counts(one, now + WINDOW));
    }
}
