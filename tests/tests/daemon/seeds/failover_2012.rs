//! "How to Create a Failover Policy by Using Windows Azure Traffic Manager" (2012), steps 1 to 10: a primary service and two backups in their order, a page that is monitored,
//! a name of its own with the default TTL, a test, and the company's name pointed to it.

use super::{ASIA, EUROPE, Scene, US, cname, policy};

const SERVICES: [(&str, u8); 3] = [US, EUROPE, ASIA];

fn failover(ttl: &str) -> String {
    let services = SERVICES.map(|service| (service, ""));
    policy(&format!("routing_method = \"Failover\"\n{ttl}"), "/status/ok.htm", &services)
}

#[test]
fn traffic_goes_to_the_first_service_of_the_list_that_is_up() {
    let scene = Scene::new(&SERVICES, &failover(""));
    let mut visitor = scene.visitor();
    scene.wait_for(&["Online"; 3]);
    for service in &scene.services {
        assert!(service.requests()[0].starts_with("GET /status/ok.htm HTTP/1.1\r\n"));
    }
    assert_eq!(scene.direct(), cname(30, "contoso-us"));
    let told = visitor.ask();
    let chain = [
        "www.contoso.com. 3600 IN CNAME contoso.tm.example.",
        "contoso.tm.example. 30 IN CNAME contoso-us.cloudapp.example.",
        "contoso-us.cloudapp.example. 3600 IN A 10.53.0.11",
    ];
    assert_eq!(tm_tests::dig::answers(&told.message), chain);

    // Each that goes leaves its place to the next; who comes for the first time sees it at once.
    let [us, europe, asia] = &scene.services[..] else { panic!("three services") };
    let expect = |statuses: [&str; 3], service: &str, address: &str| {
        scene.wait_for(&statuses);
        assert_eq!(scene.direct(), cname(30, service));
        scene.resolver.forget().unwrap();
        let told = scene.visitor().ask();
        assert_eq!((told.ttl, told.end.as_str()), (30, address));
    };
    us.set_status(503);
    expect(["Degraded", "Online", "Online"], "contoso-europe", "10.53.0.12");
    europe.set_status(404);
    expect(["Degraded", "Degraded", "Online"], "contoso-asia", "10.53.0.13");
    asia.set_status(500);
    expect(["Degraded"; 3], "contoso-us", "10.53.0.11");
    europe.set_status(200);
    expect(["Degraded", "Online", "Degraded"], "contoso-europe", "10.53.0.12");
    us.set_status(200);
    expect(["Online", "Online", "Degraded"], "contoso-us", "10.53.0.11");
}

#[test]
fn what_a_resolver_keeps_is_gone_with_its_ttl() {
    let scene = Scene::new(&[US, EUROPE, ASIA], &failover("ttl = 1"));
    let mut visitor = scene.visitor();
    scene.wait_for(&["Online"; 3]);
    assert_eq!((visitor.ask().ttl, visitor.ask().end.as_str()), (1, "10.53.0.11"));
    scene.services[0].set_status(503);
    scene.wait_for(&["Degraded", "Online", "Online"]);
    visitor.drain(1, "10.53.0.11", "10.53.0.12");
    scene.services[0].set_status(200);
    scene.wait_for(&["Online"; 3]);
    visitor.drain(1, "10.53.0.12", "10.53.0.11");
}
