//! Runs the kernel checks: on this machine, or as the init of a virtual machine, which it switches off at the end.
//!
//! The last line printed is `verdict: N passed, M failed`.

use std::{fs, process::ExitCode};

use anyhow::{Context, Result};
use rustix::{
    mount::{MountFlags, mount},
    process::{Resource, Rlimit, setrlimit},
    system::{RebootCommand, reboot},
};
use tm_tests::{kernel, namespace::require_root};

fn main() -> ExitCode {
    let is_init = std::process::id() == 1;
    require_root();
    let outcome = if is_init { prepare_machine() } else { Ok(()) }.and_then(|()| check());
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

fn check() -> Result<(usize, usize)> {
    println!(); // the firmware leaves its last line open
    println!("kernel {}", kernel::release()?);
    Ok(kernel::run_checks())
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
