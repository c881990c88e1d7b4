//! `tm name`: may a profile have it?

use anyhow::anyhow;
use clap::{Args, Subcommand};
use reqwest::Method;

use super::{Failure, Output, Reach, daemon::Daemon, out::say};
use crate::api::native::Availability;

/// What can be asked of a name.
#[derive(Debug, Subcommand)]
pub(super) enum Name {
    /// Is it free? It ends with 4 if it is not.
    Check(Check),
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A DNS name, or its part before the zone.
    #[arg(short = 'n', long = "name", value_name = "NAME", id = "flagged")]
    flagged: Option<String>,
    /// The same.
    #[arg(value_name = "NAME", required_unless_present = "flagged", conflicts_with = "flagged")]
    name: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(Name::Check(check): Name) -> Result<(), Failure> {
    let name = check.name.or(check.flagged).unwrap_or_default();
    let daemon = Daemon::find(&check.reach.way)?;
    let said: Availability = daemon.answer(daemon.request(Method::GET, &["names", &name])).await?;
    if check.reach.output != Output::Text {
        check.reach.output.print(&said)?;
    } else if said.available {
        say!("{} is free", said.dns_name);
    }
    match (said.available, &said.profile) {
        (true, _) => Ok(()),
        (false, Some(profile)) => {
            Err(Failure::Conflict(anyhow!("{} is the name of profile {profile}", said.dns_name)))
        }
        (false, None) => Err(Failure::Conflict(anyhow!("{} is taken", said.dns_name))),
    }
}
