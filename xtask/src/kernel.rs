//! `cargo xtask kernel`: loads the programs and runs the kernel checks (`tm-vm` of tests) here, or on Debian's kernels in qemu.
//!
//! The machine has no disk: an initramfs holds `tm-vm` as its init and the libraries it loads. It is emulated (TCG), because
//! KVM is missing or hangs on many hosts that run tests. The bench boots the same machine to count instructions.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};

use crate::{
    apt,
    command::{as_root, cargo, read, run, target_dir},
    qemu,
    run::features,
    setup::{Need, prepare},
};

/// Debian 12's two kernel series.
pub(crate) const SERIES: [&str; 2] = ["6.1", "6.12"];

/// Longest silence of a machine before it is given up.
const SILENCE: Duration = Duration::from_secs(180);

/// What `tm-vm` prints first, before the kernel's release.
const BEGINNING: &str = "kernel ";

/// What `tm-vm` prints last, before the numbers of passed and failed checks.
const VERDICT: &str = "verdict: ";

/// What a machine is given beyond its kernel.
pub(crate) struct Machine<'a> {
    /// Arguments of qemu.
    pub(crate) qemu: &'a [&'a str],
    /// Arguments of `tm-vm`.
    pub(crate) arguments: &'a [&'a str],
}

/// Runs the checks on this machine's kernel.
pub(crate) fn here(debug_program: bool) -> Result<()> {
    prepare(Need::Build)?;
    run(&mut as_root(build(false, debug_program)?)?)
}

/// Runs the checks on the newest kernel of each series, all of them before it says that one failed.
pub(crate) fn in_machines(series: &[impl AsRef<str>], debug_program: bool) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "Debian's kernels are booted on x86-64 machines only");
    prepare(Need::Kernel)?;
    let directory = target_dir().join("kernels");
    // Not optimised: an emulated kernel is slower than it by far.
    let image = initramfs(&build(false, debug_program)?, &directory)?;
    let checks = Machine { qemu: &["-m", "1024"], arguments: &[] };
    let mut failed = Vec::new();
    for series in series {
        let (name, kernel) = unpacked(series.as_ref(), &directory)?;
        match boot(&kernel, &image, &checks, |line| println!("  {line}")) {
            Ok(verdict) => println!("kernel {name}: {verdict}"),
            Err(error) => {
                println!("kernel {name}: {error:#}");
                failed.push(name);
            }
        }
    }
    ensure!(failed.is_empty(), "failed on {}", failed.join(", "));
    Ok(())
}

/// Runs `tm-vm`, optimised, in one machine with the newest kernel of a series; what it prints goes to `heard` line by line.
pub(crate) fn in_machine(series: &str, machine: &Machine<'_>, heard: impl FnMut(&str)) -> Result<String> {
    let directory = target_dir().join("kernels");
    let image = initramfs(&build(true, false)?, &directory)?;
    let (name, kernel) = unpacked(series, &directory)?;
    boot(&kernel, &image, machine, heard).with_context(|| format!("on kernel {name}"))
}

fn build(optimised: bool, debug_program: bool) -> Result<PathBuf> {
    let mut command = cargo(&["build", "--locked", "--package", "tm-tests", "--bin", "tm-vm"]);
    command.args(features(debug_program));
    if optimised {
        command.arg("--release");
    }
    run(&mut command)?;
    Ok(target_dir().join(if optimised { "release/tm-vm" } else { "debug/tm-vm" }))
}

/// Packs the program as `/init` with the libraries that `ldd` names.
fn initramfs(program: &Path, directory: &Path) -> Result<PathBuf> {
    let root = directory.join("root");
    fs::remove_dir_all(&root).or_else(|error| if root.exists() { Err(error) } else { Ok(()) })?;
    fs::create_dir_all(&root)?;
    run(Command::new("strip").arg("--strip-debug").arg("-o").arg(root.join("init")).arg(program))?;
    for library in libraries(&read(Command::new("ldd").arg(program))?) {
        let to = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap_or(&root))?;
        fs::copy(library, &to).with_context(|| format!("cannot copy {library} for the virtual machine"))?;
    }
    let image = directory.join("initramfs.cpio");
    run(Command::new("sh")
        .args(["-c", "find . | cpio --quiet --create --format=newc > ../initramfs.cpio"])
        .current_dir(&root))?;
    Ok(image)
}

/// The paths in what `ldd` prints: `name => /path (address)`, and `/path (address)` for the loader.
fn libraries(ldd: &str) -> Vec<&str> {
    ldd.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/'))).collect()
}

