//! Saves what the daemon knows: soon after it learnt something, now and then for the counts, and at the end.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{Saved, SavedEndpoint, SavedLearnt, SavedPackets, SavedRoundTrip, SavedVerdict, VERSION};
use crate::{
    api::View,
    desired::{Endpoint, EndpointKey},
    geo::{Measured, RoundTrips},
    xdp::Kernel,
};

/// What happens within this time is saved together.
const GATHER: Duration = Duration::from_secs(1);
/// The rest after a save, in times of what it took: many thousand endpoints are not worth a processor of their own.
const REST: u32 = 20;
/// How often counts are saved where nothing else happens.
const INTERVAL: Duration = Duration::from_secs(30);

/// Knows where everything is, and where it goes.
#[derive(Clone)]
pub struct Keeper {
    dir: PathBuf,
    view: View,
    /// Held while the file is written: the last save may come while one is under way.
    writing: Arc<Mutex<()>>,
}

impl Keeper {
    /// Saves what `view` shows to `state_dir`.
    pub fn new(state_dir: PathBuf, view: View) -> Self {
        Keeper { dir: state_dir, view, writing: Arc::default() }
    }

    /// Saves at once, and then whenever there is something to save, until `shutdown`. That a save failed is told once, until one succeeds.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (mut health, mut published) = (self.view.health.subscribe(), self.view.published.clone());
        let mut timer = interval(INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let keeper = Arc::new(self);
        let mut failed = false;
        loop {
            health.mark_unchanged();
            published.mark_unchanged();
            let saving = keeper.clone();
            let began = Instant::now();
            // A panic would only be one more save that failed.
            let saved = tokio::task::spawn_blocking(move || saving.save())
                .await
                .unwrap_or_else(|error| Err(error.into()));
            match saved {
                Err(error) if !failed => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "what is known would not survive a restart"
                    );
                    failed = true;
                }
                Err(_) => {}
                Ok(()) => failed = false,
            }
            let rest = GATHER.max(began.elapsed() * REST);
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = timer.tick() => {}
                Ok(()) = health.changed() => {}
                Ok(()) = published.changed() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = sleep(rest) => {}
            }
        }
    }

    /// Is the program to go on answering after an orderly stop?
    pub fn is_to_be_kept(&self) -> bool {
        self.view.desired.borrow().as_ref().is_some_and(|desired| desired.node.listen.keep)
    }

    /// The end: takes the program off the interfaces, unless it is to be kept there, and saves.
    pub fn close(&self, keep: bool) {
        let tables = &self.view.tables;
        if !keep && let Some(kernel) = tables.kernel().as_mut() {
            kernel.detach_all();
        }
        if let Err(error) = self.save() {
            tracing::error!(error = format!("{error:#}"), "what is known does not survive this stop");
        }
        if !keep && let Some(kernel) = tables.kernel().take() {
            kernel.remove();
        } else if tables.kernel().as_ref().is_some_and(Kernel::is_kept) {
            tracing::info!("XDP goes on answering; `tm detach` ends it");
        }
    }

    /// Saves everything as it is now.
    pub fn save(&self) -> anyhow::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.collect().map_or(Ok(()), |saved| saved.store(&self.dir))
    }

    fn collect(&self) -> Option<Saved> {
        let desired = self.view.desired.borrow().clone()?;
        let health = self.view.health.borrow().clone();
        let keys: Vec<EndpointKey> = desired.endpoints().map(|(key, ..)| key).collect();
        let counted = self.view.tables.counted(&keys);
        let endpoints =
            desired.endpoints().zip(counted.answers).map(|((key, profile, endpoint), answers)| {
                let verdict = health.verdicts.get(&key);
                SavedEndpoint {
                    profile: key.profile.to_string(),
                    endpoint: key.endpoint.to_string(),
                    target: profile.probed_target(endpoint).to_string(),
                    verdict: verdict.map(|verdict| SavedVerdict {
                        up: verdict.up,
                        since: verdict.since,
                        recovered: verdict.recovered,
                    }),
                    details: self.view.details.get(&key),
                    answers: answers.elsewhere + answers.in_kernel,
                    in_kernel: answers.in_kernel,
                    counters: answers.counters,
                    forced: health.orders.forced.get(&key).copied(),
                    restored: health.orders.restored.get(&key).copied(),
                    learnt: learnt(&health.round_trips, &key, endpoint),
                }
            });
        let packets = counted.packets.into_iter().map(|(reason, count, in_kernel)| SavedPackets {
            reason: reason.label().to_owned(),
            count,
            in_kernel,
        });
        Some(Saved {
            version: VERSION,
            at: SystemTime::now(),
            generation: desired.generation.max(self.view.responder.serial().unwrap_or(0).into()),
            packets: packets.collect(),
            undelivered: self.view.webhooks.waiting(),
            socket_messages: self.view.responder.messages(),
            endpoints: endpoints.collect(),
            round_trips: round_trips(&health.round_trips),
            tables: counted.tables,
        })
    }
}

fn learnt(known: &RoundTrips, key: &EndpointKey, endpoint: &Endpoint) -> Option<SavedLearnt> {
    let region = endpoint.location?;
    Some(SavedLearnt { region: region.as_str().to_owned(), ms: known.learnt(key, region)? })
}

fn round_trips(known: &RoundTrips) -> Vec<SavedRoundTrip> {
    let of = |((first, length), all): (&(IpAddr, u8), &[Measured])| -> Vec<SavedRoundTrip> {
        let saved = |measured: &Measured| SavedRoundTrip {
            prefix: format!("{first}/{length}"),
            region: measured.region.as_str().to_owned(),
            ms: measured.milliseconds,
            samples: measured.samples,
        };
        all.iter().map(saved).collect()
    };
    known.all().flat_map(of).collect()
}
