//! `tm profile`: profiles, as the API has them.

use clap::{Args, Subcommand};
use comfy_table::{Cell, Table};
use reqwest::Method;
use serde_json::Value;

use super::{
    Failure, Output, Reach,
    daemon::Daemon,
    document,
    out::{self, say},
};
use crate::api::native::{Page, ProfileResource};

/// What can be done with profiles.
#[derive(Debug, Subcommand)]
pub(super) enum Profile {
    /// List them.
    List(List),
    /// Show one as it is written.
    Show(document::One),
    /// Make one.
    Create(document::SetOne),
    /// Change some of its keys.
    Set(document::SetOne),
    /// Switch one on.
    Enable(document::ChangeOne),
    /// Switch one off: its name is then no name.
    Disable(document::ChangeOne),
    /// Remove one.
    Delete(document::ChangeOne),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those with this in their name.
    name: Option<String>,
    /// Only those of this resource group.
    #[arg(long, short = 'g', value_name = "NAME")]
    resource_group: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(profile: Profile) -> Result<(), Failure> {
    match profile {
        Profile::List(list) => self::list(list).await,
        Profile::Show(one) => one.show().await,
        Profile::Create(set) => set.create().await,
        Profile::Set(set) => set.change().await,
        Profile::Enable(one) => one.switch("enabled").await,
        Profile::Disable(one) => one.switch("disabled").await,
        Profile::Delete(one) => one.delete().await,
    }
}

async fn list(list: List) -> Result<(), Failure> {
    let daemon = Daemon::find(&list.reach.way)?;
    let mut all: Vec<ProfileResource> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let query = [("name", &list.name), ("resource_group", &list.resource_group), ("after", &after)];
        let query: Vec<_> =
            query.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
        let page: Page = daemon.answer(daemon.request(Method::GET, &["profiles"]).query(&query)).await?;
        all.extend(page.value);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    match list.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&all),
        Output::Text => {
            say!("{}", table(&all));
            Ok(())
        }
    }
}

fn table(profiles: &[ProfileResource]) -> Table {
    let mut table = out::table();
    table.set_header([
        "PROFILE",
        "DNS NAME",
        "METHOD",
        "STATUS",
        "ENDPOINTS",
        "MANAGED BY",
        "RESOURCE GROUP",
    ]);
    for resource in profiles {
        let manager = match (&resource.file, resource.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => resource.managed_by.clone(),
        };
        let key = |key: &str| resource.profile.get(key).map(document::plain).unwrap_or_default();
        let endpoints = resource.profile.get("endpoint").and_then(Value::as_array).map_or(0, Vec::len);
        table.add_row([
            Cell::new(key("name")),
            Cell::new(resource.dns_name.as_deref().unwrap_or("not in force")),
            Cell::new(key("routing_method")),
            out::state(resource.monitor_status.as_deref().unwrap_or_default()),
            Cell::new(endpoints),
            Cell::new(manager),
            Cell::new(key("resource_group")),
        ]);
    }
    table
}
