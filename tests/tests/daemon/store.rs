//! What the API manages outlives the daemon: a kill, a full disk, a damaged database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::Value;
use tm_tests::api::{self, Api, Call};

use crate::{
    manage::{Managed, document},
    profile, wait_until_ready,
};

fn restart(plane: &mut Managed) {
    plane.daemon.restart(&plane.lab).unwrap();
    wait_until_ready(&mut plane.daemon);
    plane.api = Api::with_token(&mut plane.daemon, &plane.api.token).unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_answers() {
    let mut plane = Managed::start();
    for round in 0..4u8 {
        let (acknowledged, received) = mpsc::channel();
        thread::scope(|scope| {
            let (api, lab) = (&plane.api, &plane.lab);
            scope.spawn(move || {
                for number in 0..250u8 {
                    let path = format!("/api/v1/profiles/p-{round}-{number}");
                    let body = document(&format!("192.0.{round}.{number}"));
                    match api.put(lab, &path, &body) {
                        Ok(answer) => assert_eq!(answer.status, 201),
                        Err(_) => return,
                    }
                    if acknowledged.send(number).is_err() {
                        return;
                    }
                }
            });
            for _ in 0..5 + round {
                received.recv().unwrap();
            }
            plane.daemon.kill().unwrap();
        });
        restart(&mut plane);
        for number in received.try_iter().chain(0..5 + round) {
            let expected = format!("192.0.{round}.{number}");
            let shown = plane.get(&format!("profiles/p-{round}-{number}")).json;
            assert_eq!(shown["profile"]["endpoint"][0]["target"], expected.as_str());
            assert_eq!(plane.short(&format!("p-{round}-{number}")), expected);
        }
    }
    // What was not acknowledged is there as a whole, or not at all.
    let listed = plane.get("profiles?name=p-").json;
    for item in listed["value"].as_array().unwrap() {
        let profile = &item["profile"];
        assert_eq!(
            plane.short(profile["name"].as_str().unwrap()),
            profile["endpoint"][0]["target"].as_str().unwrap()
        );
    }
}

#[test]
fn a_damaged_store_is_set_aside_and_what_it_had_is_served() {
    let mut plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    // An orderly stop writes the snapshot.
    plane.daemon.stop().unwrap();
    let state = plane.daemon.directory().join("state");
    fs::write(state.join("store.db"), vec![b'x'; 10_000]).unwrap();
    restart(&mut plane);
    assert_eq!(plane.short("shop"), "192.0.2.20");
    let status = plane.daemon.status(&plane.lab).unwrap().0;
    let alert = status["store_error"].as_str().unwrap();
    let aside = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.into_iter().find(|path| path.display().to_string().contains("store.damaged-")).unwrap();
    assert!(alert.contains(&aside.display().to_string()), "{alert}");
    assert_eq!(fs::read(&aside).unwrap(), vec![b'x'; 10_000]);
    assert!(
        plane.daemon.log().iter().any(|line| line.contains("\"ERROR\"") && line.contains("is set aside as"))
    );
    // The token of before opens it, and it can be written.
    assert_eq!(plane.put("shop", &document("192.0.2.21")).status, 200);
    assert_eq!(plane.short("shop"), "192.0.2.21");
    plane.daemon.kill().unwrap();
    restart(&mut plane);
    assert_eq!(plane.short("shop"), "192.0.2.21");
    assert_eq!(plane.daemon.status(&plane.lab).unwrap().0["store_error"], Value::Null);
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let mut plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    plane.daemon.stop().unwrap();
    let database = plane.daemon.directory().join("state/store.db");
    // SQLite's user_version: octets 60 to 63 of the header.
    let mut octets = fs::read(&database).unwrap();
    octets[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&database, &octets).unwrap();
    plane.daemon.restart(&plane.lab).unwrap();
    assert_eq!(plane.daemon.wait().unwrap(), Some(1));
    let log = plane.daemon.log().join("\n");
    assert!(log.contains("was written by a later version of tm"), "{log}");
    assert_eq!(fs::read(&database).unwrap(), octets);
}

#[test]
fn a_backup_is_put_back_while_the_daemon_answers() {
    let mut plane = Managed::start();
    let first = plane.put("shop", &document("192.0.2.20"));
    let kept = plane.put("kept", &document("192.0.2.30"));
    let reader = Api::token(&plane.lab, &plane.daemon, &["--scope", "read"]).unwrap();
    let backup = plane.daemon.directory().join("backup.db").display().to_string();
    assert_eq!(plane.tm(&["backup", &backup]).code, Some(0));
    assert_eq!(plane.tm(&["backup", &backup]).code, Some(4));

    plane.put("shop", &document("192.0.2.21"));
    plane.put("later", &document("192.0.2.40"));
    let later = Api::token(&plane.lab, &plane.daemon, &["--scope", "read"]).unwrap();
    let ids = plane.tm(&["token", "list", "-o", "json"]).json();
    let id = ids.as_array().unwrap().iter().find(|token| token["scope"] == "read").unwrap()["id"].clone();
    assert_eq!(plane.tm(&["token", "revoke", id.as_str().unwrap()]).code, Some(0));

    let done = plane.tm(&["restore", &backup]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert_eq!(done.out, "there are 2 profiles, 2 tokens and 0 other things of the API now\n");
    assert_eq!(
        ["shop", "kept", "later", "web"].map(|name| plane.short(name)),
        ["192.0.2.20", "192.0.2.30", "", "192.0.2.10"]
    );
    // What is the same as before has the same ETag; what is not has one that it never had.
    assert_eq!(plane.get("profiles/kept").etag, kept.etag);
    let shop = plane.get("profiles/shop");
    assert_ne!(shop.etag, first.etag);
    assert_eq!(shop.json["profile"]["endpoint"][0]["target"], "192.0.2.20");
    assert_eq!(plane.get("profiles/later").status, 404);
    // Tokens are those of then.
    let status = |token: &str| plane.api.showing(token).get(&plane.lab, "/api/v1/profiles").unwrap().status;
    assert_eq!((status(&reader), status(&later)), (200, 401));
    let audit = plane.get("audit?limit=1").json["value"][0].clone();
    assert_eq!(
        (&audit["action"], &audit["object"], &audit["after"]["from"], &audit["result"]),
        (&"restore".into(), &"store".into(), &backup.as_str().into(), &"done".into())
    );

    plane.daemon.kill().unwrap();
    restart(&mut plane);
    assert_eq!(["shop", "later"].map(|name| plane.short(name)), ["192.0.2.20", ""]);
    assert_eq!(plane.get("profiles/shop").etag, shop.etag);
}

#[test]
fn what_is_no_backup_or_does_not_fit_is_not_put_back() {
    let mut plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    let file = |name: &str| plane.daemon.directory().join(name).display().to_string();
    let backup = file("backup.db");
    assert_eq!(plane.tm(&["backup", &backup]).code, Some(0));
    plane.put("shop", &document("192.0.2.21"));

    let good = fs::read(&backup).unwrap();
    let mut later = good.clone();
    later[60..64].copy_from_slice(&99u32.to_be_bytes());
    let text = b"\"routing_method\":\"priority\"";
    let at = good.windows(text.len()).position(|window| window == text).unwrap();
    let mut flipped = good.clone();
    flipped[at + 20] ^= 1;
    for (name, octets, expected) in [
        ("absent", None, "cannot read"),
        ("empty", Some(vec![]), "is no store of tm"),
        ("text", Some(vec![b'x'; 10_000]), "as a store"),
        ("later", Some(later), "was written by a later version of tm"),
        ("flipped", Some(flipped), "is damaged"),
    ] {
        if let Some(octets) = &octets {
            fs::write(file(name), octets).unwrap();
        }
        let refused = plane.tm(&["restore", &file(name)]);
        assert_eq!(refused.code, Some(1), "{name}: {}", refused.err);
        assert!(refused.err.contains(expected), "{name}: {}", refused.err);
        assert_eq!(octets, fs::read(file(name)).ok(), "{name}");
    }
    // A file of `conf.d` has the name by now.
    assert_eq!(plane.api.delete(&plane.lab, "/api/v1/profiles/shop").unwrap().status, 204);
    plane.daemon.write("conf.d/more.toml", &profile("shop", "192.0.2.22")).unwrap();
    plane.daemon.wait_for("the file", |line| line.contains("configuration reloaded"));
    assert_eq!(plane.short("shop"), "192.0.2.22");
    let refused = plane.tm(&["restore", &backup]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("more.toml"), "{}", refused.err);
    assert_eq!(plane.short("shop"), "192.0.2.22");
    // Files are named by who may open the socket alone.
    let body = serde_json::json!({ "from": backup });
    let answer = plane.api.send(&plane.lab, "POST", "/api/v1/restore", &body).unwrap();
    assert_eq!(answer.status, 403, "{:#}", answer.json);
}

/// A file system of one MiB, for as long as this lives.
struct Small(PathBuf);

impl Small {
    fn at(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        mount("tmpfs", path, "tmpfs", MountFlags::empty(), Some(c"size=1m")).unwrap();
        Small(path.to_owned())
    }

    /// Leaves no room at all.
    fn fill(&self) {
        let mut size = 1 << 20;
        let mut octets = Vec::new();
        while size > 0 {
            octets.resize(octets.len() + size, 0);
            if fs::write(self.0.join("filler"), &octets).is_err() {
                octets.truncate(octets.len() - size);
                size /= 2;
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        if let Err(error) = unmount(&self.0, UnmountFlags::DETACH) {
            eprintln!("{} stays mounted: {error}", self.0.display());
        }
    }
}

#[test]
fn a_full_disk_refuses_what_cannot_be_kept_and_disturbs_nothing() {
    let disk_dir = tempfile::tempdir().unwrap();
    let disk = Small::at(&disk_dir.path().join("disk"));
    let lab = tm_tests::lab::Lab::new().unwrap();
    let node = crate::NODE.replace("{dir}/state", &disk.0.display().to_string());
    let files = [
        ("tm.toml", format!("{node}{}", api::LISTEN)),
        ("conf.d/profiles.toml", profile("web", "192.0.2.10")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let mut daemon = tm_tests::daemon::Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let token = Api::token(&lab, &daemon, &["--scope", "admin"]).unwrap();
    let api = Api::of(&mut daemon, &token, &disk.0.join("tls/cert.pem")).unwrap();
    let put = |target: &str| {
        let body = Some(document(target).to_string().into_bytes());
        let call = Call { method: "PUT", path: "/api/v1/profiles/shop", headers: &[], body };
        api.call(&lab, &call).unwrap()
    };
    let short = |name: &str| lab.answers(&["@10.53.0.1", &format!("{name}.tm.example"), "+short"]).unwrap();
    let first = put("192.0.2.20");
    assert_eq!(first.status, 201);
    disk.fill();
    let refused = put("192.0.2.21");
    assert_eq!(
        (refused.status, refused.kind.as_str()),
        (507, "application/problem+json"),
        "{:#}",
        refused.json
    );
    assert_eq!((short("shop"), short("web")), ("192.0.2.20".to_owned(), "192.0.2.10".to_owned()));
    assert_eq!(api.get(&lab, "/api/v1/profiles/shop").unwrap().etag, first.etag);
    fs::remove_file(disk.0.join("filler")).unwrap();
    assert_eq!(put("192.0.2.22").status, 200);
    assert_eq!(short("shop"), "192.0.2.22");
    daemon.kill().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert_eq!(short("shop"), "192.0.2.22");
    drop(daemon);
}
