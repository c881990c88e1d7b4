//! Compiles the XDP programs (package tm-ebpf) for the kernel and leaves the objects where the crate includes them from.
//!
//! `OUT_DIR/tm-ebpf` is the product's program, `OUT_DIR/tm-rig` what tests and benches load beside it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

/// The binaries of package tm-ebpf.
const OBJECTS: [&str; 2] = ["tm-ebpf", "tm-rig"];

/// `--disable-expand-memcpy-in-order` halves the cost of every copy; `--btf` is what map definitions and line info need.
const LINK_ARGUMENTS: [&str; 2] = ["--disable-expand-memcpy-in-order", "--btf"];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={}", message.replace('\n', "; "));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = manifest.parent().ok_or("tm-userspace lies outside the workspace")?;
    for source in ["tm-ebpf", "tm-common", "Cargo.toml", "Cargo.lock", "xtask/src/toolchain.rs"] {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }

    let toolchain = toolchain::Toolchain::find()?;
    let linker = toolchain.linker()?;
    println!("cargo::rerun-if-changed={}", toolchain.rustc.display());
    println!("cargo::rerun-if-changed={}", linker.display());

    let target = target_dir(&out)?.join("bpf");
    compile(workspace, &target, &toolchain, &linker)?;
    for object in OBJECTS {
        let (from, to) = (target.join("bpfel-unknown-none/ebpf").join(object), out.join(object));
        fs::copy(&from, &to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    }
    println!("cargo::metadata=program={}", out.join("tm-ebpf").display());
    println!("cargo::metadata=rig={}", out.join("tm-rig").display());
    Ok(())
}

fn compile(
    workspace: &Path,
    target: &Path,
    toolchain: &toolchain::Toolchain,
    linker: &Path,
) -> Result<(), String> {
    let mut flags = vec![format!("--cfg=bpf_target_arch=\"{}\"", variable("CARGO_CFG_TARGET_ARCH")?)];
    flags.extend(LINK_ARGUMENTS.map(|argument| format!("-Clink-arg={argument}")));

    // A nightly brings the cargo that fits its source. Debian's may be older than its compiler: there the running one serves.
    let own = toolchain.rustc.with_file_name("cargo");
    let has_own = toolchain.rustc != Path::new(toolchain::DEBIAN_RUSTC) && own.is_file();
    let mut cargo = Command::new(if has_own { own } else { PathBuf::from(variable("CARGO")?) });
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_build(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
        .current_dir(workspace)
        .args(["build", "--package", "tm-ebpf", "--bins", "--profile", "ebpf", "--locked"])
        .args(["-Z", "build-std=core", "--target", "bpfel-unknown-none", "--target-dir"])
        .arg(target)
        .args(env::var_os("CARGO_FEATURE_DEBUG_PROGRAM").map(|_| "--features=log"))
        .env("RUSTC", &toolchain.rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let output = cargo.output().map_err(|error| format!("cannot run {cargo:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        for line in said.lines().filter(|line| line.starts_with("warning: ")) {
            println!("cargo::warning=tm-ebpf: {line}");
        }
        return Ok(());
    }
    eprintln!("{said}"); // cargo shows a build script's stderr when the script fails
    Err(format!(
        "tm-ebpf did not compile for BPF with {} (its errors stand below)",
        toolchain.rustc.display()
    ))
}

/// Whether an environment variable belongs to the cargo that runs this script and would mislead the one it starts.
fn is_of_this_build(name: &str) -> bool {
    const EXACT: [&str; 14] = [
        "CARGO",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "DEBUG",
        "HOST",
        "MAKEFLAGS",
        "MFLAGS",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "TARGET",
    ];
    const BEGINNINGS: [&str; 9] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "DEP_",
        "RUSTC", // RUSTC_WORKSPACE_WRAPPER is clippy's
    ];
    EXACT.contains(&name)
        || name == "RUSTFLAGS"
        || name == "RUSTDOCFLAGS"
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// The workspace's target directory: `OUT_DIR` is `target[/TRIPLE]/PROFILE/build/PACKAGE/out`.
fn target_dir(out: &Path) -> Result<&Path, String> {
    let above = out.ancestors().nth(4).ok_or_else(|| format!("OUT_DIR is too short: {}", out.display()))?;
    let triple = variable("TARGET")?;
    Ok(above.parent().filter(|_| above.ends_with(&triple)).unwrap_or(above))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo did not set {name}"))
}
