//! A view that changes while the loaded program answers by it: every client is told its old place or its new one, never another.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::SystemTime,
};

use tm_common::verdict::Verdict;
use tm_tests::{
    frame::Frame,
    lab::SERVER_V4,
    namespace::require_root,
    query::{Query, qtype},
    texts::{NODE, Profile},
    world::desired_of,
};
use tm_userspace::{
    compile::{Compiled, Tree, Zones, compile},
    decide::decide,
    desired::{Desired, Subnet},
    health::Health,
    listen::key,
    places::Views,
    sync::Image,
    xdp::Kernel,
};

/// Networks of 16 addresses, more than a view may have that shares its nodes.
const NETWORKS: u32 = 12_000;
/// So many times the view changes.
const CHANGES: u32 = 96;
/// And after so many it is waited until nobody reads what was given up, which is then used again.
const BATCH: u32 = 4;

fn network(i: u32) -> Subnet {
    let first = 0x0b00_0000 + (i << 4);
    Subnet { first: Ipv4Addr::from(first).into(), last: Ipv4Addr::from(first + 15).into() }
}

/// At first networks belong to the first and the second endpoint in turn, but for the contested one. Then that is the third's or the fourth's in turn, and so is one address
/// somewhere else, mostly among the neighbours.
fn desired(start: &Desired, change: u32) -> Desired {
    let stray = Ipv4Addr::from(0x0b00_0003 + ((WATCHED[0] - 4 + change % 9) << 4));
    let stray = Subnet { first: stray.into(), last: stray.into() };
    let mut profile = (*start.profiles["p"]).clone();
    for (at, endpoint) in (0..).zip(&mut profile.endpoints) {
        let endpoint = Arc::make_mut(endpoint);
        match at {
            0 | 1 if change == 0 => {
                let all = (0..NETWORKS).filter(|i| i % 2 == at && *i != WATCHED[0]);
                endpoint.subnets = all.map(network).collect();
            }
            0 | 1 => {}
            _ => endpoint.subnets = vec![if change % 2 == at - 2 { network(WATCHED[0]) } else { stray }],
        }
    }
    let profiles = start.profiles.update(profile.name.clone(), Arc::new(profile));
    Desired { profiles, generation: start.generation + 1, ..start.clone() }
}

/// The contested network, its neighbours, and one far away.
const WATCHED: [u32; 4] = [5000, 4999, 5001, 11_000];

fn compiled(desired: &Desired, views: &Views) -> Compiled {
    let view = views.get("p");
    let decision =
        decide(&desired.profiles, &desired.profiles["p"], &view, &Health::default(), SystemTime::UNIX_EPOCH);
    // The serial stays, so that nothing but the view changes.
    compile(&decision, &Tree::of(desired, Arc::new(Zones::of(desired).at(1)), &[])).expect("the name exists")
}

/// What the program answers to an address of a network.
fn told(kernel: &Kernel, frame: &[u8]) -> [u8; 4] {
    let (verdict, octets) = kernel.ask(frame).expect("runs");
    assert_eq!(verdict, Verdict::Reply);
    // The address is the last of the answer, and of the frame.
    *octets.last_chunk().expect("has an address")
}

/// Tells the readers to end, whatever became of the writer.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn clients_are_told_the_old_place_or_the_new_one_while_a_view_changes() {
    require_root();
    let endpoints = [
        ("a", 11, "subnets = [\"192.0.2.1\"]"),
        ("b", 12, "subnets = [\"192.0.2.2\"]"),
        ("c", 13, "subnets = [\"192.0.2.3\"]"),
        ("d", 14, ""),
    ];
    let text = Profile { name: "p", method: "subnet", endpoints: &endpoints, ..Profile::default() };
    let start = desired_of(&NODE.replace("{dir}", "/nowhere"), &text.to_string()).expect("is right");
    let mut wanted = desired(&start, 0);
    let mut views = Views::of(&wanted, &Views::default());
    let mut image = Image::new(512, 7);
    let name = &start.profiles["p"].dns_name;
    image.apply([(name, Some(&compiled(&wanted, &views)))]);
    let served = [key(&SERVER_V4.into())];
    image.set_addresses(&served, &served);
    let mut kernel = Kernel::load(&image).expect("loads");
    let mut barrier = kernel.take_barrier().expect("is there");
    let kernel = &kernel;

    let is_over = AtomicBool::new(false);
    let ask = |network: u32| {
        let source: IpAddr = Ipv4Addr::from(0x0b00_0007 + (network << 4)).into();
        let query = Query::new("p.tm.example", qtype::A).build();
        let frame = Frame::between((source, 40_053).into(), (SERVER_V4, 53).into(), query).build();
        let mut all = BTreeSet::from([told(kernel, &frame)]);
        while !is_over.load(Ordering::Relaxed) {
            all.insert(told(kernel, &frame));
            thread::yield_now();
        }
        all.insert(told(kernel, &frame));
        all
    };
    let all = thread::scope(|scope| {
        let ask = &ask;
        let end = End(&is_over);
        let readers = WATCHED.map(|network| scope.spawn(move || ask(network)));
        for change in 1..=CHANGES {
            wanted = desired(&wanted, change);
            views = Views::of(&wanted, &views);
            let changes = image.apply([(name, Some(&compiled(&wanted, &views)))]);
            assert!(!changes.published.is_empty());
            kernel.copy(&image, &changes);
            assert!(kernel.holds(&image), "what is given up is used again");
            if change % BATCH == 0 {
                image.begin_wait();
                barrier.wait().expect("the kernel waits");
                image.reclaim();
            }
        }
        drop(end);
        readers.map(|reader| reader.join().expect("ends"))
    });
    let of = |hosts: &[u8]| BTreeSet::from_iter(hosts.iter().map(|host| [10, 53, 0, *host]));
    assert_eq!(all, [of(&[13, 14]), of(&[12]), of(&[12]), of(&[11])]);
}
