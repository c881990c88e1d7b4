//! What tells one state of a file from another without reading it.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

/// Device, inode, size, time of modification and of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Print(u64, u64, u64, (i64, i64), (i64, i64));

impl Print {
    /// Of the file that `path` leads to now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        let (modified, changed) = ((data.mtime(), data.mtime_nsec()), (data.ctime(), data.ctime_nsec()));
        Ok(Print(data.dev(), data.ino(), data.size(), modified, changed))
    }
}
