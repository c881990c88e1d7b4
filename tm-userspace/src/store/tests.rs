//! The store from outside: what is written, what is found again, and what damage does.

use std::{fs, io::Write as _, path::Path};

use serde_json::{Value, json};

use super::*;

fn profile(name: &str, revision: u64) -> StoredProfile {
    let Value::Object(document) = json!({ "name": name, "routing_method": "priority", "ttl": revision })
    else {
        unreachable!("it is an object")
    };
    StoredProfile {
        name: name.into(),
        subscription: "s".into(),
        resource_group: "g".into(),
        document: document.into(),
        annotations: json!({ "tags": { "a": "b" } }).into(),
        revision,
        created: now(),
        changed: now(),
    }
}

fn row(action: &str) -> AuditRow {
    AuditRow {
        id: 0,
        at: now(),
        who: "uid 0".to_owned(),
        source: "socket".to_owned(),
        request: "1".to_owned(),
        action: action.to_owned(),
        object: "profile a".to_owned(),
        before: None,
        after: Some(json!({ "ttl": 1 })),
        result: "done".to_owned(),
    }
}

fn put(store: &Store, profiles: Vec<StoredProfile>) {
    let revision = profiles.iter().map(|profile| profile.revision).max();
    store.commit(&Batch { profiles, revision, audit: vec![row("create")], ..Batch::default() }).unwrap();
}

/// Those of the directory, without what SQLite has beside the database while it is open.
fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_found_again_and_what_goes_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, first) = Store::open(dir.path()).unwrap();
    assert_eq!((first.profiles.len(), first.revision, first.signing_key.len()), (0, 0, 64));
    put(&store, vec![profile("a", 1), profile("B", 2)]);
    put(&store, vec![profile("b", 3)]);
    drop(store);
    let (store, second) = Store::open(dir.path()).unwrap();
    let names: Vec<(&str, u64)> =
        second.profiles.iter().map(|profile| (&*profile.name, profile.revision)).collect();
    assert_eq!(names, [("a", 1), ("b", 3)]);
    assert_eq!((second.revision, &second.signing_key), (3, &first.signing_key));
    assert_eq!(*second.profiles[0].annotations, json!({ "tags": { "a": "b" } }));
    let batch = Batch { gone_profiles: vec!["a".to_owned()], revision: Some(4), ..Batch::default() };
    store.commit(&batch).unwrap();
    drop(store);
    let (_, third) = Store::open(dir.path()).unwrap();
    assert_eq!((third.profiles.len(), third.revision), (1, 4));
}

#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let (store, contents) = Store::open(dir.path()).unwrap();
    put(&store, vec![profile("a", 1)]);
    store.snapshot(&contents).unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn a_batch_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    put(&store, vec![profile("a", 1)]);
    let limit = |store: &Store, pages: i64| {
        store.connection().as_ref().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    };
    // As full as a disk can be.
    limit(&store, 1);
    let large = StoredProfile { annotations: json!("x".repeat(100_000)).into(), ..profile("a", 2) };
    let batch = Batch {
        profiles: vec![profile("c", 3), large],
        revision: Some(3),
        audit: vec![row("create")],
        ..Batch::default()
    };
    assert!(matches!(store.commit(&batch), Err(StoreError::Full)), "{:?}", store.commit(&batch));
    limit(&store, 1_000_000);
    assert_eq!(store.audit(&AuditFilter { limit: 10, ..AuditFilter::default() }).unwrap().len(), 1);
    drop(store);
    let (_, contents) = Store::open(dir.path()).unwrap();
    assert_eq!((contents.profiles.len(), contents.revision, contents.profiles[0].revision), (1, 1, 1));
}

#[test]
fn the_audit_log_only_grows() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    for action in ["create", "change", "delete"] {
        store.commit(&Batch { audit: vec![row(action)], ..Batch::default() }).unwrap();
    }
    for sql in ["DELETE FROM audit", "UPDATE audit SET who = 'nobody'"] {
        let error = store.connection().as_ref().unwrap().execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let page = |object: Option<&str>, before, limit| {
        let filter = AuditFilter { object: object.map(str::to_owned), before, limit };
        let rows = store.audit(&filter).unwrap();
        rows.into_iter().map(|row| (row.id, row.action)).collect::<Vec<_>>()
    };
    let line = |id, action: &str| (id, action.to_owned());
    assert_eq!(page(None, None, 2), [line(3, "delete"), line(2, "change")]);
    assert_eq!(page(Some("profile a"), Some(2), 2), [line(1, "create")]);
    assert_eq!(page(Some("profile b"), None, 2), []);
}

