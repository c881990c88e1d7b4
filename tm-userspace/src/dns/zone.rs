//! The names of the zones that are no profile's, and what they have: pure, and made anew for each configuration.
//!
//! Profiles that answer are in the tables and not here, so that a hundred thousand of them cost only a look at each. A new [`ZoneView`] should be
//! published after the tables that go with it: a name is then at no moment in neither.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use hickory_proto::rr::{
    RData, Record, RecordType,
    rdata::{A, AAAA, NS},
};
use tm_common::edns::Payload;

use crate::{
    compile::{SERVER_TTL, Zone, Zones, server_addresses},
    decide::exists,
    desired::{Chaos, Desired, NameServer, Transfer},
    names::DnsName,
};

/// What of the zones is not in the tables.
#[derive(Debug)]
pub struct ZoneView {
    zones: Zones,
    /// The addresses of each name server that lies inside a zone.
    addresses: BTreeMap<DnsName, Vec<Record>>,
    /// Names that have nothing of their own, but names below them that have.
    above: HashSet<DnsName>,
    /// Seconds that "no such name" may be kept where it is a profile's that does not answer.
    absent: HashMap<DnsName, u32>,
    /// Who may have all of it.
    transfer: Transfer,
    /// What the server says of itself.
    chaos: Chaos,
    nsid: Option<Arc<str>>,
    /// How long replies over UDP may be.
    payload: Payload,
}

/// What a zone has for a question.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Its SOA.
    Soa,
    /// Its NS records.
    Servers,
    /// Addresses of one of its name servers, all of one type.
    Addresses(Vec<Record>),
    /// The name, but nothing of this type; to be kept for so many seconds at most.
    NoData(u32),
    /// No such name; to be kept for so many seconds at most.
    NoName(u32),
}

impl ZoneView {
    /// The view of a configuration. `listening` are the addresses of name servers inside the zones for which none were given.
    pub fn new(desired: &Desired, listening: &[IpAddr]) -> Self {
        let mut view = ZoneView {
            zones: Zones::of(desired),
            addresses: BTreeMap::new(),
            above: HashSet::new(),
            absent: HashMap::new(),
            transfer: desired.node.transfer.clone(),
            chaos: desired.node.sockets.chaos.clone(),
            nsid: desired.node.sockets.nsid.clone(),
            payload: desired.node.sockets.payload,
        };
        for zone in desired.node.zones() {
            view.add_above(&zone.name);
        }
        for (name, addresses) in server_addresses(desired, &view.zones, listening) {
            view.add_above(&name);
            let records = address_records(&name, &addresses);
            view.addresses.insert(name, records);
        }
        for profile in desired.profiles.values() {
            match exists(profile) {
                true => view.add_above(&profile.dns_name),
                false => _ = view.absent.insert(profile.dns_name.clone(), profile.ttl),
            }
        }
        view
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

    /// What there is of `kind`, a type of data or ANY, at a name in `zone` that is not in the tables.
    pub(super) fn find(&self, zone: &Zone, name: &DnsName, kind: RecordType) -> Found {
        let is_apex = *name == zone.name;
        match kind {
            // RFC 8482, section 4.1: one of the RRsets is enough.
            RecordType::SOA | RecordType::ANY if is_apex => return Found::Soa,
            RecordType::NS if is_apex => return Found::Servers,
            _ => {}
        }
        let ttl = self.absent.get(name).copied().unwrap_or(zone.soa.minimum);
        match self.addresses.get(name) {
            Some(addresses) => match of_kind(addresses, kind) {
                none if none.is_empty() => Found::NoData(ttl),
                some => Found::Addresses(some),
            },
            None if is_apex || self.above.contains(name) => Found::NoData(ttl),
            None => Found::NoName(ttl),
        }
    }

    /// A zone's NS records, and the addresses that go with them.
    pub(super) fn servers(&self, zone: &Zone) -> (Vec<Record>, Vec<Record>) {
        let addresses = zone.servers.iter().filter_map(|server| self.addresses.get(&server.name));
        (server_records(zone), addresses.flatten().cloned().collect())
    }

    /// Notes the names between an existing name and the apex of the highest zone that it is in.
    fn add_above(&mut self, name: &DnsName) {
        let Some(apex) = self.zones.highest(name).map(|zone| zone.name.clone()) else { return };
        for suffix in name.suffixes().skip(1).take_while(|suffix| suffix.len() > apex.wire().len()) {
            // Where a name is known, so are those above it.
            if !self.above.insert(DnsName::from_wire(suffix)) {
                break;
            }
        }
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

/// The records of one type; for ANY, of the first of A and AAAA that there is.
fn of_kind(addresses: &[Record], kind: RecordType) -> Vec<Record> {
    let of = |kind| addresses.iter().filter(|record| record.record_type() == kind).cloned().collect();
    match kind {
        RecordType::A | RecordType::AAAA => of(kind),
        RecordType::ANY => match of(RecordType::A) {
            none if none.is_empty() => of(RecordType::AAAA),
            some => some,
        },
        _ => vec![],
    }
}
