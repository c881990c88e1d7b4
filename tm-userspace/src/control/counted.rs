//! What was counted before the present tables were made, by tables that are on their way out: in this process or in one that is gone.
//!
//! Counts are carried over as they are when the new tables are filled, then what came while these were loaded, so that nobody sees them fall, and then what
//! came until the last packet is out of the old programs.

use std::{collections::HashMap, sync::Arc};

use tm_common::verdict::{REASONS, Reason};

use super::Tables;
use crate::{
    desired::EndpointKey,
    sync::{Counters, Image},
    xdp::{self, Kernel},
};

/// Answers by endpoint and packets by reason, up to a moment, and where they go on being counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Endpoint, the numbers of its counters among `counters`, and what was counted elsewhere.
    pub endpoints: Vec<(EndpointKey, Counters)>,
    /// What the counters of packets mean, by their number; none where it means nothing to us.
    pub reasons: Vec<Option<Reason>>,
    /// Packets counted elsewhere, by reason.
    pub packets: [u64; REASONS],
    /// So many of the kernel's are in use: each is a look-up of its own.
    pub used: u32,
    /// The kernel's.
    pub counters: Option<Arc<xdp::Counters>>,
}

impl Counted {
    /// By the tables of this process.
    pub(super) fn of(image: &Image, counters: Option<Arc<xdp::Counters>>) -> Self {
        Counted {
            endpoints: image.counters().map(|(key, counters)| (key.clone(), counters)).collect(),
            reasons: Reason::ALL.iter().copied().map(Some).collect(),
            packets: [0; REASONS],
            used: image.sizes().counters,
            counters,
        }
    }

    /// By the tables of this process, of which the kernel is locked for no longer than it takes to find its counters.
    pub(super) fn of_tables(tables: &Tables) -> Self {
        let counters = tables.kernel().as_ref().map(Kernel::counters);
        Self::of(&tables.image(), counters)
    }

    /// Answers and packets so far.
    pub(super) fn now(&self) -> Sums {
        let counts = self.counters.as_ref().map(|counters| counters.read(self.used)).unwrap_or_default();
        let answers = self
            .endpoints
            .iter()
            .map(|(key, of)| (key.clone(), of.elsewhere + counts.answered(&of.numbers)))
            .collect();
        let mut packets = self.packets;
        for (reason, count) in self.reasons.iter().zip(counts.reasons()) {
            if let Some(reason) = reason {
                packets[*reason as usize] += count;
            }
        }
        Sums { answers, packets }
    }
}

/// Answers and packets up to a moment.
#[derive(Debug)]
pub(super) struct Sums {
    answers: HashMap<EndpointKey, u64>,
    packets: [u64; REASONS],
}

impl Default for Sums {
    fn default() -> Self {
        Sums { answers: HashMap::new(), packets: [0; REASONS] }
    }
}

impl Sums {
    /// Adds the answers that came since `then` to those of the endpoints in `image`.
    pub(super) fn add_answers_since(&self, then: &Sums, image: &mut Image) {
        for (endpoint, count) in &self.answers {
            image.add_count(endpoint, count.saturating_sub(then.answers.get(endpoint).copied().unwrap_or(0)));
        }
    }

    /// The packets that came since `then`, by the number of their reason.
    pub(super) fn packets_since(&self, then: &Sums) -> [u64; REASONS] {
        std::array::from_fn(|reason| self.packets[reason].saturating_sub(then.packets[reason]))
    }
}
