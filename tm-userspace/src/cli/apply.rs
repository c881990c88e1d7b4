//! `tm apply`, `tm diff` and `tm export`: what the API manages, as files that lie in git.

use std::{path::PathBuf, time::Duration};

use anyhow::anyhow;
use clap::Args;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use similar::TextDiff;

use super::{
    Failure, Output, Reach, Way,
    azure::ExportAs,
    daemon::{Daemon, Refused},
    files::{self, Format, Given},
    out::{self, say, tell},
    progress::Progress,
};
use crate::{
    api::native::{AppliedView, Change, ChangeKind, Problem, Whole},
    config::Document,
};

/// How long many changes may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Lines around a difference.
const CONTEXT: usize = 3;

/// Which files.
#[derive(Debug, Args)]
struct Files {
    /// A file in TOML, YAML or JSON with the tables of `conf.d`, a directory with such files, or - for standard input; may be repeated.
    #[arg(long = "file", short, value_name = "PATH", required = true)]
    files: Vec<PathBuf>,
    /// Remove what the API manages and the files do not have.
    #[arg(long)]
    prune: bool,
}

/// Make what the API manages as files say, all of it or nothing.
#[derive(Debug, Args)]
pub(super) struct Apply {
    #[command(flatten)]
    files: Files,
    /// Check it, say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Show what applying files would change; it ends with 1 if anything would.
#[derive(Debug, Args)]
pub(super) struct Diff {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    reach: Reach,
}

/// Write out what the API manages, as a file that can be applied.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Export {
    #[command(subcommand)]
    form: Option<ExportAs>,
    /// How to write it.
    #[arg(short, long, value_enum, default_value_t = Format::Toml)]
    output: Format,
    #[command(flatten)]
    way: Way,
}

pub(super) async fn apply(apply: Apply) -> Result<(), Failure> {
    let applied = ask(&apply.files, apply.dry_run, &apply.reach.way).await?;
    if apply.reach.output != Output::Text {
        return apply.reach.output.print(&applied);
    }
    let would = if apply.dry_run { "would be " } else { "" };
    for change in &applied.changes {
        say!("{} {}: {would}{}", kind(change), change.name, done(change));
    }
    say!("{} changed, {} unchanged", applied.changes.len(), applied.unchanged);
    Ok(())
}

pub(super) async fn diff(diff: Diff) -> Result<(), Failure> {
    let asked = ask(&diff.files, true, &diff.reach.way).await;
    let applied = asked.map_err(|failure| match failure {
        Failure::Other(error) => Failure::NotCompared(error),
        failure => failure,
    })?;
    match diff.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&applied)?,
        Output::Text => {
            for change in &applied.changes {
                out::data(format_args!("{}", coloured(unified(change)?)));
            }
        }
    }
    if applied.changes.is_empty() { Ok(()) } else { Err(Failure::Silent) }
}

pub(super) async fn export(export: Export) -> Result<(), Failure> {
    if let Some(ExportAs::Azure(reach)) = export.form {
        return super::azure::export(reach).await;
    }
    let whole: Whole = Daemon::find(&export.way)?.get("export").await?;
    out::data(format_args!("{}", files::text(&whole, export.output)?));
    Ok(())
}

/// Has the daemon make it so, or say what it would do.
async fn ask(files: &Files, dry_run: bool, way: &Way) -> Result<AppliedView, Failure> {
    let given = files::read(&files.files)?;
    let daemon = Daemon::find(way)?;
    let request = daemon
        .request(Method::POST, &["apply"])
        .query(&[("dryRun", dry_run), ("prune", files.prune)])
        .json(&given.whole)
        .timeout(TIMEOUT);
    let (profiles, services) = (given.whole.profile.len(), given.whole.service.len());
    let progress = Progress::of_one_step(&format!("{profiles} profiles and {services} services"));
    let said = daemon.ask(request).await;
    progress.end();
    let applied: AppliedView = match said {
        Ok(response) => daemon.read(response).await?,
        Err(Refused::Problem(status, problem)) => return Err(refusal(status, &problem, &given)),
        Err(Refused::Other(failure)) => return Err(failure),
    };
    for warning in &applied.warnings {
        tell!("warning: {warning}");
    }
    Ok(applied)
}

/// What the daemon refused, told of the files.
fn refusal(status: StatusCode, problem: &Problem, given: &Given) -> Failure {
    if problem.errors.is_empty() {
        return Refused::Problem(status, problem.clone()).into();
    }
    let lines = problem.errors.iter().map(|fault| {
        let place = place(&fault.pointer, given).unwrap_or_else(|| fault.pointer.clone());
        let separator = if place.is_empty() { "" } else { ": " };
        format!("{place}{separator}{} ({})", fault.message, fault.help)
    });
    anyhow!("nothing is changed\n{}", lines.collect::<Vec<_>>().join("\n")).into()
}

/// `FILE: profile NAME: /ttl`, of what lies at `/profile/3/ttl`.
fn place(pointer: &str, given: &Given) -> Option<String> {
    let mut parts = pointer.strip_prefix('/')?.splitn(3, '/');
    let (kind, index) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
    let (documents, paths) = match kind {
        "profile" => (&given.whole.profile, &given.profiles),
        _ => (&given.whole.service, &given.services),
    };
    let name = documents.get(index)?.get("name").and_then(Value::as_str);
    let name = name.map_or_else(|| format!("{}", index + 1), str::to_owned);
    let within = parts.next().map_or_else(String::new, |within| format!(": /{within}"));
    Some(format!("{}: {kind} {name}{within}", paths.get(index)?.display()))
}

/// Both of them as TOML, and what differs.
fn unified(change: &Change) -> Result<String, Failure> {
    let text = |document: &Option<Document>| match document {
        None => Ok(String::new()),
        Some(document) => {
            let (profile, service) = match change.kind {
                ChangeKind::Profile => (vec![document.clone()], Vec::new()),
                ChangeKind::Service => (Vec::new(), vec![document.clone()]),
            };
            files::text(&Whole { profile, service }, Format::Toml)
        }
    };
    let (before, after) = (text(&change.before)?, text(&change.after)?);
    let name = |there: bool, word: &str| match there {
        true => format!("{} {} ({word})", kind(change), change.name),
        false => "/dev/null".to_owned(),
    };
    let diff = TextDiff::from_lines(&before, &after);
    let mut unified = diff.unified_diff();
    let names = (name(change.before.is_some(), "as it is"), name(change.after.is_some(), "as in the files"));
    Ok(unified.context_radius(CONTEXT).header(&names.0, &names.1).to_string())
}

/// As `git diff` has them, where colours are wanted.
fn coloured(unified: String) -> String {
    if !out::colour() {
        return unified;
    }
    let mut text = String::with_capacity(unified.len());
    for line in unified.split_inclusive('\n') {
        let code = match line.as_bytes().first() {
            Some(b'+') => "32",
            Some(b'-') => "31",
            Some(b'@') => "36",
            _ => "0",
        };
        let (words, end) = line.split_at(line.trim_end_matches('\n').len());
        text += &format!("\u{1b}[{code}m{words}\u{1b}[0m{end}");
    }
    text
}

fn kind(change: &Change) -> &'static str {
    match change.kind {
        ChangeKind::Profile => "profile",
        ChangeKind::Service => "service",
    }
}

fn done(change: &Change) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "created",
        (Some(_), Some(_)) => "changed",
        (Some(_), None) => "deleted",
    }
}
