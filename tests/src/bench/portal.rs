//! The portal's list of many profiles in a real browser: until its first row is drawn, and from frame to frame while it scrolls.
//!
//! The script is `tests/clients/portal/bench.cjs`. The browser runs on the daemon's host, without a graphics card: what is drawn is drawn by the processor.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::Spread;
use crate::{api, daemon::Daemon, lab::Lab, script, texts::NODE};

/// A display shows sixty frames a second: one that comes later than one and a half of them has missed its turn.
const TURN: Duration = Duration::from_millis(25);

/// The figures; times in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Portal {
    /// Profiles.
    pub profiles: usize,
    /// From following a link to the list to its first row, with nothing cached: signing in is in it.
    pub first: Spread,
    /// From loading the page again to its first row.
    pub again: Spread,
    /// From frame to frame while the list scrolls by less than a row a frame.
    pub slow: Spread,
    /// The same by 25 rows a frame: all rows are others each time.
    pub fast: Spread,
    /// What a frame of those takes the page's thread.
    pub busy: Spread,
    /// Frames of both that missed their turn.
    pub missed: usize,
    /// From a word in the filter to its rows.
    pub filter: Spread,
}

/// What the script tells, in milliseconds.
#[derive(Debug, Deserialize)]
struct Told {
    first: Vec<f64>,
    again: Vec<f64>,
    slow: Vec<f64>,
    fast: Vec<f64>,
    busy: Vec<f64>,
    filter: Vec<f64>,
}

/// With so many profiles.
pub fn measure(profiles: usize) -> Result<Portal> {
    let lab = Lab::new()?;
    let node = format!("{NODE}{}", api::LISTEN);
    let mut daemon = Daemon::start(&lab, &[("tm.toml", &node), ("conf.d/many.toml", &texts(profiles)?)])?;
    daemon.wait_for("the API", |line| line.contains("the API listens"));
    let mut told = None;
    let more = |word: &str, rest: &str| match word {
        "tm" => {
            let words: Vec<String> = serde_json::from_str(rest)?;
            let output = daemon.tm(&lab, &words.iter().map(String::as_str).collect::<Vec<_>>())?.output()?;
            ensure!(output.status.success(), "tm {words:?}: {}", String::from_utf8_lossy(&output.stderr));
            Ok(serde_json::to_string(&String::from_utf8(output.stdout)?)?)
        }
        "figures" => {
            told = Some(serde_json::from_str::<Told>(rest)?);
            Ok(String::new())
        }
        _ => bail!("nobody knows `{word}`"),
    };
    let mut command = script::node(&lab, "browser", "portal/bench.cjs");
    script::run(&lab, &mut command, &mut BTreeMap::new(), more)?;
    let told: Told = told.context("the script told no figures")?;
    Ok(Portal {
        profiles,
        first: spread(&told.first)?,
        again: spread(&told.again)?,
        slow: spread(&told.slow)?,
        fast: spread(&told.fast)?,
        busy: spread(&told.busy)?,
        missed: [&told.slow, &told.fast].into_iter().flatten().filter(|time| duration(**time) > TURN).count(),
        filter: spread(&told.filter)?,
    })
}

/// The figures as a table.
pub fn table(figures: &Portal) -> String {
    let line = |what: &str, spread: &Spread| {
        let Spread { count, median, p99, most } = *spread;
        let [median, p99, most] = [median, p99, most].map(|microseconds| microseconds / 1e3);
        format!("  {what:44} {count:>5}  {median:8.1} {p99:8.1} {most:8.1}")
    };
    let Portal { profiles, first, again, slow, fast, busy, missed, filter } = figures;
    [
        format!("the list of {profiles} profiles in a browser, in milliseconds"),
        format!("  {:44} {:>5}  {:>8} {:>8} {:>8}", "what", "count", "median", "p99", "most"),
        line("first row, nothing cached, signing in with it", first),
        line("first row, the page loaded again", again),
        line("from frame to frame, scrolling slowly", slow),
        line("from frame to frame, scrolling fast", fast),
        line("what such a frame takes the page", busy),
        line("from a word in the filter to its rows", filter),
        format!("  {missed} frames took longer than {} ms", TURN.as_millis()),
    ]
    .join("\n")
}

fn spread(milliseconds: &[f64]) -> Result<Spread> {
    Spread::of(milliseconds.iter().map(|time| duration(*time))).context("nothing was measured")
}

fn duration(milliseconds: f64) -> Duration {
    Duration::from_secs_f64(milliseconds.max(0.0) / 1e3)
}

/// Each of two endpoints that nobody probes.
fn texts(profiles: usize) -> Result<String> {
    let mut text = String::new();
    for number in 0..profiles {
        writeln!(text, "[[profile]]\nname = \"profile-{number:05}\"\nrouting_method = \"weighted\"")?;
        for host in 1..=2 {
            writeln!(
                text,
                "[[profile.endpoint]]\nname = \"{host}\"\ntarget = \"192.0.2.{host}\"\nalways_serve = true"
            )?;
        }
    }
    Ok(text)
}
