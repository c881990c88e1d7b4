//! An endpoint: what it answers with, and to whom.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use hickory_proto::rr::RecordType;

use super::{Monitor, Record, Service, ServiceState, Status, Subnet};
use crate::{
    geo::{Code, Region},
    names::DnsName,
};

/// One candidate answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Unique in its profile without regard to case.
    pub name: Arc<str>,
    /// What it answers with.
    pub target: Target,
    /// Operator's switch.
    pub status: Status,
    /// 1 to 1000, unique in the profile; lower is preferred.
    pub priority: u16,
    /// 0 to 1000; 0 drains: never picked while another one is up.
    pub weight: u16,
    /// Never probed, always eligible; never of a nested endpoint.
    pub always_serve: bool,
    /// What it stands for, of the inventory: the target is that service's.
    pub service: Option<Arc<Service>>,
    /// The profile whose name the target is, or whose wildcard has it: its answer is given behind the CNAME.
    pub follows: Option<Arc<str>>,
    /// How many of the target profile's endpoints a nested endpoint needs.
    pub min_child: MinChild,
    /// How it is probed, where not as its profile says; never of a nested endpoint.
    pub monitor: Option<Arc<Monitor>>,
    /// Subnet: the clients it answers; empty for those that no endpoint's ranges have. Geographic and Performance: clients it answers wherever they are. Ranges of a
    /// profile lie apart or inside one another.
    pub subnets: Vec<Subnet>,
    /// Geographic: the codes whose clients it answers, each of them of one endpoint of the profile.
    pub geo_mapping: Vec<Code>,
    /// Performance: the region it is in, or near to.
    pub location: Option<Region>,
    /// What the name has beside addresses while it answers; of no use where its target is a name.
    pub records: Vec<Record>,
}

/// How many endpoints of a nested endpoint's target must be available for it to be so itself; all three must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinChild {
    /// Of any kind, 1 to 1000.
    pub endpoints: u16,
    /// That can answer with an IPv4 address, 0 to 1000.
    pub ipv4: u16,
    /// That can answer with an IPv6 address, 0 to 1000.
    pub ipv6: u16,
}

/// What an endpoint answers with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A CNAME to this name.
    Name(DnsName),
    /// An A record.
    V4(Ipv4Addr),
    /// An AAAA record.
    V6(Ipv6Addr),
    /// Whatever this profile answers with: a nested endpoint. The name is as that profile has it, and the profile is there.
    Profile(Arc<str>),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Name(name) => name.fmt(f),
            Target::V4(address) => address.fmt(f),
            Target::V6(address) => address.fmt(f),
            Target::Profile(name) => name.fmt(f),
        }
    }
}

/// An endpoint among all profiles: profile name and endpoint name, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointKey {
    /// The profile's name.
    pub profile: Arc<str>,
    /// The endpoint's name.
    pub endpoint: Arc<str>,
}

impl fmt::Display for EndpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.profile, self.endpoint)
    }
}

impl Endpoint {
    /// Does it carry records of this type?
    pub fn has(&self, kind: RecordType) -> bool {
        self.records.iter().any(|record| record.kind == kind)
    }

    /// Is it a service that is stopped?
    pub fn is_stopped(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.state == ServiceState::Stopped)
    }
}
