//! What `tm profile` and `tm endpoint` have in common: things with keys, changed by `KEY=VALUE`.
//!
//! A key is as in a file, with dots for what lies deeper: `monitor.path=/health`. A value that reads as JSON is that, any other is a text; an empty one takes the key away.

use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use reqwest::{Method, header};
use serde_json::{Map, Value};

use super::{
    Failure, Output, Reach,
    client::print_json,
    daemon::Daemon,
    endpoint,
    out::{say, tell},
};
use crate::api::native::ProfileResource;

/// A profile.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The profile.
    #[arg(value_name = "PROFILE")]
    name: String,
    #[command(flatten)]
    reach: Reach,
}

/// An endpoint.
#[derive(Debug, Args)]
pub(super) struct Two {
    /// The endpoint.
    #[arg(value_name = "PROFILE/ENDPOINT", value_parser = endpoint::name)]
    name: (String, String),
    #[command(flatten)]
    reach: Reach,
}

/// What is to be set.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// Keys as in a file and their values: `ttl=30`, `monitor.path=/health`; `KEY=` takes one away.
    #[arg(value_name = "KEY=VALUE", value_parser = assignment)]
    keys: Vec<(String, Value)>,
    /// Only if it has this ETag yet.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Check it, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A profile and what is to be set of it.
#[derive(Debug, Args)]
pub(super) struct SetOne {
    /// The profile.
    #[arg(value_name = "PROFILE")]
    name: String,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    reach: Reach,
}

/// An endpoint and what is to be set of it.
#[derive(Debug, Args)]
pub(super) struct SetTwo {
    /// The endpoint.
    #[arg(value_name = "PROFILE/ENDPOINT", value_parser = endpoint::name)]
    name: (String, String),
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    reach: Reach,
}

impl One {
    pub(super) async fn show(self) -> Result<(), Failure> {
        let resource: Value = Daemon::find(&self.reach.way)?.get_at(&["profiles", &self.name]).await?;
        match self.reach.output {
            Output::Json => print_json(&resource),
            Output::Text => print_json(&resource["profile"]),
        }
    }

    pub(super) async fn list_endpoints(self) -> Result<(), Failure> {
        let page: Value =
            Daemon::find(&self.reach.way)?.get_at(&["profiles", &self.name, "endpoints"]).await?;
        if self.reach.output == Output::Json {
            return print_json(&page);
        }
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["ENDPOINT", "TARGET", "STATUS", "PRIORITY", "WEIGHT"]);
        for endpoint in page["value"].as_array().into_iter().flatten() {
            let target = if endpoint["target"].is_null() { "target_profile" } else { "target" };
            table.add_row(["name", target, "status", "priority", "weight"].map(|key| plain(&endpoint[key])));
        }
        say!("{table}");
        Ok(())
    }

    pub(super) async fn switch(self, status: &str) -> Result<(), Failure> {
        let keys = Keys::one("status", status);
        change(&self.reach, &["profiles", &self.name], &keys, &self.name).await
    }

    pub(super) async fn delete(self) -> Result<(), Failure> {
        delete(&self.reach, &["profiles", &self.name], &self.name).await
    }
}

impl Two {
    pub(super) async fn show(self) -> Result<(), Failure> {
        let (profile, endpoint) = &self.name;
        let path = ["profiles", profile, "endpoints", endpoint];
        print_json(&Daemon::find(&self.reach.way)?.get_at::<Value>(&path).await?)
    }

    pub(super) async fn switch(self, status: &str) -> Result<(), Failure> {
        let (profile, endpoint) = &self.name;
        let path = ["profiles", profile, "endpoints", endpoint];
        change(&self.reach, &path, &Keys::one("status", status), &format!("{profile}/{endpoint}")).await
    }

    pub(super) async fn delete(self) -> Result<(), Failure> {
        let (profile, endpoint) = &self.name;
        let path = ["profiles", profile, "endpoints", endpoint];
        delete(&self.reach, &path, &format!("{profile}/{endpoint}")).await
    }
}

impl SetOne {
    pub(super) async fn create(self) -> Result<(), Failure> {
        create(&self.reach, &["profiles", &self.name], &self.keys, true, &self.name).await
    }

    pub(super) async fn change(self) -> Result<(), Failure> {
        change(&self.reach, &["profiles", &self.name], &self.keys, &self.name).await
    }
}

