//! `[geo]`: the database that says where clients are.

use std::{path::PathBuf, sync::Arc};

use crate::geo::Atlas;

use super::{raw, report::Notes, value};

/// The database, if one is named; `known` where that is still what the file holds.
pub(super) fn check(raw: &raw::Geo, known: Option<&Arc<Atlas>>, notes: &mut Notes<'_>) -> Option<Arc<Atlas>> {
    let written = raw.database.as_ref()?;
    let path: PathBuf = value::absolute(notes, "database", Some(written), EXAMPLE);
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

/// A path as it may be.
const EXAMPLE: &str = "/var/lib/tm/country.mmdb";
