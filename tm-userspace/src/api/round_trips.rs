//! Round trips to clients that others have measured: taken in, forgotten, shown.
//!
//! They become a part of what is known beside the health of endpoints, and are saved with it.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::View;
use crate::geo::{RoundTrips, Sample};

/// What is to change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTripsChange {
    /// Prefixes to forget, before anything is taken in.
    #[serde(default)]
    pub forget: Vec<String>,
    /// Measurements to take in: all of them, or where one is wrong none.
    #[serde(default)]
    pub samples: Vec<SampleText>,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleText {
    /// Where the client is, as `203.0.113.0/24`.
    pub prefix: String,
    /// The Azure region that it reached.
    pub region: String,
    /// How long that took, 0 to 60,000.
    pub ms: f64,
}

/// What is known of a prefix and a region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoundTripView {
    /// The prefix.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The smoothed round trip.
    pub ms: f64,
    /// Samples so far.
    pub samples: u32,
}

/// Changes what is known; an error says which prefix or sample is wrong, and then nothing has changed. Gives how many prefixes are known now.
pub(super) fn change(view: &View, change: &RoundTripsChange) -> anyhow::Result<usize> {
    let read = |(sample, number): (&SampleText, usize)| {
        Sample::new(&sample.prefix, &sample.region, sample.ms)
            .with_context(|| format!("sample {number}, {} {} {}", sample.prefix, sample.region, sample.ms))
    };
    let samples = change.samples.iter().zip(1..).map(read).collect::<anyhow::Result<Vec<Sample>>>()?;
    let mut result = Ok(0);
    view.change_health(|health| {
        let mut next = health.round_trips.clone();
        result = apply(&mut next, &change.forget, &samples);
        let changed = result.is_ok() && !next.is_same(&health.round_trips);
        if changed {
            health.round_trips = next;
        }
        changed
    });
    result
}

fn apply(known: &mut RoundTrips, forget: &[String], samples: &[Sample]) -> anyhow::Result<usize> {
    for prefix in forget {
        anyhow::ensure!(known.forget(prefix)?, "nothing is known of {prefix}");
    }
    known.take(samples)?;
    Ok(known.all().count())
}

/// Everything that is known.
pub(super) fn show(view: &View) -> Vec<RoundTripView> {
    let known = view.health.borrow().round_trips.clone();
    let mut all = vec![];
    for ((first, length), measured) in known.all() {
        all.extend(measured.iter().map(|measured| RoundTripView {
            prefix: format!("{first}/{length}"),
            region: measured.region.as_str().to_owned(),
            ms: measured.milliseconds,
            samples: measured.samples,
        }));
    }
    all
}
