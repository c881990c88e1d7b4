//! `tm endpoint`: an operator's word on one endpoint.

use std::time::{Duration, SystemTime};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{Failure, Output, Reach, client, document, out::say};
use crate::api::{Order, OrderKind};

/// What can be ordered.
#[derive(Debug, Subcommand)]
pub(super) enum Endpoint {
    /// Let it be up or down whatever the probes say. The real state is still probed and shown.
    Force(Force),
    /// End that: what the probes say counts again.
    Release(Named),
    /// Let it answer again where failback holds it back.
    Restore(Named),
    /// List a profile's endpoints.
    List(document::One),
    /// Show one as it is written.
    Show(document::Two),
    /// Make one.
    Create(document::SetTwo),
    /// Change some of its keys.
    Set(document::SetTwo),
    /// Switch one on.
    Enable(document::ChangeTwo),
    /// Switch one off: it is neither probed nor answered.
    Disable(document::ChangeTwo),
    /// Remove one.
    Delete(document::ChangeTwo),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("end").args(["until", "duration"]))]
pub(super) struct Force {
    #[command(flatten)]
    named: Named,
    /// What it is to be.
    #[arg(value_enum)]
    state: State,
    /// When that ends, as 2026-11-21T18:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_rfc3339_weak)]
    until: Option<SystemTime>,
    /// How long that lasts, as 1h or 30m.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The endpoint.
    #[arg(value_name = "PROFILE/ENDPOINT", value_parser = name)]
    name: (String, String),
    #[command(flatten)]
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Up,
    Down,
}

pub(super) async fn run(endpoint: Endpoint) -> Result<(), Failure> {
    let (named, order) = match endpoint {
        Endpoint::Force(Force { named, state, until, duration }) => {
            // A sum that no clock can show is refused by the daemon like any other that is too late.
            let after =
                duration.map(|duration| SystemTime::now() + duration.min(Duration::from_secs(1 << 32)));
            (named, OrderKind::Force { up: state == State::Up, until: until.or(after) })
        }
        Endpoint::Release(named) => (named, OrderKind::Release),
        Endpoint::Restore(named) => (named, OrderKind::Restore),
        Endpoint::List(one) => return one.list_endpoints().await,
        Endpoint::Show(two) => return two.show().await,
        Endpoint::Create(set) => return set.create().await,
        Endpoint::Set(set) => return set.change().await,
        Endpoint::Enable(two) => return two.switch("enabled").await,
        Endpoint::Disable(two) => return two.switch("disabled").await,
        Endpoint::Delete(two) => return two.delete().await,
    };
    let Named { name: (profile, endpoint), reach } = named;
    let ordered = client::order(&reach, &Order { profile, endpoint, order }).await?;
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&ordered)?,
        Output::Text => say!("{}: {}", ordered.endpoint, ordered.done),
    }
    Ok(())
}

pub(super) fn name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((profile, endpoint)) if !profile.is_empty() && !endpoint.is_empty() => {
            Ok((profile.to_owned(), endpoint.to_owned()))
        }
        _ => Err("write the profile's name, a slash and the endpoint's name".to_owned()),
    }
}
