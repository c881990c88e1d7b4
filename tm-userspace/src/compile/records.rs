//! The octets of answers: what the wire carries behind the question.
//!
//! Names are compressed against the question, the only name an answer can count on ([RFC 1035, section 4.1.4]).
//!
//! [RFC 1035, section 4.1.4]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1.4

use std::{net::IpAddr, sync::Arc};

use hickory_proto::rr::RecordType;
use tm_common::tables::{LEAST_OCTETS, MOST_OCTETS};

use super::{End, Given, Question, Records, SERVER_TTL, Tree, Zone};
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

/// What one answer holds, in octets: CNAME records that were followed, then the A, AAAA or CNAME records of endpoints, or what is carried of the type asked for, or the SOA where there are none. A CNAME that leads to a name of ours which is no profile's comes with what is there: a name server's addresses, or the SOA
/// and the RCODE of that name ([RFC 6604, section 3]). It counts for whoever led to them, else for all in it; where the last name does not exist, for nobody. Where it is longer than the tables hold, it is the first CNAME alone, or has fewer endpoints; where it is shorter, its owner is spelled out, or the zone's name servers come with it.
///
/// [RFC 6604, section 3]: https://www.rfc-editor.org/rfc/rfc6604#section-3
pub fn records_of(profile: &Profile, asked: Question, given: &Given<'_>, tree: &Tree) -> Records {
    let zones = tree.zones();
    let question = &profile.dns_name;
    let mut octets = vec![];
    // The name that the next record is of, and the profile whose name that is, or whose wildcard has it.
    let (mut name, mut owner) = (question, profile);
    for (link, to) in &given.links {
        let target = &link.endpoint.target;
        put_record(&mut octets, name, owner.ttl, target, question);
        owner = to;
        if let Target::Name(target) = target {
            name = target;
        }
    }
    let mut answers = given.links.len() as u16;
    answers += match carried_type(asked, owner, given) {
        Some(kind) => put_carried(&mut octets, name, owner, &given.leaves, kind, question),
        None => {
            for leaf in &given.leaves {
                put_record(&mut octets, name, owner.ttl, &leaf.endpoint.target, question);
            }
            given.leaves.len() as u16
        }
    };
    let mut authorities = 0;
    if answers == given.links.len() as u16 {
        octets.extend(&*nodata(question, owner.ttl, zones.around(&owner.dns_name)).octets);
        authorities = 1;
    }
    let mut code = NOERROR;
    if let Some(behind) = end_of(asked, given, tree).map(|(name, end)| behind(name, &end, asked, question)) {
        // Where there is no room for it, the client is told when it asks for that name.
        if octets.len() + behind.octets.len() <= MOST_OCTETS {
            octets.extend(&*behind.octets);
            answers += behind.answers;
            authorities += behind.authorities;
            code = behind.code;
        }
    }
    let is_followed = answers + authorities > 1;
    authorities += pad(&mut octets, question, tree);
    if let Some((link, _)) = given.links.first().filter(|_| octets.len() > MOST_OCTETS) {
        return records_of(profile, asked, &Given { links: vec![], leaves: vec![link] }, tree);
    }
    if let Some((_, fewer)) = given.leaves.split_last().filter(|_| octets.len() > MOST_OCTETS) {
        return records_of(profile, asked, &Given { links: vec![], leaves: fewer.to_vec() }, tree);
    }
    let led: Option<&Leaf> = given.links.first().map(|(link, _)| *link);
    let counts_for: Arc<[EndpointKey]> = match led {
        _ if code == NXDOMAIN => [].into(),
        Some(led) => [led.key()].into(),
        None => given.leaves.iter().map(|leaf| leaf.key()).collect(),
    };
    let names = given.leaves.iter().copied().find(|leaf| matches!(leaf.endpoint.target, Target::Name(_)));
    Records {
        octets: octets.into(),
        answers,
        authorities,
        code,
        one_in: one_in(profile, &counts_for, tree),
        is_stale: zones.tells_stale() && given.leaves.iter().any(|leaf| leaf.is_down),
        counts_for,
        first: led.or(names).filter(|_| is_followed).map(|leaf| Arc::new(alone(profile, leaf, tree))),
    }
}

