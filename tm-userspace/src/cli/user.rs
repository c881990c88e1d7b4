//! `tm user`, who may sign in at the portal by name and password; and `tm sign-in`, a link that does it once.

use std::{
    io::{IsTerminal as _, Read as _, stdin},
    time::Duration,
};

use anyhow::{Context as _, anyhow, ensure};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::{
    Failure, Output, Reach,
    daemon::Daemon,
    out::{self, say},
    token::{Scope, level},
};
use crate::api::native::{ChangePassword, CreateLink, CreateUser, FreshLink, UserPage, UserResource};

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make one. The password is asked for, or read from standard input where that is no terminal.
    Create(Create),
    /// List them.
    List(Reach),
    /// Take one away, and end what sessions they have.
    Delete(Named),
    /// Give one another password, and end what sessions they have.
    Password(Named),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The name to sign in with.
    name: String,
    /// What they may do.
    #[arg(long, value_enum, default_value_t = Scope::Read)]
    scope: Scope,
    /// Only within this subscription.
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// Only within this resource group of it.
    #[arg(long, short = 'g', value_name = "NAME", requires = "subscription")]
    resource_group: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The user's name.
    name: String,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct SignIn {
    /// What may be done in the session.
    #[arg(long, value_enum, default_value_t = Scope::Admin)]
    scope: Scope,
    /// How long the link is good, if nobody uses it.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "10m")]
    lifetime: Duration,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(user: User) -> Result<(), Failure> {
    match user {
        User::Create(create) => self::create(create).await,
        User::List(reach) => list(reach).await,
        User::Delete(named) => delete(named).await,
        User::Password(named) => change_password(named).await,
    }
}

pub(super) async fn sign_in(wanted: SignIn) -> Result<(), Failure> {
    let daemon = Daemon::find(&wanted.reach.way)?;
    let request = daemon.request(Method::POST, &["session", "link"]);
    let body = CreateLink { scope: Some(level(wanted.scope)), lifetime: Some(wanted.lifetime.as_secs()) };
    let link: FreshLink = daemon.answer(request.json(&body)).await?;
    match wanted.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&link)?,
        Output::Text => say!("{}", link.url),
    }
    Ok(())
}

async fn create(create: Create) -> Result<(), Failure> {
    let daemon = Daemon::find(&create.reach.way)?;
    let wanted = CreateUser {
        password: password(&create.name)?,
        name: create.name,
        scope: level(create.scope),
        subscription: create.subscription,
        resource_group: create.resource_group,
    };
    let user: UserResource = daemon.post("users", &wanted).await?;
    say(&create.reach, &user.name, "created", &user)
}

async fn change_password(named: Named) -> Result<(), Failure> {
    let daemon = Daemon::find(&named.reach.way)?;
    let body = ChangePassword { password: password(&named.name)? };
    daemon.send(daemon.request(Method::PUT, &["users", &named.name, "password"]).json(&body)).await?;
    say(&named.reach, &named.name, "another password", &serde_json::json!({ "changed": named.name }))
}

async fn delete(named: Named) -> Result<(), Failure> {
    let daemon = Daemon::find(&named.reach.way)?;
    daemon.send(daemon.request(Method::DELETE, &["users", &named.name])).await?;
    say(&named.reach, &named.name, "deleted", &serde_json::json!({ "deleted": named.name }))
}

async fn list(reach: Reach) -> Result<(), Failure> {
    let page: UserPage = Daemon::find(&reach.way)?.get("users").await?;
    if reach.output != Output::Text {
        return reach.output.print(&page.value);
    }
    let mut table = out::table();
    table.set_header(["NAME", "SCOPE", "WITHIN", "CREATED"]);
    for user in page.value {
        let within = [user.subscription, user.resource_group].into_iter().flatten().collect::<Vec<_>>();
        table.add_row([
            user.name,
            user.scope.label().to_owned(),
            if within.is_empty() { "everything".to_owned() } else { within.join("/") },
            user.created,
        ]);
    }
    say!("{table}");
    Ok(())
}

/// Typed twice at a terminal, where nobody sees it; else all of standard input, without the end of its line.
fn password(name: &str) -> anyhow::Result<String> {
    if !stdin().is_terminal() {
        let mut password = String::new();
        stdin().read_to_string(&mut password).context("cannot read the password")?;
        let password = password.strip_suffix('\n').unwrap_or(&password);
        return Ok(password.strip_suffix('\r').unwrap_or(password).to_owned());
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| anyhow!("cannot read the password: {error}"))
    };
    let password = ask(format!("Password for {name}: "))?;
    ensure!(password == ask("Again: ".to_owned())?, "the two are not the same: nothing was changed");
    Ok(password)
}

fn say(reach: &Reach, name: &str, done: &str, json: &impl serde::Serialize) -> Result<(), Failure> {
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(json),
        Output::Text => {
            say!("{name}: {done}");
            Ok(())
        }
    }
}
