//! What it takes to manage many profiles: to apply them all, to list them, and to change one until the first packet with the new answer.
//!
//! The endpoints are never probed: it is the management that is measured. Requests go over one TLS connection; `tm apply` is the command as a person types it.

use std::{
    fmt::Write as _,
    fs,
    net::Ipv4Addr,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{runtime::Runtime, task::JoinSet};

use super::{Spread, watch::watch};
use crate::{
    api::{self, Api},
    daemon::Daemon,
    lab::Lab,
    texts::NODE,
};

/// The profile that is changed.
const CHANGED: &str = "changed";
/// Where it is.
const PATH: &str = "/api/v1/profiles/changed";
/// How often the whole is listed.
const LISTS: usize = 10;
/// Changes of one version at once.
const RIVALS: u8 = 50;
/// The most changes one after the other.
const MOST_PUTS: u8 = 200;

/// The figures; times in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manage {
    /// Profiles.
    pub profiles: usize,
    /// Endpoints of each.
    pub endpoints: usize,
    /// `tm apply` of all of them into an empty store.
    pub apply_new: f64,
    /// The same of other values for each.
    pub apply_changed: f64,
    /// The same where nothing differs.
    pub apply_same: f64,
    /// One request that lists all.
    pub list: Spread,
    /// From a PUT to the first packet with the new answer.
    pub put_to_packet: Spread,
    /// From a PUT to its acknowledgement.
    pub put: Spread,
    /// Of the changes of one version at once, those that won: one.
    pub winners: usize,
    /// Resident memory of the daemon after all this, in MB, and the most it ever was.
    pub memory: [f64; 2],
}

/// So many profiles of so many endpoints; so many changes of one.
pub fn measure(profiles: usize, endpoints: usize, puts: u8) -> Result<Manage> {
    ensure!(puts <= MOST_PUTS, "{puts} changes are more than {MOST_PUTS}");
    let lab = Lab::new()?;
    let node = format!("{NODE}{}", api::LISTEN);
    let mut daemon = Daemon::start(&lab, &[("tm.toml", &node)])?;
    daemon.wait_for("XDP is attached", |line| line.contains("XDP attached") && line.contains("Native"));
    let api = Api::new(&lab, &mut daemon)?;
    let mut applied = Vec::new();
    for ttl in [30, 60, 60] {
        daemon.write("all.toml", &texts(profiles, endpoints, ttl)?)?;
        applied.push(apply(&lab, &daemon)?);
    }
    let connection = Connection::open(&lab, &api)?;
    let list = (0..LISTS).map(|_| connection.list(profiles)).collect::<Result<Vec<_>>>()?;
    let ((to_packet, acknowledged), _) = watch(&lab, &format!("{CHANGED}.tm.example"), |changes| {
        changes.next()?;
        let mut times = (Vec::new(), Vec::new());
        for last in 1..=puts {
            let began = SystemTime::now();
            times.1.push(connection.put(last)?);
            let change = changes.next()?;
            ensure!(change.address == address(last), "the answer became {}", change.address);
            times.0.push(change.at.duration_since(began)?);
        }
        Ok(times)
    })?;
    let winners = connection.rivals()?;
    ensure!(winners.len() == 1, "of {RIVALS} changes of one version {} won", winners.len());
    let said = lab.answers(&["@10.53.0.1", &format!("{CHANGED}.tm.example"), "+short"])?;
    ensure!(said == address(winners[0]).to_string(), "the answer is {said}, but {} won", winners[0]);
    Ok(Manage {
        profiles,
        endpoints,
        apply_new: applied[0],
        apply_changed: applied[1],
        apply_same: applied[2],
        list: Spread::of(list).context("nothing was listed")?,
        put_to_packet: Spread::of(to_packet).context("nothing was changed")?,
        put: Spread::of(acknowledged).context("nothing was changed")?,
        winners: winners.len(),
        memory: daemon.memory()?,
    })
}

/// The figures as a table.
pub fn table(figures: &Manage) -> String {
    let Manage { profiles, endpoints, list, put_to_packet, put, memory, .. } = figures;
    let milliseconds = |microseconds: f64| microseconds / 1e3;
    let spread = |what: &str, spread: &Spread| {
        let Spread { count, median, p99, most } = *spread;
        let [median, p99, most] = [median, p99, most].map(milliseconds);
        format!("  {what:26} {count:>5}  {median:8.1} {p99:8.1} {most:8.1}")
    };
    let applied = |what: &str, time: f64| format!("  {what:26} {:>5}  {:8.1}", 1, milliseconds(time));
    [
        format!("{profiles} profiles with {endpoints} endpoints each, in milliseconds"),
        format!("  {:26} {:>5}  {:>8} {:>8} {:>8}", "what", "count", "median", "p99", "most"),
        applied("tm apply, all new", figures.apply_new),
        applied("tm apply, all changed", figures.apply_changed),
        applied("tm apply, none changed", figures.apply_same),
        spread("list of all", list),
        spread("PUT to its acknowledgement", put),
        spread("PUT to packet", put_to_packet),
        format!("  {} of {RIVALS} changes of one version won, and is answered", figures.winners),
        format!("  the daemon's memory: {:.0} MB, at most {:.0} MB", memory[0], memory[1]),
    ]
    .join("\n")
}

