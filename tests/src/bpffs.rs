//! A BPF file system of a test's own, gone with its handle.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

/// It is mounted as long as this lives.
#[derive(Debug)]
pub struct BpfFs {
    directory: TempDir,
}

impl BpfFs {
    /// Mounts one in a directory of its own.
    pub fn new() -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot make a directory to mount in")?;
        mount("bpf", directory.path(), "bpf", MountFlags::empty(), None)
            .context("cannot mount a BPF file system")?;
        Ok(Self { directory })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Every file that was pinned in it, from its top; the kernel puts two of its own there.
    pub fn files(&self) -> Vec<String> {
        let mut files = vec![];
        gather(self.path().to_owned(), &mut files);
        let shown = |path: PathBuf| path.strip_prefix(self.path()).unwrap_or(&path).display().to_string();
        let mut files: Vec<String> =
            files.into_iter().map(shown).filter(|file| !file.ends_with(".debug")).collect();
        files.sort();
        files
    }
}

fn gather(path: PathBuf, files: &mut Vec<PathBuf>) {
    match std::fs::read_dir(&path) {
        Ok(entries) => entries.flatten().for_each(|entry| gather(entry.path(), files)),
        // A file, not a directory.
        Err(_) => files.push(path),
    }
}

impl Drop for BpfFs {
    fn drop(&mut self) {
        if let Err(error) = unmount(self.path(), UnmountFlags::DETACH) {
            eprintln!("{} stays mounted: {error}", self.path().display());
        }
    }
}