/// The newest kernel of a series, downloaded and unpacked: its name and its image.
fn unpacked(series: &str, directory: &Path) -> Result<(String, PathBuf)> {
    ensure!(apt::is_here(), "the kernels are Debian's packages: run this on a Debian machine");
    let mut lists = apt::Lists::default();
    let pattern = format!(r"^linux-image-{}\..*-cloud-amd64$", series.replace('.', r"\."));
    let mut package = newest(&search(&pattern)?);
    if package.is_none() {
        lists.update();
        package = newest(&search(&pattern)?);
    }
    let package =
        package.ok_or_else(|| anyhow!("Debian has no kernel of series {series} for this machine"))?;
    let name = package.trim_start_matches("linux-image-").to_owned();
    let files = directory.join(&package);
    let kernel = files.join("boot").join(format!("vmlinuz-{name}"));
    if !kernel.exists() {
        eprintln!("kernel: fetching {package}");
        let packages = [package.clone()];
        if apt::unpack(&packages, &files).is_err() {
            lists.update();
            apt::unpack(&packages, &files)?;
        }
    }
    ensure!(kernel.exists(), "{package} holds no {}", kernel.display());
    Ok((name, kernel))
}

fn search(pattern: &str) -> Result<String> {
    read(Command::new("apt-cache").args(["search", "--names-only", pattern]))
}

/// The package of the highest version among the lines of `apt-cache search`.
fn newest(found: &str) -> Option<String> {
    let names = found.lines().filter_map(|line| line.split(" - ").next());
    names.max_by_key(|name| version(name)).map(str::to_owned)
}

/// The numbers in a package's name, in order.
fn version(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// Boots the kernel, passes on what `tm-vm` prints, and returns the verdict where nothing failed.
fn boot(kernel: &Path, initramfs: &Path, machine: &Machine<'_>, heard: impl FnMut(&str)) -> Result<String> {
    let line = format!("console=ttyS0 quiet panic=-1 -- {}", machine.arguments.join(" "));
    let mut machine = qemu::command()?
        .args(["-machine", "q35,accel=tcg", "-nographic", "-no-reboot", "-nic", "none"])
        .args(machine.qemu)
        .args(["-append", &line, "-kernel"])
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start qemu-system-x86_64")?;
    let output = machine.stdout.take().context("the machine has no console")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // A console may print bytes that are no UTF-8.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim().to_owned()).is_err() {
                break;
            }
        }
    });
    let verdict = follow(&lines, heard);
    machine.kill().ok(); // it may be gone already
    machine.wait()?;
    verdict
}

/// Reads the console to its end or to a long silence. What comes before the checks is shown only where no verdict comes.
fn follow(lines: &mpsc::Receiver<String>, mut heard: impl FnMut(&str)) -> Result<String> {
    let (mut before, mut begun) = (Vec::new(), false);
    let reason = loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                if let Some(verdict) = line.strip_prefix(VERDICT) {
                    ensure!(verdict.ends_with(", 0 failed"), "{verdict}");
                    return Ok(verdict.to_owned());
                }
                begun |= line.starts_with(BEGINNING);
                if begun {
                    heard(&line);
                } else {
                    before.push(line);
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break "stopped before its verdict".to_owned(),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                break format!("silent for {} s, given up", SILENCE.as_secs());
            }
        }
    };
    for line in before {
        println!("  {}", line.escape_debug());
    }
    Err(anyhow!(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_is_newest_by_number() {
        let found =
            "linux-image-6.1.0-9-cloud-amd64 - Linux 6.1\nlinux-image-6.1.0-56-cloud-amd64 - Linux 6.1\n";
        assert_eq!(newest(found).as_deref(), Some("linux-image-6.1.0-56-cloud-amd64"));
        let found = "linux-image-6.12.100+deb12-cloud-amd64 - L\nlinux-image-6.12.9+deb12-cloud-amd64 - L\n";
        assert_eq!(newest(found).as_deref(), Some("linux-image-6.12.100+deb12-cloud-amd64"));
        assert_eq!(newest(""), None);
    }

    #[test]
    fn the_libraries_of_a_program_are_the_paths_that_ldd_prints() {
        let ldd = "\tlinux-vdso.so.1 (0x7f)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f)\n\t/lib64/ld-linux-x86-64.so.2 (0x7f)\n";
        assert_eq!(libraries(ldd), ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }

    #[test]
    fn only_a_verdict_without_failures_is_good() {
        let console = |text: &[&str]| {
            let (sender, lines) = mpsc::channel();
            text.iter().for_each(|line| sender.send((*line).to_owned()).unwrap());
            drop(sender);
            follow(&lines, |_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(console(&["loaded", "verdict: 7 passed, 0 failed"]), Ok("7 passed, 0 failed".to_owned()));
        assert_eq!(console(&["verdict: 6 passed, 1 failed"]), Err("6 passed, 1 failed".to_owned()));
        assert_eq!(console(&["Kernel panic"]), Err("stopped before its verdict".to_owned()));
    }
}
