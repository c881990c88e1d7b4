//! The static view by table, contents from one to the next, and who is told.

mod contents;
mod told;
mod views;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use hickory_proto::rr::Record;

use crate::{
    control::Published,
    decide::decide,
    desired::{Desired, Endpoint, Node, Profile, RoutingMethod, Transfer, TsigAlgorithm, TsigKey},
    dns::{
        ZoneView,
        transfer::{Names, Zoned},
    },
    health::Health,
    names::DnsName,
    places::View,
    samples,
};

fn endpoint(target: &str, weight: u16) -> Endpoint {
    Endpoint { weight, always_serve: true, ..samples::endpoint(target, target) }
}

/// A profile whose endpoints are these targets with their weights.
fn profile(name: &str, routing_method: RoutingMethod, endpoints: &[(&str, u16)]) -> Profile {
    let endpoints = endpoints
        .iter()
        .zip(1..)
        .map(|((target, weight), priority)| Endpoint { priority, ..endpoint(target, *weight) });
    Profile { routing_method, ..samples::profile(name, samples::monitor(), endpoints.collect()) }
}

fn key() -> Arc<TsigKey> {
    let algorithm = TsigAlgorithm::HmacSha256;
    Arc::new(TsigKey { name: "one".parse().unwrap(), algorithm, secret: vec![7; 32] })
}

fn desired(generation: u64, transfer: Transfer, profiles: Vec<Profile>) -> Desired {
    let sample = samples::desired(&[], profiles);
    let node = Arc::new(Node { transfer, ..(*sample.node).clone() });
    Desired { generation, node, ..sample }
}

/// One key, which may have the zone.
fn on() -> Transfer {
    Transfer { keys: vec![key()], allow: vec![key().name.clone()], notify: vec![] }
}

fn zone(desired: &Desired) -> Arc<ZoneView> {
    Arc::new(ZoneView::new(desired, &["192.0.2.53".parse().unwrap()]))
}

fn default_name() -> DnsName {
    "tm.example".parse().unwrap()
}

fn of_default(mut zoned: Zoned) -> Names {
    zoned.remove(&default_name()).unwrap()
}

fn published(desired: &Desired) -> Arc<Published> {
    let decisions = desired.profiles.iter().map(|(name, profile)| {
        let (health, now) = (Health::default(), SystemTime::UNIX_EPOCH);
        (name.clone(), Arc::new(decide(&desired.profiles, profile, &View::anywhere(), &health, now)))
    });
    Arc::new(Published { decisions: decisions.collect(), ..Published::default() })
}

fn text(record: &Record) -> String {
    format!("{} {} {} {}", record.name, record.ttl, record.record_type(), record.data)
}

/// How often each record is there.
fn counted<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<String, usize> {
    records.into_iter().fold(BTreeMap::new(), |mut counted, record| {
        *counted.entry(text(record)).or_default() += 1;
        counted
    })
}
