//! Who asks, and what they may do.
//!
//! Whoever may open the Unix socket is known by the kernel's word on the peer and may do everything. Everybody else shows a bearer token: one of
//! `tm token create`, or one that the token endpoint gave to a client; or the cookie of a session. What changes anything in a session has to come from a page
//! of this server: it shows what only such a page can know, and its browser says so too.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    extract::{ConnectInfo, connect_info::Connected},
    http::{header, request::Parts},
    serve::IncomingStream,
};
use tokio::net::UnixListener;

use super::{
    RequestId, View, jwt,
    noted::Sender,
    sessions::{Rights, Session, Times},
};
use crate::{
    catalog::{Actor, Noted},
    config::defaults,
    desired::Scope,
    secret,
    store::Level,
};

/// Where who uses the Unix socket comes from.
pub const SOCKET: &str = "socket";
/// Log-ins that may fail from one address within [`WINDOW`] before it is told to wait.
const FAILURES_AT_MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// The cookie that a session's secret is in.
pub const COOKIE: &str = "tm_session";
/// Has a session's word against forged requests in it.
const CSRF: &str = "x-csrf-token";
/// How often it is looked whether a session still is one, while something goes on in it.
const LOOK: Duration = Duration::from_secs(5);
/// Addresses remembered: those that failed longest ago are forgotten first.
const ADDRESSES_AT_MOST: usize = 10_000;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// `token ID (NAME)`, `client ID (NAME)`, `user NAME`, `uid 0`.
    pub who: String,
    /// As a page shows it.
    pub name: String,
    /// What they may do.
    pub level: Level,
    /// Only within this subscription.
    pub subscription: Option<Arc<str>>,
    /// Only within this resource group of it.
    pub resource_group: Option<Arc<str>>,
    /// Where from: an address, or `socket`.
    pub source: String,
    /// The request's id.
    pub request: String,
    /// The session that it came in, if in one.
    pub session: Option<Session>,
    /// Has what they do been put into the audit log?
    noted: Noted,
}

/// Why they may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is known by that token, or it has expired, or there is none (401).
    #[error("nobody is signed in, and no valid bearer token was shown")]
    Unknown,
    /// They are known, but that is not for them (403).
    #[error("{0}")]
    Forbidden(String),
    /// Too many log-ins failed from there (429); to be tried again after so many seconds.
    #[error("too many log-ins failed from this address: wait {0} s")]
    TooMany(u64),
}

/// The other end of the Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct LocalPeer {
    /// Its user, if the kernel says.
    uid: Option<u32>,
}

/// Log-ins that failed, by address.
#[derive(Clone, Debug, Default)]
pub struct Failures(Arc<Mutex<HashMap<IpAddr, (Instant, u32)>>>);

impl Connected<IncomingStream<'_, UnixListener>> for LocalPeer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        LocalPeer { uid: stream.io().peer_cred().ok().map(|peer| peer.uid()) }
    }
}

impl Principal {
    /// Is what `level` allows for them, wherever that may be?
    pub fn has(&self, level: Level) -> Result<(), Denied> {
        let (has, wants) = (self.level.label(), level.label());
        match self.level < level {
            true => {
                Err(Denied::Forbidden(format!("{} has the scope {has}, and this wants {wants}", self.who)))
            }
            false => Ok(()),
        }
    }

    /// Is what `level` allows for them within `scope`? None for all scopes.
    pub fn may(&self, level: Level, scope: Option<&Scope>) -> Result<(), Denied> {
        self.has(level)?;
        let within = match scope {
            Some(scope) => self.sees(scope),
            None => self.sees_all(),
        };
        match (within, scope) {
            (true, _) => Ok(()),
            (false, Some(scope)) => Err(Denied::Forbidden(format!(
                "{} may do nothing in resource group `{}` of subscription `{}`",
                self.who, scope.resource_group, scope.subscription
            ))),
            (false, None) => Err(Denied::Forbidden(format!("{} may look at its own scope alone", self.who))),
        }
    }

    /// May they look at every scope?
    pub fn sees_all(&self) -> bool {
        self.subscription.is_none() && self.resource_group.is_none()
    }

    /// May they look at the profile of this name? What is nobody's is nothing to look at for who has a scope of their own.
    pub fn sees_profile(&self, view: &View, name: &str) -> bool {
        self.sees_all() || view.catalog.profile(name).is_some_and(|record| self.sees(&record.scope))
    }

