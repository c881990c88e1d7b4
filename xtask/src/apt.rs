//! Debian's packages: what exists, and installing without starting services.

use std::process::Command;

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

/// Whether a package can be installed; looks again with fresh lists before it says no.
pub(crate) fn offers(lists: &mut Lists, package: &str) -> Result<bool> {
    if candidate(package)? {
        return Ok(true);
    }
    lists.update()?;
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
        if install_once(packages).is_err() {
            // Old lists name files that are gone.
            lists.update()?;
            install_once(packages)
                .with_context(|| format!("install by hand: apt-get install {}", packages.join(" ")))?;
        }
        Ok(())
    })?;
    for (package, service) in SERVICES {
        if packages.iter().any(|installed| installed == package) && on_path("systemctl").is_some() {
            // Where systemd is not the init there is nothing to disable, and this says so.
            read(as_root("systemctl")?.args(["disable", "--quiet", service])).ok();
        }
    }
    Ok(())
}

/// The package lists, fetched anew at most once a run.
#[derive(Default)]
pub(crate) struct Lists {
    fresh: bool,
}

impl Lists {
    /// Fetches them, unless this run already did.
    pub(crate) fn update(&mut self) -> Result<()> {
        if !self.fresh {
            step("fetching Debian's package lists", || {
                run(as_root("apt-get")?.args(["update", "--quiet"])).context(
                    "cannot fetch Debian's package lists: look at /etc/apt/sources.list and the network",
                )
            })?;
            self.fresh = true;
        }
        Ok(())
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
    fn a_package_without_a_candidate_cannot_be_installed() {
        assert!(has_candidate("cpio:\n  Installed: (none)\n  Candidate: 2.13+dfsg-7.1\n  Version table:\n"));
        assert!(!has_candidate("rustc-web:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n"));
        assert!(!has_candidate(""));
    }
}
