//! What a list shows of each profile: little enough for ten thousand of them at once.

use serde::{Deserialize, Serialize};

use super::View;
use crate::{
    catalog::{ManagedBy, Record},
    control::Published,
    desired::{Profile, RoutingMethod, Status},
};

/// A profile in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// Where it belongs.
    pub subscription: String,
    /// And in it.
    pub resource_group: String,
    /// `api` or `file`.
    pub managed_by: String,
    /// The name it answers; none while it is not in force.
    pub dns_name: Option<String>,
    /// As it is written in files; none while it is not in force.
    pub routing_method: Option<String>,
    /// `enabled` or `disabled`, as the operator wants it; none while it is not in force.
    pub status: Option<String>,
    /// As derived; none while it is not in force.
    pub monitor_status: Option<String>,
    /// Its endpoints, if it is in force.
    pub endpoints: usize,
    /// Those that are Online, Unmonitored or CheckingEndpoint.
    pub available: usize,
    /// Is it a Priority profile of several endpoints whose first is served always? Then the others never answer.
    pub unwatched: bool,
}

impl Summary {
    /// Of one profile.
    pub(super) fn of(record: &Record, published: &Published) -> Self {
        let decision = published.decisions.get(&record.name);
        Summary {
            name: record.name.to_string(),
            subscription: record.scope.subscription.to_string(),
            resource_group: record.scope.resource_group.to_string(),
            managed_by: match record.managed_by {
                ManagedBy::Api => "api",
                ManagedBy::File { .. } => "file",
            }
            .to_owned(),
            dns_name: decision.map(|decision| decision.profile.dns_name.to_string()),
            routing_method: decision.map(|decision| decision.profile.routing_method.label().to_owned()),
            status: decision.map(|decision| super::status::word(decision.profile.status).to_owned()),
            monitor_status: decision.map(|decision| format!("{:?}", decision.status)),
            endpoints: decision.map_or(0, |decision| decision.endpoints.len()),
            available: decision.map_or(0, |decision| {
                decision.endpoints.iter().filter(|status| status.is_available()).count()
            }),
            unwatched: decision.is_some_and(|decision| is_unwatched(&decision.profile)),
        }
    }
}

/// Does nothing ever fail over, though that is what the profile is for?
fn is_unwatched(profile: &Profile) -> bool {
    let enabled = profile.endpoints.iter().filter(|endpoint| endpoint.status == Status::Enabled);
    let first = enabled.clone().min_by_key(|endpoint| endpoint.priority);
    profile.routing_method == RoutingMethod::Priority
        && enabled.count() > 1
        && first.is_some_and(|first| first.always_serve)
}

/// The summaries of those that `wanted` says, by name.
pub(super) fn summaries(view: &View, wanted: impl Fn(&Record) -> bool) -> Vec<Summary> {
    let published = view.published.borrow().clone();
    let listing = view.catalog.listing();
    let records = listing.profiles.values().filter(|record| wanted(record));
    records.map(|record| Summary::of(record, &published)).collect()
}
