//! All that is managed, whoever manages it: what both faces of the API list and change, and the one place where a new wanted state is made.
//!
//! A profile is managed by a file of `conf.d` or by the API, never by both. A change is checked against everything, then written to the store, then published; it is
//! told to be done when the tables have it. One change is made at a time; readers never wait for one. What is read comes from memory.

mod apply;
mod edit;
mod keep;
mod load;
mod objects;
mod record;
mod refusal;
mod restore;
mod services;
mod tokens;
mod users;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use imbl::OrdMap;
use tokio::sync::{Mutex, watch};

use crate::{
    config::{ConfigError, Registry},
    control::Published,
    desired::Desired,
    names::DnsName,
    reload::Source,
    store::{AuditFilter, AuditRow, Batch, Contents, Object, Store, StoreError, StoredProfile, Token, now},
};

pub use apply::{Applied, Plan, Replaced};
pub use edit::{Attempt, Draft, Edit, Expected, Outcome};
pub use record::{ManagedBy, Record};
pub use refusal::Refusal;
pub use restore::Restored;
pub use services::SERVICE;
pub use tokens::{Fresh, Grant};
pub use users::{NewUser, User};

/// How long a change may take from the store to the tables before its caller is told that it is done all the same: it is only a matter of time then.
const PUBLISH_AT_MOST: Duration = Duration::from_secs(5);

/// Everything, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Profiles by key.
    pub profiles: OrdMap<Arc<str>, Arc<Record>>,
    /// What the API's faces keep besides, by kind and key.
    pub objects: OrdMap<(Arc<str>, Arc<str>), Arc<Object>>,
    /// Tokens and clients by id.
    pub tokens: OrdMap<Arc<str>, Arc<Token>>,
    /// The store's latest revision.
    pub revision: u64,
}

/// Who changes something, for the audit log.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `token ID (NAME)`, `uid 0`.
    pub who: String,
    /// An address, or `socket`.
    pub source: String,
    /// The request's id.
    pub request: String,
    /// Has anything of it been put into the audit log?
    pub noted: Noted,
}

/// Is set once; the same for all that are cloned of it.
#[derive(Clone, Debug, Default)]
pub struct Noted(Arc<AtomicBool>);

/// The beginning.
#[derive(Debug)]
pub struct Opened {
    /// The way to all of it.
    pub catalog: Catalog,
    /// What is wanted, as it changes.
    pub desired: watch::Receiver<Option<Desired>>,
    /// What does not fit with the rest and is not in force, in words.
    pub left_out: Option<String>,
}

/// The way to all of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    store: Store,
    signing_key: String,
    /// Held by whoever changes something.
    state: Arc<Mutex<State>>,
    listing: watch::Sender<Arc<Listing>>,
    desired: watch::Sender<Option<Desired>>,
    published: watch::Receiver<Arc<Published>>,
}

/// What a change is made from, besides the listing.
#[derive(Debug)]
struct State {
    registry: Registry,
}

impl Catalog {
    /// Loads the files and what the store has, as far as they fit. Hands out what is wanted, and what had to be left out.
    pub fn open(
        source: Source,
        store: Store,
        contents: Contents,
        earliest_generation: u64,
        published: watch::Receiver<Arc<Published>>,
    ) -> Result<Opened, ConfigError> {
        let (loaded, listing, desired, wrong) = load::first(&source, &contents, earliest_generation)?;
        let (desired, receiver) = watch::channel(Some(desired));
        let inner = Inner {
            source,
            store,
            signing_key: contents.signing_key,
            state: Arc::new(Mutex::new(State { registry: loaded.registry })),
            listing: watch::Sender::new(Arc::new(listing)),
            desired,
            published,
        };
        Ok(Opened { catalog: Catalog { inner: Arc::new(inner) }, desired: receiver, left_out: wrong })
    }

    /// Everything, as of now.
    pub fn listing(&self) -> Arc<Listing> {
        self.inner.listing.borrow().clone()
    }

    /// Everything, as it changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Listing>> {
        self.inner.listing.subscribe()
    }

    /// A profile, by any spelling of its name.
    pub fn profile(&self, name: &str) -> Option<Arc<Record>> {
        self.inner.listing.borrow().profiles.get(&crate::config::key(name)).cloned()
    }

    /// The profile that has this DNS name.
    pub async fn holder_of(&self, name: &DnsName) -> Option<Arc<Record>> {
        let holder = self.inner.state.lock().await.registry.by_dns_name(name).cloned();
        self.inner.listing.borrow().profiles.get(&holder?).cloned()
    }

    /// The wanted state that follows from it.
    pub fn desired(&self) -> Option<Desired> {
        self.inner.desired.borrow().clone()
    }

    /// What is wrong with the store, if anything is.
    pub fn alert(&self) -> Option<String> {
        self.inner.store.alert()
    }

    /// What tokens of the token endpoint are signed with.
    pub fn signing_key(&self) -> &str {
        &self.inner.signing_key
    }

    /// Lines of the audit log, the latest first.
    pub async fn audit(&self, filter: AuditFilter) -> anyhow::Result<Vec<AuditRow>> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || inner.store.audit(&filter)).await?
    }

    /// Copies the store into a new file while it is in use.
    pub async fn back_up(&self, to: std::path::PathBuf) -> anyhow::Result<()> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || inner.store.back_up(&to)).await?
    }

    /// Puts something that was done elsewhere, or not done, into the audit log; where that fails, into the daemon's log alone.
    pub async fn note(&self, actor: &Actor, action: &str, object: &str, result: &str) {
        let row = actor.row(action, object, None, None, result);
        let inner = self.inner.clone();
        // A panic there would be told by the runtime.
        let _ = tokio::task::spawn_blocking(move || inner.note(row)).await;
    }
}

impl Inner {
    fn note(&self, row: AuditRow) {
        let batch = Batch { audit: vec![row], ..Batch::default() };
        if let Err(error) = self.store.commit(&batch) {
            tracing::warn!(line = ?batch.audit, "the audit log cannot be written: {error}");
        }
    }

    /// Waits until the tables have this generation.
    async fn published(&self, generation: u64) {
        let mut published = self.published.clone();
        let waited = published.wait_for(|published| published.generation >= generation);
        if tokio::time::timeout(PUBLISH_AT_MOST, waited).await.is_err() {
            tracing::warn!(generation, "a change is stored, but not yet published");
        }
    }
}

impl Actor {
    /// Has anything that they did by this request been put into the audit log?
    pub fn is_noted(&self) -> bool {
        self.noted.0.load(Ordering::Relaxed)
    }

    fn row(
        &self,
        action: &str,
        object: &str,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
        result: &str,
    ) -> AuditRow {
        self.noted.0.store(true, Ordering::Relaxed);
        AuditRow {
            id: 0,
            at: now(),
            who: self.who.clone(),
            source: self.source.clone(),
            request: self.request.clone(),
            action: action.to_owned(),
            object: object.to_owned(),
            before,
            after,
            result: result.to_owned(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::Store(error)
    }
}

impl From<&StoredProfile> for Record {
    fn from(stored: &StoredProfile) -> Self {
        Record {
            scope: stored.scope(),
            name: stored.name.clone(),
            document: stored.document.clone(),
            annotations: stored.annotations.clone(),
            etag: format!("r{}", stored.revision),
            created: Some(stored.created),
            changed: Some(stored.changed),
            managed_by: ManagedBy::Api,
            not_in_force: None,
        }
    }
}
