//! `tm events`, what has happened and happens; and `tm probe`, a probe at once.

use clap::{Args, ValueEnum};
use reqwest::Method;

use super::{Failure, Output, Reach, daemon::Daemon, endpoint, out::say};
use crate::{
    api::{
        Event,
        native::{History, Probed},
    },
    time::rfc3339,
};

#[derive(Debug, Args)]
pub(super) struct Events {
    /// Only those of this profile.
    profile: Option<String>,
    /// Go on with those to come, until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// At most so many of those that have happened, the latest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// When: there is no other time yet.
    #[arg(value_enum)]
    when: When,
    /// The endpoint.
    #[arg(value_name = "PROFILE/ENDPOINT", value_parser = endpoint::name)]
    name: (String, String),
    #[command(flatten)]
    reach: Reach,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    Now,
}

pub(super) async fn show(events: Events) -> Result<(), Failure> {
    let daemon = Daemon::find(&events.reach.way)?;
    let mut request = daemon.request(Method::GET, &["history"]).query(&[("limit", events.limit)]);
    if let Some(profile) = &events.profile {
        request = request.query(&[("profile", profile)]);
    }
    let mut history: History = daemon.answer(request).await?;
    history.value.reverse();
    let last = history.value.last().map_or(0, |event| event.id);
    for event in &history.value {
        print(event, events.reach.output)?;
    }
    if !events.follow {
        return Ok(());
    }
    let request = daemon.request(Method::GET, &["events"]).header("last-event-id", last);
    let mut response = daemon.stream(request).await?;
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.map_err(anyhow::Error::from)? {
        text += &String::from_utf8_lossy(&chunk);
        while let Some((line, rest)) = text.split_once('\n') {
            if let Some(event) =
                line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Event>(data).ok())
            {
                let is = events
                    .profile
                    .as_ref()
                    .is_none_or(|profile| profile.to_lowercase() == event.profile.to_lowercase());
                if is {
                    print(&event, events.reach.output)?;
                }
            }
            text = rest.to_owned();
        }
    }
    Ok(())
}

pub(super) async fn probe(probe: Probe) -> Result<(), Failure> {
    let When::Now = probe.when;
    let (profile, endpoint) = &probe.name;
    let daemon = Daemon::find(&probe.reach.way)?;
    let path = ["profiles", profile, "endpoints", endpoint, "probe"];
    let probed: Probed = daemon.answer(daemon.request(Method::POST, &path)).await?;
    match probe.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&probed)?,
        Output::Text => {
            let word = if probed.ok { "up" } else { "down" };
            say!("{}: {word}, {} ({:.1} ms)", probed.endpoint, probed.reason, probed.took_ms);
        }
    }
    if probed.ok { Ok(()) } else { Err(Failure::Silent) }
}

fn print(event: &Event, output: Output) -> Result<(), Failure> {
    if output == Output::Yaml {
        say!("---");
        return output.print(event);
    }
    if output == Output::Json {
        say!("{}", serde_json::to_string(event).map_err(anyhow::Error::from)?);
        return Ok(());
    }
    let name = match &event.endpoint {
        Some(endpoint) => format!("{}/{endpoint}", event.profile),
        None => event.profile.clone(),
    };
    let change = match (&event.from, &event.to) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (from, to) => from.iter().chain(to).cloned().collect::<Vec<_>>().join(" "),
    };
    let reason = event.reason.as_ref().map(|reason| format!("  {reason}")).unwrap_or_default();
    say!("{}  {}  {name}  {change}{reason}", rfc3339(event.at), event.kind);
    Ok(())
}
