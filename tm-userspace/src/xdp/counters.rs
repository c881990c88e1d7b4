//! What the programs count, read without the memory that the daemon shares with them: also from the pins of a daemon that is gone.

use std::{fmt, os::fd::AsFd as _};

use aya::{
    Ebpf,
    maps::{Map, MapData, PerCpuArray},
};
use tm_common::verdict::{REASONS, Reason};

use super::pin::Pins;

/// The counters of one loaded object.
pub struct Counters {
    counts: PerCpuArray<MapData, u64>,
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

impl Counters {
    /// Those of an object that this process has loaded.
    pub(super) fn of(bpf: &Ebpf) -> anyhow::Result<Self> {
        let Some(Map::PerCpuArray(data)) = bpf.map("COUNTS") else {
            anyhow::bail!("the object has no per-CPU array `COUNTS`")
        };
        Self::new(MapData::from_fd(data.fd().as_fd().try_clone_to_owned()?)?)
    }

    /// Those that an earlier daemon pinned, if they are still there.
    pub fn pinned(pins: &Pins, id: &str) -> anyhow::Result<Self> {
        Self::new(MapData::from_pin(pins.tables(id).join("counts"))?)
    }

    fn new(counts: MapData) -> anyhow::Result<Self> {
        Ok(Counters { counts: PerCpuArray::try_from(Map::PerCpuArray(counts))? })
    }

    /// The first so many, or all there are: one look-up each.
    pub fn read(&self, most: u32) -> Counts {
        Counts((0..self.counts.len().min(most)).map(|counter| self.count(counter)).collect())
    }

    /// Packets refused by the number of their reason, over all CPUs; as answered, those that were answered for no endpoint.
    pub fn refused(&self) -> [u64; REASONS] {
        std::array::from_fn(|reason| self.count(reason as u32))
    }

    /// One of them, over all CPUs.
    fn count(&self, counter: u32) -> u64 {
        self.counts.get(&counter, 0).map(|counts| counts.iter().sum()).unwrap_or(0)
    }
}

/// What counters said when they were read.
#[derive(Clone, Debug, Default)]
pub struct Counts(Vec<u64>);

impl Counts {
    /// Answers given, by all of these counters.
    pub fn answered(&self, counters: &[u32]) -> u64 {
        counters.iter().filter_map(|counter| self.0.get(*counter as usize)).sum()
    }

    /// Packets by the number of their reason. Those that were answered for an endpoint are answered.
    pub fn reasons(&self) -> [u64; REASONS] {
        let mut sums = std::array::from_fn(|reason| self.answered(&[reason as u32]));
        sums[Reason::Answered as usize] += self.0.iter().skip(REASONS).sum::<u64>();
        sums
    }
}
