//! Runs the kernel checks, or with `packets N,N...` counts what packets cost with so many profiles: on this machine, or as the init of a
//! virtual machine, whose kernel hands on what stands after `--` in its command line, and which is switched off at the end.
//!
//! The last line printed is `verdict: N passed, M failed`.

use std::{env, fs, process::ExitCode};

use anyhow::{Context, Result, bail};
use rustix::{
    mount::{MountFlags, mount},
    process::{Resource, Rlimit, setrlimit},
    system::{RebootCommand, reboot},
};
use tm_tests::{
    bench::packets::{FIGURES, measure},
    kernel,
    namespace::require_root,
};

/// Enough where a processor is emulated: every round is the same.
const ROUNDS: usize = 2;

fn main() -> ExitCode {
    let is_init = std::process::id() == 1;
    require_root();
    let outcome = if is_init { prepare_machine() } else { Ok(()) }.and_then(|()| run());
    let failed = match outcome {
        Ok((passed, failed)) => {
            println!("verdict: {passed} passed, {failed} failed");
            failed
        }
        Err(error) => {
            println!("verdict: {error:#}, 1 failed to start");
            1
        }
    };
    if is_init {
        rustix::fs::sync();
        if let Err(error) = reboot(RebootCommand::PowerOff) {
            println!("cannot switch the machine off: {error}");
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does what the arguments say; how much of it was done and how much failed.
fn run() -> Result<(usize, usize)> {
    println!(); // the firmware leaves its last line open
    println!("kernel {}", kernel::release()?);
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(kernel::run_checks()),
        ["packets", sizes] => Ok((count_packets(sizes)?, 0)),
        _ => bail!("wrong arguments: {arguments:?}"),
    }
}

/// Prints the figures of each size on a line.
fn count_packets(sizes: &str) -> Result<usize> {
    let mut done = 0;
    for size in sizes.split(',') {
        let profiles = size.parse().with_context(|| format!("{size} is no number of profiles"))?;
        println!("{FIGURES}{}", serde_json::to_string(&measure(profiles, ROUNDS)?)?);
        done += 1;
    }
    Ok(done)
}

/// What an init owes the programs after it: the kernel's file systems, and memory to lock.
fn prepare_machine() -> Result<()> {
    let mounts = [
        ("proc", "/proc", "proc"),
        ("sysfs", "/sys", "sysfs"),
        ("bpf", "/sys/fs/bpf", "bpf"),
        ("devtmpfs", "/dev", "devtmpfs"),
        ("tmpfs", "/tmp", "tmpfs"),
    ];
    for (source, target, kind) in mounts {
        // In /sys the directories exist and none can be made.
        if !target.starts_with("/sys/") {
            fs::create_dir_all(target).with_context(|| format!("cannot make {target}"))?;
        }
        mount(source, target, kind, MountFlags::empty(), None)
            .with_context(|| format!("cannot mount {kind} on {target}"))?;
    }
    setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None })
        .context("cannot raise the limit of locked memory")
}
