//! What goes with every change: only if nothing has changed since, or only to see what would be.

use clap::Args;
use reqwest::{RequestBuilder, header};

/// What has to be so for a change to be made.
#[derive(Debug, Default, Args)]
pub(super) struct Caution {
    /// Only if it has this ETag yet.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Check it, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Caution {
    /// The request that is held to it.
    pub(super) fn of(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(etag) = &self.if_match {
            request = request.header(header::IF_MATCH, format!("\"{}\"", etag.trim_matches('"')));
        }
        if self.dry_run {
            request = request.query(&[("dryRun", "true")]);
        }
        request
    }

    /// What is said of a thing that was done, or would be.
    pub(super) fn said(&self, name: &str, word: &str) -> String {
        match self.dry_run {
            true => format!("{name}: would be {word}"),
            false => format!("{name}: {word}"),
        }
    }
}
