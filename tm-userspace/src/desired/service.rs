//! The inventory of services: what endpoints of type `azure` stand for.

use std::sync::Arc;

use imbl::OrdMap;

use super::Target;

/// Services by [`Service::key`] of their id.
pub type Services = OrdMap<Arc<str>, Arc<Service>>;

/// A service that serves content: a public address, a web app, a hosted service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its resource id, as written.
    pub id: Arc<str>,
    /// What it is.
    pub kind: ServiceKind,
    /// What people call it.
    pub name: Arc<str>,
    /// Where it serves: never a profile.
    pub target: Target,
    /// The region that it is in, as written.
    pub location: Option<Arc<str>>,
    /// Does it serve?
    pub state: ServiceState,
}

/// What a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// An address of a machine or a load balancer.
    PublicIp,
    /// An application that is hosted.
    WebApp,
    /// A hosted service of the older kind.
    CloudService,
    /// Anything else.
    Other,
}

/// What the operator says of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It serves.
    Running,
    /// It does not, by intent: its endpoints are Stopped.
    Stopped,
}

impl Service {
    /// The same for all spellings of an id.
    pub fn key(id: &str) -> Arc<str> {
        id.to_lowercase().into()
    }
}

impl ServiceKind {
    /// As it is written in files.
    pub fn label(self) -> &'static str {
        match self {
            ServiceKind::PublicIp => "public_ip",
            ServiceKind::WebApp => "web_app",
            ServiceKind::CloudService => "cloud_service",
            ServiceKind::Other => "other",
        }
    }

    /// The type that Azure's resource ids have for it.
    pub fn resource_type(self) -> &'static str {
        match self {
            ServiceKind::PublicIp => "Microsoft.Network/publicIPAddresses",
            ServiceKind::WebApp => "Microsoft.Web/sites",
            ServiceKind::CloudService => "Microsoft.ClassicCompute/domainNames",
            ServiceKind::Other => "Microsoft.Resources/services",
        }
    }
}

impl ServiceState {
    /// As it is written in files.
    pub fn label(self) -> &'static str {
        match self {
            ServiceState::Running => "running",
            ServiceState::Stopped => "stopped",
        }
    }
}