/// All of them, and the one that is changed.
fn texts(profiles: usize, endpoints: usize, ttl: u32) -> Result<String> {
    let mut text = format!("[[profile]]\n{}", profile(CHANGED, ttl, &[address(0)])?);
    for number in 1..profiles {
        let targets: Vec<_> = (0..endpoints)
            .map(|endpoint| {
                let number = u32::try_from(number * endpoints + endpoint).unwrap_or(u32::MAX);
                Ipv4Addr::from(0x0a00_0000 + number)
            })
            .collect();
        write!(text, "[[profile]]\n{}", profile(&format!("profile-{number}"), ttl, &targets)?)?;
    }
    Ok(text)
}

fn profile(name: &str, ttl: u32, targets: &[Ipv4Addr]) -> Result<String> {
    let mut text = format!("name = \"{name}\"\nrouting_method = \"weighted\"\nttl = {ttl}\n");
    for (number, target) in targets.iter().enumerate() {
        let weight = number + 1;
        write!(
            text,
            "[[profile.endpoint]]\nname = \"e{number}\"\ntarget = \"{target}\"\nweight = {weight}\nalways_serve = true\n"
        )?;
    }
    Ok(text)
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn apply(lab: &Lab, daemon: &Daemon) -> Result<f64> {
    let file = daemon.directory().join("all.toml").display().to_string();
    let mut command: Command = daemon.tm(lab, &["apply", "-f", &file])?;
    let began = Instant::now();
    let output = command.output()?;
    let took = began.elapsed();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(took.as_secs_f64() * 1e6)
}

/// One connection to the API, kept open.
struct Connection {
    runtime: Runtime,
    client: Client,
    api: Api,
}

impl Connection {
    fn open(lab: &Lab, api: &Api) -> Result<Self> {
        // Its worker is a thread of the server's, as whoever makes it is: it connects there.
        lab.in_server(|| {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            Ok(Connection { runtime, client: api.client()?, api: api.clone() })
        })?
    }

    /// How long a request takes, and what came of it.
    fn ask(&self, call: &api::Call<'_>) -> Result<(Duration, StatusCode, String, Vec<u8>)> {
        let request = self.api.request(&self.client, call)?;
        let asked = self.runtime.spawn(async move {
            let began = Instant::now();
            let response = request.send().await?;
            let etag = response.headers().get("etag").and_then(|value| value.to_str().ok());
            let (status, etag) = (response.status(), etag.unwrap_or_default().to_owned());
            let body = response.bytes().await?;
            anyhow::Ok((began.elapsed(), status, etag, body.to_vec()))
        });
        self.runtime.block_on(asked)?
    }

    fn list(&self, profiles: usize) -> Result<Duration> {
        let path = "/api/v1/profiles?limit=100000";
        let (took, status, _, body) =
            self.ask(&api::Call { method: "GET", path, headers: &[], body: None })?;
        ensure!(status.is_success(), "the list: {status}");
        let page: serde_json::Value = serde_json::from_slice(&body)?;
        ensure!(page["value"].as_array().map(Vec::len) == Some(profiles), "not all are listed");
        Ok(took)
    }

    fn put(&self, last: u8) -> Result<Duration> {
        let (took, status, _, body) = self.ask(&put(last, &[]))?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(took)
    }

    /// Who won, of many that change the same version at once.
    fn rivals(&self) -> Result<Vec<u8>> {
        let etag = self.ask(&api::Call { method: "GET", path: PATH, headers: &[], body: None })?.2;
        let headers = [("if-match", etag.as_str())];
        let mut asked = JoinSet::new();
        // Other addresses than any before: who asks for what is there already changes nothing, and loses to nobody.
        for last in MOST_PUTS + 1..=MOST_PUTS + RIVALS {
            let request = self.api.request(&self.client, &put(last, &headers))?;
            let ask = async move { (last, request.send().await.map(|answer| answer.status())) };
            asked.spawn_on(ask, self.runtime.handle());
        }
        let mut winners = Vec::new();
        for (last, status) in self.runtime.block_on(asked.join_all()) {
            match status? {
                StatusCode::OK => winners.push(last),
                StatusCode::PRECONDITION_FAILED => {}
                other => anyhow::bail!("a change of a version: {other}"),
            }
        }
        Ok(winners)
    }
}

fn put<'a>(last: u8, headers: &'a [(&'a str, &'a str)]) -> api::Call<'a> {
    let endpoint = json!({ "name": "e0", "target": address(last).to_string(), "always_serve": true });
    let body = json!({ "routing_method": "weighted", "ttl": 30, "endpoint": [endpoint] });
    api::Call { method: "PUT", path: PATH, headers, body: Some(body.to_string().into_bytes()) }
}

impl Daemon {
    /// Its resident memory in MB, and the most it ever was.
    fn memory(&self) -> Result<[f64; 2]> {
        let path = format!("/proc/{}/status", self.process_id());
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let figure = |key: &str| {
            let line =
                text.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
            anyhow::Ok(kilobytes / 1024.0)
        };
        Ok([figure("VmRSS:")?, figure("VmHWM:")?])
    }
}
