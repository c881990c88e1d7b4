//! Round trips that were measured, by the prefix that clients are in and the region that answered them: smoothed, and worth more than a guess once there are enough.
//!
//! | samples of a prefix and a region | what counts |
//! | --- | --- |
//! | 1 or 2 | the guess |
//! | 3 to 8 | their mean |
//! | more | the mean so far, moved by an eighth of what the next one differs (RFC 6298's smoothing) |
//!
//! What the operator's file says goes before, and what was learnt from probes ([`Smoothed`]) behind. Nothing grows old by itself: a region that is measured no more keeps its last mean, until it is forgotten.

use std::net::IpAddr;

use anyhow::{bail, ensure};
use imbl::OrdMap;

use super::{
    latency::{MILLISECONDS, cells, find_region, prefix},
    learnt::{Learnt, Smoothed},
    prefixes::Prefixes,
    region::Region,
};
use crate::desired::EndpointKey;

/// So many samples are worth more than a guess.
const ENOUGH: u32 = 3;
/// Prefixes that can be known.
const PREFIXES_AT_MOST: usize = 100_000;

/// All that was measured; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RoundTrips {
    known: OrdMap<(IpAddr, u8), Vec<Measured>>,
    /// Those with enough samples.
    enough: Prefixes,
    /// What the probes of endpoints say of their regions.
    learnt: Learnt,
}

/// What is known of a prefix and a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The region.
    pub region: Region,
    /// The smoothed round trip, 0 to 60,000.
    pub milliseconds: f64,
    /// Samples so far.
    pub samples: u32,
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// First address and length.
    pub prefix: (IpAddr, u8),
    /// The region that answered.
    pub region: Region,
    /// The round trip, 0 to 60,000.
    pub milliseconds: f64,
}

impl Sample {
    /// From what people write; an error says what is wrong with it.
    pub fn new(network: &str, region: &str, milliseconds: f64) -> anyhow::Result<Self> {
        ensure!(
            MILLISECONDS.contains(&milliseconds),
            "{milliseconds} is not a number of milliseconds from 0 to 60000"
        );
        Ok(Sample { prefix: read_prefix(network)?, region: find_region(region)?, milliseconds })
    }

    /// From a line `prefix,region,milliseconds`.
    pub fn read(line: &str) -> anyhow::Result<Self> {
        let (network, region, milliseconds) = cells(line)?;
        Ok(Sample { prefix: read_prefix(network)?, region, milliseconds })
    }
}

/// A prefix as people write it.
fn read_prefix(text: &str) -> anyhow::Result<(IpAddr, u8)> {
    match prefix(text) {
        Some(prefix) => prefix,
        None => bail!("{text:?} is no prefix: write it as `203.0.113.0/24`"),
    }
}

impl RoundTrips {
    /// Takes samples in; with one prefix too many, none of them.
    pub fn take(&mut self, samples: &[Sample]) -> anyhow::Result<()> {
        let mut next = self.clone();
        for sample in samples {
            next.add(sample);
        }
        ensure!(
            next.known.len() <= PREFIXES_AT_MOST,
            "more than {PREFIXES_AT_MOST} prefixes: measure larger ones, or forget some"
        );
        *self = next;
        Ok(())
    }

    fn add(&mut self, sample: &Sample) {
        let mut all = self.known.get(&sample.prefix).cloned().unwrap_or_default();
        match all.iter_mut().find(|measured| measured.region == sample.region) {
            Some(measured) => {
                let Measured { milliseconds, samples, .. } = *measured;
                let mut smoothed = Smoothed { milliseconds, samples };
                smoothed.add(sample.milliseconds);
                Smoothed { milliseconds: measured.milliseconds, samples: measured.samples } = smoothed;
            }
            None => {
                all.push(Measured { region: sample.region, milliseconds: sample.milliseconds, samples: 1 })
            }
        }
        self.put(sample.prefix, all);
    }

    /// Puts what an earlier run knew of a prefix, as it is written, in the place of all that is known of it.
    pub fn set(&mut self, network: &str, all: Vec<Measured>) -> anyhow::Result<()> {
        let prefix = read_prefix(network)?;
        ensure!(all.iter().all(|measured| MILLISECONDS.contains(&measured.milliseconds)), "no milliseconds");
        self.put(prefix, all);
        Ok(())
    }

    fn put(&mut self, prefix: (IpAddr, u8), all: Vec<Measured>) {
        let enough = all.iter().filter(|measured| measured.samples >= ENOUGH);
        self.enough.set(prefix, enough.map(|measured| (measured.region, measured.milliseconds)).collect());
        self.known.insert(prefix, all);
    }

    /// Forgets a prefix, as it is written. `false` where nothing was known of it.
    pub fn forget(&mut self, network: &str) -> anyhow::Result<bool> {
        let prefix = read_prefix(network)?;
        self.enough.set(prefix, vec![]);
        Ok(self.known.remove(&prefix).is_some())
    }

    /// By prefix, in the order of the addresses.
    pub fn all(&self) -> impl Iterator<Item = (&(IpAddr, u8), &[Measured])> {
        self.known.iter().map(|(prefix, all)| (prefix, all.as_slice()))
    }

