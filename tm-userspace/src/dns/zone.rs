//! The names of the zone that are no profile's, and what they have: pure, and made anew for each configuration.
//!
//! Profiles that answer are in the tables and not here, so that a hundred thousand of them cost only a look at each. A new [`ZoneView`] should be
//! published after the tables that go with it: a name is then at no moment in neither.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hickory_proto::rr::{
    RData, Record, RecordType,
    rdata::{A, AAAA, NS},
};

use crate::{
    compile::Zone,
    decide::exists,
    desired::{Chaos, Desired, NameServer, Transfer},
    names::DnsName,
};

/// Seconds that the zone's NS records and its servers' addresses may be kept.
const SERVER_TTL: u32 = 3600;

/// What of the zone is not in the tables.
#[derive(Debug)]
pub struct ZoneView {
    zone: Zone,
    /// The apex's NS records.
    servers: Vec<Record>,
    /// The addresses of each name server that lies inside the zone.
    addresses: HashMap<DnsName, Vec<Record>>,
    /// Names that have nothing of their own, but names below them that have.
    above: HashSet<DnsName>,
    /// Seconds that "no such name" may be kept where it is a profile's that does not answer.
    absent: HashMap<DnsName, u32>,
    /// Who may have all of it.
    transfer: Transfer,
    /// What the server says of itself.
    chaos: Chaos,
}

/// What the zone has for a question.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Not in the zone.
    Outside,
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
    /// The view of a configuration. `listening` are the addresses of name servers inside the zone for which none were given.
    pub fn new(desired: &Desired, listening: &[IpAddr]) -> Self {
        let node = &desired.node;
        let mut view = ZoneView {
            zone: Zone::of(node, desired.generation),
            servers: vec![],
            addresses: HashMap::new(),
            above: HashSet::new(),
            absent: HashMap::new(),
            transfer: node.transfer.clone(),
            chaos: node.sockets.chaos.clone(),
        };
        let reachable = reachable(listening);
        let apex = node.zone.to_hickory();
        for server in &node.name_servers {
            let data = RData::NS(NS(server.name.to_hickory()));
            view.servers.push(Record::from_rdata(apex.clone(), SERVER_TTL, data));
            if server.name.is_within(&node.zone) {
                view.addresses.insert(server.name.clone(), address_records(server, &reachable));
                view.add_above(&server.name);
            }
        }
        for profile in desired.profiles.values() {
            match exists(profile) {
                true => view.add_above(&profile.dns_name),
                false => _ = view.absent.insert(profile.dns_name.clone(), profile.ttl),
            }
        }
        view
    }

    /// The zone's name and SOA.
    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Who may have all of it.
    pub(super) fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// What the server says of itself.
    pub(super) fn chaos(&self) -> &Chaos {
        &self.chaos
    }

    /// The apex's NS records and the addresses of name servers in the zone.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.servers.iter().chain(self.addresses.values().flatten())
    }

    /// What there is of `kind`, a type of data or ANY, at a name that is not in the tables.
    pub(super) fn find(&self, name: &DnsName, kind: RecordType) -> Found {
        if !name.is_within(&self.zone.name) {
            return Found::Outside;
        }
        let is_apex = *name == self.zone.name;
        match kind {
            // RFC 8482, section 4.1: one of the RRsets is enough.
            RecordType::SOA | RecordType::ANY if is_apex => return Found::Soa,
            RecordType::NS if is_apex => return Found::Servers,
            _ => {}
        }
        let ttl = self.absent.get(name).copied().unwrap_or(self.zone.soa.minimum);
        match self.addresses.get(name) {
            Some(addresses) => match of_kind(addresses, kind) {
                none if none.is_empty() => Found::NoData(ttl),
                some => Found::Addresses(some),
            },
            None if is_apex || self.above.contains(name) => Found::NoData(ttl),
            None => Found::NoName(ttl),
        }
    }

    /// The apex's NS records, and the addresses that go with them.
    pub(super) fn servers(&self) -> (&[Record], Vec<Record>) {
        let names = self.servers.iter().filter_map(|server| match &server.data {
            RData::NS(name) => Some(&name.0),
            _ => None,
        });
        let addresses = names.flat_map(|name| {
            self.addresses.values().flatten().filter(move |address| address.name == *name).cloned()
        });
        (&self.servers, addresses.collect())
    }

    /// Notes the names between an existing name and the apex.
    fn add_above(&mut self, name: &DnsName) {
        let apex = &self.zone.name;
        for suffix in name.suffixes().skip(1).take_while(|suffix| *suffix != apex.wire()) {
            // Where a name is known, so are those above it.
            if !self.above.insert(DnsName::from_wire(suffix)) {
                break;
            }
        }
    }
}

/// What others can reach of the addresses listened on: never link-local ones, loopback ones only where there is nothing else.
fn reachable(listening: &[IpAddr]) -> Vec<IpAddr> {
    let here = |address: &&IpAddr| {
        !address.is_unspecified()
            && !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
            && !matches!(address, IpAddr::V4(address) if address.is_link_local())
    };
    let (loopback, others): (Vec<_>, Vec<_>) =
        listening.iter().filter(here).partition(|address| address.is_loopback());
    if others.is_empty() { loopback } else { others }
}

fn address_records(server: &NameServer, listening: &[IpAddr]) -> Vec<Record> {
    let addresses = if server.addresses.is_empty() { listening } else { &server.addresses };
    let record = |address: &IpAddr| {
        let data = match address {
            IpAddr::V4(address) => RData::A(A(*address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(*address)),
        };
        Record::from_rdata(server.name.to_hickory(), SERVER_TTL, data)
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
