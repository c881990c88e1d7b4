//! What is made aside holds nobody up: flips are published meanwhile, and hold in the new tables.

use std::sync::mpsc as blocking;

use super::*;
use crate::{
    desired::{Arming, Limit, Node, RateLimit, Subnet},
    geo::{Region, Sample},
};

/// More ranges than are put into the tables in use.
const RANGES: u32 = 3_000;

/// Says when something is begun to be made aside, and when it is made with whether new tables belong to it; waits in either case until it may go on.
struct Gate {
    begun: mpsc::UnboundedReceiver<()>,
    made: mpsc::UnboundedReceiver<bool>,
    go: blocking::Sender<()>,
}

impl Gate {
    fn of(control: &mut Control) -> Self {
        let (begun_to, begun) = mpsc::unbounded_channel();
        let (made_to, made) = mpsc::unbounded_channel();
        let (go, may_go) = blocking::channel();
        let may_go = std::sync::Mutex::new(may_go);
        let make = control.make.clone();
        control.make = Arc::new(move |work| {
            let wait = || may_go.lock().unwrap().recv().unwrap();
            begun_to.send(()).unwrap();
            wait();
            let made = make(work);
            made_to.send(made.fresh.is_some()).unwrap();
            wait();
            made
        });
        Gate { begun, made, go }
    }

    /// Lets it be made; says whether with new tables.
    async fn make(&mut self) -> bool {
        self.go.send(()).unwrap();
        self.made.recv().await.unwrap()
    }
}

/// Behind a gate: a Priority profile `p` of `first` and `second`, and `others`.
fn start(others: Vec<Profile>) -> (Bench, Gate, Vec<Profile>) {
    let endpoints = [("first", "192.0.2.1", 1), ("second", "192.0.2.2", 2)]
        .map(|(name, target, priority)| Endpoint { priority, ..samples::endpoint(name, target) });
    let mut profiles = others;
    profiles.push(samples::profile("p", samples::monitor(), endpoints.to_vec()));
    let mut gate = None;
    let mut bench = Bench::start_with(profiles.clone(), Health::default(), |control| {
        gate = Some(Gate::of(control));
    });
    bench.published.mark_unchanged();
    (bench, gate.unwrap(), profiles)
}

impl Bench {
    /// `first` flips; gives what is published next: its generation, and who answers.
    async fn flip(&mut self, up: bool) -> (u64, Vec<usize>) {
        self.health.send_modify(|health| {
            let verdict = Verdict { up, since: minute(0), recovered: false };
            health.verdicts.insert(samples::key("p", "first"), verdict);
        });
        self.next().await;
        (self.published.borrow().generation, self.answering())
    }

