//! What a script asks for: the answers of DNS, and endpoints that stop and start.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use tm_tests::{endpoint::FakeEndpoint, lab::Lab};

/// Runs a script to its end. Panics where DNS does not say what it must, or where the script fails.
pub(crate) fn judge(lab: &Lab, mut command: Command) {
    let mut endpoints = BTreeMap::from([
        ("virginia", FakeEndpoint::on_client(lab, [10, 53, 0, 11].into()).unwrap()),
        ("amsterdam", FakeEndpoint::on_client(lab, [10, 53, 0, 12].into()).unwrap()),
    ]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut answers = child.stdin.take().unwrap();
    let mut is_done = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let said = match line.split_once(' ') {
            None if line == "done" => {
                is_done = true;
                continue;
            }
            Some(("dns", question)) => dns(lab, question),
            Some(("stop", name)) => {
                endpoints.get_mut(name).unwrap().stop();
                Ok(())
            }
            Some(("start", name)) => lab
                .in_client(|| endpoints.get_mut(name).unwrap().resume())
                .unwrap()
                .map_err(|error| error.to_string()),
            _ => Err(format!("nobody knows `{line}`")),
        };
        // A script that has failed does not read any more, and says why itself.
        let _ = writeln!(answers, "{}", said.err().unwrap_or_else(|| "ok".to_owned()));
    }
    let ended = child.wait().unwrap();
    assert!(is_done && ended.success(), "{command:?} failed: {ended}");
}

/// `NAME TYPE = TTL TYPE DATA, ...`: asked once, over the wire, from another host; records in any order.
fn dns(lab: &Lab, question: &str) -> Result<(), String> {
    let (asked, expected) = question.split_once(" =").unwrap();
    let (name, kind) = asked.split_once(' ').unwrap();
    let sorted = |records: &mut dyn Iterator<Item = String>| {
        let mut records: Vec<String> = records.filter(|record| !record.is_empty()).collect();
        records.sort();
        records
    };
    let expected = sorted(&mut expected.split(',').map(|record| record.trim().to_owned()));
    let answers = lab.answers(&["@10.53.0.1", name, kind]).unwrap();
    // `NAME TTL IN TYPE DATA`
    let said = sorted(&mut answers.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        [&words[1..2], &words[3..]].concat().join(" ")
    }));
    if said == expected { Ok(()) } else { Err(format!("DNS says {said:?}")) }
}
