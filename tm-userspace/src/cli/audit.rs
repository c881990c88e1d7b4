//! `tm audit`, who changed what; `tm backup` and `tm restore`.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;

use super::{
    Failure, Output, Reach,
    daemon::Daemon,
    out::{self, say},
};
use crate::{
    api::native::{self, AuditPage, RestoredView},
    time::rfc3339,
};

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only what was done to this, as `profile contoso`.
    object: Option<String>,
    /// At most so many lines, the latest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// A file that is not there yet.
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that `tm backup` wrote.
    #[arg(value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn list(audit: Audit) -> Result<(), Failure> {
    let daemon = Daemon::find(&audit.reach.way)?;
    let mut request = daemon.request(Method::GET, &["audit"]).query(&[("limit", audit.limit)]);
    if let Some(object) = &audit.object {
        request = request.query(&[("object", object)]);
    }
    let page: AuditPage = daemon.answer(request).await?;
    if audit.reach.output != Output::Text {
        return audit.reach.output.print(&page.value);
    }
    let mut table = out::table();
    table.set_header(["WHEN", "WHO", "FROM", "DID", "TO", "RESULT"]);
    for row in page.value {
        table.add_row([rfc3339(row.at), row.who, row.source, row.action, row.object, row.result]);
    }
    say!("{table}");
    Ok(())
}

pub(super) async fn back_up(backup: Backup) -> Result<(), Failure> {
    let to = std::path::absolute(&backup.to).map_err(anyhow::Error::from)?;
    let daemon = Daemon::find(&backup.reach.way)?;
    daemon.send(daemon.request(Method::POST, &["backup"]).json(&native::Backup { to: to.clone() })).await?;
    match backup.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&serde_json::json!({ "backup": to })),
        Output::Text => {
            say!("{}", to.display());
            Ok(())
        }
    }
}

pub(super) async fn restore(restore: Restore) -> Result<(), Failure> {
    let from = std::path::absolute(&restore.from).map_err(anyhow::Error::from)?;
    let daemon = Daemon::find(&restore.reach.way)?;
    let request = daemon.request(Method::POST, &["restore"]).json(&native::Restore { from });
    let restored: RestoredView = daemon.answer(request).await?;
    match restore.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&restored),
        Output::Text => {
            let RestoredView { profiles, objects, tokens } = restored;
            say!("there are {profiles} profiles, {tokens} tokens and {objects} other things of the API now");
            Ok(())
        }
    }
}
