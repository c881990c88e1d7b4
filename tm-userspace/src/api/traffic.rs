//! Traffic View of one profile, for both faces: its clients by network, where they are, which endpoints they were given, and how far these are.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::View;
use crate::{
    desired::{Desired, Endpoint, Profile},
    geo::{Client, Code, Overrides, Point, Region, code_of_registry, placed_by, ranking, whereabouts},
    health::Health,
    places::is_private,
    time::rfc3339,
    traffic::{Bounds, Network, Sum},
};

/// Who asked for a profile.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrafficView {
    /// Since when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Of the answers that XDP gave, one in so many was looked at, and stands for so many.
    pub one_in: u16,
    /// Answers of this node that were to be looked at and were not, for want of room, since its start.
    pub lost: u64,
    /// By network, in the order of the addresses.
    pub clients: Vec<ClientView>,
    /// Queries of networks that are not told apart, because there are too many.
    pub others: Vec<QueriesView>,
}

/// Clients of one network.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClientView {
    /// The network, as `203.0.113.0/24`.
    pub network: String,
    /// The most specific code of the place that it is at.
    pub place: String,
    /// Where that is, if anything is known of it.
    pub latitude: Option<f64>,
    /// Likewise.
    pub longitude: Option<f64>,
    /// What they were given.
    pub endpoints: Vec<QueriesView>,
}

/// Queries that were answered with an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueriesView {
    /// Its name.
    pub endpoint: String,
    /// How many.
    pub queries: u64,
    /// How long a round trip to the endpoint's region takes, as far as it is known.
    pub latency_ms: Option<f64>,
}

/// What is known of a network's clients.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) network: Network,
    code: Code,
    pub(super) point: Option<Point>,
    /// By endpoint: queries and milliseconds.
    pub(super) endpoints: BTreeMap<Arc<str>, (u64, Option<f64>)>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Flows {
    pub(super) since: SystemTime,
    pub(super) until: SystemTime,
    pub(super) flows: Vec<Flow>,
    rest: BTreeMap<Arc<str>, u64>,
    one_in: u16,
    lost: u64,
}

/// What is known of a profile's clients; nothing where it is not looked at.
pub(super) fn flows(view: &View, profile: &str) -> Option<Flows> {
    let desired = view.desired.borrow().clone()?;
    let profile = desired.profiles.get(profile).filter(|profile| profile.traffic_view)?;
    let until = SystemTime::now();
    let Sum { since, rows, rest } = view
        .traffic
        .sum(&profile.name, until, Bounds::new(desired.node.sampling.window, 1))
        .unwrap_or(Sum { since: until, rows: BTreeMap::new(), rest: BTreeMap::new() });
    let known = Known::of(&desired, &view.health.borrow());
    let mut flows: Vec<(Client, Flow)> = vec![];
    for ((network, endpoint), count) in rows {
        if flows.last().is_none_or(|(_, flow)| flow.network != network) {
            let client = known.client(network.0);
            let point = whereabouts(&client);
            let flow = Flow { network, code: client.code, point, endpoints: BTreeMap::new() };
            flows.push((client, flow));
        }
        let Some((client, flow)) = flows.last_mut() else { continue };
        let latency = known.latency(client, profile, &endpoint);
        flow.endpoints.insert(endpoint, (count, latency));
    }
    let flows = flows.into_iter().map(|(_, flow)| flow).collect();
    let (one_in, lost) = (desired.node.sampling.one_in, view.traffic.lost());
    Some(Flows { since, until, flows, rest, one_in, lost })
}

impl Flows {
    /// In the product's words.
    pub(super) fn show(&self) -> TrafficView {
        let queries = |endpoint: &Arc<str>, queries, latency_ms| QueriesView {
            endpoint: endpoint.to_string(),
            queries,
            latency_ms,
        };
        let client = |flow: &Flow| ClientView {
            network: format!("{}/{}", flow.network.0, flow.network.1),
            place: flow.code.to_string(),
            latitude: flow.point.map(|point| point.latitude),
            longitude: flow.point.map(|point| point.longitude),
            endpoints: flow.endpoints.iter().map(|(its, (count, ms))| queries(its, *count, *ms)).collect(),
        };
        TrafficView {
            from: rfc3339(self.since),
            to: rfc3339(self.until),
            one_in: self.one_in,
            lost: self.lost,
            clients: self.flows.iter().map(client).collect(),
            others: self.rest.iter().map(|(endpoint, count)| queries(endpoint, *count, None)).collect(),
        }
    }
}

/// What says where clients are and how far.
struct Known<'a> {
    desired: &'a Desired,
    overrides: Overrides,
}

impl<'a> Known<'a> {
    fn of(desired: &'a Desired, health: &Health) -> Self {
        Known { desired, overrides: desired.overrides.with(&health.round_trips) }
    }

    /// As clients are placed: by the database, else by the registry of the address.
    fn client(&self, address: IpAddr) -> Client {
        let address = placed_by(address);
        let nowhere = Client { address, code: Code::WORLD, point: None };
        if is_private(address) {
            return nowhere;
        }
        match &self.desired.atlas {
            Some(atlas) => atlas.database.find(address).map_or(nowhere, |found| Client {
                address,
                code: found.code,
                point: found.point,
            }),
            None => Client { code: code_of_registry(address).unwrap_or(Code::WORLD), ..nowhere },
        }
    }

    /// Milliseconds to the region that an endpoint says it is in.
    fn latency(&self, client: &Client, profile: &Profile, endpoint: &str) -> Option<f64> {
        let is = |its: &&Arc<Endpoint>| &*its.name == endpoint;
        let endpoint = profile.endpoints.iter().find(is)?;
        let of_service = || Region::find(endpoint.service.as_ref()?.location.as_ref()?);
        let region = endpoint.location.or_else(of_service)?;
        let ranked = ranking(client, &self.overrides, [region]);
        ranked.first().map(|(_, milliseconds)| *milliseconds)
    }
}
