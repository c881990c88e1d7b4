//! Keeps the sockets open that are planned, as the plan changes.
//!
//! An address that cannot be bound does not concern the others: it is told once, with what to do, and tried again every few seconds.

use std::{
    collections::{HashMap, HashSet},
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    connections::Connections,
    plan::Plan,
    reply::Responder,
    tcp::{self, House},
    transport::Transport,
    udp,
};
use crate::dnstap::Tap;

/// How often what could not be bound is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How long sockets may take to close.
const CLOSE: Duration = Duration::from_secs(2);

/// Answers as planned, always as the plan is at the moment, until `shutdown`; `tap` is told of all messages. Sockets are open as it is at present when this returns.
pub fn run(
    responder: Arc<Responder>,
    tap: Tap,
    mut plan: watch::Receiver<Arc<Plan>>,
    shutdown: CancellationToken,
) -> impl Future<Output = anyhow::Result<()>> {
    let connections = Connections::new(plan.borrow().tcp);
    let mut listeners = Listeners {
        house: House { responder, connections, tap, plan: plan.clone() },
        shutdown: shutdown.clone(),
        open: HashMap::new(),
        waiting: HashSet::new(),
        failed: HashMap::new(),
        tasks: JoinSet::new(),
    };
    listeners.reconcile(&plan.borrow_and_update());
    async move {
        listeners.follow(plan, shutdown).await;
        Ok(())
    }
}

/// One socket of one address.
type Listener = (Transport, SocketAddr);

struct Listeners {
    house: House,
    shutdown: CancellationToken,
    /// The task of each, and what stops it. Stays until the task has ended, so that an address is never bound twice.
    open: HashMap<Listener, (Id, CancellationToken)>,
    /// To be tried again later.
    waiting: HashSet<Listener>,
    /// What was last told of those that could not be bound.
    failed: HashMap<Listener, ErrorKind>,
    tasks: JoinSet<io::Result<()>>,
}

impl Listeners {
    async fn follow(&mut self, mut plan: watch::Receiver<Arc<Plan>>, shutdown: CancellationToken) {
        let mut retry = interval_at(Instant::now() + RETRY, RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // In this order: what ends at shutdown is not to be opened anew.
                biased;
                () = shutdown.cancelled() => break,
                // Once there is nobody to change the plan, the last one holds.
                Ok(()) = plan.changed() => {
                    self.house.connections.set_bounds(plan.borrow().tcp);
                    self.waiting.clear();
                }
                _ = retry.tick() => self.waiting.clear(),
                Some(ended) = self.tasks.join_next_with_id() => self.close(ended),
            }
            let wanted = plan.borrow_and_update().clone();
            self.reconcile(&wanted);
        }
        let closed = timeout(CLOSE, async { while self.tasks.join_next().await.is_some() {} });
        if closed.await.is_err() {
            tracing::warn!(open = self.tasks.len(), "sockets had to be closed while they were sending");
        }
    }

    /// Stops what is not wanted any more, and opens what is missing.
    fn reconcile(&mut self, plan: &Plan) {
        let wanted: HashSet<Listener> = plan.sockets.iter().copied().collect();
        for (_, (_, stop)) in self.open.iter().filter(|(listener, _)| !wanted.contains(listener)) {
            stop.cancel();
        }
        self.failed.retain(|listener, _| wanted.contains(listener));
        for listener in wanted {
            if !self.open.contains_key(&listener) && !self.waiting.contains(&listener) {
                self.open(listener);
            }
        }
    }

    fn open(&mut self, listener: Listener) {
        let (transport, address) = listener;
        let stop = self.shutdown.child_token();
        let house = self.house.clone();
        let task = match transport {
            Transport::Udp => udp::open(address)
                .map(|socket| self.tasks.spawn(udp::serve(socket, house.responder, house.tap, stop.clone()))),
            Transport::Tcp | Transport::Tls | Transport::Https => tcp::open(address)
                .map(|socket| self.tasks.spawn(tcp::serve(socket, transport, house, stop.clone()))),
        };
        match task {
            Ok(task) => {
                self.open.insert(listener, (task.id(), stop));
                self.failed.remove(&listener);
                tracing::info!(%address, %transport, "answering");
            }
            Err(error) => {
                self.waiting.insert(listener);
                if self.failed.insert(listener, error.kind()) != Some(error.kind()) {
                    let hint = hint(error.kind());
                    tracing::error!(%address, %transport, %error, "cannot listen: {hint}; trying again every {RETRY:?}");
                }
            }
        }
    }

    /// Takes note of a task that has ended. One that was not told to is begun anew, but not at once.
    fn close(&mut self, ended: Result<(Id, io::Result<()>), JoinError>) {
        let (id, error) = match ended {
            Ok((id, Ok(()))) => (id, None),
            Ok((id, Err(error))) => (id, Some(error.to_string())),
            Err(error) => (error.id(), Some(error.to_string())),
        };
        let listener = self.open.iter().find_map(|(listener, (task, _))| (*task == id).then_some(*listener));
        let Some(listener) = listener else { return };
        self.open.remove(&listener);
        let (transport, address) = listener;
        match error {
            None => tracing::info!(%address, %transport, "no longer answering"),
            Some(error) => {
                self.waiting.insert(listener);
                tracing::error!(%address, %transport, %error, "a socket failed; it is opened anew within {RETRY:?}");
            }
        }
    }
}

/// What to do about it.
fn hint(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::AddrInUse => {
            "another program answers there; stop it, or leave the address out with `addresses` under [listen]"
        }
        ErrorKind::AddrNotAvailable => "no interface has this address (yet)",
        ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        _ => "see whether the address and the port under [listen] are right",
    }
}
