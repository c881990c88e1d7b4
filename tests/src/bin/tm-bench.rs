//! One part of `cargo xtask bench`, which builds this and calls it part by part.

use std::{fs, net::SocketAddr, path::PathBuf, thread};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use rustix::process::setpriority_process;
use serde::Serialize;
use tm_tests::{
    bench::{
        failover,
        flips::{self, Others},
        manage,
        packets::{self, Packets},
        places, portal, queries,
    },
    namespace::require_root,
};

/// Rounds of which the best counts.
const ROUNDS: usize = 15;

/// Measures one thing.
#[derive(Debug, Parser)]
struct Options {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// What a packet costs.
    Packets {
        /// Numbers of profiles.
        #[arg(long, value_delimiter = ',')]
        profiles: Vec<usize>,
        /// A file with the figures of a virtual machine that counted instructions: those of each size on a line.
        #[arg(long)]
        counted: Option<PathBuf>,
    },
    /// Queries a second, by other people's clients and beside another server.
    Queries {
        /// How long each run lasts.
        #[arg(long, default_value_t = 3)]
        seconds: u32,
    },
    /// From a probe's verdict to the first packet with the new answer.
    Flips {
        /// Profiles loaded.
        #[arg(long, default_value_t = 10_000)]
        profiles: usize,
        /// Flips measured.
        #[arg(long, default_value_t = 300)]
        flips: usize,
    },
    /// From an endpoint's death to the first packet with the next one's address.
    Failover {
        /// Deaths measured.
        #[arg(long, default_value_t = 20)]
        kills: u32,
    },
    /// What a million prefixes cost.
    Places {
        /// Prefixes of IPv4.
        #[arg(long, default_value_t = 1_000_000)]
        v4: usize,
        /// Prefixes of IPv6.
        #[arg(long, default_value_t = 500_000)]
        v6: usize,
        /// Changes of one prefix measured.
        #[arg(long, default_value_t = 200)]
        changes: usize,
    },
    /// What it takes to manage many profiles.
    Manage {
        /// Profiles.
        #[arg(long, default_value_t = 10_000)]
        profiles: usize,
        /// Endpoints of each.
        #[arg(long, default_value_t = 5)]
        endpoints: usize,
        /// Changes of one profile measured.
        #[arg(long, default_value_t = 200)]
        puts: u8,
    },
    /// The portal's list of many profiles in a browser.
    Portal {
        /// Profiles.
        #[arg(long, default_value_t = 10_000)]
        profiles: usize,
    },
    /// Serves HTTP until it is killed: the endpoint of `failover`.
    #[command(hide = true)]
    Serve { address: SocketAddr },
}

fn main() -> Result<()> {
    let options = Options::parse();
    require_root();
    // Before whatever else runs on this machine, with all that is started here: that is not what is measured.
    setpriority_process(None, -20).context("cannot go before other processes")?;
    say_if_busy()?;
    match options.part {
        Part::Packets { profiles, counted } => {
            let mut measured = vec![];
            for profiles in profiles {
                measured.push(packets::measure(profiles, ROUNDS)?);
            }
            if let Some(file) = counted {
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("cannot read the counts in {}", file.display()))?;
                let machine: Result<Vec<Packets>, _> = text.lines().map(serde_json::from_str).collect();
                packets::count_by(&mut measured, &machine.context("the counts are not a machine's")?);
            }
            say(options.json, &measured[..], packets::table)
        }
        Part::Queries { seconds } => say(options.json, &queries::measure(seconds)?[..], queries::table),
        Part::Flips { profiles, flips } => {
            let measure = |others| flips::measure(profiles, others, flips);
            say(
                options.json,
                &[measure(Others::Quiet)?, measure(Others::Probed)?, measure(Others::Nesting)?][..],
                flips::table,
            )
        }
        Part::Failover { kills } => {
            let measure = |tolerated| failover::measure(tolerated, kills);
            say(options.json, &[measure(0)?, measure(3)?][..], failover::table)
        }
        Part::Places { v4, v6, changes } => {
            say(options.json, &places::measure(v4, v6, changes)?, places::table)
        }
        Part::Manage { profiles, endpoints, puts } => {
            say(options.json, &manage::measure(profiles, endpoints, puts)?, manage::table)
        }
        Part::Portal { profiles } => say(options.json, &portal::measure(profiles)?, portal::table),
        Part::Serve { address } => failover::serve(address),
    }
}

/// Times and queries a second are worth less where others compute, too; instructions are not.
fn say_if_busy() -> Result<()> {
    let text = fs::read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    let load: f64 = text.split(' ').next().unwrap_or_default().parse().context("/proc/loadavg")?;
    let cpus = thread::available_parallelism()?;
    if load > cpus.get() as f64 / 4.0 {
        eprintln!(
            "bench: this machine is busy (load {load} on {cpus} CPUs): times are longer than they need be"
        );
    }
    Ok(())
}

fn say<F: Serialize + ?Sized>(json: bool, figures: &F, table: impl Fn(&F) -> String) -> Result<()> {
    println!("{}", if json { serde_json::to_string_pretty(figures)? } else { table(figures) });
    Ok(())
}
