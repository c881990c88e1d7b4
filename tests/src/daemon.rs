//! The real daemon, started on the lab's server with files of the test's own, and its log to wait on.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    DEADLINE,
    bpffs::BpfFs,
    lab::Lab,
    log::{Log, spawn},
};

/// A running `tm serve`; it is ended with this handle.
pub struct Daemon {
    child: Child,
    log: Arc<Log>,
    /// Lines that a wait has consumed.
    seen: usize,
    directory: TempDir,
    bpf: BpfFs,
}

impl Daemon {
    /// Starts the daemon with these files (path within the configuration's directory, text). In the texts `{dir}` stands for
    /// that directory, which is the test's own: a place for `state_dir`. `{bpf}` stands for a BPF file system of its own: a place
    /// for `pins`.
    pub fn start(lab: &Lab, files: &[(&str, &str)]) -> Result<Self> {
        Self::start_by(&[], lab, files)
    }

    /// The same by way of a command that becomes the daemon, such as `setpriv` or `env` with their arguments.
    pub fn start_by(way: &[&str], lab: &Lab, files: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot make a directory for the daemon")?;
        let bpf = BpfFs::new()?;
        for (path, text) in files {
            write(directory.path(), &bpf, path, text)?;
        }
        let (child, log) = spawn(&mut serve(way, lab, directory.path())?)?;
        Ok(Self { child, log, seen: 0, directory, bpf })
    }

    /// Starts it again over the same files, after [`Self::kill`] or [`Self::stop`].
    pub fn restart(&mut self, lab: &Lab) -> Result<()> {
        self.kill()?;
        (self.child, self.log) = spawn(&mut serve(&[], lab, self.directory.path())?)?;
        self.seen = 0;
        Ok(())
    }

    /// Where its configuration lies.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The BPF file system that its texts call `{bpf}`.
    pub fn bpf(&self) -> &BpfFs {
        &self.bpf
    }

    /// Writes one of its files anew.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        write(self.directory(), &self.bpf, path, text)
    }

    /// A client subcommand of `tm` on the server, for this daemon.
    pub fn tm(&self, lab: &Lab, arguments: &[&str]) -> Result<Command> {
        let mut command = lab.server(&binary("tm")?.to_string_lossy());
        command.args(arguments).arg("--config").arg(self.directory());
        Ok(command)
    }

    /// Waits for the next line of the log that is wanted, after those that earlier waits consumed, and returns it. Panics after
    /// ten seconds or when the daemon ends first, and shows the log.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let (at, line) = self.log.wait_for("the daemon", self.seen, what, wanted);
        self.seen = at + 1;
        line
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Every line of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// Sends it a signal, such as [`Signal::HUP`].
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| anyhow!("the daemon has no process id"))?;
        kill_process(pid, signal).with_context(|| format!("cannot send {signal:?} to the daemon"))
    }

    /// Kills it where it stands (SIGKILL) and waits for its end; what it has pinned in the kernel stays.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it has ended by itself and returns its exit code; none where a signal ended it. After ten seconds that is an error.
    pub fn wait(&mut self) -> Result<Option<i32>> {
        ensure!(self.log.wait_for_end(), "the daemon did not end within {DEADLINE:?}");
        Ok(self.child.wait()?.code())
    }

    /// Asks it to end (SIGTERM), waits for that and returns its exit code; none where a signal ended it. After ten seconds it is
    /// killed, which is an error.
    pub fn stop(&mut self) -> Result<Option<i32>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status.code());
        }
        self.signal(Signal::TERM)?;
        if !self.log.wait_for_end() {
            self.kill()?;
            return Err(anyhow!("the daemon did not end within {DEADLINE:?} of SIGTERM"));
        }
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log.lines().join("\n"));
        }
    }
}

/// A program of the workspace, beside this one: tests run from `deps/` under the directory of the programs.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program lies")?;
    let found =
        own.ancestors().skip(1).take(2).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        anyhow!(
            "{name} is not built beside {}: run the tests through `cargo xtask test`, which builds it",
            own.display()
        )
    })
}

/// `tm serve` on the server, run by way of another command.
fn serve(way: &[&str], lab: &Lab, directory: &Path) -> Result<Command> {
    let tm = binary("tm")?;
    let tm = tm.to_string_lossy();
    let words = [way, &[&tm, "serve", "--log-format", "json", "--config"]].concat();
    let mut command = lab.server(words[0]);
    command.args(&words[1..]).arg(directory);
    Ok(command)
}

fn write(directory: &Path, bpf: &BpfFs, path: &str, text: &str) -> Result<()> {
    let file = directory.join(path);
    let text =
        text.replace("{dir}", &directory.to_string_lossy()).replace("{bpf}", &bpf.path().to_string_lossy());
    let write = || {
        fs::create_dir_all(file.parent().unwrap_or(directory))?;
        fs::write(&file, text)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Daemon {
        let (child, log) = spawn(Command::new("sh").args(["-c", text])).unwrap();
        let (directory, bpf) = (tempfile::tempdir().unwrap(), BpfFs::new().unwrap());
        Daemon { child, log, seen: 0, directory, bpf }
    }

    #[test]
    fn waits_go_through_the_log_line_by_line() {
        let mut daemon = script("echo one >&2; echo two >&2; echo one more >&2; read nothing");
        assert_eq!(daemon.wait_for("one", |line| line.starts_with("one")), "one");
        assert_eq!(daemon.wait_for("one again", |line| line.starts_with("one")), "one more");
        assert_eq!(daemon.log(), ["one", "two", "one more"]);
    }

    #[test]
    #[should_panic(expected = "waited for a word, but the daemon ended; its log:\nno config")]
    fn a_wait_fails_as_soon_as_the_daemon_ends() {
        script("echo no config >&2; exit 1").wait_for("a word", |line| line == "word");
    }

    #[test]
    fn a_daemon_ends_on_the_signal_it_handles() {
        let mut daemon =
            script("trap 'exit 7' TERM; trap 'echo again >&2' USR1; echo ready >&2; while :; do :; done");
        daemon.wait_for("ready", |line| line == "ready");
        // Not SIGHUP, which a shell below `nohup` cannot handle.
        daemon.signal(Signal::USR1).unwrap();
        daemon.wait_for("the signal", |line| line == "again");
        assert_eq!(daemon.stop().unwrap(), Some(7));
    }

    #[test]
    fn files_know_their_places() {
        let daemon = script("exit 0");
        daemon.write("conf.d/a.toml", "{dir}/state {bpf}/tm").unwrap();
        let text = fs::read_to_string(daemon.directory().join("conf.d/a.toml")).unwrap();
        let expected = format!("{}/state {}/tm", daemon.directory().display(), daemon.bpf().path().display());
        assert_eq!(text, expected);
    }
}
