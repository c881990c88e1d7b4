//! The metrics, for scrapers: at the API for who has a token of scope read, and without one where `[metrics]` says, beside whether the daemon is alive and ready.
//!
//! That listener speaks HTTP without TLS. It follows the configuration; that it cannot listen is told, and stops nothing else.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{View, access::Principal, limits::Limited, native::Problem};
use crate::{
    metrics::{Form, Metrics},
    store::Level,
};

/// How soon it is tried again to listen where that failed.
const RETRY: Duration = Duration::from_secs(5);
/// How long a request's head may take to come.
const HEAD_AT_MOST: Duration = Duration::from_secs(30);
/// How long requests under way may take at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// `/healthz`, that it lives, and `/readyz`, that it answers what is wanted.
pub(super) fn signs(view: View) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(is_ready)).with_state(view)
}

/// `/metrics` for who may read everything.
pub(super) fn guarded(view: View, metrics: Metrics) -> Router {
    open(metrics).layer(middleware::from_fn_with_state(view, let_in))
}

/// Serves the metrics at the address that the latest configuration says, until `shutdown`.
pub(super) async fn run(view: View, metrics: Metrics, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut desired = view.desired.clone();
    let router = signs(view).merge(open(metrics));
    let mut serving: Option<Serving> = None;
    let mut failed = false;
    loop {
        let wanted = desired.borrow_and_update().as_ref().and_then(|desired| desired.node.metrics);
        let is_right = serving.as_ref().map(|serving| serving.address) == wanted
            && serving.as_ref().is_none_or(|serving| !serving.task.is_finished());
        if !is_right {
            if let Some(old) = serving.take() {
                old.stop().await;
            }
            match wanted.map(|address| Serving::begin(address, router.clone())).transpose() {
                Ok(begun) => (serving, failed) = (begun, false),
                Err(error) if !failed => {
                    tracing::error!(error = format!("{error:#}"), "metrics are not served; trying on");
                    failed = true;
                }
                Err(_) => {}
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(()) = desired.changed() => {}
            () = tokio::time::sleep(RETRY) => {}
        }
    }
    if let Some(serving) = serving {
        serving.stop().await;
    }
    Ok(())
}

/// A listener at work.
struct Serving {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<()>,
}

impl Serving {
    fn begin(address: SocketAddr, router: Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .with_context(|| format!("cannot listen at {address} for [metrics]"))?;
        listener.set_nonblocking(true)?;
        let handle = Handle::new();
        let mut server =
            axum_server::from_tcp(listener)?.acceptor(Limited::default()).handle(handle.clone()).http1_only();
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_AT_MOST);
        let task = tokio::spawn(async move {
            if let Err(error) = server.serve(router.into_make_service()).await {
                tracing::error!(%error, "the listener of the metrics failed");
            }
        });
        tracing::info!(%address, "metrics are served");
        Ok(Serving { address, handle, task })
    }

    async fn stop(self) {
        self.handle.graceful_shutdown(Some(DRAIN));
        // It ends at the latest when the time is over; a panic in it was told.
        let _ = self.task.await;
        tracing::info!(address = %self.address, "metrics are no longer served");
    }
}

fn open(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(show)).with_state(metrics)
}

async fn show(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let form = Form::asked_for(accept);
    match metrics.read(form).await {
        Ok(text) => ([(header::CONTENT_TYPE, form.content_type())], text).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "metrics cannot be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be read: see the log\n").into_response()
        }
    }
}

/// It answers what is wanted.
async fn is_ready(State(view): State<View>) -> Response {
    match view.published.borrow().generation {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "nothing is published yet\n").into_response(),
        _ => "ready\n".into_response(),
    }
}

/// They are of all profiles, so a token for one scope does not do.
async fn let_in(State(_): State<View>, who: Principal, request: Request, next: Next) -> Response {
    match who.may(Level::Read, None) {
        Ok(()) => next.run(request).await,
        Err(denied) => Problem::from(denied).into_response(),
    }
}
