//! Everything a developer runs: `cargo xtask setup`, `run`, `test`, `kernel`, `bench`, `fuzz`, `coverage` and `ci`.
//!
//! Each command first calls the set-up for what it needs itself, so that any of them is the first command on a fresh machine.

mod apt;
mod bench;
mod check;
mod clients;
mod command;
mod coverage;
mod data;
mod fuzz;
mod kernel;
mod qemu;
mod run;
mod setup;
mod step;
mod test;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::setup::Need;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything a developer runs", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install whatever is missing, for everything or for one task
    Setup {
        /// The task to prepare for
        #[arg(long = "for", value_name = "TASK", value_enum, default_value_t = Need::All)]
        need: Need,
    },
    /// Build everything and run the demo; arguments after `--` run the daemon itself
    Run {
        /// Have the XDP program log every packet: slow, for debugging
        #[arg(long)]
        debug_program: bool,
        /// Arguments of `tm serve`, such as `--iface eth0 --config /etc/tm`
        #[arg(last = true)]
        serve: Vec<String>,
    },
    /// Run every test; the tests need root
    Test {
        /// Only tests whose name contains this, and arguments of the test programs after `--`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Load the programs and run the kernel checks here, or on Debian's kernels in a virtual machine
    Kernel {
        /// Those that log every packet, which are larger
        #[arg(long)]
        debug_program: bool,
        /// On the newest of each of Debian's kernel series
        #[arg(long, conflicts_with = "series")]
        all: bool,
        /// On the newest of these series, such as 6.1 or 6.12
        series: Vec<String>,
    },
    /// Measure and print tables of figures
    Bench(bench::Bench),
    /// Run fuzz targets, each for a while
    Fuzz {
        /// The target; all of them where none is given
        target: Option<String>,
        /// How long each runs
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measure how much of the packet code the tests go through
    Coverage,
    /// Everything a change must pass: format, lints, tests, kernels
    Ci,
}

fn main() -> ExitCode {
    let done = coverage::compile().unwrap_or_else(perform);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line asks for.
fn perform() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Setup { need } => setup::prepare_and_say(need),
        Task::Run { debug_program, serve } if serve.is_empty() => run::demo(debug_program),
        Task::Run { debug_program, serve } => run::daemon(debug_program, &serve),
        Task::Test { arguments } => test::all(&arguments),
        Task::Kernel { all: false, series, debug_program } if series.is_empty() => {
            kernel::here(debug_program)
        }
        Task::Kernel { all: true, debug_program, .. } => kernel::in_machines(&kernel::SERIES, debug_program),
        Task::Kernel { all: false, series, debug_program } => kernel::in_machines(&series, debug_program),
        Task::Bench(wanted) => bench::measure(&wanted),
        Task::Fuzz { target, seconds } => fuzz::run_targets(target.as_deref(), seconds),
        Task::Coverage => coverage::measure(),
        Task::Ci => check::everything(),
    }
}
