//! Answers against hickory's parser, shares against arithmetic.

mod carried;

use std::{collections::HashMap, time::SystemTime};

use hickory_proto::{
    op::Message,
    rr::{RData, RecordType},
};
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::{
    decide::decide,
    desired::{Endpoint, NameServer, Profile, Profiles, RoutingMethod},
    health::Health,
    places::View,
    samples,
};

fn tree() -> Tree {
    let name_servers = vec![NameServer { name: "ns1.tm.example".parse().unwrap(), addresses: vec![] }];
    let zone =
        crate::desired::Zone { name: "tm.example".parse().unwrap(), name_servers, soa: samples::soa() };
    Tree::over(Arc::new(Zones::from(Zone::of(&zone, 1_800_000_000))))
}

fn compiled(name: &str, ttl: u32, targets: &[(Target, u16)]) -> Compiled {
    compiled_by(RoutingMethod::Weighted, 2, name, ttl, targets)
}

fn compiled_by(
    routing_method: RoutingMethod,
    max_return: u8,
    name: &str,
    ttl: u32,
    targets: &[(Target, u16)],
) -> Compiled {
    let endpoint = |(i, (target, weight)): (usize, &(Target, u16))| Endpoint {
        target: target.clone(),
        weight: *weight,
        always_serve: true,
        service: None,
        ..samples::endpoint(&format!("e{i}"), "192.0.2.1")
    };
    let endpoints = targets.iter().enumerate().map(endpoint).collect();
    let profile = Arc::new(Profile {
        dns_name: name.parse().unwrap(),
        routing_method,
        max_return,
        ttl,
        ..samples::profile("p", samples::monitor(), endpoints)
    });
    let decision =
        decide(&Profiles::new(), &profile, &View::anywhere(), &Health::default(), SystemTime::UNIX_EPOCH);
    compile(&decision, &tree()).unwrap()
}

/// The records behind a question for `name`, as hickory reads them.
fn read(name: &DnsName, records: &Records) -> Message {
    let mut message = vec![0, 1, 0x84, 0, 0, 1];
    message.extend(records.answers.to_be_bytes());
    message.extend(records.authorities.to_be_bytes());
    message.extend([0, 0]);
    message.extend(name.wire());
    message.extend([0, 1, 0, 1]);
    message.extend(&records.octets[..]);
    Message::from_vec(&message).unwrap()
}

const ASKED: [RecordType; 4] = [RecordType::A, RecordType::AAAA, RecordType::ANY, RecordType::MX];

#[test]
fn query_type_by_endpoint_type() {
    let v4 = Target::V4([192, 0, 2, 10].into());
    let v6 = Target::V6("2001:db8::7".parse().unwrap());
    let name = Target::Name("WWW.Contoso.com".parse().unwrap());
    use RecordType::{A, AAAA, CNAME, SOA};
    for (target, expected) in [(v4, [A, SOA, A, SOA]), (v6, [SOA, AAAA, AAAA, SOA]), (name, [CNAME; 4])] {
        let compiled = compiled("web.tm.example", 100, &[(target.clone(), 1)]);
        for ((asked, expected), block) in ASKED.iter().zip(expected).zip(&compiled.places[0]) {
            assert_eq!(block.slots, [0]);
            let message = read(&compiled.name, &block.answers[0]);
            let negative = expected == SOA;
            let section = if negative { &message.authorities } else { &message.answers };
            assert_eq!(section.len(), 1, "{asked} at {target}");
            assert_eq!(section[0].record_type(), expected, "{asked} at {target}");
            assert_eq!(block.answers[0].counts_for.is_empty(), negative);
            let data = section[0].data.to_string();
            match negative {
                false => assert_eq!(data.trim_end_matches('.'), target.to_string()),
                true => {
                    assert_eq!(data, "ns1.tm.example. hostmaster.tm.example. 1800000000 3600 600 1209600 60",)
                }
            }
            assert_eq!(section[0].name.to_string(), if negative { "tm.example." } else { "web.tm.example." });
            assert_eq!(section[0].ttl, if negative { 60 } else { 100 });
        }
    }
}

#[test]
fn no_data_is_kept_no_longer_than_the_profile_says() {
    let compiled = compiled("web.tm.example", 7, &[(Target::V4([192, 0, 2, 10].into()), 1)]);
    let message = read(&compiled.name, &compiled.places[0][1].answers[0]);
    assert_eq!(message.authorities[0].ttl, 7);
}

