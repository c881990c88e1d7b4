//! The real daemon from outside: packets, clients, files, signals and the command line, in namespaces of each test's own.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

mod access;
mod alike;
mod answers;
mod carried;
mod chaos;
mod cli;
mod contract;
mod cookies;
mod dnstap;
mod encrypted;
mod ended;
mod explain;
mod explain_names;
mod explain_places;
mod failover;
mod flood;
mod frames;
mod frozen;
mod geo;
mod gitops;
mod gone;
mod groups;
mod interfaces;
mod journal;
mod limits;
mod manage;
mod metrics;
mod modes;
mod mtu;
mod mutual;
mod nsid;
mod outlive;
mod overview;
mod peers;
mod placed;
mod portal_files;
mod probes;
mod reload;
mod routed;
mod rules;
mod seeds;
mod sessions;
mod several;
mod stale;
mod statuses;
mod sticky;
mod store;
mod subnets;
mod suites;
mod tcp;
mod traffic;
mod transfers;
mod user_metrics;
mod vlans;
mod webhooks;
mod wire;
mod words;
mod wrong;

use tm_tests::{daemon::Daemon, lab::Lab};

/// The node's file; what a test adds to `[listen]` goes behind it.
const NODE: &str = r#"
zone = "tm.example"
name_servers = ["ns1.tm.example"]
state_dir = "{dir}/state"
[listen]
pins = "{bpf}/tm"
interfaces = ["tm0"]
"#;

/// What fits a client is given to it over UDP, cookie or not.
const EDNS_RULE: &str = "[edns]\npayload_without_cookie = 1232\n";

/// Starts the daemon with these profiles and lines of `[listen]`, and waits until it serves.
fn serve(lab: &Lab, listen: &str, profiles: &str) -> Daemon {
    let node = format!("{NODE}{listen}");
    let mut daemon = Daemon::start(lab, &[("tm.toml", &node), ("conf.d/profiles.toml", profiles)]).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

fn wait_until_ready(daemon: &mut Daemon) {
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
}

/// An endpoint that is never probed.
fn unmonitored(name: &str, target: &str) -> String {
    format!("[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"{target}\"\nalways_serve = true\n")
}

/// A profile of one endpoint that is never probed.
fn profile(name: &str, target: &str) -> String {
    format!("[[profile]]\nname = \"{name}\"\nrouting_method = \"priority\"\n{}", unmonitored("only", target))
}
