//! What operators order of single endpoints while the daemon runs: to be up or down whatever the probes say, and to answer again.
//!
//! Orders are part of [`Health`](super::Health), so they reach the answers the way that verdicts do. One that has ended stays for a while: that an endpoint
//! was out until then is what a slow start begins from.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use imbl::{OrdMap, ordmap::DiffItem};
use serde::{Deserialize, Serialize};

use crate::{desired::EndpointKey, time::serde_rfc3339};

/// All orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Endpoints whose state is forced, or was not long ago.
    pub forced: OrdMap<EndpointKey, Forced>,
    /// When an operator last let an endpoint answer again.
    pub restored: OrdMap<EndpointKey, SystemTime>,
}

/// A forced state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    /// Up or down.
    pub up: bool,
    /// Since when.
    #[serde(with = "serde_rfc3339")]
    pub since: SystemTime,
    /// Until when; none until it is released.
    #[serde(with = "serde_rfc3339::option")]
    pub until: Option<SystemTime>,
}

/// How long an order that has ended is kept: no slow start takes longer.
const KEPT: Duration = Duration::from_secs(86_400);

impl Forced {
    /// Does it hold at `now`?
    pub fn holds(&self, now: SystemTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Orders {
    /// What an endpoint is forced to be at `now`.
    pub fn forced(&self, endpoint: &EndpointKey, now: SystemTime) -> Option<Forced> {
        self.forced.get(endpoint).copied().filter(|forced| forced.holds(now))
    }

    /// Forces an endpoint's state, in the place of what was ordered before.
    pub fn force(&mut self, endpoint: EndpointKey, forced: Forced) {
        self.forget_ended(forced.since);
        self.forced.insert(endpoint, forced);
    }

    /// Ends a forced state. `false` where there is none.
    pub fn release(&mut self, endpoint: &EndpointKey, now: SystemTime) -> bool {
        self.forget_ended(now);
        let Some(forced) = self.forced(endpoint, now) else { return false };
        self.forced.insert(endpoint.clone(), Forced { until: Some(now), ..forced });
        true
    }

    /// Lets an endpoint answer again that its profile's failback holds back.
    pub fn restore(&mut self, endpoint: EndpointKey, now: SystemTime) {
        self.forget_ended(now);
        self.restored.insert(endpoint, now);
    }

    /// Endpoints of which something else is ordered in `other`.
    pub fn differing(&self, other: &Orders) -> BTreeSet<EndpointKey> {
        let mut keys: BTreeSet<EndpointKey> = self.forced.diff(&other.forced).map(key_of).collect();
        keys.extend(self.restored.diff(&other.restored).map(key_of));
        keys
    }

    fn forget_ended(&mut self, now: SystemTime) {
        let ended = |forced: &Forced| forced.until.is_some_and(|until| until + KEPT <= now);
        if self.forced.values().any(ended) {
            self.forced = self
                .forced
                .iter()
                .filter(|(_, forced)| !ended(forced))
                .map(|(key, forced)| (key.clone(), *forced))
                .collect();
        }
    }
}

fn key_of<V>(item: DiffItem<'_, '_, EndpointKey, V>) -> EndpointKey {
    match item {
        DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key.clone(),
        DiffItem::Update { old: (key, _), .. } => key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::key;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_forced_state_holds_until_its_end_or_its_release() {
        let (mut orders, east) = (Orders::default(), key("p", "east"));
        assert!(!orders.release(&east, at(0)), "nothing is forced");
        let forced = Forced { up: false, since: at(10), until: Some(at(20)) };
        orders.force(east.clone(), forced);
        assert_eq!(orders.forced(&east, at(19)), Some(forced));
        assert_eq!(orders.forced(&east, at(20)), None);
        assert!(!orders.release(&east, at(20)), "it is over");
        orders.force(east.clone(), Forced { up: true, since: at(30), until: None });
        assert!(orders.release(&east, at(40)));
        assert_eq!(orders.forced(&east, at(40)), None);
        assert_eq!(orders.forced[&east], Forced { up: true, since: at(30), until: Some(at(40)) });
    }

    #[test]
    fn what_ended_a_day_ago_is_forgotten() {
        let mut orders = Orders::default();
        orders.force(key("p", "east"), Forced { up: false, since: at(0), until: Some(at(10)) });
        orders.restore(key("p", "west"), at(10 + 86_399));
        assert_eq!(orders.forced.len(), 1);
        orders.restore(key("p", "west"), at(10 + 86_400));
        assert_eq!(orders.forced.len(), 0);
    }

    #[test]
    fn what_differs_is_found_by_endpoint() {
        let before = Orders::default();
        let mut after = before.clone();
        after.restore(key("p", "west"), at(1));
        after.force(key("p", "east"), Forced { up: false, since: at(0), until: None });
        assert_eq!(before.differing(&after), BTreeSet::from([key("p", "east"), key("p", "west")]));
        assert_eq!(after.differing(&after.clone()), BTreeSet::new());
    }
}
