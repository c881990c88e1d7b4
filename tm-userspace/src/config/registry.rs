//! All profiles, whoever manages them, each by itself and as checked against all others; and how one is changed without looking at all.
//!
//! A change is checked with what it can touch alone: the profiles that lead to the changed one, and all that those lead to. The rules are those of a load, since
//! both call `whole::check`.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use imbl::{HashMap, OrdMap, OrdSet};

use crate::{
    desired::{Node, Profiles},
    names::DnsName,
};

use super::{
    document,
    document::{DOCUMENTS, Document, FieldFault},
    entry::{Entry, Link},
    ground::Ground,
    parse, profile,
    report::{ConfigError, Fault, Found, Notes, Place, SHOWN_AT_MOST},
    whole,
};

/// All of one state.
#[derive(Clone, Debug)]
pub struct Registry {
    node: Arc<Node>,
    ground: Ground,
    /// The file and the line of each service that a file has, by its key.
    service_places: HashMap<Arc<str>, (PathBuf, usize)>,
    entries: OrdMap<Arc<str>, Arc<Entry>>,
    by_dns_name: HashMap<DnsName, Arc<str>>,
    /// Who leads there.
    users: HashMap<Link, OrdSet<Arc<str>>>,
}

/// What a change makes of it.
#[derive(Debug)]
pub struct Changed {
    /// The next state.
    pub registry: Registry,
    /// Its profiles; those that stayed the same are the same memory.
    pub profiles: Profiles,
    /// What is right but hardly meant, a line each.
    pub warnings: Vec<String>,
}

impl Registry {
    pub(super) fn new(
        node: Arc<Node>,
        ground: Ground,
        service_places: HashMap<Arc<str>, (PathBuf, usize)>,
        entries: &[Arc<Entry>],
    ) -> Self {
        let (by_dns_name, users) = Default::default();
        let mut registry =
            Registry { node, ground, service_places, entries: OrdMap::new(), by_dns_name, users };
        entries.iter().for_each(|entry| registry.insert(entry.clone()));
        registry
    }

    /// By key.
    pub fn entries(&self) -> &OrdMap<Arc<str>, Arc<Entry>> {
        &self.entries
    }

    /// The node whose rules hold.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The file and the line that have the service of this key; none where no file has it.
    pub fn service_place(&self, key: &str) -> Option<&(PathBuf, usize)> {
        self.service_places.get(key)
    }

    /// The key of the profile that has this DNS name.
    pub fn by_dns_name(&self, name: &DnsName) -> Option<&Arc<str>> {
        self.by_dns_name.get(name)
    }

    /// Does a document mean the same here as there?
    pub(super) fn has_ground(&self, ground: &Ground) -> bool {
        self.ground == *ground
    }

    /// A document by itself; with warnings.
    pub fn check(&self, document: &Arc<Document>) -> Result<(Entry, Vec<String>), Vec<FieldFault>> {
        check(document, &self.ground)
    }

    /// `changes` (a key, and what is there then) applied to this state, whose profiles are `profiles`.
    pub fn change(
        &self,
        profiles: &Profiles,
        changes: &[(Arc<str>, Option<Arc<Entry>>)],
    ) -> Result<Changed, ConfigError> {
        let mut next = self.clone();
        let mut touched = BTreeSet::new();
        let mut names = Vec::new();
        for (key, _) in changes {
            touched.insert(key.clone());
            if let Some(old) = next.remove(key) {
                names.push(Link::Name(old.profile.dns_name.clone()));
            }
        }
        for entry in changes.iter().filter_map(|(_, entry)| entry.as_ref()) {
            touched.extend(next.by_dns_name.get(&entry.profile.dns_name).cloned());
            next.insert(entry.clone());
        }
        touched.extend(names.iter().filter_map(|link| next.users.get(link)).flatten().cloned());
        let around: Vec<Entry> = next
            .around(touched)
            .iter()
            .filter_map(|key| next.entries.get(key))
            .map(|entry| Entry::clone(entry))
            .collect();
        let mut found = Found::default();
        next.fits(changes, &mut found);
        let checked = whole::check(Some(&next.node), around, &mut found);
        if !found.findings.is_empty() {
            return Err(found.into_error());
        }
        let mut profiles = profiles.clone();
        for (key, _) in changes {
            if let Some(old) = self.entries.get(key) {
                profiles.remove(old.name());
            }
        }
        for (name, profile) in checked {
            if profiles.get(&name) != Some(&profile) {
                profiles.insert(name, profile);
            }
        }
        Ok(Changed { registry: next, profiles, warnings: found.warnings })
    }

