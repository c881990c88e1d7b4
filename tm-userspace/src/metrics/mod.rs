//! What can be seen of the daemon from outside, in numbers: `meters` are counted and timed as things happen, `gather` reads all else at the moment it is asked, from the
//! kernel's counters per CPU among others, and `text` is how that is written.
//!
//! Labels come from closed lists and from the configuration, never from who asks or what is asked for, so that nobody can make their number grow.

mod gather;
mod meters;
mod text;

use std::{fmt, sync::Arc};

use anyhow::Context as _;
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::sync::Mutex;

pub(crate) use gather::tables;
pub use meters::{Begun, Delivered, Meters, Phase};
pub use text::Form;

use crate::api::View;

/// All metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Held while they are read: the readers of a moment cost no more than one.
    reading: Arc<Mutex<()>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Of what `view` shows.
    pub fn new(view: View) -> Self {
        let mut registry = Registry::default();
        view.meters.register(&mut registry);
        registry.register_collector(Box::new(gather::Gather::new(view)));
        Metrics { registry: Arc::new(registry), reading: Arc::default() }
    }

    /// All of them as they are now.
    pub async fn read(&self, form: Form) -> anyhow::Result<String> {
        let _reading = self.reading.lock().await;
        let registry = self.registry.clone();
        // Of 10,000 profiles this takes a while.
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            encode(&mut text, &registry).map(|()| text)
        });
        let text = read.await?.context("cannot write the metrics")?;
        Ok(form.of(text))
    }
}
