//! Whose decisions rest on whose: a change below is a change for all above.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::desired::{Profiles, Target};

/// For each profile that is nested anywhere, or whose name is a target, those that answer with it.
#[derive(Clone, Debug, Default)]
pub struct Ancestors(HashMap<Arc<str>, Vec<Arc<str>>>);

impl Ancestors {
    /// Of these profiles.
    pub fn of(profiles: &Profiles) -> Self {
        let mut parents: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for profile in profiles.values() {
            for endpoint in &profile.endpoints {
                let nested = match &endpoint.target {
                    Target::Profile(child) => Some(child),
                    _ => None,
                };
                for child in nested.into_iter().chain(&endpoint.follows) {
                    parents.entry(child.clone()).or_default().push(profile.name.clone());
                }
            }
        }
        Ancestors(parents)
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
