//! What has happened: states that changed, and profiles that came, changed and went. The last ones are kept in memory, and handed on as they come.
//!
//! It compares one published state with the next; a state that was there and gone between two looks is no event.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use imbl::ordmap::DiffItem;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::access::Principal;
use crate::{
    catalog::Catalog,
    control::Published,
    decide::{Decision, EndpointStatus},
    desired::{Endpoint, Profile, Scope},
    health::{Details, Health},
    time::serde_rfc3339,
};

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
    /// Why, in a few words, where that is known: what the last probe found, or how many endpoints are up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long it took, where probes found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    /// Where the profile belongs, as far as that was known: who may be told of it.
    #[serde(skip)]
    #[schema(ignore)]
    pub scope: Option<Arc<Scope>>,
}

impl Event {
    /// May they be told of it?
    pub fn is_for(&self, principal: &Principal) -> bool {
        principal.sees_all() || self.scope.as_ref().is_some_and(|scope| principal.sees(scope))
    }
}

/// The three delays between a change of an endpoint and the last client that learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Delays {
    /// Milliseconds from the start of the first probe that found it to the verdict.
    pub detect_ms: u64,
    /// Microseconds from the verdict until it was published.
    pub publish_us: u64,
    /// Seconds that resolvers may keep the answers from before: the profile's TTL.
    pub drain_s: u32,
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

/// Where the probes' part of an event is known from.
#[derive(Clone, Debug)]
pub struct Known {
    /// The verdicts.
    pub health: watch::Receiver<Health>,
    /// The rows of outcomes that led to them.
    pub details: Arc<Details>,
    /// Where profiles belong.
    pub catalog: Catalog,
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
        known: Known,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut before = published.borrow_and_update().clone();
        let mut scopes = Scopes::default();
        before.decisions.keys().for_each(|name| drop(scopes.of(&known.catalog, name)));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {
                    self.ended.cancel();
                    return Ok(());
                }
                changed = published.changed() => changed?,
            }
            let now = published.borrow_and_update().clone();
            let at = SystemTime::now();
            for item in before.decisions.diff(&now.decisions) {
                match item {
                    DiffItem::Add(name, new) => {
                        let (to, scope) =
                            (Some(format!("{:?}", new.status)), scopes.of(&known.catalog, name));
                        self.push(Event { to, scope, ..event(at, "profile_added", new) });
                    }
                    DiffItem::Remove(name, old) => {
                        let (from, scope) = (Some(format!("{:?}", old.status)), scopes.0.remove(name));
                        self.push(Event { from, scope, ..event(at, "profile_removed", old) });
                    }
                    DiffItem::Update { old: (_, old), new: (name, new) } => {
                        let scope = scopes.of(&known.catalog, name);
                        self.compare((old, new), &known, scope.as_ref(), at);
                    }
                }
            }
            before = now;
        }
    }

    fn compare(
        &self,
        (old, new): (&Decision, &Decision),
        known: &Known,
        scope: Option<&Arc<Scope>>,
        at: SystemTime,
    ) {
        let event = |kind| Event { scope: scope.cloned(), ..event(at, kind, new) };
        if old.profile != new.profile {
            self.push(event("profile_changed"));
        }
        if old.status != new.status {
            let (from, to) = (Some(format!("{:?}", old.status)), Some(format!("{:?}", new.status)));
            let up = new.endpoints.iter().filter(|status| status.is_available()).count();
            let reason = format!("{up} of {} endpoints up", new.endpoints.len());
            tracing::info!(profile = %new.profile.name, from, to, reason, "profile changed");
            self.push(Event { from, to, reason: Some(reason), ..event("profile_status") });
        }
        for (endpoint, status) in new.profile.endpoints.iter().zip(&new.endpoints) {
            let mut others = old.profile.endpoints.iter().zip(&old.endpoints);
            let same = others.find(|(other, _)| other.name == endpoint.name);
            if let Some((_, before)) = same.filter(|(_, before)| *before != status) {
                let reason = known.reason(&new.profile, endpoint, *status);
                if reason.is_none() {
                    // What probes find is told by who counts them.
                    let (key, reason) =
                        (new.profile.key(endpoint), "the configuration, or an endpoint below it");
                    tracing::info!(endpoint = %key, from = ?before, to = ?status, reason, "endpoint state changed");
                }
                self.push(Event {
                    reason,
                    endpoint: Some(endpoint.name.to_string()),
                    from: Some(format!("{before:?}")),
                    to: Some(format!("{status:?}")),
                    delays: known.delays(&new.profile, endpoint, *status, at),
                    ..event("endpoint_status")
                });
            }
        }
    }

    /// Numbers an event, keeps it and hands it on.
    fn push(&self, event: Event) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { id: kept.back().map_or(1, |last| last.id + 1), ..event };
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event.clone());
        // Fails where nobody listens.
        let _ = self.next.send(event);
    }
}

/// Where profiles belong that are there, so that it is known of those that are gone.
#[derive(Default)]
struct Scopes(HashMap<Arc<str>, Arc<Scope>>);

impl Scopes {
    /// Where this one belongs now.
    fn of(&mut self, catalog: &Catalog, name: &Arc<str>) -> Option<Arc<Scope>> {
        if let Some(record) = catalog.profile(name)
            && self.0.get(name).is_none_or(|known| !known.is(&record.scope))
        {
            self.0.insert(name.clone(), Arc::new(record.scope.clone()));
        }
        self.0.get(name).cloned()
    }
}

impl Known {
    /// What the last probe found, where the status is what it says.
    fn reason(&self, profile: &Profile, endpoint: &Endpoint, status: EndpointStatus) -> Option<String> {
        let last = self.details.get(&profile.key(endpoint))?.last?;
        let is_probed = matches!(status, EndpointStatus::Online | EndpointStatus::Degraded);
        is_probed.then(|| last.reason.to_string())
    }

    /// Of a change to `status` that a verdict brought, and that was published at `at`.
    fn delays(
        &self,
        profile: &Profile,
        endpoint: &Endpoint,
        status: EndpointStatus,
        at: SystemTime,
    ) -> Option<Delays> {
        let up = match status {
            EndpointStatus::Online => true,
            EndpointStatus::Degraded => false,
            _ => return None,
        };
        let key = profile.key(endpoint);
        let verdict = self.health.borrow().verdicts.get(&key).copied().filter(|verdict| verdict.up == up)?;
        let began = self.details.get(&key)?.row_since?;
        let publish = at.duration_since(verdict.since).unwrap_or_default();
        Some(Delays {
            detect_ms: verdict.since.duration_since(began).ok()?.as_millis().try_into().ok()?,
            publish_us: publish.as_micros().try_into().ok()?,
            drain_s: profile.ttl,
        })
    }
}

/// One that is not numbered yet.
fn event(at: SystemTime, kind: &str, decision: &Decision) -> Event {
    let profile = decision.profile.name.to_string();
    Event {
        id: 0,
        at,
        kind: kind.to_owned(),
        profile,
        endpoint: None,
        from: None,
        to: None,
        reason: None,
        delays: None,
        scope: None,
    }
}
