//! The daemon's faces over HTTP: at a Unix socket for its own command line, and over TLS where `[api]` says.
//!
//! `native` is the product's own face, `arm` that which Azure's clients speak to. `access` says who asks and what they may do, `body` and `limits` hold what comes to a size, a time and a number. What is neither's is looked for among the portal's files. Every
//! answer bears an `X-Request-Id`, which the audit log has too. `scrape` has the metrics, `/healthz` and `/readyz`, the last two open to all.

pub mod access;
pub mod arm;
pub mod body;
mod events;
mod explain;
mod https;
pub mod jwt;
mod limits;
mod line;
mod metrics_key;
pub mod native;
mod node;
mod noted;
mod orders;
mod query;
mod rates;
mod round_trips;
mod scrape;
pub mod sessions;
mod status;
mod summary;
mod tls;
mod traffic;
pub mod user_metrics;

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context as _, bail};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio::{net::UnixListener, sync::watch};
use tokio_util::sync::CancellationToken;

use access::{Failures, LocalPeer};
pub use explain::{
    Assumed, Check, Client, EndpointStep, Explained, Group, Inquiry, Outcome, Part, ProfileStep, Shares,
    Sticky,
};
pub use node::{NodeView, ProgramView, TableView};
pub use orders::{Order, OrderKind, Ordered};
pub use query::{Answered, Question};
pub use rates::Rates;
pub use round_trips::{RoundTripView, RoundTripsChange, SampleText};
pub use sessions::Sessions;

pub use events::{Delays, Event, Events, Known};
pub use status::{EndpointView, GeoView, InterfaceView, LimitView, ProfileView, Status};
pub use summary::Summary;
pub use traffic::{ClientView, QueriesView, TrafficView};

use crate::{
    catalog::Catalog,
    control::{Published, Tables},
    desired::Desired,
    dns::Responder,
    dnstap::Tap,
    health::{Details, Health},
    metrics::{Meters, Metrics},
    portal,
    reload::Reload,
    secret,
    traffic::Traffic,
    webhooks::Webhooks,
};

/// A request's id: the caller's own, or a random one.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The socket's name under `state_dir`.
pub const SOCKET: &str = "tm.sock";

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the handlers look at.
#[derive(Clone)]
pub struct View {
    /// What is managed.
    pub catalog: Catalog,
    /// What is wanted.
    pub desired: watch::Receiver<Option<Desired>>,
    /// Who is up, and what operators order.
    pub health: watch::Sender<Health>,
    /// What the probes said.
    pub details: Arc<Details>,
    /// What was published.
    pub published: watch::Receiver<Arc<Published>>,
    /// What came of the last load.
    pub reload: watch::Receiver<Reload>,
    /// The tables.
    pub tables: Tables,
    /// Who answers at the sockets.
    pub responder: Arc<Responder>,
    /// When the daemon began.
    pub started: SystemTime,
    /// Log-ins that failed.
    pub failures: Failures,
    /// Browsers that are signed in.
    pub sessions: Sessions,
    /// Requests that were made, where Azure's limits hold.
    pub throttle: arm::limits::Throttle,
    /// What has happened.
    pub events: Events,
    /// How many answers there are a second.
    pub rates: Rates,
    /// What is counted and timed as it happens.
    pub meters: Meters,
    /// Who is told of what happens.
    pub webhooks: Webhooks,
    /// What browsers measured and is not taken in yet.
    pub told: user_metrics::Told,
    /// Who asks for the profiles that want it looked at.
    pub traffic: Traffic,
    /// Who is told of messages.
    pub tap: Tap,
}

impl View {
    /// Changes what is known of the endpoints; `change` says whether it did. Gives that back.
    fn change_health(&self, change: impl FnOnce(&mut Health) -> bool) -> bool {
        self.health.send_if_modified(|health| {
            let changed = change(health);
            health.generation += u64::from(changed);
            changed
        })
    }
}

/// Serves at `path`, where `listener` listens, and over TLS where the configuration says, until `shutdown`.
pub async fn run(
    listener: UnixListener,
    path: &Path,
    view: View,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = Metrics::new(view.clone());
    let router = router(view.clone(), metrics.clone());
    let local = router.clone().into_make_service_with_connect_info::<LocalPeer>();
    let served = async {
        axum::serve(listener, local).with_graceful_shutdown(shutdown.clone().cancelled_owned()).await?;
        anyhow::Ok(())
    };
    let plain = scrape::run(view.clone(), metrics, shutdown.clone());
    let served = tokio::try_join!(served, https::run(view, router, shutdown.clone()), plain);
    // Best effort: a socket left behind is replaced by the next start.
    let _ = fs::remove_file(path);
    served.map(drop).context("the API failed")
}

/// All faces.
pub fn router(view: View, metrics: Metrics) -> Router {
    let audited = middleware::from_fn_with_state(view.clone(), noted::with_audit);
    Router::new()
        .merge(scrape::signs(view.clone()))
        .merge(scrape::guarded(view.clone(), metrics))
        .merge(user_metrics::router(view.clone()))
        .merge(native::router(view.clone()))
        .fallback(move |request| anything_else(view.clone(), request))
        .layer(audited)
        .layer(middleware::from_fn(with_guard))
        .layer(middleware::from_fn(with_request_id))
}

/// Paths of Azure's are read without regard to case, which no route is; what is nobody's may be a page or a file of the portal.
async fn anything_else(view: View, request: Request) -> Response {
    let path = request.uri().path();
    if arm::is_own(path) {
        return arm::serve(view, request).await;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/api/");
    let file = if reads { portal::serve(path, request.headers()) } else { None };
    file.unwrap_or_else(|| native::Problem::not_found("there is nothing here").into_response())
}

/// What browsers are told of every answer, unless it says otherwise itself. It does not bind them to TLS for good (HSTS): one could not get past the daemon's own certificate then.
async fn with_guard(request: Request, next: Next) -> Response {
    const GUARD: [(HeaderName, &str); 7] = [
        (header::CONTENT_SECURITY_POLICY, portal::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];

    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in GUARD {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Listens at `path`. A socket left behind by a daemon that is gone is replaced; one that answers is not.
pub fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    if fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            bail!("another tm serves at {}: stop it, or give this one another state_dir", path.display());
        }
        fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))
        .with_context(|| format!("cannot guard {}", path.display()))?;
    Ok(listener)
}

/// Gives each request an id, and its answer the same.
async fn with_request_id(mut request: Request, next: Next) -> Response {
    const NAME: &str = "x-request-id";

    let given = request.headers().get(NAME).and_then(|id| id.to_str().ok());
    let given =
        given.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_graphic()));
    let id = given.map_or_else(|| secret::hexadecimal(&secret::random()[..16]), str::to_owned);
    let header = HeaderValue::try_from(id.as_str());
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Ok(header) = header {
        response.headers_mut().insert(NAME, header);
    }
    response
}
