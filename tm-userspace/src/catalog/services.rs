//! Services of the inventory that the API manages: a change is checked against every profile that is picked from them.

use std::sync::Arc;

use serde_json::Value;

use super::{Actor, Catalog, Inner, Listing, Refusal, State, load};
use crate::{
    config::{FieldFault, service_of},
    desired::Service,
    store::{Batch, Object, now},
};

/// What the listing calls them.
pub const SERVICE: &str = "service";

impl Catalog {
    /// Puts a service there, by the keys of a `[[service]]` table. Tells whether it was not there before. It is done when the answers have it.
    pub async fn put_service(&self, actor: Actor, document: Value) -> Result<(Arc<Service>, bool), Refusal> {
        self.change_services(move |inner, state, listing| {
            let node = inner.desired.borrow().as_ref().map(|desired| desired.node.clone());
            let scope = &node.ok_or(Refusal::Stopping)?.scope;
            let service = service_of(&document, scope).map_err(Refusal::Invalid)?;
            let key = Service::key(&service.id);
            of_no_file(state, &key)?;
            let mut document = document;
            document["id"] = (&*service.id).into();
            listing.revision += 1;
            let at = (SERVICE.into(), key.clone());
            let before = listing.objects.get(&at).cloned();
            let now = now();
            let object = Object {
                kind: SERVICE.into(),
                key: key.clone(),
                document: Arc::new(document),
                revision: listing.revision,
                created: before.as_ref().map_or(now, |before| before.created),
                changed: now,
            };
            let action = if before.is_some() { "change" } else { "create" };
            let said = before.as_ref().map(|before| Value::clone(&before.document));
            let after = Some(Value::clone(&object.document));
            let row = actor.row(action, &format!("service {key}"), said, after, "done");
            let batch = Batch {
                objects: vec![object.clone()],
                revision: Some(listing.revision),
                audit: vec![row],
                ..Batch::default()
            };
            listing.objects.insert(at, Arc::new(object));
            Ok(((Arc::new(service), before.is_none()), batch))
        })
        .await
    }

    /// Takes one away, by any spelling of its id.
    pub async fn delete_service(&self, actor: Actor, id: &str) -> Result<(), Refusal> {
        let key = Service::key(id);
        let deleted = self.change_services(move |_, state, listing| {
            of_no_file(state, &key)?;
            let what = format!("service {key}");
            let gone = listing.objects.remove(&(SERVICE.into(), key.clone()));
            let gone = gone.ok_or_else(|| Refusal::NotFound(what.clone()))?;
            listing.revision += 1;
            let row = actor.row("delete", &what, Some(Value::clone(&gone.document)), None, "done");
            let batch = Batch {
                gone_objects: vec![(SERVICE.to_owned(), key.to_string())],
                revision: Some(listing.revision),
                audit: vec![row],
                ..Batch::default()
            };
            Ok(((), batch))
        });
        deleted.await.map_err(|refusal| match refusal {
            Refusal::Invalid(_) => Refusal::InUse(refusal.to_string()),
            other => other,
        })
    }

    /// A change of the listing that what is wanted depends on. It is made to the end even where the caller goes away.
    async fn change_services<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Inner, &State, &mut Listing) -> Result<(T, Batch), Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let inner = self.inner.clone();
        let changing = tokio::spawn(async move {
            let mut state = inner.state.clone().lock_owned().await;
            let blocking = inner.clone();
            let work = move || {
                let inner = blocking;
                let mut listing = Listing::clone(&inner.listing.borrow());
                let (done, batch) = change(&inner, &state, &mut listing)?;
                let loaded = load::load(&inner, &state, &listing).map_err(|error| {
                    let help = "change what is picked from it first, or write another value";
                    Refusal::Invalid(vec![FieldFault::new("", &error.to_string(), help)])
                })?;
                inner.store.commit(&batch)?;
                let (generation, _) = load::accept(&inner, &mut state, listing, loaded);
                Ok((done, generation))
            };
            let (done, generation) =
                tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Stopping))?;
            inner.published(generation).await;
            Ok(done)
        });
        changing.await.unwrap_or(Err(Refusal::Stopping))
    }
}

/// What a file has, the API does not change.
pub(super) fn of_no_file(state: &State, key: &str) -> Result<(), Refusal> {
    let Some((path, line)) = state.registry.service_place(key) else { return Ok(()) };
    let name = key.rsplit('/').next().unwrap_or(key);
    Err(Refusal::ServiceOfFile { name: name.to_owned(), path: path.clone(), line: *line })
}
