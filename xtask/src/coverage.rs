//! `cargo xtask coverage`: how much of the packet code (tm-common) the tests of the host go through, by lines, branches and stretches of code; fails where that is too little.
//!
//! The workspace's crates are compiled once more with counters in them, by this program in the place of the compiler (`RUSTC_WORKSPACE_WRAPPER`): what they
//! depend on stays as it is. Branches are counted by an unstable flag of the stable compiler.

mod places;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use places::Places;

use crate::{
    command::{become_command, cargo, read, run, target_dir, workspace},
    setup::{Need, prepare},
    toolchain::on_path,
};

/// Set for the compiler's callers: this program is called in its place.
const WRAPPING: &str = "TM_COVERAGE";
/// What is measured.
const MEASURED: &str = "tm-common/src";
/// The least share of all branches and of all stretches that the tests are to take, in percent.
const LEAST: f64 = 98.0;
/// The tests that go through it on the host.
const TESTS: [&str; 10] =
    ["engine", "golden", "harm", "corpus", "cookies", "limits", "properties", "parity", "weights", "views"];

/// Compiles in the compiler's place, with counters, where that is what this program was called for; else `None`.
pub(crate) fn compile() -> Option<Result<()>> {
    env::var_os(WRAPPING)?;
    let mut words = env::args_os().skip(1);
    let mut compiler = Command::new(words.next()?);
    compiler.env("RUSTC_BOOTSTRAP", "1").args(["-Cinstrument-coverage", "-Zcoverage-options=branch"]);
    Some(become_command(compiler.args(words)))
}

/// Runs the tests and prints the table; an HTML report with every line is beside the counters.
pub(crate) fn measure() -> Result<()> {
    prepare(Need::Test)?;
    let [merge, show] = tools()?;
    let directory = target_dir().join("coverage");
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("cannot empty {}", directory.display()))?;
    }
    let counters = directory.join("counters");
    let mut tests = vec!["test", "--package", "tm-common", "--package", "tm-tests", "--lib"];
    tests.extend(TESTS.iter().flat_map(|test| ["--test", test]));
    let own = env::current_exe().context("where is this program?")?;
    let wrapped = |more: &[&str]| {
        let mut command = cargo(&tests);
        command.args(more).env("RUSTC_WORKSPACE_WRAPPER", &own).env(WRAPPING, "1");
        command.env("LLVM_PROFILE_FILE", counters.join("%p-%m.profraw"));
        command
    };
    run(&mut wrapped(&["--no-run"]))?;
    let programs = programs(&mut wrapped(&["--no-run"]))?;
    // The kit's own tests have nothing to do with it.
    run(wrapped(&[
        "--no-fail-fast",
        "--",
        "--skip",
        "bench",
        "--skip",
        "lab",
        "--skip",
        "client",
        "--skip",
        "resolver",
    ])
    .env("RUST_BACKTRACE", "0"))?;

    let found = fs::read_dir(&counters).with_context(|| format!("no counters in {}", counters.display()))?;
    let raw: Vec<PathBuf> = found.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let merged = directory.join("merged.profdata");
    run(Command::new(&merge).args(["merge", "-sparse", "-o"]).arg(&merged).args(raw))?;
    let shown = |what: &str| {
        let mut command = Command::new(&show);
        command.current_dir(workspace()).arg(what).arg("--instr-profile").arg(&merged);
        command.args(programs.iter().flat_map(|program| [Path::new("-object"), program]));
        command
    };
    let html = directory.join("html");
    run(shown("show")
        .args(["--format=html", "--show-branches=count", "--show-instantiations=false", "--output-dir"])
        .arg(&html)
        .args(["--sources", MEASURED]))?;
    run(shown("report").args(["--show-branch-summary", "--sources", MEASURED]))?;
    eprintln!("coverage: every line is in {}", html.join("index.html").display());
    let below = workspace().join(MEASURED);
    let exported = read(shown("export").args(["--sources", MEASURED]))?;
    let places = Places::read(&exported, &below)?;
    let shares = [("branches", places.branches(&below)), ("stretches", places.stretches(&below))];
    for (what, share) in &shares {
        eprintln!("coverage: {share} of all {what}; not taken:");
        share.missed.iter().for_each(|missed| eprintln!("  {missed}"));
    }
    for (what, share) in &shares {
        ensure!(share.percent() >= LEAST, "only {share} of all {what} were taken, not {LEAST} %");
    }
    Ok(())
}

/// The programs that cargo has built.
fn programs(command: &mut Command) -> Result<Vec<PathBuf>> {
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo failed ({})", output.status);
    let programs: Vec<PathBuf> =
        executables(&String::from_utf8_lossy(&output.stderr)).map(|path| workspace().join(path)).collect();
    ensure!(!programs.is_empty(), "cargo names no programs");
    Ok(programs)
}

/// The paths in lines such as `Executable tests/golden.rs (target/debug/deps/golden-0123)`.
fn executables(said: &str) -> impl Iterator<Item = &str> {
    said.lines()
        .filter(|line| line.trim_start().starts_with("Executable"))
        .filter_map(|line| line.rsplit_once('(')?.1.strip_suffix(')'))
}

/// `llvm-profdata` and `llvm-cov` of the compiler's own LLVM.
fn tools() -> Result<[PathBuf; 2]> {
    let about = read(Command::new("rustc").arg("-vV"))?;
    let version = about.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = version.and_then(|version| version.split('.').next()).context("rustc -vV names no LLVM")?;
    let find = |tool: &str| {
        let debian = PathBuf::from(format!("/usr/lib/llvm-{major}/bin/{tool}"));
        Some(debian).filter(|path| path.is_file()).or_else(|| on_path(&format!("{tool}-{major}")))
    };
    match ["llvm-profdata", "llvm-cov"].map(find) {
        [Some(merge), Some(show)] => Ok([merge, show]),
        _ => bail!("LLVM {major}'s llvm-profdata and llvm-cov are not here: install Debian's llvm-{major}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_what_stands_in_brackets() {
        let said = "    Finished `test` profile\n  Executable unittests src/lib.rs (target/debug/deps/tm_common-1)\n  Executable tests/golden.rs (target/debug/deps/golden-2)\n";
        let paths: Vec<_> = executables(said).collect();
        assert_eq!(paths, ["target/debug/deps/tm_common-1", "target/debug/deps/golden-2"]);
    }
}
