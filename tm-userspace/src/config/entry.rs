//! A profile that is right by itself, with where it was written: what is checked against all others.

use std::{ops::Range, path::Path, sync::Arc};

use crate::{
    desired::{Profile, Scope, Target},
    names::DnsName,
};

use super::{
    document::{DOCUMENTS, Document},
    report::{Place, Source},
};

/// A profile and where it was written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Nested endpoints' targets as they were written, and nobody follows anything yet.
    pub(super) profile: Profile,
    pub(super) source: Arc<Source>,
    /// Of its table.
    pub(super) table: Range<usize>,
    /// Of `name`.
    pub(super) name: Range<usize>,
    /// Of what its DNS name was made from.
    pub(super) dns_name: Range<usize>,
    /// Of the endpoints' targets.
    pub(super) targets: Vec<Range<usize>>,
    pub(super) subscription: Option<Arc<str>>,
    pub(super) resource_group: Option<Arc<str>>,
    pub(super) document: Arc<Document>,
}

/// What one profile says that leads to another one.
pub(super) enum Link<'a> {
    /// A nested endpoint: the key of a profile.
    Profile(Arc<str>),
    /// A target that is or may become a profile's DNS name, or one that its wildcard has.
    Name(&'a DnsName),
}

impl Entry {
    /// What the profile is called, as written.
    pub fn name(&self) -> &Arc<str> {
        &self.profile.name
    }

    /// The same for all spellings of its name.
    pub fn key(&self) -> Arc<str> {
        key(&self.profile.name)
    }

    /// The name it answers.
    pub fn dns_name(&self) -> &DnsName {
        &self.profile.dns_name
    }

    /// As JSON.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// Where it belongs: `default` where it does not say.
    pub fn scope(&self, default: &Scope) -> Scope {
        Scope {
            subscription: self.subscription.clone().unwrap_or_else(|| default.subscription.clone()),
            resource_group: self.resource_group.clone().unwrap_or_else(|| default.resource_group.clone()),
        }
    }

    /// The file and the line that it is written at; none where it is of the API.
    pub fn place(&self) -> Option<(&Path, usize)> {
        let (line, _) = Place::at(&self.source, self.name.clone()).line_and_column();
        (!self.is_of_api()).then_some((&self.source.path, line))
    }

    pub(super) fn is_of_api(&self) -> bool {
        self.source.path.starts_with(DOCUMENTS)
    }

    /// What it leads to.
    pub(super) fn links(&self) -> impl Iterator<Item = Link<'_>> {
        self.profile.endpoints.iter().filter_map(|endpoint| match &endpoint.target {
            Target::Profile(name) => Some(Link::Profile(key(name))),
            Target::Name(name) => Some(Link::Name(name)),
            _ => None,
        })
    }
}

/// The same for all spellings of a profile's name.
pub fn key(name: &str) -> Arc<str> {
    name.to_lowercase().into()
}
