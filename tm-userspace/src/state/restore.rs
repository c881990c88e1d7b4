//! From what an earlier run saved to where this one begins.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use imbl::OrdMap;
use tm_common::verdict::{REASONS, Reason};

use super::{Saved, SavedEndpoint, SavedRoundTrip};
use crate::{
    control::Counted,
    desired::{Desired, EndpointKey},
    geo::{Measured, Region, RoundTrips},
    health::{Health, Orders, Remembered, Verdict, is_probed},
    sync,
    xdp::{Counters, Pins},
};

impl Saved {
    /// The verdicts and orders that still hold, and what is remembered of the endpoints that are still probed at the same target.
    pub fn health(&self, desired: &Desired) -> (Health, HashMap<EndpointKey, Remembered>) {
        let saved: HashMap<EndpointKey, &SavedEndpoint> =
            self.endpoints.iter().map(|e| (e.key(), e)).collect();
        let mut round_trips = self.round_trips();
        let mut verdicts = OrdMap::new();
        let mut memories = HashMap::new();
        for (key, profile, endpoint) in
            desired.endpoints().filter(|(_, profile, endpoint)| is_probed(profile, endpoint))
        {
            let target = profile.probed_target(endpoint);
            let Some(saved) = saved.get(&key).filter(|saved| saved.target == target.to_string()) else {
                continue;
            };
            if let Some(verdict) = saved.verdict {
                verdicts.insert(
                    key.clone(),
                    Verdict { up: verdict.up, since: verdict.since, recovered: verdict.recovered },
                );
            }
            if let Some((learnt, region)) = saved.learnt.as_ref().zip(endpoint.location)
                && Region::find(&learnt.region) == Some(region)
            {
                round_trips.learn(key.clone(), region, learnt.ms);
            }
            let verdict = saved.verdict.map(|verdict| verdict.up);
            let details = saved.details.clone().unwrap_or_default();
            memories.insert(key, Remembered { target: target.clone(), verdict, details });
        }
        let mut orders = Orders::default();
        for (key, ..) in desired.endpoints() {
            let Some(saved) = saved.get(&key) else { continue };
            orders.forced.extend(saved.forced.map(|forced| (key.clone(), forced)));
            orders.restored.extend(saved.restored.map(|restored| (key, restored)));
        }
        (Health { generation: 0, verdicts, orders, round_trips }, memories)
    }

    /// What was measured of regions that there still are.
    fn round_trips(&self) -> RoundTrips {
        let mut by_prefix: HashMap<&str, Vec<Measured>> = HashMap::new();
        for SavedRoundTrip { prefix, region, ms, samples } in &self.round_trips {
            let measured = Region::find(region)
                .map(|region| Measured { region, milliseconds: *ms, samples: *samples })
                .filter(|measured| measured.samples > 0);
            by_prefix.entry(prefix).or_default().extend(measured);
        }
        let mut known = RoundTrips::default();
        for (prefix, all) in by_prefix {
            // What is damaged in there is measured again.
            let _ = known.set(prefix, all);
        }
        known
    }

    /// What was counted: exactly, where the kernel's counters were pinned and are still there, else as of the last save.
    pub fn counted(&self, desired: &Desired, pins: Option<&Pins>) -> Counted {
        let pinned = pins.zip(self.tables.as_ref()).and_then(|(pins, id)| Counters::pinned(pins, id).ok());
        let is_pinned = pinned.is_some();
        let elsewhere =
            |count: u64, in_kernel: u64| if is_pinned { count.saturating_sub(in_kernel) } else { count };
        let known: HashSet<EndpointKey> = desired.endpoints().map(|(key, ..)| key).collect();
        let endpoints = self.endpoints.iter().filter(|saved| known.contains(&saved.key()));
        let mut packets = [0; REASONS];
        let reasons: Vec<Option<Reason>> = self.packets.iter().map(|saved| reason(&saved.reason)).collect();
        for (reason, saved) in reasons.iter().zip(&self.packets) {
            if let Some(reason) = reason {
                packets[*reason as usize] += elsewhere(saved.count, saved.in_kernel);
            }
        }
        Counted {
            endpoints: endpoints
                .map(|e| {
                    let elsewhere = elsewhere(e.answers, e.in_kernel);
                    (e.key(), sync::Counters { numbers: e.counters.clone(), elsewhere })
                })
                .collect(),
            reasons,
            packets,
            // Also those of endpoints that are gone.
            used: u32::MAX,
            counters: pinned.map(Arc::new),
        }
    }
}

impl SavedEndpoint {
    fn key(&self) -> EndpointKey {
        EndpointKey { profile: self.profile.as_str().into(), endpoint: self.endpoint.as_str().into() }
    }
}

fn reason(label: &str) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| reason.label() == label)
}
