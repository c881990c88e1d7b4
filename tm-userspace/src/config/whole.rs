//! Checks across profiles: names given twice.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
};

use imbl::OrdMap;

use crate::desired::{Node, Profile};

use super::{
    apex,
    entry::Entry,
    links,
    present::Present,
    report::{Fault, Found, Place},
    value::quote,
};

/// All profiles by name; what is wrong is in `found`. With a node come the names that are there, of more profiles than these where they were checked before.
pub(super) fn check(
    node: Option<(&Node, &Present)>,
    mut profiles: Vec<Entry>,
    found: &mut Found,
) -> OrdMap<Arc<str>, Arc<Profile>> {
    names_once(&profiles, found);
    if let Some((node, _)) = node {
        apart_from_name_servers(node, &profiles, found);
    }
    links::check(node, &mut profiles, found);
    if let Some((node, _)) = node {
        apex::check(node, &profiles, found);
    }
    profiles.into_iter().map(|checked| (checked.profile.name.clone(), Arc::new(checked.profile))).collect()
}

fn names_once(profiles: &[Entry], found: &mut Found) {
    let mut names = HashMap::new();
    let mut dns_names = HashMap::new();
    for checked in profiles {
        let Entry { profile, source, .. } = checked;
        let name = Place::at(source, checked.name.clone());
        match names.entry(profile.name.to_lowercase()) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(name);
            }
            hash_map::Entry::Occupied(first) => {
                let fault =
                    Fault::new(format!("profile {} is there twice", quote(&profile.name)), help_for(checked));
                found.add_beside(name, fault, first.get().clone(), "first given here");
                // Its DNS name is most likely there twice for the same reason.
                continue;
            }
        }
        match dns_names.entry(&profile.dns_name) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(checked);
            }
            hash_map::Entry::Occupied(entry) => {
                let fault = Fault::new(
                    format!(
                        "DNS name `{}` is that of profile {} too",
                        profile.dns_name,
                        quote(&entry.get().profile.name)
                    ),
                    "give one of the two another relative_name or dns_name",
                );
                let first = Place::at(&entry.get().source, entry.get().dns_name.clone());
                found.add_beside(dns_name_of(checked), fault, first, "first given here");
            }
        }
    }
}

/// What to do about a name that is there already. Azure's clients may mean two profiles of one name in two groups, which is written otherwise here.
fn help_for(checked: &Entry) -> String {
    let help = "name each profile differently, over all files; case makes no difference";
    match &checked.resource_group {
        Some(group) => format!(
            "{help}; one that is to be of this name in its resource group to Azure's clients is `{}@{group}` here",
            checked.profile.name
        ),
        None => help.to_owned(),
    }
}

/// A name server's name answers with its address, a profile's with its endpoint's.
fn apart_from_name_servers(node: &Node, profiles: &[Entry], found: &mut Found) {
    for checked in profiles {
        let dns_name = &checked.profile.dns_name;
        if node.is_server(dns_name) {
            let message = format!("DNS name `{dns_name}` is that of a name server in tm.toml");
            found.add(dns_name_of(checked), Fault::new(message, "give the profile another name"));
        }
    }
}

fn dns_name_of(checked: &Entry) -> Place {
    Place::at(&checked.source, checked.dns_name.clone())
}
