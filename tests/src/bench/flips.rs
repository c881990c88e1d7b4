//! From the probe's verdict to the first packet with the new answer, by real packets, with many profiles loaded.
//!
//! The daemon's log says when the outcome that made the verdict was known; a client that asks all the time says when the first packet
//! with the new answer was there; both by the host's clock. What lies between is counting, deciding, compiling, writing and
//! one answer's way. The client's own pace, from its last query with the old answer, is in it and stated beside it.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Spread,
    watch::{Changes, watch},
};
use crate::{
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::Lab,
    texts::{NODE, Profile},
};

/// The profile whose primary is switched.
const SWITCHED: Profile<'_> = Profile {
    name: "switched",
    method: "priority",
    lines: "ttl = 30",
    interval: Duration::from_millis(200),
    tolerated_failures: 0,
    endpoints: &[("primary", 11, ""), ("secondary", 12, "always_serve = true")],
};

/// A client that takes longer from one query to the next had to wait for a CPU, and is not on time.
const ON_TIME: Duration = Duration::from_micros(250);

/// What the others do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// Nothing: they are always served.
    Quiet,
    /// Their primaries are probed every 30 s.
    Probed,
    /// Nothing, but nine of them nest the switched one, each above the last; the topmost is asked.
    Nesting,
}

/// Levels above the switched profile: with it, as many as there may be.
const LEVELS: usize = 9;

impl Others {
    /// The name that the client asks for.
    fn asked(self) -> &'static str {
        match self {
            Others::Quiet | Others::Probed => "switched.tm.example",
            Others::Nesting => "level9.tm.example",
        }
    }
}

/// The figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flips {
    /// Profiles loaded.
    pub profiles: usize,
    /// What all but one of them do.
    pub others: Others,
    /// From the verdict to the first packet with the new answer, in microseconds.
    pub latency: Spread,
    /// The same of those flips at which the client was on time: the others are known no better than to the wait for a CPU.
    pub on_time: Option<Spread>,
    /// From the last query with the old answer to that packet: how fine the latency is known.
    pub resolution: Spread,
    /// Queries a second that the client asked meanwhile.
    pub queries_per_second: f64,
    /// Queries without an answer.
    pub lost: u64,
}

/// Switches the primary of one profile among so many, so often.
pub fn measure(profiles: usize, others: Others, flips: usize) -> Result<Flips> {
    let lab = Lab::new()?;
    let primary = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into())?;
    let _probed = FakeEndpoint::on_client(&lab, [10, 53, 0, 13].into())?;
    let (switched, others_text) = (SWITCHED.to_string(), write_others(profiles, others)?);
    let files =
        [("tm.toml", NODE), ("conf.d/switched.toml", &switched), ("conf.d/others.toml", &others_text)];
    let mut daemon = Daemon::start(&lab, &files)?;
    daemon.wait_for("XDP is attached", |line| line.contains("XDP attached") && line.contains("Native"));
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    daemon.wait_for("the first verdict", |line| verdict(line).is_some());
    let began = SystemTime::now();
    let (measured, seen) = watch(&lab, others.asked(), |changes| {
        changes.next()?;
        (0..flips)
            .map(|flip| switch(&primary, flip % 2 == 1, &mut daemon, changes))
            .collect::<Result<Vec<_>>>()
    })?;
    let on_time =
        measured.iter().filter(|(_, resolution)| *resolution < ON_TIME).map(|(latency, _)| *latency);
    let on_time = Spread::of(on_time);
    let (latencies, resolutions): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
    Ok(Flips {
        profiles,
        others,
        latency: Spread::of(latencies).context("no flip was asked for")?,
        on_time,
        resolution: Spread::of(resolutions).context("no flip was asked for")?,
        queries_per_second: seen.answered as f64 / began.elapsed()?.as_secs_f64(),
        lost: seen.lost,
    })
}

