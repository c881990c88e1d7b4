//! The names that are there, of profiles, name servers and zones, and the wildcard that has one that is not ([RFC 4592, section 3.3.1]).
//!
//! [RFC 4592, section 3.3.1]: https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1

use std::{collections::BTreeSet, sync::Arc};

use imbl::OrdMap;

use crate::{desired::Node, names::DnsName};

use super::entry::Entry;

/// In an order in which a name comes right before all those below it, so that one look tells whether there is any.
#[derive(Clone, Debug, Default)]
pub(super) struct Present {
    /// Of profiles, each with the key of its.
    profiles: OrdMap<Vec<u8>, Arc<str>>,
    /// Apexes and name servers.
    fixed: Arc<BTreeSet<Vec<u8>>>,
}

impl Present {
    /// Those of a node without profiles.
    pub(super) fn over(node: &Node) -> Self {
        let names = node.zones().flat_map(|zone| {
            let servers = zone.name_servers.iter().map(|server| &server.name);
            servers.filter(|name| node.has_zone_of(name)).chain([&zone.name])
        });
        let fixed = names.map(DnsName::from_root).collect();
        Present { profiles: OrdMap::new(), fixed: Arc::new(fixed) }
    }

    /// Those of a node with these profiles; where none of these is a wildcard nobody asks, and they are not read.
    pub(super) fn of<'a>(node: &Node, entries: impl Iterator<Item = &'a Entry> + Clone) -> Self {
        let mut present = Present::over(node);
        if entries.clone().any(|entry| entry.dns_name().without_asterisk().is_some()) {
            entries.for_each(|entry| present.insert(node, entry));
        }
        present
    }

    /// One more profile.
    pub(super) fn insert(&mut self, node: &Node, entry: &Entry) {
        if is_there(node, entry) {
            self.profiles.insert(entry.dns_name().from_root(), entry.key());
        }
    }

    /// One less.
    pub(super) fn remove(&mut self, node: &Node, entry: &Entry) {
        if is_there(node, entry) {
            self.profiles.remove(&entry.dns_name().from_root());
        }
    }

    /// The key of the profile that has this name itself, if that is there.
    pub(super) fn at(&self, name: &DnsName) -> Option<&Arc<str>> {
        self.profiles.get(&name.from_root())
    }

    /// The key of the profile whose wildcard has this name: that of the longest name above it that is there, where nothing is at the name itself or below.
    pub(super) fn wildcard_of(&self, name: &DnsName) -> Option<&Arc<str>> {
        let mut around = name.suffixes().map(DnsName::from_wire);
        if self.is_there(&around.next()?) {
            return None;
        }
        let above = around.find(|above| self.is_there(above))?;
        self.at(&above.with_asterisk()?)
    }

    /// Where a name's coming or going can give others to another one of these wildcards, or to none: at this name and below it, and mostly only to some there, since the highest wildcard counts. None
    /// where no wildcard is near. Of a wildcard that has gone it is asked by its own name.
    pub(super) fn disputed_by(&self, name: &DnsName) -> Option<DnsName> {
        let mut disputed = name.without_asterisk();
        let mut below = name.clone();
        for above in name.suffixes().skip(1).map(DnsName::from_wire) {
            if above.with_asterisk().is_some_and(|asterisk| asterisk != *name && self.at(&asterisk).is_some())
            {
                disputed = Some(below);
            }
            below = above;
        }
        disputed
    }

    /// Is it, or is there one below it?
    fn is_there(&self, name: &DnsName) -> bool {
        let name = name.from_root();
        let begins = |first: Option<&Vec<u8>>| first.is_some_and(|first| first.starts_with(&name));
        begins(self.profiles.range(name.clone()..).next().map(|(first, _)| first))
            || begins(self.fixed.range(name.clone()..).next())
    }
}

/// Does an entry's name exist? One in no zone of the configuration does in any case: it has a zone of its own, or lies in one that has.
fn is_there(node: &Node, entry: &Entry) -> bool {
    entry.profile.exists() || !node.has_zone_of(entry.dns_name())
}
