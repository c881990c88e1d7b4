//! `cargo xtask ci`: what a change must pass, which is the script that CI runs.

use anyhow::Result;

use crate::command::{run, workspace};

/// Runs `.ci/run`, the one list of those steps.
pub(crate) fn everything() -> Result<()> {
    run(std::process::Command::new(workspace().join(".ci/run")).current_dir(workspace()))
}
