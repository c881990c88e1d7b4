//! "How to Direct Incoming Traffic to Hosted Services Based on Network Performance by Using Windows Azure Traffic Manager" (2012): everybody is sent to the closest service, and to the next
//! closest while that is offline. Who is behind one resolver is told apart by it, as far as it matters and no further.

use super::{ASIA, EUROPE, Scene, US, Visitor, cname, policy};

const SERVICES: [(&str, u8); 3] = [US, EUROPE, ASIA];

/// By the registries of their addresses, in Europe and in North America.
const EUROPEAN: [u8; 4] = [193, 0, 6, 7];
const AMERICAN: [u8; 4] = [8, 8, 8, 7];

fn performance(lines: &str) -> String {
    let locations = ["East US", "West Europe", "Southeast Asia"];
    let locations = locations.map(|location| format!("endpoint_location = \"{location}\""));
    let services: Vec<_> = SERVICES.into_iter().zip(locations.iter().map(String::as_str)).collect();
    policy(&format!("routing_method = \"Performance\"\n{lines}"), "/status/ok.htm", &services)
}

#[test]
fn everybody_behind_a_resolver_is_sent_to_the_closest_service() {
    let scene = Scene::with_subnets(&SERVICES, &performance("ttl = 1"));
    let [mut european, mut american] = [EUROPEAN, AMERICAN].map(|address| scene.visitor_from(address));
    scene.wait_for(&["Online"; 3]);
    for _ in 0..3 {
        assert_eq!(european.ask().end, "10.53.0.12");
        assert_eq!(american.ask().end, "10.53.0.11");
    }
    let subnet = |address: &str| {
        let subnet = format!("+subnet={address}");
        scene.lab.answers(&["@10.53.0.1", "contoso.tm.example", &subnet]).unwrap()
    };
    assert_eq!(subnet("193.0.6.0/24"), cname(1, "contoso-europe")[0]);
    assert_eq!(subnet("8.8.8.0/24"), cname(1, "contoso-us")[0]);
    // For a European, America is nearer than Asia.
    scene.services[1].set_status(503);
    scene.wait_for(&["Online", "Degraded", "Online"]);
    assert_eq!(subnet("193.0.6.0/24"), cname(1, "contoso-us")[0]);
    european.drain(1, "10.53.0.12", "10.53.0.11");
    assert_eq!(american.ask().end, "10.53.0.11");
    scene.services[1].set_status(200);
    scene.wait_for(&["Online"; 3]);
    assert_eq!(subnet("193.0.6.0/24"), cname(1, "contoso-europe")[0]);
}

#[test]
fn a_resolver_keeps_answers_apart_as_far_as_they_differ() {
    // Whoever is in 203.0.112.0/20 is in Asia, for this profile; the others of the /19 are not.
    let lines =
        [("subnets = [\"203.0.112.0/20\"]", ASIA), ("subnets = [\"203.0.96.0/20\"]", EUROPE), ("", US)];
    let services = lines.map(|(subnets, service)| (service, subnets));
    let profile = policy("routing_method = \"subnet\"\nttl = 100", "/status/ok.htm", &services);
    let scene = Scene::with_subnets(&SERVICES, &profile);
    scene.wait_for(&["Online"; 3]);
    let ask = |visitor: &mut Visitor, address: &str, questions: [u64; 3]| {
        assert_eq!(visitor.ask().end, address);
        let status = scene.daemon.status(&scene.lab).unwrap();
        let asked = SERVICES.map(|(name, _)| status.endpoint("contoso", name)["answers"].clone());
        assert_eq!(asked, questions, "in America, Europe and Asia");
    };
    // Both halves of each /20 by the one question; a wider answer would be wrong for the other /20.
    let mut at = [[203, 0, 112, 7], [203, 0, 127, 7], [203, 0, 96, 7], [203, 0, 111, 7]]
        .map(|address| scene.visitor_from(address));
    ask(&mut at[0], "10.53.0.13", [0, 0, 1]);
    ask(&mut at[1], "10.53.0.13", [0, 0, 1]);
    ask(&mut at[2], "10.53.0.12", [0, 1, 1]);
    ask(&mut at[3], "10.53.0.12", [0, 1, 1]);
    ask(&mut at[0], "10.53.0.13", [0, 1, 1]);
    // Who is elsewhere, and who is where nobody is known.
    ask(&mut scene.visitor_from([8, 8, 8, 7]), "10.53.0.11", [1, 1, 1]);
    ask(&mut scene.visitor(), "10.53.0.11", [2, 1, 1]);
}
