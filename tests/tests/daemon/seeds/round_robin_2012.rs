//! "How to Load Balance Traffic Equally Across a Set of Hosted Services by Using Windows Azure Traffic Manager" (2012): services in any order take turns, and one that is offline is left out.
//! Behind a resolver all have one service for as long as its answer is kept.

use std::collections::HashMap;

use super::{ASIA, EUROPE, Scene, US, cname, policy};

const SERVICES: [(&str, u8); 3] = [US, EUROPE, ASIA];

fn round_robin(lines: &str) -> String {
    let services = SERVICES.map(|service| (service, ""));
    policy(&format!("routing_method = \"Round Robin\"\n{lines}"), "/status/ok.htm", &services)
}

#[test]
fn services_take_turns() {
    let scene = Scene::new(&SERVICES, &round_robin(""));
    // Each CPU that a query came by may be one turn off.
    let off = std::thread::available_parallelism().unwrap().get() as u64;
    let expect = |up: &[&str]| {
        let mut given = HashMap::<Vec<String>, u64>::new();
        for _ in 0..60 {
            *given.entry(scene.direct()).or_default() += 1;
        }
        assert_eq!(given.len(), up.len(), "{given:?}");
        for service in up {
            let count = given[&cname(30, service)];
            assert!(count.abs_diff(60 / up.len() as u64) <= off, "{given:?}");
        }
    };
    scene.wait_for(&["Online"; 3]);
    expect(&["contoso-us", "contoso-europe", "contoso-asia"]);
    scene.services[1].set_status(503);
    scene.wait_for(&["Online", "Degraded", "Online"]);
    expect(&["contoso-us", "contoso-asia"]);
    scene.services[1].set_status(200);
    scene.wait_for(&["Online"; 3]);
    expect(&["contoso-us", "contoso-europe", "contoso-asia"]);
}

#[test]
fn all_behind_a_resolver_have_one_and_change_together() {
    let scene = Scene::new(&SERVICES, &round_robin("ttl = 100"));
    scene.wait_for(&["Online"; 3]);
    let mut visitors = [scene.visitor(), scene.visitor(), scene.visitor()];
    let first = visitors[0].ask();
    assert_eq!(first.ttl, 100);
    for visitor in &mut visitors {
        assert_eq!(visitor.ask().end, first.end);
    }
    let host: u8 = first.end.rsplit('.').next().unwrap().parse().unwrap();
    let at = usize::from(host - 11);
    let mut expected = ["Online"; 3];
    expected[at] = "Degraded";
    scene.services[at].set_status(503);
    scene.wait_for(&expected);
    assert_eq!(visitors[0].ask().end, first.end, "kept");
    for _ in 0..5 {
        scene.resolver.forget().unwrap();
        let next = visitors[0].ask();
        assert_ne!(next.end, first.end);
        assert_eq!(visitors[1].ask().end, next.end);
    }
}
