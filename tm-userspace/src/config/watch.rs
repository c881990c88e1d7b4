//! When to load again: says that a file of the configuration has changed.
//!
//! Directories are watched, not files: editors replace files, and links are swapped under us (a Kubernetes ConfigMap swaps `..data`).
//! The watched ones are the configuration directory, its `conf.d`, the directory above, and those of the files that `tm.toml` names
//! (the database of `[geo]`). An event only wakes; whether anything
//! changed is then read from the files' metadata, which a slow timer does too, for events that were lost or never came (a link's
//! target edited in place, a network file system).

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};

use super::files::{NODE_FILE, PROFILES_DIR, files_beside, profile_files};
use crate::print::Print;

/// Changes are told once this long has passed without another.
const QUIET: Duration = Duration::from_millis(100);
/// Changes that never pause are told this often.
const PATIENCE: Duration = Duration::from_secs(1);
/// The slow timer.
const REPAIR: Duration = Duration::from_secs(30);

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
}

/// Calls `changed`, on a thread of its own, when `tm.toml`, a `conf.d/*.toml` below `dir` or a file that `tm.toml` names has been made, changed, replaced or
/// removed since this function returned; so watch first, then load. Changes in quick succession are told once.
pub fn watch(dir: &Path, changed: impl Fn() + Send + 'static) -> anyhow::Result<Watch> {
    let dir = std::path::absolute(dir).context("cannot tell the current directory")?;
    // Room for one: a second wake-up while one is waiting says nothing new.
    let (wake, woken) = sync_channel(1);
    let scope = Arc::new(Mutex::new(vec![dir.clone()]));
    let (waker, heeded) = (wake.clone(), scope.clone());
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.map_or(true, |event| counts(&event, &heeded.lock().unwrap_or_else(PoisonError::into_inner)))
        {
            waker.try_send(()).ok();
        }
    })
    .context("cannot watch for changed files; is fs.inotify.max_user_instances used up?")?;
    let mut eyes = Eyes { watcher, dir, scope, watched: BTreeSet::new() };
    eyes.look(&eyes.dir.clone())
        .with_context(|| format!("cannot watch {} for changes", eyes.dir.display()))?;
    eyes.open();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, seen) = (stop.clone(), Prints::of(&eyes.dir));
    thread::Builder::new()
        .name("config-watch".to_owned())
        .spawn(move || run(eyes, seen, &woken, &stopped, changed))
        .context("cannot start a thread")?;
    Ok(Watch { stop, wake })
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.try_send(()).ok();
    }
}

fn run(mut eyes: Eyes, mut seen: Prints, woken: &Receiver<()>, stop: &AtomicBool, changed: impl Fn()) {
    loop {
        if woken.recv_timeout(REPAIR) != Err(RecvTimeoutError::Timeout) {
            let first = Instant::now();
            while first.elapsed() < PATIENCE
                && !stop.load(Ordering::Acquire)
                && woken.recv_timeout(QUIET).is_ok()
            {}
        }
        if stop.load(Ordering::Acquire) {
            return;
        }
        // What changes from here on wakes us again.
        eyes.open();
        let now = Prints::of(&eyes.dir);
        if now != seen {
            seen = now;
            changed();
        }
    }
}

/// The watched directories.
struct Eyes {
    watcher: RecommendedWatcher,
    dir: PathBuf,
    /// What lies at or below one of these matters.
    scope: Arc<Mutex<Vec<PathBuf>>>,
    watched: BTreeSet<PathBuf>,
}

impl Eyes {
    /// Watches whatever now lies at the paths; a watch stays with the directory it was put on, also when another takes its place.
    fn open(&mut self) {
        let beside = files_beside(&self.dir);
        let directories = [Some(&*self.dir), self.dir.parent()].into_iter().flatten();
        let directories: BTreeSet<PathBuf> = directories
            .chain(beside.iter().filter_map(|file| file.parent()))
            .map(Path::to_owned)
            .chain([self.dir.join(PROFILES_DIR)])
            .collect();
        *self.scope.lock().unwrap_or_else(PoisonError::into_inner) =
            [vec![self.dir.clone()], beside].concat();
        for path in self.watched.union(&directories).cloned().collect::<Vec<_>>() {
            self.watcher.unwatch(&path).ok();
            if directories.contains(&path)
                && let Err(error) = self.look(&path)
                && path.exists()
            {
                tracing::debug!("cannot watch {} for changes: {error}", path.display());
            }
        }
        self.watched = directories;
    }

