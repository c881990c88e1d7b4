//! The task's timers: by a clock that the test owns, what was decided until a time is decided anew at that time; and a repair lets others go first.

mod aside;

use std::{collections::BTreeSet, time::SystemTime};

use tokio::task::JoinHandle;

use super::{repair::SLICE, *};
use crate::{
    compile::{Compiled, compile},
    decide::EndpointStatus,
    desired::{Endpoint, EndpointKey, Failback, Profile, Rules, Target},
    health::{Forced, Verdict},
    names::DnsName,
    samples,
};

const MINUTE: Duration = Duration::from_secs(60);

fn minute(minute: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + MINUTE * minute
}

/// A running task without a kernel, and the ends of what it is given.
struct Bench {
    clock: watch::Sender<SystemTime>,
    health: watch::Sender<Health>,
    load: watch::Sender<Option<Load>>,
    published: watch::Receiver<Arc<Published>>,
    desired: watch::Sender<Option<Desired>>,
    tables: Tables,
    _host: watch::Sender<Host>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Bench {
    /// A Priority profile `p` of `first` and `second`, of which `first` came up again at minute 0, and any failback waits five minutes.
    fn start(health: Health) -> Self {
        let endpoints = [("first", "192.0.2.1", 1), ("second", "192.0.2.2", 2)]
            .map(|(name, target, priority)| Endpoint { priority, ..samples::endpoint(name, target) });
        let profile = Profile {
            rules: Rules { failback: Failback::After(MINUTE * 5), ..Rules::default() },
            ..samples::profile("p", samples::monitor(), endpoints.to_vec())
        };
        Self::start_with(vec![profile], health, |_| {})
    }

    /// These profiles, of whose decisions `lose` may lose some before the task runs.
    fn start_with(profiles: Vec<Profile>, health: Health, lose: impl FnOnce(&mut Control)) -> Self {
        let (desired_to, desired) = watch::channel(Some(samples::desired(&[], profiles)));
        let (clock, time) = watch::channel(minute(0));
        let (health_to, health) = watch::channel(health);
        let (host_to, host) = watch::channel(Host::default());
        let (load_to, load) = watch::channel(None);
        let (published_to, published) = watch::channel(Arc::default());
        let mut inputs = Inputs {
            desired,
            health,
            host,
            load,
            clock: Clock::Owned(time),
            meters: Default::default(),
            own_cookies: cookies(),
        };
        let tables = Tables::empty();
        let mut control =
            Control::start(&mut inputs, tables.clone(), published_to, None, Counted::default()).unwrap();
        lose(&mut control);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(control.run(inputs, shutdown.clone()));
        Bench {
            clock,
            health: health_to,
            load: load_to,
            published,
            desired: desired_to,
            tables,
            _host: host_to,
            shutdown,
            task,
        }
    }

    fn decision(&self) -> Arc<Decision> {
        self.published.borrow().decisions["p"].clone()
    }

    fn answering(&self) -> Vec<usize> {
        self.decision().places.iter().flatten().map(|share| share.endpoint).collect()
    }

    /// Waits for the next state that is published.
    async fn next(&mut self) {
        self.published.changed().await.unwrap();
        self.published.mark_unchanged();
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

fn back_at(since: SystemTime) -> Health {
    let mut health = Health::default();
    let recovered = Verdict { up: true, since, recovered: true };
    health.verdicts.insert(samples::key("p", "first"), recovered);
    health
}

fn cookies() -> Secrets {
    Secrets::parse(b"00112233445566778899aabbccddeeff").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_failback_comes_when_the_clock_says_so() {
    let mut bench = Bench::start(back_at(minute(0)));
    bench.published.mark_unchanged();
    assert_eq!((bench.answering(), bench.decision().until), (vec![1], Some(minute(5))));
    bench.clock.send_replace(minute(5) - Duration::from_nanos(1));
    // The repair is the only timer that is not the test's, and finds nothing to change.
    bench.next().await;
    assert_eq!(bench.answering(), [1]);
    bench.clock.send_replace(minute(5));
    bench.next().await;
    assert_eq!((bench.answering(), bench.decision().until), (vec![0], None));
    assert_eq!(bench.decision().places[0].len(), 1);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_is_decided_on_at_once_and_again_at_its_end() {
    let mut bench = Bench::start(Health::default());
    bench.published.mark_unchanged();
    assert_eq!((bench.answering(), bench.decision().until), (vec![0], None));
    let first: EndpointKey = samples::key("p", "first");
    let down = Forced { up: false, since: minute(0), until: Some(minute(3)) };
    bench.health.send_modify(|health| health.orders.force(first, down));
    bench.next().await;
    assert_eq!((bench.answering(), bench.decision().until), (vec![1], Some(minute(3))));
    assert_eq!(bench.decision().endpoints, [EndpointStatus::CheckingEndpoint; 2], "the real state stays");
    bench.clock.send_replace(minute(3));
    bench.next().await;
    assert_eq!((bench.answering(), bench.decision().until), (vec![0], None));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_flip_during_a_repair_is_published_before_its_end() {
    let name = |i: usize| format!("p{i:04}");
    let last = SLICE * 8;
    let profile = |i| {
        let endpoints = [("first", "192.0.2.1", 1), ("second", "192.0.2.2", 2)]
            .map(|(name, target, priority)| Endpoint { priority, ..samples::endpoint(name, target) });
        samples::profile(&name(i), samples::monitor(), endpoints.to_vec())
    };
    // What was lost at both ends shows how far the repair has come.
    let lose = |control: &mut Control| {
        for i in [0, last] {
            control.decisions.remove(name(i).as_str());
        }
    };
    let mut bench = Bench::start_with((0..=last).map(profile).collect(), Health::default(), lose);
    let state = |bench: &Bench| {
        let published = bench.published.borrow();
        let is_there = |i| published.decisions.contains_key(name(i).as_str());
        let flipped = published.decisions[name(1).as_str()].places[0][0].endpoint;
        (is_there(0), flipped, is_there(last))
    };
    bench.published.mark_unchanged();
    bench.next().await;
    assert_eq!(state(&bench), (true, 0, false), "the repair has begun");
    bench.health.send_modify(|health| {
        let down = Verdict { up: false, since: minute(1), recovered: false };
        health.verdicts.insert(samples::key(&name(1), "first"), down);
    });
    bench.next().await;
    assert_eq!(state(&bench), (true, 1, false), "the flip goes first");
    bench.next().await;
    assert_eq!(state(&bench), (true, 1, true), "the repair goes on");
    bench.next().await;
    assert_eq!(state(&bench), (true, 1, true), "its end");
    bench.end().await;
}

/// The name of one of forty profiles: of each four, one with two of the others two labels below it, and a wildcard around these.
fn name_of(index: usize) -> String {
    let first = index / 4 * 4;
    ["", "x.y.", "*.", "z.y."][index % 4].to_owned() + &format!("p{first}.tm.example")
}

/// What each of forty profiles is at a step: absent, or led by what is behind it: an address, another profile, another profile's name, or a name that is no profile's.
fn states(steps: usize) -> Vec<Desired> {
    let mut random = 1u64;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let mut kinds = [(0, 0); 40];
    let mut states: Vec<Desired> = Vec::new();
    for step in 0..steps {
        for _ in 0..if step == 0 { 200 } else { 3 } {
            kinds[next(40)] = (next(5), next(40));
        }
        let profiles = (0..40).filter(|index| kinds[*index].0 > 0).map(|index| {
            let (kind, other) = (kinds[index].0, kinds[index].1 % index.max(1));
            let leads = other < index && kinds[other].0 > 0;
            let address = Endpoint {
                always_serve: true,
                ..samples::endpoint("a", &format!("192.0.2.{}", kinds[index].1))
            };
            let endpoint = match kind {
                2 if leads => Endpoint {
                    target: Target::Profile(format!("p{other}").into()),
                    always_serve: false,
                    ..address
                },
                3 if other < index => Endpoint {
                    target: Target::Name(name_of(other).parse().unwrap()),
                    follows: leads.then(|| format!("p{other}").into()),
                    ..address
                },
                // What is between, or what the wildcard alone may have.
                4 => Endpoint {
                    target: Target::Name(
                        format!("{}y.p{}.tm.example", ["", "w."][other % 2], other / 4 * 4).parse().unwrap(),
                    ),
                    ..address
                },
                _ => address,
            };
            Profile {
                dns_name: name_of(index).parse().unwrap(),
                ..samples::profile(&format!("p{index}"), samples::monitor(), vec![endpoint])
            }
        });
        let profiles: Vec<Profile> = profiles.collect();
        let mut state = samples::desired(&[], profiles);
        // As a catalog hands it out: what is the same is the same memory.
        if let Some(before) = states.last() {
            state.node = before.node.clone();
            for (name, profile) in state.profiles.clone() {
                let kept = before.profiles.get(&name).filter(|kept| **kept == profile);
                state.profiles.insert(name, kept.cloned().unwrap_or(profile));
            }
        }
        states.push(state);
    }
    states
}

#[tokio::test]
async fn a_few_changes_bring_what_a_full_pass_would() {
    let states = states(200);
    let (published, _) = watch::channel(Arc::default());
    let (_desired_to, desired) = watch::channel(Some(states[0].clone()));
    let (_health_to, health) = watch::channel(Health::default());
    let (_host_to, host) = watch::channel(Host::default());
    let mut inputs = Inputs {
        desired,
        health,
        host,
        load: watch::channel(None).1,
        clock: Clock::System,
        meters: Default::default(),
        own_cookies: cookies(),
    };
    let mut control =
        Control::start(&mut inputs, Tables::empty(), published, None, Counted::default()).unwrap();
    // None of the states is without what the answers of others rest on.
    let mut ends = BTreeSet::new();
    for (step, state) in states.iter().enumerate().skip(1) {
        let before = std::mem::replace(&mut control.desired, Arc::new(state.clone()));
        assert!(control.take_changes(&before), "step {step}: few have changed");
        let few = control.decisions.clone();
        control.decide_all();
        assert_eq!(few, control.decisions, "step {step}");
        let names = (0..40).map(|index| name_of(index).parse().unwrap());
        let others: BTreeSet<DnsName> = names.chain(control.tree.all().map(|(name, _)| name)).collect();
        let others = others.into_iter().filter(|name| !control.tree.is_profiles(name));
        let others: Vec<_> = others.map(|name| (name.clone(), control.tree.at(&name))).collect();
        let mut all = control.compile(control.decisions.values());
        ends.extend(all.iter().flat_map(|(_, compiled)| compiled).map(|compiled| {
            let records = &compiled.places[0][0].answers[0];
            (records.answers.min(2), records.authorities, records.code)
        }));
        all.extend(others);
        let mut image = control.tables.image_mut();
        let changes = image.apply(all.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        assert!(changes.is_empty(), "step {step}: {changes:?}");
    }
    assert!(
        [(1, 0, 0), (1, 1, 0), (1, 1, 3), (2, 1, 0), (2, 1, 3)].iter().all(|end| ends.contains(end)),
        "{ends:?}"
    );
}
