//! What the operator wants: the node's settings and the profiles, checked and whole.
//!
//! Nothing past this type looks at how it was written down. Values are in range by construction of their one maker, `config`.
//! Words are those of Azure Traffic Manager.

use std::sync::Arc;

use imbl::OrdMap;

use crate::geo::{Atlas, Overrides};

mod cookies;
mod endpoint;
mod monitor;
mod node;
mod profile;
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
pub use endpoint::{Endpoint, EndpointKey, MinChild, Target};
pub use monitor::{Monitor, Protocol};
pub use node::{Api, Listen, NameServer, Node, Probes, Scope, Soa, XdpMode, Zone};
pub use profile::{Profile, RoutingMethod, Status};
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

impl Desired {
    /// Every endpoint with its profile.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointKey, &Arc<Profile>, &Arc<Endpoint>)> {
        self.profiles.values().flat_map(|profile| {
            profile.endpoints.iter().map(move |endpoint| (profile.key(endpoint), profile, endpoint))
        })
    }
}
