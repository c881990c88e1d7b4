//! From files and store to what is managed: at the start, and when the files have changed.

use std::sync::Arc;

use serde_json::Value;

use super::{Catalog, Inner, Listing, Record, State, services::SERVICE};
use crate::{
    config::{ConfigError, LeftOut, Loaded, Registry, Stored, key},
    desired::Desired,
    reload::{Source, next_generation},
    store::{Contents, Object},
};

/// At the start: what does not fit is left out, and told in words.
pub(super) fn first(
    source: &Source,
    contents: &Contents,
    earliest_generation: u64,
) -> Result<(Loaded, Listing, Desired, Option<String>), ConfigError> {
    let documents: Vec<_> = contents.profiles.iter().map(|profile| profile.document.clone()).collect();
    let services = services_of(contents.objects.iter());
    let what_fits = !(documents.is_empty() && services.is_empty());
    let stored = Stored { documents: &documents, services: &services, known: None, what_fits };
    let loaded = source.load(None, stored)?;
    let mut listing = Listing {
        profiles: contents
            .profiles
            .iter()
            .map(|profile| (key(&profile.name), Arc::new(Record::from(profile))))
            .collect(),
        objects: contents
            .objects
            .iter()
            .map(|object| ((object.kind.clone(), object.key.clone()), Arc::new(object.clone())))
            .collect(),
        tokens: contents.tokens.iter().map(|token| (token.id.clone(), Arc::new(token.clone()))).collect(),
        revision: contents.revision,
    };
    for LeftOut { name, is_of_api, reason } in &loaded.left_out {
        tracing::error!(profile = %name, "not in force, it does not fit with the others: {reason}");
        if *is_of_api && let Some(record) = listing.profiles.get_mut(&key(name)) {
            Arc::make_mut(record).not_in_force = Some(reason.clone());
        }
    }
    add_files(&mut listing, &loaded.registry);
    let reasons: Vec<&str> = loaded.left_out.iter().map(|left_out| &*left_out.reason).collect();
    let wrong = (!reasons.is_empty()).then(|| reasons.join("\n"));
    let desired = Desired {
        generation: next_generation(None).max(earliest_generation),
        node: loaded.node.clone(),
        profiles: loaded.profiles.clone(),
        services: loaded.services.clone(),
        atlas: loaded.atlas.clone(),
        overrides: Arc::new(loaded.overrides.clone()),
    };
    Ok((loaded, listing, desired, wrong))
}

impl Catalog {
    /// Loads the files again, which is done when the answers have it. Where they are wrong, or do not fit with what the API manages, nothing changes. Tells the generation that is in force
    /// then, and whether it is a new one.
    pub async fn reload(&self) -> Result<(u64, bool), ConfigError> {
        let mut state = self.inner.state.clone().lock_owned().await;
        let inner = self.inner.clone();
        let work = move || {
            let listing = Listing::clone(&inner.listing.borrow());
            let loaded = load(&inner, &state, &listing)?;
            Ok(accept(&inner, &mut state, listing, loaded))
        };
        let loaded = match tokio::task::spawn_blocking(work).await {
            Ok(loaded) => loaded?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        if let (generation, true) = loaded {
            self.inner.published(generation).await;
        }
        Ok(loaded)
    }
}

/// The files together with what the API manages by this listing.
pub(super) fn load(inner: &Inner, state: &State, listing: &Listing) -> Result<Loaded, ConfigError> {
    let of_api = listing.profiles.values().filter(|record| record.stored().is_some());
    let documents: Vec<_> = of_api.map(|record| record.document.clone()).collect();
    let services = services_of(listing.objects.values().map(|object| &**object));
    let known = Some(&state.registry);
    let stored = Stored { documents: &documents, services: &services, known, what_fits: false };
    inner.source.load(inner.desired.borrow().as_ref(), stored)
}

/// What was loaded is what holds from now on. Tells the generation that is in force then, and whether it is a new one.
pub(super) fn accept(inner: &Inner, state: &mut State, mut listing: Listing, loaded: Loaded) -> (u64, bool) {
    let before = inner.desired.borrow().clone();
    // All of the API's fit now, or this would have failed.
    let in_force = |record: &Arc<Record>| match record.not_in_force {
        None => record.clone(),
        Some(_) => Arc::new(Record { not_in_force: None, ..Record::clone(record) }),
    };
    let of_api = listing.profiles.iter().filter(|(_, record)| record.stored().is_some());
    listing.profiles = of_api.map(|(key, record)| (key.clone(), in_force(record))).collect();
    add_files(&mut listing, &loaded.registry);
    let next = Source::next(before.as_ref(), &loaded);
    state.registry = loaded.registry;
    inner.listing.send_replace(Arc::new(listing));
    let is_new = before.is_none_or(|before| before.generation != next.generation);
    let generation = next.generation;
    if is_new {
        inner.desired.send_replace(Some(next));
    }
    (generation, is_new)
}

/// What objects are services of the inventory.
fn services_of<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<Arc<Value>> {
    objects.filter(|object| *object.kind == *SERVICE).map(|object| object.document.clone()).collect()
}

fn add_files(listing: &mut Listing, registry: &Registry) {
    let default = &registry.node().scope;
    for (key, entry) in registry.entries() {
        if let Some(record) = Record::of_file(entry, default) {
            listing.profiles.insert(key.clone(), Arc::new(record));
        }
    }
}
