//! What the API's faces keep besides profiles: resource groups, keys and the like, each a document of a kind.

use std::sync::Arc;

use serde_json::Value;

use super::{Actor, Catalog, Listing, Refusal};
use crate::store::{Batch, Object, now};

impl Catalog {
    /// One of them; `key` is the same for all spellings.
    pub fn object(&self, kind: &str, key: &str) -> Option<Arc<Object>> {
        self.listing().objects.get(&(kind.into(), key.into())).cloned()
    }

    /// All of a kind, by key.
    pub fn objects(&self, kind: &str) -> Vec<Arc<Object>> {
        let from = (Arc::<str>::from(kind), Arc::<str>::from(""));
        let listing = self.listing();
        listing
            .objects
            .range(from..)
            .take_while(|((its, _), _)| **its == *kind)
            .map(|(_, o)| o.clone())
            .collect()
    }

    /// Puts one there. Tells whether it was not there before.
    pub async fn put_object(
        &self,
        actor: Actor,
        kind: &str,
        key: &str,
        document: Value,
    ) -> Result<(Arc<Object>, bool), Refusal> {
        let (kind, key): (Arc<str>, Arc<str>) = (kind.into(), key.into());
        self.change_listing(move |listing| {
            let at = (kind.clone(), key.clone());
            let before = listing.objects.get(&at).cloned();
            listing.revision += 1;
            let now = now();
            let created = before.as_ref().map_or(now, |before| before.created);
            let document = Arc::new(document);
            let object = Object { kind, key, document, revision: listing.revision, created, changed: now };
            let action = if before.is_some() { "change" } else { "create" };
            let what = format!("{} {}", object.kind, object.key);
            let after = Some(Value::clone(&object.document));
            let said = before.as_ref().map(|before| Value::clone(&before.document));
            let batch = Batch {
                objects: vec![object.clone()],
                revision: Some(listing.revision),
                audit: vec![actor.row(action, &what, said, after, "done")],
                ..Batch::default()
            };
            let object = Arc::new(object);
            listing.objects.insert(at, object.clone());
            Ok(((object, before.is_none()), batch))
        })
        .await
    }

    /// Takes one away.
    pub async fn delete_object(&self, actor: Actor, kind: &str, key: &str) -> Result<(), Refusal> {
        let at: (Arc<str>, Arc<str>) = (kind.into(), key.into());
        self.change_listing(move |listing| {
            let what = format!("{} {}", at.0, at.1);
            let gone = listing.objects.remove(&at).ok_or_else(|| Refusal::NotFound(what.clone()))?;
            listing.revision += 1;
            let batch = Batch {
                gone_objects: vec![(at.0.to_string(), at.1.to_string())],
                revision: Some(listing.revision),
                audit: vec![actor.row("delete", &what, Some(Value::clone(&gone.document)), None, "done")],
                ..Batch::default()
            };
            Ok(((), batch))
        })
        .await
    }

    /// A change that no answer depends on: `change` makes it in the listing, and says what to write. It is made to the end even where the caller goes away.
    pub(super) async fn change_listing<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Listing) -> Result<(T, Batch), Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let inner = self.inner.clone();
        let changing = tokio::spawn(async move {
            let state = inner.state.clone().lock_owned().await;
            let work = move || {
                let mut listing = Listing::clone(&inner.listing.borrow());
                let (done, batch) = change(&mut listing)?;
                inner.store.commit(&batch)?;
                inner.listing.send_replace(Arc::new(listing));
                drop(state);
                Ok(done)
            };
            tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Stopping))
        });
        changing.await.unwrap_or(Err(Refusal::Stopping))
    }
}
