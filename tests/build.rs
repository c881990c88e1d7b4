//! Tells the kit where the objects lie that the build script of tm-userspace made.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    // The crate embeds whole directories: a file that is new in one of them is a change.
    for path in ["build.rs", "golden", "fuzz/corpus"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for (from, to) in [("DEP_TM_EBPF_RIG", "TM_RIG_OBJECT"), ("DEP_TM_EBPF_PROGRAM", "TM_PROGRAM_OBJECT")] {
        let Ok(path) = env::var(from) else {
            println!("cargo::error={from} is not set: the build script of tm-userspace gives it");
            return ExitCode::FAILURE;
        };
        println!("cargo::rustc-env={to}={path}");
    }
    ExitCode::SUCCESS
}
