//! What the API manages, in a database under `state_dir`: profiles as documents, tokens, and the audit log.
//!
//! A write is one transaction and on the disk before anybody is told of it. Nothing that answers reads any of this: the daemon reads it once, at its
//! start, and keeps in memory what it needs. A database that is damaged is set aside, never repaired or deleted; what is served then is the snapshot
//! that `snapshot` keeps beside it. One written by a later version is refused.

mod error;
mod read;
mod rows;
mod schema;
mod snapshot;
mod write;

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rusqlite::{Connection, MAIN_DB, backup::Progress};
use rusqlite_migration::{Error, MigrationDefinitionError};

use crate::{secret, state};

pub use error::StoreError;
pub use read::AuditFilter;
pub use rows::{AuditRow, Contents, Level, Object, StoredProfile, Token, now};
pub use write::Batch;

/// The database's name under `state_dir`.
pub const NAME: &str = "store.db";

/// After a restore from the snapshot the revisions go on from here: those of writes that it missed are not given out again.
const REVISIONS_LOST_AT_MOST: u64 = 1_000_000;

/// The database.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    connection: Mutex<Option<Connection>>,
    alert: Mutex<Option<String>>,
}

impl Store {
    /// Opens the database, or makes it, and reads what is in it.
    ///
    /// # Errors
    ///
    /// A later version wrote it. Whatever else is wrong is told by [`Store::alert`].
    pub fn open(state_dir: &Path) -> anyhow::Result<(Self, Contents)> {
        let path = state_dir.join(NAME);
        let was_there = path.exists();
        let store = |connection, alert| Store {
            dir: state_dir.to_owned(),
            connection: Mutex::new(connection),
            alert: Mutex::new(alert),
        };
        match Opened::of(&path) {
            Opened::Whole(connection, contents) if was_there || !snapshot::exists(state_dir) => {
                Ok((store(Some(connection), None), *contents))
            }
            Opened::Whole(connection, _) => {
                drop(connection);
                let alert = format!("the store {} is gone", path.display());
                let (connection, contents, alert) = restore(state_dir, &path, alert);
                Ok((store(connection, Some(alert)), contents))
            }
            Opened::Not(Unopened::Later(error)) => Err(error),
            Opened::Not(Unopened::Damaged(error)) => {
                let aside = set_aside(&path);
                let alert = match aside {
                    Ok(aside) => {
                        format!("the store was damaged ({error:#}) and is set aside as {}", aside.display())
                    }
                    Err(moving) => {
                        let alert =
                            format!("the store is damaged ({error:#}) and cannot be set aside: {moving}");
                        let contents = snapshot::load(state_dir).unwrap_or_default();
                        tracing::error!("{alert}");
                        return Ok((store(None, Some(alert)), contents));
                    }
                };
                let (connection, contents, alert) = restore(state_dir, &path, alert);
                Ok((store(connection, Some(alert)), contents))
            }
            Opened::Not(Unopened::Failed(error)) => {
                let alert = format!(
                    "the store {} cannot be opened ({error:#}): nothing can be changed; the snapshot is served",
                    path.display()
                );
                tracing::error!("{alert}");
                Ok((store(None, Some(alert)), snapshot::load(state_dir).unwrap_or_default()))
            }
        }
    }

