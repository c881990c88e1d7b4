//! The daemon's face to its own command line: HTTP and JSON over a Unix socket.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /api/v1/status` | [`Status`] |
//! | `POST /api/v1/query` with [`Question`] | [`Answered`] |
//! | `POST /api/v1/order` with [`Order`] | [`Ordered`] |
//! | `GET /api/v1/version` | `{"version": "..."}` |
//!
//! Errors are `{"error": "..."}` with 400, 404 or 500. Whoever may open the socket (mode 0660) may ask.

pub mod arm;
mod orders;
mod query;
mod status;

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context as _, bail};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::UnixListener, sync::watch};
use tokio_util::sync::CancellationToken;

pub use orders::{Order, OrderKind, Ordered};
pub use query::{Answered, Question};
pub use status::{EndpointView, GeoView, InterfaceView, ProfileView, Status};

use orders::Refused;

use crate::{
    control::{Published, Tables},
    desired::Desired,
    dns::Responder,
    health::{Details, Health},
    reload::Reload,
};

/// The socket's name under `state_dir`.
pub const SOCKET: &str = "tm.sock";

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the handlers look at.
#[derive(Clone)]
pub struct View {
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

/// Serves at `path`, where `listener` listens, until `shutdown`.
pub async fn run(
    listener: UnixListener,
    path: &Path,
    view: View,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/api/v1/status", get(show_status))
        .route("/api/v1/query", post(answer_query))
        .route("/api/v1/order", post(take_order))
        .route("/api/v1/version", get(|| async { Json(serde_json::json!({ "version": VERSION })) }))
        .with_state(view);
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    // Best effort: a socket left behind is replaced by the next start.
    let _ = fs::remove_file(path);
    served.context("the control socket failed")
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

async fn show_status(State(view): State<View>) -> Response {
    match tokio::task::spawn_blocking(move || status::status(&view)).await {
        Ok(Ok(status)) => Json(status).into_response(),
        Ok(Err(error)) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.into()),
    }
}

async fn answer_query(State(view): State<View>, Json(question): Json<Question>) -> Response {
    match tokio::task::spawn_blocking(move || query::query(&view, &question)).await {
        Ok(Ok(answered)) => Json(answered).into_response(),
        Ok(Err(error)) => failure(StatusCode::BAD_REQUEST, &error),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.into()),
    }
}

async fn take_order(State(view): State<View>, Json(order): Json<Order>) -> Response {
    match orders::order(&view, &order) {
        Ok(ordered) => Json(ordered).into_response(),
        Err(Refused::Unknown(error)) => failure(StatusCode::NOT_FOUND, &error),
        Err(Refused::Unfit(error)) => failure(StatusCode::BAD_REQUEST, &error),
    }
}

fn failure(status: StatusCode, error: &anyhow::Error) -> Response {
    (status, Json(serde_json::json!({ "error": format!("{error:#}") }))).into_response()
}