#[test]
fn names_are_compressed_to_the_question() {
    let target = |text: &str| Target::Name(text.parse().unwrap());
    let inside = compiled("web.tm.example", 30, &[(target("eu.tm.example"), 1)]);
    // c00c CNAME IN ttl, 5 octets of data: 2 e u c010 (tm.example in web.tm.example).
    // Of ANY, to which nothing is said of where it leads.
    assert_eq!(
        inside.places[0][2].answers[0].octets[..],
        *b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x05\x02eu\xc0\x10"
    );
    let outside = compiled("web.tm.example", 30, &[(target("a.test"), 1)]);
    assert_eq!(
        outside.places[0][0].answers[0].octets[..],
        *b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x08\x01a\x04test\0"
    );
    // A target that is all pointer: the owner is spelled out, which makes 16 octets and more of it.
    let apex = compiled("web.tm.example", 30, &[(target("tm.example"), 1)]);
    assert_eq!(
        apex.places[0][2].answers[0].octets[..],
        *b"\x03web\x02tm\x07example\0\0\x05\0\x01\0\0\0\x1e\0\x02\xc0\x10"
    );
    let message = read(&inside.name, &inside.places[0][2].answers[0]);
    assert!(matches!(&message.answers[0].data, RData::CNAME(name) if name.0.to_string() == "eu.tm.example."));
}

#[test]
fn where_there_is_no_room_for_what_is_said_of_a_cname_s_end_it_stands_alone() {
    let long = |letter: &str| {
        format!("{}.{}.{}.{}", letter.repeat(63), letter.repeat(63), letter.repeat(63), letter.repeat(50))
    };
    // 12, 10 and 255 octets, and the SOA: its owner, 10 and 22 octets, and two names.
    let name = |text: String| text.parse::<DnsName>().unwrap();
    for (mailbox, code, records) in [("x".repeat(60), NXDOMAIN, 2), (long("x"), 0, 1)] {
        let name_servers = vec![NameServer { name: name(format!("{}.test", long("n"))), addresses: vec![] }];
        let soa = crate::desired::Soa { mailbox: name(format!("{mailbox}.test")), ..samples::soa() };
        let zone = crate::desired::Zone { name: name(format!("{}.y", long("z"))), name_servers, soa };
        let target = Target::Name(name(format!("w.{}.y", long("z"))));
        let endpoint = Endpoint { target, always_serve: true, ..samples::endpoint("e", "192.0.2.1") };
        let profile = Arc::new(samples::profile("p", samples::monitor(), vec![endpoint]));
        let decision =
            decide(&Profiles::new(), &profile, &View::anywhere(), &Health::default(), SystemTime::UNIX_EPOCH);
        let tree = Tree::over(Arc::new(Zones::from(Zone::of(&zone, 1))));
        let compiled = compile(&decision, &tree).unwrap();
        let answer = &compiled.places[0][0].answers[0];
        assert_eq!((answer.code, answer.answers + answer.authorities), (code, records));
        let message = read(&compiled.name, answer);
        assert_eq!(message.answers.len(), 1);
    }
}

#[test]
fn equal_answers_are_one_slot() {
    let both = [(Target::V4([192, 0, 2, 1].into()), 1), (Target::V4([192, 0, 2, 2].into()), 3)];
    let compiled = compiled("web.tm.example", 30, &both);
    assert_eq!((compiled.places[0][0].answers.len(), compiled.places[0][0].slots.len()), (2, 4));
    assert_eq!(
        (compiled.places[0][1].answers.len(), compiled.places[0][1].slots.len()),
        (1, 1),
        "NODATA either way"
    );
}

#[test]
fn a_multivalue_block_holds_the_rotations_of_each_family() {
    // Weights do not count.
    let targets =
        [("192.0.2.1", 1), ("2001:db8::1", 1), ("192.0.2.2", 9), ("192.0.2.3", 1), ("2001:db8::2", 5)]
            .map(|(target, weight)| (samples::target(target), weight));
    let v6: [&[&str]; 2] = [&["2001:db8::1", "2001:db8::2"], &["2001:db8::2", "2001:db8::1"]];
    let two = [["192.0.2.1", "192.0.2.2"], ["192.0.2.2", "192.0.2.3"], ["192.0.2.3", "192.0.2.1"]];
    let all = [
        ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        ["192.0.2.2", "192.0.2.3", "192.0.2.1"],
        ["192.0.2.3", "192.0.2.1", "192.0.2.2"],
    ];
    for (max_return, v4) in [
        (1, all.each_ref().map(|rotation| &rotation[..1])),
        (2, two.each_ref().map(|rotation| &rotation[..])),
        (3, all.each_ref().map(|rotation| &rotation[..])),
        (10, all.each_ref().map(|rotation| &rotation[..])),
    ] {
        let compiled = compiled_by(RoutingMethod::MultiValue, max_return, "web.tm.example", 30, &targets);
        let v6 = v6.map(|rotation| &rotation[..rotation.len().min(max_return.into())]);
        let by_question: [(&[&[&str]], &[&str]); 4] =
            [(&v4, &["e0", "e2", "e3"]), (&v6, &["e1", "e4"]), (&v4, &["e0", "e2", "e3"]), (&[&[]], &[])];
        for ((asked, (rotations, counted)), block) in ASKED.iter().zip(by_question).zip(&compiled.places[0]) {
            let in_turn: Vec<&Records> =
                block.slots.iter().map(|slot| &block.answers[usize::from(*slot)]).collect();
            let addresses = |records: &&Records| -> Vec<String> {
                let message = read(&compiled.name, records);
                message.answers.iter().map(|record| record.data.to_string()).collect()
            };
            let given: Vec<Vec<String>> = in_turn.iter().map(addresses).collect();
            assert_eq!(given, rotations, "{asked}, at most {max_return}");
            // All that are in it, not the first alone.
            let counts_for: Vec<Vec<&str>> = (in_turn.iter())
                .map(|records| records.counts_for.iter().map(|key| &*key.endpoint).collect())
                .filter(|names: &Vec<&str>| !names.is_empty())
                .collect();
            let rotation =
                |first| counted.iter().cycle().skip(first).take(counted.len().min(max_return.into()));
            let expected: Vec<Vec<&str>> =
                (0..counted.len()).map(|first| rotation(first).copied().collect()).collect();
            assert_eq!(counts_for, expected, "{asked}, at most {max_return}");
        }
    }
}

