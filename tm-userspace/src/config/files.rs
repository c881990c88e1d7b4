//! The files of a configuration directory: which they are, and their text.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::report::{Fault, Found, Place, Source};

/// The node's settings, in the configuration directory.
pub(super) const NODE_FILE: &str = "tm.toml";
/// The directory of the profiles, in the configuration directory.
pub(super) const PROFILES_DIR: &str = "conf.d";

/// What was read, and what could not be.
pub(super) struct Files {
    /// `tm.toml`.
    pub(super) node: Option<Arc<Source>>,
    /// `conf.d/*.toml`, in the order of their names.
    pub(super) profiles: Vec<Arc<Source>>,
}

/// Reads all there is; what cannot be read is in `found`.
pub(super) fn read(dir: &Path, found: &mut Found) -> Files {
    let node_file = dir.join(NODE_FILE);
    if let Err(error) = fs::read_dir(dir) {
        let message = format!("cannot read the configuration directory: {error}");
        let help = "give a directory that holds tm.toml and conf.d, readable by the daemon";
        found.add(unread(dir, 0), Fault::new(message, help));
        return Files { node: None, profiles: Vec::new() };
    }
    let node = match node_file.try_exists() {
        Ok(false) => {
            let help = "write one with zone, name_servers and [listen]; the README has an example";
            found.add(unread(&node_file, 0), Fault::new("there is no such file", help));
            None
        }
        _ => file(&node_file, 0, found),
    };
    let profiles = match profile_files(dir) {
        Ok(paths) => paths.iter().zip(1..).filter_map(|(path, order)| file(path, order, found)).collect(),
        Err(error) => {
            let message = format!("cannot read the directory of profiles: {error}");
            let help = "make it a directory of *.toml files that the daemon may read, or remove it";
            found.add(unread(&dir.join(PROFILES_DIR), 1), Fault::new(message, help));
            Vec::new()
        }
    };
    Files { node, profiles }
}

/// The paths of `conf.d/*.toml` in the order of their names; none where there is no `conf.d`. Names that begin with a dot are the
/// locks and drafts of editors.
pub(super) fn profile_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir.join(PROFILES_DIR)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.ends_with(b".toml") && !name.starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Tables of `tm.toml` and their keys that name files elsewhere.
const BESIDE: [(&str, &str); 5] =
    [DATABASE, LATENCY, ("tls", "certificate"), ("tls", "key"), ("cookies", "secret_file")];
const DATABASE: (&str, &str) = ("geo", "database");
const LATENCY: (&str, &str) = ("geo", "latency");

/// Files elsewhere that `tm.toml` names, as far as it can be read: a change of theirs is one of the configuration.
pub(super) fn files_beside(dir: &Path) -> Vec<PathBuf> {
    let table = node_table(dir).unwrap_or_default();
    let secrets = table.get("tsig_key").and_then(|keys| keys.as_array()).into_iter().flatten();
    let secrets = secrets.filter_map(|key| Some(key.get("secret_file")?.as_str()?.into()));
    BESIDE.iter().filter_map(|key| named(&table, *key)).chain(secrets).collect()
}

/// The file of distances that `[geo]` names.
pub(super) fn latency(table: &toml::Table) -> Option<PathBuf> {
    named(table, LATENCY)
}

/// The database that `[geo]` names.
pub(super) fn database(table: &toml::Table) -> Option<PathBuf> {
    named(table, DATABASE)
}

fn named(table: &toml::Table, (name, key): (&str, &str)) -> Option<PathBuf> {
    Some(table.get(name)?.get(key)?.as_str()?.into())
}

/// `tm.toml`, if it is TOML: whatever else it says may be wrong.
pub(super) fn node_table(dir: &Path) -> Option<toml::Table> {
    let octets = read_regular(&dir.join(NODE_FILE)).unwrap_or_default();
    str::from_utf8(&octets).ok()?.parse().ok()
}

/// The text of one file.
fn file(path: &Path, order: usize, found: &mut Found) -> Option<Arc<Source>> {
    let bytes = match read_regular(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let help = "make it a plain file that the daemon may read, or remove it";
            found.add(unread(path, order), Fault::new(format!("cannot read the file: {error}"), help));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(Source::new(order, path, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let octet = error.as_bytes()[at];
            let source = Source::new(order, path, text);
            let place = Place::at(&source, at..at + char::REPLACEMENT_CHARACTER.len_utf8());
            let message = format!("not UTF-8: octet 0x{octet:02x} at offset {at}");
            found.add(place, Fault::new(message, "save the file as UTF-8, the encoding of TOML"));
            None
        }
    }
}

/// Only of a regular file, since reading another kind may never end.
pub(super) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    fs::read(path)
}

/// A place in a file whose text is not known.
fn unread(path: &Path, order: usize) -> Place {
    Place::whole(&Source::new(order, path, String::new()))
}
