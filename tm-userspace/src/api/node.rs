//! What the daemon knows of its node, without the profiles: where it answers, what packets became of, what the tables hold, how much is probed.

use std::{collections::BTreeMap, fs};

use serde::{Deserialize, Serialize};

use super::{InterfaceView, VERSION, View, status};
use crate::{health::is_probed, metrics, time::rfc3339};

/// The node; times in RFC 3339, UTC.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NodeView {
    /// The daemon's version.
    pub version: String,
    /// The kernel's release.
    pub kernel: String,
    /// When the daemon began.
    pub started: String,
    /// Octets of memory that it has in use, where that is known.
    pub memory: Option<u64>,
    /// The zones, that of relative names first.
    pub zones: Vec<String>,
    /// Number of the configuration that is in force.
    pub generation: u64,
    /// Addresses answered at.
    pub addresses: Vec<String>,
    /// `auto`, `native`, `generic` or `off`, as configured.
    pub mode: String,
    /// The listed interfaces.
    pub interfaces: Vec<InterfaceView>,
    /// What was wrong with the last load of the configuration.
    pub config_error: Option<String>,
    /// What is wrong with the store.
    pub store_error: Option<String>,
    /// Profiles that there are.
    pub profiles: usize,
    /// Endpoints that there are.
    pub endpoints: usize,
    /// Those of them that are probed.
    pub probed: usize,
    /// Probes a second that their intervals come to.
    pub probes_per_second: f64,
    /// Packets that XDP saw, by what became of them.
    pub packets: BTreeMap<String, u64>,
    /// Messages that the sockets saw, by what became of them.
    pub messages: BTreeMap<String, u64>,
    /// The tables.
    pub tables: Vec<TableView>,
    /// The programs in the kernel; none where XDP is off.
    pub programs: Vec<ProgramView>,
}

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// Elements in use.
    pub used: u32,
    /// Elements that it has in the kernel; none where XDP is off. Larger tables are made where they do not suffice.
    pub capacity: Option<u32>,
}

/// A program in the kernel.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProgramView {
    /// Its name.
    pub name: String,
    /// Instructions that the verifier processed, on kernels that tell.
    pub verified: Option<u32>,
    /// Octets of machine code.
    pub machine_code: u32,
    /// Runs that the kernel timed: it does only while `kernel.bpf_stats_enabled` is set.
    pub timed: u64,
    /// Nanoseconds that a timed run took on average.
    pub nanoseconds: Option<f64>,
}

/// Gathers it.
pub(super) fn node(view: &View) -> anyhow::Result<NodeView> {
    let desired =
        view.desired.borrow().clone().ok_or_else(|| anyhow::anyhow!("no configuration is in force yet"))?;
    let published = view.published.borrow().clone();
    let reload = view.reload.borrow().clone();
    let counted = view.tables.counted(&[]);
    let programs = match &*view.tables.kernel() {
        Some(kernel) => kernel.programs()?,
        None => Vec::new(),
    };
    let endpoints = || {
        let profiles = desired.profiles.values();
        profiles.flat_map(|profile| profile.endpoints.iter().map(move |endpoint| (profile, endpoint)))
    };
    let probed = || endpoints().filter(|(profile, endpoint)| is_probed(profile, endpoint));
    let rates =
        probed().map(|(profile, endpoint)| profile.monitor_of(endpoint).interval.as_secs_f64().recip());
    Ok(NodeView {
        version: VERSION.to_owned(),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        started: rfc3339(view.started),
        memory: memory(),
        zones: desired.node.zones().map(|zone| zone.name.to_string()).collect(),
        generation: published.generation,
        addresses: published.listening.served.iter().map(ToString::to_string).collect(),
        mode: status::mode(&desired.node.listen).to_owned(),
        interfaces: status::interfaces(view, &desired.node.listen),
        config_error: reload.error,
        store_error: view.catalog.alert(),
        profiles: desired.profiles.len(),
        endpoints: endpoints().count(),
        probed: probed().count(),
        probes_per_second: rates.sum(),
        packets: status::packets(&counted.packets),
        messages: status::messages(view),
        tables: metrics::tables(view)
            .into_iter()
            .map(|(name, used, capacity)| TableView { name: name.to_owned(), used, capacity })
            .collect(),
        programs: programs
            .into_iter()
            .map(|program| ProgramView {
                name: program.name,
                verified: program.verified,
                machine_code: program.jited,
                timed: program.runs,
                nanoseconds: (program.runs > 0)
                    .then(|| program.run_time.as_nanos() as f64 / program.runs as f64),
            })
            .collect(),
    })
}

/// Resident pages are the second number.
fn memory() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
