//! The token endpoint: a client's id and secret for a token, as Azure's own log-in libraries ask for it, for any tenant.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use axum::{
    extract::ConnectInfo,
    http::{StatusCode, header, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{answer::Answer, fault::Fault};
use crate::api::{View, access::Denied, jwt};

/// How long a token is good for: as long as Azure's.
const LIFETIME: Duration = Duration::from_secs(3600);

/// `POST /{tenant}/oauth2/v2.0/token`, and the older form without `v2.0`.
pub(super) fn answer(
    view: &View,
    parts: &Parts,
    octets: &[u8],
    tenant: &str,
    base: &str,
) -> Result<Answer, Fault> {
    let form: Vec<(String, String)> = form_urlencoded::parse(octets).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if field("grant_type") != Some("client_credentials") {
        return Ok(refused(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "The grant type is not 'client_credentials'.",
        ));
    }
    let basic = basic(parts);
    let id = field("client_id").or(basic.as_ref().map(|(id, _)| id.as_str())).unwrap_or_default();
    let secret =
        field("client_secret").or(basic.as_ref().map(|(_, secret)| secret.as_str())).unwrap_or_default();
    let now = SystemTime::now();
    let Some(client) = view.catalog.client(id, secret, now) else {
        let address =
            parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        return match address.map(|address| view.failures.count(address)) {
            Some(denied @ Denied::TooMany(_)) => {
                Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", denied.to_string()))
            }
            _ => Ok(refused(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client is not known, or its secret is not that.",
            )),
        };
    };
    let audience =
        field("resource").or_else(|| field("scope").map(|scope| scope.trim_end_matches("/.default")));
    let issuer = format!("{base}/{tenant}/v2.0");
    let said = jwt::Said { issuer: &issuer, audience: audience.unwrap_or(base), tenant };
    let token = jwt::issue(&view.catalog, &client, &said, now, LIFETIME);
    let until = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + LIFETIME;
    Ok(Answer::ok(json!({
        "token_type": "Bearer", "expires_in": LIFETIME.as_secs() - 1, "ext_expires_in": LIFETIME.as_secs() - 1,
        "expires_on": until.as_secs().to_string(), "resource": audience.unwrap_or(base), "access_token": token,
    })))
}

/// The id and secret of `Authorization: Basic`.
fn basic(parts: &Parts) -> Option<(String, String)> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let octets =
        BASE64_STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = String::from_utf8(octets)
        .ok()?
        .split_once(':')
        .map(|(id, secret)| (id.to_owned(), secret.to_owned()))?;
    Some((id, secret))
}

/// In OAuth's form, which log-in libraries read ([RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
fn refused(status: StatusCode, error: &str, description: &str) -> Answer {
    Answer { status, body: Some(json!({ "error": error, "error_description": description })) }
}
