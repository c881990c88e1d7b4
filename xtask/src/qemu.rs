//! The emulator that boots other kernels: this machine's, or else Debian's, unpacked under `target` and not installed, since beside tools of another release of qemu it cannot be.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{apt, command::target_dir, step::step, toolchain::on_path};

const PROGRAM: &str = "qemu-system-x86_64";
const PACKAGE: &str = "qemu-system-x86";

/// Where Debian's packages have libraries, below where they are unpacked.
const LIBRARIES: [&str; 2] = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/// Brings it here, unless it is.
pub(crate) fn fetch(lists: &mut apt::Lists) -> Result<()> {
    if on_path(PROGRAM).is_some() || unpacked().exists() {
        return Ok(());
    }
    if !apt::is_here() || !apt::offers(lists, PACKAGE)? {
        bail!(
            "{PROGRAM} is not installed; install it with this system's packages (Debian calls it {PACKAGE})"
        );
    }
    step(&format!("unpacking {PACKAGE} (Debian package) under target"), || {
        apt::unpack(&apt::needed_for(PACKAGE)?, &unpacked())
    })
}

/// Runs it: what it needs beside its own libraries it finds by where it lies.
pub(crate) fn command() -> Result<Command> {
    if let Some(installed) = on_path(PROGRAM) {
        return Ok(Command::new(installed));
    }
    let libraries = LIBRARIES.map(|directory| unpacked().join(directory));
    let mut command = Command::new(unpacked().join("usr/bin").join(PROGRAM));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).context("a `:` in the path of target")?);
    Ok(command)
}

fn unpacked() -> PathBuf {
    target_dir().join("kernels/qemu")
}
