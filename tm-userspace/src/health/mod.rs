//! From probes to verdicts: who is up, since when, and why we think so.
//!
//! `probe` makes one check and returns one bit and a reason. `track` counts outcomes and yields a flip. `run` gives each endpoint
//! that is to be probed a schedule of its own. Only flips are published, as a whole latest [`Health`]; what the last probe said is
//! kept aside for `tm status`.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use imbl::OrdMap;
use serde::Serialize;

use crate::desired::EndpointKey;

/// The verdicts on all probed endpoints. An endpoint that is not in it has had no outcome yet.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Grows with each flip.
    pub generation: u64,
    /// By endpoint.
    pub verdicts: OrdMap<EndpointKey, Verdict>,
}

/// What was derived from an endpoint's outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Is it up?
    pub up: bool,
    /// Since when.
    pub since: SystemTime,
}

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Success or failure.
    pub ok: bool,
    /// In a few words: `200 OK`, `connection refused`, `no answer within 5s`.
    pub reason: Arc<str>,
    /// When it ended.
    #[serde(with = "crate::time::serde_rfc3339")]
    pub at: SystemTime,
    /// How long it took.
    #[serde(with = "crate::time::serde_millis")]
    pub took: Duration,
}
