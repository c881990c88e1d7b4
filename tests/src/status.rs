//! What the daemon says of itself (`tm status -o json`), and waiting until it says what is awaited.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{DEADLINE, daemon::Daemon, lab::Lab};

/// The daemon's words, as they came.
#[derive(Clone, Debug)]
pub struct Status(pub Value);

impl Daemon {
    /// Asks it.
    pub fn status(&self, lab: &Lab) -> Result<Status> {
        let output = self.tm(lab, &["status", "-o", "json"])?.output().context("cannot run tm")?;
        serde_json::from_slice(&output.stdout).map(Status).with_context(|| format!("no status: {output:?}"))
    }

    /// Asks it until the status is as wanted. Each look is an exchange with the daemon; panics after ten seconds and shows the last.
    pub fn wait_until(&self, lab: &Lab, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let began = Instant::now();
        loop {
            let status = self.status(lab).unwrap_or_else(|error| panic!("{error:#}"));
            if wanted(&status) {
                return status;
            }
            assert!(began.elapsed() < DEADLINE, "waited for {what}, but the daemon says\n{:#}", status.0);
        }
    }

    /// Waits until the endpoints of a profile, in their order, have these monitor statuses.
    pub fn wait_for_endpoints(&self, lab: &Lab, profile: &str, expected: &[&str]) -> Status {
        self.wait_until(lab, &format!("{profile} to be {expected:?}"), |status| {
            status.endpoints(profile) == expected
        })
    }
}

impl Status {
    /// Packets that XDP saw, by what became of them; 0 for a word that is not in the list.
    pub fn packets(&self, reason: &str) -> u64 {
        self.0["packets"][reason].as_u64().unwrap_or(0)
    }

    /// Messages that the sockets saw, by what became of them.
    pub fn messages(&self, outcome: &str) -> u64 {
        self.0["messages"][outcome].as_u64().unwrap_or(0)
    }

    /// How the program is attached to an interface.
    pub fn xdp(&self, interface: &str) -> Option<&str> {
        named(&self.0["interfaces"], interface)["xdp"].as_str()
    }

    /// A profile. Panics where there is none of the name.
    pub fn profile(&self, name: &str) -> &Value {
        named(&self.0["profiles"], name)
    }

    /// An endpoint. Panics where there is none of the name.
    pub fn endpoint(&self, profile: &str, name: &str) -> &Value {
        named(&self.profile(profile)["endpoints"], name)
    }

    /// The monitor statuses of a profile's endpoints, in their order.
    pub fn endpoints(&self, profile: &str) -> Vec<&str> {
        let endpoints = self.profile(profile)["endpoints"].as_array();
        endpoints.into_iter().flatten().filter_map(|endpoint| endpoint["monitor_status"].as_str()).collect()
    }
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().into_iter().flatten().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {name} in {list:#}"))
}
