//! Finds what compiles for the kernel: a rustc with the source of its own `core`, and bpf-linker on the same LLVM.
//!
//! It installs nothing (`setup` does), and uses the standard library alone: the build script of tm-userspace includes this file.

use std::{
    env, fs, iter,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian's rustc-web package puts its compiler.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The oldest LLVM whose output bpf-linker's release reads and links with.
const OLDEST_LLVM: u32 = 21;

/// A rustc whose sysroot holds the source of `core`, as `-Z build-std` needs it.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// The compiler; run it with `RUSTC_BOOTSTRAP=1`.
    pub(crate) rustc: PathBuf,
    /// Major version of the LLVM in it, which bpf-linker must not be older than.
    pub(crate) llvm: u32,
}

impl Toolchain {
    /// The first that is installed: a rustup nightly with rust-src, then Debian's rustc-web with rust-web-src.
    pub(crate) fn find() -> Result<Self, String> {
        let nightlies = nightlies().into_iter().filter(|sysroot| has_core(sysroot));
        let debian = Path::new(DEBIAN_RUSTC);
        let is_whole = || {
            let sysroot = output(debian, &["--print", "sysroot"]).ok()?;
            has_core(Path::new(first_line(&sysroot))).then(|| debian.to_owned())
        };
        let all =
            nightlies.map(|sysroot| sysroot.join("bin/rustc")).chain(iter::once_with(is_whole).flatten());
        let mut old = String::new();
        for found in all.map(Self::of) {
            match found {
                Ok(toolchain) if toolchain.llvm >= OLDEST_LLVM => return Ok(toolchain),
                Ok(Self { rustc, llvm }) => {
                    old = format!("; {} is on LLVM {llvm}, which is too old", rustc.display());
                }
                Err(error) => old = format!("; {error}"),
            }
        }
        Err(format!(
            "no compiler for BPF on LLVM {OLDEST_LLVM} or newer is installed (a rustup nightly with rust-src, or Debian's \
             rustc-web with rust-web-src){old}: run `cargo xtask setup`"
        ))
    }

    fn of(rustc: PathBuf) -> Result<Self, String> {
        let about = output(&rustc, &["-vV"])?;
        let llvm = llvm_of_rustc(&about)
            .ok_or_else(|| format!("{} -vV names no LLVM version:\n{about}", rustc.display()))?;
        Ok(Self { rustc, llvm })
    }

    /// The installed bpf-linker, if its LLVM reads what this compiler writes (LLVM reads bitcode of its own version and older).
    pub(crate) fn linker(&self) -> Result<PathBuf, String> {
        let linker = on_path("bpf-linker").ok_or("bpf-linker is not installed: run `cargo xtask setup`")?;
        // A linker with LLVM linked statically shows no version: then the link itself tells.
        match output(Path::new("ldd"), &[&linker.to_string_lossy()]).ok().and_then(|text| llvm_of_ldd(&text))
        {
            Some(found) if found < self.llvm => Err(format!(
                "{} is built on LLVM {found}, but {} writes LLVM {}: run `cargo xtask setup`",
                linker.display(),
                self.rustc.display(),
                self.llvm
            )),
            _ => Ok(linker),
        }
    }
}

/// Looks a program up on `PATH`, then where cargo installs to, then where Debian keeps what only root runs.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let cargo = home("CARGO_HOME", ".cargo").map(|home| home.join("bin"));
    let root = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(cargo).chain(root).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Sysroots of rustup's nightlies: the undated one first, then the dated, newest first.
fn nightlies() -> Vec<PathBuf> {
    let Some(toolchains) = home("RUSTUP_HOME", ".rustup").map(|home| home.join("toolchains")) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = fs::read_dir(toolchains)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("nightly-")))
        .collect();
    found.sort();
    found.reverse(); // "nightly-x86_64…" sorts after "nightly-2026-…"
    found
}

fn has_core(sysroot: &Path) -> bool {
    // The lock file, too: cargo resolves the standard library by it.
    let library = sysroot.join("lib/rustlib/src/rust/library");
    library.join("core/Cargo.toml").exists() && library.join("Cargo.lock").exists()
}

fn home(variable: &str, default: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(default)))
}

fn output(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{} does not run: {error}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} {}: {}", program.display(), arguments.join(" "), said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn llvm_of_rustc(about: &str) -> Option<u32> {
    let version = about.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

/// From `libLLVM.so.22.1 => …` or, before LLVM 18, `libLLVM-17.so.1 => …`.
fn llvm_of_ldd(text: &str) -> Option<u32> {
    let rest = text.lines().find_map(|line| line.trim_start().strip_prefix("libLLVM"))?;
    let digits = rest.trim_start_matches(['.', '-', 's', 'o']);
    digits.split(['.', ' ', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_of_a_compiler_is_the_major_it_names() {
        let about =
            "rustc 1.96.0 (ac68faa20 2026-05-25)\nbinary: rustc\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(llvm_of_rustc(about), Some(22));
        assert_eq!(llvm_of_rustc("release: 1.96.0\n"), None);
    }

    #[test]
    fn the_llvm_of_a_linker_is_the_library_it_loads() {
        let new =
            "\tlinux-vdso.so.1 (0x0)\n\tlibLLVM.so.22.1 => /usr/lib/llvm-22/lib/libLLVM.so.22.1 (0x0)\n";
        assert_eq!(llvm_of_ldd(new), Some(22));
        assert_eq!(
            llvm_of_ldd("\tlibLLVM-17.so.1 => /usr/lib/llvm-17/lib/libLLVM-17.so.1 (0x0)\n"),
            Some(17)
        );
        assert_eq!(llvm_of_ldd("\tlibc.so.6 => /lib/libc.so.6 (0x0)\n"), None);
    }
}
