//! How long the parts of one attempt take: the connection with its TLS, the wait for the answer's head, the rest of the answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::{Layer, Service};

use crate::metrics::{Meters, Phase};

/// An attempt that is under way.
#[derive(Clone)]
pub(super) struct Phases {
    meters: Meters,
    /// When the present part began.
    since: Arc<Mutex<Instant>>,
}

impl Phases {
    /// Of an attempt that begins now.
    pub(super) fn begin(meters: &Meters) -> Self {
        Phases { meters: meters.clone(), since: Arc::new(Mutex::new(Instant::now())) }
    }

    /// The attempt to connect is over; one that failed is not timed, since what it failed for decides how long it took.
    pub(super) fn is_connected(&self, ok: bool) {
        self.end(Phase::Connect, ok);
    }

    /// The answer's head has come.
    pub(super) fn head_is_there(&self) {
        self.end(Phase::Head, true);
    }

    /// All of the answer has come.
    pub(super) fn body_is_there(&self) {
        self.end(Phase::Body, true);
    }

    /// For a client that connects by itself.
    pub(super) fn of_connecting(&self) -> Connecting {
        Connecting(self.clone())
    }

    fn end(&self, phase: Phase, ok: bool) {
        let now = Instant::now();
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if ok {
            self.meters.phase_ended(phase, now.duration_since(*since));
        }
        *since = now;
    }
}

/// Takes note of when a connection stands.
#[derive(Clone)]
pub(super) struct Connecting(Phases);

impl<S> Layer<S> for Connecting {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner, phases: self.0.clone() }
    }
}

/// A way to connect, and what its time is noted by.
#[derive(Clone)]
pub(super) struct Timed<S> {
    inner: S,
    phases: Phases,
}

impl<S, R> Service<R> for Timed<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, phases) = (self.inner.call(request), self.phases.clone());
        Box::pin(async move {
            let connected = connecting.await;
            phases.is_connected(connected.is_ok());
            connected
        })
    }
}
