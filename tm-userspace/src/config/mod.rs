//! From a directory of files to a checked wanted state.
//!
//! The steps, each a module: `files` reads, `parse` turns TOML into `raw` (what is written), `node`, `profile`, `endpoint` and the
//! like turn that into the types of [`crate::desired`] (what is true), `whole` and `links` check across profiles. All take down what is wrong
//! in `report`, which [`ConfigError`] hands out; `render` draws it. Nothing past this module checks again, and a state is
//! handed out only if nothing at all was wrong.
//!
//! [`load`] is the one way in: `tm check`, the daemon's start and each reload call it. [`watch`](mod@watch) says when to reload.

mod cookies;
pub mod defaults;
pub mod watch;

mod address;
mod apex;
mod api;
mod document;
mod endpoint;
mod entry;
mod files;
mod geo;
mod ground;
mod header;
mod links;
mod listen;
mod location;
mod monitor;
mod name;
mod nested;
mod node;
mod parse;
mod present;
mod profile;
mod rate_limit;
mod raw;
mod record;
mod registry;
mod render;
mod report;
mod rules;
mod sampling;
mod schema;
mod service;
mod sockets;
mod subnets;
mod together;
mod transfer;
mod value;
mod webhook;
mod whole;
mod zone;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    desired::{Node, Profiles, Services},
    geo::{Atlas, Overrides},
};

pub use document::{Document, FieldFault, is_same_document};
pub use entry::{Entry, key};
pub use registry::{Changed, Registry, faults, faults_of_many};
pub use report::{ConfigError, Location, Problem};
pub use schema::{EndpointSchema, ProfileSchema, file_schema, ordered_profile, ordered_service};
pub use service::service_of;
pub use together::{LeftOut, Stored};
pub use value::name_fault;

use ground::Ground;
use report::{Found, Notes};

/// A configuration that is right.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// This node's settings.
    pub node: Arc<Node>,
    /// By profile name.
    pub profiles: Profiles,
    /// What their endpoints are picked from.
    pub services: Services,
    /// Where they were written.
    pub registry: Registry,
    /// What is not among them, though it is written: only where a load is told to take what fits.
    pub left_out: Vec<LeftOut>,
    /// Where clients are, if `[geo]` names a database.
    pub atlas: Option<Arc<Atlas>>,
    /// What `[geo]` knows better of how far clients are.
    pub overrides: Overrides,
    /// What is right but hardly meant, a line each: `file:line:column: message`.
    pub warnings: Vec<String>,
}

/// Reads and checks `dir/tm.toml` and `dir/conf.d/*.toml`, the latter in the order of their names; other files are passed over.
pub fn load(dir: &Path) -> Result<Loaded, ConfigError> {
    load_for(dir, &[], None, Stored::default())
}

/// Where the node of `dir` keeps its state, as far as that can be told: whatever else the files say may be wrong.
pub fn state_dir(dir: &Path) -> Result<PathBuf, ConfigError> {
    match files::node_table(dir).as_ref().map(|table| table.get("state_dir")) {
        Some(None) => Ok(defaults::STATE_DIR.into()),
        Some(Some(toml::Value::String(path))) => Ok(path.into()),
        _ => load(dir).map(|loaded| loaded.node.state_dir.clone()),
    }
}

/// The database that `[geo]` names in the `tm.toml` of `dir`, whatever else it says.
pub fn database(dir: &Path) -> Result<Option<PathBuf>, ConfigError> {
    match files::node_table(dir) {
        Some(table) if dir.join(files::NODE_FILE).exists() => Ok(files::database(&table)),
        _ => load(dir).map(|loaded| Some(loaded.atlas?.database.path().to_owned())),
    }
}

/// The file of `[geo]` in the `tm.toml` of `dir` that says how far clients are, whatever else it says.
pub fn latency(dir: &Path) -> Option<PathBuf> {
    files::node_table(dir).and_then(|table| files::latency(&table))
}

/// As [`load`], with interfaces that win over those of the file, none where the file decides; with the database that an earlier load
/// read, which is not read again where its file is the same; and together with what the API manages.
pub fn load_for(
    dir: &Path,
    interfaces: &[String],
    known: Option<&Arc<Atlas>>,
    stored: Stored<'_>,
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
    let mut ground = Ground::default();
    let mut scope = defaults::scope();
    if let Some((raw, node, least_weight, _)) = &node {
        ground.least_weight = *least_weight;
        ground.has_database = raw.geo.database.is_some();
        if let Some(node) = node {
            (ground.zone, scope) = (node.zone().name.clone(), node.scope.clone());
        }
    }
    let mut tables = Vec::new();
    let mut services = Vec::new();
    for source in &files.profiles {
        let notes = &mut Notes { source, found: &mut found };
        let parse::Tables { profiles, services: written } = parse::tables(notes);
        services.extend(written.iter().filter_map(|written| service::check(written, &scope, notes)));
        tables.push((source, profiles));
    }
    let mut left_out = Vec::new();
    let mut all = service::stored(stored, &scope, &mut found, &mut left_out);
    all.extend(services);
    let (services, service_places) = service::all(all, stored.what_fits, &mut found, &mut left_out);
    ground.services = services;
    let mut entries = Vec::new();
    for (source, profiles) in tables {
        let notes = &mut Notes { source, found: &mut found };
        entries.extend(
            profiles.iter().filter_map(|written| profile::check(written, &ground, notes)).map(Arc::new),
        );
    }
    let Some((raw, Some(node), _, (atlas, overrides))) = node else {
        whole::check(None, entries.iter().map(|entry| Entry::clone(entry)).collect(), &mut found);
        return Err(found.into_error());
    };
    entries.extend(together::entries(stored, &ground, &mut found, &mut left_out));
    if let Some(source) = &files.node {
        node::fits(&raw, &node, entries.len(), &mut Notes { source, found: &mut found });
    }
    let what_fits = stored.what_fits && found.findings.is_empty();
    let profiles = together::check(what_fits, &node, &mut entries, &mut found, &mut left_out);
    if !found.findings.is_empty() {
        return Err(found.into_error());
    }
    let node = Arc::new(node);
    let services = ground.services.clone();
    let registry = Registry::new(node.clone(), ground, service_places, &entries);
    Ok(Loaded { node, profiles, services, registry, left_out, atlas, overrides, warnings: found.warnings })
}
