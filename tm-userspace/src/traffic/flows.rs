//! Who asked for one profile and what they were given, over a window that slides: counts by network and endpoint, in bounded memory, without a clock.
//!
//! The window is kept in slices, the oldest of which is dropped as a whole. A slice that has more rows than it may loses the half with the least counts: those count for no network
//! from then on, but still for their endpoint. So networks that ask much stay, and a flood of forged senders pushes out nothing but one another.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Parts of a window.
const SLICES: u32 = 12;
/// Rows that a slice of one profile may have, where there is room.
const ROWS_AT_MOST: usize = 4_096;
/// Rows of all profiles.
const ROWS_OF_ALL: usize = 500_000;

/// A network of clients: its first address and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(pub IpAddr, pub u8);

impl Network {
    /// The one that an address belongs to: of IPv4 a /24, of IPv6 a /48, or what is known of less of it.
    pub fn of(address: IpAddr, known: u8) -> Self {
        let length = known.min(if address.is_ipv4() { 24 } else { 48 });
        Network(crate::prefix::network(address, length), length)
    }
}

/// How far back it goes, and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    window: Duration,
    rows: usize,
}

impl Bounds {
    /// For each of so many profiles.
    pub fn new(window: Duration, profiles: usize) -> Self {
        let rows = ROWS_OF_ALL / SLICES as usize / profiles.max(1);
        Bounds { window, rows: rows.clamp(1, ROWS_AT_MOST) }
    }

    /// How far back it goes.
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// What was counted of one profile.
#[derive(Debug)]
pub struct Flows {
    /// When this began.
    began: SystemTime,
    slices: VecDeque<Slice>,
}

#[derive(Debug)]
struct Slice {
    begins: SystemTime,
    rows: HashMap<(Network, Arc<str>), u64>,
    /// Of networks that are not told apart.
    rest: HashMap<Arc<str>, u64>,
}

/// All that was counted within the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Since when.
    pub since: SystemTime,
    /// By network and the name of the endpoint.
    pub rows: BTreeMap<(Network, Arc<str>), u64>,
    /// By endpoint, of networks that are not told apart.
    pub rest: BTreeMap<Arc<str>, u64>,
}

impl Flows {
    /// Nothing yet.
    pub fn new(now: SystemTime) -> Self {
        Flows { began: now, slices: VecDeque::new() }
    }

    /// Takes in that a network was given an endpoint so many times.
    pub fn add(
        &mut self,
        network: Network,
        endpoint: &Arc<str>,
        count: u64,
        now: SystemTime,
        bounds: Bounds,
    ) {
        let length = bounds.window / SLICES;
        let is_over = |slice: &Slice| now.duration_since(slice.begins).is_ok_and(|age| age >= length);
        if self.slices.back().is_none_or(is_over) {
            self.slices.push_back(Slice { begins: now, rows: HashMap::new(), rest: HashMap::new() });
        }
        self.slices.retain(|slice| slice.is_within(now, bounds.window));
        if let Some(slice) = self.slices.back_mut() {
            *slice.rows.entry((network, endpoint.clone())).or_default() += count;
            slice.keep(bounds.rows);
        }
    }

    /// What was counted within the window that ends now.
    pub fn sum(&self, now: SystemTime, bounds: Bounds) -> Sum {
        let first = now.checked_sub(bounds.window).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut sum = Sum { since: self.began.max(first), rows: BTreeMap::new(), rest: BTreeMap::new() };
        for slice in self.slices.iter().filter(|slice| slice.is_within(now, bounds.window)) {
            for (row, count) in &slice.rows {
                *sum.rows.entry(row.clone()).or_default() += count;
            }
            for (endpoint, count) in &slice.rest {
                *sum.rest.entry(endpoint.clone()).or_default() += count;
            }
        }
        sum
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.slices.iter().map(|slice| slice.rows.len()).sum()
    }
}

impl Slice {
    fn is_within(&self, now: SystemTime, window: Duration) -> bool {
        // One that begins later is of a clock that was set back.
        now.duration_since(self.begins).is_ok_and(|age| age < window) || self.begins > now
    }

