//! The tokens that the token endpoint gives to clients: JSON Web Tokens ([RFC 7519]), signed with HMAC-SHA256 by a key that only the store has.
//!
//! Such a token says who the client is and for how long. What the client may do is looked up each time, so that a revoked client is out at once.
//!
//! [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{catalog::Catalog, secret, store::Token};

/// The one header that is written and taken: no other algorithm is ever looked at.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a token says; times in seconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    oid: String,
    appid: String,
    tid: String,
    ver: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// Who gives a token, for whom it is, and in which tenant: what Azure's clients look at and nobody here checks.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `tid`.
    pub tenant: &'a str,
}

/// A token for a client, good for `lifetime` from `now`, and no longer than the client itself.
pub fn issue(
    catalog: &Catalog,
    client: &Token,
    said: &Said<'_>,
    now: SystemTime,
    lifetime: Duration,
) -> String {
    let until = client.expires.map_or(now + lifetime, |expires| expires.min(now + lifetime));
    let id = client.id.to_string();
    let claims = Claims {
        iss: said.issuer.to_owned(),
        aud: said.audience.to_owned(),
        sub: id.clone(),
        oid: id.clone(),
        appid: id,
        tid: said.tenant.to_owned(),
        ver: "1.0".to_owned(),
        iat: seconds(now),
        nbf: seconds(now),
        exp: seconds(until),
    };
    let claims = serde_json::to_string(&claims).unwrap_or_default();
    let signed = format!("{}.{}", secret::url_text(HEADER.as_bytes()), secret::url_text(claims.as_bytes()));
    let signature = hmac::sign(&key(catalog), signed.as_bytes());
    format!("{signed}.{}", secret::url_text(signature.as_ref()))
}

/// Whose token this is, if it is one of ours, its time has come and not gone, and there still is such a client.
pub fn verify(catalog: &Catalog, token: &str, now: SystemTime) -> Option<Arc<Token>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    hmac::verify(&key(catalog), signed.as_bytes(), &signature).ok()?;
    if BASE64_URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let is_time = (claims.nbf..claims.exp).contains(&seconds(now));
    if is_time { catalog.client_by_id(&claims.sub, now) } else { None }
}

fn key(catalog: &Catalog) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, catalog.signing_key().as_bytes())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
