//! dnstap: what is asked and what is said, octet by octet, for a collector at a Unix socket ([dnstap.info](https://dnstap.info)).
//!
//! The sockets tell of every message, and [`crate::traffic`] of each sample that XDP gives it. Nobody waits for the collector: [`Tap::run`] sends what is told from a queue
//! that is bounded in messages and octets, and what does not fit is dropped and counted. Where nobody listens it is tried again.
//!
//! | what is told | of what |
//! | --- | --- |
//! | `AUTH_QUERY`, with the time at which it was read | each message that came to a socket |
//! | `AUTH_RESPONSE`, with the time at which it was handed to the kernel | each message that a socket sent, those of a transfer too |
//! | `AUTH_RESPONSE`, with the time at which the sample was read | each reply of XDP that was sampled |

mod message;
mod sender;
mod stream;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{desired::Desired, dns::Transport};
use message::{Kind, Tapped};
use sender::Sender;

/// Messages that may wait.
const WAITING: usize = 8_192;
/// Octets that they may have together.
const WAITING_OCTETS: usize = 16 << 20;
/// How long the collector has to take the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where messages are told of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tap(Arc<Shared>);

/// What waits, for [`Tap::run`].
#[derive(Debug)]
pub struct Waiting(mpsc::Receiver<Tapped>);

/// Between a client and this server, and tapped.
#[derive(Clone, Debug)]
pub struct Line {
    /// Whoever asks.
    pub client: SocketAddr,
    /// Where it is asked.
    pub server: SocketAddr,
    /// What messages come over.
    pub transport: Transport,
    tap: Tap,
}

#[derive(Debug)]
struct Shared {
    waiting: mpsc::Sender<Tapped>,
    /// Octets of the messages that wait.
    octets: AtomicUsize,
    is_on: AtomicBool,
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl Tap {
    /// Off until [`Tap::run`] says otherwise.
    pub fn new() -> (Self, Waiting) {
        let (waiting, receiver) = mpsc::channel(WAITING);
        let shared = Shared {
            waiting,
            octets: AtomicUsize::default(),
            is_on: AtomicBool::default(),
            sent: AtomicU64::default(),
            dropped: AtomicU64::default(),
        };
        (Tap(Arc::new(shared)), Waiting(receiver))
    }

    /// A line of these two ends.
    pub fn line(&self, client: SocketAddr, server: SocketAddr, transport: Transport) -> Line {
        Line { client, server, transport, tap: self.clone() }
    }

    /// Messages that the collector took, and those that were dropped.
    pub fn counts(&self) -> (u64, u64) {
        (self.0.sent.load(Ordering::Relaxed), self.0.dropped.load(Ordering::Relaxed))
    }

    /// Sends what is told to where `desired` says, until `shutdown`.
    pub async fn run(
        self,
        Waiting(mut waiting): Waiting,
        mut desired: watch::Receiver<Option<Desired>>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut sender = Sender::new(self);
        tokio::select! {
            () = shutdown.cancelled() => {}
            never = sender.follow(&mut waiting, &mut desired) => match never {},
        }
        if timeout(FAREWELL, sender.finish(&mut waiting)).await.is_err() {
            tracing::warn!("the dnstap collector does not take what is left");
        }
        Ok(())
    }

    fn tell(&self, tapped: Tapped) {
        let (shared, octets) = (&*self.0, tapped.message.len());
        let waiting = shared.octets.fetch_add(octets, Ordering::Relaxed);
        if waiting + octets > WAITING_OCTETS || shared.waiting.try_send(tapped).is_err() {
            shared.octets.fetch_sub(octets, Ordering::Relaxed);
            self.drop_messages(1);
        }
    }

    fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    fn set_on(&self, is_on: bool) {
        self.0.is_on.store(is_on, Ordering::Relaxed);
    }

    /// These wait no longer.
    fn take(&self, messages: &[Tapped]) {
        let octets = messages.iter().map(|tapped| tapped.message.len()).sum();
        self.0.octets.fetch_sub(octets, Ordering::Relaxed);
    }

    fn sent(&self, count: usize) {
        self.0.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn drop_messages(&self, count: usize) {
        self.0.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Line {
    /// This came from the client.
    pub fn heard(&self, message: &[u8]) {
        self.tell(Kind::Query, message);
    }

    /// This went to the client.
    pub fn said(&self, message: &[u8]) {
        self.tell(Kind::Response, message);
    }

    fn tell(&self, kind: Kind, message: &[u8]) {
        // Almost always nobody wants to know, so nothing is done for it before.
        if self.tap.is_on() {
            let Line { client, server, transport, .. } = *self;
            let message = message.to_vec();
            self.tap.tell(Tapped { kind, client, server, transport, at: SystemTime::now(), message });
        }
    }
}

#[cfg(test)]
mod tests;
