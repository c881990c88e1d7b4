//! `tm geo rtt`: measured round trips for the daemon, and what it has made of them.

use std::io::BufRead as _;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::{Failure, Output, Reach, client, out::say};
use crate::{
    api::{RoundTripsChange, SampleText},
    geo::Sample,
};

/// Measurements sent at once.
const AT_ONCE: usize = 5_000;

#[derive(Debug, Args)]
pub(super) struct RoundTrip {
    /// Where the client is, as 203.0.113.0/24; or - to read lines `prefix,region,milliseconds` from standard input.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,
    /// The Azure region that it reached.
    #[arg(requires = "ms")]
    region: Option<String>,
    /// How long that took, in milliseconds.
    #[arg(value_name = "MS")]
    ms: Option<f64>,
    /// Forget all that was measured of this prefix; may be repeated.
    #[arg(long, value_name = "PREFIX")]
    forget: Vec<String>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(asked: RoundTrip) -> Result<(), Failure> {
    let RoundTrip { prefix, region, ms, forget, reach } = asked;
    let samples = match (prefix.as_deref(), region, ms) {
        (None, _, _) => vec![],
        (Some("-"), None, _) => read_lines()?,
        (Some(prefix), Some(region), Some(ms)) => vec![SampleText { prefix: prefix.to_owned(), region, ms }],
        _ => return Err(anyhow!(
            "write PREFIX REGION MS, as 203.0.113.0/24 \"West Europe\" 12, or - for lines from standard input"
        )
        .into()),
    };
    if forget.is_empty() && samples.is_empty() && prefix.is_none() {
        return list(&reach).await;
    }
    let mut prefixes =
        client::change_round_trips(&reach, &RoundTripsChange { forget, samples: vec![] }).await?;
    for samples in samples.chunks(AT_ONCE) {
        let change = RoundTripsChange { forget: vec![], samples: samples.to_vec() };
        prefixes = client::change_round_trips(&reach, &change).await?;
    }
    match reach.output {
        form @ (Output::Json | Output::Yaml) => {
            form.print(&serde_json::json!({ "samples": samples.len(), "prefixes": prefixes }))?
        }
        Output::Text => say!("{} samples taken; {prefixes} prefixes are known", samples.len()),
    }
    Ok(())
}

async fn list(reach: &Reach) -> Result<(), Failure> {
    let known = client::round_trips(reach).await?;
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&known)?,
        Output::Text => {
            for one in known {
                say!("{},{},{:.1}  samples {}", one.prefix, one.region, one.ms, one.samples);
            }
        }
    }
    Ok(())
}

/// Each line is looked at before any is sent: what is wrong is told with its number.
fn read_lines() -> Result<Vec<SampleText>, Failure> {
    let mut samples = vec![];
    for (line, number) in std::io::stdin().lock().lines().zip(1..) {
        let line = line.context("cannot read standard input")?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Sample { prefix: (first, length), region, milliseconds } =
            Sample::read(line).with_context(|| format!("line {number}"))?;
        samples.push(SampleText {
            prefix: format!("{first}/{length}"),
            region: region.as_str().to_owned(),
            ms: milliseconds,
        });
    }
    Ok(samples)
}