/// The figures as a table.
pub fn table(flips: &[Flips]) -> String {
    let mut lines = vec![
        "From verdict to packet, in microseconds".to_owned(),
        format!(
            "  {:>8} {:7}  {:22} {:>5} {:>8} {:>8} {:>8} {:>6}",
            "profiles", "others", "what", "count", "median", "p99", "most", "lost"
        ),
    ];
    for Flips { profiles, others, latency, on_time, resolution, lost, .. } in flips {
        let others = match others {
            Others::Quiet => "quiet",
            Others::Probed => "probed",
            Others::Nesting => "nesting",
        };
        let whats = [
            ("all flips", Some(latency)),
            ("client on time", on_time.as_ref()),
            ("client's pace", Some(resolution)),
        ];
        for (what, spread) in whats {
            let Some(Spread { count, median, p99, most }) = spread else { continue };
            lines.push(format!(
                "  {profiles:>8} {others:7}  {what:22} {count:>5} {median:8.0} {p99:8.0} {most:8.0} {lost:>6}"
            ));
        }
    }
    lines.push("  The client's pace is in every latency. It is on time where that is below 250; else it had to wait for a CPU.".to_owned());
    lines.join("\n")
}

/// Switches the primary and waits for the packet and the verdict: the latency and its resolution.
fn switch(
    primary: &FakeEndpoint,
    up: bool,
    daemon: &mut Daemon,
    changes: &Changes,
) -> Result<(Duration, Duration)> {
    primary.set_status(if up { 200 } else { 503 });
    let change = changes.next()?;
    let line = daemon.wait_for("the verdict", |line| verdict(line).is_some());
    let at = verdict(&line).context("the verdict has no time")?;
    let expected = if up { [10, 53, 0, 11] } else { [10, 53, 0, 12] };
    ensure!(change.address.octets() == expected, "the answer became {}", change.address);
    let latency =
        change.at.duration_since(at).context("the packet came before the verdict: was the clock set?")?;
    Ok((latency, change.resolution))
}

/// When the verdict on the primary was known, if the line of the log says so.
fn verdict(line: &str) -> Option<SystemTime> {
    let fields = &serde_json::from_str::<serde_json::Value>(line).ok()?["fields"];
    let ours = fields["message"] == "endpoint changed" && fields["endpoint"] == "switched/primary";
    humantime::parse_rfc3339(fields["since"].as_str().filter(|_| ours)?).ok()
}

fn write_others(profiles: usize, others: Others) -> Result<String> {
    let mut text = String::new();
    for i in 1..profiles {
        if others == Others::Nesting && i <= LEVELS {
            let child = if i == 1 { "switched".to_owned() } else { format!("level{}", i - 1) };
            write!(
                text,
                "[[profile]]\nname = \"level{i}\"\nrouting_method = \"weighted\"\nttl = 30\n\
                 [[profile.endpoint]]\nname = \"child\"\ntype = \"nested\"\ntarget_profile = \"{child}\"\n"
            )?;
            continue;
        }
        let serve = if others == Others::Probed { "" } else { "always_serve = true\n" };
        write!(
            text,
            "[[profile]]\nname = \"other{i}\"\nrouting_method = \"priority\"\nttl = 30\n\
             [[profile.endpoint]]\nname = \"primary\"\ntarget = \"10.53.0.13\"\n{serve}\
             [[profile.endpoint]]\nname = \"secondary\"\ntarget = \"10.53.0.12\"\nalways_serve = true\n"
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_on_the_primary_has_its_time() {
        let line = |endpoint: &str| {
            format!(
                r#"{{"fields":{{"message":"endpoint changed","endpoint":"{endpoint}","since":"1970-01-01T00:00:01.000250Z"}}}}"#
            )
        };
        let at = verdict(&line("switched/primary"));
        assert_eq!(at, Some(SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_250)));
        assert_eq!(verdict(&line("other1/primary")), None);
        assert_eq!(verdict("ready"), None);
    }
}
