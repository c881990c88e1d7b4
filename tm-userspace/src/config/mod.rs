//! From a directory of files to a checked wanted state.
//!
//! The steps, each a module: `files` reads, `parse` turns TOML into `raw` (what is written), `node`, `profile`, `endpoint` and the
//! like turn that into the types of [`crate::desired`] (what is true), `whole` and `links` check across profiles. All take down what is wrong
//! in `report`, which [`ConfigError`] hands out; `render` draws it. Nothing past this module checks again, and a state is
//! handed out only if nothing at all was wrong.
//!
//! [`load`] is the one way in: `tm check`, the daemon's start and each reload call it. [`watch`](mod@watch) says when to reload.

pub mod defaults;
pub mod watch;

mod address;
mod endpoint;
mod files;
mod geo;
mod header;
mod links;
mod listen;
mod location;
mod monitor;
mod name;
mod nested;
mod node;
mod parse;
mod profile;
mod raw;
mod render;
mod report;
mod rules;
mod subnets;
mod value;
mod whole;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use imbl::OrdMap;

use crate::{
    desired::{Node, Profile},
    geo::{Atlas, Overrides},
};

pub use report::{ConfigError, Location, Problem};

use report::{Found, Notes};

/// A configuration that is right.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// This node's settings.
    pub node: Node,
    /// By profile name.
    pub profiles: OrdMap<Arc<str>, Arc<Profile>>,
    /// Where clients are, if `[geo]` names a database.
    pub atlas: Option<Arc<Atlas>>,
    /// What `[geo]` knows better of how far clients are.
    pub overrides: Overrides,
    /// What is right but hardly meant, a line each: `file:line:column: message`.
    pub warnings: Vec<String>,
}

/// Reads and checks `dir/tm.toml` and `dir/conf.d/*.toml`, the latter in the order of their names; other files are passed over.
pub fn load(dir: &Path) -> Result<Loaded, ConfigError> {
    load_for(dir, &[], None)
}

/// Where the node of `dir` keeps its state, as far as that can be told: whatever else the files say may be wrong.
pub fn state_dir(dir: &Path) -> Result<PathBuf, ConfigError> {
    match files::node_table(dir).as_ref().map(|table| table.get("state_dir")) {
        Some(None) => Ok(defaults::STATE_DIR.into()),
        Some(Some(toml::Value::String(path))) => Ok(path.into()),
        _ => load(dir).map(|loaded| loaded.node.state_dir),
    }
}

/// The database that `[geo]` names in the `tm.toml` of `dir`, whatever else it says.
pub fn database(dir: &Path) -> Result<Option<PathBuf>, ConfigError> {
    match files::node_table(dir) {
        Some(table) if dir.join(files::NODE_FILE).exists() => Ok(files::geo_file(&table, "database")),
        _ => load(dir).map(|loaded| Some(loaded.atlas?.database.path().to_owned())),
    }
}

/// The file of `[geo]` in the `tm.toml` of `dir` that says how far clients are, whatever else it says.
pub fn latency(dir: &Path) -> Option<PathBuf> {
    files::node_table(dir).and_then(|table| files::geo_file(&table, "latency"))
}

/// As [`load`], with interfaces that win over those of the file, none where the file decides; and with the database that an earlier load
/// read, which is not read again where its file is the same.
pub fn load_for(
    dir: &Path,
    interfaces: &[String],
    known: Option<&Arc<Atlas>>,
) -> Result<Loaded, ConfigError> {
    let mut found = Found::default();
    let files = files::read(dir, &mut found);
    let node = files.node.as_ref().and_then(|source| {
        let notes = &mut Notes { source, found: &mut found };
        let mut raw = parse::node(notes)?;
        raw.overrule_interfaces(interfaces);
        let node = node::check(&raw, notes);
        let least_weight = node::least_weight(&raw, notes);
        let places = geo::check(&raw.geo, known, notes);
        Some((raw, node, least_weight, places))
    });
    let of_node = profile::OfNode {
        zone: node.as_ref().and_then(|(_, node, ..)| node.as_ref()).map(|node| &node.zone),
        least_weight: node.as_ref().map_or(defaults::LEAST_WEIGHT, |(_, _, least_weight, _)| *least_weight),
        has_database: node.as_ref().is_none_or(|(raw, ..)| raw.geo.database.is_some()),
    };
    let mut profiles = Vec::new();
    for source in &files.profiles {
        let notes = &mut Notes { source, found: &mut found };
        for raw in parse::profiles(notes) {
            profiles.extend(profile::check(&raw, of_node, notes));
        }
    }
    if let (Some(source), Some((raw, Some(node), ..))) = (&files.node, &node) {
        node::fits(raw, node, profiles.len(), &mut Notes { source, found: &mut found });
    }
    let (node, (atlas, overrides)) = node.map(|(_, node, _, places)| (node, places)).unwrap_or_default();
    let profiles = whole::check(node.as_ref(), profiles, &mut found);
    match node {
        Some(node) if found.findings.is_empty() => {
            Ok(Loaded { node, profiles, atlas, overrides, warnings: found.warnings })
        }
        _ => Err(found.into_error()),
    }
}
