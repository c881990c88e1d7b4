//! The subcommands that ask the daemon, over its Unix socket.

use super::{Failure, Output, Reach, daemon::Daemon, show};
use crate::api::{Answered, Order, Ordered, Question, Status, VERSION};

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

pub(super) async fn order(reach: &Reach, order: &Order) -> Result<Ordered, Failure> {
    Daemon::find(reach)?.post("order", order).await
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
