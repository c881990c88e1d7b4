//! The portal in a real browser (Chromium), before the real daemon with XDP and real endpoints: the procedures of five documents as they are written, the public's browser
//! behind a caching resolver, every page as axe judges it, and what goes wrong.
//!
//! The scripts are under `tests/clients/portal`. The browser runs on the daemon's host, which has no way out; pictures of the pages are under `target/portal`.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

mod scene;

use scene::Scene;
use std::time::Duration;

use tm_tests::texts::Profile;

#[test]
fn the_failover_policy_of_2012() {
    Scene::new().run("failover_2012.cjs");
}

#[test]
fn the_performance_policy_of_2012() {
    Scene::new().run("performance_2012.cjs");
}

#[test]
fn the_round_robin_policy_of_2012() {
    Scene::new().run("round_robin_2012.cjs");
}

#[test]
fn the_failover_configuration_of_2015() {
    Scene::new().run("failover_2015.cjs");
}

#[test]
fn the_two_regions_of_2018() {
    Scene::new().run("two_regions_2018.cjs");
}

#[test]
fn a_visitors_browser_behind_a_resolver() {
    let profile = Profile {
        lines: "ttl = 2",
        // A browser that starts leaves probes little of the machine: one that is only slow is not to count.
        interval: Duration::from_secs(2),
        endpoints: &[("us", 11, ""), ("europe", 12, "")],
        ..Profile::default()
    };
    Scene::visit("visitor.cjs", &profile.to_string());
}

#[test]
fn every_page() {
    Scene::new().run("pages.cjs");
}

#[test]
fn ten_thousand_profiles() {
    let mut scene = Scene::new();
    scene.add(10_000);
    scene.run("many.cjs");
}

#[test]
fn names_in_several_zones() {
    Scene::new().run("zones.cjs");
}

#[test]
fn who_asks() {
    Scene::new().run("traffic.cjs");
}

#[test]
fn what_goes_wrong() {
    Scene::new().run("trouble.cjs");
}
