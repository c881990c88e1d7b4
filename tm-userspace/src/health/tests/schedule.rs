//! The schedule under a paused clock, with outcomes by script instead of a network.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, advance, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    desired::{Desired, Monitor, Profile, Status, Target},
    health::{Details, EndpointDetails, Health, Outcome, Probe, Slots, run},
    samples::{desired, endpoint, key, monitor, profile},
};

const SECOND: Duration = Duration::from_secs(1);

/// What the next probes of a target do; the last of them for ever.
#[derive(Clone, Copy, Debug)]
enum Reply {
    Good,
    Bad,
    /// Silent until the timeout.
    Hang,
    Panic,
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, Vec<Reply>>>,
    /// Target and start of each probe.
    started: Mutex<Vec<(String, Instant)>>,
}

impl Script {
    fn set(&self, target: &str, replies: &[Reply]) {
        let replies = replies.iter().rev().copied().collect();
        self.replies.lock().unwrap().insert(target.to_owned(), replies);
    }

    fn starts(&self, target: &str) -> Vec<Instant> {
        let started = self.started.lock().unwrap();
        started.iter().filter(|(probed, _)| probed == target).map(|(_, at)| *at).collect()
    }
}

impl Probe for Script {
    async fn probe(&self, target: Target, monitor: Arc<Monitor>) -> Outcome {
        let (target, began) = (target.to_string(), Instant::now());
        self.started.lock().unwrap().push((target.clone(), began));
        let reply = match self.replies.lock().unwrap().get_mut(&target) {
            Some(replies) if replies.len() > 1 => replies.pop().unwrap(),
            Some(replies) => replies[0],
            None => Reply::Good,
        };
        let (ok, reason) = match reply {
            Reply::Good => (true, "good"),
            Reply::Bad => (false, "bad"),
            Reply::Hang => {
                sleep(monitor.timeout).await;
                (false, "silent")
            }
            Reply::Panic => panic!("as the script says"),
        };
        Outcome {
            ok,
            reason: reason.into(),
            at: SystemTime::now(),
            took: began.elapsed(),
            expires: None,
            connected: None,
        }
    }
}

/// A running schedule and its ends.
struct Bench {
    script: Arc<Script>,
    desired: watch::Sender<Option<Desired>>,
    health: watch::Receiver<Health>,
    details: Arc<Details>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Bench {
    fn start(slots: Slots, profiles: Vec<Profile>, replies: &[(&str, &[Reply])]) -> Self {
        let script = Arc::new(Script::default());
        for (target, replies) in replies {
            script.set(target, replies);
        }
        let (desired, wanted) = watch::channel(Some(desired(&[], profiles)));
        let (verdicts, health) = watch::channel(Health::default());
        let details = Arc::new(Details::default());
        let shutdown = CancellationToken::new();
        let task =
            tokio::spawn(run(script.clone(), slots, wanted, verdicts, details.clone(), shutdown.clone()));
        Bench { script, desired, health, details, shutdown, task }
    }

    fn want(&self, profiles: Vec<Profile>) {
        self.desired.send_replace(Some(desired(&[], profiles)));
    }

    fn verdict(&self, endpoint: &str) -> Option<bool> {
        self.health.borrow().verdicts.get(&key("p", endpoint)).map(|verdict| verdict.up)
    }

    fn counts(&self, endpoint: &str) -> Option<(u32, u32, u64)> {
        let EndpointDetails { failures, successes, probes, .. } = self.details.get(&key("p", endpoint))?;
        Some((failures, successes, probes))
    }
}

fn one(name: &str, target: &str) -> Vec<Profile> {
    vec![profile("p", monitor(), vec![endpoint(name, target)])]
}

#[tokio::test(start_paused = true)]
async fn verdicts_flip_after_exactly_the_failures_that_are_not_tolerated() {
    use Reply::{Bad, Good};
    let mut bench = Bench::start(
        Slots::new(8),
        one("a", "192.0.2.1"),
        &[("192.0.2.1", &[Good, Bad, Bad, Bad, Good, Bad, Bad, Bad, Bad, Bad, Good])],
    );
    let mut flips = Vec::new();
    for _ in 0..3 {
        bench.health.changed().await.unwrap();
        let health = bench.health.borrow_and_update().clone();
        let up = health.verdicts[&key("p", "a")].up;
        flips.push((health.generation, up, bench.script.starts("192.0.2.1").len()));
    }
    assert_eq!(flips, [(1, true, 1), (2, false, 9), (3, true, 11)]);
    assert_eq!(bench.counts("a"), Some((0, 1, 11)));
    let last = bench.details.get(&key("p", "a")).unwrap().last.unwrap();
    assert_eq!((last.ok, &*last.reason), (true, "good"));
}

#[tokio::test(start_paused = true)]
async fn many_endpoints_begin_spread_out_and_keep_their_interval() {
    let endpoints: Vec<_> = (0..10_000_u32)
        .map(|i| endpoint(&i.to_string(), &std::net::Ipv4Addr::from(0x0a00_0000 + i).to_string()))
        .collect();
    let began = Instant::now();
    let bench = Bench::start(Slots::new(4096), vec![profile("p", monitor(), endpoints)], &[]);
    sleep(41 * SECOND).await;
    let started = bench.script.started.lock().unwrap().clone();
    let mut by_target: HashMap<String, Vec<Instant>> = HashMap::new();
    let mut by_tenth = HashMap::new();
    for (target, at) in started {
        *by_tenth.entry((at - began).as_millis() / 100).or_insert(0) += 1;
        by_target.entry(target).or_default().push(at);
    }
    assert_eq!(by_target.len(), 10_000);
    for starts in by_target.values() {
        assert!((4..=5).contains(&starts.len()), "{}", starts.len());
        assert!(starts[0] - began <= 10 * SECOND + Duration::from_millis(1));
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 10 * SECOND));
    }
    // 100 a tenth of a second on average; 200 would be ten standard deviations away.
    assert!(by_tenth.values().all(|probes| *probes < 200), "{by_tenth:?}");
}

