//! What counts for which endpoint: a counter for each set of endpoints that one answer is of, so that an answer is counted in one step, however many are in it.
//!
//! An endpoint has what all counters say of whose sets it is. A counter is given to no other set while these tables are there: nobody inherits a count.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tm_common::verdict::{REASONS, Reason};

use crate::{
    compile::{NXDOMAIN, Records},
    desired::EndpointKey,
};

/// What counts answers that count for nobody.
const NOBODY: u32 = Reason::Answered as u32;
/// And those of them that say that there is no such name.
const NO_SUCH_NAME: u32 = Reason::NoSuchName as u32;

/// The counters, and what the sockets count with them.
#[derive(Debug)]
pub(super) struct Counted {
    /// By who is in an answer, in order.
    sets: HashMap<Arc<[EndpointKey]>, u32>,
    /// The sets of the counters behind those that count packets by reason.
    members: Vec<Arc<[EndpointKey]>>,
    endpoints: HashMap<EndpointKey, Counters>,
    /// By counter; the first ones count packets by reason.
    own: Vec<AtomicU64>,
}

/// What counts for one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The numbers of its counters.
    pub numbers: Vec<u32>,
    /// What was counted elsewhere than by these in a mirror.
    pub elsewhere: u64,
}

impl Counted {
    pub(super) fn new() -> Self {
        let own = (0..REASONS).map(|_| AtomicU64::default()).collect();
        Counted { sets: HashMap::new(), members: Vec::new(), endpoints: HashMap::new(), own }
    }

    /// How many counters there are.
    pub(super) fn len(&self) -> u32 {
        self.own.len() as u32
    }

    /// What counts an answer.
    pub(super) fn of(&mut self, records: &Records) -> u32 {
        match records.code {
            NXDOMAIN => NO_SUCH_NAME,
            _ => self.counter(&records.counts_for),
        }
    }

    /// What counts for all of these at once.
    fn counter(&mut self, endpoints: &[EndpointKey]) -> u32 {
        if endpoints.is_empty() {
            return NOBODY;
        }
        let mut set = endpoints.to_vec();
        set.sort();
        set.dedup();
        if let Some(known) = self.sets.get(&*set) {
            return *known;
        }
        let number = self.len();
        self.own.push(AtomicU64::default());
        for endpoint in &set {
            self.endpoints.entry(endpoint.clone()).or_default().numbers.push(number);
        }
        let set: Arc<[EndpointKey]> = set.into();
        self.members.push(set.clone());
        self.sets.insert(set, number);
        number
    }

    /// Whom a counter counts for; nobody behind those that count packets by reason.
    pub(super) fn whom(&self, number: u32) -> Arc<[EndpointKey]> {
        let set = (number as usize).checked_sub(REASONS).and_then(|at| self.members.get(at));
        set.cloned().unwrap_or_else(|| [].into())
    }

    /// Counts one.
    pub(super) fn count(&self, number: u32) {
        if let Some(count) = self.own.get(number as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&mut self, endpoint: &EndpointKey, count: u64) {
        self.endpoints.entry(endpoint.clone()).or_default().elsewhere += count;
    }

    /// What counts for an endpoint, if it ever was in an answer.
    pub(super) fn get(&self, endpoint: &EndpointKey) -> Option<Counters> {
        self.endpoints.get(endpoint).map(|counters| self.with_own(counters))
    }

    /// What counts for each.
    pub(super) fn all(&self) -> impl Iterator<Item = (&EndpointKey, Counters)> {
        self.endpoints.iter().map(|(endpoint, counters)| (endpoint, self.with_own(counters)))
    }

    /// Forgets an endpoint. Others that were in an answer with it keep their counts.
    pub(super) fn forget(&mut self, endpoint: &EndpointKey) {
        let gone = self.endpoints.remove(endpoint).map(|counters| counters.numbers).unwrap_or_default();
        for number in gone {
            if let Some(set) = self.members.get(number as usize - REASONS) {
                self.sets.remove(set);
            }
        }
    }

    fn with_own(&self, counters: &Counters) -> Counters {
        let own = counters.numbers.iter().filter_map(|number| self.own.get(*number as usize));
        let own: u64 = own.map(|count| count.load(Ordering::Relaxed)).sum();
        Counters { numbers: counters.numbers.clone(), elsewhere: counters.elsewhere + own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> EndpointKey {
        EndpointKey { profile: "p".into(), endpoint: name.into() }
    }

    fn answers(counted: &Counted, name: &str) -> Option<u64> {
        counted.get(&key(name)).map(|counters| counters.elsewhere)
    }

    #[test]
    fn an_answer_counts_for_all_in_it_whatever_their_order() {
        let mut counted = Counted::new();
        let [a, b, c] = ["a", "b", "c"].map(key);
        let ab = counted.counter(&[b.clone(), a.clone()]);
        let bc = counted.counter(&[b.clone(), c.clone()]);
        let alone = counted.counter(std::slice::from_ref(&b));
        assert_eq!(counted.counter(&[a.clone(), b.clone()]), ab);
        assert_eq!(counted.counter(&[]), NOBODY);
        assert_eq!([ab, bc, alone], [0, 1, 2].map(|i| REASONS as u32 + i));
        for (number, times) in [(ab, 5), (bc, 3), (alone, 2), (NOBODY, 7)] {
            (0..times).for_each(|_| counted.count(number));
        }
        counted.add(&b, 100);
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| answers(&counted, name)),
            [Some(5), Some(110), Some(3), None]
        );
        assert_eq!(counted.get(&b).unwrap().numbers, [ab, bc, alone]);
        let all: HashMap<EndpointKey, u64> =
            counted.all().map(|(key, counters)| (key.clone(), counters.elsewhere)).collect();
        assert_eq!(all, HashMap::from([(a, 5), (b, 110), (c, 3)]));
    }

    #[test]
    fn nobody_inherits_a_count_and_nobody_loses_one() {
        let mut counted = Counted::new();
        let [a, b] = ["a", "b"].map(key);
        let first = counted.counter(&[a.clone(), b.clone()]);
        (0..4).for_each(|_| counted.count(first));
        counted.forget(&a);
        assert_eq!((answers(&counted, "a"), answers(&counted, "b")), (None, Some(4)));
        let again = counted.counter(&[a, b]);
        assert_ne!(again, first);
        counted.count(again);
        assert_eq!((answers(&counted, "a"), answers(&counted, "b")), (Some(1), Some(5)));
    }
}
