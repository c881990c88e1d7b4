//! One change of one profile.

use std::sync::Arc;

use serde_json::Value;

use super::{Actor, Catalog, Inner, Listing, ManagedBy, Record, Refusal, State};
use crate::{
    config::{Changed, Document, FieldFault, faults, key},
    desired::{Desired, Scope},
    reload::next_generation,
    store::{AuditRow, Batch, now},
};

/// What the caller believes to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Anything,
    /// Nothing (`If-None-Match: *`).
    Absent,
    /// Something (`If-Match: *`).
    Present,
    /// One of these ETags (`If-Match`).
    OneOf(Vec<String>),
}

/// What somebody sets about, for the audit log where it is refused: what is to become of the profile is known only later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// To have it be something, whether it is there or not.
    Put,
    /// To change what is there.
    Change,
    /// To have it go.
    Delete,
}

/// What is to become of a profile.
#[derive(Clone, Debug)]
pub enum Edit {
    /// It is to be this.
    Put(Draft),
    /// It is to go.
    Delete,
}

/// A profile as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Where it belongs.
    pub scope: Scope,
    /// In the words of a file, its name among them.
    pub document: Document,
    /// What a face of the API keeps beside it.
    pub annotations: Value,
}

/// What became of it; warnings are lines.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was not there before.
    Created(Arc<Record>, Vec<String>),
    /// It was there and is another one now, or the same.
    Changed(Arc<Record>, Vec<String>),
    /// It was this, and is gone.
    Deleted(Arc<Record>),
}

impl Catalog {
    /// Makes one change, as was attempted: `edit` is given what is there and says what is to be there. It is done when the answers have it; with `dry_run` it is checked and not
    /// done. The change is made to the end even where the caller goes away.
    pub async fn edit<E>(
        &self,
        actor: Actor,
        attempt: Attempt,
        name: &str,
        expected: Expected,
        dry_run: bool,
        edit: impl FnOnce(Option<&Record>) -> Result<Edit, E> + Send + 'static,
    ) -> Result<Outcome, E>
    where
        E: From<Refusal> + std::fmt::Display + Send + 'static,
    {
        let (noted, name) = (format!("profile {name}"), name.to_owned());
        let action = match attempt {
            Attempt::Put if self.profile(&name).is_none() => "create",
            Attempt::Put | Attempt::Change => "change",
            Attempt::Delete => "delete",
        };
        self.make(actor.clone(), action, noted, dry_run, move |inner, state| {
            change(inner, state, &actor, &name, &expected, dry_run, edit)
        })
        .await
    }

    /// Makes a change of what is wanted: `work` gives the generation that has it. One at a time, and to the end even where the caller goes away. A refusal is put into the audit log, as one of
    /// this `action` on `what`, unless it is a `dry_run`.
    pub(super) async fn make<T, E>(
        &self,
        actor: Actor,
        action: &'static str,
        what: String,
        dry_run: bool,
        work: impl FnOnce(&Inner, &mut State) -> Result<(T, Option<u64>), E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Refusal> + std::fmt::Display + Send + 'static,
    {
        let inner = self.inner.clone();
        let change = tokio::spawn(async move {
            let mut state = inner.state.clone().lock_owned().await;
            let blocking = inner.clone();
            let work = move || {
                let done = work(&blocking, &mut state);
                drop(state);
                if let Err(error) = &done
                    && !dry_run
                {
                    let result = format!("refused: {error}");
                    blocking.note(actor.row(action, &what, None, None, &result));
                }
                done
            };
            let (outcome, generation) = match tokio::task::spawn_blocking(work).await {
                Ok(done) => done?,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(Refusal::Stopping.into()),
            };
            if let Some(generation) = generation {
                inner.published(generation).await;
            }
            Ok(outcome)
        });
        match change.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Refusal::Stopping.into()),
        }
    }
}

/// Are two things the same in all that is written, the order of keys included? Headers and tags have one.
fn is_same(one: &impl serde::Serialize, other: &impl serde::Serialize) -> bool {
    serde_json::to_string(one).ok() == serde_json::to_string(other).ok()
}

