//! The octets of answers: what the wire carries behind the question.
//!
//! Names are compressed against the question, the only name an answer can count on ([RFC 1035, section 4.1.4]).
//!
//! [RFC 1035, section 4.1.4]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1.4

use std::{net::IpAddr, sync::Arc};

use hickory_proto::rr::RecordType;

use super::{Given, Records, SERVER_TTL, Zone, Zones};
use crate::{
    desired::{EndpointKey, Profile, Target},
    names::DnsName,
};

/// Where the question's name begins in a message.
const QUESTION: usize = 12;
/// Octets of records that the tables hold.
const MOST_OCTETS: usize = 1008;
const IN: u16 = 1;
const NOERROR: u16 = 0;
/// The RCODE that says that there is no such name.
pub const NXDOMAIN: u16 = 3;

/// What one answer holds, in octets: CNAME records that were followed, then the A, AAAA or CNAME records of endpoints, or the SOA where there are none. It counts for
/// whoever led to them, else for all in it. Where what was followed makes it longer than the tables hold, it is the first CNAME alone.
pub fn records_of(profile: &Profile, given: &Given<'_>, zones: &Zones) -> Records {
    let question = &profile.dns_name;
    let (mut octets, mut owner) = (vec![], profile);
    for (link, to) in &given.links {
        put_record(&mut octets, owner, &link.endpoint.target, question);
        owner = to;
    }
    for leaf in &given.leaves {
        put_record(&mut octets, owner, &leaf.endpoint.target, question);
    }
    if given.leaves.is_empty() {
        octets.extend(&*nodata(question, owner.ttl, zones.around(&owner.dns_name)).octets);
    }
    if let Some((link, _)) = given.links.first().filter(|_| octets.len() > MOST_OCTETS) {
        return records_of(profile, &Given { links: vec![], leaves: vec![link] }, zones);
    }
    let counts_for: Arc<[EndpointKey]> = match given.links.first() {
        Some((link, _)) => [link.key()].into(),
        None => given.leaves.iter().map(|leaf| leaf.key()).collect(),
    };
    let answers = (given.links.len() + given.leaves.len()) as u16;
    Records {
        octets: octets.into(),
        answers,
        authorities: given.leaves.is_empty().into(),
        code: NOERROR,
        one_in: if profile.traffic_view && !counts_for.is_empty() { zones.one_in() } else { 0 },
        counts_for,
    }
}

fn put_record(octets: &mut Vec<u8>, owner: &Profile, target: &Target, question: &DnsName) {
    let (kind, data) = match target {
        Target::V4(address) => (RecordType::A, address.octets().to_vec()),
        Target::V6(address) => (RecordType::AAAA, address.octets().to_vec()),
        Target::Name(name) => (RecordType::CNAME, compressed(name, question)),
        // A leaf is never nested.
        Target::Profile(_) => return,
    };
    match data.len() {
        // The shortest records that the tables hold have 16 octets.
        0..4 => octets.extend(owner.dns_name.wire()),
        _ => octets.extend(compressed(&owner.dns_name, question)),
    }
    put_data(octets, kind, owner.ttl, &data);
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
    Records { octets: octets.into(), answers: 0, authorities: 1, code, counts_for: [].into(), one_in: 0 }
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
