//! Each zone as secondaries have it, and how they come by it: transfers ([RFC 5936], [RFC 1995]) and word of changes ([RFC 1996]).
//!
//! Secondaries know no health, no weights and no places. What they are given is the **static view**: for each name what its decision answers now, to a client without
//! a place (`view`). It changes with flips, orders and configurations, and whenever it does, its serial goes up: at most once a second, so that it never runs ahead of the
//! clock for long. The zone's SOA is answered with this serial where transfers are on. SOAs in negative answers keep the serial of the configuration: they are in all of the
//! tables, which no flip should touch, and nobody decides by them whether a copy is old.
//!
//! [RFC 1995]: https://www.rfc-editor.org/rfc/rfc1995
//! [RFC 1996]: https://www.rfc-editor.org/rfc/rfc1996
//! [RFC 5936]: https://www.rfc-editor.org/rfc/rfc5936

mod content;
mod messages;
mod notify;
mod view;

use std::{future::pending, sync::Arc, time::Duration};

use imbl::OrdMap;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::ZoneView;
use crate::{compile::Zone, control::Published, decide::Decision};

pub use content::{Content, Contents};
pub(super) use content::{Names, Zoned};
pub(super) use messages::{Refused, Transfer};

/// The least time from one serial to the next.
const PACE: Duration = Duration::from_secs(1);

/// Keeps what is transferred what the decisions say, and tells secondaries.
#[derive(Debug)]
pub struct Transfers {
    zone: watch::Receiver<Arc<ZoneView>>,
    published: watch::Receiver<Arc<Published>>,
    contents: watch::Sender<Contents>,
    /// What the content was made of.
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    zone: Arc<ZoneView>,
    decisions: OrdMap<Arc<str>, Arc<Decision>>,
    zones: Zoned,
}

impl Transfers {
    /// What there is to transfer now is there when this returns; nothing where transfers are off.
    pub fn new(
        zone: watch::Receiver<Arc<ZoneView>>,
        published: watch::Receiver<Arc<Published>>,
    ) -> (Self, watch::Receiver<Contents>) {
        let (contents, receiver) = watch::channel(Contents::new());
        let mut transfers = Transfers { zone, published, contents, seen: None };
        transfers.update();
        (transfers, receiver)
    }

    /// Follows until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let told = notify::run(self.contents.subscribe(), self.zone.clone());
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = told => {}
            () = self.follow() => {}
        }
        Ok(())
    }

    async fn follow(&mut self) {
        let mut last = Instant::now();
        loop {
            tokio::select! {
                Ok(()) = self.zone.changed() => {}
                Ok(()) = self.published.changed() => {}
                // Nobody is left to change anything.
                else => pending().await,
            }
            sleep_until(last + PACE).await;
            if self.update() {
                last = Instant::now();
            }
        }
    }

    /// Brings the content to what its sources say; whether it is another one now.
    fn update(&mut self) -> bool {
        let zone = self.zone.borrow_and_update().clone();
        let decisions = self.published.borrow_and_update().decisions.clone();
        if !zone.transfer().is_on() {
            self.seen = None;
            return self.contents.send_if_modified(|contents| !std::mem::take(contents).is_empty());
        }
        let seen = self.seen.take().filter(|seen| Arc::ptr_eq(&seen.zone, &zone));
        let zoned = match seen {
            Some(seen) => view::follow(seen.zones, zone.zones(), &seen.decisions, &decisions),
            None => view::names(&zone, &decisions),
        };
        let before = self.contents.borrow().clone();
        let mut contents = Contents::new();
        let mut is_new = false;
        for zone in zone.zones().iter() {
            let known = before.get(&zone.name);
            let names = zoned.get(&zone.name).cloned().unwrap_or_default();
            let next = Content::next(known.map(|known| &**known), zone, names).map(Arc::new);
            is_new |= next.is_some();
            if let Some(content) = next.or_else(|| known.cloned()) {
                contents.insert(zone.name.clone(), content);
            }
        }
        is_new |= contents.len() != before.len();
        self.seen = Some(Seen { zone, decisions, zones: zoned });
        if is_new {
            self.contents.send_replace(contents);
        }
        is_new
    }
}

/// The zone with another serial.
fn with_serial(zone: &Zone, serial: u32) -> Zone {
    Zone { serial, ..zone.clone() }
}

#[cfg(test)]
mod tests;
