//! What outlives the daemon: answers, health and counts, over a crash, an orderly stop, and whatever was left behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::{fs, process::Command, time::Instant};

use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};
use serde_json::Value;
use tm_tests::{
    DEADLINE,
    bpffs::BpfFs,
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::{CLIENT_INTERFACE, Lab, SERVER_INTERFACE},
    namespace::{require_root, run},
    objects::RIG,
    query::{Query, qtype},
    stream::{Seen, Stream},
};

const PROFILES: &str = r#"
[[profile]]
name = "contoso"
routing_method = "priority"
ttl = 100
[profile.monitor]
interval = "200ms"
timeout = "150ms"
tolerated_failures = 1
[[profile.endpoint]]
name = "virginia"
target = "10.53.0.11"
[[profile.endpoint]]
name = "amsterdam"
target = "10.53.0.12"
"#;

const VIRGINIA: [u8; 4] = [10, 53, 0, 11];
const AMSTERDAM: [u8; 4] = [10, 53, 0, 12];

/// A lab, its BPF file system, and a daemon on it.
struct Plane {
    daemon: Daemon,
    bpf: BpfFs,
    lab: Lab,
}

fn node(pins: &std::path::Path, more: &str) -> String {
    let pins = pins.display();
    format!(
        "zone = \"tm.example\"\nname_servers = [\"ns1.tm.example\"]\nstate_dir = \"{{dir}}/state\"\n\
         [listen]\ninterfaces = [\"tm0\"]\npins = \"{pins}/tm\"\n{more}\n"
    )
}

impl Plane {
    fn start(more: &str) -> Self {
        require_root();
        let (lab, bpf) = (Lab::new().unwrap(), BpfFs::new().unwrap());
        let files = [("tm.toml", node(bpf.path(), more)), ("conf.d/profiles.toml", PROFILES.to_owned())];
        let mut daemon =
            Daemon::start(&lab, &files.each_ref().map(|(path, text)| (*path, text.as_str()))).unwrap();
        ready(&mut daemon);
        Plane { daemon, bpf, lab }
    }

    fn restart(&mut self) {
        self.daemon.restart(&self.lab).unwrap();
        ready(&mut self.daemon);
    }

    fn stream(&self, expected: &[u8]) -> Stream {
        Stream::start(
            &self.lab,
            "10.53.0.1:53",
            Query::with_edns("contoso.tm.example", qtype::A),
            &[expected, EDNS].concat(),
        )
        .unwrap()
    }

    fn status(&self) -> Value {
        let output = self.daemon.tm(&self.lab, &["status", "-o", "json"]).unwrap().output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    fn saved(&self) -> Value {
        let text = fs::read(self.daemon.directory().join("state/state.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Is a program on the server's interface?
    fn is_attached(&self) -> bool {
        run(self.lab.server("ip").args(["-details", "link", "show", SERVER_INTERFACE]))
            .unwrap()
            .contains("prog/xdp")
    }

    fn tm(&self, arguments: &[&str]) -> (Option<i32>, String) {
        text(&mut self.daemon.tm(&self.lab, arguments).unwrap())
    }
}

/// The OPT record that ends each reply: root, type 41, payload 1232, no flags, no options.
const EDNS: &[u8] = &[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

fn ready(daemon: &mut Daemon) {
    daemon.wait_for("ready", |line| line.contains("\"ready\""));
}

fn text(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).trim().to_owned())
}

fn endpoint(lab: &Lab, address: &str) -> FakeEndpoint {
    run(lab.client("ip").args(["address", "add", &format!("{address}/24"), "dev", CLIENT_INTERFACE]))
        .unwrap();
    lab.in_client(|| FakeEndpoint::start(format!("{address}:80").parse().unwrap())).unwrap().unwrap()
}

/// Looks again and again until it is so; each look is an exchange with the daemon or a read of its file.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < DEADLINE, "waited for {what}");
    }
}

fn of_endpoints<'a>(status: &'a Value, key: &str) -> Vec<&'a Value> {
    status["profiles"][0]["endpoints"].as_array().unwrap().iter().map(|endpoint| &endpoint[key]).collect()
}

