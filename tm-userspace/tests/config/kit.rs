//! One `load` over files given as text, and one `check` of what it finds.
#![expect(clippy::unwrap_used, reason = "a test's own files that cannot be written end the test")]

use std::{fs, path::Path};

use tm_userspace::config::{ConfigError, Loaded, Location, load};

/// A `tm.toml` without fault.
pub(crate) const NODE: &str = "\
zone = \"tm.example\"
name_servers = [\"ns1.tm.example\"]
[listen]
interfaces = [\"eth0\"]
";

/// Three lines of a profile without fault; what follows begins on line 4.
pub(crate) const PROFILE: &str = "\
[[profile]]
name = \"contoso\"
routing_method = \"priority\"
";

/// A faultless profile, named and with the lines given.
pub(crate) fn profile(name: &str, lines: &str) -> String {
    PROFILE.replacen("contoso", name, 1) + lines
}

/// A profile whose endpoints have the lines given; the first of an endpoint's lines are 4 and 5, its own from 6.
pub(crate) fn endpoints(each: &[&str]) -> String {
    let endpoint =
        |(index, lines): (usize, &&str)| format!("[[profile.endpoint]]\nname = \"e{index}\"\n{lines}\n");
    PROFILE.to_owned() + &each.iter().enumerate().map(endpoint).collect::<String>()
}

/// Loads `files` (path and contents) from a directory of their own.
pub(crate) fn load_files(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Result<Loaded, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    for (path, contents) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    let loaded = load(dir.path());
    (dir, loaded)
}

/// What loading finds is `expected`: a line each of the form ``file:line:column `offending text` message``, with
/// `` (file:line:column `text`)`` behind it where a second place is meant; a whole file is `file message`. Indentation and empty
/// lines do not count.
#[track_caller]
pub(crate) fn check(files: &[(&str, &str)], expected: &str) {
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let (dir, loaded) = load_files(&files);
    let found = match &loaded {
        Ok(_) => Vec::new(),
        Err(error) => lines(dir.path(), error),
    };
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected);
}

/// As [`check`], for one file of profiles called `a`, beside a faultless node.
#[track_caller]
pub(crate) fn check_profiles(text: &str, expected: &str) {
    check(&[("tm.toml", NODE), ("conf.d/a.toml", text)], expected);
}

/// As [`check`], for a node without profiles.
#[track_caller]
pub(crate) fn check_node(text: &str, expected: &str) {
    check(&[("tm.toml", text)], expected);
}

/// As [`check_profiles`], for one key of a monitor; its line is the fifth.
#[track_caller]
pub(crate) fn check_monitor(lines: &str, expected: &str) {
    check_profiles(&format!("{PROFILE}[profile.monitor]\n{lines}\n"), expected);
}

/// As [`check_profiles`], for keys of one endpoint `east`; they begin on line 6.
#[track_caller]
pub(crate) fn check_endpoint(lines: &str, expected: &str) {
    check_profiles(&format!("{PROFILE}[[profile.endpoint]]\nname = \"east\"\n{lines}\n"), expected);
}

/// Loads one profile that must be right.
#[track_caller]
pub(crate) fn loaded_profile(text: &str) -> Loaded {
    load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]).1.unwrap()
}

fn lines(dir: &Path, error: &ConfigError) -> Vec<String> {
    let relative = |path: &Path| path.strip_prefix(dir).unwrap().display().to_string();
    let place = |at: Location| format!("{}:{}:{} `{}`", relative(&at.file), at.line, at.column, at.text);
    let line = |problem: tm_userspace::config::Problem| {
        let other = problem.other.map_or(String::new(), |other| format!(" ({})", place(other)));
        let at =
            Location { file: problem.file, line: problem.line, column: problem.column, text: problem.text };
        match at.line {
            0 => format!("{} {}", relative(&at.file), problem.message),
            _ => format!("{} {}{other}", place(at), problem.message),
        }
    };
    error.problems().into_iter().map(line).collect()
}
