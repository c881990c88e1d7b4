//! Signing in and out at the portal: a token, a name and a password, or a link that is good once, for a cookie.

use std::time::{Duration, Instant, SystemTime};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{Problem, ask::read};
use crate::{
    api::{
        View,
        access::{self, COOKIE, Denied, Principal},
        sessions::{Begun, Rights, Session},
    },
    catalog::{Actor, Noted, User},
    secret,
    store::Level,
    time::rfc3339,
};

/// How long a link is good, unless asked otherwise; and at most, in seconds.
const LINK: u64 = 600;
const LINK_AT_MOST: u64 = 86_400;

/// Who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// What to call them.
    pub name: String,
    /// What they may do.
    pub scope: Level,
    /// Only within this subscription.
    pub subscription: Option<String>,
    /// Only within this resource group.
    pub resource_group: Option<String>,
    /// What to show as `X-CSRF-Token` with every change; none outside a session.
    pub csrf: Option<String>,
    /// When the session is over at the latest.
    pub expires: Option<String>,
}

/// What to sign in with: a token; a user and a password; or what a link has after `#once=`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// A bearer token.
    #[serde(default)]
    pub token: Option<String>,
    /// A user's name.
    #[serde(default)]
    pub user: Option<String>,
    /// Their password.
    #[serde(default)]
    pub password: Option<String>,
    /// What is good once.
    #[serde(default)]
    pub once: Option<String>,
}

/// A link that is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLink {
    /// What may be done in the session: admin, where nothing is said.
    #[serde(default)]
    pub scope: Option<Level>,
    /// For so many seconds, at most a day; ten minutes where nothing is said.
    #[serde(default)]
    pub lifetime: Option<u64>,
}

/// A link that is good once.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FreshLink {
    /// To be opened in a browser.
    pub url: String,
    /// From when on it is void.
    pub expires: String,
}

#[utoipa::path(get, path = "/api/v1/session", tag = "access", operation_id = "show_session", responses((status = 200, body = SignedIn)))]
pub(super) async fn show(principal: Principal) -> Json<SignedIn> {
    let rights = Rights {
        who: principal.who,
        name: principal.name,
        level: principal.level,
        subscription: principal.subscription,
        resource_group: principal.resource_group,
    };
    Json(shown(rights, principal.session.as_ref()))
}

#[utoipa::path(post, path = "/api/v1/session", tag = "access", operation_id = "sign_in", request_body = SignIn, responses((status = 200, body = SignedIn)))]
pub(super) async fn sign_in(State(view): State<View>, parts: Parts, body: Body) -> Result<Response, Problem> {
    access::from_here(&parts)?;
    let given: SignIn = read(&parts.headers, body).await?;
    let (begun, how) = match given {
        SignIn { token: Some(token), user: None, password: None, once: None } => {
            (of_token(&view, &parts, &token)?, "token")
        }
        SignIn { token: None, user: Some(user), password: Some(password), once: None } => {
            (of_user(&view, &parts, user, password).await?, "password")
        }
        SignIn { token: None, user: None, password: None, once: Some(once) } => {
            let rights = view.sessions.follow(&once, Instant::now());
            (
                Begun::Link(rights.ok_or_else(|| {
                    failed(
                        &view,
                        &parts,
                        "the link was used already, or its time is over: have a new one made",
                    )
                })?),
                "link",
            )
        }
        _ => return Err(Problem::bad("give either token, or user and password, or once")),
    };
    let rights = begun.rights(&view.catalog).ok_or(Denied::Unknown)?;
    // Whoever was signed in there before is not any more.
    if let Some((before, _)) = access::session(&view, &parts) {
        view.sessions.end(&before.hash);
    }
    let (secret, session) = view.sessions.begin(begun, access::times(&view), Instant::now());
    note(&view, &rights, &parts, "sign in", how).await;
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; Secure; SameSite=Strict");
    Ok(with_cookie(Json(shown(rights, Some(&session))).into_response(), &cookie))
}

#[utoipa::path(delete, path = "/api/v1/session", tag = "access", operation_id = "sign_out", responses((status = 204, description = "The session is over")))]
pub(super) async fn sign_out(principal: Principal, State(view): State<View>) -> Result<Response, Problem> {
    let Some(session) = &principal.session else {
        return Err(Problem::bad("there is no session to end: this came with a token"));
    };
    view.sessions.end(&session.hash);
    view.catalog.note(&principal.actor(), "sign out", "session", "done").await;
    let cookie = format!("{COOKIE}=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0");
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), &cookie))
}