    /// Has every table what was published last, and nothing else?
    fn assert_tables(&self, desired: &Desired) {
        let published = self.published.borrow().clone();
        let tree = Tree::of(desired, Arc::new(Zones::of(desired)), &published.listening.served);
        let decisions = published.decisions.values();
        let mut all: Vec<(DnsName, Option<Compiled>)> =
            decisions.map(|d| (d.profile.dns_name.clone(), compile(d, &tree))).collect();
        all.extend(tree.all().map(|(name, compiled)| (name, Some(compiled))));
        let mut image = self.tables.image_mut();
        assert_eq!(image.names(), all.len());
        let changes = image.apply(all.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        assert!(changes.is_empty(), "{changes:?}");
    }
}

/// Ranges of four addresses, every other one of them.
fn large() -> Profile {
    let range = |i: u32| {
        let first = std::net::Ipv4Addr::from(0x0b00_0000 + (i << 3));
        Subnet { first: first.into(), last: std::net::Ipv4Addr::from(u32::from(first) + 3).into() }
    };
    let some =
        Endpoint { subnets: (0..RANGES).map(range).collect(), ..samples::endpoint("some", "192.0.2.3") };
    let rest = samples::endpoint("rest", "192.0.2.4");
    let profile = samples::profile("large", samples::monitor(), vec![some, rest]);
    Profile { routing_method: crate::desired::RoutingMethod::Subnet, ..profile }
}

#[tokio::test]
async fn a_flip_is_published_while_a_large_view_is_made_and_holds_in_its_tables() {
    let (mut bench, mut gate, profiles) = start(vec![]);
    let more = profiles.iter().cloned().chain([large()]).collect();
    let wanted = Desired { generation: 2, ..samples::desired(&[], more) };
    bench.desired.send_replace(Some(wanted.clone()));
    gate.begun.recv().await.unwrap();
    assert_eq!(bench.flip(false).await, (1, vec![1]), "before the view is made");
    assert!(gate.make().await, "new tables belong to it");
    assert_eq!(bench.flip(true).await, (1, vec![0]), "before its tables are used");
    assert_eq!(bench.flip(false).await, (1, vec![1]));
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!((bench.published.borrow().generation, bench.answering()), (2, vec![1]), "all of it");
    assert_eq!(bench.tables.image().names(), 4, "two profiles, the zone and its name server");
    bench.assert_tables(&wanted);

    // And when it goes again.
    let wanted = Desired { generation: 3, ..samples::desired(&[], profiles) };
    bench.desired.send_replace(Some(wanted.clone()));
    gate.begun.recv().await.unwrap();
    assert!(gate.make().await, "what is much is given up with the tables");
    assert_eq!(bench.flip(true).await, (2, vec![0]));
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!((bench.published.borrow().generation, bench.answering()), (3, vec![0]));
    bench.assert_tables(&wanted);
    bench.end().await;
}

#[tokio::test]
async fn many_new_profiles_are_put_into_new_tables_and_hold_no_flip_up() {
    let (mut bench, mut gate, mut profiles) = start(vec![]);
    let room = 2 * bench.tables.image().sizes().buckets;
    let new =
        |i| samples::profile(&format!("n{i}"), samples::monitor(), vec![samples::endpoint("e", "192.0.2.3")]);
    // So few that no bucket is full.
    let few = room / 4;
    profiles.extend((0..few).map(new));
    let wanted = Desired { generation: 2, ..samples::desired(&[], profiles.clone()) };
    bench.desired.send_replace(Some(wanted.clone()));
    gate.begun.recv().await.unwrap();
    assert!(!gate.make().await, "they fit");
    gate.go.send(()).unwrap();
    bench.next().await;
    bench.assert_tables(&wanted);

    // With `p` one more than may fit.
    profiles.extend((few..room).map(new));
    let wanted = Desired { generation: 3, ..samples::desired(&[], profiles) };
    bench.desired.send_replace(Some(wanted.clone()));
    gate.begun.recv().await.unwrap();
    assert!(gate.make().await, "they do not fit");
    assert_eq!(bench.flip(false).await, (2, vec![1]));
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!((bench.published.borrow().generation, bench.answering()), (3, vec![1]));
    assert!(bench.tables.image().sizes().buckets >= room);
    bench.assert_tables(&wanted);
    bench.end().await;
}

#[tokio::test]
async fn a_flip_is_published_while_many_measurements_are_taken_in() {
    let endpoints = [("europe", "192.0.2.3", "West Europe"), ("states", "192.0.2.4", "East US")].map(
        |(name, target, region)| Endpoint {
            location: Region::find(region),
            ..samples::endpoint(name, target)
        },
    );
    let quick = Profile {
        routing_method: crate::desired::RoutingMethod::Performance,
        ..samples::profile("quick", samples::monitor(), endpoints.to_vec())
    };
    let (mut bench, mut gate, profiles) = start(vec![quick]);
    let measured = |prefix: u32, milliseconds| {
        let network = std::net::Ipv4Addr::from(0x0808_0000 + (prefix << 8));
        Sample::new(&format!("{network}/24"), "West Europe", milliseconds).unwrap()
    };
    // Three of each are enough.
    let samples: Vec<Sample> = (0..3).flat_map(|_| (0..100).map(|prefix| measured(prefix, 0.5))).collect();
    bench.health.send_modify(|health| health.round_trips.take(&samples).unwrap());
    gate.begun.recv().await.unwrap();
    // Others that come meanwhile are not lost.
    bench.health.send_modify(|health| health.round_trips.take(&[measured(0, 500.0); 40]).unwrap());
    assert_eq!(bench.flip(false).await, (1, vec![1]), "before anybody is placed anew");
    let nearest = |bench: &Bench, address: &str| {
        let decision = bench.published.borrow().decisions["quick"].clone();
        let place = decision.view.find(address.parse().unwrap()).place;
        decision.places[usize::from(place.0)].iter().map(|share| share.endpoint).collect::<Vec<_>>()
    };
    let all = |bench: &Bench| ["8.8.0.1", "8.8.99.1", "8.8.100.1"].map(|client| nearest(bench, client));
    assert_eq!(all(&bench), [[1], [1], [1]], "the guess");
    assert!(!gate.make().await, "few addresses, in the tables in use");
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!(all(&bench), [[0], [0], [1]]);
    gate.begun.recv().await.unwrap();
    assert!(!gate.make().await);
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!(all(&bench), [[1], [0], [1]]);
    assert_eq!(bench.answering(), [1]);
    bench.assert_tables(&samples::desired(&[], profiles));
    bench.end().await;
}

fn floods() -> RateLimit {
    let arming = Some(Arming { above: 1000, calm: MINUTE });
    RateLimit { limit: Limit { answers_per_second: 100, slip: 2 }, arming, allow: [].into() }
}

fn limited(generation: u64, rate_limit: RateLimit) -> Desired {
    let desired = samples::desired(&[], vec![]);
    let node = Arc::new(Node { rate_limit, ..(*desired.node).clone() });
    Desired { generation, node, ..desired }
}

#[tokio::test]
async fn a_flood_arms_the_limit_and_its_end_disarms_it() {
    let (mut bench, mut gate, _) = start(vec![]);
    bench.desired.send_replace(Some(limited(2, floods())));
    gate.begun.recv().await.unwrap();
    assert!(!gate.make().await);
    gate.go.send(()).unwrap();
    bench.next().await;
    let now = |bench: &Bench| (bench.published.borrow().is_armed, bench.tables.image().frozen().limit);
    assert_eq!(now(&bench), (false, Limit::default()));
    let start = Instant::now();
    let read = |bench: &Bench, second: u32, answers_per_second: u64| {
        let at = start + Duration::from_secs(1) * second;
        bench.load.send_replace(Some(Load { answers_per_second, at }));
    };
    read(&bench, 0, 1001);
    bench.next().await;
    assert_eq!(now(&bench), (true, floods().limit));
    // What is loaded meanwhile goes by it too, and another number for it holds at once.
    let other = RateLimit { limit: Limit { answers_per_second: 5, slip: 0 }, ..floods() };
    bench.desired.send_replace(Some(limited(3, other.clone())));
    gate.begun.recv().await.unwrap();
    assert!(!gate.make().await);
    gate.go.send(()).unwrap();
    bench.next().await;
    assert_eq!(now(&bench), (true, other.limit));
    read(&bench, 2, 0);
    // So that it is taken before the next one.
    tokio::task::yield_now().await;
    read(&bench, 62, 0);
    bench.next().await;
    assert_eq!(now(&bench), (false, Limit::default()));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn programs_that_are_refused_are_tried_again_with_the_next_full_pass_and_not_before() {
    let (said, mut tried) = mpsc::unbounded_channel();
    let profile = samples::profile("p", samples::monitor(), vec![samples::endpoint("e", "192.0.2.1")]);
    let mut bench = Bench::start_with(vec![profile.clone()], Health::default(), |control| {
        control.needs_tables = true;
        control.make = Arc::new(move |Work { desired, health, views, must, is_refused, .. }| {
            said.send((tokio::time::Instant::now(), must, is_refused)).unwrap();
            Made { desired, health, views, fresh: None, is_refused: true }
        });
    });
    let start = tokio::time::Instant::now();
    let mut next = async || {
        let next = tokio::time::timeout(REPAIR_INTERVAL * 2, tried.recv()).await;
        next.expect("it is tried again").unwrap()
    };
    for minute in 0..3 {
        assert_eq!(next().await, (start + REPAIR_INTERVAL * minute, true, false));
    }
    // What is wanted meanwhile is taken into the tables in use, and nothing is loaded for it.
    let wanted = Desired { generation: 2, ..samples::desired(&[], vec![profile]) };
    bench.desired.send_replace(Some(wanted));
    assert_eq!(next().await, (start + REPAIR_INTERVAL * 2, true, true));
    bench.published.wait_for(|published| published.generation == 2).await.unwrap();
    assert_eq!(next().await, (start + REPAIR_INTERVAL * 3, true, false));
    bench.end().await;
}
