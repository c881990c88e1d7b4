//! `cargo xtask fuzz`: runs the fuzz targets in `tests/fuzz` with cargo-fuzz on a nightly compiler.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{
    command::{cargo, read, run, workspace},
    toolchain::on_path,
};

/// Runs one target, or each of them, for so many seconds. Inputs worth keeping get into the corpus by `cargo fuzz cmin`.
pub(crate) fn run_targets(target: Option<&str>, seconds: u32) -> Result<()> {
    prepare()?;
    let targets = match target {
        Some(target) => vec![target.to_owned()],
        None => read(&mut fuzz(&["list"]))?.lines().map(str::to_owned).collect(),
    };
    ensure!(!targets.is_empty(), "there are no fuzz targets in tests/fuzz");
    for target in targets {
        eprintln!("fuzz: {target} for {seconds} s");
        // What is found goes to a directory of its own; the committed corpus is small and only read.
        let found = workspace().join("tests/fuzz/target/corpus").join(&target);
        fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
        let limit = format!("-max_total_time={seconds}");
        run(fuzz(&["run", &target]).arg(found).args([&format!("tests/fuzz/corpus/{target}"), "--", &limit]))
            .with_context(|| format!("fuzz target {target} found something (or did not build)"))?;
    }
    Ok(())
}

fn prepare() -> Result<()> {
    ensure!(
        on_path("rustup").is_some(),
        "fuzzing needs rustup and a nightly compiler, for its sanitizers: install rustup (https://rustup.rs)"
    );
    if read(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_err() {
        eprintln!("setup: installing a nightly Rust");
        let arguments = ["toolchain", "install", "nightly", "--profile", "minimal"];
        run(Command::new("rustup").args(arguments))
            .with_context(|| format!("install by hand: rustup {}", arguments.join(" ")))?;
    }
    if on_path("cargo-fuzz").is_none() {
        eprintln!("setup: building cargo-fuzz");
        run(&mut cargo(&["install", "cargo-fuzz", "--locked"]))
            .context("install by hand: cargo install cargo-fuzz")?;
    }
    Ok(())
}

/// cargo-fuzz by rustup's own cargo: the one that runs this does not understand `+nightly`.
fn fuzz(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]).args(&arguments[..1]);
    command.args(["--fuzz-dir", "tests/fuzz"]).args(&arguments[1..]);
    command.current_dir(workspace()).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    command
}