/// The CNAME to an endpoint's name, and nothing behind it.
fn alone(profile: &Profile, leaf: &Leaf, tree: &Tree) -> Records {
    let mut octets = vec![];
    put_record(&mut octets, &profile.dns_name, profile.ttl, &leaf.endpoint.target, &profile.dns_name);
    let authorities = pad(&mut octets, &profile.dns_name, tree);
    let counts_for: Arc<[EndpointKey]> = [leaf.key()].into();
    Records {
        octets: octets.into(),
        answers: 1,
        authorities,
        code: NOERROR,
        one_in: one_in(profile, &counts_for, tree),
        is_stale: tree.zones().tells_stale() && leaf.is_down,
        counts_for,
        first: None,
    }
}

/// Makes records long enough for the tables, where they are one whose owner points to the question: that is spelled out, or where it is not known, the zone's name servers come with it. Gives
/// the number of their records.
fn pad(octets: &mut Vec<u8>, question: &DnsName, tree: &Tree) -> u16 {
    if octets.len() < LEAST_OCTETS && question.without_asterisk().is_none() {
        octets.splice(..2, question.wire().iter().copied());
    }
    match octets.len() < LEAST_OCTETS {
        true => put_servers(octets, tree.zones().around(question), question),
        false => 0,
    }
}

/// Of so many of a profile's answers one is told of, where they count for somebody.
fn one_in(profile: &Profile, counts_for: &[EndpointKey], tree: &Tree) -> u16 {
    if profile.traffic_view && !counts_for.is_empty() { tree.zones().one_in() } else { 0 }
}

/// The name of ours, no profile's, where the last CNAME ends, and what is there; who asks for the CNAME is not led there.
fn end_of<'a>(asked: Question, given: &Given<'a>, tree: &'a Tree) -> Option<(&'a DnsName, End<'a>)> {
    let leaf: &Leaf = given.leaves.last()?;
    match &leaf.endpoint.target {
        Target::Name(name) if !asked.takes_cname() => {
            // What an apex has that no profile carries, the client asks for there.
            let end = tree.end_at(name).filter(|end| asked != Question::Other || !end.is_apex(name))?;
            Some((name, end))
        }
        _ => None,
    }
}

/// What is said of where a CNAME ends.
fn behind(name: &DnsName, end: &End<'_>, asked: Question, question: &DnsName) -> Records {
    let found = addresses(name, end.addresses, asked, question);
    match found.answers {
        0 => Records { code: end.code, ..nodata(question, end.ttl, end.zone) },
        _ => found,
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

/// Puts one RRset at a name of the owner's, gives the number of its records.
fn put_carried(
    octets: &mut Vec<u8>,
    name: &DnsName,
    owner: &Profile,
    leaves: &[&Leaf],
    kind: RecordType,
    question: &DnsName,
) -> u16 {
    let (ttl, records) = carried(owner, leaves, kind);
    for record in &records {
        octets.extend(compressed(name, question));
        put_data(octets, kind, ttl, &record.data);
    }
    records.len() as u16
}

fn put_record(octets: &mut Vec<u8>, name: &DnsName, ttl: u32, target: &Target, question: &DnsName) {
    let (kind, data) = match target {
        Target::V4(address) => (RecordType::A, address.octets().to_vec()),
        Target::V6(address) => (RecordType::AAAA, address.octets().to_vec()),
        Target::Name(target) => (RecordType::CNAME, compressed(target, question)),
        // A leaf is never nested.
        Target::Profile(_) => return,
    };
    octets.extend(compressed(name, question));
    put_data(octets, kind, ttl, &data);
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
        first: None,
    }
}

/// The addresses of a name server that answer what is asked, all of one family ([RFC 8482] for ANY); no record where there are none.
///
/// [RFC 8482]: https://www.rfc-editor.org/rfc/rfc8482
pub(super) fn addresses(name: &DnsName, all: &[IpAddr], asked: Question, question: &DnsName) -> Records {
    let is_of_v4 = match asked {
        Question::A => Some(true),
        Question::Aaaa => Some(false),
        Question::Any => Some(all.iter().any(IpAddr::is_ipv4)),
        Question::Other | Question::Type(_) => None,
    };
    let mut records = Records {
        octets: Arc::new([]),
        answers: 0,
        authorities: 0,
        code: NOERROR,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    };
    let mut octets = vec![];
    for address in all.iter().filter(|address| Some(address.is_ipv4()) == is_of_v4) {
        octets.extend(compressed(name, question));
        match address {
            IpAddr::V4(address) => put_data(&mut octets, RecordType::A, SERVER_TTL, &address.octets()),
            IpAddr::V6(address) => put_data(&mut octets, RecordType::AAAA, SERVER_TTL, &address.octets()),
        }
        records.answers += 1;
    }
    records.octets = octets.into();
    records
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
