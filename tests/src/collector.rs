//! A collector of dnstap as others wrote it: `fstrm_capture` at a socket, and what `dnstap-ldns` reads in what that took down.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    client::said,
    log::{Log, spawn},
};

/// The collector; it ends with this handle.
pub struct Collector {
    child: Child,
    log: Arc<Log>,
    directory: TempDir,
}

/// A message that it was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its fields, as `type` and `query_address`.
    pub fields: BTreeMap<String, String>,
    /// The DNS message, as `dig` prints one.
    pub message: String,
}

impl Collector {
    /// Listens at this path, in the place of one that is gone.
    pub fn start(socket: &Path) -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot make a directory for what is captured")?;
        let mut command = Command::new("fstrm_capture");
        command.args(["-ddd", "-t", "protobuf:dnstap.Dnstap", "-u"]).arg(socket);
        let (child, log) = spawn(command.arg("-w").arg(directory.path().join("captured")))?;
        log.wait_for("fstrm_capture", 0, "the start", |line| line.contains("opened output file"));
        Ok(Collector { child, log, directory })
    }

    /// Ends it in order, and reads what it was told.
    pub fn end(mut self) -> Result<Vec<Told>> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("it has no id")?;
        kill_process(pid, Signal::INT)?;
        ensure!(self.log.wait_for_end(), "fstrm_capture does not end");
        self.child.wait()?;
        let file = self.directory.path().join("captured");
        let text = said(Command::new("dnstap-ldns").arg("-y").arg("-r").arg(&file))?;
        Ok(text.split("\n---").filter(|part| part.contains("type:")).map(Told::read).collect())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Best effort: it may have ended.
        _ = self.child.kill().and_then(|()| self.child.wait());
        if thread::panicking() {
            eprintln!("the collector's log:\n{}", self.log.lines().join("\n"));
        }
    }
}

impl Told {
    /// Reads one document of YAML: fields of two levels, and a text behind a bar.
    fn read(document: &str) -> Self {
        let (mut fields, mut message) = (BTreeMap::new(), String::new());
        let mut is_text = false;
        for line in document.lines() {
            if is_text {
                message += &format!("{}\n", line.trim());
                continue;
            }
            let Some((name, value)) = line.trim().split_once(':') else { continue };
            let value = value.trim();
            is_text = value.starts_with('|');
            // The message's own type is the one that matters, and comes later.
            fields.insert(name.to_owned(), value.trim_matches('"').to_owned());
        }
        Told { fields, message }
    }

    /// A field, or nothing.
    pub fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}