/// For those who may open the socket alone: who has such a link needs nothing else.
#[utoipa::path(post, path = "/api/v1/session/link", tag = "access", operation_id = "create_link", request_body = CreateLink, responses((status = 201, body = FreshLink)))]
pub(super) async fn link(
    principal: Principal,
    State(view): State<View>,
    parts: Parts,
    body: Body,
) -> Result<(StatusCode, Json<FreshLink>), Problem> {
    let CreateLink { scope, lifetime } = read(&parts.headers, body).await?;
    if principal.source != access::SOCKET {
        return Err(Problem::new(StatusCode::FORBIDDEN, "links are made for who comes by the socket alone"));
    }
    let lifetime = lifetime.unwrap_or(LINK);
    if !(1..=LINK_AT_MOST).contains(&lifetime) {
        return Err(Problem::bad(format_args!(
            "lifetime {lifetime} is not from 1 to {LINK_AT_MOST} seconds"
        )));
    }
    let listen = view.desired.borrow().as_ref().and_then(|desired| Some(desired.node.api.as_ref()?.listen));
    let Some(listen) = listen else {
        return Err(Problem::new(StatusCode::CONFLICT, "there is no portal: add the table [api] to tm.toml"));
    };
    let lifetime = Duration::from_secs(lifetime);
    let rights = Rights {
        who: principal.who.clone(),
        name: principal.name.clone(),
        level: scope.unwrap_or(Level::Admin),
        subscription: None,
        resource_group: None,
    };
    let once = view.sessions.link(rights, Instant::now() + lifetime);
    view.catalog.note(&principal.actor(), "create", "sign-in link", "done").await;
    let host = if listen.ip().is_unspecified() {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        format!("{name}:{}", listen.port())
    } else {
        listen.to_string()
    };
    let url = format!("https://{host}/sign-in#once={once}");
    Ok((StatusCode::CREATED, Json(FreshLink { url, expires: rfc3339(SystemTime::now() + lifetime) })))
}

fn of_token(view: &View, parts: &Parts, token: &str) -> Result<Begun, Problem> {
    let found = view.catalog.bearer(token.trim(), SystemTime::now());
    let token = found.ok_or_else(|| failed(view, parts, "there is no such token, or it has expired"))?;
    Ok(Begun::Token(token.id.clone(), token.hash.clone()))
}

async fn of_user(view: &View, parts: &Parts, user: String, password: String) -> Result<Begun, Problem> {
    let address = access::address(parts);
    address.map_or(Ok(()), |address| view.failures.check(address))?;
    let user: Option<User> = view.catalog.user(&user);
    let hash = user.as_ref().map_or_else(|| secret::NOBODY.to_owned(), |user| user.kept.hash.clone());
    let is_right = {
        // Nobody closes it.
        let _turn = view.sessions.passwords.acquire().await;
        let work = tokio::task::spawn_blocking(move || secret::is_password(&password, &hash));
        work.await.unwrap_or(false)
    };
    match user.filter(|_| is_right) {
        Some(user) => Ok(Begun::User(user.kept.name, user.revision)),
        None => Err(failed(view, parts, "there is no such user, or the password is another")),
    }
}

/// One more sign-in that failed.
fn failed(view: &View, parts: &Parts, why: &str) -> Problem {
    match access::address(parts).map(|address| view.failures.count(address)) {
        Some(denied @ Denied::TooMany(_)) => denied.into(),
        _ => Problem::new(StatusCode::UNAUTHORIZED, why),
    }
}

async fn note(view: &View, rights: &Rights, parts: &Parts, action: &str, how: &str) {
    let request = parts.extensions.get::<crate::api::RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let actor =
        Actor { who: rights.who.clone(), source: access::source(parts), request, noted: Noted::default() };
    view.catalog.note(&actor, action, "session", &format!("done, by {how}")).await;
}

fn shown(rights: Rights, session: Option<&Session>) -> SignedIn {
    let left = session.map(|session| session.until.saturating_duration_since(Instant::now()));
    SignedIn {
        name: rights.name,
        scope: rights.level,
        subscription: rights.subscription.map(|name| name.to_string()),
        resource_group: rights.resource_group.map(|name| name.to_string()),
        csrf: session.map(|session| session.csrf.to_string()),
        expires: left.map(|left| rfc3339(SystemTime::now() + left)),
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