    fn look(&mut self, path: &Path) -> notify::Result<()> {
        self.watcher.watch(path, RecursiveMode::NonRecursive)
    }
}

/// Can `event` have changed something in `scope`? Our own reading cannot.
fn counts(event: &Event, scope: &[PathBuf]) -> bool {
    let reading =
        matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    let elsewhere = !event.paths.is_empty()
        && !event.paths.iter().any(|path| scope.iter().any(|matters| path.starts_with(matters)));
    event.need_rescan() || !(reading || elsewhere)
}

/// What tells one state of the files from another without reading them.
#[derive(Debug, PartialEq, Eq)]
struct Prints(Vec<(PathBuf, Result<Print, io::ErrorKind>)>);

impl Prints {
    fn of(dir: &Path) -> Self {
        let node = dir.join(NODE_FILE);
        let print = |path: PathBuf| {
            let print = Print::of(&path).map_err(|error| error.kind());
            (path, print)
        };
        let mut prints = vec![print(node)];
        prints.extend(files_beside(dir).into_iter().map(print));
        match profile_files(dir) {
            Ok(paths) => prints.extend(paths.into_iter().map(print)),
            Err(error) => prints.push((dir.join(PROFILES_DIR), Err(error.kind()))),
        }
        Prints(prints)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        sync::mpsc::{Receiver, channel},
    };

    use super::*;

    /// Long enough for any machine, short enough to notice that nothing comes; below the slow timer, so that events are what is tested.
    const LONG: Duration = Duration::from_secs(20);

    fn watched(dir: &Path) -> (Watch, Receiver<()>) {
        let (told, hear) = channel();
        let watch = watch(dir, move || told.send(()).unwrap_or_default()).unwrap();
        (watch, hear)
    }

    /// A directory `tm` with `tm.toml` and `conf.d/a.toml`, and beside it room for more.
    fn directory() -> (tempfile::TempDir, PathBuf) {
        let above = tempfile::tempdir().unwrap();
        let dir = above.path().join("tm");
        fs::create_dir_all(dir.join("conf.d")).unwrap();
        fs::write(dir.join("tm.toml"), "a = 1\n").unwrap();
        fs::write(dir.join("conf.d/a.toml"), "a = 1\n").unwrap();
        (above, dir)
    }

