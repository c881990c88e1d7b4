//! The subcommands that ask the daemon, over its Unix socket.

use super::{Failure, Output, Reach, daemon::Daemon, out::say, show};
use crate::api::{
    Answered, Explained, Inquiry, Order, Ordered, Question, RoundTripView, RoundTripsChange, Status, VERSION,
};

pub(super) async fn status(reach: &Reach) -> Result<(), Failure> {
    let status: Status = Daemon::find(&reach.way)?.get("status").await?;
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&status)?,
        Output::Text => show::status(&status),
    }
    Ok(())
}

pub(super) async fn query(reach: &Reach, question: Question) -> Result<(), Failure> {
    let answered: Answered = Daemon::find(&reach.way)?.post("query", &question).await?;
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&answered)?,
        Output::Text => show::answered(&answered),
    }
    match answered.rcode.as_str() {
        "NXDOMAIN" => Err(Failure::NoSuchName),
        _ => Ok(()),
    }
}

pub(super) async fn explain(reach: &Reach, inquiry: &Inquiry) -> Result<Explained, Failure> {
    Daemon::find(&reach.way)?.post("explain", inquiry).await
}

pub(super) async fn order(reach: &Reach, order: &Order) -> Result<Ordered, Failure> {
    Daemon::find(&reach.way)?.post("order", order).await
}

pub(super) async fn round_trips(reach: &Reach) -> Result<Vec<RoundTripView>, Failure> {
    Daemon::find(&reach.way)?.get("round-trips").await
}

/// Gives how many prefixes are known now.
pub(super) async fn change_round_trips(reach: &Reach, change: &RoundTripsChange) -> Result<u64, Failure> {
    let said: serde_json::Value = Daemon::find(&reach.way)?.post("round-trips", change).await?;
    Ok(said["prefixes"].as_u64().unwrap_or(0))
}

pub(super) async fn version(reach: &Reach) -> Result<(), Failure> {
    let daemon = match Daemon::find(&reach.way) {
        Ok(daemon) => daemon.get::<serde_json::Value>("version").await.ok(),
        Err(_) => None,
    };
    let daemon = daemon.as_ref().and_then(|said| said["version"].as_str());
    match reach.output {
        form @ (Output::Json | Output::Yaml) => {
            form.print(&serde_json::json!({ "version": VERSION, "daemon": daemon }))?
        }
        Output::Text => {
            if let Some(daemon) = daemon {
                say!("daemon {daemon}");
            }
            say!("{VERSION}");
        }
    }
    Ok(())
}
