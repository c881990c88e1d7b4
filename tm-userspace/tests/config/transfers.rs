//! `[[tsig_key]]` and `[transfer]`.
#![expect(clippy::unwrap_used, reason = "a test's own files that cannot be written end the test")]

use std::{fs, os::unix::fs::PermissionsExt as _};

use tm_userspace::{
    config::{Loaded, load},
    desired::TsigAlgorithm,
};

use crate::kit::{NODE, check_node};

fn with(lines: &str) -> String {
    format!("{NODE}{lines}\n")
}

/// Loads a node with one key of this secret, and what else is written.
fn loaded(secret: &str, more: &str) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    fs::write(&file, secret).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let key = format!("[[tsig_key]]\nname = \"A.key\"\nsecret_file = \"{}\"\n{more}", file.display());
    fs::write(dir.path().join("tm.toml"), with(&key)).unwrap();
    load(dir.path()).map_err(|error| {
        let problems = error.problems();
        problems[0].message.replace(&*dir.path().display().to_string(), "")
    })
}

#[test]
fn secrets_are_base64_of_enough_octets() {
    // 16 octets of zeros, with the new line that editors leave.
    let key = loaded("AAAAAAAAAAAAAAAAAAAAAA==\n", "").unwrap().node.transfer.keys[0].clone();
    assert_eq!((key.name.to_string(), key.secret.clone()), ("a.key".to_owned(), vec![0; 16]));
    assert_eq!(key.algorithm, TsigAlgorithm::HmacSha256);
    assert_eq!(
        format!("{key:?}"),
        "TsigKey { name: a.key, algorithm: HmacSha256, .. }",
        "no secret in any log"
    );
    let wrong = |secret: &str| loaded(secret, "").unwrap_err();
    assert_eq!(wrong("not base64"), "cannot use the secret /secret: it is not base64");
    assert_eq!(
        wrong(""),
        "cannot use the secret /secret: it has 0 octets, and with less than 16 can be guessed"
    );
    let short = "AAAAAAAAAAAAAAAAAAAA";
    assert_eq!(
        wrong(short),
        "cannot use the secret /secret: it has 15 octets, and with less than 16 can be guessed"
    );
    check_node(
        &with("[[tsig_key]]\nname = \"a\"\nsecret_file = \"/nowhere/s\"\n"),
        "tm.toml:7:15 `\"/nowhere/s\"` cannot use the secret /nowhere/s: No such file or directory (os error 2)",
    );
    check_node(
        &with("[[tsig_key]]\nname = \"-\"\nalgorithm = \"hmac-md5\"\nsecret_file = \"s\"\n"),
        "tm.toml:6:8 `\"-\"` `-` is not a DNS name: the label `-` begins or ends with a hyphen
         tm.toml:7:13 `\"hmac-md5\"` algorithm `hmac-md5` is not known to this version
         tm.toml:8:15 `\"s\"` secret_file `s` is not an absolute path",
    );
}

#[test]
fn keys_are_known_by_name_and_each_once() {
    let secret = "AAAAAAAAAAAAAAAAAAAAAA==";
    let transfer = |more: &str| loaded(secret, more).map(|loaded| loaded.node.transfer.clone());
    let right = "[transfer]\nallow = [\"a.KEY.\"]\nnotify = [\"192.0.2.1\", \"[2001:db8::1]:5300\", { address = \"192.0.2.2:53\", key = \"a.key\" }]\n";
    let right = transfer(right).unwrap();
    assert!(right.is_on());
    assert_eq!(right.allow, [right.keys[0].name.clone()]);
    let notify: Vec<_> =
        right.notify.iter().map(|told| (told.address.to_string(), told.key.is_some())).collect();
    let expected = [("192.0.2.1:53", false), ("[2001:db8::1]:5300", false), ("192.0.2.2:53", true)];
    assert_eq!(notify, expected.map(|(address, key)| (address.to_owned(), key)));
    let wrong = |more: &str| transfer(more).unwrap_err();
    assert_eq!(wrong("[transfer]\nallow = [\"b.key\"]\n"), "there is no tsig_key `b.key`");
    assert_eq!(
        wrong("[transfer]\nallow = [\"a.key\"]\nnotify = [{ address = \"192.0.2.2\", key = \"b\" }]\n"),
        "there is no tsig_key `b`"
    );
    assert_eq!(
        wrong("[transfer]\nnotify = [\"192.0.2.1\"]\n"),
        "who is told of changes could not fetch them"
    );
    for (address, told) in [
        ("ns2", "`ns2` is not an address"),
        ("192.0.2.1:0", "`192.0.2.1:0` has no port"),
        ("192.0.2.1:70000", "`192.0.2.1:70000` is not an address"),
        ("224.0.0.1:53", "`224.0.0.1` is a multicast address"),
    ] {
        assert_eq!(wrong(&format!("[transfer]\nallow = [\"a.key\"]\nnotify = [\"{address}\"]\n")), told);
    }
    let off = transfer("").unwrap();
    assert!(!off.is_on());
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("s");
    fs::write(&at, secret).unwrap();
    let key = format!("[[tsig_key]]\nname = \"a.KEY\"\nsecret_file = \"{}\"\n", at.display());
    assert_eq!(wrong(&key), "tsig_key `a.KEY` is there twice");
}