    fn keep(&mut self, most: usize) {
        if self.rows.len() <= most {
            return;
        }
        let mut rows: Vec<_> = self.rows.drain().collect();
        // The greatest counts first; of equal ones whichever, but the same ones every time.
        rows.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        for ((_, endpoint), count) in rows.drain(most.div_ceil(2)..) {
            *self.rest.entry(endpoint).or_default() += count;
        }
        self.rows.extend(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(hours: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + 1000 * HOUR + hours * HOUR
    }

    fn network(text: &str) -> Network {
        let (address, length) = text.split_once('/').unwrap();
        Network(address.parse().unwrap(), length.parse().unwrap())
    }

    #[test]
    fn clients_are_known_by_their_network() {
        for (address, known, expected) in [
            ("192.0.2.77", 32, "192.0.2.0/24"),
            ("192.0.2.77", 24, "192.0.2.0/24"),
            ("192.0.0.0", 16, "192.0.0.0/16"),
            ("2001:db8:1:2::3", 128, "2001:db8:1::/48"),
            ("2001:db8::", 32, "2001:db8::/32"),
        ] {
            assert_eq!(Network::of(address.parse().unwrap(), known), network(expected), "{address}/{known}");
        }
    }

    #[test]
    fn counts_are_sums_by_network_and_endpoint() {
        let bounds = Bounds::new(12 * HOUR, 1);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let (one, two) = (network("192.0.2.0/24"), network("2001:db8::/48"));
        let mut flows = Flows::new(at(0));
        for (network, endpoint, count, hour) in
            [(one, &a, 1, 0), (one, &a, 100, 0), (one, &b, 1, 1), (two, &a, 7, 3), (one, &a, 1, 3)]
        {
            flows.add(network, endpoint, count, at(hour), bounds);
        }
        let expected = Sum {
            since: at(0),
            rows: BTreeMap::from([((one, a.clone()), 102), ((one, b.clone()), 1), ((two, a.clone()), 7)]),
            rest: BTreeMap::new(),
        };
        assert_eq!(flows.sum(at(3), bounds), expected);
    }

    #[test]
    fn the_window_slides() {
        let bounds = Bounds::new(12 * HOUR, 1);
        let (a, one): (Arc<str>, _) = ("a".into(), network("192.0.2.0/24"));
        let mut flows = Flows::new(at(0));
        (0..30).for_each(|hour| flows.add(one, &a, 1, at(hour), bounds));
        let count = |hour| flows.sum(at(hour), bounds).rows.values().sum::<u64>();
        // 18 to 29 are there; nobody asked since.
        assert_eq!([29, 30, 31, 40, 41, 42].map(count), [12, 11, 10, 1, 0, 0]);
        assert_eq!(flows.sum(at(29), bounds).since, at(17));
        assert_eq!(flows.kept(), 12, "nothing older is kept");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let bounds = Bounds::new(12 * HOUR, 1);
        let (a, one): (Arc<str>, _) = ("a".into(), network("192.0.2.0/24"));
        let mut flows = Flows::new(at(50));
        for hour in [50, 20, 51] {
            flows.add(one, &a, 1, at(hour), bounds);
        }
        assert_eq!(flows.sum(at(51), bounds).rows.values().sum::<u64>(), 3);
    }

    #[test]
    fn memory_is_bounded_and_those_who_ask_much_stay() {
        let bounds = Bounds::new(12 * HOUR, 100);
        assert_eq!(bounds.rows, 416);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut flows = Flows::new(at(0));
        let loud = network("192.0.2.0/24");
        for i in 0..50_000u32 {
            let forged = Network::of(IpAddr::V4((i << 8).into()), 32);
            flows.add(forged, &b, 1, at(0), bounds);
            if i % 10 == 0 {
                flows.add(loud, &a, 1, at(0), bounds);
            }
            assert!(flows.kept() <= 416);
        }
        let sum = flows.sum(at(0), bounds);
        assert_eq!(sum.rows[&(loud, a)], 5_000, "it was never pushed out");
        let told_apart: u64 = sum.rows.iter().filter(|((_, its), _)| *its == b).map(|(_, count)| count).sum();
        assert_eq!(told_apart + sum.rest[&b], 50_000, "nothing is lost");
        assert_eq!(Bounds::new(HOUR, 1_000_000).rows, 1);
        assert_eq!(Bounds::new(HOUR, 1).rows, 4_096);
    }
}
