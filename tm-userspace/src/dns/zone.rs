//! What of the zones is not in the tables: SOA and NS at the apex, and what the server says of itself. Pure, and made anew for each configuration.
//!
//! All names are in the tables, those that are no profile's too ([`Tree`](crate::compile::Tree)). A new [`ZoneView`] should be published after the tables that go with it: a zone is
//! then at no moment without its names.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use hickory_proto::rr::{
    RData, Record,
    rdata::{A, AAAA, NS},
};
use tm_common::edns::Payload;

use crate::{
    compile::{SERVER_TTL, Zone, Zones, server_addresses},
    desired::{Chaos, Desired, NameServer, Transfer},
    names::DnsName,
};

/// What of the zones is not in the tables.
#[derive(Debug)]
pub struct ZoneView {
    zones: Zones,
    /// The addresses of each name server that lies inside a zone.
    addresses: BTreeMap<DnsName, Vec<Record>>,
    /// Who may have all of it.
    transfer: Transfer,
    /// What the server says of itself.
    chaos: Chaos,
    nsid: Option<Arc<str>>,
    /// How long replies over UDP may be.
    payload: Payload,
}

impl ZoneView {
    /// The view of a configuration. `listening` are the addresses of name servers inside the zones for which none were given.
    pub fn new(desired: &Desired, listening: &[IpAddr]) -> Self {
        let zones = Zones::of(desired);
        let addresses = server_addresses(desired, &zones, listening).into_iter().map(|(name, addresses)| {
            let records = address_records(&name, &addresses);
            (name, records)
        });
        ZoneView {
            addresses: addresses.collect(),
            zones,
            transfer: desired.node.transfer.clone(),
            chaos: desired.node.sockets.chaos.clone(),
            nsid: desired.node.sockets.nsid.clone(),
            payload: desired.node.sockets.payload,
        }
    }

    /// The zones.
    pub(super) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Who may have all of it.
    pub(super) fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// What the server says of itself.
    pub(super) fn chaos(&self) -> &Chaos {
        &self.chaos
    }

    /// What the server is called, where that is to be said.
    pub(super) fn nsid(&self) -> Option<&str> {
        self.nsid.as_deref()
    }

    /// How long replies over UDP may be.
    pub(super) fn payload(&self) -> Payload {
        self.payload
    }

    /// The addresses of name servers in the zones.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Record> {
        self.addresses.values().flatten()
    }

    /// A zone's NS records, and the addresses that go with them.
    pub(super) fn servers(&self, zone: &Zone) -> (Vec<Record>, Vec<Record>) {
        let addresses = zone.servers.iter().filter_map(|server| self.addresses.get(&server.name));
        (server_records(zone), addresses.flatten().cloned().collect())
    }
}

/// A zone's NS records.
pub(super) fn server_records(zone: &Zone) -> Vec<Record> {
    let apex = zone.name.to_hickory();
    let record = |server: &NameServer| {
        Record::from_rdata(apex.clone(), SERVER_TTL, RData::NS(NS(server.name.to_hickory())))
    };
    zone.servers.iter().map(record).collect()
}

fn address_records(name: &DnsName, addresses: &[IpAddr]) -> Vec<Record> {
    let record = |address: &IpAddr| {
        let data = match address {
            IpAddr::V4(address) => RData::A(A(*address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(*address)),
        };
        Record::from_rdata(name.to_hickory(), SERVER_TTL, data)
    };
    addresses.iter().map(record).collect()
}
