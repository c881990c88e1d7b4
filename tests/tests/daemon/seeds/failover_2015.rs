//! "Configure Failover Load Balancing" (2015), steps 1 to 10: a profile that exists and has its endpoints gets failover as its method, another order of the list and a path of `/`, is saved
//! and tested. Beside that, what a disabled profile and one without anybody leave in a resolver.

use super::{EUROPE, Scene, US, cname, policy};

fn configured(lines: &str, order: [(&str, u8); 2]) -> String {
    policy(&format!("ttl = 1\n{lines}"), "/", &order.map(|service| (service, "")))
}

const FAILOVER: &str = "routing_method = \"failover\"";

/// NXDOMAIN, and NOERROR without an address.
const GONE: &str = "Non-Existent Domain";
const NOTHING: &str = "No Error";

#[test]
fn the_list_is_put_in_order_and_saved() {
    let mut scene = Scene::new(&[US, EUROPE], &configured("routing_method = \"RoundRobin\"", [US, EUROPE]));
    let mut visitor = scene.visitor();
    let status = scene.wait_for(&["Online", "Online"]);
    assert_eq!(status.profile("contoso")["routing_method"], "weighted");
    scene.save(&configured(FAILOVER, [US, EUROPE]));
    let status = scene.wait_for(&["Online", "Online"]);
    assert_eq!(status.profile("contoso")["routing_method"], "priority");
    scene.resolver.forget().unwrap();
    for _ in 0..5 {
        assert_eq!(scene.direct(), cname(1, "contoso-us"));
        assert_eq!(visitor.ask().end, "10.53.0.11");
    }
    assert!(scene.services[0].requests()[0].starts_with("GET / HTTP/1.1\r\n"));
    // The other one up, by the arrows.
    scene.save(&configured(FAILOVER, [EUROPE, US]));
    assert_eq!(scene.direct(), cname(1, "contoso-europe"));
    assert_eq!(scene.tm(&["query", "contoso"]).last_line(), "contoso-europe.cloudapp.example.");
    visitor.drain(1, "10.53.0.11", "10.53.0.12");
    // A site that takes connections and never answers is offline, too.
    for (hangs, expected) in [(true, "10.53.0.11"), (false, "10.53.0.12")] {
        match hangs {
            true => scene.services[1].hang(),
            false => scene.services[1].set_status(200),
        }
        scene.wait_for(&[if hangs { "Degraded" } else { "Online" }, "Online"]);
        scene.resolver.forget().unwrap();
        assert_eq!(visitor.ask().end, expected);
    }
}

#[test]
fn that_there_is_nothing_is_forgotten_as_soon() {
    const UP: &str = "10.53.0.11";
    let mut scene = Scene::new(&[US, EUROPE], &configured(FAILOVER, [US, EUROPE]));
    let mut visitor = scene.visitor();
    scene.wait_for(&["Online", "Online"]);
    assert_eq!(visitor.ask().end, UP);
    // Switched off: the name is gone, though names that never were may be kept as gone for a minute.
    scene.save(&configured(&format!("{FAILOVER}\nstatus = \"disabled\""), [US, EUROPE]));
    scene.resolver.forget().unwrap();
    assert_eq!(visitor.ask().end, GONE);
    scene.save(&configured(FAILOVER, [US, EUROPE]));
    visitor.drain(1, GONE, UP);
    // Nobody is up, and the rule is to say so: the name is there.
    scene.save(&configured(&format!("{FAILOVER}\nwhen_all_down = \"none\""), [US, EUROPE]));
    scene.services.iter().for_each(|service| service.set_status(503));
    scene.wait_for(&["Degraded", "Degraded"]);
    scene.resolver.forget().unwrap();
    assert_eq!(visitor.ask().end, NOTHING);
    scene.services[0].set_status(200);
    scene.wait_for(&["Online", "Degraded"]);
    visitor.drain(1, NOTHING, UP);
}
