//! Many changes at once: all of them are made, or none.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{
    Actor, Catalog, Draft, Inner, Listing, ManagedBy, Record, Refusal, State,
    edit::{changed, publish},
    load,
    services::{SERVICE, of_no_file},
};
use crate::{
    config::{ConfigError, Entry, FieldFault, faults_of_many, is_same_document, key, service_of},
    desired::{Desired, Service},
    store::{Batch, Object, now},
};

/// What is to become of many.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Profiles that are to be there, as these.
    pub profiles: Vec<Draft>,
    /// Keys of profiles that are to go.
    pub gone_profiles: Vec<Arc<str>>,
    /// Services that are to be there, by the keys of a `[[service]]` table.
    pub services: Vec<Value>,
    /// Keys of services that are to go.
    pub gone_services: Vec<Arc<str>>,
}

/// A thing as it was and as it is, where it was and is there.
pub type Replaced<T> = (Option<Arc<T>>, Option<Arc<T>>);

/// What became of them.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Profiles that became others.
    pub profiles: Vec<Replaced<Record>>,
    /// Services that became others.
    pub services: Vec<Replaced<Object>>,
    /// How many were as they are to be.
    pub unchanged: usize,
    /// What is right but hardly meant, a line each.
    pub warnings: Vec<String>,
}

impl Catalog {
    /// Makes all changes of a plan in one step, or none: `plan` is given what is there. It is done when the answers have it; with `dry_run` it is checked and not done. What is wrong is told with
    /// pointers that begin with `/profile/N` or `/service/N`.
    pub async fn apply<E>(
        &self,
        actor: Actor,
        dry_run: bool,
        plan: impl FnOnce(&Listing) -> Result<Plan, E> + Send + 'static,
    ) -> Result<Applied, E>
    where
        E: From<Refusal> + std::fmt::Display + Send + 'static,
    {
        self.make(actor.clone(), "apply", "many profiles".to_owned(), dry_run, move |inner, state| {
            let plan = plan(&inner.listing.borrow().clone())?;
            Ok(apply(inner, state, &actor, dry_run, plan)?)
        })
        .await
    }
}

fn apply(
    inner: &Inner,
    state: &mut State,
    actor: &Actor,
    dry_run: bool,
    plan: Plan,
) -> Result<(Applied, Option<u64>), Refusal> {
    let desired = inner.desired.borrow().clone().ok_or(Refusal::Stopping)?;
    let mut next = Next::after(Listing::clone(&inner.listing.borrow()));
    let Plan { profiles, gone_profiles, services, gone_services } = plan;
    next.services(state, &desired, services, gone_services)?;
    next.profiles(profiles, gone_profiles)?;
    let Next { listing, batch, mut applied, given } = next;
    if applied.profiles.is_empty() && applied.services.is_empty() {
        return Ok((applied, None));
    }
    let batch = Batch { audit: audit(actor, &applied), revision: Some(listing.revision), ..batch };
    // What services say, every profile may depend on.
    if !applied.services.is_empty() {
        let loaded = load::load(inner, state, &listing)
            .map_err(|error| Refusal::Invalid(faults_of(&error, &given, &[])))?;
        applied.warnings.clone_from(&loaded.warnings);
        if dry_run {
            return Ok((applied, None));
        }
        inner.store.commit(&batch)?;
        let (generation, _) = load::accept(inner, state, listing, loaded);
        return Ok((applied, Some(generation)));
    }
    let entries = entries(state, &mut applied, &given)?;
    let changed = state
        .registry
        .change(&desired.profiles, &entries)
        .map_err(|error| Refusal::Invalid(faults_of(&error, &given, &entries)))?;
    applied.warnings.extend(changed.warnings.iter().cloned());
    if dry_run {
        return Ok((applied, None));
    }
    inner.store.commit(&batch)?;
    Ok((applied, Some(publish(inner, state, listing, changed, desired))))
}

/// A key, and what is to be there.
type Edited = (Arc<str>, Option<Arc<Entry>>);

