//! `tm import azure` and `tm export azure`: what Azure's tools write out, made here; and what is here, as they would write it.

use std::{fs, io::Read as _, path::PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Failure, Output, Reach, daemon::Daemon, out::say, progress::Progress};
use crate::{
    api::arm::export::{self, Exported},
    config::defaults,
    desired::Scope,
};

/// Of the face that Azure's clients speak to: the latest.
const VERSION: &str = "2026-09-01";

/// Whose form a file is in.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// What `az network traffic-manager profile list -o json` or `show` prints, what the service answers, or an ARM template.
    Azure(File),
}

/// In whose form to write.
#[derive(Debug, Subcommand)]
pub(super) enum ExportAs {
    /// As the service answers: a list of profiles in JSON.
    Azure(Reach),
}

#[derive(Debug, Args)]
pub(super) struct File {
    /// The file; `-` for standard input.
    file: PathBuf,
    /// Where profiles belong that do not say.
    #[arg(long, value_name = "ID", default_value = defaults::SUBSCRIPTION)]
    subscription: String,
    /// The same.
    #[arg(long, short = 'g', value_name = "NAME", default_value = defaults::RESOURCE_GROUP)]
    resource_group: String,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn import(Import::Azure(import): Import) -> Result<(), Failure> {
    let text = text_of(&import.file)?;
    let scope = Scope {
        subscription: import.subscription.as_str().into(),
        resource_group: import.resource_group.as_str().into(),
    };
    let profiles = export::read(&text, &scope)
        .with_context(|| format!("{} cannot be imported", import.file.display()))?;
    let daemon = Daemon::find(&import.reach.way)?;
    for service in export::services(&profiles) {
        let id = service["id"].as_str().unwrap_or_default();
        let path = format!("/api/v1/services{id}");
        if daemon.try_json(Method::GET, &path, None).await?.0 == StatusCode::NOT_FOUND {
            let (status, said) = daemon.try_json(Method::PUT, &path, Some(&service)).await?;
            if !status.is_success() {
                return Err(anyhow!("service {id}: {}", said["detail"].as_str().unwrap_or_default()).into());
            }
            say!("service {id} is {}", service["target"].as_str().unwrap_or_default());
        }
    }
    put_all(&daemon, profiles).await
}

/// One after the other; those that nest others when these are there.
async fn put_all(daemon: &Daemon, left: Vec<Exported>) -> Result<(), Failure> {
    let progress = Progress::of("importing", left.len());
    let put = put_each(daemon, left, &progress).await;
    progress.end();
    put
}

async fn put_each(daemon: &Daemon, mut left: Vec<Exported>, progress: &Progress) -> Result<(), Failure> {
    while !left.is_empty() {
        let before = left.len();
        let mut refused = Vec::new();
        for profile in left {
            let path = format!("{}?api-version={VERSION}", profile.id);
            let (status, said) = daemon.try_json(Method::PUT, &path, Some(&profile.body)).await?;
            match status.is_success() {
                true => {
                    let how = if status == StatusCode::CREATED { "created" } else { "changed" };
                    let fqdn = said["properties"]["dnsConfig"]["fqdn"].as_str().unwrap_or_default();
                    let (name, group) = (&profile.id.name, &profile.id.scope.resource_group);
                    progress.suspend(|| say!("profile {name} in {group}: {how}, {fqdn}"));
                    progress.step();
                }
                false => refused.push((profile, said)),
            }
        }
        if refused.len() == before {
            let line = |(profile, said): &(Exported, Value)| {
                let message = said["error"]["message"].as_str().unwrap_or("the daemon did not say why");
                format!("profile {}: {message}", profile.id.name)
            };
            return Err(anyhow!("{}", refused.iter().map(line).collect::<Vec<_>>().join("\n")).into());
        }
        left = refused.into_iter().map(|(profile, _)| profile).collect();
    }
    Ok(())
}

pub(super) async fn export(reach: Reach) -> Result<(), Failure> {
    let daemon = Daemon::find(&reach.way)?;
    let list = async |path: String| {
        let (status, mut said) =
            daemon.try_json(Method::GET, &format!("{path}?api-version={VERSION}"), None).await?;
        match (status.is_success(), said["value"].take()) {
            (true, Value::Array(items)) => Ok::<_, Failure>(items),
            _ => Err(anyhow!("the daemon says: {status}").into()),
        }
    };
    let mut all = Vec::new();
    for subscription in list("/subscriptions".to_owned()).await? {
        let id = subscription["id"].as_str().unwrap_or_default();
        all.extend(list(format!("{id}/providers/Microsoft.Network/trafficmanagerprofiles")).await?);
    }
    match reach.output {
        Output::Yaml => Output::Yaml.print(&all),
        // As Azure has it.
        Output::Text | Output::Json => Output::Json.print(&all),
    }
}

fn text_of(file: &std::path::Path) -> Result<String, Failure> {
    let read = || match file.as_os_str() == "-" {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => fs::read_to_string(file),
    };
    Ok(read().with_context(|| format!("cannot read {}", file.display()))?)
}
