//! What the database holds, row by row, as the rest of the daemon and the snapshot see it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{config::Document, desired::Scope, time::serde_rfc3339};

/// A profile that the API manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredProfile {
    /// Its name, as written.
    pub name: Arc<str>,
    /// A subscription's id.
    pub subscription: Arc<str>,
    /// A resource group's name.
    pub resource_group: Arc<str>,
    /// In the words of a file, without subscription and resource group.
    pub document: Arc<Document>,
    /// What a face of the API keeps beside it and the daemon does not look at.
    pub annotations: Arc<Value>,
    /// Grows with every write to the store.
    pub revision: u64,
    /// When it came into being.
    #[serde(with = "serde_rfc3339")]
    pub created: SystemTime,
    /// When it was last changed.
    #[serde(with = "serde_rfc3339")]
    pub changed: SystemTime,
}

/// A thing of another kind that a face of the API keeps: a resource group, a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// What kind of thing: `resource_group`.
    pub kind: Arc<str>,
    /// Unique in its kind; the same for all spellings.
    pub key: Arc<str>,
    /// The thing.
    pub document: Arc<Value>,
    /// Grows with every write to the store.
    pub revision: u64,
    /// When it came into being.
    #[serde(with = "serde_rfc3339")]
    pub created: SystemTime,
    /// When it was last changed.
    #[serde(with = "serde_rfc3339")]
    pub changed: SystemTime,
}

/// A bearer token or a client: only a hash of its secret is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What it is called in lists and in the audit log; of a client, the client's id.
    pub id: Arc<str>,
    /// What the operator calls it.
    pub name: Arc<str>,
    /// Is it a client with id and secret, for the token endpoint?
    pub client: bool,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: String,
    /// What its bearer may do.
    pub level: Level,
    /// Only within this subscription.
    pub subscription: Option<Arc<str>>,
    /// Only within this resource group of it.
    pub resource_group: Option<Arc<str>>,
    /// When it came into being.
    #[serde(with = "serde_rfc3339")]
    pub created: SystemTime,
    /// From when on it is void.
    #[serde(with = "serde_rfc3339::option")]
    pub expires: Option<SystemTime>,
}

/// What one may do; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// See.
    Read,
    /// Change profiles and give orders.
    Write,
    /// Hand out tokens and read the audit log.
    Admin,
}

impl Level {
    /// As it is written.
    pub fn label(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Write => "write",
            Level::Admin => "admin",
        }
    }

    /// From how it is written.
    pub fn of(label: &str) -> Option<Self> {
        [Level::Read, Level::Write, Level::Admin].into_iter().find(|level| level.label() == label)
    }
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Its number; 0 until it is written.
    #[serde(default)]
    pub id: i64,
    /// When.
    #[serde(with = "serde_rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: SystemTime,
    /// `token ID (NAME)`, `uid 0`.
    pub who: String,
    /// An address and a port, or `socket`.
    pub source: String,
    /// The request's id.
    pub request: String,
    /// `create`, `change`, `delete`, `force`, ...
    pub action: String,
    /// `profile contoso`.
    pub object: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now, or would be.
    pub after: Option<Value>,
    /// `done`, or why not.
    pub result: String,
}

/// Everything but the audit log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// The profiles.
    pub profiles: Vec<StoredProfile>,
    /// Other things.
    pub objects: Vec<Object>,
    /// Tokens and clients.
    pub tokens: Vec<Token>,
    /// The latest revision.
    pub revision: u64,
    /// What tokens of the token endpoint are signed with, in hexadecimal.
    pub signing_key: String,
}

impl StoredProfile {
    /// Where it belongs.
    pub fn scope(&self) -> Scope {
        Scope { subscription: self.subscription.clone(), resource_group: self.resource_group.clone() }
    }

    /// Over all of it, as it is written: tells damage that the database does not see.
    pub(super) fn digest(&self, document: &str, annotations: &str) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        let numbers = [self.revision, milliseconds(self.created) as u64, milliseconds(self.changed) as u64];
        let numbers = numbers.map(u64::to_be_bytes).concat();
        let texts = [&*self.name, &*self.subscription, &*self.resource_group, document, annotations];
        for part in texts.iter().map(|text| text.as_bytes()).chain([&numbers[..]]) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }
}

pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().unwrap_or(0))
}

/// Now, as exactly as it is kept.
pub fn now() -> SystemTime {
    time(milliseconds(SystemTime::now()))
}
