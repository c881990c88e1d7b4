//! `store.json`: all but the audit log, written as a whole now and then, for when the database is damaged.

use std::{fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};

use super::rows::Contents;
use crate::state;

/// The file's name under `state_dir`.
const NAME: &str = "store.json";
/// The file's layout.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot<C> {
    version: u32,
    #[serde(flatten)]
    contents: C,
}

/// Is there one?
pub(super) fn exists(state_dir: &Path) -> bool {
    state_dir.join(NAME).exists()
}

/// What it holds; `None` where there is none or it is of no use, which is then said.
pub(super) fn load(state_dir: &Path) -> Option<Contents> {
    let path = state_dir.join(NAME);
    let read = fs::read(&path).map_err(anyhow::Error::from).and_then(|octets| {
        let snapshot: Snapshot<Contents> = serde_json::from_slice(&octets)?;
        anyhow::ensure!(
            snapshot.version == VERSION,
            "its layout is {}, and this version reads {VERSION}",
            snapshot.version
        );
        Ok(snapshot.contents)
    });
    read.inspect_err(|error| {
        let absent = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if absent != Some(ErrorKind::NotFound) {
            tracing::error!(path = %path.display(), error = format!("{error:#}"), "the store's snapshot is of no use");
        }
    })
    .ok()
}

/// Replaces it.
pub(super) fn store(state_dir: &Path, contents: &Contents) -> anyhow::Result<()> {
    let octets = serde_json::to_vec(&Snapshot { version: VERSION, contents })?;
    state::replace(state_dir, NAME, &octets, 0o600)
}
