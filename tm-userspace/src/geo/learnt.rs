//! Round trips learnt from probes: how far this node finds each endpoint, and so its region, worth more than a guess for clients that are near to the node.
//!
//! | the probes of an endpoint have connected | what counts for it |
//! | --- | --- |
//! | fewer than 8 times | nothing |
//! | 8 times | the mean |
//! | more often | what counted, until the mean (of more than 8 smoothed by an eighth, as RFC 6298 does) is off by more than 2 ms and by more than a tenth: then the mean |
//!
//! So answers do not go back and forth between regions about as far, and nothing is made anew for a sample. A region is as far as the nearest endpoint in it. A connection that
//! fails says nothing, and what an endpoint had when it went down stays until its target changes or it is probed no longer.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::region::Region;
use crate::desired::EndpointKey;

/// From so many samples on, each new one weighs as much as the last.
pub(super) const SMOOTHED: u32 = 8;
/// Less than this, in milliseconds, is no change...
const SLIGHT: f64 = 2.0;
/// ... nor is less than this part.
const PART: f64 = 0.1;

/// A smoothed round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Smoothed {
    /// The mean, 0 to 60,000.
    pub milliseconds: f64,
    /// Samples so far.
    pub samples: u32,
}

impl Smoothed {
    /// One more sample.
    pub fn add(&mut self, milliseconds: f64) {
        self.samples = self.samples.saturating_add(1);
        self.milliseconds += (milliseconds - self.milliseconds) / f64::from(self.samples.min(SMOOTHED));
    }

    /// What is to count from now on, where that is something else than what has `counted`.
    pub fn news(&self, counted: Option<f64>) -> Option<f64> {
        let is_off = |counted: f64| {
            let difference = (self.milliseconds - counted).abs();
            difference > SLIGHT && difference > counted * PART
        };
        (self.samples >= SMOOTHED && counted.is_none_or(is_off)).then_some(self.milliseconds)
    }
}

/// What counts: by endpoint the region that it is in, and how far it is. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Learnt(OrdMap<EndpointKey, (Region, f64)>);

impl Learnt {
    /// What counts for an endpoint in this region.
    pub(super) fn get(&self, endpoint: &EndpointKey, region: Region) -> Option<f64> {
        self.0.get(endpoint).filter(|(known, _)| *known == region).map(|(_, milliseconds)| *milliseconds)
    }

    pub(super) fn set(&mut self, endpoint: EndpointKey, region: Region, milliseconds: f64) {
        self.0.insert(endpoint, (region, milliseconds));
    }

    /// `false` where nothing was known of it.
    pub(super) fn remove(&mut self, endpoint: &EndpointKey) -> bool {
        self.0.remove(endpoint).is_some()
    }

    /// How far the regions are.
    pub(super) fn regions(&self) -> Vec<(Region, f64)> {
        let mut regions: Vec<(Region, f64)> = vec![];
        for (region, milliseconds) in self.0.values() {
            match regions.iter_mut().find(|(known, _)| known == region) {
                Some((_, nearest)) => *nearest = nearest.min(*milliseconds),
                None => regions.push((*region, *milliseconds)),
            }
        }
        regions
    }

    pub(super) fn is_same(&self, other: &Learnt) -> bool {
        self.0.ptr_eq(&other.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What counts after each of these samples.
    fn counted(samples: &[f64]) -> Vec<Option<f64>> {
        let (mut smoothed, mut counted) = (Smoothed::default(), None);
        let one = |sample: &f64| {
            smoothed.add(*sample);
            counted = smoothed.news(counted).or(counted);
            counted
        };
        samples.iter().map(one).collect()
    }

    #[test]
    fn eight_samples_are_enough_and_then_the_mean_has_to_move() {
        let mut samples = [16.0, 24.0].repeat(4);
        assert_eq!(counted(&samples)[6..], [None, Some(20.0)]);
        // 20 + 8 / 8 = 21, then 21.875, 22.640625: more than a tenth and 2 ms off at last.
        samples.extend([28.0; 3]);
        assert_eq!(counted(&samples)[8..], [Some(20.0), Some(20.0), Some(22.640625)]);
        // Back at 20 and a little it stays.
        samples.extend([20.0; 20]);
        let all = counted(&samples);
        // The fifteenth takes it 2.28 ms away from what counted.
        assert_eq!(all[24], Some(22.640625));
        assert!((all[25].unwrap() - (20.0 + 2.640625 * 0.875f64.powi(15))).abs() < 1e-9);
        assert_eq!(all[30], all[25]);
    }

    #[test]
    fn neither_a_tenth_nor_two_milliseconds_alone_are_news() {
        // 1 to 2.9 ms is much more than a tenth; 100 to 109.9 ms more than 2 ms.
        for (from, to, is_news) in
            [(1.0, 2.9, false), (1.0, 3.1, true), (100.0, 109.9, false), (100.0, 110.1, true)]
        {
            let smoothed = Smoothed { milliseconds: to, samples: 8 };
            assert_eq!(smoothed.news(Some(from)).is_some(), is_news, "{from} {to}");
        }
    }

    #[test]
    fn a_region_is_as_far_as_the_nearest_endpoint_in_it() {
        let key = |endpoint: &str| EndpointKey { profile: "p".into(), endpoint: endpoint.into() };
        let [west, east] = ["West Europe", "East US"].map(|name| Region::find(name).unwrap());
        let mut learnt = Learnt::default();
        for (endpoint, region, milliseconds) in [("a", west, 9.0), ("b", west, 7.0), ("c", east, 80.0)] {
            learnt.set(key(endpoint), region, milliseconds);
        }
        assert_eq!(learnt.regions(), [(west, 7.0), (east, 80.0)]);
        assert_eq!((learnt.get(&key("b"), west), learnt.get(&key("b"), east)), (Some(7.0), None));
        assert!(learnt.remove(&key("b")) && !learnt.remove(&key("b")));
        assert_eq!(learnt.regions(), [(west, 9.0), (east, 80.0)]);
    }
}
