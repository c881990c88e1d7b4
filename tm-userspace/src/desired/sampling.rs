//! Of which answers something is told, to whom, and how long that is kept.

use std::{path::PathBuf, sync::Arc, time::Duration};

/// What is told of answers beside that they are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// XDP tells of one in so many, 1 to 65,535.
    pub one_in: u16,
    /// How long Traffic View looks back.
    pub window: Duration,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling { one_in: crate::config::defaults::ONE_IN, window: crate::config::defaults::TRAFFIC_WINDOW }
    }
}

/// A collector of dnstap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnstap {
    /// The Unix socket that it listens at.
    pub socket: PathBuf,
    /// What this server calls itself; empty for nothing.
    pub identity: Arc<str>,
}