#[test]
fn a_killed_daemon_is_not_missed_and_the_next_one_forgets_nothing() {
    let mut plane = Plane::start("");
    let mut primary = endpoint(&plane.lab, "10.53.0.11");
    let _secondary = endpoint(&plane.lab, "10.53.0.12");
    wait_until("both are up", || of_endpoints(&plane.status(), "monitor_status") == ["Online", "Online"]);
    primary.stop();
    wait_until("the primary is down", || of_endpoints(&plane.status(), "monitor_status")[0] == "Degraded");
    wait_until("that is saved", || plane.saved()["endpoints"][0]["verdict"]["up"] == Value::Bool(false));
    let before = plane.status();
    let answers = |status: &Value| of_endpoints(status, "answers")[1].as_u64().unwrap();
    let packets = |status: &Value| status["packets"]["answered"].as_u64().unwrap();

    let mut stream = plane.stream(&AMSTERDAM);
    stream.wait_for(200).unwrap();
    plane.daemon.kill().unwrap();
    stream.wait_for(200).unwrap();
    let pins = plane.bpf.files();
    assert_eq!(pins.len(), 4, "one link, the cold programs, two tables of counts: {pins:?}");
    plane.restart();
    let log = plane.daemon.log().join("\n");
    assert!(log.contains("took over from the program that an earlier run left here"), "{log}");
    stream.wait_for(200).unwrap();
    let Seen { asked, lost, wrong } = stream.stop().unwrap();
    assert_eq!((lost, wrong), (0, 0), "of {asked}");

    let after = plane.status();
    assert_eq!(answers(&after) - answers(&before), asked, "each counted once");
    assert_eq!(packets(&after) - packets(&before), asked, "each counted once");
    assert_eq!(of_endpoints(&after, "monitor_status"), ["Degraded", "Online"]);
    assert_eq!(of_endpoints(&after, "since"), of_endpoints(&before, "since"));
    let probes = |status: &Value| of_endpoints(status, "probes")[1].as_u64().unwrap();
    assert!(probes(&after) >= 2, "{after}");
    assert!(after["generation"].as_u64() > before["generation"].as_u64(), "the zone's serial grows");
    assert_eq!(plane.bpf.files().len(), 4, "what the first run pinned was replaced");
}

#[test]
fn an_orderly_stop_takes_the_program_off_and_keeps_the_counts() {
    let mut plane = Plane::start("");
    assert!(plane.is_attached());
    let mut stream = plane.stream(&VIRGINIA);
    stream.wait_for(100).unwrap();
    let asked = stream.stop().unwrap().asked;
    let answers = |status: &Value| of_endpoints(status, "answers")[0].as_u64().unwrap();
    assert_eq!(answers(&plane.status()), asked);
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    assert!(!plane.is_attached());
    assert_eq!(plane.bpf.files(), [""; 0]);
    plane.restart();
    assert_eq!(answers(&plane.status()), asked);
}

