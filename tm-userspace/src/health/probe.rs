//! One probe of one endpoint: from a target and a monitor to an outcome, within the monitor's timeout whatever the other side does.
//!
//! The target's addresses are found, each is checked against the guard, and each that may be probed is tried: the next one as soon as the one before has
//! failed or kept us waiting for a while. One good answer is enough. At the deadline everything that is still under way is dropped.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    panic::resume_unwind,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use tokio::{
    select,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{Outcome, certificate, guard, http, resolve::Names, tcp, tls::Tls};
use crate::desired::{Desired, Monitor, Probes, Protocol, Target};

/// Makes probes.
pub trait Probe: Send + Sync + 'static {
    /// Probes `target` once; ends by the monitor's timeout.
    fn probe(&self, target: Target, monitor: Arc<Monitor>) -> impl Future<Output = Outcome> + Send;
}

/// Makes probes over the network.
pub struct Prober {
    desired: watch::Receiver<Option<Desired>>,
    names: Names,
    tls: Tls,
}

/// What was found: success or failure, with the reason.
type Finding = Result<Found, String>;

/// What a good answer was.
#[derive(Debug)]
pub(super) struct Found {
    /// In a few words.
    pub(super) reason: String,
    /// When the certificate expires that was shown.
    pub(super) expires: Option<SystemTime>,
}

/// When a probe ends, and how long that is after its start.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    fn after(timeout: Duration) -> Self {
        Deadline { at: Instant::now() + timeout, timeout }
    }

    /// What `work` finds; where that is not in time, `late` says what was not done.
    pub(super) async fn hold<T>(
        self,
        late: &str,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        let in_time = timeout_at(self.at, work).await;
        in_time.unwrap_or_else(|_| Err(format!("{late} within {:?}", self.timeout)))
    }
}

/// What is late where nothing came.
pub(super) const NO_ANSWER: &str = "no answer";

/// At most this long is one address waited for before the next is tried as well ([RFC 8305, section 5]).
///
/// [RFC 8305, section 5]: https://www.rfc-editor.org/rfc/rfc8305#section-5
const HEAD_START: Duration = Duration::from_millis(250);

impl Prober {
    /// Follows the `[probes]` settings of `desired`; reads the system's name servers and root certificates.
    pub fn new(desired: watch::Receiver<Option<Desired>>) -> anyhow::Result<Self> {
        let tls = Tls::from_system().context("prepare TLS for probes")?;
        Ok(Prober::with(desired, Names::from_system(), tls))
    }

    /// Asks `names` and trusts by `tls`.
    pub(super) fn with(desired: watch::Receiver<Option<Desired>>, names: Names, tls: Tls) -> Self {
        Prober { desired, names, tls }
    }

    async fn find(&self, target: &Target, monitor: &Arc<Monitor>) -> Finding {
        let deadline = Deadline::after(monitor.timeout);
        let late = format!("{target} does not resolve");
        let mut addresses = deadline.hold(&late, self.addresses(target)).await?;
        if let Some(source) = monitor.source {
            addresses.retain(|address| address.is_ipv4() == source.is_ipv4());
            if addresses.is_empty() {
                return Err(format!("{target} has no address that can be probed from {source}"));
            }
        }
        self.attempt_each(&addresses, target, monitor, deadline).await
    }

    /// The addresses to try; never empty.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, String> {
        let found = match target {
            Target::V4(address) => vec![IpAddr::V4(*address)],
            Target::V6(address) => vec![IpAddr::V6(*address)],
            Target::Name(name) => self.names.addresses(name).await?,
            Target::Profile(name) => return Err(format!("{name} is a profile, which is not probed")),
        };
        let probes = self.probes();
        let mut refused = String::new();
        let mut permitted = Vec::new();
        for address in found {
            match guard::permit(address, &probes) {
                Ok(address) if permitted.contains(&address) => {}
                Ok(address) => permitted.push(address),
                Err(reason) => refused = reason,
            }
        }
        if permitted.is_empty() { Err(refused) } else { Ok(permitted) }
    }

    /// The latest settings.
    fn probes(&self) -> Probes {
        self.desired.borrow().as_ref().map(|desired| desired.node.probes.clone()).unwrap_or_default()
    }

    /// Ends by the deadline, since every attempt does and the last begins before it.
    async fn attempt_each(
        &self,
        addresses: &[IpAddr],
        target: &Target,
        monitor: &Arc<Monitor>,
        deadline: Deadline,
    ) -> Finding {
        let verify = monitor.protocol == Protocol::Https && monitor.verify_certificate;
        let tls = self.tls.config(verify)?;
        let mut waiting = addresses.iter().map(|address| SocketAddr::new(*address, monitor.port));
        let head_start = head_start(monitor.timeout, addresses.len());
        let mut attempts = JoinSet::new();
        let mut failures = Vec::new();
        loop {
            match waiting.next() {
                Some(address) => {
                    let (tls, target, monitor) = (tls.clone(), target.clone(), monitor.clone());
                    attempts.spawn(async move {
                        let finding = match monitor.protocol {
                            Protocol::Tcp => {
                                let connected = tcp::connect(address, monitor.source);
                                let reason = deadline.hold(NO_ANSWER, connected).await;
                                reason.map(|reason| Found { reason, expires: None })
                            }
                            Protocol::Http | Protocol::Https => {
                                http::get(address, tls, &target, &monitor, deadline).await
                            }
                        };
                        (address.ip(), finding)
                    });
                }
                None if attempts.is_empty() => return Err(summary(failures)),
                None => {}
            }
            select! {
                Some(ended) = attempts.join_next() => match ended {
                    Ok((_, Ok(found))) => return Ok(found),
                    Ok((address, Err(reason))) => failures.push((address, reason)),
                    Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = sleep(head_start), if waiting.len() > 0 => {}
            }
        }
    }
}

impl Probe for Prober {
    async fn probe(&self, target: Target, monitor: Arc<Monitor>) -> Outcome {
        let started = Instant::now();
        let finding = self.find(&target, &monitor).await;
        let (at, took) = (SystemTime::now(), started.elapsed());
        let (ok, reason, expires) = match finding {
            Ok(Found { reason, expires }) => (true, reason, expires),
            Err(reason) => (false, reason, None),
        };
        let known = expires.zip(monitor.certificate_warning);
        let warning = known.and_then(|(expires, within)| certificate::warning(expires, within, at));
        let reason = warning.map_or(reason.clone(), |warning| format!("{reason}, but {warning}"));
        Outcome { ok, reason: reason.into(), at, took, expires }
    }
}

/// How long an address has for itself: such that the last one still has half of the timeout.
fn head_start(timeout: Duration, addresses: usize) -> Duration {
    let share = timeout / 2 / u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    share.min(HEAD_START)
}

/// Why none of the addresses was good.
fn summary(failures: Vec<(IpAddr, String)>) -> String {
    match failures.as_slice() {
        [(_, reason)] => reason.clone(),
        [(_, reason), rest @ ..] if rest.iter().all(|(_, other)| other == reason) => {
            format!("{reason} at each of {} addresses", failures.len())
        }
        [(first, reason), (second, other), rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
            format!("{first}: {reason}; {second}: {other}{more}")
        }
        [] => "no address to try".to_owned(),
    }
}
