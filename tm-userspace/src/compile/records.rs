//! The octets of answers: what the wire carries behind the question.
//!
//! Names are compressed against the question, the only name an answer can count on ([RFC 1035, section 4.1.4]).
//!
//! [RFC 1035, section 4.1.4]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1.4

use std::{net::IpAddr, sync::Arc};

use hickory_proto::rr::RecordType;
use tm_common::tables::{LEAST_OCTETS, MOST_OCTETS};

use super::{Given, Nothing, Question, Records, SERVER_TTL, Tree, Zone};
use crate::{
    decide::Leaf,
    desired::{EndpointKey, Profile, Record, Target},
    names::DnsName,
};

/// Where the question's name begins in a message.
const QUESTION: usize = 12;
const IN: u16 = 1;
pub(super) const NOERROR: u16 = 0;
/// The RCODE that says that there is no such name.
pub const NXDOMAIN: u16 = 3;

/// What one answer holds, in octets: CNAME records that were followed, then the A, AAAA or CNAME records of endpoints, or what is carried of the type asked for, or the SOA where there are none. A CNAME that leads to a name of ours which has nothing comes with the SOA
/// and the RCODE of that name ([RFC 6604, section 3]). It counts for whoever led to them, else for all in it; where the last name does not exist, for nobody. Where it is longer than the tables hold, it is the first CNAME alone, or has fewer endpoints; where it is shorter, its owner is spelled out, or the zone's name servers come with it.
///
/// [RFC 6604, section 3]: https://www.rfc-editor.org/rfc/rfc6604#section-3
pub fn records_of(profile: &Profile, asked: Question, given: &Given<'_>, tree: &Tree) -> Records {
    let zones = tree.zones();
    let question = &profile.dns_name;
    let (mut octets, mut owner) = (vec![], profile);
    for (link, to) in &given.links {
        put_record(&mut octets, owner, &link.endpoint.target, question);
        owner = to;
    }
    let count = match carried_type(asked, owner, given) {
        Some(kind) => put_carried(&mut octets, owner, &given.leaves, kind, question),
        None => {
            for leaf in &given.leaves {
                put_record(&mut octets, owner, &leaf.endpoint.target, question);
            }
            given.leaves.len()
        }
    };
    let mut authorities = u16::from(count == 0);
    if count == 0 {
        octets.extend(&*nodata(question, owner.ttl, zones.around(&owner.dns_name)).octets);
    }
    let mut code = NOERROR;
    if let Some(Nothing { code: told, ttl, zone }) = nothing_behind(asked, given, tree) {
        let soa = nodata(question, ttl, zone).octets;
        // Where there is no room for it, the client is told when it asks for that name.
        if octets.len() + soa.len() <= MOST_OCTETS {
            octets.extend(&*soa);
            (authorities, code) = (1, told);
        }
    }
    // One record whose owner points to the question. That is spelled out, unless it is not known.
    if octets.len() < LEAST_OCTETS && question.without_asterisk().is_none() {
        octets.splice(..2, question.wire().iter().copied());
    }
    if octets.len() < LEAST_OCTETS {
        authorities += put_servers(&mut octets, zones.around(question), question);
    }
    if let Some((link, _)) = given.links.first().filter(|_| octets.len() > MOST_OCTETS) {
        return records_of(profile, asked, &Given { links: vec![], leaves: vec![link] }, tree);
    }
    if let Some((_, fewer)) = given.leaves.split_last().filter(|_| octets.len() > MOST_OCTETS) {
        return records_of(profile, asked, &Given { links: vec![], leaves: fewer.to_vec() }, tree);
    }
    let counts_for: Arc<[EndpointKey]> = match given.links.first() {
        _ if code == NXDOMAIN => [].into(),
        Some((link, _)) => [link.key()].into(),
        None => given.leaves.iter().map(|leaf| leaf.key()).collect(),
    };
    Records {
        octets: octets.into(),
        answers: (given.links.len() + count) as u16,
        authorities,
        code,
        one_in: if profile.traffic_view && !counts_for.is_empty() { zones.one_in() } else { 0 },
        is_stale: zones.tells_stale() && given.leaves.iter().any(|leaf| leaf.is_down),
        counts_for,
    }
}

/// What a name of ours has to which the last CNAME leads, where that is nothing; who asks for the CNAME is not led there.
fn nothing_behind<'a>(asked: Question, given: &Given<'_>, tree: &'a Tree) -> Option<Nothing<'a>> {
    match &given.leaves.last()?.endpoint.target {
        Target::Name(name) if !asked.takes_cname() => tree.nothing_at(name),
        _ => None,
    }
}

/// The type of which an answer gives what is carried, if it does: that asked for, unless a CNAME answers; of ANY the first there is, where nobody has an address.
fn carried_type(asked: Question, owner: &Profile, given: &Given<'_>) -> Option<RecordType> {
    let is_name = |leaf: &&Leaf| matches!(leaf.endpoint.target, Target::Name(_));
    match asked {
        Question::Type(kind) => (!given.leaves.iter().any(is_name)).then_some(kind),
        Question::Any if given.leaves.is_empty() => owner.records.first().map(|record| record.kind),
        _ => None,
    }
}

