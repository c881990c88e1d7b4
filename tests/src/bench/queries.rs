//! Queries a second over a cable, by two clients: this product in XDP, by its sockets alone, and gdnsd with the same records; beside a
//! program that only turns packets round, which shows what the client itself can do.

use std::{fmt, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::gdnsd::{Gdnsd, NAMES, ZONE, address};
use crate::{
    attached::Attached,
    daemon::Daemon,
    lab::{Lab, SERVER_INTERFACE, SERVER_V4},
    namespace::run,
    texts::NODE,
};

/// How often each is measured; the median counts. Each run has a cable of its own: the kernel takes kxdpgun's socket off a queue only some
/// time after it has ended.
const RUNS: usize = 3;

/// How many queries a second kxdpgun sends: more than it can.
const OFFERED: &str = "2000000";

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Server {
    /// Nobody: addresses and ports are swapped, the query comes back.
    Reflect,
    /// This product in XDP.
    Xdp,
    /// This product by its sockets, `mode = "off"`.
    Off,
    /// gdnsd.
    Gdnsd,
}

/// All of them, *reflect* first.
const SERVERS: [Server; 4] = [Server::Reflect, Server::Xdp, Server::Off, Server::Gdnsd];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// Sockets, as resolvers have.
    Dnsperf,
    /// AF_XDP, past the kernel's stack.
    Kxdpgun,
}

/// The figures of one server and one client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queries {
    /// Who asked.
    pub client: Client,
    /// Who answered.
    pub server: Server,
    /// Answers a second, the median of three runs.
    pub answers_per_second: f64,
    /// Part of the queries that were answered in that run, 0 to 1.
    pub answered: f64,
    /// Answers a second as a part of what the client has back from *reflect*.
    pub of_reflect: f64,
}

/// Measures all servers with both clients, each run for so many seconds.
pub fn measure(seconds: u32) -> Result<Vec<Queries>> {
    let files = tempfile::tempdir().context("cannot make a directory for the queries")?;
    let names = |end: &str| (0..NAMES).map(|i| format!("p{i}.{ZONE}. A{end}\n")).collect::<String>();
    fs::write(files.path().join("dnsperf"), names(""))?;
    fs::write(files.path().join("kxdpgun"), names(" E"))?;
    let mut measured: Vec<Queries> = vec![];
    for client in [Client::Dnsperf, Client::Kxdpgun] {
        let mut runs = SERVERS.map(|_| vec![]);
        // All servers in turn, so that what else the machine does meets all of them.
        for _ in 0..RUNS {
            for (server, runs) in SERVERS.into_iter().zip(&mut runs) {
                let run = serve_and_ask(server, client, files.path(), seconds);
                runs.push(run.with_context(|| format!("{client} against {server}"))?);
            }
        }
        let medians: Vec<(f64, f64)> = runs.into_iter().map(median).collect();
        for (server, (answers_per_second, answered)) in SERVERS.into_iter().zip(&medians) {
            let of_reflect = answers_per_second / medians[0].0;
            measured.push(Queries {
                client,
                server,
                answers_per_second: *answers_per_second,
                answered: *answered,
                of_reflect,
            });
        }
    }
    Ok(measured)
}

/// The figures as a table.
pub fn table(measured: &[Queries]) -> String {
    let mut lines = vec![
        format!("Answers a second over a veth pair, {NAMES} names, EDNS, median of {RUNS} runs"),
        format!(
            "  {:8} {:26} {:>10} {:>10} {:>11}",
            "client", "server", "answers/s", "answered", "of reflect"
        ),
    ];
    for Queries { client, server, answers_per_second, answered, of_reflect } in measured {
        lines.push(format!(
            "  {:8} {:26} {answers_per_second:10.0} {:8.1} % {:9.0} %",
            client.to_string(),
            server.to_string(),
            100.0 * answered,
            100.0 * of_reflect
        ));
    }
    lines.push(
        "  Near 100 % of reflect the client is what bounds the figure: the server could do more.".to_owned(),
    );
    lines.join("\n")
}

/// What runs on the server's end while a client asks; it ends with this handle.
enum Running {
    Reflect { _program: Attached },
    Daemon { _daemon: Daemon },
    Gdnsd { _gdnsd: Gdnsd },
}

/// The run in the middle by answers a second.
fn median(mut runs: Vec<(f64, f64)>) -> (f64, f64) {
    runs.sort_by(|one, other| one.0.total_cmp(&other.0));
    runs[runs.len() / 2]
}

