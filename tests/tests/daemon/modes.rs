//! How the program comes to be attached, and what is said and done where it cannot be: the sockets answer.

use std::time::Instant;

use tm_tests::{
    DEADLINE,
    daemon::Daemon,
    dig::answers,
    lab::{Lab, SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Edns, Query, qtype},
};

use crate::{NODE, profile, serve, wait_until_ready};

const PROFILES: &str = "conf.d/profiles.toml";

fn web() -> String {
    profile("web", "192.0.2.10")
}

fn start_by(way: &[&str], lab: &Lab, node: &str) -> Daemon {
    Daemon::start_by(way, lab, &[("tm.toml", node), (PROFILES, &web())]).unwrap()
}

/// Asks over both families and over TCP, and says how many of the three XDP answered.
fn ask(lab: &Lab, daemon: &Daemon) -> u64 {
    let before = daemon.status(lab).unwrap();
    for way in [&["@10.53.0.1"][..], &["@fd53::1"], &["@10.53.0.1", "+tcp"]] {
        let answer = lab.answers(&[way, &["web.tm.example", "+short"]].concat()).unwrap();
        assert_eq!(answer, "192.0.2.10", "{way:?}");
    }
    daemon.status(lab).unwrap().packets("answered") - before.packets("answered")
}

/// A lab whose `tm0` has no native XDP: a bridge, which has none, in its place, with the cable's end in it.
fn bridged() -> Lab {
    let lab = Lab::new().unwrap();
    let ip = |words: &str| run(lab.server("ip").args(words.split(' '))).unwrap();
    ip("link set tm0 down");
    ip("link set tm0 name port");
    ip("link add tm0 address 02:53:00:00:00:01 type bridge");
    for words in [
        "address flush dev port",
        "link set port master tm0",
        "address add 10.53.0.1/24 dev tm0",
        "address add fd53::1/64 dev tm0 nodad",
        "link set port up",
        "link set tm0 up",
        "neighbour replace 10.53.0.2 dev tm0 lladdr 02:53:00:00:00:02 nud permanent",
        "neighbour replace fd53::2 dev tm0 lladdr 02:53:00:00:00:02 nud permanent",
    ] {
        ip(words);
    }
    // Until the kernel has noticed the cable, the port lets nothing pass.
    let began = Instant::now();
    while !ip("-details link show dev port").contains("state forwarding") {
        assert!(began.elapsed() < DEADLINE, "waited for the bridge's port");
    }
    lab
}

#[test]
fn auto_falls_back_to_the_generic_hook() {
    let lab = bridged();
    let mut daemon = start_by(&[], &lab, NODE);
    let said = daemon.wait_for("the fall back", |line| line.contains("\"WARN\""));
    assert!(said.contains("no native XDP here, attached in the generic hook, which is slower"), "{said}");
    assert!(said.contains("\"interface\":\"tm0\""), "{said}");
    wait_until_ready(&mut daemon);
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), Some("generic"));
    assert_eq!(ask(&lab, &daemon), 2);
}

#[test]
fn native_is_refused_where_the_driver_has_none() {
    let lab = bridged();
    let mut daemon = start_by(&[], &lab, &format!("{NODE}mode = \"native\""));
    let said = daemon.wait_for("the refusal", |line| line.contains("\"ERROR\""));
    assert!(said.contains("XDP does not answer here; the sockets do"), "{said}");
    assert!(said.contains("cannot attach to `tm0`: the driver has no native XDP"), "{said}");
    assert!(said.contains(r#"use mode = \"generic\" or \"auto\""#), "{said}");
    wait_until_ready(&mut daemon);
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), None);
    assert_eq!(ask(&lab, &daemon), 0);
}

#[test]
fn native_is_native() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "mode = \"native\"", &web());
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), Some("native"));
    assert_eq!(ask(&lab, &daemon), 2);
}

/// A card whose frames take more than a buffer of a program's: the driver has none of its own then, and the kernel's hook is given each frame as one.
#[test]
fn jumbo_frames_are_answered_by_the_generic_hook_and_long_queries_by_the_sockets() {
    let mut lab = Lab::new().unwrap();
    lab.release_client();
    run(lab.client("ip").args(["link", "set", "tm1", "mtu", "9000"])).unwrap();
    run(lab.server("ip").args(["link", "set", "tm0", "mtu", "9000"])).unwrap();
    let daemon = serve(&lab, "", &web());
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), Some("generic"), "{:#?}", daemon.log());
    assert_eq!(ask(&lab, &daemon), 2);
    let before = daemon.status(&lab).unwrap();
    for server in [SERVER_V4.into(), SERVER_V6.into()] {
        let edns = Edns { options: vec![(12, vec![0; 8000])], ..Edns::default() };
        let query = Query { edns: Some(edns), ..Query::new("web.tm.example", qtype::A) };
        let reply = lab.asker(server).unwrap().ask(&query).unwrap();
        assert_eq!(answers(&reply), ["web.tm.example. 30 IN A 192.0.2.10"]);
    }
    let after = daemon.status(&lab).unwrap();
    assert_eq!(after.packets("edns") - before.packets("edns"), 2);
    assert_eq!(after.messages("engine") - before.messages("engine"), 2);
}

