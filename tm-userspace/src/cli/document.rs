//! What `tm profile` and `tm endpoint` have in common: things with keys, changed by `KEY=VALUE`.
//!
//! A key is as in a file, with dots for what lies deeper: `monitor.path=/health`. A value that reads as JSON is that, any other is a text; an empty one takes the key away.

use clap::Args;
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Map, Value};

use super::{
    Failure, Output, Reach,
    az::{EndpointFlags, ProfileFlags},
    caution::Caution,
    daemon::Daemon,
    named::{OfEndpoint, OfProfile, Within},
    out::{self, say, tell},
};

/// A profile.
#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    named: OfProfile,
    #[command(flatten)]
    reach: Reach,
}

/// An endpoint.
#[derive(Debug, Args)]
pub(super) struct Two {
    #[command(flatten)]
    named: OfEndpoint,
    #[command(flatten)]
    reach: Reach,
}

/// What is to be set.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// Keys as in a file and their values: `ttl=30`, `monitor.path=/health`; `KEY=` takes one away.
    #[arg(value_name = "KEY=VALUE", value_parser = assignment)]
    keys: Vec<Assignment>,
    #[command(flatten)]
    caution: Caution,
}

/// A profile that is to be switched or to go.
#[derive(Debug, Args)]
pub(super) struct ChangeOne {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    caution: Caution,
}

/// An endpoint that is to be switched or to go.
#[derive(Debug, Args)]
pub(super) struct ChangeTwo {
    #[command(flatten)]
    two: Two,
    #[command(flatten)]
    caution: Caution,
}

/// A profile and what is to be set of it.
#[derive(Debug, Args)]
pub(super) struct SetOne {
    #[command(flatten)]
    named: OfProfile,
    #[command(flatten)]
    flags: ProfileFlags,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    reach: Reach,
}

/// An endpoint and what is to be set of it.
#[derive(Debug, Args)]
pub(super) struct SetTwo {
    #[command(flatten)]
    named: OfEndpoint,
    #[command(flatten)]
    flags: EndpointFlags,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    reach: Reach,
}

impl One {
    pub(super) async fn show(self) -> Result<(), Failure> {
        let daemon = self.daemon().await?;
        let resource: Value = daemon.get_at(&["profiles", &self.named.name()]).await?;
        match self.reach.output {
            form @ (Output::Json | Output::Yaml) => form.print(&resource),
            Output::Text => Output::Json.print(&resource["profile"]),
        }
    }

    pub(super) async fn list_endpoints(self) -> Result<(), Failure> {
        let daemon = self.daemon().await?;
        let page: Value = daemon.get_at(&["profiles", &self.named.name(), "endpoints"]).await?;
        if self.reach.output != Output::Text {
            return self.reach.output.print(&page);
        }
        let mut table = out::table();
        table.set_header(["ENDPOINT", "TARGET", "STATUS", "PRIORITY", "WEIGHT"]);
        for endpoint in page["value"].as_array().into_iter().flatten() {
            let targets = ["target", "target_profile", "target_service"];
            let target = targets.into_iter().find(|key| !endpoint[key].is_null()).unwrap_or("target");
            table.add_row(["name", target, "status", "priority", "weight"].map(|key| plain(&endpoint[key])));
        }
        say!("{table}");
        Ok(())
    }

    async fn daemon(&self) -> Result<Daemon, Failure> {
        let daemon = Daemon::find(&self.reach.way)?;
        self.named.within.check(&daemon, &self.named.name()).await?;
        Ok(daemon)
    }
}

impl Two {
    pub(super) async fn show(self) -> Result<(), Failure> {
        let (profile, endpoint) = self.named.name();
        let path = ["profiles", &profile, "endpoints", &endpoint];
        let shown: Value = self.daemon().await?.get_at(&path).await?;
        match self.reach.output {
            Output::Yaml => Output::Yaml.print(&shown),
            Output::Text | Output::Json => Output::Json.print(&shown),
        }
    }

    async fn daemon(&self) -> Result<Daemon, Failure> {
        let daemon = Daemon::find(&self.reach.way)?;
        self.named.within.check(&daemon, &self.named.name().0).await?;
        Ok(daemon)
    }
}

impl ChangeOne {
    pub(super) async fn switch(self, status: &str) -> Result<(), Failure> {
        let ChangeOne { one, caution } = self;
        let name = one.named.name();
        let keys = Keys::one("status", status, caution);
        change(&one.daemon().await?, one.reach.output, &["profiles", &name], &keys, &name).await
    }

    pub(super) async fn delete(self) -> Result<(), Failure> {
        let ChangeOne { one, caution } = self;
        let name = one.named.name();
        delete(&one.daemon().await?, one.reach.output, &["profiles", &name], &caution, &name).await
    }
}

impl ChangeTwo {
    pub(super) async fn switch(self, status: &str) -> Result<(), Failure> {
        let ChangeTwo { two, caution } = self;
        let (profile, endpoint) = two.named.name();
        let (path, name) = (["profiles", &profile, "endpoints", &endpoint], format!("{profile}/{endpoint}"));
        let keys = Keys::one("status", status, caution);
        change(&two.daemon().await?, two.reach.output, &path, &keys, &name).await
    }

