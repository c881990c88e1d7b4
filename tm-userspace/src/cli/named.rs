//! Which profile or endpoint is meant: `PROFILE`, `PROFILE/ENDPOINT`, or the flags of `az network traffic-manager`.

use anyhow::anyhow;
use clap::{Args, CommandFactory as _, error::ErrorKind};
use reqwest::Method;
use serde_json::Value;

use super::{
    Cli, Failure,
    daemon::Daemon,
    document::{Assignment, assignment},
    endpoint,
};
use crate::api::native::ProfileResource;

/// A profile.
#[derive(Debug, Args)]
pub(super) struct OfProfile {
    /// The profile.
    #[arg(value_name = "PROFILE")]
    name: Option<String>,
    /// The profile.
    #[arg(short = 'n', long = "name", value_name = "PROFILE", help_heading = HEADING)]
    flagged: Option<String>,
    #[command(flatten)]
    pub(super) within: Within,
}

/// An endpoint.
#[derive(Debug, Args)]
pub(super) struct OfEndpoint {
    /// The endpoint.
    #[arg(value_name = "PROFILE/ENDPOINT")]
    name: Option<String>,
    /// The endpoint, of --profile-name.
    #[arg(short = 'n', long = "name", value_name = "ENDPOINT", requires = "profile_name", help_heading = HEADING)]
    flagged: Option<String>,
    /// Its profile.
    #[arg(long, value_name = "PROFILE", requires = "flagged", help_heading = HEADING)]
    profile_name: Option<String>,
    #[command(flatten)]
    pub(super) within: Within,
}

/// Where the profile is; a new one comes there.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Within {
    /// The resource group that it is in.
    #[arg(long, short = 'g', value_name = "NAME", help_heading = HEADING)]
    pub(super) resource_group: Option<String>,
    /// The subscription that it is in.
    #[arg(long, value_name = "ID", help_heading = HEADING)]
    pub(super) subscription: Option<String>,
}

/// What flags stand under that are Azure's.
pub(super) const HEADING: &str = "As in az network traffic-manager";

impl OfProfile {
    /// Its name.
    pub(super) fn name(&self) -> String {
        match (&self.name, &self.flagged) {
            (Some(name), None) | (None, Some(name)) => name.clone(),
            _ => usage("name one profile: PROFILE, or --name PROFILE"),
        }
    }

    /// Its name; what stands in the place of one where a flag names it is an assignment.
    pub(super) fn name_before(&self, keys: &mut Vec<Assignment>) -> String {
        let (Some(first), Some(name)) = (&self.name, &self.flagged) else { return self.name() };
        keys.insert(0, assignment(first).unwrap_or_else(|error| usage(&error)));
        name.clone()
    }
}

impl OfEndpoint {
    /// Its profile's name and its own.
    pub(super) fn name(&self) -> (String, String) {
        match (&self.name, &self.flagged, &self.profile_name) {
            (Some(name), None, None) => endpoint::name(name).unwrap_or_else(|error| usage(&error)),
            (None, Some(name), Some(profile)) => (profile.clone(), name.clone()),
            _ => usage("name one endpoint: PROFILE/ENDPOINT, or --profile-name PROFILE --name ENDPOINT"),
        }
    }

    /// The same; what stands in the place of them where flags name them is an assignment.
    pub(super) fn name_before(&self, keys: &mut Vec<Assignment>) -> (String, String) {
        let (Some(first), Some(name), Some(profile)) = (&self.name, &self.flagged, &self.profile_name) else {
            return self.name();
        };
        keys.insert(0, assignment(first).unwrap_or_else(|error| usage(&error)));
        (profile.clone(), name.clone())
    }
}

impl Within {
    /// Is this profile there?
    pub(super) async fn check(&self, daemon: &Daemon, profile: &str) -> Result<(), Failure> {
        if self.resource_group.is_none() && self.subscription.is_none() {
            return Ok(());
        }
        let request = daemon.request(Method::GET, &["profiles", profile]);
        let there: ProfileResource = daemon.answer(request).await?;
        for (key, wanted) in [("resource_group", &self.resource_group), ("subscription", &self.subscription)]
        {
            let is = there.profile.get(key).and_then(Value::as_str).unwrap_or_default();
            if let Some(wanted) = wanted.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(is)) {
                return Err(Failure::NoSuchThing(anyhow!(
                    "there is no profile `{profile}` in {} `{wanted}`: it is in `{is}`",
                    key.replace('_', " ")
                )));
            }
        }
        Ok(())
    }
}

/// Ends as wrong usage does.
pub(super) fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::MissingRequiredArgument, message).exit()
}
