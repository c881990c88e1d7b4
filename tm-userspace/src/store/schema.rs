//! The database's tables, version by version. A version is never changed once it was released; the next one is added behind it.

use std::sync::LazyLock;

use rusqlite_migration::{M, Migrations};

/// All versions; a database of a later one is refused.
pub(super) static MIGRATIONS: LazyLock<Migrations<'static>> =
    LazyLock::new(|| Migrations::new(vec![M::up(FIRST)]));

/// Times are milliseconds since 1970. Keys are the same for all spellings of a name.
const FIRST: &str = "
CREATE TABLE documents (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    subscription TEXT NOT NULL,
    resource_group TEXT NOT NULL,
    document TEXT NOT NULL,
    annotations TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE TABLE objects (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    document TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    client INTEGER NOT NULL,
    hash BLOB NOT NULL,
    level TEXT NOT NULL,
    subscription TEXT,
    resource_group TEXT,
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    source TEXT NOT NULL,
    request TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    result TEXT NOT NULL
) STRICT;
CREATE INDEX audit_object ON audit (object, id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
";
