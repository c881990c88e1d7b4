//! `cargo xtask bench`: builds everything optimised and runs `tm-bench` of tests for each part that is wanted.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use crate::{
    command::{as_root, read, run, target_dir},
    kernel::{Machine, in_machine},
    run::build,
    setup::{Need, prepare},
};

/// The kernel that packets are counted on: Debian's newest of this series.
const SERIES: &str = "6.12";

/// Each emulated instruction takes a nanosecond of the machine's own time, whatever it takes the host.
const COUNTING: &[&str] = &["-icount", "shift=0,sleep=off", "-cpu", "max", "-m", "3072"];

/// What `tm-vm` prints before the figures of one size.
const FIGURES: &str = "figures: ";

/// What to measure, and how to print it.
#[derive(Args)]
pub(crate) struct Bench {
    /// The parts to measure
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,...", default_values_t = Part::ALL)]
    only: Vec<Part>,
    /// Numbers of profiles for `packets`
    #[arg(long, value_delimiter = ',', value_name = "N,...", default_values_t = [10, 1_000, 100_000])]
    profiles: Vec<usize>,
    /// Print JSON: an object with a member for each part
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Nanoseconds and instructions a packet, by class; instructions in a virtual machine where the processor does not count
    #[value(alias = "a")]
    Packets,
    /// Queries a second over a veth pair by dnsperf and kxdpgun: XDP, sockets alone, and gdnsd
    #[value(alias = "b")]
    Queries,
    /// From a probe's verdict to the first packet with the new answer, with 10,000 profiles loaded
    #[value(alias = "c")]
    Flips,
    /// From the death of an endpoint to the first packet with the next one's address
    #[value(alias = "d")]
    Failover,
    /// Time and memory for a million IPv4 prefixes and half a million of IPv6, and from a change of one of them to the kernel's tables
    #[value(alias = "e")]
    Places,
    /// Of 10,000 profiles: to apply and to list them all, from a PUT to the first packet, and the daemon's memory
    #[value(alias = "f")]
    Manage,
    /// The portal's list of 10,000 profiles in Chromium: to its first row, and from frame to frame while it scrolls
    #[value(alias = "g")]
    Portal,
}

impl Part {
    const ALL: [Part; 7] =
        [Part::Packets, Part::Queries, Part::Flips, Part::Failover, Part::Places, Part::Manage, Part::Portal];

    /// What `tm-bench` calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Queries => "queries",
            Self::Flips => "flips",
            Self::Failover => "failover",
            Self::Places => "places",
            Self::Manage => "manage",
            Self::Portal => "portal",
        }
    }
}

/// Measures one part after the other; a part that fails ends it.
pub(crate) fn measure(wanted: &Bench) -> Result<()> {
    prepare(Need::Bench)?;
    build(&["tm-userspace", "tm-tests"])?;
    let mut objects = vec![];
    for part in &wanted.only {
        let mut command = as_root(target_dir().join("release/tm-bench"))?;
        command.arg(part.name());
        if *part == Part::Packets {
            let sizes: Vec<String> = wanted.profiles.iter().map(usize::to_string).collect();
            command.arg("--profiles").arg(sizes.join(","));
            if !processor_counts() {
                command.arg("--counted").arg(count_in_machine(&sizes.join(","))?);
            }
        }
        if wanted.json {
            objects.push(format!("\"{}\": {}", part.name(), read(command.arg("--json"))?.trim()));
        } else {
            run(&mut command)?;
        }
    }
    if wanted.json {
        println!("{{\n{}\n}}", objects.join(",\n"));
    }
    Ok(())
}

/// Whether the processor, and the host below a virtual machine, count instructions for us.
fn processor_counts() -> bool {
    let devices = fs::read_dir("/sys/bus/event_source/devices").into_iter().flatten().flatten();
    devices.into_iter().any(|device| device.path().join("events/instructions").exists())
}

/// Counts in a virtual machine; the file with what it found, a size to a line.
fn count_in_machine(sizes: &str) -> Result<PathBuf> {
    prepare(Need::Kernel)?;
    eprintln!(
        "bench: this processor does not count instructions: counting on kernel {SERIES} in qemu (a minute or two)"
    );
    let mut figures = String::new();
    let machine = Machine { qemu: COUNTING, arguments: &["packets", sizes] };
    in_machine(SERIES, &machine, |line| {
        if let Some(line) = line.strip_prefix(FIGURES) {
            figures.push_str(line);
            figures.push('\n');
        }
    })?;
    ensure!(
        figures.lines().count() == sizes.split(',').count(),
        "the virtual machine did not measure all sizes"
    );
    let file = target_dir().join("kernels/packets.json");
    fs::write(&file, figures).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