#[test]
fn a_daemon_that_is_to_be_kept_answers_until_it_is_detached_by_hand() {
    let mut plane = Plane::start("keep = true");
    let (code, said) = plane.tm(&["detach"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another tm (process "), "{said}");
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    let mut stream = plane.stream(&VIRGINIA);
    stream.wait_for(100).unwrap();
    // As an upgrade does it: another process takes over, and goes in order.
    plane.restart();
    stream.wait_for(100).unwrap();
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    stream.wait_for(100).unwrap();
    let Seen { asked, lost, wrong } = stream.stop().unwrap();
    assert_eq!((lost, wrong), (0, 0), "of {asked}");
    assert_eq!(plane.tm(&["detach"]), (Some(0), "detached from tm0".to_owned()));
    assert!(!plane.is_attached());
    assert_eq!(plane.tm(&["detach"]), (Some(0), "nothing was attached".to_owned()));
}

#[test]
fn a_second_daemon_is_told_who_is_there() {
    let plane = Plane::start("");
    let (code, said) = plane.tm(&["serve"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("another tm (process ") && said.contains("give this one another state_dir"),
        "{said}"
    );
    let files = [("tm.toml", node(plane.bpf.path(), "")), ("conf.d/profiles.toml", PROFILES.to_owned())];
    let mut other =
        Daemon::start(&plane.lab, &files.each_ref().map(|(path, text)| (*path, text.as_str()))).unwrap();
    let line = other.wait_for("the interface is taken", |line| line.contains("XDP does not answer here"));
    assert!(line.contains("another tm's program is there (id "), "{line}");
    assert!(plane.is_attached());
    other.kill().unwrap();
    assert_eq!(plane.bpf.files().iter().filter(|file| file.contains("/links/")).count(), 1);
}

/// A program that is not ours, on the server's interface for as long as what is returned lives.
fn stranger(lab: &Lab) -> Ebpf {
    let attach = || {
        let mut rig = Ebpf::load(RIG).unwrap();
        let program: &mut Xdp = rig.program_mut("pass").unwrap().try_into().unwrap();
        program.load().unwrap();
        program.attach(SERVER_INTERFACE, XdpMode::Driver).unwrap();
        rig
    };
    lab.in_server(attach).unwrap()
}

#[test]
fn a_foreign_program_is_named_and_left_alone() {
    require_root();
    let (lab, bpf) = (Lab::new().unwrap(), BpfFs::new().unwrap());
    let stranger = stranger(&lab);
    let mut daemon =
        Daemon::start(&lab, &[("tm.toml", &node(bpf.path(), "")), ("conf.d/profiles.toml", PROFILES)])
            .unwrap();
    let line =
        daemon.wait_for("the complaint", |line| line.contains("XDP does not answer here; the sockets do"));
    let id = stranger.program("pass").unwrap().info().unwrap().id();
    assert!(line.contains(&format!("another XDP program is there, id {id} `pass`")), "{line}");
    daemon.wait_for("the socket", |line| line.contains("answering") && line.contains("10.53.0.1:53"));
    // It stays between us and the client, and lets queries pass.
    let query = Query::new("contoso.tm.example", qtype::A);
    let mut stream = Stream::start(&lab, "10.53.0.1:53", query, &VIRGINIA).unwrap();
    stream.wait_for(10).unwrap();
    assert_eq!(stream.stop().unwrap().lost, 0);
    let link = run(lab.server("ip").args(["-details", "link", "show", SERVER_INTERFACE])).unwrap();
    assert!(link.contains(&format!("prog/xdp id {id} ")), "{link}");
}

#[test]
fn an_interface_that_vanished_and_came_back_gets_a_program_of_its_own() {
    let mut plane = Plane::start("");
    let ip = |words: &str| run(plane.lab.server("ip").args(words.split(' '))).unwrap();
    ip("link add tm9 type veth peer name tm8");
    let both = node(plane.bpf.path(), "").replace("[\"tm0\"]", "[\"tm0\", \"tm9\"]");
    plane.daemon.write("tm.toml", &both).unwrap();
    let line = plane
        .daemon
        .wait_for("XDP on the second", |line| line.contains("XDP attached") && line.contains("tm9"));
    assert!(line.contains("Native"), "{line}");
    let links = || plane.bpf.files().into_iter().filter(|file| file.contains("/links/")).collect::<Vec<_>>();
    let two = links();
    assert_eq!(two.len(), 2, "{two:?}");
    let index = run(plane.lab.server("cat").arg("/sys/class/net/tm9/ifindex"));
    let index = index.unwrap_or_else(|_| ip("-oneline link show tm9").split(':').next().unwrap().to_owned());

    plane.daemon.kill().unwrap();
    ip("link delete tm9");
    // Another one, of the same name and index: the link of the first leads nowhere.
    ip(&format!("link add tm9 index {} type veth peer name tm8", index.trim()));
    plane.daemon.restart(&plane.lab).unwrap();
    plane
        .daemon
        .wait_for("the link is of no use", |line| line.contains("what an earlier run left here is removed"));
    plane.daemon.wait_for("XDP on the new one", |line| line.contains("XDP attached") && line.contains("tm9"));
    assert_eq!(links(), two);

    plane.daemon.kill().unwrap();
    ip("link delete tm9");
    plane.daemon.restart(&plane.lab).unwrap();
    plane
        .daemon
        .wait_for("it is missed", |line| line.contains("there is no such interface") && line.contains("tm9"));
    ready(&mut plane.daemon);
    assert_eq!(links(), two[..1], "the pin of what is gone is gone");
    ip("link add tm9 type veth peer name tm8");
    plane.daemon.wait_for("it is back", |line| line.contains("XDP attached") && line.contains("tm9"));
}

#[test]
fn without_a_bpf_file_system_it_serves_and_says_what_is_missing() {
    require_root();
    let lab = Lab::new().unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    let node = node(nowhere.path(), "");
    let mut daemon = Daemon::start(&lab, &[("tm.toml", &node), ("conf.d/profiles.toml", PROFILES)]).unwrap();
    let line = daemon.wait_for("the warning", |line| line.contains("XDP will not go on answering"));
    assert!(line.contains("WARN") && line.contains("mount -t bpf bpf /sys/fs/bpf"), "{line}");
    daemon
        .wait_for("native XDP all the same", |line| line.contains("XDP attached") && line.contains("Native"));
    ready(&mut daemon);
    let mut stream =
        Stream::start(&lab, "10.53.0.1:53", Query::new("contoso.tm.example", qtype::A), &VIRGINIA).unwrap();
    stream.wait_for(10).unwrap();
    assert_eq!(stream.stop().unwrap().lost, 0);
}

#[test]
fn a_damaged_state_is_set_aside_and_the_daemon_begins_anew() {
    let mut plane = Plane::start("");
    plane.daemon.stop().unwrap();
    let state = plane.daemon.directory().join("state");
    fs::write(state.join("state.json"), &fs::read(state.join("state.json")).unwrap()[..100]).unwrap();
    plane.restart();
    let log = plane.daemon.log().join("\n");
    assert!(log.contains("WARN") && log.contains("is damaged and set aside; beginning anew"), "{log}");
    let names = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("state.damaged-")).count(), 1);
    assert!(plane.is_attached());
}

#[test]
fn a_reload_with_another_mode_changes_the_hook() {
    let mut plane = Plane::start("mode = \"native\"");
    assert_eq!(plane.status()["interfaces"][0]["xdp"], "native");
    plane.daemon.write("tm.toml", &node(plane.bpf.path(), "mode = \"generic\"")).unwrap();
    plane.daemon.wait_for("the other hook", |line| line.contains("XDP attached") && line.contains("Generic"));
    plane.daemon.write("tm.toml", &node(plane.bpf.path(), "mode = \"off\"")).unwrap();
    plane
        .daemon
        .wait_for("no hook", |line| line.contains("configuration published") && !line.contains("Generic"));
    wait_until("it is off", || !plane.is_attached());
    assert!(plane.bpf.files().iter().all(|file| !file.contains("/links/")), "{:?}", plane.bpf.files());
}
