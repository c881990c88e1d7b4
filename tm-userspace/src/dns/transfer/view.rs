//! The static view: what a name has in a zone that knows nothing but records.
//!
//! | the decision | the records |
//! | --- | --- |
//! | one endpoint answers | its A, AAAA or CNAME |
//! | several share the answers | the addresses of all of them, each once; or where the one with the greatest share (of equals the first) is a name, its CNAME alone |
//! | MultiValue | of each address family the first that are answered together |
//! | a target that is another profile's name | the CNAME; what is behind it has its own name here |
//! | nobody answers | none |
//! | any of these but a CNAME | besides, what the profile carries, and what those carry who answer, each record once |
//! | the name does not exist | none |
//!
//! Shares are lost, since a zone has no weights. A name that has no data at the moment is not in the copy at all: there it does not exist, for as long as it lasts.
//! The TTL is the profile's. Beside the profiles there are the apex's NS records, those of the zones of ours just below, and the
//! addresses of name servers in the zone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hickory_proto::rr::{
    RData, Record, RecordType,
    rdata::{A, AAAA, CNAME, NULL},
};
use imbl::{OrdMap, ordmap::DiffItem};

use super::{Names, Zoned};
use crate::{
    compile::{self, Zones},
    decide::{Answer, Decision, Leaf, Share},
    desired::{Profile, Target},
    dns::{ZoneView, zone::server_records},
    names::DnsName,
};

type Decisions = OrdMap<Arc<str>, Arc<Decision>>;

/// All that there is in each zone, but for the SOA.
pub(super) fn names(view: &ZoneView, decisions: &Decisions) -> Zoned {
    let zones = view.zones();
    let mut zoned: Zoned = zones.iter().map(|zone| (zone.name.clone(), Names::new())).collect();
    let mut fixed: BTreeMap<(DnsName, DnsName), Vec<Record>> = BTreeMap::new();
    for zone in zones.iter() {
        // In the zone above too: there they say who has what is below.
        for holder in [Some(zone), zones.above(zone)].into_iter().flatten() {
            fixed.insert((holder.name.clone(), zone.name.clone()), server_records(zone));
        }
    }
    for record in view.addresses() {
        let name = DnsName::from_hickory(&record.name);
        if let Some(zone) = zones.find(&name) {
            fixed.entry((zone.name.clone(), name)).or_default().push(record.clone());
        }
    }
    for ((zone, name), records) in fixed {
        put(&mut zoned, &zone, name, records);
    }
    for decision in decisions.values() {
        add(&mut zoned, zones, decision);
    }
    zoned
}

/// What was that of `before`, as `after` has it, in the same zones.
pub(super) fn follow(mut zoned: Zoned, zones: &Zones, before: &Decisions, after: &Decisions) -> Zoned {
    // Names are given up first: one may have moved to another profile.
    let changed: Vec<_> = before.diff(after).collect();
    for item in &changed {
        if let DiffItem::Remove(_, decision) | DiffItem::Update { old: (_, decision), .. } = item {
            take(&mut zoned, zones, &decision.profile.dns_name);
        }
    }
    for item in &changed {
        if let DiffItem::Add(_, decision) | DiffItem::Update { new: (_, decision), .. } = item {
            add(&mut zoned, zones, decision);
        }
    }
    zoned
}

/// Puts a profile's records into its zone.
fn add(zoned: &mut Zoned, zones: &Zones, decision: &Decision) {
    let (name, records) = (&decision.profile.dns_name, records(decision));
    if let Some(zone) = zones.find(name).filter(|_| !records.is_empty()) {
        put(zoned, &zone.name, name.clone(), records);
    }
}

fn put(zoned: &mut Zoned, zone: &DnsName, name: DnsName, records: Vec<Record>) {
    let names = zoned.entry(zone.clone()).or_default();
    // A profile at the apex has that with the zone's own.
    let known = names.get(&name).map(|known| known.to_vec()).unwrap_or_default();
    names.insert(name, [known, records].concat().into());
}

/// Takes a profile's records away.
fn take(zoned: &mut Zoned, zones: &Zones, name: &DnsName) {
    let Some(zone) = zones.find(name) else { return };
    let Some(names) = zoned.get_mut(&zone.name) else { return };
    match *name == zone.name {
        true => _ = names.insert(name.clone(), server_records(zone).into()),
        false => _ = names.remove(name),
    }
}

fn records(decision: &Decision) -> Vec<Record> {
    let shares = decision.places.first().map_or(&[][..], Vec::as_slice);
    let mut data: Vec<RData> = vec![];
    match greatest(shares).map(|share| target(&share.answer)) {
        Some(Some(Target::Name(name))) => data.push(RData::CNAME(CNAME(name.to_hickory()))),
        _ => shares.iter().for_each(|share| add_addresses(&mut data, &share.answer)),
    }
    let Profile { dns_name, ttl, .. } = &*decision.profile;
    let owner = dns_name.to_hickory();
    let is_alone = matches!(data[..], [RData::CNAME(_)]);
    let addresses = data.into_iter().map(|data| Record::from_rdata(owner.clone(), *ttl, data));
    let carried = if is_alone || decision.places.is_empty() { vec![] } else { carried(decision, shares) };
    addresses.chain(carried).collect()
}

/// What a profile and those who answer for it carry.
fn carried(decision: &Decision, shares: &[Share]) -> Vec<Record> {
    let profile = &*decision.profile;
    let leaves = shares.iter().flat_map(|share| match &share.answer {
        Answer::One(leaf) => std::slice::from_ref(leaf),
        Answer::Several(leaves, _) => leaves,
        Answer::Followed(..) => &[],
    });
    let leaves: Vec<&Leaf> = leaves.collect();
    let of_leaves = leaves.iter().flat_map(|leaf| &leaf.endpoint.records);
    let kinds: BTreeSet<RecordType> =
        profile.records.iter().chain(of_leaves).map(|record| record.kind).collect();
    let owner = profile.dns_name.to_hickory();
    let of_kind = |kind: RecordType| {
        let (ttl, carried) = compile::carried(profile, &leaves, kind);
        let owner = &owner;
        carried.into_iter().map(move |record| {
            // As it is on the wire, whatever hickory would make of it.
            let data = RData::Unknown { code: kind, rdata: NULL::with(record.data.to_vec()) };
            Record::from_rdata(owner.clone(), ttl, data)
        })
    };
    kinds.into_iter().flat_map(of_kind).collect()
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
