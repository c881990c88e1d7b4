//! `[cookies]`, key by key.
#![expect(clippy::unwrap_used, reason = "a test's own files that cannot be written end the test")]

use std::{fs, os::unix::fs::PermissionsExt as _};

use tm_userspace::{config::Loaded, cookies::Secrets, desired::Cookies};

use crate::kit::{NODE, check_node, load_files};

/// RFC 9018, appendices A.1 and A.4.
const TWO: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf\n445536bcd2513298075a5d379663c962\n";

/// Loads a node whose file of secrets has this in it, and these permissions.
fn loaded(secrets: &str, mode: u32, keys: &str) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secrets");
    fs::write(&file, secrets).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    let text = format!("{NODE}[cookies]\nsecret_file = \"{}\"\n{keys}\n", file.display());
    let hidden = |text: &str| text.replace(&dir.path().display().to_string(), "");
    match load_files(&[("tm.toml", text.as_bytes())]).1 {
        Ok(mut loaded) => {
            loaded.warnings.iter_mut().for_each(|warning| *warning = hidden(warning));
            Ok(loaded)
        }
        Err(error) => {
            let problems = error.problems();
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            Err(hidden(&messages.join("\n")))
        }
    }
}

#[test]
fn cookies_are_on_with_a_secret_of_the_daemons_own_where_nothing_is_said() {
    let cookies = |lines: &str| {
        let text = format!("{NODE}{lines}");
        load_files(&[("tm.toml", text.as_bytes())]).1.unwrap().node.cookies.clone()
    };
    assert_eq!(cookies(""), Cookies::Own);
    assert_eq!(cookies("[cookies]\nenabled = true\n"), Cookies::Own);
    assert_eq!(cookies("[cookies]\nenabled = false\n"), Cookies::Off);
}

#[test]
fn a_file_of_secrets_is_read_and_never_shown() {
    let node = loaded(TWO, 0o600, "").unwrap().node.clone();
    assert_eq!(node.cookies, Cookies::Of(Secrets::parse(TWO.as_bytes()).unwrap()));
    let shown = format!("{node:?}");
    assert!(!shown.contains("229") && !shown.contains("e5e9"), "{shown}");
    assert_eq!(loaded(TWO, 0o600, "enabled = false").unwrap().node.cookies, Cookies::Off);
    let warnings = loaded(TWO, 0o644, "").unwrap().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("everybody on this host can read")),
        "{warnings:?}"
    );
}

#[test]
fn what_is_wrong_with_cookies_is_told() {
    let wrong = |secrets: &str| loaded(secrets, 0o600, "").unwrap_err();
    assert_eq!(wrong("\n"), "cannot use the secrets /secrets: it is empty");
    let not_hexadecimal = "cannot use the secrets /secrets: a line is not 32 hexadecimal digits";
    assert_eq!(wrong("e5e973e5a6b2a43f48e7dc849e37bf"), not_hexadecimal);
    assert_eq!(wrong("5elz1PLaQ+9I59yEnje/zw=="), not_hexadecimal);
    assert_eq!(wrong(&TWO.repeat(2)), "cannot use the secrets /secrets: it has more than two lines");
    check_node(
        &format!("{NODE}[cookies]\nsecret_file = \"secrets\"\n"),
        "tm.toml:6:15 `\"secrets\"` secret_file `secrets` is not an absolute path",
    );
    check_node(
        &format!("{NODE}[cookies]\nsecret_file = \"/nowhere/s\"\n"),
        "tm.toml:6:15 `\"/nowhere/s\"` cannot use the secrets /nowhere/s: No such file or directory (os error 2)",
    );
    check_node(&format!("{NODE}[cookies]\nsecret = \"abc\"\n"), "tm.toml:6:1 `secret` unknown key `secret`");
}
