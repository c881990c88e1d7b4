//! Clients that stick to their endpoint: each prefix to one, on both paths, whoever asks for it, and when another endpoint goes.

use std::collections::{HashMap, HashSet};

use hickory_proto::{
    op::Message,
    rr::{
        RData,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};
use tm_tests::{
    client::Asker,
    daemon::Daemon,
    lab::{Lab, SERVER_V4},
    query::{Edns, Query, qtype},
};

use crate::{serve, unmonitored};

/// Four endpoints with their weights as last octets of their addresses.
fn sticky() -> String {
    let endpoint = |weight: u8| {
        unmonitored(&format!("e{weight}"), &format!("192.0.2.{weight}")) + &format!("weight = {weight}\n")
    };
    "[[profile]]\nname = \"shop\"\nrouting_method = \"weighted\"\nsticky = true\n".to_owned()
        + &[10, 20, 30, 40].map(endpoint).concat()
}

/// A query for whoever is in a /24.
fn query(network: u16) -> Query {
    let [a, b] = network.to_be_bytes();
    let option = vec![0, 1, 24, 0, 198, a, b];
    let edns = Edns { options: vec![(8, option)], ..Edns::default() };
    Query { edns: Some(edns), ..Query::new("shop.tm.example", qtype::A) }
}

/// The last octet of the one address in an answer, and the scope of its client-subnet option.
fn read(answer: &Message) -> (u8, u8) {
    let [record] = &answer.answers[..] else { panic!("not one record: {answer}") };
    let RData::A(address) = &record.data else { panic!("no address: {answer}") };
    let edns = answer.edns.as_ref().unwrap();
    let Some(EdnsOption::Subnet(subnet)) = edns.option(EdnsCode::Subnet) else {
        panic!("no option: {answer}")
    };
    (address.octets()[3], subnet.scope_prefix())
}

const NETWORKS: u16 = 2000;

fn ask_all(asker: &mut Asker) -> HashMap<u16, u8> {
    let ask = |network| {
        let (endpoint, scope) = read(&asker.ask(&query(network * 7)).unwrap());
        assert_eq!(scope, 24);
        (network, endpoint)
    };
    (0..NETWORKS).map(ask).collect()
}

/// Gives an order about e30, and waits until its share is this.
fn order(daemon: &Daemon, lab: &Lab, words: &[&str], share: f64) {
    let output = daemon.tm(lab, &[&["endpoint"], words].concat()).unwrap().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.wait_until(lab, "the order", |status| status.endpoint("shop", "e30")["share"] == share);
}

#[test]
fn a_prefix_keeps_its_endpoint_and_only_those_of_one_that_goes_move() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "", &sticky());
    let mut asker = lab.asker(SERVER_V4.into()).unwrap();
    let first = ask_all(&mut asker);
    // Of 1,024 slots and 2,000 networks, an endpoint whose share is p has 2,000 p with a deviation of at most 2,000 √(p (1 - p) (1/1024 + 1/2000)); four of them.
    for weight in [10u8, 20, 30, 40] {
        let share = f64::from(weight) / 100.0;
        let due = f64::from(NETWORKS) * share;
        let has = first.values().filter(|endpoint| **endpoint == weight).count() as f64;
        let deviation = f64::from(NETWORKS) * (share * (1.0 - share) * (1.0 / 1024.0 + 1.0 / 2000.0)).sqrt();
        assert!((has - due).abs() < 4.0 * deviation, "e{weight} has {has} of {NETWORKS}");
    }
    assert_eq!(ask_all(&mut asker), first, "asked again");
    order(&daemon, &lab, &["force", "shop/e30", "down"], 0.0);
    let without = ask_all(&mut asker);
    let moved: HashSet<u8> =
        first.iter().filter(|(network, endpoint)| without[network] != **endpoint).map(|(_, e)| *e).collect();
    assert_eq!(moved, HashSet::from([30]), "who had e30 moved, and nobody else");
    assert!(!without.values().any(|endpoint| *endpoint == 30));
    order(&daemon, &lab, &["release", "shop/e30"], 0.3);
    assert_eq!(ask_all(&mut asker), first, "all are back");
}

#[test]
fn whoever_asks_for_a_prefix_is_told_the_same_on_every_path() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "", &sticky());
    let ask =
        |more: &[&str]| lab.answers(&[&["@10.53.0.1", "shop.tm.example", "+short"], more].concat()).unwrap();
    let mut seen = HashSet::new();
    for network in 0..20 {
        let subnet = |rest: &str| format!("+subnet=198.51.{network}.{rest}");
        let told = ask(&["+notcp", &subnet("0/24")]);
        assert_eq!(ask(&["+tcp", &subnet("0/24")]), told);
        assert_eq!(ask(&["+notcp", &subnet("77/32")]), told, "an address of the network");
        seen.insert(told);
    }
    assert!(seen.len() > 1, "{seen:?}");
    // Who sends no option, or one that tells nothing, is placed by its own address: always alike.
    let plain = ask(&["+nosubnet"]);
    for _ in 0..10 {
        assert_eq!(ask(&["+nosubnet"]), plain);
        assert_eq!(ask(&["+subnet=0.0.0.0/0"]), plain);
        assert_eq!(ask(&["+subnet=10.99.0.0/16"]), plain, "a private address tells nothing");
        assert_eq!(ask(&["+subnet=10.53.0.0/24"]), plain);
    }
    let said = lab.dig(&["@10.53.0.1", "shop.tm.example", "+subnet=2001:db8:1:2::/64"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 2001:db8:1:2::/64/56"), "{said}");
}