#[test]
fn a_later_version_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    store.connection().as_ref().unwrap().pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let error = Store::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("was written by a later version of tm"), "{error}");
    assert_eq!(files(dir.path()), [NAME]);
}

/// A store with three profiles and a snapshot, closed.
fn filled(dir: &Path) -> Contents {
    let (store, _) = Store::open(dir).unwrap();
    put(&store, vec![profile("a", 1), profile("b", 2), profile("c", 3)]);
    drop(store);
    let (store, contents) = Store::open(dir).unwrap();
    store.snapshot(&contents).unwrap();
    contents
}

/// What is served is what was written, whatever became of the file; where that is damaged, it is still there for whoever wants to know.
fn check_damaged(damage: impl Fn(&Path), what: &str) {
    let dir = tempfile::tempdir().unwrap();
    let before = filled(dir.path());
    let path = dir.path().join(NAME);
    damage(&path);
    let damaged = fs::read(&path).ok();
    let (store, after) = Store::open(dir.path()).unwrap();
    assert_eq!(after.profiles, before.profiles, "{what}");
    assert_eq!(after.signing_key, before.signing_key, "{what}");
    if let Some(alert) = store.alert() {
        assert!(after.revision > before.revision, "{what}");
        let aside = files(dir.path()).into_iter().find(|name| name.starts_with("store.damaged-"));
        let kept = aside.as_ref().map(|aside| fs::read(dir.path().join(aside)).unwrap());
        assert_eq!(kept, damaged, "{what}: {alert}");
        put(&store, vec![profile("d", after.revision + 1)]);
        drop(store);
        let (store, again) = Store::open(dir.path()).unwrap();
        assert_eq!((again.profiles.len(), store.alert()), (4, None), "{what}");
    }
}

#[test]
fn a_damaged_database_is_set_aside_and_its_snapshot_served() {
    let length = {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        fs::metadata(dir.path().join(NAME)).unwrap().len()
    };
    check_damaged(|path| fs::remove_file(path).unwrap(), "gone");
    for part in 1..8 {
        let left = length * part / 8 + part;
        let cut = |path: &Path| OpenOptions::new().write(true).open(path).unwrap().set_len(left).unwrap();
        check_damaged(cut, &format!("cut to {left}"));
    }
    for at in (0..20).map(|step| length * step / 20) {
        let noise = |path: &Path| {
            let mut octets = fs::read(path).unwrap();
            let end = octets.len().min(at as usize + 1024);
            let mut state = at + 1;
            for octet in &mut octets[at as usize..end] {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *octet = (state >> 33) as u8;
            }
            fs::File::create(path).unwrap().write_all(&octets).unwrap();
        };
        check_damaged(noise, &format!("noise at {at}"));
    }
}

#[test]
fn a_flipped_letter_in_a_document_is_damage() {
    check_damaged(
        |path| {
            let octets = fs::read(path).unwrap();
            let text = b"\"routing_method\":\"priority\"";
            let at = octets.windows(text.len()).position(|window| window == text).unwrap();
            let mut flipped = octets;
            flipped[at + 20] ^= 1;
            fs::write(path, flipped).unwrap();
        },
        "a letter",
    );
}

#[test]
fn a_copy_is_made_while_it_is_in_use_and_never_over_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    put(&store, vec![profile("a", 1)]);
    let copy = tempfile::tempdir().unwrap();
    store.back_up(&copy.path().join(NAME)).unwrap();
    assert!(store.back_up(&copy.path().join(NAME)).unwrap_err().to_string().contains("is there already"));
    put(&store, vec![profile("b", 2)]);
    let (_, copied) = Store::open(copy.path()).unwrap();
    assert_eq!((copied.profiles.len(), copied.revision), (1, 1));
}
