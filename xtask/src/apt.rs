//! Debian's packages: what exists, and installing without starting services.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, anyhow, ensure};

use crate::{
    command::{as_root, read, run},
    step::step,
    toolchain::on_path,
};

/// Runs `apt-get install "$@"` with services held back: a policy that refuses them stands for as long as it runs.
const INSTALL: &str = r#"
policy=/usr/sbin/policy-rc.d
trap 'exit 1' INT TERM
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install --quiet --yes --no-install-recommends --no-remove "$@"
"#;

/// Packages whose service would be started at the next boot, with the service's name; we only want the program.
const SERVICES: [(&str, &str); 6] = [
    ("bind9", "named.service"),
    ("gdnsd", "gdnsd.service"),
    ("knot", "knot.service"),
    ("nsd", "nsd.service"),
    ("prometheus", "prometheus.service"),
    ("unbound", "unbound.service"),
];

/// Whether this machine's packages are Debian's.
pub(crate) fn is_here() -> bool {
    on_path("apt-get").is_some() && on_path("apt-cache").is_some()
}

/// Whether a package can be installed, by fresh lists: old ones hide what has come since, and offer old releases of what they know.
pub(crate) fn offers(lists: &mut Lists, package: &str) -> Result<bool> {
    lists.update();
    candidate(package)
}

/// Installs packages; an error names what to type instead.
pub(crate) fn install(lists: &mut Lists, packages: &[String]) -> Result<()> {
    for package in packages {
        ensure!(
            offers(lists, package)?,
            "Debian's package {package} is in none of this machine's sources: add a source that has it to \
             /etc/apt/sources.list.d, or install what it holds by hand"
        );
    }
    step(&format!("installing {} (Debian packages)", packages.join(", ")), || {
        install_once(packages)
            .with_context(|| format!("install by hand: apt-get install {}", packages.join(" ")))
    })?;
    for (package, service) in SERVICES {
        if packages.iter().any(|installed| installed == package) && on_path("systemctl").is_some() {
            // Where systemd is not the init there is nothing to disable, and this says so.
            read(as_root("systemctl")?.args(["disable", "--quiet", service])).ok();
        }
    }
    Ok(())
}

/// Downloads packages and unpacks them at `to`, which is there in the end or not at all; nothing is installed.
pub(crate) fn unpack(packages: &[String], to: &Path) -> Result<()> {
    let unfinished = to.with_added_extension("unfinished");
    let (files, root) = (unfinished.join("files"), unfinished.join("root"));
    fs::remove_dir_all(&unfinished).or_else(|error| if unfinished.exists() { Err(error) } else { Ok(()) })?;
    fs::create_dir_all(&files)?;
    run(Command::new("apt-get").args(["download", "--quiet"]).args(packages).current_dir(&files))?;
    for file in fs::read_dir(&files)? {
        run(Command::new("dpkg").arg("-x").arg(file?.path()).arg(&root))?;
    }
    // A part of it may be there.
    fs::remove_dir_all(to).or_else(|error| if to.exists() { Err(error) } else { Ok(()) })?;
    fs::rename(&root, to).with_context(|| format!("cannot move {} to {}", root.display(), to.display()))?;
    Ok(fs::remove_dir_all(&unfinished)?)
}

/// A package and those that it needs and that are not installed here, each as `name=version`.
pub(crate) fn needed_for(package: &str) -> Result<Vec<String>> {
    let arguments = ["install", "--simulate", "--no-install-recommends", package];
    Ok(to_install(&read(Command::new("apt-get").args(arguments).env("LC_ALL", "C"))?))
}

/// Reads `apt-get install --simulate`: lines like `Inst name [old version] (version source [architecture])`.
fn to_install(said: &str) -> Vec<String> {
    let package = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let version = rest.split_once('(')?.1.split(' ').next()?;
        Some(format!("{name}={version}"))
    };
    said.lines().filter_map(package).collect()
}

/// The package lists, fetched anew at most once a run.
#[derive(Default)]
pub(crate) struct Lists {
    asked: bool,
}

impl Lists {
    /// Fetches them, unless this run already tried. Where they cannot be had, those that are here must do: what they name may be in reach all the same.
    pub(crate) fn update(&mut self) {
        if std::mem::replace(&mut self.asked, true) {
            return;
        }
        let fetched =
            step("fetching Debian's package lists", || run(as_root("apt-get")?.args(["update", "--quiet"])));
        if let Err(error) = fetched {
            eprintln!(
                "setup: going on with the package lists that are here: {error:#}; look at /etc/apt/sources.list and the network"
            );
        }
    }
}

fn install_once(packages: &[String]) -> Result<()> {
    // The command is a script, which would hide the sentence that matters.
    run(as_root("sh")?.args(["-c", INSTALL, "sh"]).args(packages))
        .map_err(|_| anyhow!("apt-get failed, and said why above"))
}

fn candidate(package: &str) -> Result<bool> {
    let policy = read(Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C"))?;
    Ok(has_candidate(&policy))
}

/// Reads `apt-cache policy`: it prints nothing for a package it never heard of, and `(none)` for one only referred to.
fn has_candidate(policy: &str) -> bool {
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    candidate.is_some_and(|version| version != "(none)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_installed_is_what_a_simulation_says() {
        let said = "The following packages will be REMOVED:\n  qemu-utils\nRemv qemu-utils [1:10.0.2]\n\
                    Inst seabios (1.16.2-1 Debian:12/oldstable [all])\n\
                    Inst libfdt1 [1.6.0] (1.6.1-4+b1 Debian:12/oldstable [amd64]) []\nConf seabios (1.16.2-1 Debian [all])\n";
        assert_eq!(to_install(said), ["seabios=1.16.2-1", "libfdt1=1.6.1-4+b1"]);
    }

    #[test]
    fn a_package_without_a_candidate_cannot_be_installed() {
        assert!(has_candidate("cpio:\n  Installed: (none)\n  Candidate: 2.13+dfsg-7.1\n  Version table:\n"));
        assert!(!has_candidate("rustc-web:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n"));
        assert!(!has_candidate(""));
    }
}
