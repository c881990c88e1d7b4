//! Writes: each batch is one transaction, and on the disk when it is done.

use rusqlite::{Connection, Transaction, params};

use super::{
    error::StoreError,
    rows::{AuditRow, Object, StoredProfile, Token, milliseconds},
};

/// What is to be written together, or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// Profiles that are to be there, in the place of those of the same key.
    pub profiles: Vec<StoredProfile>,
    /// Keys of profiles that are to go.
    pub gone_profiles: Vec<String>,
    /// Other things that are to be there.
    pub objects: Vec<Object>,
    /// Kind and key of those that are to go.
    pub gone_objects: Vec<(String, String)>,
    /// Tokens that are to be there.
    pub tokens: Vec<Token>,
    /// Ids of those that are to go.
    pub gone_tokens: Vec<String>,
    /// The latest revision, where it changed.
    pub revision: Option<u64>,
    /// What the audit log is to say.
    pub audit: Vec<AuditRow>,
}

pub(super) fn commit(connection: &mut Connection, batch: &Batch) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    for profile in &batch.profiles {
        put_profile(&transaction, profile)?;
    }
    for key in &batch.gone_profiles {
        transaction.prepare_cached("DELETE FROM documents WHERE key = ?1")?.execute([key])?;
    }
    for object in &batch.objects {
        put_object(&transaction, object)?;
    }
    for (kind, key) in &batch.gone_objects {
        transaction
            .prepare_cached("DELETE FROM objects WHERE kind = ?1 AND key = ?2")?
            .execute([kind, key])?;
    }
    for token in &batch.tokens {
        put_token(&transaction, token)?;
    }
    for id in &batch.gone_tokens {
        transaction.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute([id])?;
    }
    if let Some(revision) = batch.revision {
        put_meta(&transaction, "revision", &revision.to_be_bytes())?;
    }
    for row in &batch.audit {
        append(&transaction, row)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn put_meta(connection: &Connection, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
    connection.prepare_cached(sql)?.execute(params![key, value]).map(drop)
}

fn put_profile(transaction: &Transaction<'_>, profile: &StoredProfile) -> rusqlite::Result<()> {
    let (document, annotations) = (json(&*profile.document), json(&*profile.annotations));
    let digest = profile.digest(&document, &annotations);
    let sql = "INSERT OR REPLACE INTO documents (key, name, subscription, resource_group, document, annotations, revision, created, changed, digest)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut statement = transaction.prepare_cached(sql)?;
    let done = statement.execute(params![
        &*crate::config::key(&profile.name),
        &*profile.name,
        &*profile.subscription,
        &*profile.resource_group,
        document,
        annotations,
        profile.revision as i64,
        milliseconds(profile.created),
        milliseconds(profile.changed),
        digest,
    ]);
    done.map(drop)
}

fn put_object(transaction: &Transaction<'_>, object: &Object) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO objects (kind, key, document, revision, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = transaction.prepare_cached(sql)?;
    let done = statement.execute(params![
        &*object.kind,
        &*object.key,
        json(&*object.document),
        object.revision as i64,
        milliseconds(object.created),
        milliseconds(object.changed),
    ]);
    done.map(drop)
}

fn put_token(transaction: &Transaction<'_>, token: &Token) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO tokens (id, name, client, hash, level, subscription, resource_group, created, expires)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut statement = transaction.prepare_cached(sql)?;
    let done = statement.execute(params![
        &*token.id,
        &*token.name,
        token.client,
        token.hash.as_bytes(),
        token.level.label(),
        token.subscription.as_deref(),
        token.resource_group.as_deref(),
        milliseconds(token.created),
        token.expires.map(milliseconds),
    ]);
    done.map(drop)
}

fn append(transaction: &Transaction<'_>, row: &AuditRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, who, source, request, action, object, before, after, result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut statement = transaction.prepare_cached(sql)?;
    let done = statement.execute(params![
        milliseconds(row.at),
        row.who,
        row.source,
        row.request,
        row.action,
        row.object,
        row.before.as_ref().map(json),
        row.after.as_ref().map(json),
        row.result,
    ]);
    done.map(drop)
}

/// Values of JSON always have a text.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
