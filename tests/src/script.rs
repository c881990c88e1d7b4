//! Scripts of clients in other languages, and what they cannot do themselves.
//!
//! A script asks by a line on its output and goes on when it has a line back: `ok`, with what there is to say behind it, or what is wrong. It knows `dns NAME TYPE = TTL TYPE DATA, ...`,
//! what DNS must say at once; `stop NAME`, `start NAME` and `page NAME TEXT` for an endpoint; and what its test adds. `done` is its last line.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{endpoint::FakeEndpoint, lab::Lab};

/// Endpoints by what scripts call them.
pub type Endpoints = BTreeMap<&'static str, FakeEndpoint>;

/// The workspace's directory.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A script under `tests/clients`, on the server, for node with what `cargo xtask setup` has put under `target/clients` in this directory.
pub fn node(lab: &Lab, modules: &str, script: &str) -> Command {
    let workspace = workspace();
    let mut command = lab.server("node");
    command.arg(workspace.join("tests/clients").join(script));
    command.env("NODE_PATH", workspace.join("target/clients").join(modules).join("node_modules"));
    command
}

/// Runs a script to its end. `more` answers what it asks besides, by its first word and the rest.
///
/// # Errors
///
/// DNS does not say what it must, or the script fails.
pub fn run(
    lab: &Lab,
    command: &mut Command,
    endpoints: &mut Endpoints,
    mut more: impl FnMut(&str, &str) -> Result<String>,
) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut answers = child.stdin.take().context("the script has no input")?;
    let asked = child.stdout.take().context("the script has no output")?;
    let mut is_done = false;
    for line in BufReader::new(asked).lines() {
        let line = line?;
        if line == "done" {
            is_done = true;
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let said = match word {
            "dns" => dns(lab, rest).map(|()| String::new()),
            "stop" | "start" | "page" => switch(lab, endpoints, word, rest).map(|()| String::new()),
            _ => more(word, rest),
        };
        let said = match said {
            Ok(said) => format!("ok {said}").trim_end().to_owned(),
            Err(error) => format!("{error:#}").replace('\n', " "),
        };
        // A script that has failed does not read any more, and says why itself.
        let _ = writeln!(answers, "{said}");
    }
    let ended = child.wait()?;
    ensure!(is_done && ended.success(), "{command:?} failed: {ended}");
    Ok(())
}

fn switch(lab: &Lab, endpoints: &mut Endpoints, word: &str, rest: &str) -> Result<()> {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let endpoint = endpoints.get_mut(name).with_context(|| format!("there is no endpoint {name}"))?;
    match word {
        "stop" => endpoint.stop(),
        "start" => lab.in_client(|| endpoint.resume())??,
        _ => endpoint.set_page(text),
    }
    Ok(())
}

/// Asked once, over the wire, from another host; records in any order.
fn dns(lab: &Lab, question: &str) -> Result<()> {
    let (asked, expected) = question.split_once(" =").context("write NAME TYPE = RECORDS")?;
    let (name, kind) = asked.split_once(' ').context("write NAME TYPE = RECORDS")?;
    let sorted = |records: &mut dyn Iterator<Item = String>| {
        let mut records: Vec<String> = records.filter(|record| !record.is_empty()).collect();
        records.sort();
        records
    };
    let expected = sorted(&mut expected.split(',').map(|record| record.trim().to_owned()));
    let answers = lab.answers(&["@10.53.0.1", name, kind])?;
    // `NAME TTL IN TYPE DATA`
    let said = sorted(&mut answers.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        [words.get(1..2), words.get(3..)]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect::<Vec<_>>()
            .join(" ")
    }));
    if said != expected {
        bail!("DNS says {said:?}");
    }
    Ok(())
}
