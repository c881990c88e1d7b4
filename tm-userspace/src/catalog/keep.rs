//! Keeps the store's snapshot near to what the store has.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Catalog, Listing};
use crate::store::Contents;

/// What changes within this time is written together.
const GATHER: Duration = Duration::from_secs(2);

impl Catalog {
    /// Writes the snapshot soon after each change, until `shutdown`, and then once more, and closes the store. That it failed is told once, until it succeeds.
    pub async fn keep(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut listings = self.watch();
        let mut failed = false;
        let mut written: Option<Arc<Listing>> = None;
        loop {
            let latest = listings.borrow_and_update().clone();
            if written.as_ref().is_none_or(|written| differ(written, &latest)) {
                match self.snapshot(latest.clone()).await {
                    Err(error) if !failed => {
                        tracing::error!(error = format!("{error:#}"), "the store's snapshot is out of date");
                        failed = true;
                    }
                    Err(_) => {}
                    Ok(()) => (failed, written) = (false, Some(latest)),
                }
            }
            if shutdown.is_cancelled() {
                let inner = self.inner.clone();
                return Ok(tokio::task::spawn_blocking(move || inner.store.close()).await?);
            }
            tokio::select! {
                () = shutdown.cancelled() => continue,
                changed = listings.changed() => changed?,
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(GATHER) => {}
            }
        }
    }

    async fn snapshot(&self, listing: Arc<Listing>) -> anyhow::Result<()> {
        let inner = self.inner.clone();
        let write = move || {
            let contents = Contents {
                profiles: listing.profiles.values().filter_map(|record| record.stored()).collect(),
                objects: listing.objects.values().map(|object| (**object).clone()).collect(),
                tokens: listing.tokens.values().map(|token| (**token).clone()).collect(),
                revision: listing.revision,
                signing_key: inner.signing_key.clone(),
            };
            inner.store.snapshot(&contents)
        };
        tokio::task::spawn_blocking(write).await?
    }
}

/// In what the snapshot has: files change without it.
fn differ(one: &Listing, other: &Listing) -> bool {
    one.revision != other.revision || !one.tokens.ptr_eq(&other.tokens)
}
