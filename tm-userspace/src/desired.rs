//! What the operator wants: the node's settings and the profiles, checked and whole.
//!
//! Nothing past this type looks at how it was written down. Values are in range by construction of their one maker, `config`.
//! Words are those of Azure Traffic Manager.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use hickory_proto::rr::RecordType;
use imbl::OrdMap;

use crate::{
    geo::{Atlas, Code, Overrides, Region},
    names::DnsName,
};

mod cookies;
mod monitor;
mod rate_limit;
mod record;
mod rules;
mod sampling;
mod service;
mod sockets;
mod subnet;
mod transfer;
mod webhook;

pub use cookies::Cookies;
pub use monitor::{Monitor, Protocol};
pub use rate_limit::{Arming, Limit, RateLimit};
pub use record::Record;
pub use rules::{Allowance, Failback, Guard, Rules, WhenAllDown};
pub use sampling::{Dnstap, Sampling};
pub use service::{Service, ServiceKind, ServiceState, Services};
pub use sockets::{Chaos, Doh, Dot, Sockets, Tcp};
pub use subnet::Subnet;
pub use transfer::{Secondary, Transfer, TsigAlgorithm, TsigKey};
pub use webhook::Webhook;

/// Profiles by name.
pub type Profiles = OrdMap<Arc<str>, Arc<Profile>>;

/// One whole wanted state.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Grows with each state that was accepted. It is also the SOA serial, so it begins at the seconds since 1970 and stays ahead of
    /// what an earlier run may have published.
    pub generation: u64,
    /// This node.
    pub node: Arc<Node>,
    /// By profile name.
    pub profiles: Profiles,
    /// What endpoints are picked from.
    pub services: Services,
    /// Where clients are, if a database is named.
    pub atlas: Option<Arc<Atlas>>,
    /// What is known better than guessed of how far clients are from Azure's regions.
    pub overrides: Arc<Overrides>,
}

/// Settings of this node (`tm.toml`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The zone that relative names are in.
    pub default_zone: Zone,
    /// The others.
    pub more_zones: Vec<Zone>,
    /// Where the daemon keeps what must outlive it.
    pub state_dir: PathBuf,
    /// Where to answer.
    pub listen: Listen,
    /// How connections are treated.
    pub sockets: Sockets,
    /// Whether clients are given cookies.
    pub cookies: Cookies,
    /// How many answers one prefix of clients is given.
    pub rate_limit: RateLimit,
    /// Who may have the zone as a whole.
    pub transfer: Transfer,
    /// Targets that may be probed though they are loopback, link-local or the like.
    pub probes: Probes,
    /// How many names the kernel's tables hold, at most 16,777,216; 0 for as many as needed.
    pub capacity: u32,
    /// Where profiles belong that do not say.
    pub scope: Scope,
    /// The HTTPS listener, if there is to be one.
    pub api: Option<Api>,
    /// Where anybody may read the metrics, if that is to be.
    pub metrics: Option<SocketAddr>,
    /// Who is told of what happens.
    pub webhooks: Vec<Webhook>,
    /// What is told of answers.
    pub sampling: Sampling,
    /// Who is told of messages, octet by octet.
    pub dnstap: Option<Dnstap>,
}

impl Node {
    /// The zone that relative names are in.
    pub fn zone(&self) -> &Zone {
        &self.default_zone
    }

    /// All zones, that of relative names first.
    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        [&self.default_zone].into_iter().chain(&self.more_zones)
    }

    /// Is a name in one of the zones?
    pub fn has_zone_of(&self, name: &DnsName) -> bool {
        self.zones().any(|zone| name.is_within(&zone.name))
    }

    /// Is it the name of a name server?
    pub fn is_server(&self, name: &DnsName) -> bool {
        self.zones().flat_map(|zone| &zone.name_servers).any(|server| server.name == *name)
    }
}

/// A suffix that we are authoritative for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its apex.
    pub name: DnsName,
    /// Its name servers, the first of them the SOA's primary; never empty.
    pub name_servers: Vec<NameServer>,
    /// The rest of its SOA.
    pub soa: Soa,
}

/// Where a profile belongs in Azure's order of things: it says who may manage it, and nothing about how it is answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// A subscription's id, as written.
    pub subscription: Arc<str>,
    /// A resource group's name, as written.
    pub resource_group: Arc<str>,
}

impl Scope {
    /// Are both names the same without regard to case?
    pub fn is(&self, other: &Scope) -> bool {
        self.subscription.eq_ignore_ascii_case(&other.subscription)
            && self.resource_group.eq_ignore_ascii_case(&other.resource_group)
    }
}

/// The HTTPS listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where.
    pub listen: SocketAddr,
    /// The certificate chain, PEM.
    pub tls_cert: PathBuf,
    /// Its key, PEM.
    pub tls_key: PathBuf,
    /// Are the two the daemon's own, to be made where they are not there?
    pub tls_own: bool,
    /// Do Azure's own limits hold at the face of its clients?
    pub azure_limits: bool,
    /// Certificates of those who sign the clients', PEM; none where clients need no certificate.
    pub client_ca: Option<PathBuf>,
    /// A session of the portal ends when nothing was asked in it for so long.
    pub session_idle: Duration,
    /// A session of the portal ends so long after its begin.
    pub session_lifetime: Duration,
}

/// A name server of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its name.
    pub name: DnsName,
    /// Its addresses where it lies inside one of the zones and they were given; a server inside a zone without any answers with the addresses listened on.
    pub addresses: Vec<IpAddr>,
}

/// SOA fields that are the operator's ([RFC 1035, section 3.3.13](https://www.rfc-editor.org/rfc/rfc1035#section-3.3.13)); times in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// RNAME.
    pub mailbox: DnsName,
    /// REFRESH.
    pub refresh: u32,
    /// RETRY.
    pub retry: u32,
    /// EXPIRE.
    pub expire: u32,
    /// MINIMUM: the TTL of negative answers.
    pub minimum: u32,
}

/// Where and how packets are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Interfaces whose addresses are served and on which the program is loaded; may be empty where `addresses` is not.
    pub interfaces: Vec<String>,
    /// Narrows the addresses of the interfaces; empty for all of them.
    pub addresses: Vec<IpAddr>,
    /// UDP and TCP port.
    pub port: u16,
    /// How the program is attached.
    pub mode: XdpMode,
    /// VLAN ids (0 to 4094) whose frames are answered besides untagged ones.
    pub vlans: Vec<u16>,
    /// Whether the program looks up in the kernel's routing table which way a reply goes, and does not send it back to whoever has sent the frame.
    pub route_lookup: bool,
    /// A directory on a BPF file system, for what is to answer on when the daemon is gone.
    pub pins: PathBuf,
    /// Whether the program goes on answering after an orderly stop, as it does after a crash.
    pub keep: bool,
}

/// How the XDP program is attached to an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdpMode {
    /// In the driver where it can, else generic.
    Auto,
    /// In the driver or not at all.
    Native,
    /// In the kernel's generic hook.
    Generic,
    /// Not at all: sockets answer everything.
    Off,
}

/// Guards on what may be probed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Prefixes (address, length) that may be probed besides those that always may.
    pub allow: Vec<(IpAddr, u8)>,
}

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
    /// The profile whose name the target is: its answer is given behind the CNAME.
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

impl Profile {
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

impl Desired {
    /// Every endpoint with its profile.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointKey, &Arc<Profile>, &Arc<Endpoint>)> {
        self.profiles.values().flat_map(|profile| {
            profile.endpoints.iter().map(move |endpoint| (profile.key(endpoint), profile, endpoint))
        })
    }
}
