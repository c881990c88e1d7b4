//! The report: drawn for people, listed for scripts.

use crate::kit::{NODE, PROFILE, load_files};

#[test]
fn the_offending_text_is_underlined() {
    let text = format!("{PROFILE}ttl = -1\n");
    let (dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]);
    let report = loaded.unwrap_err().render(false).replace(&dir.path().display().to_string(), "DIR");
    let expected = "
  × ttl -1 is out of range
   ╭─[DIR/conf.d/a.toml:4:7]
 3 │ routing_method = \"priority\"
 4 │ ttl = -1
   ·       ──
   ╰────
  help: write a number from 0 to 2147483647
";
    assert_eq!(report.trim_end(), expected[1..].trim_end());
}

#[test]
fn both_places_are_drawn() {
    let twice = format!("{PROFILE}{PROFILE}");
    let (dir, loaded) = load_files(&[
        ("tm.toml", NODE.as_bytes()),
        ("conf.d/a.toml", twice.as_bytes()),
        ("conf.d/b.toml", PROFILE.as_bytes()),
    ]);
    let report = loaded.unwrap_err().render(false).replace(&dir.path().display().to_string(), "DIR");
    let expected = "
  × profile `contoso` is there twice
   ╭─[DIR/conf.d/a.toml:5:8]
 1 │ [[profile]]
 2 │ name = \"contoso\"
   ·        ────┬────
   ·            ╰── first given here
 3 │ routing_method = \"priority\"
 4 │ [[profile]]
 5 │ name = \"contoso\"
   ·        ─────────
 6 │ routing_method = \"priority\"
   ╰────
  help: name each profile differently, over all files; case makes no difference

  × profile `contoso` is there twice
   ╭─[DIR/conf.d/b.toml:2:8]
 1 │ [[profile]]
 2 │ name = \"contoso\"
   ·        ─────────
 3 │ routing_method = \"priority\"
   ╰────
  help: name each profile differently, over all files; case makes no difference

Advice: 
  ☞ first given here
   ╭─[DIR/conf.d/a.toml:2:8]
 1 │ [[profile]]
 2 │ name = \"contoso\"
   ·        ─────────
 3 │ routing_method = \"priority\"
   ╰────
";
    assert_eq!(report.trim_end(), expected[1..].trim_end());
}

#[test]
fn a_whole_file_is_named() {
    let (dir, loaded) = load_files(&[]);
    let report = loaded.unwrap_err().render(false).replace(&dir.path().display().to_string(), "DIR");
    let expected = "
  × DIR/tm.toml: there is no such file
  help: write one with zone, name_servers and [listen]; the README has an example
";
    assert_eq!(report.trim_end(), expected[1..].trim_end());
}

#[test]
fn colours_only_where_asked_for_and_nothing_a_terminal_would_obey() {
    let text = format!("{PROFILE}# \u{1b}[2J\n# \u{9b}2J\nttl = -1\n");
    let (_dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]);
    let error = loaded.unwrap_err();
    assert!(!error.render(false).contains(['\u{1b}', '\u{9b}']));
    assert!(error.render(true).contains("\u{1b}["));
    assert!(!error.render(true).contains("\u{1b}[2J"));
}

#[test]
fn hundreds_of_problems_are_counted_beyond_the_first() {
    let text: String = (0..60).map(|n| PROFILE.replace("contoso", &format!("p{n}")) + "ttl = -1\n").collect();
    let (_dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]);
    let error = loaded.unwrap_err();
    assert_eq!(error.problems().len(), 60);
    assert!(error.render(false).ends_with("and 10 more\n"));
}

#[test]
fn problems_are_json() {
    let text = format!("{PROFILE}ttl = -1\n");
    let (dir, loaded) = load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]);
    let expected = serde_json::json!([{
        "file": dir.path().join("conf.d/a.toml"),
        "line": 4,
        "column": 7,
        "text": "-1",
        "message": "ttl -1 is out of range",
        "help": "write a number from 0 to 2147483647",
        "other": null,
    }]);
    assert_eq!(serde_json::to_value(loaded.unwrap_err().problems()).unwrap(), expected);
}
