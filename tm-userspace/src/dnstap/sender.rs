//! Keeps a stream to the collector that is wanted, and sends what waits.

use std::{convert::Infallible, io, mem::replace, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{Tap, message::Tapped, stream::Stream};
use crate::desired::{Desired, Dnstap};

/// Until it is tried again to reach the collector.
const AGAIN: Duration = Duration::from_secs(1);
/// Messages that leave together.
const BATCH: usize = 256;

/// What there is of a way to the collector.
pub(super) struct Sender {
    tap: Tap,
    wanted: Option<Dnstap>,
    stream: Option<Stream>,
    /// When it is to be tried again.
    next: Instant,
    /// Was it said that the collector cannot be reached?
    is_told: bool,
}

impl Sender {
    /// Nothing is wanted yet.
    pub(super) fn new(tap: Tap) -> Self {
        Sender { tap, wanted: None, stream: None, next: Instant::now(), is_told: false }
    }

    /// Sends what waits to where the latest configuration says. It may be given up at any moment: what a stream has in part is the last that it has.
    pub(super) async fn follow(
        &mut self,
        waiting: &mut mpsc::Receiver<Tapped>,
        desired: &mut watch::Receiver<Option<Desired>>,
    ) -> Infallible {
        let mut batch = vec![];
        self.want(wanted(desired)).await;
        loop {
            let is_missing = self.wanted.is_some() && self.stream.is_none();
            tokio::select! {
                Ok(()) = desired.changed() => self.want(wanted(desired)).await,
                () = sleep_until(self.next), if is_missing => self.open().await,
                error = ended(self.stream.as_ref()) => self.fail(&error),
                _ = waiting.recv_many(&mut batch, BATCH), if !is_missing => self.send(&mut batch).await,
            }
        }
    }

    /// Sends what is left, and ends in order.
    pub(super) async fn finish(&mut self, waiting: &mut mpsc::Receiver<Tapped>) {
        let mut batch = vec![];
        while let Ok(tapped) = waiting.try_recv() {
            batch.push(tapped);
        }
        self.send(&mut batch).await;
        self.close().await;
    }

    async fn want(&mut self, wanted: Option<Dnstap>) {
        if self.wanted == wanted {
            return;
        }
        self.close().await;
        self.tap.set_on(wanted.is_some());
        (self.wanted, self.next, self.is_told) = (wanted, Instant::now(), false);
    }

    async fn open(&mut self) {
        let Some(Dnstap { socket, .. }) = &self.wanted else { return };
        match Stream::open(socket).await {
            Ok(stream) => {
                tracing::info!(socket = %socket.display(), "the dnstap collector takes messages");
                (self.stream, self.is_told) = (Some(stream), false);
            }
            Err(error) => self.fail(&error),
        }
    }

    async fn send(&mut self, batch: &mut Vec<Tapped>) {
        self.tap.take(batch);
        // Taken out while it is written to: nothing is ever written behind half a frame.
        let Some((mut stream, wanted)) = self.stream.take().zip(self.wanted.as_ref()) else {
            return self.tap.drop_messages(batch.drain(..).len());
        };
        let count = batch.len();
        let frames = batch.drain(..).map(|tapped| tapped.encode(&wanted.identity));
        match stream.write(frames).await {
            Ok(()) => {
                self.tap.sent(count);
                self.stream = Some(stream);
            }
            Err(error) => {
                self.tap.drop_messages(count);
                self.fail(&error);
            }
        }
    }

    async fn close(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        match stream.close().await {
            Ok(()) => tracing::info!("the dnstap collector is told no more"),
            Err(error) => tracing::warn!(%error, "the dnstap collector did not take the end"),
        }
    }

    /// Said once, until it is reached again.
    fn fail(&mut self, error: &io::Error) {
        (self.stream, self.next) = (None, Instant::now() + AGAIN);
        if !replace(&mut self.is_told, true)
            && let Some(Dnstap { socket, .. }) = &self.wanted
        {
            tracing::warn!(socket = %socket.display(), %error, "the dnstap collector cannot be reached; trying again every second");
        }
    }
}

/// What the latest configuration says.
fn wanted(desired: &mut watch::Receiver<Option<Desired>>) -> Option<Dnstap> {
    desired.borrow_and_update().as_ref().and_then(|desired| desired.node.dnstap.clone())
}

/// Comes when the other side has ended the stream, with why.
async fn ended(stream: Option<&Stream>) -> io::Error {
    match stream {
        Some(stream) => stream.ended().await,
        None => std::future::pending().await,
    }
}