/// Makes it, and tells the generation that has it.
fn change<E: From<Refusal>>(
    inner: &Inner,
    state: &mut State,
    actor: &Actor,
    name: &str,
    expected: &Expected,
    dry_run: bool,
    edit: impl FnOnce(Option<&Record>) -> Result<Edit, E>,
) -> Result<(Outcome, Option<u64>), E> {
    let listing = inner.listing.borrow().clone();
    let before = listing.profiles.get(&key(name)).cloned();
    expected.check(before.as_deref(), name)?;
    let edit = edit(before.as_deref())?;
    if let Some(ManagedBy::File { path, line }) = before.as_ref().map(|record| &record.managed_by) {
        let (path, line) = (path.clone(), *line);
        return Err(Refusal::ManagedByFile { name: name.to_owned(), path, line }.into());
    }
    let desired = inner.desired.borrow().clone().ok_or(Refusal::Stopping)?;
    let wanted = Wanted { listing: &listing, state, desired: &desired, key: key(name), name };
    let next = match edit {
        Edit::Put(draft) => wanted.put(before.as_ref(), draft)?,
        Edit::Delete => wanted.delete(before.as_ref())?,
    };
    let Some(Next { outcome, changed, listing, batch }) = next else {
        let Some(same) = before else { return Err(Refusal::Stopping.into()) };
        return Ok((Outcome::Changed(same, Vec::new()), None));
    };
    if dry_run {
        return Ok((outcome, None));
    }
    inner
        .store
        .commit(&Batch { audit: vec![audit(actor, name, before.as_deref(), &outcome)], ..batch })
        .map_err(Refusal::from)?;
    Ok((outcome, Some(publish(inner, state, listing, changed, desired))))
}

/// What is stored is what is wanted from now on, and may not fail any more. Gives the generation that has it.
pub(super) fn publish(
    inner: &Inner,
    state: &mut State,
    listing: Listing,
    changed: Changed,
    desired: Desired,
) -> u64 {
    state.registry = changed.registry;
    inner.listing.send_replace(Arc::new(listing));
    let generation = next_generation(Some(desired.generation));
    inner.desired.send_replace(Some(Desired { generation, profiles: changed.profiles, ..desired }));
    generation
}

/// What a change would bring.
struct Next {
    outcome: Outcome,
    changed: Changed,
    listing: Listing,
    batch: Batch,
}

struct Wanted<'a> {
    listing: &'a Listing,
    state: &'a State,
    desired: &'a Desired,
    key: Arc<str>,
    name: &'a str,
}