    /// Does `scope` lie within what they may look at?
    pub fn sees(&self, scope: &Scope) -> bool {
        let same = |only: &Option<Arc<str>>, is: &str| {
            only.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(is))
        };
        same(&self.subscription, &scope.subscription) && same(&self.resource_group, &scope.resource_group)
    }

    /// For the audit log.
    pub fn actor(&self) -> Actor {
        Actor {
            who: self.who.clone(),
            source: self.source.clone(),
            request: self.request.clone(),
            noted: self.noted.clone(),
        }
    }

    /// Comes when the session is over that they came in; for those without one, never.
    pub async fn is_gone(&self, view: &View) {
        let Some(session) = &self.session else { return std::future::pending().await };
        let is_there = || {
            let rights = |begun: &super::sessions::Begun| begun.rights(&view.catalog);
            view.sessions.look(&session.hash, times(view), Instant::now(), rights).is_some()
        };
        while is_there() {
            tokio::select! {
                () = session.ended.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn of(rights: Rights, session: Option<Session>, source: String, request: String) -> Self {
        let Rights { who, name, level, subscription, resource_group } = rights;
        let noted = Noted::default();
        Principal { who, name, level, subscription, resource_group, source, request, session, noted }
    }
}

/// Who sent this request; [`noted`](super::noted) is told.
pub fn authenticate(view: &View, parts: &Parts) -> Result<Principal, Denied> {
    let principal = recognize(view, parts)?;
    if let Some(sender) = parts.extensions.get::<Sender>() {
        sender.is(principal.actor());
    }
    Ok(principal)
}

fn recognize(view: &View, parts: &Parts) -> Result<Principal, Denied> {
    let request = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<LocalPeer>>() {
        let who = peer.uid.map_or_else(|| "the socket".to_owned(), |uid| format!("uid {uid}"));
        let name = who.clone();
        let rights = Rights { who, name, level: Level::Admin, subscription: None, resource_group: None };
        return Ok(Principal::of(rights, None, SOCKET.to_owned(), request));
    }
    let source = source(parts);
    let Some(authorization) = parts.headers.get(header::AUTHORIZATION) else {
        let (session, rights) = session(view, parts).ok_or(Denied::Unknown)?;
        if !parts.method.is_safe() {
            let shown = parts.headers.get(CSRF).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
            if !secret::is_same(shown, &session.csrf) {
                let detail =
                    "what is changed in a session wants its X-CSRF-Token: GET /api/v1/session has it";
                return Err(Denied::Forbidden(detail.to_owned()));
            }
            from_here(parts)?;
        }
        return Ok(Principal::of(rights, Some(session), source, request));
    };
    let bearer = authorization.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let now = SystemTime::now();
    let token = bearer.and_then(|bearer| {
        view.catalog.bearer(bearer, now).or_else(|| jwt::verify(&view.catalog, bearer, now))
    });
    match token {
        Some(token) => Ok(Principal::of(Rights::of_token(&token), None, source, request)),
        // Who shows nothing tries nothing.
        None if bearer.is_none() => Err(Denied::Unknown),
        None => Err(address(parts).map_or(Denied::Unknown, |address| view.failures.count(address))),
    }
}

/// The session whose cookie a request has, and what may be done in it.
pub fn session(view: &View, parts: &Parts) -> Option<(Session, Rights)> {
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut cookies =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.split_once('='));
    let (_, secret) = cookies.find(|(name, _)| name.trim() == COOKIE)?;
    view.sessions.find(secret.trim(), times(view), Instant::now(), |begun| begun.rights(&view.catalog))
}

/// Was the request sent by a page of this server, as far as its browser says?
pub fn from_here(parts: &Parts) -> Result<(), Denied> {
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text("host").unwrap_or_default();
    let same_site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let same_origin = text("origin").is_none_or(|origin| origin.strip_prefix("https://") == Some(host));
    match same_site && same_origin {
        true => Ok(()),
        false => Err(Denied::Forbidden("the request comes from a page of another site".to_owned())),
    }
}

/// Where a request comes from, for the audit log.
pub fn source(parts: &Parts) -> String {
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_local = parts.extensions.get::<ConnectInfo<LocalPeer>>().is_some();
    match address {
        Some(ConnectInfo(address)) => address.to_string(),
        None if is_local => SOCKET.to_owned(),
        None => "unknown".to_owned(),
    }
}

/// The address that a request comes from, if from one.
pub fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// How long sessions last, as it is configured now.
pub fn times(view: &View) -> Times {
    let desired = view.desired.borrow();
    let api = desired.as_ref().and_then(|desired| desired.node.api.as_ref());
    api.map_or(Times { idle: defaults::SESSION_IDLE, lifetime: defaults::SESSION_LIFETIME }, Times::from)
}

impl Failures {
    /// Have so many failed from there that it is to wait? Who tries passwords is told before they are looked at: they are weaker than tokens.
    pub fn check(&self, address: IpAddr) -> Result<(), Denied> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, count)) = failures.get(&address) else { return Ok(()) };
        let left = WINDOW.saturating_sub(since.elapsed());
        match *count >= FAILURES_AT_MOST && !left.is_zero() {
            true => Err(Denied::TooMany(left.as_secs().max(1))),
            false => Ok(()),
        }
    }

    /// One more log-in failed from there. It is told here whether to wait; who has a valid token is never told to.
    pub fn count(&self, address: IpAddr) -> Denied {
        let now = Instant::now();
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES_AT_MOST && !failures.contains_key(&address) {
            failures.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            if failures.len() >= ADDRESSES_AT_MOST {
                return Denied::TooMany(WINDOW.as_secs());
            }
        }
        let (since, count) = failures.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= FAILURES_AT_MOST {
            tracing::warn!(%address, "a log-in failed");
            return Denied::Unknown;
        }
        let left = WINDOW.saturating_sub(now.duration_since(*since));
        Denied::TooMany(left.as_secs().max(1))
    }
}
