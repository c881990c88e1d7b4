//! All profiles, whoever manages them, each by itself and as checked against all others; and how one is changed without looking at all.
//!
//! A change is checked with what it can touch alone: the profiles that lead to the changed one, and all that those lead to. The rules are those of a load, since
//! both call `whole::check`.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use imbl::{HashMap, OrdMap, OrdSet};

use crate::{
    desired::{Node, Profiles},
    led::Led,
    names::DnsName,
};

use super::{
    document,
    document::{DOCUMENTS, Document, FieldFault},
    entry::{Entry, Link},
    ground::Ground,
    parse,
    present::Present,
    profile,
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
    present: Present,
    /// By a profile's key, the keys of those in which it is nested.
    parents: HashMap<Arc<str>, OrdSet<Arc<str>>>,
    /// By a name, the keys of those whose target it is.
    led: Led,
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
        let (entries_by_key, by_dns_name, parents, led) = Default::default();
        let present = Present::over(&node);
        let mut registry = Registry {
            node,
            ground,
            service_places,
            entries: entries_by_key,
            by_dns_name,
            present,
            parents,
            led,
        };
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
        let mut names = BTreeSet::new();
        for (key, _) in changes {
            touched.insert(key.clone());
            names.extend(next.remove(key).map(|old| old.dns_name().clone()));
        }
        for entry in changes.iter().filter_map(|(_, entry)| entry.as_ref()) {
            touched.extend(next.by_dns_name.get(entry.dns_name()).cloned());
            next.insert(entry.clone());
            names.insert(entry.dns_name().clone());
        }
        touched.extend(names.iter().flat_map(|name| next.led.at(name)).cloned());
        touched.extend(self.elsewhere(&next, &names));
        let around: Vec<Entry> = next
            .around(touched)
            .iter()
            .filter_map(|key| next.entries.get(key))
            .map(|entry| Entry::clone(entry))
            .collect();
        let mut found = Found::default();
        next.fits(changes, &mut found);
        let checked = whole::check(Some((&next.node, &next.present)), around, &mut found);
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
        self.by_dns_name.insert(entry.dns_name().clone(), key.clone());
        self.present.insert(&self.node, &entry);
        for link in entry.links() {
            match link {
                Link::Profile(child) => _ = self.parents.entry(child).or_default().insert(key.clone()),
                Link::Name(target) => self.led.add(target, &key),
            }
        }
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Arc<str>) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(key)?;
        self.by_dns_name.remove(entry.dns_name());
        self.present.remove(&self.node, &entry);
        for link in entry.links() {
            match link {
                Link::Name(target) => self.led.remove(target, key),
                Link::Profile(child) => {
                    if let Some(parents) = self.parents.get_mut(&child) {
                        parents.remove(key);
                        if parents.is_empty() {
                            self.parents.remove(&child);
                        }
                    }
                }
            }
        }
        Some(entry)
    }

    /// Who leads to a name that `next` gives to another wildcard than this state does, or to none, now that these names have come or gone.
    fn elsewhere(&self, next: &Registry, names: &BTreeSet<DnsName>) -> BTreeSet<Arc<str>> {
        let disputed: BTreeSet<DnsName> =
            names.iter().filter_map(|name| next.present.disputed_by(name)).collect();
        // What is below another one of them is found there.
        let is_highest = |name: &&DnsName| !name.suffixes().skip(1).any(|above| disputed.contains(above));
        let led = disputed.iter().filter(is_highest).flat_map(|disputed| next.led.below(disputed));
        led.filter(|(target, _)| self.present.wildcard_of(target) != next.present.wildcard_of(target))
            .flat_map(|(_, keys)| keys.iter().cloned())
            .collect()
    }

    /// The keys of those that lead to a profile.
    fn users(&self, key: &Arc<str>) -> BTreeSet<Arc<str>> {
        let mut users: BTreeSet<Arc<str>> = self.parents.get(key).into_iter().flatten().cloned().collect();
        let Some(name) = self.entries.get(key).map(|entry| entry.dns_name()) else { return users };
        users.extend(self.led.at(name).cloned());
        if let Some(above) = name.without_asterisk() {
            let led = self.led.below(&above);
            let of_wildcard = led.filter(|(target, _)| self.present.wildcard_of(target) == Some(key));
            users.extend(of_wildcard.flat_map(|(_, keys)| keys.iter().cloned()));
        }
        users
    }

    /// These, all that lead to them, and all that any of those lead to.
    fn around(&self, keys: BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
        let mut around = BTreeSet::new();
        let mut ahead: Vec<Arc<str>> = keys.into_iter().collect();
        while let Some(key) = ahead.pop() {
            if around.insert(key.clone()) {
                ahead.extend(self.users(&key));
            }
        }
        let mut below: Vec<Arc<str>> = around.iter().cloned().collect();
        while let Some(key) = below.pop() {
            let Some(entry) = self.entries.get(&key) else { continue };
            for link in entry.links() {
                let to = match link {
                    Link::Profile(key) => [Some(key), None],
                    Link::Name(name) => {
                        [self.by_dns_name.get(name).cloned(), self.present.wildcard_of(name).cloned()]
                    }
                };
                below.extend(to.into_iter().flatten().filter(|to| around.insert(to.clone())));
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
