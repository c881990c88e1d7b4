//! `[tls]`, `[dot]` and `[doh]`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tm_userspace::config::load;

use crate::kit::{NODE, check_node};

const NONE: &str = "tm.toml:6:15 `\"/nowhere/c\"` cannot use the certificate /nowhere/c: No such file or directory (os error 2)";

fn with(lines: &str) -> String {
    format!("{NODE}{lines}\n")
}

/// With a certificate that is not there, which is told on its own line.
fn tls(lines: &str) -> String {
    with(&format!("[tls]\ncertificate = \"/nowhere/c\"\nkey = \"/nowhere/k\"\n{lines}"))
}

#[test]
fn there_must_be_something_to_show() {
    check_node(&with("[dot]"), "tm.toml:5:1 `[dot]` there is no certificate to show");
    check_node(&with("[doh]\n[dot]\n"), "tm.toml:6:1 `[dot]` there is no certificate to show");
    check_node(&with("[tls]"), "tm.toml:5:1 `[tls]` missing key `certificate`");
    check_node(&tls(""), NONE);
    check_node(
        &with("[tls]\ncertificate = \"c\"\nkey = \"k\"\n"),
        "tm.toml:6:15 `\"c\"` certificate `c` is not an absolute path
         tm.toml:7:7 `\"k\"` key `k` is not an absolute path",
    );
}

#[test]
fn ports_are_apart() {
    check_node(&tls("[dot]\n[doh]\n"), NONE);
    check_node(&tls("[dot]\nport = 0\n"), &format!("{NONE}\ntm.toml:9:8 `0` port 0 is out of range"));
    check_node(
        &tls("[dot]\nport = 53\n"),
        &format!(
            "{NONE}\ntm.toml:9:8 `53` port 53 of [dot] is that of the plain queries of [listen] (tm.toml:3:1 `[listen]`)"
        ),
    );
    check_node(
        &tls("[dot]\nport = 443\n[doh]\n"),
        &format!("{NONE}\ntm.toml:10:1 `[doh]` port 443 of [doh] is that of [dot] (tm.toml:9:8 `443`)"),
    );
}

#[test]
fn a_path_is_one_of_a_url() {
    let path = |text: &str| tls(&format!("[doh]\npath = \"{text}\"\n"));
    check_node(&path("/dns-query/%2B"), NONE);
    for bad in ["", "dns-query", "/dns query", "/a?b", "/a#b", "/ä"] {
        let column = format!("tm.toml:9:8 `\"{bad}\"` path `{bad}` is not one of a URL");
        check_node(&path(bad), &format!("{NONE}\n{column}"));
    }
}

#[test]
fn what_is_there_is_taken_and_its_age_and_readers_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| dir.path().join(name));
    let made = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2021, 2, 3);
    fs::write(&chain, parameters.self_signed(&made).unwrap().pem()).unwrap();
    fs::write(&key, made.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let at = dir.path().display();
    let text = with(&format!(
        "[tls]\ncertificate = \"{at}/chain.pem\"\nkey = \"{at}/key.pem\"\n[dot]\n[doh]\nport = 8443\npath = \"/q\""
    ));
    fs::write(dir.path().join("tm.toml"), text).unwrap();
    let loaded = load(dir.path()).unwrap();
    let (dot, doh) = (loaded.node.sockets.dot.clone().unwrap(), loaded.node.sockets.doh.clone().unwrap());
    assert_eq!((dot.port, doh.port, &*doh.path), (853, 8443, "/q"));
    assert_eq!(dot.identity, doh.identity);
    let expected = [
        format!(
            "{at}/tm.toml:6:15: the certificate expired at 2021-02-03T00:00:00Z: clients that check it go away"
        ),
        format!("{at}/tm.toml:7:7: everybody on this host can read {at}/key.pem; `chmod o-r` it"),
    ];
    assert_eq!(loaded.warnings, expected);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(load(dir.path()).unwrap().warnings, expected[..1]);
}
