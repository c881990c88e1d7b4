//! A request whose sender is known, and what it may do.

use axum::{body::Bytes, http::Method};
use serde_json::Value;

use super::fault::Fault;
use crate::{
    api::{
        View,
        access::{Denied, Principal},
        body,
    },
    desired::Scope,
    store::Level,
};

/// One request.
pub(super) struct Request {
    pub(super) view: View,
    pub(super) principal: Principal,
    pub(super) method: Method,
    /// Names in lower case.
    pub(super) query: Vec<(String, String)>,
    pub(super) octets: Bytes,
}

impl Request {
    /// What the query says of a name.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its body.
    pub(super) fn body(&self) -> Result<Value, Fault> {
        body::json(&self.octets).map_err(|error| Fault {
            code: "InvalidRequestContent",
            ..Fault::bad_request(format!(
                "The request content was invalid and could not be deserialized: '{error}'."
            ))
        })
    }

    /// May its sender do this here? Over all scopes where there is none.
    pub(super) fn needs(&self, level: Level, scope: Option<&Scope>) -> Result<(), Fault> {
        self.principal.may(level, scope).map_err(|denied| denied_fault(denied, level, scope))
    }

    /// The method is not one of the resource's.
    pub(super) fn not_allowed(&self) -> Fault {
        Fault::new(
            axum::http::StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            format!("The HTTP method '{}' is not supported at this path.", self.method),
        )
    }
}

/// Azure's words for who may not.
pub(super) fn denied_fault(denied: Denied, level: Level, scope: Option<&Scope>) -> Fault {
    match &denied {
        Denied::Forbidden(why) => {
            let over = scope.map_or_else(|| "/".to_owned(), super::id::group_id);
            Fault::new(
                axum::http::StatusCode::FORBIDDEN,
                "AuthorizationFailed",
                format!(
                    "The client does not have authorization to perform actions of level '{}' over scope '{over}': {why}.",
                    level.label()
                ),
            )
        }
        Denied::TooMany(seconds) => {
            let status = axum::http::StatusCode::TOO_MANY_REQUESTS;
            let fault = Fault::new(status, "TooManyRequests", denied.to_string());
            Fault { retry_after: Some(*seconds), ..fault }
        }
        Denied::Unknown => Fault::new(
            axum::http::StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "The access token is missing, invalid or expired.",
        ),
    }
}
