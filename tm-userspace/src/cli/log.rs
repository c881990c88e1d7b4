//! Where the daemon's log goes, and how its lines are written.

use std::{env, io, os::unix::fs::MetadataExt as _};

use anyhow::Context as _;
use clap::ValueEnum;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::out;

/// How log lines are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// To the journal where standard error is one, as text elsewhere.
    Auto,
    /// A line each, for people.
    Text,
    /// An object each, for programs.
    Json,
    /// To systemd's journal, with a field for each value.
    Journal,
}

/// Begins to log what `filter` lets through.
pub(super) fn start(format: Format, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let lines = || fmt::layer().with_writer(io::stderr).with_target(false);
    let log = Registry::default().with(filter);
    match format {
        Format::Auto if !is_journal() => log.with(lines().with_ansi(out::message_colour())).init(),
        Format::Text => log.with(lines().with_ansi(out::message_colour())).init(),
        Format::Json => log.with(lines().json()).init(),
        Format::Auto | Format::Journal => {
            let journal = tracing_journald::layer().context("cannot log to the journal")?;
            let priorities = PriorityMappings { info: Priority::Informational, ..PriorityMappings::new() };
            let journal = journal
                .with_field_prefix(None)
                .with_priority_mappings(priorities)
                .with_syslog_identifier("tm".to_owned());
            log.with(journal).init();
        }
    }
    Ok(())
}

/// Is standard error the stream that systemd has connected to its journal ([systemd.exec(5)], `JOURNAL_STREAM`)?
///
/// [systemd.exec(5)]: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
fn is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let Ok(own) = std::fs::metadata("/dev/stderr") else { return false };
    stream == format!("{}:{}", own.dev(), own.ino())
}