/// What the owner and who answers for it carry of a type, each once, and the least of the TTLs, which all have.
pub fn carried<'a>(owner: &'a Profile, leaves: &[&'a Leaf], kind: RecordType) -> (u32, Vec<&'a Record>) {
    let of_leaves = leaves.iter().flat_map(|leaf| &leaf.endpoint.records);
    let mut carried: Vec<&Record> = vec![];
    for record in owner.records.iter().chain(of_leaves).filter(|record| record.kind == kind) {
        if !carried.iter().any(|known| known.data == record.data) {
            carried.push(record);
        }
    }
    let ttl = carried.iter().map(|record| record.ttl.unwrap_or(owner.ttl)).min();
    (ttl.unwrap_or(owner.ttl), carried)
}

/// Puts one RRset, gives the number of its records.
fn put_carried(
    octets: &mut Vec<u8>,
    owner: &Profile,
    leaves: &[&Leaf],
    kind: RecordType,
    question: &DnsName,
) -> usize {
    let (ttl, records) = carried(owner, leaves, kind);
    for record in &records {
        octets.extend(compressed(&owner.dns_name, question));
        put_data(octets, kind, ttl, &record.data);
    }
    records.len()
}

fn put_record(octets: &mut Vec<u8>, owner: &Profile, target: &Target, question: &DnsName) {
    let (kind, data) = match target {
        Target::V4(address) => (RecordType::A, address.octets().to_vec()),
        Target::V6(address) => (RecordType::AAAA, address.octets().to_vec()),
        Target::Name(name) => (RecordType::CNAME, compressed(name, question)),
        // A leaf is never nested.
        Target::Profile(_) => return,
    };
    octets.extend(compressed(&owner.dns_name, question));
    put_data(octets, kind, owner.ttl, &data);
}

/// Puts the NS records of a zone, gives their number: they may come with any answer from it, and one of them makes it long enough for the tables.
fn put_servers(octets: &mut Vec<u8>, zone: &Zone, question: &DnsName) -> u16 {
    for server in zone.servers.iter() {
        octets.extend(compressed(&zone.name, question));
        put_data(octets, RecordType::NS, SERVER_TTL, &compressed(&server.name, question));
    }
    zone.servers.len() as u16
}

/// "The name exists, but not with this type": the zone's SOA. It may be kept for the lesser of MINIMUM ([RFC 2308, section 5]) and the profile's TTL, so that a
/// client that asked at the wrong moment does not miss a failover.
///
/// [RFC 2308, section 5]: https://www.rfc-editor.org/rfc/rfc2308#section-5
pub fn nodata(question: &DnsName, ttl: u32, zone: &Zone) -> Records {
    negative(|name| compressed(name, question), NOERROR, ttl, zone)
}

/// "There is no such name": the SOA likewise. It is the same for all names of the zone, so nothing in it points to where the question has what.
pub(super) fn nxdomain(ttl: u32, zone: &Zone) -> Records {
    negative(|name| name.wire().to_vec(), NXDOMAIN, ttl, zone)
}

fn negative(written: impl Fn(&DnsName) -> Vec<u8>, code: u16, ttl: u32, zone: &Zone) -> Records {
    let mut octets = written(&zone.name);
    let mut data = written(zone.primary());
    data.extend(written(&zone.soa.mailbox));
    for field in [zone.serial, zone.soa.refresh, zone.soa.retry, zone.soa.expire, zone.soa.minimum] {
        data.extend(field.to_be_bytes());
    }
    put_data(&mut octets, RecordType::SOA, zone.soa.minimum.min(ttl), &data);
    Records {
        octets: octets.into(),
        answers: 0,
        authorities: 1,
        code,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
    }
}

/// The addresses of a name server, all of one family.
pub(super) fn addresses(name: &DnsName, addresses: &[IpAddr]) -> Records {
    let mut octets = vec![];
    for address in addresses {
        octets.extend(compressed(name, name));
        match address {
            IpAddr::V4(address) => put_data(&mut octets, RecordType::A, SERVER_TTL, &address.octets()),
            IpAddr::V6(address) => put_data(&mut octets, RecordType::AAAA, SERVER_TTL, &address.octets()),
        }
    }
    let answers = addresses.len() as u16;
    Records {
        octets: octets.into(),
        answers,
        authorities: 0,
        code: NOERROR,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
    }
}

/// Type, class, TTL and data of a record whose owner has just been put.
fn put_data(octets: &mut Vec<u8>, kind: RecordType, ttl: u32, data: &[u8]) {
    octets.extend(u16::from(kind).to_be_bytes());
    octets.extend(IN.to_be_bytes());
    octets.extend(ttl.to_be_bytes());
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
}

/// A name in full, or up to where the rest of it stands in the question. Of a wildcard's question no more is known than where it begins.
fn compressed(name: &DnsName, question: &DnsName) -> Vec<u8> {
    if name != question && question.without_asterisk().is_some() {
        return name.wire().to_vec();
    }
    let mut octets = vec![];
    for suffix in name.suffixes() {
        if suffix.len() > 1
            && let Some(known) = question.suffixes().find(|known| *known == suffix)
        {
            let at = QUESTION + question.wire().len() - known.len();
            octets.extend((0xc000 | at as u16).to_be_bytes());
            return octets;
        }
        octets.extend(&suffix[..=usize::from(suffix[0])]);
    }
    octets
}
