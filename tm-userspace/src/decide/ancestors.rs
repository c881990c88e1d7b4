//! Whose decisions rest on whose: a change below is a change for all above.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::desired::{Profile, Profiles, Target};

/// For each profile that is nested anywhere, or that a target leads to by its name or its wildcard, those that answer with it.
#[derive(Clone, Debug, Default)]
pub struct Ancestors(HashMap<Arc<str>, Vec<Arc<str>>>);

impl Ancestors {
    /// Of these profiles.
    pub fn of(profiles: &Profiles) -> Self {
        let mut ancestors = Ancestors::default();
        profiles.values().for_each(|profile| ancestors.add(profile));
        ancestors
    }

    /// One more profile.
    pub fn add(&mut self, profile: &Profile) {
        for child in children(profile) {
            self.0.entry(child.clone()).or_default().push(profile.name.clone());
        }
    }

    /// One profile less, as it was added.
    pub fn remove(&mut self, profile: &Profile) {
        for child in children(profile) {
            if let Some(parents) = self.0.get_mut(child) {
                parents.retain(|parent| *parent != profile.name);
                if parents.is_empty() {
                    self.0.remove(child);
                }
            }
        }
    }

    /// These profiles and all above them.
    pub fn with(&self, profiles: impl IntoIterator<Item = Arc<str>>) -> BTreeSet<Arc<str>> {
        let mut all = BTreeSet::new();
        let mut ahead: Vec<Arc<str>> = profiles.into_iter().collect();
        while let Some(profile) = ahead.pop() {
            if all.insert(profile.clone()) {
                ahead.extend(self.0.get(&profile).into_iter().flatten().cloned());
            }
        }
        all
    }
}

fn children(profile: &Profile) -> impl Iterator<Item = &Arc<str>> {
    profile.endpoints.iter().flat_map(|endpoint| {
        let nested = match &endpoint.target {
            Target::Profile(child) => Some(child),
            _ => None,
        };
        nested.into_iter().chain(&endpoint.follows)
    })
}
