//! The product's own face: `/api/v1`, in its own words.
//!
//! Bodies are JSON; errors are `application/problem+json` ([RFC 9457]) that name the value at fault. Unknown keys are refused. A profile is written as in a file: what is under
//! `profile` in an answer can be put back as it is.
//!
//! | request | answer | scope |
//! | --- | --- | --- |
//! | `GET /api/v1/profiles` (`name`, `subscription`, `resource_group`, `managed_by`, `limit`, `after`) | a page | read |
//! | `GET`, `PUT`, `PATCH`, `DELETE /api/v1/profiles/{profile}` | the profile | read, write |
//! | `GET /api/v1/profiles/{profile}/endpoints` | its endpoints | read |
//! | `GET`, `PUT`, `PATCH`, `DELETE /api/v1/profiles/{profile}/endpoints/{endpoint}` | the endpoint | read, write |
//! | `GET /api/v1/services` | the inventory of services | read |
//! | `GET`, `PUT`, `DELETE /api/v1/services/{*id}` | the service of this resource id | read, write |
//! | `POST /api/v1/profiles/{profile}/endpoints/{endpoint}/probe` | what a probe says now | write |
//! | `GET /api/v1/summaries` (`profile`) | a line a profile | read |
//! | `GET /api/v1/profiles/{profile}/status` | all that is known of a profile and those nested below it | read |
//! | `GET /api/v1/rates` (`profile`) | answers a second, of the last two minutes | read |
//! | `GET /api/v1/events` (`rates`) | what happens, as server-sent events | read |
//! | `GET /api/v1/history` (`profile`, `limit`) | what has happened since the start | read |
//! | `GET /api/v1/names/{name}` | is the name free? | read |
//! | `GET /api/v1/export` | all that the API manages | read |
//! | `POST /api/v1/apply` (`prune`, `dryRun`) | what became of it, made so in one step | write |
//! | `GET /api/v1/status`, `GET /api/v1/version` | all that is known | read |
//! | `GET /api/v1/node` | the node without its profiles: packets, tables, programs, probes | read |
//! | `POST /api/v1/query` | what would be answered | read |
//! | `POST /api/v1/explain` | why, and what would be if | read |
//! | `POST /api/v1/order` | force, release, restore | write |
//! | `GET`, `POST /api/v1/round-trips` | measured round trips to clients; `{"prefixes": 12}`, how many are known now | read, write |
//! | `GET`, `PUT`, `DELETE /api/v1/user-metrics-key` (`subscription`) | the key of real user measurements, a new one, none | read, write |
//! | `GET`, `POST /api/v1/tokens`, `DELETE /api/v1/tokens/{id}`, `POST /api/v1/tokens/{id}/rotate` | tokens | admin |
//! | `GET /api/v1/session` | who is signed in, or whose token this is | any |
//! | `POST`, `DELETE /api/v1/session` | signs in (open to all), and out | any |
//! | `POST /api/v1/session/link` | a link that signs in once | at the socket alone |
//! | `GET`, `POST /api/v1/users`, `DELETE /api/v1/users/{name}`, `PUT /api/v1/users/{name}/password` | users | admin |
//! | `GET /api/v1/audit` (`object`, `before`, `limit`) | the audit log | admin |
//! | `POST /api/v1/backup` | a copy of the store | admin, at the socket alone |
//! | `POST /api/v1/restore` | all that the store has becomes what a copy has | admin, at the socket alone |
//!
//! `/openapi.json` describes it all; it is open to all, as `/healthz` and `/readyz` are.
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457

mod apply;
mod ask;
mod audit;
mod endpoints;
mod etag;
mod events;
mod given;
mod metrics_key;
mod openapi;
mod overview;
mod problem;
mod profiles;
mod services;
mod session;
mod tokens;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    routing::{MethodRouter, get, post},
};

use super::{View, access, access::Principal};
use crate::desired::Node;