    fn check(change: impl Fn(&Path)) {
        let (_above, dir) = directory();
        let (_watch, hear) = watched(&dir);
        change(&dir);
        hear.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn a_changed_file_is_told() {
        check(|dir| fs::write(dir.join("tm.toml"), "a = 2\n").unwrap());
        check(|dir| fs::write(dir.join("conf.d/a.toml"), "a = 2\n").unwrap());
    }

    #[test]
    fn a_new_file_is_told() {
        check(|dir| fs::write(dir.join("conf.d/b.toml"), "").unwrap());
    }

    #[test]
    fn a_removed_file_is_told() {
        check(|dir| fs::remove_file(dir.join("conf.d/a.toml")).unwrap());
        check(|dir| fs::remove_file(dir.join("tm.toml")).unwrap());
    }

    #[test]
    fn a_file_replaced_by_an_editor_is_told() {
        check(|dir| {
            fs::write(dir.join("conf.d/a.toml.new"), "a = 2\n").unwrap();
            fs::rename(dir.join("conf.d/a.toml.new"), dir.join("conf.d/a.toml")).unwrap();
        });
    }

    #[test]
    fn a_replaced_directory_is_told_and_watched_on() {
        let (above, dir) = directory();
        let (_watch, hear) = watched(&dir);
        fs::rename(dir.join("conf.d"), above.path().join("old")).unwrap();
        hear.recv_timeout(LONG).unwrap();
        fs::create_dir(above.path().join("new")).unwrap();
        fs::write(above.path().join("new/b.toml"), "").unwrap();
        fs::rename(above.path().join("new"), dir.join("conf.d")).unwrap();
        hear.recv_timeout(LONG).unwrap();
        fs::remove_file(dir.join("conf.d/b.toml")).unwrap();
        hear.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn a_replaced_configuration_is_told_and_watched_on() {
        let (above, dir) = directory();
        let (_watch, hear) = watched(&dir);
        fs::create_dir(above.path().join("new")).unwrap();
        fs::write(above.path().join("new/tm.toml"), "").unwrap();
        fs::rename(&dir, above.path().join("old")).unwrap();
        fs::rename(above.path().join("new"), &dir).unwrap();
        hear.recv_timeout(LONG).unwrap();
        fs::create_dir(dir.join("conf.d")).unwrap();
        fs::write(dir.join("conf.d/b.toml"), "").unwrap();
        hear.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn swapped_links_are_told() {
        let (above, dir) = (tempfile::tempdir().unwrap(), PathBuf::from("tm"));
        let dir = above.path().join(dir);
        for version in ["..1", "..2"] {
            fs::create_dir_all(dir.join(version)).unwrap();
            fs::write(dir.join(version).join("tm.toml"), "a = 1\n").unwrap();
        }
        symlink("..1", dir.join("..data")).unwrap();
        symlink("..data/tm.toml", dir.join("tm.toml")).unwrap();
        let (_watch, hear) = watched(&dir);
        symlink("..2", dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
        hear.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn a_file_that_the_node_names_is_told_and_so_is_the_next_that_it_names() {
        let (above, dir) = directory();
        for name in ["one", "two"] {
            fs::create_dir(above.path().join(name)).unwrap();
            fs::write(above.path().join(name).join("country.mmdb"), "1").unwrap();
        }
        let name = |which: &str| {
            let path = above.path().join(which).join("country.mmdb");
            fs::write(dir.join("tm.toml"), format!("[geo]\ndatabase = \"{}\"\n", path.display())).unwrap();
        };
        name("one");
        let (_watch, hear) = watched(&dir);
        fs::write(above.path().join("one/country.mmdb"), "1 2").unwrap();
        hear.recv_timeout(LONG).unwrap();
        name("two");
        hear.recv_timeout(LONG).unwrap();
        fs::write(above.path().join("two/new"), "1 2 3").unwrap();
        fs::rename(above.path().join("two/new"), above.path().join("two/country.mmdb")).unwrap();
        hear.recv_timeout(LONG).unwrap();
        let before = Prints::of(&dir);
        fs::write(above.path().join("one/country.mmdb"), "1 2 3").unwrap();
        assert_eq!(Prints::of(&dir), before);
    }

    #[test]
    fn what_is_no_part_of_the_configuration_changes_no_print() {
        let (above, dir) = directory();
        let before = Prints::of(&dir);
        for other in
            ["../b.toml", "b.toml", "tm.toml~", "conf.d/.b.toml", "conf.d/.#a.toml", "conf.d/b.toml.swp"]
        {
            fs::write(dir.join(other), "").unwrap();
        }
        assert_eq!(Prints::of(&dir), before);
        assert_eq!(
            Prints::of(above.path()),
            Prints(vec![(above.path().join("tm.toml"), Err(io::ErrorKind::NotFound))])
        );
    }

    #[test]
    fn reading_and_other_directories_do_not_wake() {
        let scope = [PathBuf::from("/etc/tm"), PathBuf::from("/geo/country.mmdb")];
        let counts = |kind, path: &str| counts(&Event::new(kind).add_path(path.into()), &scope);
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(counts(written, "/etc/tm/tm.toml"));
        assert!(counts(EventKind::Create(notify::event::CreateKind::Folder), "/etc/tm"));
        assert!(counts(written, "/geo/country.mmdb"));
        assert!(!counts(written, "/etc/hosts"));
        assert!(!counts(written, "/geo/city.mmdb"));
        assert!(!counts(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/etc/tm/tm.toml"));
        assert!(!counts(EventKind::Access(AccessKind::Close(AccessMode::Read)), "/etc/tm/tm.toml"));
    }

    #[test]
    fn a_dropped_watch_ends() {
        let (_above, dir) = directory();
        let (watch, hear) = watched(&dir);
        drop(watch);
        assert_eq!(hear.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn what_cannot_be_watched_is_an_error() {
        let (_above, dir) = directory();
        let error = watch(&dir.join("none"), || {}).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot watch {} for changes", dir.join("none").display()));
    }
}
