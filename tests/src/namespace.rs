//! A network namespace that goes when its handle goes, and running commands and closures in it.

use std::{
    fs::{self, File},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use anyhow::{Context, Result, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip netns` keeps them.
const DIRECTORY: &str = "/run/netns";

/// One network namespace.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one of this name, with its `lo` up.
    pub fn named(name: &str) -> Result<Self> {
        require_root();
        // The first `ip netns add` of a machine mounts the directory; two at once trip over each other.
        let lock = File::create("/run/tm-tests.lock").context("cannot create /run/tm-tests.lock")?;
        lock.lock().context("cannot lock /run/tm-tests.lock")?;
        remove_orphans();
        run(Command::new("ip").args(["netns", "add", name]))?;
        let namespace = Self { name: name.to_owned() };
        run(namespace.command("ip").args(["link", "set", "lo", "up"]))?;
        Ok(namespace)
    }

    /// Makes one whose name is this process's own: `tm-PID-NUMBER-ROLE`.
    pub fn new(role: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("tm-{}-{number}-{role}", std::process::id()))
    }

    /// What `ip netns` calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.name)
    }

    /// A command that runs in it. Unlike `ip netns exec`, this leaves the mounts alone: `/sys/fs/bpf` stays in sight.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs a closure on a thread of its own in it; sockets it opens stay in the namespace. A panic in it goes on here.
    pub fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T> {
        let path = self.path();
        let file = File::open(&path).with_context(|| format!("cannot open namespace {}", path.display()))?;
        let done = thread::scope(|scope| {
            scope
                .spawn(|| {
                    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
                    Ok::<T, rustix::io::Errno>(inside())
                })
                .join()
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .with_context(|| format!("cannot enter namespace {}", self.name))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("ip").args(["netns", "delete", &self.name])) {
            eprintln!("namespace {} stays behind: {error:#}", self.name);
        }
    }
}

/// Panics, so that the test fails, where the process is not root's: nothing is skipped.
pub fn require_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test needs root (network namespaces, BPF): run it through `cargo xtask test`"
    );
}

/// Runs a command to its end; an error names it and says what it said.
pub fn run(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}").replace('"', "");
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown} failed ({}): {}", output.status, said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Removes namespaces of test processes that were killed.
fn remove_orphans() {
    for entry in fs::read_dir(DIRECTORY).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("tm-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists())
            && let Err(error) = run(Command::new("ip").args(["netns", "delete", &name]))
        {
            eprintln!("namespace {name} of a process that is gone stays behind: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_goes_with_its_handle() {
        let namespace = Namespace::new("alone").unwrap();
        let path = namespace.path();
        let links = run(namespace.command("ip").args(["-brief", "link"])).unwrap();
        assert_eq!(links.lines().count(), 1, "only lo: {links}");
        assert!(path.exists());
        drop(namespace);
        assert!(!path.exists());
    }

    #[test]
    fn a_closure_runs_inside_and_its_panic_comes_out() {
        let namespace = Namespace::new("inside").unwrap();
        let links = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/dev").unwrap()).unwrap();
        assert_eq!(links.lines().filter(|line| line.contains(':')).count(), 1, "only lo: {links}");
        let panicked = std::panic::catch_unwind(|| namespace.enter(|| panic!("from inside")).unwrap());
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"from inside"));
    }

    #[test]
    fn a_failed_command_is_named_with_what_it_said() {
        let error = run(Command::new("ip").args(["link", "show", "tm-none"])).unwrap_err().to_string();
        assert!(error.starts_with("ip link show tm-none failed (exit status: 1): Device"), "{error}");
    }
}