    pub(super) async fn delete(self) -> Result<(), Failure> {
        let ChangeTwo { two, caution } = self;
        let (profile, endpoint) = two.named.name();
        let (path, name) = (["profiles", &profile, "endpoints", &endpoint], format!("{profile}/{endpoint}"));
        delete(&two.daemon().await?, two.reach.output, &path, &caution, &name).await
    }
}

impl SetOne {
    pub(super) async fn create(mut self) -> Result<(), Failure> {
        let name = self.named.name_before(&mut self.keys.keys);
        let Within { resource_group, subscription } = &self.named.within;
        let place = [("resource_group", resource_group), ("subscription", subscription)];
        let place = place.into_iter().filter_map(|(key, is)| Some((key.to_owned(), is.clone()?.into())));
        self.keys.put_before(place.chain(self.flags.keys()).collect());
        let daemon = Daemon::find(&self.reach.way)?;
        create(&daemon, self.reach.output, &["profiles", &name], &self.keys, true, &name).await
    }

    pub(super) async fn change(mut self) -> Result<(), Failure> {
        let name = self.named.name_before(&mut self.keys.keys);
        self.keys.put_before(self.flags.keys());
        let daemon = Daemon::find(&self.reach.way)?;
        self.named.within.check(&daemon, &name).await?;
        change(&daemon, self.reach.output, &["profiles", &name], &self.keys, &name).await
    }
}

impl SetTwo {
    pub(super) async fn create(mut self) -> Result<(), Failure> {
        let (profile, endpoint) = self.named.name_before(&mut self.keys.keys);
        self.keys.put_before(self.flags.keys());
        let daemon = Daemon::find(&self.reach.way)?;
        self.named.within.check(&daemon, &profile).await?;
        let page: Value = daemon.get_at(&["profiles", &profile, "endpoints"]).await?;
        let is = |there: &Value| {
            there["name"].as_str().is_some_and(|name| name.to_lowercase() == endpoint.to_lowercase())
        };
        if page["value"].as_array().into_iter().flatten().any(is) {
            return Err(Failure::Conflict(anyhow::anyhow!(
                "profile `{profile}` has an endpoint `{endpoint}` already"
            )));
        }
        let path = ["profiles", &profile, "endpoints", &endpoint];
        let name = format!("{profile}/{endpoint}");
        create(&daemon, self.reach.output, &path, &self.keys, false, &name).await
    }

    pub(super) async fn change(mut self) -> Result<(), Failure> {
        let (profile, endpoint) = self.named.name_before(&mut self.keys.keys);
        self.keys.put_before(self.flags.keys());
        let daemon = Daemon::find(&self.reach.way)?;
        self.named.within.check(&daemon, &profile).await?;
        let path = ["profiles", &profile, "endpoints", &endpoint];
        let name = format!("{profile}/{endpoint}");
        change(&daemon, self.reach.output, &path, &self.keys, &name).await
    }
}

impl Keys {
    fn one(key: &str, value: &str, caution: Caution) -> Self {
        Keys { keys: vec![(key.to_owned(), value.into())], caution }
    }

    /// What is assigned by name counts more.
    fn put_before(&mut self, mut flags: Vec<Assignment>) {
        flags.append(&mut self.keys);
        self.keys = flags;
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

async fn create(
    daemon: &Daemon,
    output: Output,
    path: &[&str],
    keys: &Keys,
    absent: bool,
    name: &str,
) -> Result<(), Failure> {
    let mut request = daemon.request(Method::PUT, path).json(&keys.object());
    if absent {
        request = request.header(header::IF_NONE_MATCH, "*");
    }
    done(daemon, output, request, keys, name, "created").await
}

async fn change(
    daemon: &Daemon,
    output: Output,
    path: &[&str],
    keys: &Keys,
    name: &str,
) -> Result<(), Failure> {
    let request = daemon.request(Method::PATCH, path).json(&keys.object());
    done(daemon, output, request, keys, name, "changed").await
}

async fn delete(
    daemon: &Daemon,
    output: Output,
    path: &[&str],
    caution: &Caution,
    name: &str,
) -> Result<(), Failure> {
    daemon.send(caution.of(daemon.request(Method::DELETE, path))).await?;
    match output {
        form @ (Output::Json | Output::Yaml) => {
            form.print(&serde_json::json!({ "deleted": name, "dry_run": caution.dry_run }))
        }
        Output::Text => {
            say!("{}", caution.said(name, "deleted"));
            Ok(())
        }
    }
}

async fn done(
    daemon: &Daemon,
    output: Output,
    request: RequestBuilder,
    keys: &Keys,
    name: &str,
    word: &str,
) -> Result<(), Failure> {
    let answer: Value = daemon.answer(keys.caution.of(request)).await?;
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        tell!("warning: {}", plain(warning));
    }
    match output {
        form @ (Output::Json | Output::Yaml) => form.print(&answer)?,
        Output::Text => say!("{}", keys.caution.said(name, word)),
    }
    Ok(())
}

/// A value as a table has it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A key, with dots for what lies deeper, and its value.
pub(super) type Assignment = (String, Value);

/// `KEY=VALUE`.
pub(super) fn assignment(text: &str) -> Result<Assignment, String> {
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
        let object = Keys { keys, caution: Caution::default() }.object();
        let expected = serde_json::json!({
            "ttl": 30, "monitor": { "path": "/health", "port": null }, "name": "a=b", "expected": ["200"],
        });
        assert_eq!(object, expected);
        for bad in ["ttl", "=1", ".a=1", "a..b=1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
