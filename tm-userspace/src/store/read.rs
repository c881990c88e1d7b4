//! Reads: everything at the start, and the audit log when someone asks.

use anyhow::{Context as _, bail, ensure};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::de::DeserializeOwned;

use super::rows::{AuditRow, Contents, Level, Object, StoredProfile, Token, time};

/// Which lines of the audit log.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only about this: `profile contoso`.
    pub object: Option<String>,
    /// Only those before this number.
    pub before: Option<i64>,
    /// At most so many, the latest.
    pub limit: usize,
}

/// Everything but the audit log. Whatever is wrong with it is damage.
pub(super) fn contents(connection: &Connection) -> anyhow::Result<Contents> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "{verdict}");
    let columns =
        "name, subscription, resource_group, document, annotations, revision, created, changed, digest, key";
    let profiles = rows(connection, &format!("SELECT {columns} FROM documents ORDER BY key"), profile)?;
    let objects = rows(
        connection,
        "SELECT kind, key, document, revision, created, changed FROM objects ORDER BY kind, key",
        object,
    )?;
    let tokens = rows(
        connection,
        "SELECT id, name, client, hash, level, subscription, resource_group, created, expires FROM tokens ORDER BY created, id",
        token,
    )?;
    let revision = meta(connection, "revision")?.map_or(Ok(0), |value| {
        value.try_into().map(u64::from_be_bytes).ok().context("the revision is no number")
    })?;
    let highest = profiles.iter().map(|profile| profile.revision).max().unwrap_or(0);
    let signing_key = meta(connection, "signing_key")?.unwrap_or_default();
    let signing_key = String::from_utf8(signing_key).context("the signing key is no text")?;
    Ok(Contents { profiles, objects, tokens, revision: revision.max(highest), signing_key })
}

/// The latest first.
pub(super) fn audit(connection: &Connection, filter: &AuditFilter) -> anyhow::Result<Vec<AuditRow>> {
    let sql = "SELECT id, at, who, source, request, action, object, before, after, result FROM audit
               WHERE (?1 IS NULL OR object = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3";
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params![filter.object, filter.before, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let json = |index| {
            row.get::<_, Option<String>>(index)
                .map(|text| text.and_then(|text| serde_json::from_str(&text).ok()))
        };
        found.push(AuditRow {
            id: row.get(0)?,
            at: time(row.get(1)?),
            who: row.get(2)?,
            source: row.get(3)?,
            request: row.get(4)?,
            action: row.get(5)?,
            object: row.get(6)?,
            before: json(7)?,
            after: json(8)?,
            result: row.get(9)?,
        });
    }
    Ok(found)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn profile(row: &Row<'_>) -> anyhow::Result<StoredProfile> {
    let (document, annotations): (String, String) = (row.get(3)?, row.get(4)?);
    let profile = StoredProfile {
        name: row.get(0)?,
        subscription: row.get(1)?,
        resource_group: row.get(2)?,
        document: parse(&document)?,
        annotations: parse(&annotations)?,
        revision: u64::try_from(row.get::<_, i64>(5)?)?,
        created: time(row.get(6)?),
        changed: time(row.get(7)?),
    };
    let (digest, key): (Vec<u8>, String) = (row.get(8)?, row.get(9)?);
    if digest != profile.digest(&document, &annotations) || *key != *crate::config::key(&profile.name) {
        bail!("profile {key:?} is not what was written");
    }
    Ok(profile)
}

fn object(row: &Row<'_>) -> anyhow::Result<Object> {
    Ok(Object {
        kind: row.get(0)?,
        key: row.get(1)?,
        document: parse(&row.get::<_, String>(2)?)?,
        revision: u64::try_from(row.get::<_, i64>(3)?)?,
        created: time(row.get(4)?),
        changed: time(row.get(5)?),
    })
}

fn token(row: &Row<'_>) -> anyhow::Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        client: row.get(2)?,
        hash: String::from_utf8(row.get(3)?).context("a token's hash is no text")?,
        level: Level::of(&row.get::<_, String>(4)?).context("a token's level is not known")?,
        subscription: row.get(5)?,
        resource_group: row.get(6)?,
        created: time(row.get(7)?),
        expires: row.get::<_, Option<i64>>(8)?.map(time),
    })
}

fn meta(connection: &Connection, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let sql = "SELECT value FROM meta WHERE key = ?1";
    Ok(connection.query_row(sql, [key], |row| row.get(0)).optional()?)
}

fn parse<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).context("a document is not JSON")
}