    /// Writes all of it, or none. Blocks until it is on the disk.
    pub fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let Some(connection) = connection.as_mut() else {
            let why = self.alert().unwrap_or_else(|| "the daemon is stopping".to_owned());
            return Err(StoreError::Unavailable(why));
        };
        let written = write::commit(connection, batch);
        if let Err(error @ StoreError::Damaged(_)) = &written {
            let mut alert = self.alert.lock().unwrap_or_else(PoisonError::into_inner);
            if alert.is_none() {
                tracing::error!("{error}: nothing can be changed; a restart sets it aside");
                *alert = Some(error.to_string());
            }
        }
        written
    }

    /// Lines of the audit log, the latest first. Blocks.
    pub fn audit(&self, filter: &AuditFilter) -> anyhow::Result<Vec<AuditRow>> {
        let connection = self.connection();
        read::audit(connection.as_ref().context("the store is not in use")?, filter)
    }

    /// A copy of the database as it is now, made while it is in use. Blocks.
    ///
    /// # Errors
    ///
    /// There is such a file, or it cannot be written.
    pub fn back_up(&self, to: &Path) -> anyhow::Result<()> {
        if to.exists() {
            bail!("{} is there already: name a file that is not", to.display());
        }
        let connection = self.connection();
        let connection = connection.as_ref().context("the store is not in use")?;
        let text = to.to_str().context("the file's name is not UTF-8")?;
        connection.execute("VACUUM INTO ?1", [text]).context("cannot copy the store")?;
        Ok(())
    }

    /// What a file that [`Store::back_up`] wrote has, by this version or an earlier one; it is left as it is. Blocks.
    ///
    /// # Errors
    ///
    /// It cannot be read, is damaged, is no store, or a later version wrote it.
    pub fn read_backup(&self, from: &Path) -> anyhow::Result<Contents> {
        // SQLite would make it.
        std::fs::File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
        let mut copy = Connection::open_in_memory()?;
        copy.restore(MAIN_DB, from, None::<fn(Progress)>)
            .with_context(|| format!("cannot read {} as a store", from.display()))?;
        let version: i64 = copy.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        ensure!(version > 0, "{} is no store of tm", from.display());
        schema::MIGRATIONS.to_latest(&mut copy).map_err(|error| match error {
            Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                anyhow::anyhow!("{} was written by a later version of tm", from.display())
            }
            error => error.into(),
        })?;
        read::contents(&copy).with_context(|| format!("{} is damaged", from.display()))
    }

    /// Replaces the snapshot. Blocks.
    pub fn snapshot(&self, contents: &Contents) -> anyhow::Result<()> {
        snapshot::store(&self.dir, contents)
    }

    /// Closes the database, so that all is in its one file. Nothing is written after it. Blocks.
    pub fn close(&self) {
        if let Some(connection) = self.connection().take()
            && let Err((_, error)) = connection.close()
        {
            tracing::warn!(%error, "the store was not closed in order; nothing is lost");
        }
    }

    /// What is wrong with the store, if anything is.
    pub fn alert(&self) -> Option<String> {
        self.alert.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a try to open brought.
enum Opened {
    Whole(Connection, Box<Contents>),
    Not(Unopened),
}

/// Why it cannot be used.
enum Unopened {
    /// A later version wrote it.
    Later(anyhow::Error),
    /// What is on the disk is not what was written.
    Damaged(anyhow::Error),
    /// The disk, or the right to use it.
    Failed(anyhow::Error),
}

impl Opened {
    fn of(path: &Path) -> Self {
        match Self::connect(path) {
            Ok(connection) => match read::contents(&connection) {
                Ok(contents) => match with_signing_key(&connection, contents) {
                    Ok(contents) => Opened::Whole(connection, Box::new(contents)),
                    Err(error) => Opened::Not(Unopened::Failed(error.into())),
                },
                Err(error) if is_of_the_disk(&error) => Opened::Not(Unopened::Failed(error)),
                Err(error) => Opened::Not(Unopened::Damaged(error)),
            },
            Err(unopened) => Opened::Not(unopened),
        }
    }

    fn connect(path: &Path) -> Result<Connection, Unopened> {
        // Nobody else may read it; what SQLite puts beside it has the same mode.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|error| Unopened::Failed(error.into()))?;
        let opened = || -> Result<Connection, Error> {
            let mut connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "cell_size_check", true)?;
            schema::MIGRATIONS.to_latest(&mut connection)?;
            Ok(connection)
        };
        opened().map_err(|error| match error {
            Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                Unopened::Later(anyhow::anyhow!(
                    "the store {} was written by a later version of tm: run that one, or put back a backup of before",
                    path.display()
                ))
            }
            error => {
                let error = anyhow::Error::new(error);
                if is_of_the_disk(&error) { Unopened::Failed(error) } else { Unopened::Damaged(error) }
            }
        })
    }
}

/// Is it the disk that fails, and not what is on it?
fn is_of_the_disk(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, PermissionDenied, ReadOnly,
        SystemIoFailure,
    };

    let code = error.chain().find_map(|cause| match cause.downcast_ref::<rusqlite::Error>() {
        Some(error) => error.sqlite_error_code(),
        None => match cause.downcast_ref::<Error>() {
            Some(Error::RusqliteError { err, .. }) => err.sqlite_error_code(),
            _ => None,
        },
    });
    matches!(
        code,
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure
        )
    )
}

/// A new database with what the snapshot has.
fn restore(state_dir: &Path, path: &Path, alert: String) -> (Option<Connection>, Contents, String) {
    let saved = snapshot::load(state_dir);
    let alert = match &saved {
        Some(saved) => format!("{alert}; its snapshot is served, with {} profiles", saved.profiles.len()),
        None => format!("{alert}; there is no snapshot: the API's profiles and tokens are gone"),
    };
    tracing::error!("{alert}");
    let mut contents = saved.unwrap_or_default();
    contents.revision += REVISIONS_LOST_AT_MOST;
    let Opened::Whole(mut connection, empty) = Opened::of(path) else {
        let alert = format!("{alert}; a new store cannot be made: nothing can be changed");
        tracing::error!("{alert}");
        return (None, contents, alert);
    };
    if contents.signing_key.is_empty() {
        contents.signing_key = empty.signing_key.clone();
    }
    let batch = Batch {
        profiles: contents.profiles.clone(),
        objects: contents.objects.clone(),
        tokens: contents.tokens.clone(),
        revision: Some(contents.revision),
        ..Batch::default()
    };
    let written = write::commit(&mut connection, &batch)
        .and_then(|()| Ok(write::put_meta(&connection, "signing_key", contents.signing_key.as_bytes())?));
    match written {
        Ok(()) => (Some(connection), contents, alert),
        Err(error) => {
            tracing::error!("the snapshot cannot be put into a new store: {error}");
            (None, contents, alert)
        }
    }
}

/// Made with the database.
fn with_signing_key(connection: &Connection, mut contents: Contents) -> rusqlite::Result<Contents> {
    if contents.signing_key.is_empty() {
        contents.signing_key = secret::hexadecimal(&secret::random());
        write::put_meta(connection, "signing_key", contents.signing_key.as_bytes())?;
    }
    Ok(contents)
}

/// The database and what SQLite has beside it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = state::set_aside(path)?;
    for beside in ["-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{beside}", path.display()));
        match std::fs::rename(with(path), with(&aside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
