//! The files: loaded at the start, again on SIGHUP and when one changes.
//!
//! A load that fails changes nothing: what ran goes on, and says so.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::Catalog,
    config::{self, ConfigError, Loaded, Stored},
    desired::Desired,
};

/// What came of the last load.
#[derive(Clone, Debug, Serialize)]
pub struct Reload {
    /// Did it succeed?
    pub ok: bool,
    /// When it was.
    #[serde(with = "crate::time::serde_rfc3339")]
    pub at: SystemTime,
    /// What was wrong, a line for each problem.
    pub error: Option<String>,
}

/// Where to load from, and what the command line says of it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Holds `tm.toml` and `conf.d`.
    pub dir: PathBuf,
    /// Interfaces that win over those of the file; none where the file decides.
    pub interfaces: Vec<String>,
}

impl Source {
    /// Loads the files together with what is `stored`. A database that the state `before` has is not read again where it is the same.
    pub fn load(&self, before: Option<&Desired>, stored: Stored<'_>) -> Result<Loaded, ConfigError> {
        let known = before.and_then(|before| before.atlas.as_ref());
        let loaded = config::load_for(&self.dir, &self.interfaces, known, stored)?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(loaded)
    }

    /// The wanted state that comes after `before`. Where it is the same in all but the generation, that one is kept.
    pub fn next(before: Option<&Desired>, loaded: &Loaded) -> Desired {
        let known = before.and_then(|before| before.atlas.as_ref());
        let same_places = known.map(Arc::as_ptr) == loaded.atlas.as_ref().map(Arc::as_ptr)
            && before.is_some_and(|before| *before.overrides == loaded.overrides);
        let same = before.filter(|before| {
            before.node == loaded.node
                && before.profiles == loaded.profiles
                && before.services == loaded.services
        });
        if let Some(before) = same.filter(|_| same_places) {
            return before.clone();
        }
        let generation = next_generation(before.map(|before| before.generation));
        // What did not change is kept in the same memory, so that whoever compares finds it at once.
        let known = |name: &str| before.and_then(|before| before.profiles.get(name));
        let profiles = loaded
            .profiles
            .iter()
            .map(|(name, profile)| {
                let kept = known(name).filter(|known| *known == profile).unwrap_or(profile);
                (name.clone(), kept.clone())
            })
            .collect();
        // As above.
        let overrides = before.map(|before| &before.overrides).filter(|known| ***known == loaded.overrides);
        let overrides = overrides.cloned().unwrap_or_else(|| Arc::new(loaded.overrides.clone()));
        Desired {
            generation,
            node: loaded.node.clone(),
            profiles,
            services: loaded.services.clone(),
            atlas: loaded.atlas.clone(),
            overrides,
        }
    }
}

/// Ahead of the last one, and of any that an earlier run gave out: a run that makes less than one generation a second starts behind the clock.
pub(crate) fn next_generation(before: Option<u64>) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    before.map_or(now, |before| now.max(before + 1))
}

/// Says when to load again: on SIGHUP, and when a file has changed.
#[derive(Debug)]
pub struct Trigger {
    dir: PathBuf,
    changed: Arc<Notify>,
    hangup: Signal,
    _watch: Option<config::watch::Watch>,
}

impl Trigger {
    /// Misses nothing from here on: so first this, then the first load. Wants a runtime.
    pub fn new(dir: &Path) -> anyhow::Result<Self> {
        let changed = Arc::new(Notify::new());
        let notify = changed.clone();
        let watch = config::watch::watch(dir, move || notify.notify_one());
        let watch = watch.inspect_err(|error| {
            tracing::warn!(
                error = format!("{error:#}"),
                "changed files are not noticed; send SIGHUP to reload"
            );
        });
        let hangup = signal(SignalKind::hangup()).context("cannot take SIGHUP")?;
        Ok(Trigger { dir: dir.to_owned(), changed, hangup, _watch: watch.ok() })
    }

    async fn pulled(&mut self) {
        tokio::select! {
            _ = self.hangup.recv() => {}
            () = self.changed.notified() => {}
        }
    }
}

/// Loads again when told to, until `shutdown`.
pub async fn run(
    catalog: Catalog,
    mut trigger: Trigger,
    state: watch::Sender<Reload>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = trigger.pulled() => {}
        }
        match catalog.reload().await {
            Ok((generation, changed)) => {
                tracing::info!(generation, changed, "configuration reloaded");
                state.send_replace(Reload { ok: true, at: SystemTime::now(), error: None });
            }
            Err(error) => {
                tracing::error!(dir = %trigger.dir.display(), "configuration not reloaded, what ran goes on: {error}");
                state.send_replace(Reload {
                    ok: false,
                    at: SystemTime::now(),
                    error: Some(error.to_string()),
                });
            }
        }
    }
}

/// Where a directory's daemon listens, by default, for those who only have its files. These may be wrong: the daemon still serves what it
/// read before, and is then asked most.
pub fn socket_of(dir: &Path) -> Result<PathBuf, ConfigError> {
    Ok(config::state_dir(dir)?.join(crate::api::SOCKET))
}
