//! What outlives the daemon: the links, and the maps that are of use without it, pinned in the BPF file system.
//!
//! Each instance has a directory of its own, named after its `state_dir`:
//!
//! | path | what |
//! | --- | --- |
//! | `links/INDEX` | what holds the program on the interface of this index, and with it all tables but the next one |
//! | `tables-ID/cold` | the programs that are tail-called: the kernel empties this table when nothing but programs holds it |
//! | `tables-ID/counts` | the counters of the loaded object `ID`, for the next daemon to go on from |
//!
//! Names hold letters, digits, `-` and `_` only: the file system refuses dots.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use aya::programs::links::{FdLink, PinnedLink};

/// Where one instance keeps its pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    dir: PathBuf,
}

/// The magic number of the BPF file system, as `statfs` tells it (`linux/magic.h`).
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;
/// What directories of tables are called, before their id.
const TABLES: &str = "tables-";

impl Pins {
    /// Of the instance with this `state_dir`, below `root`.
    pub fn of(root: &Path, state_dir: &Path) -> Self {
        Pins { dir: root.join(escaped(&state_dir.to_string_lossy())) }
    }

    /// Where they are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the directory.
    ///
    /// # Errors
    ///
    /// No BPF file system, or not ours to write.
    pub fn prepare(&self) -> anyhow::Result<()> {
        let there = self.dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
        let system =
            rustix::fs::statfs(there).with_context(|| format!("cannot look at {}", there.display()))?;
        if system.f_type as u64 & 0xffff_ffff != BPF_FS_MAGIC {
            bail!(
                "{} is on no BPF file system (`mount -t bpf bpf /sys/fs/bpf` makes one; `pins` under [listen] names its place)",
                self.dir.display()
            );
        }
        make(&self.dir.join("links"))
    }

    /// The indexes of the interfaces that have a link here.
    pub fn links(&self) -> Vec<u32> {
        names(&self.dir.join("links")).iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// The link of the interface with this index, if one is here.
    pub(super) fn open_link(&self, index: u32) -> Option<anyhow::Result<FdLink>> {
        let path = self.link(index);
        path.exists().then(|| Ok(PinnedLink::from_pin(&path)?.into()))
    }

    /// Pins a link.
    pub(super) fn keep_link(&self, index: u32, link: FdLink) -> anyhow::Result<FdLink> {
        let path = self.link(index);
        let pinned = link.pin(&path).with_context(|| format!("cannot pin the link at {}", path.display()))?;
        Ok(pinned.into())
    }

    /// Takes a link away: with its last descriptor the program leaves the interface.
    pub(super) fn remove_link(&self, index: u32) {
        if let Err(error) = remove(&self.link(index)) {
            tracing::error!(pin = %self.link(index).display(), %error, "a pinned link stays behind, and its program on the interface; remove the file by hand");
        }
    }

    /// Where the maps of a loaded object are pinned; made if need be.
    pub(super) fn make_tables(&self, id: &str) -> anyhow::Result<PathBuf> {
        let dir = self.tables(id);
        make(&dir)?;
        Ok(dir)
    }

    /// Where the maps of a loaded object are pinned.
    pub(super) fn tables(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{TABLES}{id}"))
    }

    /// Takes away what no interface uses any more: links but to these indexes, tables but these.
    pub fn tidy(&self, indexes: &[u32], tables: Option<&str>) {
        for index in self.links().into_iter().filter(|index| !indexes.contains(index)) {
            tracing::info!(index, "a link that an earlier run left pinned is removed");
            self.remove_link(index);
        }
        let ours = tables.map(|id| format!("{TABLES}{id}"));
        for name in
            names(&self.dir).iter().filter(|name| name.starts_with(TABLES) && Some(*name) != ours.as_ref())
        {
            if let Err(error) = fs::remove_dir_all(self.dir.join(name)) {
                tracing::warn!(pin = %self.dir.join(name).display(), %error, "pinned tables of an earlier run stay behind");
            }
        }
    }

    /// Takes everything away; gives the indexes of the interfaces whose program goes with it.
    pub fn remove_all(&self) -> io::Result<Vec<u32>> {
        let links = self.links();
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(links),
        }
    }

    fn link(&self, index: u32) -> PathBuf {
        self.dir.join("links").join(index.to_string())
    }
}

fn make(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("cannot make {}", dir.display()))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A path as one name: `/var/lib/tm` is `var-lib-tm`; what is neither a letter nor a digit is written as its octet.
fn escaped(path: &str) -> String {
    let mut name = String::new();
    for octet in path.trim_matches('/').bytes() {
        match octet {
            b'/' => name.push('-'),
            octet if octet.is_ascii_alphanumeric() => name.push(char::from(octet)),
            octet => name.push_str(&format!("_{octet:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_called_after_its_state() {
        assert_eq!(escaped("/var/lib/tm"), "var-lib-tm");
        assert_eq!(escaped("/tmp/.tmpA/a-b_c"), "tmp-_2etmpA-a_2db_5fc");
    }

    #[test]
    fn a_place_that_is_no_bpf_file_system_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let pins = Pins::of(&dir.path().join("tm"), Path::new("/var/lib/tm"));
        let error = pins.prepare().unwrap_err().to_string();
        assert!(
            error.contains("tm/var-lib-tm is on no BPF file system (`mount -t bpf bpf /sys/fs/bpf`"),
            "{error}"
        );
        assert!(pins.links().is_empty() && pins.remove_all().unwrap().is_empty());
    }
}
