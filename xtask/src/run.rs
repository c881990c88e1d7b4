//! `cargo xtask run`: the demo, or the daemon on an interface of this machine.

use anyhow::Result;

use crate::{
    command::{as_root, become_command, cargo, run, target_dir},
    setup::{Need, prepare},
};

/// Builds everything and becomes the demo.
pub(crate) fn demo(debug_program: bool) -> Result<()> {
    prepare(Need::Run)?;
    build_with(&["tm-userspace", "tm-tests"], features(debug_program))?;
    become_built("tm-demo", &[])
}

/// Builds the daemon and becomes `tm serve` with these arguments.
pub(crate) fn daemon(debug_program: bool, serve: &[String]) -> Result<()> {
    prepare(Need::Build)?;
    build_with(&["tm-userspace"], features(debug_program))?;
    let mut arguments = vec!["serve".to_owned()];
    arguments.extend_from_slice(serve);
    become_built("tm", &arguments)
}

/// The feature that has the XDP program log every packet, if it is wanted.
pub(crate) fn features(debug_program: bool) -> &'static [&'static str] {
    if debug_program { &["--features", "tm-userspace/debug-program"] } else { &[] }
}

/// Builds the programs of these packages, optimised.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    build_with(packages, &[])
}

fn build_with(packages: &[&str], more: &[&str]) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--locked", "--bins"]);
    command.args(more);
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

/// Becomes an optimised program of ours, as root.
pub(crate) fn become_built(program: &str, arguments: &[String]) -> Result<()> {
    become_command(as_root(target_dir().join("release").join(program))?.args(arguments))
}
