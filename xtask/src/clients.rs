//! Other people's clients, unmodified, that the tests let loose on the daemon: two generations of Azure's SDK for Python, the one for JavaScript, what drives a browser, schemathesis, which makes
//! requests of a description of an API, and dnspython, which judges messages.
//!
//! Each has a directory under `target/clients`, made as a whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    apt,
    command::{run, workspace},
    step::step,
    toolchain::on_path,
};

/// Where they are put, in the workspace.
const DIRECTORY: &str = "target/clients";
/// Python environments, and what is in each: the SDK in the versions that the tests know, and Azure's log-in; schemathesis; dnspython, with what it needs for HTTPS.
const PYTHON: [(&str, &[&str]); 4] = [
    ("sdk-2", &["azure-mgmt-trafficmanager==2.0.0", "azure-identity==1.25.1"]),
    ("sdk-1", &["azure-mgmt-trafficmanager==1.1.0", "azure-identity==1.25.1"]),
    ("schemathesis", &["schemathesis==4.32.5"]),
    ("dnspython", &["dnspython[doh]==2.8.0"]),
];
/// Directories of modules for node, and what is in each: the SDK for JavaScript; what drives a browser, and what judges its pages.
const JAVASCRIPT: [(&str, &[&str]); 2] = [
    ("js", &["@azure/arm-trafficmanager@6.1.0"]),
    ("browser", &["playwright-core@1.65.1", "axe-core@4.14.1"]),
];

/// Installs those that are not there yet.
pub(crate) fn install(lists: &mut apt::Lists) -> Result<()> {
    let directory = workspace().join(DIRECTORY);
    let needs = [("python3", "python3"), ("npm", "npm"), ("node", "nodejs")];
    let mut missing: Vec<String> = needs
        .iter()
        .filter(|(program, _)| on_path(program).is_none())
        .map(|(_, package)| (*package).to_owned())
        .collect();
    if !can_make_environments() {
        missing.push("python3-venv".to_owned());
    }
    if !missing.is_empty() && apt::is_here() {
        apt::install(lists, &missing)?;
    }
    for (name, packages) in PYTHON {
        make(&directory.join(name), &packages.join(", "), |parts| python(parts, packages))?;
    }
    for (name, packages) in JAVASCRIPT {
        make(&directory.join(name), &packages.join(", "), |parts| {
            run(Command::new("npm")
                .args(["install", "--silent", "--no-save", "--no-audit", "--ignore-scripts", "--prefix"])
                .arg(parts)
                .args(packages))
        })?;
    }
    Ok(())
}

/// Does Python bring what makes environments? Debian has it apart.
fn can_make_environments() -> bool {
    let mut ask = Command::new("python3");
    ask.args(["-c", "import venv, ensurepip"]).output().is_ok_and(|output| output.status.success())
}

fn python(environment: &Path, packages: &[&str]) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
    run(Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages))
}

/// Makes a directory, unless it was made before by the same words. An environment knows its own path, so a file in it says that it is whole.
fn make(directory: &Path, what: &str, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let whole: PathBuf = directory.join("whole");
    if fs::read_to_string(&whole).is_ok_and(|known| known == what) {
        return Ok(());
    }
    step(&format!("fetching {what}, for the tests"), || {
        if directory.exists() {
            fs::remove_dir_all(directory)
                .with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        work(directory).with_context(|| format!("cannot install {what} into {}", directory.display()))?;
        fs::write(&whole, what).with_context(|| format!("cannot write {}", whole.display()))
    })
}