/// What will be there.
struct Next {
    listing: Listing,
    batch: Batch,
    applied: Applied,
    /// Where profiles stand among those given, by key.
    given: HashMap<Arc<str>, usize>,
}

impl Next {
    fn after(mut listing: Listing) -> Self {
        listing.revision += 1;
        Next { listing, batch: Batch::default(), applied: Applied::default(), given: HashMap::new() }
    }

    fn services(
        &mut self,
        state: &State,
        desired: &Desired,
        wanted: Vec<Value>,
        gone: Vec<Arc<str>>,
    ) -> Result<(), Refusal> {
        let now = now();
        let mut given = HashMap::new();
        for (index, mut document) in wanted.into_iter().enumerate() {
            let service = service_of(&document, &desired.node.scope)
                .map_err(|faults| Refusal::Invalid(below(&format!("/service/{index}"), faults)))?;
            let key = Service::key(&service.id);
            of_no_file(state, &key)?;
            once(&mut given, &key, "service", index)?;
            document["id"] = (&*service.id).into();
            let at = (SERVICE.into(), key.clone());
            let before = self.listing.objects.get(&at).cloned();
            if before.as_ref().is_some_and(|before| is_same_document(&before.document, &document)) {
                self.applied.unchanged += 1;
                continue;
            }
            let object = Object {
                kind: SERVICE.into(),
                key,
                document: Arc::new(document),
                revision: self.listing.revision,
                created: before.as_ref().map_or(now, |before| before.created),
                changed: now,
            };
            self.batch.objects.push(object.clone());
            let object = Arc::new(object);
            self.listing.objects.insert(at, object.clone());
            self.applied.services.push((before, Some(object)));
        }
        for key in gone {
            let before = self.listing.objects.remove(&(SERVICE.into(), key.clone()));
            let before = before.ok_or_else(|| Refusal::NotFound(format!("service `{key}`")))?;
            self.batch.gone_objects.push((SERVICE.to_owned(), key.to_string()));
            self.applied.services.push((Some(before), None));
        }
        Ok(())
    }

    fn profiles(&mut self, wanted: Vec<Draft>, gone: Vec<Arc<str>>) -> Result<(), Refusal> {
        let now = now();
        for (index, Draft { scope, document, annotations }) in wanted.into_iter().enumerate() {
            let Some(name) = document.get("name").and_then(Value::as_str) else {
                let fault =
                    FieldFault::new(&format!("/profile/{index}"), "missing key `name`", "give it a name");
                return Err(Refusal::Invalid(vec![fault]));
            };
            let key = key(name);
            once(&mut self.given, &key, "profile", index)?;
            let before = self.listing.profiles.get(&key).cloned();
            if let Some(before) = &before {
                of_the_api(before)?;
                if !before.scope.is(&scope) {
                    return Err(Refusal::Elsewhere { name: name.to_owned(), scope: before.scope.clone() });
                }
                let same = |one: &Value, other: Value| is_same_document(one, &other);
                if before.not_in_force.is_none()
                    && same(&Value::Object((*before.document).clone()), Value::Object(document.clone()))
                {
                    self.applied.unchanged += 1;
                    continue;
                }
            }
            let record = Record {
                scope: before.as_ref().map_or(scope, |before| before.scope.clone()),
                name: name.into(),
                document: Arc::new(document),
                annotations: Arc::new(annotations),
                etag: format!("r{}", self.listing.revision),
                created: before.as_ref().and_then(|before| before.created).or(Some(now)),
                changed: Some(now),
                managed_by: ManagedBy::Api,
                not_in_force: None,
            };
            self.batch.profiles.extend(record.stored());
            let record = Arc::new(record);
            self.listing.profiles.insert(key, record.clone());
            self.applied.profiles.push((before, Some(record)));
        }
        for key in gone {
            let before = self.listing.profiles.remove(&key);
            let before = before.ok_or_else(|| Refusal::NotFound(format!("profile `{key}`")))?;
            of_the_api(&before)?;
            self.batch.gone_profiles.push(key.to_string());
            self.applied.profiles.push((Some(before), None));
        }
        Ok(())
    }
}

