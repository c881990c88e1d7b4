//! This node: where it answers, which zones it has authority for, and what surrounds that.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::{Cookies, Dnstap, RateLimit, Sampling, Sockets, Transfer, Webhook};
use crate::names::DnsName;

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
