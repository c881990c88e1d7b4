//! `[profile.endpoint.monitor]`: what an endpoint says of its own probes, and what it takes from its profile; and the keys that go beyond Azure's.

use std::{sync::Arc, time::Duration};

use tm_userspace::desired::{Monitor, Profile, Protocol, Target};

use crate::kit::{check_monitor, check_profiles, loaded_profile};

/// A profile with these lines in its monitor, and one endpoint with these in its own.
fn text(profile: &str, own: &str) -> String {
    format!(
        "[[profile]]\nname = \"a\"\nrouting_method = \"priority\"\n[profile.monitor]\n{profile}\n\
         [[profile.endpoint]]\nname = \"east\"\ntarget = \"192.0.2.1\"\n[profile.endpoint.monitor]\n{own}\n"
    )
}

fn load(profile: &str, own: &str) -> (Arc<Profile>, Monitor) {
    let profile = loaded_profile(&text(profile, own)).profiles["a"].clone();
    let monitor = profile.monitor_of(&profile.endpoints[0]).as_ref().clone();
    (profile, monitor)
}

#[test]
fn what_an_endpoint_does_not_say_is_its_profiles() {
    let profile =
        "protocol = \"https\"\npath = \"/up\"\ninterval = \"20s\"\ntimeout = \"3s\"\nheaders = { A = \"1\" }";
    let (loaded, monitor) = load(profile, "port = 8443\ntolerated_failures = 1");
    assert_eq!(monitor, Monitor { port: 8443, tolerated_failures: 1, ..(*loaded.monitor).clone() });
    assert_eq!((loaded.monitor.port, loaded.monitor.tolerated_failures), (443, 3));
    let (loaded, monitor) = load(profile, "protocol = \"tcp\"");
    assert_eq!((monitor.protocol, monitor.port, monitor.path.as_str()), (Protocol::Tcp, 80, "/"));
    assert_eq!(loaded.monitor.path, "/up");
    let (_, monitor) = load(profile, "headers = { B = \"2\" }\ninterval = \"5s\"");
    assert_eq!(monitor.headers, [("B".to_owned(), "2".to_owned())], "a table as a whole");
    assert_eq!((monitor.interval, monitor.timeout), (Duration::from_secs(5), Duration::from_secs(3)));
    let without = loaded_profile(&text(profile, "").replace("[profile.endpoint.monitor]", ""));
    assert_eq!(without.profiles["a"].endpoints[0].monitor, None);
}

#[test]
fn the_keys_beyond_azures_arrive() {
    let (profile, monitor) = load(
        "protocol = \"https\"\nsource = \"192.0.2.200\"\nbody_contains = \"ok\"\ncertificate_warning_days = 21",
        "target = \"probe.example.net\"",
    );
    assert_eq!(monitor.target, Some(Target::Name("probe.example.net".parse().unwrap())));
    assert_eq!(profile.probed_target(&profile.endpoints[0]), monitor.target.as_ref().unwrap());
    assert_eq!(profile.endpoints[0].target.to_string(), "192.0.2.1");
    assert_eq!(monitor.source, Some("192.0.2.200".parse().unwrap()));
    assert_eq!(monitor.body_contains.as_deref(), Some("ok"));
    assert_eq!(monitor.certificate_warning, Some(Duration::from_secs(21 * 86_400)));
}

#[test]
fn keys_that_cannot_be_kept_are_refused() {
    check_monitor(
        "target = \"192.0.2.9\"",
        "conf.d/a.toml:5:10 `\"192.0.2.9\"` a monitor's target in a profile's own monitor",
    );
    check_monitor("source = \"here\"", "conf.d/a.toml:5:10 `\"here\"` `here` is not an address");
    check_monitor("body_contains = \"\"", "conf.d/a.toml:5:17 `\"\"` body_contains has 0 octets");
    check_monitor(
        "protocol = \"https\"\ncertificate_warning_days = 366",
        "conf.d/a.toml:6:28 `366` certificate_warning_days 366 is out of range",
    );
    let refused = |profile, own, expected: &str| {
        check_profiles(&text(profile, own), &format!("conf.d/a.toml:{expected}"));
    };
    refused("", "port = 0", "10:8 `0` port 0 is out of range");
    refused("", "target = \"http://x\"", "10:10 `\"http://x\"` `http://x` is a URL");
    refused("", "prot = 0", "10:1 `prot` unknown key `prot`");
    refused(
        "timeout = \"9s\"",
        "interval = \"9s\"",
        "5:11 `\"9s\"` timeout `9s` is not shorter than the interval (conf.d/a.toml:10:12 `\"9s\"`)",
    );
    refused(
        "source = \"2001:db8::1\"",
        "",
        "8:10 `\"192.0.2.1\"` source `2001:db8::1` cannot reach an IPv4 address (conf.d/a.toml:5:10 `\"2001:db8::1\"`)",
    );
    refused(
        "source = \"192.0.2.7\"",
        "target = \"2001:db8::1\"",
        "10:10 `\"2001:db8::1\"` source `192.0.2.7` cannot reach an IPv6 address (conf.d/a.toml:5:10 `\"192.0.2.7\"`)",
    );
    check_profiles(&text("source = \"2001:db8::1\"", "source = \"192.0.2.7\""), "");
    check_profiles(&text("source = \"2001:db8::1\"", "target = \"x.example\""), "");
    // Told once, where it stands, though the endpoint takes it over.
    refused("port = 0", "path = \"/x\"", "5:8 `0` port 0 is out of range");
}

#[test]
fn idle_keys_are_warned_of_where_they_stand() {
    let warnings = |profile, own| {
        let warnings = loaded_profile(&text(profile, own)).warnings;
        warnings.iter().map(|line| line.split_once("a.toml:").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(warnings("body_contains = \"x\"", "protocol = \"tcp\""), [""; 0]);
    assert_eq!(
        warnings("", "protocol = \"tcp\"\nbody_contains = \"x\"\ncertificate_warning_days = 9"),
        [
            "11:17: body_contains is not used with protocol tcp",
            "12:28: certificate_warning_days is used with protocol https alone"
        ]
    );
}
