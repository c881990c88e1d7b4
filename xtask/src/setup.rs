//! Brings a machine to where a task can run: the BPF toolchain and the programs that the task calls.
//!
//! It looks first and installs only what is missing, so that on a prepared machine it costs milliseconds.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;

use crate::{
    apt, clients,
    command::{cargo, read, run},
    data, qemu,
    step::step,
    toolchain::{Toolchain, on_path},
};

/// The release of bpf-linker that the objects are tested with.
const BPF_LINKER: &str = "bpf-linker@0.13.0";

/// What is to be done next; each names the programs it calls beyond the toolchain.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Need {
    /// Compile the product
    Build,
    /// Run it or its demo
    Run,
    /// Run the tests
    Test,
    /// Boot other kernels
    Kernel,
    /// Measure
    Bench,
    /// Check a change as a whole
    Ci,
    /// Every one of these
    All,
}

impl Need {
    /// Programs and the Debian packages that hold them.
    fn programs(self) -> Vec<(&'static str, &'static str)> {
        let run = [("ip", "iproute2"), ("ethtool", "ethtool"), ("dig", "bind9-dnsutils")];
        let test = [
            ("kdig", "knot-dnsutils"),
            ("nsenter", "util-linux"),
            ("curl", "curl"),
            ("knotd", "knot"),
            ("named", "bind9"),
            ("nsd", "nsd"),
            ("promtool", "prometheus"),
            ("unbound", "unbound"),
            ("chromium", "chromium"),
            ("fstrm_capture", "fstrm-bin"),
            ("dnstap-ldns", "dnstap-ldns"),
            ("nmap", "nmap"),
            ("zonemaster-cli", "zonemaster-cli"),
        ];
        let kernel = [("cpio", "cpio")];
        let bench = [("dnsperf", "dnsperf"), ("kxdpgun", "knot-dnsutils"), ("gdnsd", "gdnsd")];
        match self {
            Self::Build => Vec::new(),
            Self::Run => run.to_vec(),
            Self::Test => [&run[..], &test].concat(),
            Self::Kernel => kernel.to_vec(),
            Self::Bench => [&run[..], &test, &bench].concat(),
            Self::Ci => [&run[..], &test, &kernel].concat(),
            Self::All => [&run[..], &test, &kernel, &bench].concat(),
        }
    }
}

/// Installs what is missing and says so even where that is nothing.
pub(crate) fn prepare_and_say(need: Need) -> Result<()> {
    prepare(need)?;
    let toolchain = Toolchain::find().map_err(|message| anyhow!(message))?;
    eprintln!("setup: everything is here (BPF by {}, LLVM {})", toolchain.rustc.display(), toolchain.llvm);
    Ok(())
}

/// Installs what is missing for a task; silent where nothing is.
pub(crate) fn prepare(need: Need) -> Result<()> {
    let mut lists = apt::Lists::default();
    if matches!(need, Need::Ci | Need::All) {
        components()?;
    }
    let toolchain = compiler(&mut lists)?;
    if toolchain.linker().is_err() {
        linker(&mut lists, toolchain.llvm)?;
        toolchain.linker().map_err(|message| anyhow!("after installing {BPF_LINKER}: {message}"))?;
    }
    programs(&mut lists, need)?;
    if matches!(need, Need::Test | Need::Ci | Need::All) {
        data::fetch(&mut lists)?;
        clients::install(&mut lists)?;
    }
    if matches!(need, Need::Kernel | Need::Ci | Need::All) {
        qemu::fetch(&mut lists)?;
    }
    Ok(())
}

/// Finds the compiler for BPF, or installs Debian's where Debian has it, or else rustup's nightly.
fn compiler(lists: &mut apt::Lists) -> Result<Toolchain> {
    if let Ok(toolchain) = Toolchain::find() {
        return Ok(toolchain);
    }
    // A fixed release with its own source; a nightly moves.
    let debian = ["rustc-web", "rust-web-src"].map(String::from);
    if apt::is_here() && apt::offers(lists, &debian[0])? {
        apt::install(lists, &debian)?;
    } else if on_path("rustup").is_some() {
        let arguments =
            ["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"];
        step("installing a nightly Rust with its source", || {
            run(Command::new("rustup").args(arguments))
                .with_context(|| format!("install by hand: rustup {}", arguments.join(" ")))
        })?;
    } else {
        bail!(
            "no compiler for BPF can be installed here: install rustup (https://rustup.rs), then run \
             `rustup toolchain install nightly --profile minimal --component rust-src`"
        );
    }
    Toolchain::find().map_err(|message| anyhow!("after installing the compiler: {message}"))
}

/// Builds bpf-linker against the LLVM that the compiler has.
fn linker(lists: &mut apt::Lists, llvm: u32) -> Result<()> {
    let mut prefix = format!("/usr/lib/llvm-{llvm}");
    let by_hand = format!(
        "LLVM_PREFIX=<LLVM {llvm}> cargo install {BPF_LINKER} --locked --no-default-features --features llvm-{llvm}"
    );
    // The library is what the linker links with; the symbolic link to it comes with the headers.
    if !Path::new(&prefix).join("lib/libLLVM.so").exists() {
        let package = format!("llvm-{llvm}-dev");
        if apt::is_here() && apt::offers(lists, &package)? {
            apt::install(lists, &[package])?;
        } else {
            prefix = installed_llvm(llvm).with_context(|| {
                format!("bpf-linker needs LLVM {llvm} with its headers: install that, then run `{by_hand}`")
            })?;
        }
    }
    let feature = format!("llvm-{llvm}");
    let arguments =
        ["install", BPF_LINKER, "--locked", "--force", "--no-default-features", "--features", &feature];
    step(&format!("building {BPF_LINKER} against LLVM {llvm} in {prefix} (some minutes)"), || {
        run(cargo(&arguments).env("LLVM_PREFIX", &prefix))
            .with_context(|| format!("bpf-linker did not build: try `{by_hand}`"))
    })
}

/// Where `llvm-config` says that this major of LLVM lies.
fn installed_llvm(llvm: u32) -> Option<String> {
    [format!("llvm-config-{llvm}"), "llvm-config".to_owned()]
        .iter()
        .find_map(|program| {
            let ask = |what| read(Command::new(program).arg(what)).ok();
            ask("--version")?.starts_with(&format!("{llvm}.")).then(|| ask("--prefix"))?
        })
        .map(|prefix| prefix.trim().to_owned())
}

/// Installs the packages of the programs that are not here.
fn programs(lists: &mut apt::Lists, need: Need) -> Result<()> {
    let missing: Vec<_> =
        need.programs().into_iter().filter(|(program, _)| on_path(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<String> = missing.iter().map(|(_, package)| (*package).to_owned()).collect();
    packages.sort();
    packages.dedup();
    if apt::is_here() {
        return apt::install(lists, &packages);
    }
    let names: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
    bail!(
        "not installed: {}; install them with this system's packages (Debian calls these {})",
        names.join(", "),
        packages.join(", ")
    )
}

/// Adds rustfmt and clippy to the toolchain where it lacks them (rustup's proxies stand there either way).
fn components() -> Result<()> {
    let sysroot = read(Command::new("rustc").args(["--print", "sysroot"]))?;
    let bin = Path::new(sysroot.trim()).join("bin");
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        if !bin.join(program).exists() {
            step(&format!("adding {component} to the Rust toolchain"), || {
                run(Command::new("rustup").args(["component", "add", component]))
                    .with_context(|| format!("install by hand: rustup component add {component}"))
            })?;
        }
    }
    Ok(())
}
