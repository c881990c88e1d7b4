//! How far endpoints are, learnt from their probes: what is measured, what counts, and when it counts no longer.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Barrier, watch},
};
use tokio_util::sync::CancellationToken;

use super::servers::{Server, patient};
use crate::{
    desired::{Desired, Endpoint, Protocol, Target},
    geo::{Overrides, Region, Smoothed},
    health::{Details, Health, Outcome, Probe, Prober, Slots, resolve::Names, run, tls::Tls},
    samples::{desired, endpoint, key, monitor, profile, target},
};

/// A prober of a node that is near to somebody, or to nobody.
fn prober(near: bool) -> Prober {
    let prefixes = if near { vec![("203.0.113.0".parse().unwrap(), 24)] } else { vec![] };
    let overrides = Arc::new(Overrides::default().near(prefixes));
    let desired = Desired { overrides, ..desired(&[("127.0.0.0", 8)], vec![]) };
    Prober::with(watch::channel(Some(desired)).1, Names::from_system(), Tls::from_system().unwrap())
}

/// Answers requests once there is another connection, on which nothing is asked.
async fn pair() -> Server {
    let both = Arc::new(Barrier::new(2));
    let serve = move |mut stream: tokio::net::TcpStream| {
        let both = both.clone();
        async move {
            both.wait().await;
            let mut request = [0; 1024];
            if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                // Whoever has heard enough may be gone.
                _ = stream.write_all(answer).await;
            }
        }
    };
    Server::start("127.0.0.1:0", serve).await
}

#[tokio::test]
async fn connecting_is_timed_where_somebody_is_near() {
    let server = Server::start("127.0.0.1:0", |_| std::future::ready(())).await;
    let probe = async |protocol, server: &Server, near| {
        let monitor = Arc::new(patient(protocol, server.address.port()));
        prober(near).probe(target("127.0.0.1"), monitor).await
    };
    let found = probe(Protocol::Tcp, &server, true).await;
    assert!(found.connected.is_some_and(|connected| connected <= found.took), "{found:?}");
    assert_eq!(probe(Protocol::Tcp, &server, false).await.connected, None);
    // Over HTTP by a connection of its own, which is there before the answer.
    let server = pair().await;
    let found = probe(Protocol::Http, &server, true).await;
    assert_eq!((found.ok, &*found.reason, server.connections()), (true, "200 OK", 2));
    assert!(found.connected.is_some_and(|connected| connected <= found.took), "{found:?}");
    let (server, _heads) = Server::http("127.0.0.1:0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let found = probe(Protocol::Http, &server, false).await;
    assert_eq!((found.ok, found.connected, server.connections()), (true, None, 1));
    // One that fails tells nothing.
    let server = pair().await;
    let mut strict = patient(Protocol::Http, server.address.port());
    strict.expected_status = vec![204..=204];
    let found = prober(true).probe(target("127.0.0.1"), Arc::new(strict)).await;
    assert_eq!((found.ok, found.connected), (false, None));
}

/// Every probe is a success that connects within as many milliseconds as the target's last octet says.
struct Steady;

impl Probe for Steady {
    async fn probe(&self, target: Target, _: Arc<crate::desired::Monitor>) -> Outcome {
        let Target::V4(address) = target else { panic!("{target}") };
        let connected = Some(Duration::from_millis(address.octets()[3].into()));
        let (at, took) = (SystemTime::now(), Duration::ZERO);
        Outcome { ok: true, reason: "good".into(), at, took, expires: None, connected }
    }
}

fn region(name: &str) -> Region {
    Region::find(name).unwrap()
}

fn one(target: &str, location: &str) -> Desired {
    let endpoint = Endpoint { location: Some(region(location)), ..endpoint("a", target) };
    desired(&[], vec![profile("p", monitor(), vec![endpoint])])
}

#[tokio::test(start_paused = true)]
async fn what_eight_probes_say_counts_for_the_region_until_the_endpoint_is_another_one() {
    let (wanted, desired) = watch::channel(Some(one("192.0.2.40", "West Europe")));
    let (health_to, mut health) = watch::channel(Health::default());
    let (details, shutdown) = (Arc::new(Details::default()), CancellationToken::new());
    let running = run(Arc::new(Steady), Slots::new(8), desired, health_to, details.clone(), shutdown.clone());
    let running = tokio::spawn(running);
    let probes = || details.get(&key("p", "a")).map(|details| (details.probes, details.round_trip));
    let smoothed = |milliseconds, samples| Some(Smoothed { milliseconds, samples });
    let learnt = |health: &watch::Receiver<Health>, name| {
        health.borrow().round_trips.learnt(&key("p", "a"), region(name))
    };
    health.changed().await.unwrap();
    assert_eq!(
        (learnt(&health, "West Europe"), probes()),
        (None, Some((1, smoothed(40.0, 1)))),
        "its verdict"
    );
    health.changed().await.unwrap();
    assert_eq!(learnt(&health, "West Europe"), Some(40.0));
    assert_eq!(probes(), Some((8, smoothed(40.0, 8))));
    assert_eq!((learnt(&health, "East US"), health.borrow().generation), (None, 2));
    // The next ones say nothing new.
    tokio::time::sleep(monitor().interval * 20).await;
    assert!(!health.has_changed().unwrap());

    // Another region: what is known of the way there goes on.
    wanted.send_replace(Some(one("192.0.2.40", "East US")));
    health.changed().await.unwrap();
    assert_eq!([learnt(&health, "West Europe"), learnt(&health, "East US")], [None; 2]);
    health.changed().await.unwrap();
    assert_eq!(learnt(&health, "East US"), Some(40.0));
    // Another target: all begins anew.
    wanted.send_replace(Some(one("192.0.2.50", "East US")));
    health.changed().await.unwrap();
    assert!(health.borrow().verdicts.is_empty() && health.borrow().round_trips.is_empty());
    health.changed().await.unwrap();
    assert_eq!((learnt(&health, "East US"), health.borrow().verdicts.len()), (None, 1));
    health.changed().await.unwrap();
    assert_eq!((learnt(&health, "East US"), probes()), (Some(50.0), Some((8, smoothed(50.0, 8)))));
    // And none.
    wanted.send_replace(Some(crate::samples::desired(&[], vec![])));
    health.changed().await.unwrap();
    assert!(health.borrow().round_trips.is_empty());
    shutdown.cancel();
    running.await.unwrap();
}
