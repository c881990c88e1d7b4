//! Files that are missing, of another kind, or not text.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
};

use tm_userspace::config::load;

use crate::kit::{NODE, PROFILE, check, load_files};

#[test]
fn a_missing_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("etc/tm");
    let error = load(&missing).unwrap_err();
    let expected = format!(
        "{}: cannot read the configuration directory: No such file or directory (os error 2) (give a directory that holds tm.toml and conf.d, readable by the daemon)",
        missing.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_missing_node_file_is_named_and_the_rest_is_checked() {
    check(
        &[("conf.d/a.toml", &format!("{PROFILE}ttl = -1\n"))],
        "tm.toml there is no such file
         conf.d/a.toml:4:7 `-1` ttl -1 is out of range",
    );
}

#[test]
fn only_toml_files_count() {
    let bad = "not toml at all";
    check(
        &[
            ("tm.toml", NODE),
            ("other.toml", bad),
            ("conf.d/a.toml~", bad),
            ("conf.d/.a.toml", bad),
            ("conf.d/README", bad),
            ("conf.d/a.toml.swp", bad),
        ],
        "",
    );
}

#[test]
fn profiles_are_read_in_the_order_of_their_files() {
    let second = PROFILE.replace("contoso", "CONTOSO");
    check(
        &[("tm.toml", NODE), ("conf.d/20-b.toml", PROFILE), ("conf.d/10-a.toml", &second)],
        "conf.d/20-b.toml:2:8 `\"contoso\"` profile `contoso` is there twice (conf.d/10-a.toml:2:8 `\"CONTOSO\"`)",
    );
}

#[test]
fn what_is_no_plain_file_is_not_read() {
    let (dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", PROFILE.as_bytes())]);
    loaded.unwrap();
    let profiles = dir.path().join("conf.d");
    fs::create_dir(profiles.join("b.toml")).unwrap();
    let _socket = UnixListener::bind(profiles.join("c.toml")).unwrap();
    symlink("/dev/zero", profiles.join("d.toml")).unwrap();
    symlink("nowhere", profiles.join("e.toml")).unwrap();
    let messages: Vec<_> = load(dir.path()).unwrap_err().problems();
    let found: Vec<_> = messages
        .iter()
        .map(|problem| (problem.file.file_name().unwrap().to_str().unwrap(), problem.message.as_str()))
        .collect();
    let other = "cannot read the file: it is not a regular file";
    let none = "cannot read the file: No such file or directory (os error 2)";
    assert_eq!(found, [("b.toml", other), ("c.toml", other), ("d.toml", other), ("e.toml", none)]);
}

#[test]
fn conf_d_that_is_a_file_is_an_error() {
    check(
        &[("tm.toml", NODE), ("conf.d", "")],
        "conf.d cannot read the directory of profiles: Not a directory (os error 20)",
    );
}

#[test]
fn what_is_not_utf_8_is_told_with_its_place() {
    let text = [PROFILE.as_bytes(), b"# caf\xe9\n"].concat();
    let (_dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", &text)]);
    let problems = loaded.unwrap_err().problems();
    // The profile's 57 octets and five of the comment come before it.
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "not UTF-8: octet 0xe9 at offset 62");
    assert_eq!((problems[0].line, problems[0].column, problems[0].text.as_str()), (4, 6, "\u{fffd}"));
}

#[test]
fn a_byte_order_mark_and_windows_lines_change_nothing() {
    let text = format!("\u{feff}{}ttl = -1\r\n", PROFILE.replace('\n', "\r\n"));
    check(&[("tm.toml", NODE), ("conf.d/a.toml", &text)], "conf.d/a.toml:4:7 `-1` ttl -1 is out of range");
    let first = format!("\u{feff}zome = 1\n{NODE}");
    check(&[("tm.toml", &first)], "tm.toml:1:1 `zome` unknown key `zome`");
}
