//! What has happened: states that changed, and profiles that came, changed and went. The last ones are kept in memory, and handed on as they come.
//!
//! It compares one published state with the next; a state that was there and gone between two looks is no event.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use imbl::ordmap::DiffItem;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{control::Published, decide::Decision, time::serde_rfc3339};

/// Events that are kept.
const KEPT: usize = 10_000;
/// Events that a reader may be behind: then it misses some, and goes on with what is kept.
const BEHIND: usize = 1_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Its number, from 1 since the daemon's start.
    pub id: u64,
    /// When it was seen.
    #[serde(with = "serde_rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: SystemTime,
    /// `profile_added`, `profile_changed`, `profile_removed`, `profile_status`, `endpoint_status`.
    pub kind: String,
    /// The profile.
    pub profile: String,
    /// The endpoint, where it is about one.
    pub endpoint: Option<String>,
    /// The state before, where there was one.
    pub from: Option<String>,
    /// The state now, where there is one.
    pub to: Option<String>,
}

/// All that are kept, and those to come. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    kept: Arc<Mutex<VecDeque<Event>>>,
    next: broadcast::Sender<Event>,
    ended: CancellationToken,
}

impl Default for Events {
    fn default() -> Self {
        Events { kept: Arc::default(), next: broadcast::Sender::new(BEHIND), ended: CancellationToken::new() }
    }
}

impl Events {
    /// Those after number `after`, the oldest first, and those to come from then on.
    pub fn after(&self, after: u64) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.next.subscribe();
        (kept.iter().filter(|event| event.id > after).cloned().collect(), next)
    }

    /// Is over when there are no more to come.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Follows what is published, until `shutdown`.
    pub async fn run(
        self,
        mut published: watch::Receiver<Arc<Published>>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut before = published.borrow_and_update().clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {
                    self.ended.cancel();
                    return Ok(());
                }
                changed = published.changed() => changed?,
            }
            let now = published.borrow_and_update().clone();
            for item in before.decisions.diff(&now.decisions) {
                match item {
                    DiffItem::Add(_, new) => {
                        self.push("profile_added", new, None, None, Some(format!("{:?}", new.status)))
                    }
                    DiffItem::Remove(_, old) => {
                        self.push("profile_removed", old, None, Some(format!("{:?}", old.status)), None)
                    }
                    DiffItem::Update { old: (_, old), new: (_, new) } => self.compare(old, new),
                }
            }
            before = now;
        }
    }

    fn compare(&self, old: &Decision, new: &Decision) {
        if old.profile != new.profile {
            self.push("profile_changed", new, None, None, None);
        }
        if old.status != new.status {
            self.push(
                "profile_status",
                new,
                None,
                Some(format!("{:?}", old.status)),
                Some(format!("{:?}", new.status)),
            );
        }
        for (endpoint, status) in new.profile.endpoints.iter().zip(&new.endpoints) {
            let same = old
                .profile
                .endpoints
                .iter()
                .zip(&old.endpoints)
                .find(|(other, _)| other.name == endpoint.name);
            if let Some((_, before)) = same.filter(|(_, before)| *before != status) {
                let (from, to) = (Some(format!("{before:?}")), Some(format!("{status:?}")));
                self.push("endpoint_status", new, Some(&endpoint.name), from, to);
            }
        }
    }

    fn push(
        &self,
        kind: &str,
        decision: &Decision,
        endpoint: Option<&str>,
        from: Option<String>,
        to: Option<String>,
    ) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event {
            id: kept.back().map_or(1, |last| last.id + 1),
            at: SystemTime::now(),
            kind: kind.to_owned(),
            profile: decision.profile.name.to_string(),
            endpoint: endpoint.map(str::to_owned),
            from,
            to,
        };
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event.clone());
        // Fails where nobody listens.
        let _ = self.next.send(event);
    }
}
