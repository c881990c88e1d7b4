//! Which profiles a profile's answers rest on.

use std::{collections::HashMap, sync::Arc};

use super::layer::Layer;
use crate::desired::{Profiles, Status, Target};

/// The names of profiles, in the order in which a tree is walked, none twice.
pub(super) type Names = Arc<[Arc<str>]>;

/// For each profile in whose tree one has a layer, those that have: itself, what is nested in it and what it follows, to any depth.
pub(super) fn trees(
    profiles: &Profiles,
    layers: &HashMap<Arc<str>, Arc<Layer>>,
) -> impl Iterator<Item = (Arc<str>, Names)> {
    let mut walk = Walk { profiles, layers, known: HashMap::new() };
    profiles.keys().for_each(|name| _ = walk.names(name));
    walk.known.into_iter().filter(|(_, names)| !names.is_empty())
}

struct Walk<'a> {
    profiles: &'a Profiles,
    layers: &'a HashMap<Arc<str>, Arc<Layer>>,
    known: HashMap<Arc<str>, Names>,
}

impl Walk<'_> {
    fn names(&mut self, name: &Arc<str>) -> Names {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        // There are no loops; if there were one, it would end here.
        self.known.insert(name.clone(), Names::default());
        let mut names: Vec<Arc<str>> = vec![];
        if let Some(profile) = self.profiles.get(name).filter(|profile| profile.status == Status::Enabled) {
            names.extend(self.layers.get_key_value(name).map(|(name, _)| name.clone()));
            for endpoint in profile.endpoints.iter().filter(|endpoint| endpoint.status == Status::Enabled) {
                let nested = match &endpoint.target {
                    Target::Profile(child) => Some(child),
                    _ => None,
                };
                for below in nested.into_iter().chain(&endpoint.follows) {
                    let below = self.names(below);
                    names.extend(
                        below.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>(),
                    );
                }
            }
        }
        let names: Names = names.into();
        self.known.insert(name.clone(), names.clone());
        names
    }
}
