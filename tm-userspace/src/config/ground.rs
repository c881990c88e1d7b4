//! What every profile is checked against, whoever wrote it.

use crate::{desired::Services, names::DnsName};

use super::defaults;

/// The node's rules and its inventory, as far as a profile by itself depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    /// The root where the node has no zone that is right.
    pub(super) zone: DnsName,
    pub(super) least_weight: u16,
    /// Is a database named that says where clients are? So it is taken to be where the file cannot be read.
    pub(super) has_database: bool,
    pub(super) services: Services,
}

impl Default for Ground {
    fn default() -> Self {
        Ground {
            zone: DnsName::root(),
            least_weight: defaults::LEAST_WEIGHT,
            has_database: true,
            services: Services::new(),
        }
    }
}
