//! Who is told of what happens.

use std::{fmt, sync::Arc};

use reqwest::Url;

/// A receiver of events.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where events are sent: `http` or `https`. No two have the same.
    pub url: Url,
    /// What they are signed with: at least 24 octets.
    pub secret: Arc<[u8]>,
    /// Kinds of events, of [`Webhook::EVENTS`].
    pub events: Vec<&'static str>,
}

impl Webhook {
    /// What there is to be told.
    pub const EVENTS: [&'static str; 5] =
        ["endpoint_status", "profile_status", "profile_added", "profile_changed", "profile_removed"];

    /// Is it to be told of an event of this kind?
    pub fn wants(&self, kind: &str) -> bool {
        self.events.contains(&kind)
    }
}

/// Without the secret, and without what stands in a URL that is one.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("at", &self.shown())
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// Its URL as it may be shown: many have a secret in what comes behind the host.
    pub fn shown(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}