    /// Was nothing taken in since they were the same?
    pub fn is_same(&self, other: &RoundTrips) -> bool {
        self.known.ptr_eq(&other.known) && self.learnt.is_same(&other.learnt)
    }

    /// Is nothing known?
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.learnt.is_empty()
    }

    /// What counts of how far the probes of an endpoint in this region find it.
    pub fn learnt(&self, endpoint: &EndpointKey, region: Region) -> Option<f64> {
        self.learnt.get(endpoint, region)
    }

    /// Has this count from now on.
    pub fn learn(&mut self, endpoint: EndpointKey, region: Region, milliseconds: f64) {
        self.learnt.set(endpoint, region, milliseconds);
    }

    /// Has nothing count of what the probes of an endpoint said. `false` where nothing did.
    pub fn unlearn(&mut self, endpoint: &EndpointKey) -> bool {
        self.learnt.remove(endpoint)
    }

    /// How far the regions are that probes know.
    pub(super) fn regions(&self) -> Vec<(Region, f64)> {
        self.learnt.regions()
    }

    /// What is worth more than a guess.
    pub(super) fn enough(&self) -> &Prefixes {
        &self.enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Client, Code, Overrides, ranking};

    fn taken(lines: &[&str]) -> RoundTrips {
        let mut known = RoundTrips::default();
        let samples: Vec<Sample> = lines.iter().map(|line| Sample::read(line).unwrap()).collect();
        known.take(&samples).unwrap();
        known
    }

    fn first(known: &RoundTrips, file: &Overrides, address: &str) -> (&'static str, f64) {
        let client =
            Client { address: address.parse().unwrap(), code: Code::find("DE").unwrap(), point: None };
        let (region, milliseconds) = ranking(&client, &file.with(known), Region::all())[0];
        (region.as_str(), milliseconds)
    }

    #[test]
    fn samples_count_once_there_are_enough_and_are_smoothed() {
        let line = |milliseconds: u32| format!("203.0.113.0/24,Brazil South,{milliseconds}");
        let known = |milliseconds: &[u32]| {
            let lines: Vec<String> = milliseconds.iter().map(|ms| line(*ms)).collect();
            taken(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let mean = |known: &RoundTrips| known.all().next().unwrap().1[0].milliseconds;
        let none = Overrides::default();
        assert_eq!(first(&known(&[1, 2]), &none, "203.0.113.7").0, "Germany North");
        assert_eq!(first(&known(&[1, 2, 0]), &none, "203.0.113.7"), ("Brazil South", 1.0));
        assert_eq!(first(&known(&[1, 2, 0]), &none, "203.0.114.7").0, "Germany North");
        assert_eq!(mean(&known(&[8; 8])), 8.0);
        assert_eq!(mean(&known(&[8, 8, 8, 8, 8, 8, 8, 8, 16])), 9.0);
        assert_eq!(mean(&known(&[8, 8, 8, 8, 8, 8, 8, 8, 16, 1])), 8.0);
    }

    #[test]
    fn the_operator_knows_better_and_the_longest_prefix_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latency.csv");
        std::fs::write(&path, "203.0.113.0/28,Brazil South,700\n").unwrap();
        let file = Overrides::read(&path).unwrap();
        let known = taken(&["203.0.113.0/24,brazilsouth,1", "203.0.113.128/25,Brazil South,0.5"].repeat(3));
        assert_eq!(first(&known, &file, "203.0.113.7").0, "Germany North");
        assert_eq!(first(&known, &file, "203.0.113.77"), ("Brazil South", 1.0));
        assert_eq!(first(&known, &file, "203.0.113.177"), ("Brazil South", 0.5));
        let mut prefixes: Vec<_> = file.with(&known).prefixes().map(|(_, length)| length).collect();
        prefixes.sort_unstable();
        assert_eq!(prefixes, [24, 25, 28]);
        let differing = file.differing(&file.with(&known)).unwrap();
        assert_eq!(differing.iter().map(|(_, length)| *length).collect::<Vec<_>>(), [24, 25]);
    }

    #[test]
    fn what_is_forgotten_is_guessed_again() {
        let mut known = taken(&["203.0.113.0/24,Brazil South,1"].repeat(3));
        let before = known.clone();
        assert!(known.is_same(&before));
        assert!(known.forget("203.0.113.0/24").unwrap() && !known.is_same(&before));
        assert!(!known.forget("203.0.113.0/24").unwrap() && known.is_empty());
        assert_eq!(first(&known, &Overrides::default(), "203.0.113.7").0, "Germany North");
        assert!(known.forget("DE").is_err());
    }

    #[test]
    fn what_is_wrong_with_a_sample_is_told() {
        for (line, said) in [
            ("DE,West Europe,1", "\"DE\" is no prefix: write it as `203.0.113.0/24`"),
            ("10.0.0.0/8,West Europ,1", "did you mean West Europe?"),
            ("10.0.0.1/8,West Europe,1", "has bits behind its length"),
            ("10.0.0.0/8,West Europe", "is not `client,region,milliseconds`"),
            ("10.0.0.0/8,West Europe,60001", "is not a number of milliseconds"),
        ] {
            let error = Sample::read(line).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(Sample::new("10.0.0.0/8", "West Europe", f64::NAN).is_err());
    }
}
