//! Data that the tests read and that is not kept with the code: a database of countries, some 8 MB, from npm.

use std::{fs, process::Command};

use anyhow::{Context, Result};

use crate::{
    apt,
    command::{run, workspace},
    step::step,
    toolchain::on_path,
};

/// The npm package, in the version whose rows the tests know (CC0; credited in `tm-userspace/NOTICE`).
const PACKAGE: &str = "@ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719";
/// Its file.
const FILE: &str = "geo-whois-asn-country.mmdb";
/// Where it is put, in the workspace.
const DIRECTORY: &str = "target/test-data";

/// Fetches it where it is not there yet.
pub(crate) fn fetch(lists: &mut apt::Lists) -> Result<()> {
    let directory = workspace().join(DIRECTORY);
    let file = directory.join(FILE);
    if file.exists() {
        return Ok(());
    }
    if on_path("npm").is_none() && apt::is_here() {
        apt::install(lists, &["npm".to_owned()])?;
    }
    step(&format!("fetching {PACKAGE} by npm, for the tests"), || {
        // Unpacked beside, so that the file is there as a whole or not at all.
        let parts = directory.join("parts");
        fs::create_dir_all(&parts).with_context(|| format!("cannot make {}", parts.display()))?;
        run(Command::new("npm")
            .args(["install", "--silent", "--no-save", "--ignore-scripts", "--prefix"])
            .arg(&parts)
            .arg(PACKAGE))
        .with_context(|| format!("by hand: npm pack {PACKAGE}, and put its {FILE} into {DIRECTORY}"))?;
        let unpacked = parts.join("node_modules/@ip-location-db/geo-whois-asn-country-mmdb").join(FILE);
        fs::rename(&unpacked, &file)
            .with_context(|| format!("{} is not in {PACKAGE}", unpacked.display()))?;
        fs::remove_dir_all(&parts).with_context(|| format!("cannot remove {}", parts.display()))
    })
}
