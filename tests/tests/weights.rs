//! Weights are exact on every CPU, not on average: by the loaded programs, and by the engine on the host, whose turns the sockets use.

use std::collections::BTreeMap;

use hickory_proto::op::Message;
use tm_tests::{
    dig,
    frame::Frame,
    host::answer_frame,
    namespace::require_root,
    parity::{ask, stay_on},
    query::{Query, qtype},
    reply::check_reply,
    world::World,
};
use tm_userspace::{dns::Transport, sync::Image, xdp::Kernel};

/// How often each target was given.
type Counts = BTreeMap<String, usize>;

fn image() -> Image {
    World::new().unwrap_or_else(|error| panic!("{error:#}")).image
}

fn frame(name: &str, qtype: u16) -> Vec<u8> {
    Frame::v4(Query::with_edns(&format!("{name}.tm.example"), qtype).build()).build()
}

/// The target in a reply.
fn target(reply: &[u8]) -> String {
    let reply = check_reply(reply).unwrap_or_else(|error| panic!("{error:#}"));
    let answers = dig::answers(&reply.message);
    answers[0].rsplit(' ').next().expect("a target").to_owned()
}

/// Asks so many times for each type in turn; gives the counts by type.
fn ask_in_turn(
    give: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    name: &str,
    types: &[u16],
    times: usize,
) -> Vec<Counts> {
    let frames: Vec<_> = types.iter().map(|qtype| frame(name, *qtype)).collect();
    let mut counts = vec![Counts::new(); types.len()];
    for _ in 0..times {
        for (frame, counts) in frames.iter().zip(&mut counts) {
            *counts.entry(target(&give(frame))).or_default() += 1;
        }
    }
    counts
}

/// Runs a check of the host's engine, then of the loaded programs on each CPU: their turns are each CPU's own.
fn everywhere(check: impl Fn(&mut dyn FnMut(&[u8]) -> Vec<u8>)) {
    require_root();
    let on_host = image();
    check(&mut |frame| answer_frame(frame, &on_host).1);
    let kernel = Kernel::load(&image()).unwrap_or_else(|error| panic!("{error:#}"));
    let cpus = rustix::thread::sched_getaffinity(None).expect("the CPUs that this may run on");
    for cpu in (0..rustix::thread::CpuSet::MAX_CPU).filter(|cpu| cpus.is_set(*cpu)) {
        stay_on(cpu).expect("a CPU that this may run on");
        check(&mut |frame| ask(&kernel, frame).expect("the program runs").1);
    }
}

#[test]
fn a_thousand_answers_split_10_30_60() {
    everywhere(|give| {
        let counts = ask_in_turn(give, "split", &[qtype::A], 1000).remove(0);
        for (target, due) in [("192.0.2.110", 100), ("192.0.2.130", 300), ("192.0.2.160", 600)] {
            assert!(counts[target].abs_diff(due) <= 2, "{counts:?}");
        }
        assert_eq!(counts.values().sum::<usize>(), 1000);
    });
}

/// With one counter for both types, each would see every second slot: the same target always.
#[test]
fn types_asked_in_turn_each_see_every_slot() {
    everywhere(|give| {
        let even = Counts::from([("one.contoso.test.".to_owned(), 10), ("two.contoso.test.".to_owned(), 10)]);
        let types = [qtype::A, qtype::AAAA, qtype::ANY, qtype::TXT];
        assert_eq!(ask_in_turn(give, "names", &types, 20), [&even, &even, &even, &even].map(Clone::clone));
    });
}

/// Weights that reduce to as many slots as a block holds.
#[test]
fn a_full_block_is_exact() {
    everywhere(|give| {
        let exact = Counts::from([("192.0.2.101".to_owned(), 1000), ("192.0.2.124".to_owned(), 24)]);
        assert_eq!(ask_in_turn(give, "full", &[qtype::A], 1024), [exact]);
    });
}

/// Weights that do not: each share is within a thousandth of all answers.
#[test]
fn more_than_a_block_holds_is_near() {
    const WEIGHTS: [(&str, f64); 4] =
        [("192.0.2.1", 997.0), ("192.0.2.2", 991.0), ("192.0.2.3", 983.0), ("192.0.2.4", 7.0)];
    everywhere(|give| {
        let counts = ask_in_turn(give, "primes", &[qtype::A], 1024).remove(0);
        for (target, weight) in WEIGHTS {
            let share = counts[target] as f64 / 1024.0;
            assert!((share - weight / 2978.0).abs() <= 0.001, "{counts:?}");
        }
    });
}

/// The first program takes a turn, finds an answer that it cannot give, and leaves the query to another, which must not take a second turn.
#[test]
fn an_answer_of_the_large_class_takes_one_turn() {
    everywhere(|give| {
        let counts = ask_in_turn(give, "heavy", &[qtype::A], 20).remove(0);
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [10, 10]);
    });
}

/// A reply that is cut takes no turn either: else three who share, asked over UDP in vain and then over TCP, would not all be seen.
#[test]
fn a_cut_reply_takes_no_turn() {
    let world = World::new().unwrap();
    let name = world.profiles.keys().map(ToString::to_string).find(|name| name.starts_with("uuu")).unwrap();
    let query = Query::new(&name, qtype::A).build();
    let mut counts = Counts::new();
    for _ in 0..30 {
        let ask = |transport| {
            let reply = world.responder.reply(&query, "198.51.100.99".parse().unwrap(), transport).unwrap();
            Message::from_vec(&reply).unwrap()
        };
        assert!(ask(Transport::Udp).metadata.truncation);
        *counts.entry(dig::answers(&ask(Transport::Tcp)).remove(0)).or_default() += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}
