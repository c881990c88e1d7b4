//! What is refused before anything else has put it into the audit log: who may not do it, and what could not be read.
//!
//! Whoever makes a change notes it, or that it was refused, in its own words. What never came so far is noted here, by method and path.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::Response,
};

use super::View;
use crate::catalog::Actor;

/// Requests that change nothing, though their method says otherwise.
const READS: [&str; 2] = ["/api/v1/query", "/api/v1/explain"];

/// Who sent a request, once that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender(Arc<OnceLock<Actor>>);

/// What an error says; goes with its response.
#[derive(Clone, Debug)]
pub(super) struct Said(pub(super) String);

impl Sender {
    /// It is them.
    pub(super) fn is(&self, actor: Actor) {
        // One request has one sender.
        _ = self.0.set(actor);
    }
}

/// Puts a change that was refused into the audit log, where nothing was put there yet.
pub(super) async fn with_audit(State(view): State<View>, mut request: Request, next: Next) -> Response {
    if !changes(request.method(), request.uri()) {
        return next.run(request).await;
    }
    let (action, object) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
    let sender = Sender::default();
    request.extensions_mut().insert(sender.clone());
    let response = next.run(request).await;
    let status = response.status();
    if (status.is_client_error() || status.is_server_error())
        && let Some(actor) = sender.0.get().filter(|actor| !actor.is_noted())
    {
        let said = response.extensions().get::<Said>();
        let said = said.map_or_else(|| status.to_string(), |said| format!("{}: {}", status.as_u16(), said.0));
        view.catalog.note(actor, &action, &object, &format!("refused: {said}")).await;
    }
    response
}

/// Would it change anything if it were done? Of Azure's requests with POST none does.
fn changes(method: &Method, uri: &Uri) -> bool {
    let is_dry = || uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "dryRun=true"));
    let is_ours = uri.path().starts_with("/api/");
    match *method {
        Method::POST => is_ours && !READS.contains(&uri.path()) && !is_dry(),
        _ => !method.is_safe() && !is_dry(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_method_and_path() {
        for (method, uri, expected) in [
            (Method::GET, "/api/v1/profiles/a", false),
            (Method::PUT, "/api/v1/profiles/a", true),
            (Method::PUT, "/api/v1/profiles/a?dryRun=true", false),
            (Method::DELETE, "/subscriptions/s/resourceGroups/g?api-version=2021-04-01", true),
            (Method::POST, "/api/v1/tokens", true),
            (Method::POST, "/api/v1/apply?prune=true&dryRun=true", false),
            (Method::POST, "/api/v1/explain", false),
            (Method::POST, "/providers/Microsoft.Network/checkTrafficManagerNameAvailability", false),
        ] {
            assert_eq!(changes(&method, &uri.parse().unwrap()), expected, "{method} {uri}");
        }
    }
}
