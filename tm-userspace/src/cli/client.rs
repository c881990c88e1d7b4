//! The subcommands that ask the daemon, over its Unix socket.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::{Failure, Output, Reach, report, show};
use crate::{
    api::{
        Answered, Explained, Inquiry, Order, Ordered, Question, RoundTripView, RoundTripsChange, Status,
        VERSION,
    },
    reload,
};

pub(super) async fn status(reach: &Reach) -> Result<(), Failure> {
    let status: Status = Daemon::find(reach)?.get("status").await?;
    match reach.output {
        Output::Json => print_json(&status)?,
        Output::Text => show::status(&status),
    }
    Ok(())
}

pub(super) async fn query(reach: &Reach, question: Question) -> Result<(), Failure> {
    let answered: Answered = Daemon::find(reach)?.post("query", &question).await?;
    match reach.output {
        Output::Json => print_json(&answered)?,
        Output::Text => show::answered(&answered),
    }
    match answered.rcode.as_str() {
        "NXDOMAIN" => Err(Failure::NoSuchName),
        _ => Ok(()),
    }
}

pub(super) async fn explain(reach: &Reach, inquiry: &Inquiry) -> Result<Explained, Failure> {
    Daemon::find(reach)?.post("explain", inquiry).await
}

pub(super) async fn order(reach: &Reach, order: &Order) -> Result<Ordered, Failure> {
    Daemon::find(reach)?.post("order", order).await
}

pub(super) async fn round_trips(reach: &Reach) -> Result<Vec<RoundTripView>, Failure> {
    Daemon::find(reach)?.get("round-trips").await
}

/// Gives how many prefixes are known now.
pub(super) async fn change_round_trips(reach: &Reach, change: &RoundTripsChange) -> Result<u64, Failure> {
    let said: serde_json::Value = Daemon::find(reach)?.post("round-trips", change).await?;
    Ok(said["prefixes"].as_u64().unwrap_or(0))
}

pub(super) async fn version(reach: &Reach) -> Result<(), Failure> {
    let daemon = match Daemon::find(reach) {
        Ok(daemon) => daemon.get::<serde_json::Value>("version").await.ok(),
        Err(_) => None,
    };
    let daemon = daemon.as_ref().and_then(|said| said["version"].as_str());
    match reach.output {
        Output::Json => print_json(&serde_json::json!({ "version": VERSION, "daemon": daemon }))?,
        Output::Text => {
            if let Some(daemon) = daemon {
                println!("daemon {daemon}");
            }
            println!("{VERSION}");
        }
    }
    Ok(())
}

pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?);
    Ok(())
}

/// The daemon's socket, and how to speak over it.
struct Daemon {
    socket: PathBuf,
    client: reqwest::Client,
}

impl Daemon {
    fn find(reach: &Reach) -> Result<Self, Failure> {
        let socket = match &reach.socket {
            Some(socket) => socket.clone(),
            None => reload::socket_of(&reach.config).map_err(report)?,
        };
        // No TLS passes through a Unix socket, but the client wants to know whose it would be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .unix_socket(socket.clone())
            .no_proxy()
            .timeout(std::time::Duration::from_secs(30))
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Daemon { socket, client })
    }

    async fn get<T: DeserializeOwned>(&self, what: &str) -> Result<T, Failure> {
        self.send(self.client.get(format!("http://tm/api/v1/{what}"))).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        what: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, Failure> {
        self.send(self.client.post(format!("http://tm/api/v1/{what}")).json(body)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)
                .context("the daemon's answer is not what this version expects")?);
        }
        let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let said =
            said["error"].as_str().map_or_else(|| String::from_utf8_lossy(&body).into_owned(), str::to_owned);
        let error = anyhow!("the daemon says: {said}");
        Err(if status == StatusCode::NOT_FOUND { Failure::NoSuchEndpoint(error) } else { error.into() })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let socket = self.socket.display();
        let cause =
            std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
        let cause = cause.map(ToString::to_string).unwrap_or_default();
        Failure::Unreachable(anyhow!(
            "no daemon answers at {socket} ({cause}): is `tm serve` running? --socket or TM_SOCKET names another one"
        ))
    }
}