    /// The limit of the tables holds for a change as for a load.
    fn fits(&self, changes: &[(Arc<str>, Option<Arc<Entry>>)], found: &mut Found) {
        let capacity = self.node.capacity as usize;
        if capacity > 0
            && self.entries.len() > capacity
            && let Some(entry) = changes.iter().filter_map(|(_, entry)| entry.as_ref()).next()
        {
            found.add(
                Place::at(&entry.source, entry.name.clone()),
                Fault::new(
                    format!(
                        "{} profiles are more than `names` {capacity} under [limits]",
                        self.entries.len()
                    ),
                    "raise `names`, or set it to 0 for as many as needed",
                ),
            );
        }
    }

    fn insert(&mut self, entry: Arc<Entry>) {
        let key = entry.key();
        self.by_dns_name.insert(entry.profile.dns_name.clone(), key.clone());
        for link in entry.links() {
            self.users.entry(link).or_default().insert(key.clone());
        }
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Arc<str>) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(key)?;
        self.by_dns_name.remove(&entry.profile.dns_name);
        for link in entry.links() {
            if let Some(users) = self.users.get_mut(&link) {
                users.remove(key);
                if users.is_empty() {
                    self.users.remove(&link);
                }
            }
        }
        Some(entry)
    }

    /// These, all that lead to them, and all that any of those lead to.
    fn around(&self, keys: BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
        let mut around = BTreeSet::new();
        let mut ahead: Vec<Arc<str>> = keys.into_iter().collect();
        while let Some(key) = ahead.pop() {
            if around.insert(key.clone()) {
                let name = self.entries.get(&key).map(|entry| Link::Name(entry.profile.dns_name.clone()));
                let links = [Some(Link::Profile(key)), name];
                let users = links.iter().flatten().filter_map(|link| self.users.get(link)).flatten();
                ahead.extend(users.cloned());
            }
        }
        let mut below: Vec<Arc<str>> = around.iter().cloned().collect();
        while let Some(key) = below.pop() {
            let Some(entry) = self.entries.get(&key) else { continue };
            for link in entry.links() {
                let to = match &link {
                    Link::Profile(key) => Some(key),
                    Link::Name(name) => self.by_dns_name.get(name),
                };
                if let Some(to) = to
                    && around.insert(to.clone())
                {
                    below.push(to.clone());
                }
            }
        }
        around
    }
}

/// A document by itself, by the rules of this node; with warnings.
pub(super) fn check(
    document: &Arc<Document>,
    ground: &Ground,
) -> Result<(Entry, Vec<String>), Vec<FieldFault>> {
    let source = document::source(document, "profile", DOCUMENTS).map_err(|fault| vec![fault])?;
    let mut found = Found::default();
    let notes = &mut Notes { source: &source, found: &mut found };
    let written = parse::tables(notes).profiles;
    let mut entry = written.first().and_then(|written| profile::check(written, ground, notes));
    for (key, given) in [("subscription", "subscription"), ("resource_group", "resource_group")] {
        if document.contains_key(key) {
            let message = format!("`{given}` is no part of the document");
            found.add(Place::whole(&source), Fault::new(message, "give it beside the document"));
        }
    }
    if !found.findings.is_empty() {
        return Err(document::faults(&found.into_error(), &source));
    }
    match entry.take() {
        Some(mut entry) => {
            // As it was given: the text has lost its nulls.
            entry.document = document.clone();
            Ok((entry, found.warnings))
        }
        None => Err(vec![FieldFault::new("", "this is no profile", "write what a [[profile]] table takes")]),
    }
}

/// What is wrong with a change, told of one document of it where it can be.
pub fn faults(error: &ConfigError, entry: &Entry) -> Vec<FieldFault> {
    document::faults(error, &entry.source)
}

/// What is wrong with a change of many, each told of the document whose key is given where it can be; of very much, the first. `entry` finds what is to be there, by key.
pub fn faults_of_many<'a>(
    error: &ConfigError,
    entry: impl Fn(&str) -> Option<&'a Entry>,
) -> Vec<(Option<Arc<str>>, FieldFault)> {
    let mut faults = Vec::new();
    for finding in error.findings.iter().take(SHOWN_AT_MOST) {
        let source = &finding.place.source;
        let name = source.path.strip_prefix(DOCUMENTS).ok().and_then(std::path::Path::to_str);
        let key = name.map(super::key);
        let entry = key.as_deref().and_then(&entry).filter(|entry| Arc::ptr_eq(&entry.source, source));
        let fault = match entry {
            Some(_) => document::fault(finding, source),
            None => {
                let other = finding.other.as_ref().map(|(place, _)| format!("; the other place is {place}"));
                let message = format!("{}: {}{}", finding.place, finding.message, other.unwrap_or_default());
                FieldFault::new("", &message, &finding.help)
            }
        };
        faults.push((key, fault));
    }
    if let hidden @ 1.. = error.findings.len().saturating_sub(SHOWN_AT_MOST) {
        let message = format!("and {hidden} more");
        faults.push((None, FieldFault::new("", &message, "mend these first")));
    }
    faults
}
