//! What the programs count, read without the memory that the daemon shares with them: also from the pins of a daemon that is gone.

use std::{fmt, os::fd::AsFd as _};

use anyhow::Context as _;
use aya::{
    Ebpf,
    maps::{Array, Map, MapData, PerCpuArray},
};
use tm_common::verdict::REASONS;

use super::pin::Pins;

/// The counters of one loaded object.
pub struct Counters {
    answered: PerCpuArray<MapData, u64>,
    reasons: Array<MapData, [u64; REASONS]>,
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

impl Counters {
    /// Those of an object that this process has loaded.
    pub(super) fn of(bpf: &Ebpf) -> anyhow::Result<Self> {
        let data = |name| -> anyhow::Result<MapData> {
            let map = bpf.map(name).with_context(|| format!("the object has no map `{name}`"))?;
            let (Map::Array(data) | Map::PerCpuArray(data)) = map else {
                anyhow::bail!("the map `{name}` is no array")
            };
            Ok(MapData::from_fd(data.fd().as_fd().try_clone_to_owned()?)?)
        };
        Self::new(data("ANSWERED")?, data("REASON_COUNTS")?)
    }

    /// Those that an earlier daemon pinned, if they are still there.
    pub fn pinned(pins: &Pins, id: &str) -> anyhow::Result<Self> {
        let dir = pins.tables(id);
        Self::new(MapData::from_pin(dir.join("answered"))?, MapData::from_pin(dir.join("reasons"))?)
    }

    fn new(answered: MapData, reasons: MapData) -> anyhow::Result<Self> {
        Ok(Counters {
            answered: PerCpuArray::try_from(Map::PerCpuArray(answered))?,
            reasons: Array::try_from(Map::Array(reasons))?,
        })
    }

    /// Answers given, by counter, over all CPUs.
    pub fn answered(&self, counter: u32) -> u64 {
        self.answered.get(&counter, 0).map(|counts| counts.iter().sum()).unwrap_or(0)
    }

    /// Packets by the number of their reason, over all CPUs.
    pub fn reasons(&self) -> [u64; REASONS] {
        let mut sums = [0; REASONS];
        for cpu in (0..self.reasons.len()).filter_map(|cpu| self.reasons.get(&cpu, 0).ok()) {
            sums.iter_mut().zip(cpu).for_each(|(sum, count)| *sum += count);
        }
        sums
    }
}
