//! `tm token`: what the API's callers show.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;

use super::{
    Failure, Output, Reach,
    daemon::Daemon,
    out::{self, say},
};
use crate::{
    api::native::{CreateToken, FreshToken, RotateToken, TokenPage},
    store::Level,
};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make one and print it: a bearer token, or with --client a client's id and secret. It is shown this once.
    Create(Create),
    /// List them, without their secrets.
    List(Reach),
    /// Give one a new secret and print it.
    Rotate(Rotate),
    /// Make one void at once.
    Revoke(Named),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What its bearer may do.
    #[arg(long, value_enum, default_value_t = Scope::Read)]
    scope: Scope,
    /// What it is called in lists and in the audit log.
    #[arg(long, value_name = "NAME", conflicts_with = "client", default_value = "")]
    name: String,
    /// Make a client of this name, for the token endpoint.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Only within this subscription.
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// Only within this resource group of it.
    #[arg(long, short = 'g', value_name = "NAME", requires = "subscription")]
    resource_group: Option<String>,
    /// For how long, as 90d or 8h; for ever where nothing is said.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    named: Named,
    /// How long the old one of a bearer token is good yet.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    overlap: Duration,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The token's id, or the client's.
    id: String,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Scope {
    /// See.
    Read,
    /// Change profiles and give orders, too.
    Write,
    /// Hand out tokens, make users and read the audit log, too.
    Admin,
}

pub(super) async fn run(token: Token) -> Result<(), Failure> {
    match token {
        Token::Create(create) => self::create(create).await,
        Token::List(reach) => list(reach).await,
        Token::Rotate(rotate) => self::rotate(rotate).await,
        Token::Revoke(named) => revoke(named).await,
    }
}

pub(super) fn level(scope: Scope) -> Level {
    match scope {
        Scope::Read => Level::Read,
        Scope::Write => Level::Write,
        Scope::Admin => Level::Admin,
    }
}

async fn create(create: Create) -> Result<(), Failure> {
    let wanted = CreateToken {
        client: create.client.is_some(),
        name: create.client.unwrap_or(create.name),
        scope: level(create.scope),
        subscription: create.subscription,
        resource_group: create.resource_group,
        lifetime: create.lifetime.map(|lifetime| lifetime.as_secs()),
    };
    let fresh: FreshToken = Daemon::find(&create.reach.way)?.post("tokens", &wanted).await?;
    print(&create.reach, &fresh)
}

async fn rotate(Rotate { named, overlap }: Rotate) -> Result<(), Failure> {
    let daemon = Daemon::find(&named.reach.way)?;
    let request = daemon.request(Method::POST, &["tokens", &named.id, "rotate"]);
    let fresh: FreshToken = daemon.answer(request.json(&RotateToken { overlap: overlap.as_secs() })).await?;
    print(&named.reach, &fresh)
}

async fn revoke(named: Named) -> Result<(), Failure> {
    let daemon = Daemon::find(&named.reach.way)?;
    daemon.send(daemon.request(Method::DELETE, &["tokens", &named.id])).await?;
    match named.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&serde_json::json!({ "revoked": named.id })),
        Output::Text => {
            say!("{}: revoked", named.id);
            Ok(())
        }
    }
}

async fn list(reach: Reach) -> Result<(), Failure> {
    let page: TokenPage = Daemon::find(&reach.way)?.get("tokens").await?;
    if reach.output != Output::Text {
        return reach.output.print(&page.value);
    }
    let mut table = out::table();
    table.set_header(["ID", "NAME", "KIND", "SCOPE", "WITHIN", "CREATED", "EXPIRES"]);
    for token in page.value {
        let within = [token.subscription, token.resource_group].into_iter().flatten().collect::<Vec<_>>();
        table.add_row([
            token.id,
            token.name,
            if token.client { "client" } else { "bearer" }.to_owned(),
            token.scope.label().to_owned(),
            if within.is_empty() { "everything".to_owned() } else { within.join("/") },
            token.created,
            token.expires.unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    say!("{table}");
    Ok(())
}

/// What a script wants, and nothing else.
fn print(reach: &Reach, fresh: &FreshToken) -> Result<(), Failure> {
    match (reach.output, fresh.token.client) {
        (form @ (Output::Json | Output::Yaml), _) => form.print(fresh)?,
        (Output::Text, true) => say!("client_id={}\nclient_secret={}", fresh.token.id, fresh.secret),
        (Output::Text, false) => say!("{}", fresh.secret),
    }
    Ok(())
}
