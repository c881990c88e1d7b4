//! A profile as both faces of the API see it.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use serde_json::Value;

use crate::{
    config::{Document, Entry},
    desired::Scope,
    secret,
    store::StoredProfile,
};

/// A profile, and who manages it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it belongs.
    pub scope: Scope,
    /// Its name, as written; unique without regard to case, over all scopes.
    pub name: Arc<str>,
    /// In the words of a file, `name` among them, without `subscription` and `resource_group`.
    pub document: Arc<Document>,
    /// What a face of the API keeps beside it; null where nothing was given.
    pub annotations: Arc<Value>,
    /// Another one after each change, without quotes.
    pub etag: String,
    /// When it came into being; not known of what a file has.
    pub created: Option<SystemTime>,
    /// When it was last changed; not known of what a file has.
    pub changed: Option<SystemTime>,
    /// Who may change it.
    pub managed_by: ManagedBy,
    /// Why it is not answered, where it does not fit with the others: only since a start.
    pub not_in_force: Option<String>,
}

/// Who may change a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// The API.
    Api,
    /// Whoever writes this file.
    File {
        /// In `conf.d`.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

impl Record {
    /// Of a file.
    pub(super) fn of_file(entry: &Entry, default: &Scope) -> Option<Self> {
        let (path, line) = entry.place()?;
        let text = serde_json::to_string(&**entry.document()).unwrap_or_default();
        Some(Record {
            scope: entry.scope(default),
            name: entry.name().clone(),
            document: entry.document().clone(),
            annotations: Arc::default(),
            etag: format!("f{}", &secret::hash(&text)[..16]),
            created: None,
            changed: None,
            managed_by: ManagedBy::File { path: path.to_owned(), line },
            not_in_force: None,
        })
    }

    /// As the store keeps it, if the API manages it.
    pub(super) fn stored(&self) -> Option<StoredProfile> {
        Some(StoredProfile {
            name: self.name.clone(),
            subscription: self.scope.subscription.clone(),
            resource_group: self.scope.resource_group.clone(),
            document: self.document.clone(),
            annotations: self.annotations.clone(),
            revision: self.etag.strip_prefix('r')?.parse().ok()?,
            created: self.created?,
            changed: self.changed?,
        })
    }
}