impl Wanted<'_> {
    /// `None` where it would change nothing.
    fn put(&self, before: Option<&Arc<Record>>, draft: Draft) -> Result<Option<Next>, Refusal> {
        let Draft { scope, mut document, annotations } = draft;
        match document.get("name").and_then(Value::as_str) {
            Some(written) if key(written) == self.key => {}
            Some(_) => {
                let message = format!("the name is not `{}`, that of the request", self.name);
                let fault = FieldFault::new("/name", &message, "leave it out, or write the same one");
                return Err(Refusal::Invalid(vec![fault]));
            }
            None => {
                document.insert("name".to_owned(), self.name.into());
            }
        }
        if let Some(before) = before.filter(|before| !before.scope.is(&scope)) {
            return Err(Refusal::Elsewhere { name: self.name.to_owned(), scope: before.scope.clone() });
        }
        let document = Arc::new(document);
        let (entry, mut warnings) = self.state.registry.check(&document).map_err(Refusal::Invalid)?;
        let entry = Arc::new(entry);
        let same = before.filter(|before| {
            is_same(&*before.document, &*document)
                && is_same(&*before.annotations, &annotations)
                && before.not_in_force.is_none()
        });
        if same.is_some() {
            return Ok(None);
        }
        let holder = self.state.registry.by_dns_name(entry.dns_name()).filter(|holder| **holder != self.key);
        if let Some(profile) = holder.and_then(|holder| self.listing.profiles.get(holder)) {
            let (dns_name, profile) = (entry.dns_name().to_string(), profile.name.to_string());
            return Err(Refusal::NameTaken { dns_name, profile });
        }
        let changes = [(self.key.clone(), Some(entry.clone()))];
        let changed = self.state.registry.change(&self.desired.profiles, &changes);
        let changed = changed.map_err(|error| Refusal::Invalid(faults(&error, &entry)))?;
        warnings.extend(changed.warnings.iter().cloned());
        let revision = self.listing.revision + 1;
        let now = now();
        let record = Record {
            scope: before.map_or(scope, |before| before.scope.clone()),
            name: entry.name().clone(),
            document,
            annotations: Arc::new(annotations),
            etag: format!("r{revision}"),
            created: before.and_then(|before| before.created).or(Some(now)),
            changed: Some(now),
            managed_by: ManagedBy::Api,
            not_in_force: None,
        };
        let batch = Batch {
            profiles: record.stored().into_iter().collect(),
            revision: Some(revision),
            ..Batch::default()
        };
        let record = Arc::new(record);
        let mut listing = Listing { revision, ..self.listing.clone() };
        listing.profiles.insert(self.key.clone(), record.clone());
        let outcome = match before {
            None => Outcome::Created(record, warnings),
            Some(_) => Outcome::Changed(record, warnings),
        };
        Ok(Some(Next { outcome, changed, listing, batch }))
    }

    fn delete(&self, before: Option<&Arc<Record>>) -> Result<Option<Next>, Refusal> {
        let before = before.ok_or_else(|| Refusal::NotFound(format!("profile `{}`", self.name)))?;
        let changed = self.state.registry.change(&self.desired.profiles, &[(self.key.clone(), None)]);
        let changed = changed.map_err(|error| match self.nested_in() {
            nested if nested.is_empty() => Refusal::InUse(error.to_string()),
            nested => Refusal::InUse(format!("`{}` is nested as {}", self.name, nested.join(", "))),
        })?;
        let revision = self.listing.revision + 1;
        let batch =
            Batch { gone_profiles: vec![self.key.to_string()], revision: Some(revision), ..Batch::default() };
        let mut listing = Listing { revision, ..self.listing.clone() };
        listing.profiles.remove(&self.key);
        Ok(Some(Next { outcome: Outcome::Deleted(before.clone()), changed, listing, batch }))
    }

    /// Endpoints that stand for the profile, as `profile/endpoint`.
    fn nested_in(&self) -> Vec<String> {
        let of = |record: &Record| {
            let endpoints = record.document.get("endpoint").and_then(Value::as_array);
            let text = |endpoint: &Value, name| endpoint.get(name)?.as_str().map(str::to_owned);
            let names = endpoints.into_iter().flatten().filter(|endpoint| {
                text(endpoint, "target_profile").is_some_and(|target| key(&target) == self.key)
            });
            let names = names.filter_map(|endpoint| text(endpoint, "name"));
            names.map(|name| format!("`{}/{name}`", record.name)).collect::<Vec<_>>()
        };
        self.listing.profiles.values().flat_map(|record| of(record)).collect()
    }
}

impl Expected {
    fn check(&self, there: Option<&Record>, name: &str) -> Result<(), Refusal> {
        let etag = there.map(|record| record.etag.clone());
        let holds = match self {
            Expected::Anything => true,
            Expected::Absent => there.is_none(),
            Expected::Present => there.is_some(),
            Expected::OneOf(etags) => etag.as_ref().is_some_and(|etag| etags.contains(etag)),
        };
        if holds {
            return Ok(());
        }
        tracing::debug!(profile = name, "a precondition does not hold");
        Err(Refusal::Precondition { etag, is_to_be_new: *self == Expected::Absent })
    }
}

fn audit(actor: &Actor, name: &str, before: Option<&Record>, outcome: &Outcome) -> AuditRow {
    let after = match outcome {
        Outcome::Created(record, _) | Outcome::Changed(record, _) => Some(&**record),
        Outcome::Deleted(_) => None,
    };
    changed(actor, &format!("profile {name}"), before.map(document), after.map(document))
}

/// The line of a change that was made.
pub(super) fn changed(actor: &Actor, what: &str, before: Option<Value>, after: Option<Value>) -> AuditRow {
    let action = match (&before, &after) {
        (None, _) => "create",
        (Some(_), Some(_)) => "change",
        (Some(_), None) => "delete",
    };
    actor.row(action, what, before, after, "done")
}

fn document(record: &Record) -> Value {
    Value::Object((*record.document).clone())
}
