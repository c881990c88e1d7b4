//! Tokens and clients: made, listed, rotated and revoked. Secrets are told once, when they are made.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};

use super::{Problem, ask::read, given::Named};
use crate::{
    api::{View, access::Principal},
    catalog::{Fresh, Grant},
    store::{Level, Token},
    time::rfc3339,
};

/// Seconds that a token may be good for, or an old secret beside a new one: longer is surely a slip, and no arithmetic with it can go wrong.
const SECONDS_AT_MOST: u64 = 10 * 365 * 86_400;

/// A token that is to be.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What it is called; of a client, what the client is called.
    #[serde(default)]
    pub name: String,
    /// Is it to be a client with id and secret, for the token endpoint?
    #[serde(default)]
    pub client: bool,
    /// What its bearer may do.
    pub scope: Level,
    /// Only within this subscription.
    #[serde(default)]
    pub subscription: Option<String>,
    /// Only within this resource group; wants a subscription.
    #[serde(default)]
    pub resource_group: Option<String>,
    /// For so many seconds; for ever where there are none.
    #[serde(default)]
    pub lifetime: Option<u64>,
}

/// How a token is rotated.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateToken {
    /// For so many seconds the old secret of a bearer token is good yet.
    #[serde(default)]
    pub overlap: u64,
}

/// A token without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenResource {
    /// Its id; of a client, the client's.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Is it a client?
    pub client: bool,
    /// What its bearer may do.
    pub scope: Level,
    /// Only within this subscription.
    pub subscription: Option<String>,
    /// Only within this resource group.
    pub resource_group: Option<String>,
    /// When its secret was made.
    pub created: String,
    /// From when on it is void.
    pub expires: Option<String>,
}

/// A new token, with its secret.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FreshToken {
    /// The token.
    pub token: TokenResource,
    /// What its bearer shows; of a client, the client's secret.
    pub secret: String,
}

/// All tokens.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenPage {
    /// In the order of their ids.
    pub value: Vec<TokenResource>,
}

#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", operation_id = "list_tokens", responses((status = 200, body = TokenPage)))]
pub(super) async fn list(principal: Principal, State(view): State<View>) -> Result<Json<TokenPage>, Problem> {
    principal.may(Level::Admin, None)?;
    let value = view.catalog.listing().tokens.values().map(|token| resource(token)).collect();
    Ok(Json(TokenPage { value }))
}

#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", operation_id = "create_token", request_body = CreateToken, responses((status = 201, body = FreshToken)))]
pub(super) async fn create(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<FreshToken>), Problem> {
    principal.may(Level::Admin, None)?;
    let wanted: CreateToken = read(&headers, body).await?;
    if wanted.resource_group.is_some() && wanted.subscription.is_none() {
        return Err(Problem::bad("a resource group lies in a subscription: name that too"));
    }
    if wanted.name.chars().count() > 100 || wanted.name.chars().any(char::is_control) {
        return Err(Problem::bad("name a token by at most 100 characters, none of them a control"));
    }
    let grant = Grant {
        name: wanted.name,
        client: wanted.client,
        level: wanted.scope,
        subscription: wanted.subscription,
        resource_group: wanted.resource_group,
        lifetime: wanted.lifetime.map(seconds).transpose()?,
    };
    let fresh = view.catalog.create_token(principal.actor(), grant).await?;
    Ok((StatusCode::CREATED, Json(shown(&fresh))))
}

#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "access", params(("id" = String, Path)), request_body = RotateToken, responses((status = 200, body = FreshToken)))]
pub(super) async fn rotate(
    principal: Principal,
    State(view): State<View>,
    Named(id): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FreshToken>, Problem> {
    principal.may(Level::Admin, None)?;
    let RotateToken { overlap } = read(&headers, body).await?;
    let fresh = view.catalog.rotate_token(principal.actor(), &id, seconds(overlap)?).await?;
    Ok(Json(shown(&fresh)))
}

#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "access", params(("id" = String, Path)), responses((status = 204, description = "It is void")))]
pub(super) async fn revoke(
    principal: Principal,
    State(view): State<View>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    principal.may(Level::Admin, None)?;
    view.catalog.revoke_token(principal.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn seconds(seconds: u64) -> Result<Duration, Problem> {
    match seconds {
        0..=SECONDS_AT_MOST => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::bad(format_args!("{seconds} seconds are longer than ten years"))),
    }
}

fn shown(fresh: &Fresh) -> FreshToken {
    FreshToken { token: resource(&fresh.token), secret: fresh.secret.clone() }
}

fn resource(token: &Token) -> TokenResource {
    TokenResource {
        id: token.id.to_string(),
        name: token.name.to_string(),
        client: token.client,
        scope: token.level,
        subscription: token.subscription.as_ref().map(ToString::to_string),
        resource_group: token.resource_group.as_ref().map(ToString::to_string),
        created: rfc3339(token.created),
        expires: token.expires.map(rfc3339),
    }
}