/// One run: answers a second, and the part of the queries answered.
fn serve_and_ask(server: Server, client: Client, files: &Path, seconds: u32) -> Result<(f64, f64)> {
    let mut lab = Lab::new()?;
    let _running = match server {
        Server::Reflect => {
            Running::Reflect { _program: lab.in_server(|| Attached::new("reflect", SERVER_INTERFACE))?? }
        }
        Server::Xdp => Running::Daemon { _daemon: daemon(&lab, "native")? },
        Server::Off => Running::Daemon { _daemon: daemon(&lab, "off")? },
        Server::Gdnsd => Running::Gdnsd { _gdnsd: Gdnsd::start(&lab)? },
    };
    if server != Server::Reflect {
        let said = run(lab.client("dig").args(["+short", &format!("@{SERVER_V4}"), &format!("p7.{ZONE}")]))?;
        ensure!(said.trim() == address(7), "p7.{ZONE} is {said:?}, not {}", address(7));
    }
    if client == Client::Kxdpgun {
        lab.release_client();
    }
    match client {
        Client::Dnsperf => dnsperf(&lab, files, seconds),
        Client::Kxdpgun => kxdpgun(&lab, files, seconds),
    }
}

fn daemon(lab: &Lab, mode: &str) -> Result<Daemon> {
    // What is measured would be a flood.
    let node = format!("{NODE}mode = \"{mode}\"\n[rate_limit]\nanswers_per_second = 0\n");
    let profile = |i: usize| {
        format!(
            "[[profile]]\nname = \"p{i}\"\nrouting_method = \"priority\"\nttl = 30\n\
             [[profile.endpoint]]\nname = \"one\"\ntarget = \"{}\"\nalways_serve = true\n",
            address(i)
        )
    };
    let profiles: String = (0..NAMES).map(profile).collect();
    let mut daemon = Daemon::start(lab, &[("tm.toml", &node), ("conf.d/profiles.toml", &profiles)])?;
    if mode == "native" {
        daemon.wait_for("XDP is attached", |line| line.contains("XDP attached") && line.contains("Native"));
    }
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
    Ok(daemon)
}

fn dnsperf(lab: &Lab, files: &Path, seconds: u32) -> Result<(f64, f64)> {
    let said = said_by(
        lab.client("dnsperf")
            .args(["-s", &SERVER_V4.to_string(), "-e", "-l", &seconds.to_string(), "-T", "2", "-c", "8"])
            .args(["-q", "500", "-t", "1", "-d"])
            .arg(files.join("dnsperf")),
    )?;
    let number = |label: &str| number_after(&said, label);
    let (sent, completed) = (number("Queries sent:")?, number("Queries completed:")?);
    ensure!(sent > 0.0, "dnsperf sent nothing: {said}");
    Ok((number("Queries per second:")?, completed / sent))
}

fn kxdpgun(lab: &Lab, files: &Path, seconds: u32) -> Result<(f64, f64)> {
    let said = said_by(
        lab.client("kxdpgun")
            .args(["-t", &seconds.to_string(), "-Q", OFFERED, "-b", "64", "-i"])
            .arg(files.join("kxdpgun"))
            .arg(SERVER_V4.to_string()),
    )?;
    let number = |label: &str| number_after(&said, label);
    let (sent, completed) = (number("total queries:")?, number("total replies:")?);
    ensure!(sent > 0.0, "kxdpgun sent nothing: {said}");
    Ok((completed / f64::from(seconds), completed / sent))
}

/// What a client prints; kxdpgun prints its figures as errors.
fn said_by(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    ensure!(output.status.success(), "{command:?} failed ({}): {said}", output.status);
    Ok(said)
}

/// The first number after a label.
fn number_after(said: &str, label: &str) -> Result<f64> {
    let rest = said.split_once(label).map(|(_, rest)| rest.trim_start());
    let digits =
        rest.map(|rest| rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or(rest));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok(number),
        None => bail!("no number after `{label}` in what the client said: {said}"),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reflect => "reflect",
            Self::Xdp => "tm, XDP",
            Self::Off => "tm, sockets (mode = \"off\")",
            Self::Gdnsd => "gdnsd",
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dnsperf => "dnsperf",
            Self::Kxdpgun => "kxdpgun",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_after_their_labels() {
        let said = "  Queries sent:         3000\n  Queries completed:    2999 (99.97%)\n  Queries per second:   123456.789012\n";
        assert_eq!(number_after(said, "Queries completed:").ok(), Some(2999.0));
        assert_eq!(number_after(said, "Queries per second:").ok(), Some(123_456.789_012));
        assert!(number_after(said, "total replies:").is_err());
    }
}
