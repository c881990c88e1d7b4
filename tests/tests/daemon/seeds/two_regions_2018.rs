//! "Provision Traffic Manager" (2018): Virginia and Amsterdam by public IP address, with priorities 1 and 2 and a TTL of 100 seconds; Virginia's machine is stopped, and what has been kept
//! is waited out or flushed, then and at failback.

use tm_tests::texts::Profile;

use super::Scene;

#[test]
fn virginia_stops_and_comes_back() {
    let endpoints = [("virginia", 11, "priority = 1"), ("amsterdam", 12, "priority = 2")];
    let profile = Profile { lines: "ttl = 100", endpoints: &endpoints, ..Profile::default() }.to_string();
    let mut scene = Scene::new(&[("virginia", 11), ("amsterdam", 12)], &profile);
    let address = |host: u8| vec![format!("contoso.tm.example. 100 IN A 10.53.0.{host}")];
    let mut visitor = scene.visitor();
    let mut expect = |scene: &Scene, kept: &str, fresh: u8| {
        assert_eq!(scene.direct(), address(fresh));
        // The resolver has not heard of it, and asks when told to forget.
        let told = visitor.ask();
        assert_eq!(told.end, kept);
        assert!(told.ttl <= 100, "{told:?}");
        scene.resolver.forget().unwrap();
        let told = visitor.ask();
        assert_eq!((told.ttl, told.end), (100, format!("10.53.0.{fresh}")));
    };
    scene.wait_for(&["Online", "Online"]);
    expect(&scene, "10.53.0.11", 11);
    let overview = scene.tm(&["status"]).out;
    let mut rows = overview.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert!(
        rows.any(|row| row == ["contoso", "contoso.tm.example", "Online", "priority"]),
        "the name to tell the public: {overview}"
    );
    // However often they refresh, it is one question.
    let before = answers_of(&scene, "virginia");
    for _ in 0..20 {
        assert_eq!(scene.visitor().ask().end, "10.53.0.11");
    }
    assert_eq!(answers_of(&scene, "virginia"), before);

    scene.services[0].stop();
    scene.wait_for(&["Degraded", "Online"]);
    expect(&scene, "10.53.0.11", 12);
    let Scene { lab, services, .. } = &mut scene;
    lab.in_client(|| services[0].resume()).unwrap().unwrap();
    scene.wait_for(&["Online", "Online"]);
    expect(&scene, "10.53.0.12", 11);
}

fn answers_of(scene: &Scene, endpoint: &str) -> u64 {
    let status = scene.daemon.status(&scene.lab).unwrap();
    status.endpoint("contoso", endpoint)["answers"].as_u64().unwrap()
}