/// The changes of profiles as the registry takes them: each document by itself is right.
fn entries(
    state: &State,
    applied: &mut Applied,
    given: &HashMap<Arc<str>, usize>,
) -> Result<Vec<Edited>, Refusal> {
    let mut entries = Vec::with_capacity(applied.profiles.len());
    let mut wrong = Vec::new();
    for (before, after) in &applied.profiles {
        let Some(record) = after.as_ref().or(before.as_ref()) else { continue };
        let key = key(&record.name);
        let Some(after) = after else {
            entries.push((key, None));
            continue;
        };
        match state.registry.check(&after.document) {
            Ok((entry, warnings)) => {
                applied.warnings.extend(warnings);
                entries.push((key, Some(Arc::new(entry))));
            }
            Err(faults) => wrong.extend(below(&pointer(given, &key), faults)),
        }
    }
    if wrong.is_empty() { Ok(entries) } else { Err(Refusal::Invalid(wrong)) }
}

/// What is wrong with all of it, told of the profiles given where it can be.
fn faults_of(error: &ConfigError, given: &HashMap<Arc<str>, usize>, entries: &[Edited]) -> Vec<FieldFault> {
    let entries: HashMap<&str, &Entry> =
        entries.iter().filter_map(|(key, entry)| Some((&**key, &**entry.as_ref()?))).collect();
    let faults = faults_of_many(error, |key| entries.get(key).copied());
    let mut all = Vec::with_capacity(faults.len());
    for (key, fault) in faults {
        let above = key.map(|key| pointer(given, &key)).unwrap_or_default();
        all.push(FieldFault { pointer: format!("{above}{}", fault.pointer), ..fault });
    }
    all
}

fn pointer(given: &HashMap<Arc<str>, usize>, key: &str) -> String {
    given.get(key).map_or_else(String::new, |index| format!("/profile/{index}"))
}

fn below(above: &str, faults: Vec<FieldFault>) -> Vec<FieldFault> {
    let below = |fault: FieldFault| FieldFault { pointer: format!("{above}{}", fault.pointer), ..fault };
    faults.into_iter().map(below).collect()
}

fn once(
    given: &mut HashMap<Arc<str>, usize>,
    key: &Arc<str>,
    kind: &str,
    index: usize,
) -> Result<(), Refusal> {
    let Some(first) = given.insert(key.clone(), index) else { return Ok(()) };
    let message = format!("the {kind} `{key}` is there twice: at /{kind}/{first} too");
    let fault = FieldFault::new(&format!("/{kind}/{index}"), &message, "leave one of the two out");
    Err(Refusal::Invalid(vec![fault]))
}

fn of_the_api(record: &Record) -> Result<(), Refusal> {
    match &record.managed_by {
        ManagedBy::Api => Ok(()),
        ManagedBy::File { path, line } => {
            let (name, path) = (record.name.to_string(), path.clone());
            Err(Refusal::ManagedByFile { name, path, line: *line })
        }
    }
}

fn audit(actor: &Actor, applied: &Applied) -> Vec<crate::store::AuditRow> {
    let mut rows = Vec::with_capacity(applied.profiles.len() + applied.services.len());
    for (before, after) in &applied.profiles {
        let document = |record: &Arc<Record>| Value::Object((*record.document).clone());
        if let Some(record) = after.as_ref().or(before.as_ref()) {
            let what = format!("profile {}", record.name);
            rows.push(changed(actor, &what, before.as_ref().map(document), after.as_ref().map(document)));
        }
    }
    for (before, after) in &applied.services {
        let document = |object: &Arc<Object>| Value::clone(&object.document);
        if let Some(object) = after.as_ref().or(before.as_ref()) {
            let what = format!("service {}", object.key);
            rows.push(changed(actor, &what, before.as_ref().map(document), after.as_ref().map(document)));
        }
    }
    rows
}
