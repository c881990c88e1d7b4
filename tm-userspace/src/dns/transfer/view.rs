//! The static view: what a name has in a zone that knows nothing but records.
//!
//! | the decision | the records |
//! | --- | --- |
//! | one endpoint answers | its A, AAAA or CNAME |
//! | several share the answers | the addresses of all of them, each once; or where the one with the greatest share (of equals the first) is a name, its CNAME alone |
//! | MultiValue | of each address family the first that are answered together |
//! | a target that is another profile's name | the CNAME; what is behind it has its own name here |
//! | nobody answers, or the name does not exist | none |
//!
//! Shares are lost, since a zone has no weights. A name that has no data at the moment is not in the copy at all: there it does not exist, for as long as it lasts.
//! The TTL is the profile's. Beside the profiles there are the apex's NS records and the addresses of name servers in the zone.

use std::{collections::BTreeMap, sync::Arc};

use hickory_proto::rr::{
    RData, Record,
    rdata::{A, AAAA, CNAME},
};
use imbl::{OrdMap, ordmap::DiffItem};

use super::Names;
use crate::{
    decide::{Answer, Decision, Share},
    desired::{Profile, Target},
    dns::ZoneView,
    names::DnsName,
};

type Decisions = OrdMap<Arc<str>, Arc<Decision>>;

/// All that there is, but for the SOA.
pub(super) fn names(zone: &ZoneView, decisions: &Decisions) -> Names {
    let mut names: BTreeMap<DnsName, Vec<Record>> = BTreeMap::new();
    for record in zone.records() {
        names.entry(DnsName::from_hickory(&record.name)).or_default().push(record.clone());
    }
    let fixed = names.into_iter().map(|(name, records)| (name, records.into()));
    let profiles = decisions.values().map(|decision| (decision.profile.dns_name.clone(), records(decision)));
    fixed.chain(profiles.filter(|(_, records)| !records.is_empty())).collect()
}

/// `names` that were those of `before`, as `after` has them.
pub(super) fn follow(mut names: Names, before: &Decisions, after: &Decisions) -> Names {
    // Names are given up first: one may have moved to another profile.
    let changed: Vec<_> = before.diff(after).collect();
    for item in &changed {
        if let DiffItem::Remove(_, decision) | DiffItem::Update { old: (_, decision), .. } = item {
            names.remove(&decision.profile.dns_name);
        }
    }
    for item in &changed {
        if let DiffItem::Add(_, decision) | DiffItem::Update { new: (_, decision), .. } = item {
            let records = records(decision);
            if !records.is_empty() {
                names.insert(decision.profile.dns_name.clone(), records);
            }
        }
    }
    names
}

fn records(decision: &Decision) -> Arc<[Record]> {
    let shares = decision.places.first().map_or(&[][..], Vec::as_slice);
    let mut data: Vec<RData> = vec![];
    match greatest(shares).map(|share| target(&share.answer)) {
        Some(Some(Target::Name(name))) => data.push(RData::CNAME(CNAME(name.to_hickory()))),
        _ => shares.iter().for_each(|share| add_addresses(&mut data, &share.answer)),
    }
    let Profile { dns_name, ttl, .. } = &*decision.profile;
    let owner = dns_name.to_hickory();
    data.into_iter().map(|data| Record::from_rdata(owner.clone(), *ttl, data)).collect()
}

/// Of equals the first.
fn greatest(shares: &[Share]) -> Option<&Share> {
    shares.iter().reduce(|greatest, share| if share.weight > greatest.weight { share } else { greatest })
}

/// Where one target answers: this one.
fn target(answer: &Answer) -> Option<&Target> {
    match answer {
        Answer::One(leaf) | Answer::Followed(leaf, ..) => Some(&leaf.endpoint.target),
        Answer::Several(..) => None,
    }
}

fn add_addresses(data: &mut Vec<RData>, answer: &Answer) {
    let mut add = |address: RData| {
        if !data.contains(&address) {
            data.push(address);
        }
    };
    match answer {
        Answer::One(leaf) | Answer::Followed(leaf, ..) => {
            address(&leaf.endpoint.target).into_iter().for_each(add);
        }
        Answer::Several(leaves, most) => {
            let all = || leaves.iter().filter_map(|leaf| address(&leaf.endpoint.target));
            let most = usize::from(*most);
            all().filter(|data| matches!(data, RData::A(_))).take(most).for_each(&mut add);
            all().filter(|data| matches!(data, RData::AAAA(_))).take(most).for_each(add);
        }
    }
}

fn address(target: &Target) -> Option<RData> {
    match target {
        Target::V4(address) => Some(RData::A(A(*address))),
        Target::V6(address) => Some(RData::AAAA(AAAA(*address))),
        // A leaf is never nested, and a name is no address.
        Target::Name(_) | Target::Profile(_) => None,
    }
}