pub use apply::{AppliedView, Change, ChangeKind, Whole};
pub use audit::{AuditPage, Backup, Restore, RestoredView};
pub use endpoints::EndpointPage;
pub use events::{History, Probed};
pub use metrics_key::MetricsKey;
pub use overview::{RateEvent, RatesView, Summaries};
pub use problem::Problem;
pub use profiles::{Availability, Page, ProfileResource};
pub use services::{ServicePage, ServiceResource};
pub use session::{CreateLink, FreshLink, SignIn, SignedIn};
pub use tokens::{CreateToken, FreshToken, RotateToken, TokenPage, TokenResource};
pub use users::{ChangePassword, CreateUser, UserPage, UserResource};

/// Its routes.
pub(super) fn router(view: View) -> Router {
    // The state is named first: the compiler would take minutes to try each handler again and again until it learnt it from the last line.
    let profile: MethodRouter<View> =
        get(profiles::show).put(profiles::put).patch(profiles::patch).delete(profiles::delete);
    let endpoint: MethodRouter<View> =
        get(endpoints::show).put(endpoints::put).patch(endpoints::patch).delete(endpoints::delete);
    Router::<View>::new()
        .route("/openapi.json", get(openapi::show))
        .route("/api/v1/profiles", get(profiles::list))
        .route("/api/v1/profiles/{profile}", profile)
        .route("/api/v1/profiles/{profile}/endpoints", get(endpoints::list))
        .route("/api/v1/profiles/{profile}/endpoints/{endpoint}", endpoint)
        .route("/api/v1/profiles/{profile}/status", get(overview::profile_status))
        .route("/api/v1/profiles/{profile}/traffic", get(overview::traffic))
        .route("/api/v1/summaries", get(overview::summaries))
        .route("/api/v1/rates", get(overview::rates))
        .route("/api/v1/services", get(services::list))
        .route("/api/v1/services/{*id}", get(services::show).put(services::put).delete(services::delete))
        .route("/api/v1/profiles/{profile}/endpoints/{endpoint}/probe", post(events::probe))
        .route("/api/v1/events", get(events::follow))
        .route("/api/v1/history", get(events::history))
        .route("/api/v1/names/{name}", get(profiles::is_free))
        .route("/api/v1/export", get(apply::export))
        .route("/api/v1/apply", post(apply::apply))
        .route("/api/v1/status", get(ask::status))
        .route("/api/v1/node", get(ask::node))
        .route("/api/v1/version", get(ask::version))
        .route("/api/v1/query", post(ask::query))
        .route("/api/v1/explain", post(ask::explain))
        .route("/api/v1/order", post(ask::order))
        .route("/api/v1/round-trips", get(ask::round_trips).post(ask::change_round_trips))
        .route(
            "/api/v1/user-metrics-key",
            get(metrics_key::show).put(metrics_key::make).delete(metrics_key::delete),
        )
        .route("/api/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/api/v1/tokens/{id}", axum::routing::delete(tokens::revoke))
        .route("/api/v1/tokens/{id}/rotate", post(tokens::rotate))
        .route("/api/v1/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/api/v1/session/link", post(session::link))
        .route("/api/v1/users", get(users::list).post(users::create))
        .route("/api/v1/users/{name}", axum::routing::delete(users::delete))
        .route("/api/v1/users/{name}/password", axum::routing::put(users::change_password))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/backup", post(audit::back_up))
        .route("/api/v1/restore", post(audit::restore))
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this is not done to such a thing")
        })
        .with_state(view)
}

/// The node's part of the configuration in force.
fn node(view: &View) -> Result<Arc<Node>, Problem> {
    let desired = view.catalog.desired();
    desired
        .map(|desired| desired.node)
        .ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no configuration is in force yet"))
}

impl FromRequestParts<View> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, view: &View) -> Result<Self, Problem> {
        Ok(access::authenticate(view, parts)?)
    }
}
