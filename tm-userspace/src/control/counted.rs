//! What was counted before the present tables were made, by tables that are on their way out: in this process or in one that is gone.
//!
//! Counts are carried over twice: as they are when the new tables are filled, so that nobody sees them fall, and what came after that, when the last
//! packet is out of the old programs.

use std::{collections::HashMap, sync::Arc};

use tm_common::verdict::{REASONS, Reason};

use crate::{desired::EndpointKey, sync::Image, xdp::Counters};

/// Answers by endpoint and packets by reason, up to a moment, and where they go on being counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Endpoint, its number among `counters`, and what was counted elsewhere.
    pub endpoints: Vec<(EndpointKey, u32, u64)>,
    /// What the counters of packets mean, by their number; none where it means nothing to us.
    pub reasons: Vec<Option<Reason>>,
    /// Packets counted elsewhere, by reason.
    pub packets: [u64; REASONS],
    /// The kernel's.
    pub counters: Option<Arc<Counters>>,
}

impl Counted {
    /// By the tables of this process.
    pub(super) fn of(image: &Image, counters: Option<Arc<Counters>>) -> Self {
        Counted {
            endpoints: image.counters().map(|(key, counter, count)| (key.clone(), counter, count)).collect(),
            reasons: Reason::ALL.iter().copied().map(Some).collect(),
            packets: [0; REASONS],
            counters,
        }
    }

    /// Answers so far.
    pub(super) fn answers(&self) -> HashMap<EndpointKey, u64> {
        let in_kernel = |counter| self.counters.as_ref().map_or(0, |counters| counters.answered(counter));
        self.endpoints
            .iter()
            .map(|(key, counter, count)| (key.clone(), count + in_kernel(*counter)))
            .collect()
    }

    /// Packets so far.
    pub(super) fn packets(&self) -> [u64; REASONS] {
        let mut packets = self.packets;
        let in_kernel = self.counters.as_ref().map(|counters| counters.reasons()).unwrap_or_default();
        for (reason, count) in self.reasons.iter().zip(in_kernel) {
            if let Some(reason) = reason {
                packets[*reason as usize] += count;
            }
        }
        packets
    }
}
