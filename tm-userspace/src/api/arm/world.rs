//! What is there at one moment: profiles by their ids, and what is derived of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    answer::Answer,
    fault::Fault,
    id::{ProfileId, same},
    model::{self, Document, Surroundings},
};
use crate::{
    api::View,
    catalog::{Listing, Record, Refusal},
    config::key,
    control::Published,
    decide::{EndpointStatus, ProfileStatus},
    desired::{Node, Scope, Service, Services},
    names::DnsName,
};

/// Everything that an answer is made from. Cheap to clone.
#[derive(Clone)]
pub(super) struct World {
    pub(super) listing: Arc<Listing>,
    published: Arc<Published>,
    pub(super) node: Arc<Node>,
    services: Services,
}

impl World {
    pub(super) fn of(view: &View) -> Result<Self, Fault> {
        let desired = view.desired.borrow();
        let desired = desired.as_ref().ok_or(Refusal::Stopping)?;
        let (node, services) = (desired.node.clone(), desired.services.clone());
        Ok(World {
            listing: view.catalog.listing(),
            published: view.published.borrow().clone(),
            node,
            services,
        })
    }

    /// A profile by its id.
    pub(super) fn find(&self, id: &ProfileId) -> Option<&Arc<Record>> {
        let found = names(id).into_iter().filter_map(|name| self.listing.profiles.get(&key(&name)));
        found.into_iter().find(|record| record.scope.is(&id.scope))
    }

    /// What documents call the profile of this id, or are to call it: its name, unless a profile elsewhere has that; then with the group, or with the
    /// subscription too, behind an `@`, which no name in Azure has.
    pub(super) fn name_for(&self, id: &ProfileId) -> String {
        if let Some(record) = self.find(id) {
            return record.name.to_string();
        }
        let names = names(id);
        let free = names.iter().find(|name| !self.listing.profiles.contains_key(&key(name)));
        free.or(names.last()).cloned().unwrap_or_default()
    }

    /// The profile of this id, or Azure's words for that it is not there.
    pub(super) fn get(&self, id: &ProfileId) -> Result<&Arc<Record>, Fault> {
        self.find(id).ok_or_else(|| self.absent(id))
    }

    /// That a profile is not there: because of its group, or by itself.
    pub(super) fn absent(&self, id: &ProfileId) -> Fault {
        if let Err(fault) = self.group(&id.scope) {
            return fault;
        }
        Fault::not_found(
            "ResourceNotFound",
            format!(
                "The Resource 'Microsoft.Network/trafficmanagerprofiles/{}' under resource group '{}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                id.name, id.scope.resource_group
            ),
        )
    }

    /// A profile as clients see it.
    pub(super) fn show(&self, record: &Record) -> Value {
        model::show_profile(&whole(record), &id_of(record), self)
    }

    /// Profiles, by name.
    pub(super) fn list<'a>(&self, records: impl Iterator<Item = &'a Arc<Record>>) -> Answer {
        Answer::list(records.map(|record| self.show(record)).collect())
    }
}

/// A record's document with what lies beside it.
pub(super) fn whole(record: &Record) -> Document {
    model::join(&record.document, &record.annotations)
}

/// A profile's id.
pub(super) fn id_of(record: &Record) -> ProfileId {
    let scope = &record.scope;
    let ends =
        [format!("@{}@{}", scope.resource_group, scope.subscription), format!("@{}", scope.resource_group)];
    let name: &str = &record.name;
    let name = ends.iter().find_map(|end| {
        let cut = name.len().checked_sub(end.len())?;
        let (name, rest) = (name.get(..cut)?, name.get(cut..)?);
        (!name.is_empty() && same(rest, end)).then_some(name)
    });
    ProfileId { scope: scope.clone(), name: name.unwrap_or(&record.name).to_owned() }
}

/// What documents may call a profile, in the order of preference.
fn names(id: &ProfileId) -> [String; 3] {
    let ProfileId { scope: Scope { subscription, resource_group }, name } = id;
    [name.clone(), format!("{name}@{resource_group}"), format!("{name}@{resource_group}@{subscription}")]
}

impl Surroundings for World {
    fn zone(&self) -> String {
        self.node.zone().name.to_string().trim_end_matches('.').to_owned()
    }

    fn profile_named(&self, id: &ProfileId) -> Option<String> {
        self.find(id).map(|record| record.name.to_string())
    }

    fn id_of_profile(&self, name: &str) -> Option<(ProfileId, String)> {
        let record = self.listing.profiles.get(&key(name))?;
        let fqdn = model::fqdn(&record.document, &self.zone());
        Some((id_of(record), fqdn))
    }

    fn target_of_service(&self, id: &str) -> Option<String> {
        Some(self.services.get(&Service::key(id))?.target.to_string())
    }

    fn location_of_service(&self, id: &str) -> Option<String> {
        self.services.get(&Service::key(id))?.location.as_ref().map(ToString::to_string)
    }

    fn document_of(&self, name: &str) -> Option<Document> {
        self.listing.profiles.get(&key(name)).map(|record| whole(record))
    }

    fn profile_status(&self, name: &str) -> Option<ProfileStatus> {
        Some(self.published.decisions.get(name)?.status)
    }

    fn endpoint_status(&self, profile: &str, endpoint: &str) -> Option<EndpointStatus> {
        let decision = self.published.decisions.get(profile)?;
        let place = decision.profile.endpoints.iter().position(|known| same(&known.name, endpoint))?;
        decision.endpoints.get(place).copied()
    }
}

impl World {
    /// Who has the name that a prefix makes.
    pub(super) async fn holder(&self, relative: &str, view: &View) -> Result<Option<Arc<Record>>, Fault> {
        let name = format!("{relative}.{}", self.zone());
        let malformed =
            || Fault::property("name", format!("The DNS prefix '{relative}' is not valid: {}.", json!(name)));
        let name: DnsName = name.parse().map_err(|_| malformed())?;
        Ok(view.catalog.holder_of(&name).await)
    }
}
