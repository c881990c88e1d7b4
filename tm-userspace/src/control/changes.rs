//! A configuration that differs from the last one in a few profiles: what is decided, compiled and written follows those, however many there are.
//!
//! Negative answers bear the zone's serial. Those of profiles that did not change keep the one they were made with until the slow timer's full pass: a resolver looks at nothing
//! but the TTL there, and who asks for the SOA is told the latest.

use std::{collections::BTreeSet, sync::Arc};

use imbl::ordmap::DiffItem;

use super::Control;
use crate::{
    compile::Compiled,
    desired::{Desired, Profile},
    names::DnsName,
};

/// Where more than one profile in so many has changed, a full pass costs less.
const FEW: usize = 8;
/// So many always go this way.
const SURELY_FEW: usize = 64;

/// A profile as it was and as it is, where it was and is there.
type Change<'a> = (Option<&'a Arc<Profile>>, Option<&'a Arc<Profile>>);

impl Control {
    /// Takes in what differs from `before`, if that is little. The node is the same.
    pub(super) fn take_changes(&mut self, before: &Desired) -> bool {
        let wanted = self.desired.clone();
        let mut changed: Vec<Change<'_>> = Vec::new();
        let few = SURELY_FEW.max(wanted.profiles.len() / FEW);
        for item in before.profiles.diff(&wanted.profiles) {
            changed.push(match item {
                DiffItem::Add(_, new) => (None, Some(new)),
                DiffItem::Update { old: (_, old), new: (_, new) } => (Some(old), Some(new)),
                DiffItem::Remove(_, old) => (Some(old), None),
            });
            if changed.len() > few {
                return false;
            }
        }
        // Who has a name outside the zones makes a zone of it.
        let names =
            changed.iter().flat_map(|(old, new)| [*old, *new]).flatten().map(|profile| &profile.dns_name);
        if !names.into_iter().all(|name| wanted.node.has_zone_of(name)) {
            return false;
        }
        self.zones = Arc::new(self.zones.at(wanted.generation));
        self.tree.set_zones(self.zones.clone());
        let mut touched = BTreeSet::new();
        let mut around: Vec<DnsName> = Vec::new();
        // Names are given up first, so that one that moved from one profile to another is there in the end.
        let mut changes: Vec<(DnsName, Option<Compiled>)> = Vec::new();
        for (old, _) in &changed {
            around.extend(self.tree.change(old.map(|old| &**old), None));
        }
        for (_, new) in &changed {
            around.extend(self.tree.change(None, new.map(|new| &**new)));
        }
        // What is said of their target may be another thing, though they are decided on as before.
        let leading = self.tree.leading_to(&around);
        if !around.is_empty() {
            around.extend(self.tree.absent().cloned());
        }
        for (old, new) in &changed {
            if let Some(old) = old {
                self.ancestors.remove(old);
                if new.is_none_or(|new| new.dns_name != old.dns_name) {
                    changes.push((old.dns_name.clone(), None));
                }
                if new.is_none() {
                    self.decisions.remove(&old.name);
                    self.due.set(&old.name, None);
                }
            }
            if let Some(new) = new {
                self.ancestors.add(new);
            }
            touched.extend([old, new].into_iter().flatten().map(|profile| profile.name.clone()));
        }
        let decided = self.decide_some(self.ancestors.with(touched));
        changes.extend(self.compile(&decided));
        let leading = self.ancestors.with(leading);
        changes.extend(self.compile(leading.iter().filter_map(|name| self.decisions.get(name))));
        // Names that are a profile's are among those.
        around.retain(|name| !self.tree.is_profiles(name));
        changes.extend(around.into_iter().map(|name| (name.clone(), self.tree.at(&name))));
        self.write(&changes);
        self.forget_endpoints(changed.iter().filter_map(|(old, _)| *old));
        true
    }
}