#[test]
fn the_mode_can_change_while_it_serves() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &web());
    for (mode, hook, by_xdp) in
        [("generic", Some("generic"), 2), ("off", None, 0), ("native", Some("native"), 2)]
    {
        daemon.write("tm.toml", &format!("{NODE}mode = \"{mode}\"")).unwrap();
        daemon.wait_for(mode, |line| line.contains("configuration published"));
        assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), hook, "{mode}: {:#?}", daemon.log());
        assert_eq!(ask(&lab, &daemon), by_xdp, "{mode}");
    }
}

#[test]
fn another_program_is_not_thrown_out() {
    let lab = Lab::new().unwrap();
    let _first = serve(&lab, "", &web());
    // The same node again, with a state of its own and at another port; its program finds the first one's in its way.
    let mut second = start_by(&[], &lab, &format!("{NODE}port = 5353"));
    let said = second.wait_for("the refusal", |line| line.contains("\"ERROR\""));
    assert!(said.contains("another tm's program is there (id "), "{said}");
    assert!(said.contains("stop that one or, where it is dead, run `tm detach` with its --config"), "{said}");
    wait_until_ready(&mut second);
    for port in ["53", "5353"] {
        let words = ["@10.53.0.1", "-p", port, "web.tm.example", "+short"];
        assert_eq!(lab.answers(&words).unwrap(), "192.0.2.10", "{port}");
    }
}

/// `setpriv` such that root has these capabilities alone.
fn with_only(capabilities: &[&str]) -> Vec<String> {
    let kept: Vec<String> = capabilities.iter().map(|name| format!(",+{name}")).collect();
    vec!["setpriv".into(), "--inh-caps=-all".into(), format!("--bounding-set=-all{}", kept.concat())]
}

fn start_with_only(capabilities: &[&str], lab: &Lab) -> Daemon {
    let way = with_only(capabilities);
    start_by(&way.iter().map(String::as_str).collect::<Vec<_>>(), lab, NODE)
}

#[test]
fn four_capabilities_are_enough() {
    let lab = Lab::new().unwrap();
    let mut daemon = start_with_only(&["bpf", "perfmon", "net_admin", "net_bind_service"], &lab);
    wait_until_ready(&mut daemon);
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), Some("native"), "{:#?}", daemon.log());
    assert_eq!(ask(&lab, &daemon), 2);
    let asked = daemon.tm(&lab, &["query", "web"]).unwrap().output().unwrap();
    assert!(String::from_utf8_lossy(&asked.stdout).contains("by xdp"), "{asked:?}");
}

#[test]
fn without_the_right_to_load_the_sockets_answer() {
    let lab = Lab::new().unwrap();
    // Without the second the verifier holds every program for one that may not look at a pointer, and refuses ours.
    for capabilities in [&["net_bind_service"][..], &["net_bind_service", "bpf", "net_admin"]] {
        let mut daemon = start_with_only(capabilities, &lab);
        let said = daemon.wait_for("what is missing", |line| line.contains("\"ERROR\""));
        assert!(said.contains("XDP does not answer; the sockets answer everything"), "{said}");
        assert!(said.contains("run as root or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"), "{said}");
        wait_until_ready(&mut daemon);
        assert_eq!(ask(&lab, &daemon), 0);
        assert_eq!(daemon.stop().unwrap(), Some(0));
    }
}

#[test]
fn without_the_right_to_the_port_it_says_so_and_xdp_answers() {
    let lab = Lab::new().unwrap();
    let mut daemon = start_with_only(&["bpf", "perfmon", "net_admin"], &lab);
    let said = daemon.wait_for("what is missing", |line| line.contains("\"ERROR\""));
    assert!(said.contains("cannot listen: ports below 1024 need root or CAP_NET_BIND_SERVICE"), "{said}");
    wait_until_ready(&mut daemon);
    assert_eq!(lab.answers(&["@10.53.0.1", "web.tm.example", "+short"]).unwrap(), "192.0.2.10");
}
