//! `cargo xtask run`: the demo, or the daemon on an interface of this machine.

use anyhow::Result;

use crate::{
    command::{as_root, become_command, cargo, run, target_dir},
    setup::{Need, prepare},
};

/// Builds everything and becomes the demo.
pub(crate) fn demo() -> Result<()> {
    prepare(Need::Run)?;
    build(&["tm-userspace", "tm-tests"])?;
    become_built("tm-demo", &[])
}

/// Builds the daemon and becomes `tm serve` with these arguments.
pub(crate) fn daemon(serve: &[String]) -> Result<()> {
    prepare(Need::Build)?;
    build(&["tm-userspace"])?;
    let mut arguments = vec!["serve".to_owned()];
    arguments.extend_from_slice(serve);
    become_built("tm", &arguments)
}

/// Builds the programs of these packages, optimised.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--locked", "--bins"]);
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

/// Becomes an optimised program of ours, as root.
pub(crate) fn become_built(program: &str, arguments: &[String]) -> Result<()> {
    become_command(as_root(target_dir().join("release").join(program))?.args(arguments))
}
