//! Scenarios: what is wanted, what is up, who asks, and what is answered; a row of a truth table each, as text files of `tests/scenarios`.
//!
//! ```text
//! == title
//! TOML of profiles; every endpoint without `always_serve` waits for its first probe
//! > health p/a down, p/b up, p/c forced down
//! > status p Degraded, p/a Degraded
//! > ask p.tm.example A from 203.0.113.7 = A 192.0.2.1 + A 192.0.2.2 | NODATA
//! ```
//!
//! Alternatives are all that is answered in turn. Rows after a `health` are under it; who is not in it goes on waiting.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path, time::SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use hickory_proto::op::Message;
use tm_common::verdict::Reason;
use tm_tests::{
    frame::Frame,
    host::answer_frame,
    lab::SERVER_V4,
    query::{Query, qtype},
    texts::NODE,
    world::{decide_now, desired_of, image},
};
use tm_userspace::{
    desired::{Desired, EndpointKey},
    health::{Forced, Health, Verdict},
};

const DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb");

/// So often is each question asked: more than the answers of any scenario in turn.
const TURNS: usize = 24;

fn health(text: &str) -> Result<Health> {
    let mut health = Health::default();
    for item in text.split(',') {
        let (endpoint, state) = item.trim().split_once(' ').context("write p/a down")?;
        let (profile, name) = endpoint.split_once('/').context("write p/a")?;
        let key = EndpointKey { profile: profile.into(), endpoint: name.into() };
        let since = SystemTime::UNIX_EPOCH;
        match state {
            "up" | "down" => {
                health.verdicts.insert(key, Verdict { up: state == "up", since, recovered: false });
            }
            "forced up" | "forced down" => {
                health.orders.force(key, Forced { up: state == "forced up", since, until: None });
            }
            other => bail!("{other} is no state"),
        }
    }
    Ok(health)
}

fn statuses(desired: &Desired, health: &Health, text: &str) -> Result<()> {
    for item in text.split(',') {
        let (what, expected) = item.trim().split_once(' ').context("write p Online")?;
        let (profile, endpoint) = what.split_once('/').map_or((what, None), |(p, e)| (p, Some(e)));
        let profile = desired.profiles.get(profile).with_context(|| format!("no profile {profile}"))?;
        let decision = decide_now(desired, profile, health);
        let is = match endpoint {
            None => format!("{:?}", decision.status),
            Some(name) => {
                let at = profile.endpoints.iter().position(|endpoint| &*endpoint.name == name);
                format!("{:?}", decision.endpoints[at.with_context(|| format!("no endpoint {name}"))?])
            }
        };
        ensure!(is == expected, "{what} is {is}, not {expected}");
    }
    Ok(())
}

fn answer((reason, octets): (Reason, Vec<u8>)) -> Result<String> {
    if reason == Reason::UnknownName {
        // Passed up: the sockets say so.
        return Ok("NXDOMAIN".to_owned());
    }
    // Behind Ethernet, IPv4 and UDP.
    let message = Message::from_vec(octets.get(42..).context("short")?)?;
    Ok(match (message.metadata.response_code.low(), &message.answers[..]) {
        (0, []) => "NODATA".to_owned(),
        (0, answers) => {
            let line =
                |record: &hickory_proto::rr::Record| format!("{} {}", record.record_type(), record.data);
            answers.iter().map(line).collect::<Vec<_>>().join(" + ")
        }
        (3, _) => "NXDOMAIN".to_owned(),
        (code, _) => bail!("RCODE {code}"),
    })
}

fn asked(desired: &Desired, health: &Health, text: &str) -> Result<()> {
    let (question, expected) = text.split_once(" = ").context("write NAME TYPE = ANSWER")?;
    let words: Vec<&str> = question.split_whitespace().collect();
    let (name, kind, source) = match words[..] {
        [name, kind] => (name, kind, "10.53.0.2"),
        [name, kind, "from", source] => (name, kind, source),
        _ => bail!("write NAME TYPE, or NAME TYPE from ADDRESS"),
    };
    let kind = match kind {
        "A" => qtype::A,
        "AAAA" => qtype::AAAA,
        "CNAME" => 5,
        "TXT" => 16,
        "ANY" => 255,
        other => bail!("{other} is not a type of scenarios"),
    };
    let source: IpAddr = source.parse()?;
    let query = Query::new(name, kind).build();
    let frame = Frame::between((source, 40_053).into(), (SERVER_V4, 53).into(), query).build();
    let image = image(desired, health);
    let given: BTreeSet<String> =
        (0..TURNS).map(|_| answer(answer_frame(&frame, &image))).collect::<Result<_>>()?;
    let expected: BTreeSet<String> = expected.split(" | ").map(str::to_owned).collect();
    ensure!(given == expected, "{given:?}, not {expected:?}");
    Ok(())
}

fn play(text: &str) -> Result<()> {
    let (toml, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !line.starts_with("> "));
    let node = NODE.replace("{dir}", "/nowhere") + &format!("[geo]\ndatabase = {DATABASE:?}\n");
    let desired = desired_of(&node, &toml.join("\n"))?;
    let mut now = Health::default();
    ensure!(!rows.is_empty(), "it has no rows");
    for row in rows {
        let (word, rest) = row[2..].split_once(' ').context("write > WORD ...")?;
        match word {
            "health" => {
                now = health(rest)?;
                Ok(())
            }
            "status" => statuses(&desired, &now, rest),
            "ask" => asked(&desired, &now, rest),
            other => bail!("{other} is no word of scenarios"),
        }
        .with_context(|| row.to_owned())?;
    }
    Ok(())
}

#[test]
fn every_scenario_comes_out_as_it_is_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let (mut played, mut wrong) = (0, vec![]);
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for case in text.split("== ").skip(1) {
            let (title, body) = case.split_once('\n').unwrap();
            played += 1;
            if let Err(error) = play(body) {
                wrong.push(format!("{}: {title}: {error:#}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty() && played > 0, "{} of {played} are wrong\n{}", wrong.len(), wrong.join("\n"));
}
