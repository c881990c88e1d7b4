//! Checks across profiles: names given twice, and names that lead back to themselves.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use imbl::OrdMap;

use crate::{
    desired::{Node, Profile, Target},
    names::DnsName,
};

use super::{
    profile::Checked,
    report::{Fault, Found, Place},
    value::quote,
};

/// All profiles by name; what is wrong is in `found`.
pub(super) fn check(
    node: Option<&Node>,
    profiles: Vec<Checked>,
    found: &mut Found,
) -> OrdMap<Arc<str>, Arc<Profile>> {
    names_once(&profiles, found);
    if let Some(node) = node {
        apart_from_name_servers(node, &profiles, found);
        targets_in_zone(node, &profiles, found);
    }
    profiles.into_iter().map(|checked| (checked.profile.name.clone(), Arc::new(checked.profile))).collect()
}

fn names_once(profiles: &[Checked], found: &mut Found) {
    let mut names = HashMap::new();
    let mut dns_names = HashMap::new();
    for checked in profiles {
        let Checked { profile, source, .. } = checked;
        let name = Place::at(source, checked.name.clone());
        match names.entry(profile.name.to_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(name);
            }
            Entry::Occupied(first) => {
                let fault = Fault::new(
                    format!("profile {} is there twice", quote(&profile.name)),
                    "name each profile differently, over all files; case makes no difference",
                );
                found.add_beside(name, fault, first.get().clone(), "first given here");
                // Its DNS name is most likely there twice for the same reason.
                continue;
            }
        }
        match dns_names.entry(&profile.dns_name) {
            Entry::Vacant(entry) => {
                entry.insert(checked);
            }
            Entry::Occupied(entry) => {
                let fault = Fault::new(
                    format!(
                        "DNS name `{}` is that of profile {} too",
                        profile.dns_name,
                        quote(&entry.get().profile.name)
                    ),
                    "give one of the two another relative_name",
                );
                let first = Place::at(&entry.get().source, entry.get().relative_name.clone());
                found.add_beside(relative_name(checked), fault, first, "first given here");
            }
        }
    }
}

/// A name server's name answers with its address, a profile's with its endpoint's.
fn apart_from_name_servers(node: &Node, profiles: &[Checked], found: &mut Found) {
    for checked in profiles {
        let dns_name = &checked.profile.dns_name;
        if node.name_servers.iter().any(|server| server.name == *dns_name) {
            let message = format!("DNS name `{dns_name}` is that of a name server in tm.toml");
            found.add(relative_name(checked), Fault::new(message, "give the profile another relative_name"));
        }
    }
}

/// Targets below the zone: they may lead to another profile, but never back, and should lead somewhere.
fn targets_in_zone(node: &Node, profiles: &[Checked], found: &mut Found) {
    let by_name: HashMap<&DnsName, usize> =
        profiles.iter().enumerate().map(|(index, checked)| (&checked.profile.dns_name, index)).collect();
    let mut steps: Vec<Vec<Step>> = Vec::with_capacity(profiles.len());
    for checked in profiles {
        let mut from_here = Vec::new();
        for (endpoint, span) in checked.profile.endpoints.iter().zip(&checked.targets) {
            let Target::Name(target) = &endpoint.target else { continue };
            let place = Place::at(&checked.source, span.clone());
            let is_server = node.name_servers.iter().any(|server| server.name == *target);
            match by_name.get(target) {
                Some(&to) => from_here.push(Step { to, place }),
                None if target.is_within(&node.zone) && !is_server => {
                    found
                        .warn(&place, format!("target `{target}` is in the zone, but no profile answers it"));
                }
                None => {}
            }
        }
        steps.push(from_here);
    }
    for step in closing_steps(&steps) {
        let target = &profiles[step.to].profile.dns_name;
        let fault = Fault::new(
            format!("target `{target}` leads back to this profile"),
            "name what serves the content, not the profile that points at it",
        );
        found.add(step.place.clone(), fault);
    }
}

/// From a profile to the one that a target of its names.
struct Step {
    to: usize,
    place: Place,
}

/// The steps that close a loop: a walk in depth comes by them to a profile it is still in. With none, there is no loop.
fn closing_steps(steps: &[Vec<Step>]) -> Vec<&Step> {
    #[derive(Clone, Copy, PartialEq)]
    enum Walk {
        Ahead,
        Within,
        Done,
    }
    let mut walk = vec![Walk::Ahead; steps.len()];
    let mut closing = Vec::new();
    for start in 0..steps.len() {
        // Each profile being walked, with the step to take next.
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.pop() {
            if next == 0 && walk[at] != Walk::Ahead {
                continue;
            }
            walk[at] = Walk::Within;
            let Some(step) = steps[at].get(next) else {
                walk[at] = Walk::Done;
                continue;
            };
            path.push((at, next + 1));
            match walk[step.to] {
                Walk::Ahead => path.push((step.to, 0)),
                Walk::Within => closing.push(step),
                Walk::Done => {}
            }
        }
    }
    closing
}

fn relative_name(checked: &Checked) -> Place {
    Place::at(&checked.source, checked.relative_name.clone())
}
