//! `[geo]`: the database that says where clients are, what is known better of how far they are, and who is near to this node.

use std::{path::PathBuf, sync::Arc};

use toml::Spanned;

use crate::geo::{Atlas, Overrides};

use super::{raw, report::Notes, value};

/// The database, if one is named, and what is known better; `known` where that is still what the file holds.
pub(super) fn check(
    raw: &raw::Geo,
    known: Option<&Arc<Atlas>>,
    notes: &mut Notes<'_>,
) -> (Option<Arc<Atlas>>, Overrides) {
    let atlas = raw.database.as_ref().and_then(|written| atlas(written, known, notes));
    let overrides = raw.latency.as_ref().and_then(|written| overrides(written, notes)).unwrap_or_default();
    (atlas, overrides.near(value::prefixes(&raw.near, notes)))
}

fn atlas(written: &Spanned<String>, known: Option<&Arc<Atlas>>, notes: &mut Notes<'_>) -> Option<Arc<Atlas>> {
    let path: PathBuf = value::absolute(notes, "database", Some(written), "/var/lib/tm/country.mmdb");
    if !path.is_absolute() {
        return None;
    }
    if let Some(known) = known.filter(|known| known.database.path() == path && known.database.is_current()) {
        return Some(known.clone());
    }
    match Atlas::load(&path) {
        Ok(atlas) => Some(Arc::new(atlas)),
        Err(error) => {
            let message = format!("cannot use the database {}: {error:#}", path.display());
            let help = "name a whole country or city database in MaxMind's format (.mmdb) that the daemon may read; `tm geo check --database FILE` looks at one";
            notes.error(written.span(), message, help);
            None
        }
    }
}

fn overrides(written: &Spanned<String>, notes: &mut Notes<'_>) -> Option<Overrides> {
    let path = value::absolute(notes, "latency", Some(written), "/etc/tm/latency.csv");
    if !path.is_absolute() {
        return None;
    }
    let read = Overrides::read(&path);
    if let Err(error) = &read {
        let help = "write a line each as `203.0.113.0/24,West Europe,12`: prefix, address or code; region; milliseconds";
        notes.error(written.span(), format!("cannot use the latencies: {error:#}"), help);
    }
    read.ok()
}
