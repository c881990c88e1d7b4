//! From the death of a real endpoint to the first packet with the next one's address.
//!
//! The endpoint is a process that serves HTTP and is killed; a client asks all the time. The kills, and the
//! starts after them, are spread evenly over the interval, as they keep no step with the probes.

use std::{
    env,
    net::SocketAddr,
    process::{Child, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Spread, pause,
    watch::{Changes, watch},
};
use crate::{
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::Lab,
    namespace::run,
    texts::{NODE, Profile},
};

/// From one probe to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// Where the endpoint serves.
const PRIMARY: &str = "10.53.0.11";

/// The figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failover {
    /// From one probe to the next, in milliseconds.
    pub interval_ms: u64,
    /// Failures in a row that change nothing.
    pub tolerated_failures: u32,
    /// From the kill to the first packet with the other address, in microseconds.
    pub to_secondary: Spread,
    /// From the start of the endpoint's process to the first packet with its address again, in microseconds.
    pub to_primary: Spread,
    /// Queries without an answer meanwhile.
    pub lost: u64,
}

/// Kills the endpoint and starts it again, so often.
pub fn measure(tolerated_failures: u32, kills: u32) -> Result<Failover> {
    let lab = Lab::new()?;
    run(lab.client("ip").args(["address", "add", &format!("{PRIMARY}/24"), "dev", "tm1"]))?;
    let mut primary = Process::start(&lab)?;
    let profile = Profile {
        lines: "ttl = 30",
        interval: INTERVAL,
        tolerated_failures,
        endpoints: &[("primary", 11, ""), ("secondary", 12, "always_serve = true")],
        ..Profile::default()
    }
    .to_string();
    let mut daemon = Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/contoso.toml", &profile)])?;
    daemon.wait_for("XDP is attached", |line| line.contains("XDP attached") && line.contains("Native"));
    daemon.wait_for("the endpoint is online", |line| {
        line.contains("endpoint changed") && line.contains("Online")
    });
    let (measured, seen) = watch(&lab, "contoso.tm.example", |changes| {
        became(changes, PRIMARY)?;
        (0..kills)
            .map(|kill| {
                pause(INTERVAL * kill / kills); // the kill's place in the interval, and the start's
                let killed = SystemTime::now();
                primary.kill()?;
                let down = became(changes, "10.53.0.12")?.duration_since(killed)?;
                pause(INTERVAL * kill / kills);
                let started = SystemTime::now();
                primary = Process::start(&lab)?;
                Ok((down, became(changes, PRIMARY)?.duration_since(started)?))
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let (down, up): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
    Ok(Failover {
        interval_ms: INTERVAL.as_millis() as u64,
        tolerated_failures,
        to_secondary: Spread::of(down).context("no kill was asked for")?,
        to_primary: Spread::of(up).context("no kill was asked for")?,
        lost: seen.lost,
    })
}

/// Serves HTTP at an address until it is killed: what the process that is killed runs.
pub fn serve(address: SocketAddr) -> Result<()> {
    let _endpoint = FakeEndpoint::start(address)?;
    loop {
        thread::park();
    }
}

/// The figures as a table.
pub fn table(failovers: &[Failover]) -> String {
    let mut lines = vec![
        "From the death of an endpoint to the first other answer, and back, in milliseconds".to_owned(),
        format!(
            "  {:>8} {:>9} {:>6} {:>8} {:>8} {:>14} {:>8} {:>6}",
            "interval", "tolerated", "kills", "median", "most", "back: median", "most", "lost"
        ),
    ];
    for Failover { interval_ms, tolerated_failures, to_secondary, to_primary, lost } in failovers {
        lines.push(format!(
            "  {interval_ms:>8} {tolerated_failures:>9} {:>6} {:8.0} {:8.0} {:14.0} {:8.0} {lost:>6}",
            to_secondary.count,
            to_secondary.median / 1e3,
            to_secondary.most / 1e3,
            to_primary.median / 1e3,
            to_primary.most / 1e3,
        ));
    }
    lines.join("\n")
}

/// Waits for the next change, which is to be to this address; when it was.
fn became(changes: &Changes, address: &str) -> Result<SystemTime> {
    let change = changes.next()?;
    ensure!(change.address.to_string() == address, "the answer became {}, not {address}", change.address);
    Ok(change.at)
}

/// The endpoint's process; it is killed with this handle.
struct Process(Child);

impl Process {
    fn start(lab: &Lab) -> Result<Self> {
        let own = env::current_exe().context("cannot tell where this program lies")?;
        let mut command = lab.client(&own.to_string_lossy());
        command.args(["serve", &format!("{PRIMARY}:80")]).stdin(Stdio::null());
        Ok(Self(command.spawn().context("cannot start the endpoint's process")?))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill().ok(); // it is gone already where a kill was measured
    }
}