impl SetTwo {
    pub(super) async fn create(self) -> Result<(), Failure> {
        let (profile, endpoint) = &self.name;
        let page: Value = Daemon::find(&self.reach.way)?.get_at(&["profiles", profile, "endpoints"]).await?;
        let is = |there: &Value| {
            there["name"].as_str().is_some_and(|name| name.to_lowercase() == endpoint.to_lowercase())
        };
        if page["value"].as_array().into_iter().flatten().any(is) {
            return Err(Failure::Conflict(anyhow::anyhow!(
                "profile `{profile}` has an endpoint `{endpoint}` already"
            )));
        }
        let path = ["profiles", profile, "endpoints", endpoint];
        create(&self.reach, &path, &self.keys, false, &format!("{profile}/{endpoint}")).await
    }

    pub(super) async fn change(self) -> Result<(), Failure> {
        let (profile, endpoint) = &self.name;
        let path = ["profiles", profile, "endpoints", endpoint];
        change(&self.reach, &path, &self.keys, &format!("{profile}/{endpoint}")).await
    }
}

impl Keys {
    fn one(key: &str, value: &str) -> Self {
        Keys { keys: vec![(key.to_owned(), value.into())], if_match: None, dry_run: false }
    }

    /// As a document, or a patch of one.
    fn object(&self) -> Value {
        let mut object = Value::Object(Map::new());
        for (key, value) in &self.keys {
            let mut at = &mut object;
            for part in key.split('.') {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = &mut at[part];
            }
            *at = value.clone();
        }
        object
    }
}

impl Daemon {
    async fn get_at<T: serde::de::DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.answer(self.request(Method::GET, path)).await
    }
}

async fn create(reach: &Reach, path: &[&str], keys: &Keys, absent: bool, name: &str) -> Result<(), Failure> {
    let daemon = Daemon::find(&reach.way)?;
    let mut request = daemon.request(Method::PUT, path).json(&keys.object());
    if absent {
        request = request.header(header::IF_NONE_MATCH, "*");
    }
    done(&daemon, reach, request, keys, name, "created").await
}

async fn change(reach: &Reach, path: &[&str], keys: &Keys, name: &str) -> Result<(), Failure> {
    let daemon = Daemon::find(&reach.way)?;
    let request = daemon.request(Method::PATCH, path).json(&keys.object());
    done(&daemon, reach, request, keys, name, "changed").await
}

async fn delete(reach: &Reach, path: &[&str], name: &str) -> Result<(), Failure> {
    let daemon = Daemon::find(&reach.way)?;
    daemon.send(daemon.request(Method::DELETE, path)).await?;
    match reach.output {
        Output::Json => print_json(&serde_json::json!({ "deleted": name })),
        Output::Text => {
            say!("{name}: deleted");
            Ok(())
        }
    }
}

async fn done(
    daemon: &Daemon,
    reach: &Reach,
    mut request: reqwest::RequestBuilder,
    keys: &Keys,
    name: &str,
    word: &str,
) -> Result<(), Failure> {
    if let Some(etag) = &keys.if_match {
        request = request.header(header::IF_MATCH, format!("\"{}\"", etag.trim_matches('"')));
    }
    if keys.dry_run {
        request = request.query(&[("dryRun", "true")]);
    }
    let answer: Value = daemon.answer(request).await?;
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        tell!("warning: {}", plain(warning));
    }
    match reach.output {
        Output::Json => print_json(&answer)?,
        Output::Text if keys.dry_run => say!("{name}: would be {word}"),
        Output::Text => say!("{name}: {word}"),
    }
    Ok(())
}

/// A table of profiles.
pub(super) fn table(profiles: &[ProfileResource]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
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
        let key = |key: &str| resource.profile.get(key).map(plain).unwrap_or_default();
        let endpoints = resource.profile.get("endpoint").and_then(Value::as_array).map_or(0, Vec::len);
        table.add_row([
            key("name"),
            resource.dns_name.clone().unwrap_or_else(|| "not in force".to_owned()),
            key("routing_method"),
            resource.monitor_status.clone().unwrap_or_default(),
            endpoints.to_string(),
            manager,
            key("resource_group"),
        ]);
    }
    table
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn assignment(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write a key, `=` and a value")?;
    if key.is_empty() || key.split('.').any(str::is_empty) {
        return Err("the key is empty".to_owned());
    }
    let value = match value {
        "" => Value::Null,
        _ => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
    };
    Ok((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_make_a_document() {
        let keys = ["ttl=30", "monitor.path=/health", "monitor.port=", "name=a=b", "expected=[\"200\"]"];
        let keys = keys.iter().map(|text| assignment(text).unwrap()).collect();
        let object = Keys { keys, if_match: None, dry_run: false }.object();
        let expected = serde_json::json!({
            "ttl": 30, "monitor": { "path": "/health", "port": null }, "name": "a=b", "expected": ["200"],
        });
        assert_eq!(object, expected);
        for bad in ["ttl", "=1", ".a=1", "a..b=1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
