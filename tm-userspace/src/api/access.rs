//! Who asks, and what they may do.
//!
//! Whoever may open the Unix socket is known by the kernel's word on the peer and may do everything. Everybody else shows a bearer token: one of
//! `tm token create`, or one that the token endpoint gave to a client.

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

use super::{RequestId, jwt};
use crate::{
    catalog::{Actor, Catalog},
    desired::Scope,
    store::{Level, Token},
};

/// Log-ins that may fail from one address within [`WINDOW`] before it is told to wait.
const FAILURES_AT_MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered: those that failed longest ago are forgotten first.
const ADDRESSES_AT_MOST: usize = 10_000;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// `token ID (NAME)`, `client ID (NAME)`, `uid 0`.
    pub who: String,
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
}

/// Why they may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is known by that token, or it has expired, or there is none (401).
    #[error("no valid bearer token was shown")]
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
    /// Is what `level` allows for them within `scope`? None for all scopes.
    pub fn may(&self, level: Level, scope: Option<&Scope>) -> Result<(), Denied> {
        if self.level < level {
            let (has, wants) = (self.level.label(), level.label());
            return Err(Denied::Forbidden(format!(
                "{} has the scope {has}, and this wants {wants}",
                self.who
            )));
        }
        let within = match scope {
            Some(scope) => self.sees(scope),
            None => self.subscription.is_none() && self.resource_group.is_none(),
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

    /// Does `scope` lie within what they may look at?
    pub fn sees(&self, scope: &Scope) -> bool {
        let same = |only: &Option<Arc<str>>, is: &str| {
            only.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(is))
        };
        same(&self.subscription, &scope.subscription) && same(&self.resource_group, &scope.resource_group)
    }

    /// For the audit log.
    pub fn actor(&self) -> Actor {
        Actor { who: self.who.clone(), source: self.source.clone(), request: self.request.clone() }
    }

    fn of(token: &Token, source: String, request: String) -> Self {
        let kind = if token.client { "client" } else { "token" };
        Principal {
            who: format!("{kind} {} ({})", token.id, token.name),
            level: token.level,
            subscription: token.subscription.clone(),
            resource_group: token.resource_group.clone(),
            source,
            request,
        }
    }
}

/// Who sent this request.
pub fn authenticate(catalog: &Catalog, failures: &Failures, parts: &Parts) -> Result<Principal, Denied> {
    let request = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<LocalPeer>>() {
        let who = peer.uid.map_or_else(|| "the socket".to_owned(), |uid| format!("uid {uid}"));
        let source = "socket".to_owned();
        let (level, subscription, resource_group) = (Level::Admin, None, None);
        return Ok(Principal { who, level, subscription, resource_group, source, request });
    }
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address);
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let now = SystemTime::now();
    let token =
        bearer.and_then(|bearer| catalog.bearer(bearer, now).or_else(|| jwt::verify(catalog, bearer, now)));
    match token {
        Some(token) => {
            let source = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            Ok(Principal::of(&token, source, request))
        }
        // Who shows nothing tries nothing.
        None if bearer.is_none() => Err(Denied::Unknown),
        None => Err(address.map_or(Denied::Unknown, |address| failures.count(address.ip()))),
    }
}

impl Failures {
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