#[tokio::test(start_paused = true)]
async fn few_endpoints_have_their_first_probe_at_once() {
    let endpoints = (1..=50).map(|i| endpoint(&i.to_string(), &format!("192.0.2.{i}"))).collect();
    let bench = Bench::start(Slots::new(8), vec![profile("p", monitor(), endpoints)], &[]);
    sleep(Duration::from_millis(202)).await;
    assert_eq!(bench.health.borrow().verdicts.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_delays_no_other() {
    let mut endpoints = vec![endpoint("good", "192.0.2.1")];
    endpoints.extend((1..=30).map(|i| endpoint(&format!("hung{i}"), &format!("198.51.100.{i}"))));
    let hung: Vec<_> = (1..=30).map(|i| format!("198.51.100.{i}")).collect();
    let replies: Vec<(&str, &[Reply])> = hung.iter().map(|target| (&**target, &[Reply::Hang][..])).collect();
    let bench = Bench::start(Slots::new(4), vec![profile("p", monitor(), endpoints)], &replies);
    sleep(600 * SECOND).await;
    // 30 probes of 5 s through 3 slots take 50 s; once it has been through that queue, the good one is on time.
    let starts = bench.script.starts("192.0.2.1");
    assert!(starts.len() >= 54, "{}", starts.len());
    let after_the_first = &starts[1..];
    assert!(after_the_first.windows(2).all(|pair| pair[1] - pair[0] == 10 * SECOND));
    assert_eq!(bench.verdict("good"), Some(true));
    assert_eq!(bench.verdict("hung7"), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_probe() {
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.1", &[Reply::Panic])]);
    sleep(35 * SECOND).await;
    assert_eq!(bench.counts("a"), Some((4, 0, 4)));
    assert_eq!(bench.verdict("a"), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_schedule_counts_and_verdict() {
    use Reply::{Bad, Good};
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.1", &[Good, Bad])]);
    sleep(25 * SECOND).await;
    assert_eq!(bench.counts("a"), Some((2, 0, 3)));
    let mut changed = monitor();
    changed.path = "/other".to_owned();
    let endpoints = vec![endpoint("a", "192.0.2.1"), endpoint("b", "192.0.2.2")];
    bench.want(vec![profile("p", changed, endpoints)]);
    sleep(10 * SECOND).await;
    assert_eq!(bench.counts("a"), Some((3, 0, 4)));
    assert_eq!((bench.verdict("a"), bench.verdict("b")), (Some(true), Some(true)));
    sleep(10 * SECOND).await;
    assert_eq!(bench.verdict("a"), Some(false));
    let starts = bench.script.starts("192.0.2.1");
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 10 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_changed_monitor_applies_from_the_next_probe() {
    use Reply::{Bad, Good};
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.1", &[Good, Bad])]);
    sleep(25 * SECOND).await;
    let mut changed = monitor();
    changed.tolerated_failures = 0;
    changed.interval = 3 * SECOND;
    changed.timeout = 2 * SECOND;
    bench.want(vec![profile("p", changed, vec![endpoint("a", "192.0.2.1")])]);
    sleep(3 * SECOND).await;
    assert_eq!(bench.verdict("a"), Some(false));
    sleep(9 * SECOND).await;
    let starts = bench.script.starts("192.0.2.1");
    assert!(starts[3] - starts[2] >= 3 * SECOND);
    assert!(starts[3..].windows(2).all(|pair| pair[1] - pair[0] == 3 * SECOND));
    assert!(starts.len() >= 6, "{}", starts.len());
}

#[tokio::test(start_paused = true)]
async fn a_changed_target_is_forgotten_even_by_a_probe_under_way() {
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.2", &[Reply::Bad])]);
    sleep(11 * SECOND).await;
    assert_eq!((bench.verdict("a"), bench.counts("a")), (Some(true), Some((0, 2, 2))));
    bench.script.set("192.0.2.1", &[Reply::Hang]);
    // Into the middle of the third probe, which began between 20.0 and 20.2 s and hangs until past 25 s.
    sleep(10 * SECOND).await;
    bench.want(one("a", "192.0.2.2"));
    sleep(6 * SECOND).await;
    assert_eq!(bench.script.starts("192.0.2.1").len(), 3);
    assert_eq!((bench.verdict("a"), bench.counts("a")), (None, Some((0, 0, 0))));
    sleep(4 * SECOND).await;
    assert_eq!(bench.counts("a"), Some((1, 0, 1)));
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_is_forgotten_and_begins_anew() {
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[]);
    let off: [fn(&mut Profile); 5] = [
        |profile| profile.status = Status::Disabled,
        |profile| Arc::make_mut(&mut profile.endpoints[0]).status = Status::Disabled,
        |profile| Arc::make_mut(&mut profile.endpoints[0]).always_serve = true,
        |profile| profile.endpoints.clear(),
        |profile| {
            let stopped = crate::samples::service(crate::desired::ServiceState::Stopped);
            Arc::make_mut(&mut profile.endpoints[0]).service = Some(stopped);
        },
    ];
    for switch_off in off {
        sleep(SECOND).await;
        assert_eq!((bench.verdict("a"), bench.counts("a")), (Some(true), Some((0, 1, 1))));
        let mut profiles = one("a", "192.0.2.1");
        switch_off(&mut profiles[0]);
        let (generation, probes) = (bench.health.borrow().generation, bench.script.starts("192.0.2.1").len());
        bench.want(profiles);
        sleep(60 * SECOND).await;
        assert_eq!((bench.verdict("a"), bench.counts("a")), (None, None));
        assert_eq!(bench.health.borrow().generation, generation + 1);
        assert_eq!(bench.script.starts("192.0.2.1").len(), probes);
        bench.script.set("192.0.2.1", &[Reply::Bad, Reply::Good]);
        bench.want(one("a", "192.0.2.1"));
        sleep(SECOND).await;
        assert_eq!((bench.verdict("a"), bench.counts("a")), (None, Some((1, 0, 1))));
        bench.want(Vec::new());
        sleep(SECOND).await;
        bench.script.set("192.0.2.1", &[Reply::Good]);
        bench.want(one("a", "192.0.2.1"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_under_way_cannot_bring_back_what_is_gone() {
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.1", &[Reply::Hang])]);
    let mut intolerant = monitor();
    intolerant.tolerated_failures = 0;
    bench.want(vec![profile("p", intolerant, vec![endpoint("a", "192.0.2.1")])]);
    sleep(SECOND).await;
    bench.want(Vec::new());
    sleep(60 * SECOND).await;
    let health = bench.health.borrow();
    assert_eq!((health.generation, health.verdicts.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_standstill_probes_are_not_made_up_for() {
    let endpoints = (1..=200).map(|i| endpoint(&i.to_string(), &format!("192.0.2.{i}"))).collect();
    let mut slow = monitor();
    slow.interval = 100 * SECOND;
    let bench = Bench::start(Slots::new(1000), vec![profile("p", slow.clone(), endpoints)], &[]);
    sleep(SECOND).await;
    assert_eq!(bench.script.started.lock().unwrap().len(), 200);
    // The clock jumps over three ticks of every endpoint at once.
    advance(350 * SECOND).await;
    sleep(40 * SECOND).await;
    assert_eq!(bench.script.started.lock().unwrap().len(), 200);
    sleep(20 * SECOND).await;
    assert_eq!(bench.script.started.lock().unwrap().len(), 400);
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_every_probe() {
    let bench = Bench::start(Slots::new(8), one("a", "192.0.2.1"), &[("192.0.2.1", &[Reply::Hang])]);
    sleep(SECOND).await;
    bench.shutdown.cancel();
    bench.task.await.unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(bench.script.starts("192.0.2.1").len(), 1);
    assert_eq!(Arc::strong_count(&bench.script), 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_probed_as_its_own_monitor_says() {
    let elsewhere = Monitor {
        target: Some(crate::samples::target("192.0.2.99")),
        interval: 20 * SECOND,
        tolerated_failures: 0,
        ..monitor()
    };
    let own = |own: Option<Monitor>| {
        let like = endpoint("like", "192.0.2.1");
        let own = crate::desired::Endpoint { monitor: own.map(Arc::new), ..endpoint("own", "192.0.2.2") };
        vec![profile("p", monitor(), vec![like, own])]
    };
    let bench = Bench::start(Slots::new(8), own(Some(elsewhere)), &[("192.0.2.99", &[Reply::Bad])]);
    sleep(41 * SECOND).await;
    let counts = ["192.0.2.1", "192.0.2.2", "192.0.2.99"].map(|target| bench.script.starts(target).len());
    assert_eq!(counts, [5, 0, 3]);
    assert_eq!((bench.verdict("like"), bench.verdict("own")), (Some(true), Some(false)));
    // Back to what it answers with: another target, of which nothing is known.
    bench.want(own(None));
    sleep(11 * SECOND).await;
    assert_eq!(bench.script.starts("192.0.2.99").len(), 3);
    assert!(!bench.script.starts("192.0.2.2").is_empty());
    assert_eq!(bench.verdict("own"), Some(true));
    bench.shutdown.cancel();
    bench.task.await.unwrap();
}
