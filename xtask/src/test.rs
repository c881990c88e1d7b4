//! `cargo xtask test`: every test, the privileged ones as root.

use anyhow::Result;

use crate::{
    command::{as_root, cargo, is_root, run},
    setup::{Need, prepare},
};

/// All of the workspace that runs on this machine; tm-ebpf is compiled by the build script of tm-userspace.
pub(crate) const WORKSPACE: [&str; 4] = ["--workspace", "--exclude", "tm-ebpf", "--locked"];

/// Runs cargo's tests with the given filter and arguments.
pub(crate) fn all(arguments: &[String]) -> Result<()> {
    prepare(Need::Test)?;
    // End-to-end tests start the daemon itself. Built together with the tests, so that both see the same features of
    // their dependencies and nothing is compiled twice.
    run(cargo(&["build", "--bins", "--tests"]).args(WORKSPACE))?;
    let mut test = cargo(&[]);
    if !is_root() {
        as_root("true")?; // says so here where there is no way to become root
        test.args(["--config", "target.'cfg(unix)'.runner = ['sudo', '-E']"]);
    }
    run(test.arg("test").args(WORKSPACE).args(arguments))
}
