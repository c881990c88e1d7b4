//! From probes to verdicts: who is up, since when, and why we think so.
//!
//! `probe` makes one check and returns one bit and a reason. `track` counts outcomes and yields a flip. `run` gives each endpoint
//! that is to be probed a schedule of its own. Only flips are published, as a whole latest [`Health`]; what the last probe said is
//! kept aside for `tm status`.
//!
//! | file | what it owns |
//! | --- | --- |
//! | `schedule` | which endpoints are probed, from the latest `Desired` |
//! | `endpoint` | one endpoint's schedule: when its next probe is due, what became of the last |
//! | `slots` | how many probes are under way at once |
//! | `probe`, `http`, `tcp`, `tls`, `certificate`, `resolve`, `guard`, `reason` | one probe |
//! | `track`, `details` | outcomes counted and remembered |
//! | `orders` | what operators force and restore |

mod certificate;
mod details;
mod endpoint;
mod guard;
mod http;
mod orders;
mod probe;
mod reason;
mod resolve;
mod schedule;
mod slots;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod track;

pub use details::{Details, EndpointDetails, Remembered};
pub use orders::{Forced, Orders};
pub use probe::{Probe, Prober};
pub use schedule::{is_probed, run};
pub use slots::Slots;
pub use track::Track;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::{desired::EndpointKey, geo::RoundTrips};

/// The verdicts on all probed endpoints, the operator's orders, and what was measured of the way to clients. An endpoint that is not in `verdicts` has no verdict yet.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Grows with each change.
    pub generation: u64,
    /// By endpoint.
    pub verdicts: OrdMap<EndpointKey, Verdict>,
    /// What operators ordered.
    pub orders: Orders,
    /// What was measured of how far clients are.
    pub round_trips: RoundTrips,
}

/// What was derived from an endpoint's outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Is it up?
    pub up: bool,
    /// Since when.
    pub since: SystemTime,
    /// Is it up, and was it down before?
    pub recovered: bool,
}

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// When the certificate expires that was shown.
    #[serde(default, with = "crate::time::serde_rfc3339::option")]
    pub expires: Option<SystemTime>,
}
