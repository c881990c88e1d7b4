//! A profile: its name, who is chosen of its endpoints, and how they are watched.

use std::sync::Arc;

use super::{Endpoint, EndpointKey, Monitor, Record, Rules, Target, WhenAllDown};
use crate::names::DnsName;

/// One DNS name, how it is answered and how its endpoints are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the operator calls it; unique without regard to case.
    pub name: Arc<str>,
    /// The name it answers: relative name and zone, or a full name, perhaps in no zone of the configuration.
    pub dns_name: DnsName,
    /// How one endpoint is chosen.
    pub routing_method: RoutingMethod,
    /// Seconds that an answer may be kept, 0 to 2,147,483,647.
    pub ttl: u32,
    /// Operator's switch for the whole profile.
    pub status: Status,
    /// Which endpoints are let in and out of the answers, and how fast.
    pub rules: Rules,
    /// How the endpoints are probed.
    pub monitor: Arc<Monitor>,
    /// Endpoints in one answer where the method is MultiValue, 1 to 10.
    pub max_return: u8,
    /// Does Traffic View look at who is answered?
    pub traffic_view: bool,
    /// What its name has beside addresses, whoever answers.
    pub records: Vec<Record>,
    /// In the order they were written.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// How a profile chooses among its eligible endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutingMethod {
    /// The eligible endpoint of lowest priority number.
    Priority,
    /// Each eligible endpoint in proportion to its weight.
    Weighted,
    /// Several eligible endpoints in one answer.
    MultiValue,
    /// The endpoint in whose address ranges the client is.
    Subnet,
    /// The endpoint to whom the client's country, or what that lies in, is mapped.
    Geographic,
    /// The eligible endpoints in the region nearest to the client.
    Performance,
}

impl RoutingMethod {
    /// As it is written in files.
    pub fn label(self) -> &'static str {
        match self {
            RoutingMethod::Priority => "priority",
            RoutingMethod::Weighted => "weighted",
            RoutingMethod::MultiValue => "multivalue",
            RoutingMethod::Subnet => "subnet",
            RoutingMethod::Geographic => "geographic",
            RoutingMethod::Performance => "performance",
        }
    }
}

/// What the operator wants of a profile or an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Enabled,
    /// Out of use: not probed, in no answer.
    Disabled,
}

impl Profile {
    /// Does its name exist, whatever is up?
    pub fn exists(&self) -> bool {
        self.status == Status::Enabled
            && self.endpoints.iter().any(|endpoint| endpoint.status == Status::Enabled)
    }

    /// How an endpoint of this profile is probed.
    pub fn monitor_of<'a>(&'a self, endpoint: &'a Endpoint) -> &'a Arc<Monitor> {
        endpoint.monitor.as_ref().unwrap_or(&self.monitor)
    }

    /// What is probed for an endpoint of this profile: what it answers with, or what its monitor has in the place of that.
    pub fn probed_target<'a>(&'a self, endpoint: &'a Endpoint) -> &'a Target {
        self.monitor_of(endpoint).target.as_ref().unwrap_or(&endpoint.target)
    }

    /// Its last resort, by index.
    pub fn last_resort(&self) -> Option<usize> {
        let WhenAllDown::LastResort(name) = &self.rules.when_all_down else { return None };
        self.endpoints.iter().position(|endpoint| endpoint.name == *name)
    }

    /// The key of one of its endpoints.
    pub fn key(&self, endpoint: &Endpoint) -> EndpointKey {
        EndpointKey { profile: self.name.clone(), endpoint: endpoint.name.clone() }
    }
}