/// A profile `p` whose endpoint `e` is down.
fn compiled_while_down(profile: Profile) -> Compiled {
    let mut health = Health::default();
    let down = crate::health::Verdict { up: false, since: SystemTime::UNIX_EPOCH, recovered: false };
    health.verdicts.insert(samples::key("p", "e"), down);
    let decision =
        decide(&Profiles::new(), &Arc::new(profile), &View::anywhere(), &health, SystemTime::UNIX_EPOCH);
    compile(&decision, &tree()).unwrap()
}

#[test]
fn nobody_to_answer_is_no_data_for_every_type() {
    let endpoint =
        Endpoint { status: crate::desired::Status::Enabled, ..samples::endpoint("e", "192.0.2.1") };
    let mut profile = samples::profile("p", samples::monitor(), vec![endpoint]);
    profile.rules.when_all_down = crate::desired::WhenAllDown::None;
    let compiled = compiled_while_down(profile);
    for block in compiled.places.iter().flatten() {
        assert_eq!((block.slots.as_slice(), block.answers.len()), (&[0][..], 1));
        let message = read(&compiled.name, &block.answers[0]);
        assert_eq!((message.answers.len(), message.authorities[0].record_type()), (0, RecordType::SOA));
    }
}

#[test]
fn a_full_block_has_its_shares_whatever_they_reduce_to() {
    for (weights, expected) in [(&[1, 1][..], [512, 512]), (&[1, 10], [93, 931]), (&[9, 10], [485, 539])] {
        let counts = counts(&interleave_full(weights));
        assert_eq!([counts[&0], counts[&1]], expected, "{weights:?}");
    }
}

#[test]
fn shares_of_the_issue_are_exact_and_even() {
    let slots = interleave(&[10, 30, 60]);
    assert_eq!(slots, [2, 1, 2, 0, 2, 1, 2, 2, 1, 2]);
}

fn counts(slots: &[usize]) -> HashMap<usize, u32> {
    slots.iter().fold(HashMap::new(), |mut counts, slot| {
        *counts.entry(*slot).or_default() += 1;
        counts
    })
}

proptest! {
    #[test]
    fn every_share_is_right(weights in prop::collection::vec(1..=1000u64, 1..40)) {
        let slots = interleave(&weights);
        let total: u64 = weights.iter().sum();
        prop_assert!((1..=1024).contains(&slots.len()));
        let counts = counts(&slots);
        for (i, weight) in weights.iter().enumerate() {
            let share = f64::from(*counts.get(&i).unwrap_or(&0)) / slots.len() as f64;
            prop_assert!((share - *weight as f64 / total as f64).abs() <= 0.001);
        }
    }

    #[test]
    fn shares_that_fit_are_exact(weights in prop::collection::vec(1..=25u64, 1..40)) {
        let slots = interleave(&weights);
        let total: u64 = weights.iter().sum();
        for (i, weight) in weights.iter().enumerate() {
            let count = counts(&slots).get(&i).copied().unwrap_or(0);
            prop_assert_eq!(u64::from(count) * total, weight * slots.len() as u64);
        }
    }

    #[test]
    fn any_run_of_answers_is_close_to_its_due(weights in prop::collection::vec(1..=60u64, 2..4)) {
        let slots = interleave(&weights);
        let total = weights.iter().sum::<u64>() as f64;
        for length in 1..=slots.len() {
            for (i, weight) in weights.iter().enumerate() {
                let given = slots[..length].iter().filter(|slot| **slot == i).count() as f64;
                let due = length as f64 * *weight as f64 / total;
                prop_assert!((given - due).abs() < 2.0, "{given} of {due} after {length}");
            }
        }
    }
}
