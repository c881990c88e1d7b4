//! gdnsd on the lab's server, with the names and addresses that the daemon has in the same measurement.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    thread,
};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::lab::{Lab, SERVER_V4};

/// Its zone, which is the daemon's too.
pub(super) const ZONE: &str = "tm.example";

/// How many names it has: `p0` and on.
pub(super) const NAMES: usize = 1_000;

/// A running gdnsd; it is killed with this handle.
pub(super) struct Gdnsd {
    child: Child,
    _directory: TempDir,
}

impl Gdnsd {
    /// Starts it, and returns when it answers.
    pub(super) fn start(lab: &Lab) -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot make a directory for gdnsd")?;
        let path = directory.path();
        fs::create_dir(path.join("zones"))?;
        fs::write(path.join("zones").join(ZONE), zone())?;
        let threads = thread::available_parallelism()?;
        let options = format!(
            "options => {{\n listen => [{SERVER_V4}],\n run_dir => {0}/run,\n state_dir => {0}/state,\n udp_threads => {threads}\n}}\n",
            path.display()
        );
        fs::write(path.join("config"), options)?;
        let mut command = lab.server("gdnsd");
        command.arg("-c").arg(path).arg("start").stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start gdnsd")?;
        let log = child.stderr.take().context("gdnsd has no standard error")?;
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut said = vec![];
        let started = lines.by_ref().any(|line| {
            let started = line.contains("DNS listeners started");
            said.push(line);
            started
        });
        let gdnsd = Self { child, _directory: directory };
        if !started {
            return Err(anyhow!("gdnsd did not start: {}", said.join("; ")));
        }
        thread::spawn(move || lines.for_each(drop)); // or it would block on a full pipe
        Ok(gdnsd)
    }
}

impl Drop for Gdnsd {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("gdnsd stays behind: {error}");
        }
    }
}

fn zone() -> String {
    let mut zone =
        format!("$TTL 30\n@ SOA ns1 hostmaster (1 3600 600 1209600 60)\n@ NS ns1\nns1 A {SERVER_V4}\n");
    for i in 0..NAMES {
        zone += &format!("p{i} A {}\n", address(i));
    }
    zone
}

/// The address of a name.
pub(super) fn address(i: usize) -> String {
    format!("192.0.2.{}", i % 250 + 1)
}
