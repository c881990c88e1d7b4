//! What outlives the daemon: answers, health and counts, over a crash, an orderly stop, and whatever was left behind.

use std::{fs, process::Command, time::Instant};

use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};
use serde_json::Value;
use tm_tests::{
    DEADLINE,
    client::Stream,
    daemon::Daemon,
    dig::answers,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_INTERFACE, SERVER_V4},
    namespace::run,
    objects::RIG,
    query::{Query, qtype},
    status::Status,
    texts::Profile,
};

use crate::{NODE, serve, wait_until_ready};

/// Nothing listens at its endpoints but what a test starts.
fn contoso() -> String {
    Profile { lines: "ttl = 100", tolerated_failures: 1, ..Profile::default() }.to_string()
}

const VIRGINIA: &str = "10.53.0.11";
const AMSTERDAM: &str = "10.53.0.12";

/// A lab and a daemon on it.
struct Plane {
    daemon: Daemon,
    lab: Lab,
}

impl Plane {
    fn start(listen: &str) -> Self {
        let lab = Lab::new().unwrap();
        Plane { daemon: serve(&lab, listen, &contoso()), lab }
    }

    fn restart(&mut self) {
        self.daemon.restart(&self.lab).unwrap();
        wait_until_ready(&mut self.daemon);
    }

    fn stream(&self, expected: &'static str) -> Stream {
        stream(&self.lab, expected)
    }

    fn status(&self) -> Status {
        self.daemon.status(&self.lab).unwrap()
    }

    fn saved(&self) -> Value {
        let text = fs::read(self.daemon.directory().join("state/state.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Is a program on the server's interface?
    fn is_attached(&self) -> bool {
        link(&self.lab).contains("prog/xdp")
    }

    /// The pins of links.
    fn links(&self) -> Vec<String> {
        self.daemon.bpf().files().into_iter().filter(|file| file.contains("/links/")).collect()
    }

    fn tm(&self, arguments: &[&str]) -> (Option<i32>, String) {
        text(&mut self.daemon.tm(&self.lab, arguments).unwrap())
    }
}

/// A client that asks on and on for the profile, and expects this address.
fn stream(lab: &Lab, expected: &'static str) -> Stream {
    let query = Query::with_edns("contoso.tm.example", qtype::A);
    let judge = move |_: usize, answer: &hickory_proto::op::Message| {
        let expected = [format!("contoso.tm.example. 100 IN A {expected}")];
        anyhow::ensure!(answers(answer) == expected && answer.edns.is_some(), "{answer}");
        Ok(())
    };
    Stream::start(lab, SERVER_V4.into(), vec![query], judge).unwrap()
}

fn link(lab: &Lab) -> String {
    run(lab.server("ip").args(["-details", "link", "show", SERVER_INTERFACE])).unwrap()
}

fn text(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).trim().to_owned())
}

/// Looks again and again until it is so; each look is an exchange with the kernel or a read of the daemon's file.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < DEADLINE, "waited for {what}");
    }
}

fn count(status: &Status, endpoint: &str, what: &str) -> u64 {
    status.endpoint("contoso", endpoint)[what].as_u64().unwrap()
}

#[test]
fn a_killed_daemon_is_not_missed_and_the_next_one_forgets_nothing() {
    let mut plane = Plane::start("");
    let mut primary = FakeEndpoint::on_client(&plane.lab, [10, 53, 0, 11].into()).unwrap();
    let _secondary = FakeEndpoint::on_client(&plane.lab, [10, 53, 0, 12].into()).unwrap();
    plane.daemon.wait_for_endpoints(&plane.lab, "contoso", &["Online", "Online"]);
    primary.stop();
    plane.daemon.wait_for_endpoints(&plane.lab, "contoso", &["Degraded", "Online"]);
    let before = plane.status();
    // It was Degraded before, too, when neither endpoint was there yet: that may be saved already.
    let since =
        before.endpoint("contoso", "virginia")["since"].as_str().unwrap().trim_end_matches('Z').to_owned();
    let is_saved = |endpoint: &Value| {
        endpoint["endpoint"] == "virginia"
            && endpoint["verdict"]["since"].as_str().is_some_and(|saved| saved.starts_with(&since))
    };
    wait_until("that is saved", || plane.saved()["endpoints"].as_array().unwrap().iter().any(is_saved));

    let stream = plane.stream(AMSTERDAM);
    stream.wait_for(200).unwrap();
    plane.daemon.kill().unwrap();
    stream.wait_for(200).unwrap();
    let pins = plane.daemon.bpf().files();
    assert_eq!(pins.len(), 3, "one link, the cold programs, the counts: {pins:?}");
    plane.restart();
    let log = plane.daemon.log().join("\n");
    assert!(log.contains("took over from the program that an earlier run left here"), "{log}");
    stream.wait_for(200).unwrap();
    let asked = stream.stop().unwrap();

    let after = plane.status();
    let answers = |status: &Status| count(status, "amsterdam", "answers");
    assert_eq!(answers(&after) - answers(&before), asked, "each counted once");
    assert_eq!(after.packets("answered") - before.packets("answered"), asked, "each counted once");
    assert_eq!(after.endpoints("contoso"), ["Degraded", "Online"]);
    for endpoint in ["virginia", "amsterdam"] {
        let since = |status: &Status| status.endpoint("contoso", endpoint)["since"].clone();
        assert_eq!(since(&after), since(&before), "{endpoint}");
    }
    assert!(count(&after, "amsterdam", "probes") >= 2, "{:#}", after.0);
    assert!(after.0["generation"].as_u64() > before.0["generation"].as_u64(), "the zone's serial grows");
    assert_eq!(plane.daemon.bpf().files().len(), 3, "what the first run pinned was replaced");
}

#[test]
fn an_orderly_stop_takes_the_program_off_and_keeps_the_counts() {
    let mut plane = Plane::start("");
    assert!(plane.is_attached());
    let stream = plane.stream(VIRGINIA);
    stream.wait_for(100).unwrap();
    let asked = stream.stop().unwrap();
    assert_eq!(count(&plane.status(), "virginia", "answers"), asked);
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    wait_until("it is off", || !plane.is_attached());
    assert_eq!(plane.daemon.bpf().files(), [""; 0]);
    plane.restart();
    assert_eq!(count(&plane.status(), "virginia", "answers"), asked);
}

#[test]
fn a_daemon_that_is_to_be_kept_answers_until_it_is_detached_by_hand() {
    let mut plane = Plane::start("keep = true");
    let (code, said) = plane.tm(&["detach"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another tm (process "), "{said}");
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    let stream = plane.stream(VIRGINIA);
    stream.wait_for(100).unwrap();
    // As an upgrade does it: another process takes over, and goes in order.
    plane.restart();
    stream.wait_for(100).unwrap();
    assert_eq!(plane.daemon.stop().unwrap(), Some(0));
    stream.wait_for(100).unwrap();
    stream.stop().unwrap();
    assert_eq!(plane.tm(&["detach"]), (Some(0), "detached from tm0".to_owned()));
    // The kernel lets go of a link a moment after its last name is gone.
    wait_until("it is off", || !plane.is_attached());
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
    // With a state of its own, but the same place for pins.
    let node = NODE.replace("{bpf}", &plane.daemon.bpf().path().to_string_lossy());
    let mut other =
        Daemon::start(&plane.lab, &[("tm.toml", &node), ("conf.d/profiles.toml", &contoso())]).unwrap();
    let line = other.wait_for("the interface is taken", |line| line.contains("XDP does not answer here"));
    assert!(line.contains("another tm's program is there (id "), "{line}");
    assert!(plane.is_attached());
    other.kill().unwrap();
    assert_eq!(plane.links().len(), 1);
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
    let lab = Lab::new().unwrap();
    let stranger = stranger(&lab);
    let files = [("tm.toml", NODE), ("conf.d/profiles.toml", &contoso())];
    let mut daemon = Daemon::start(&lab, &files).unwrap();
    let line =
        daemon.wait_for("the complaint", |line| line.contains("XDP does not answer here; the sockets do"));
    let id = stranger.program("pass").unwrap().info().unwrap().id();
    assert!(line.contains(&format!("another XDP program is there, id {id} `pass`")), "{line}");
    daemon.wait_for("the sockets", |line| line.contains("\"ready\""));
    // It stays between us and the client, and lets queries pass.
    let stream = stream(&lab, VIRGINIA);
    stream.wait_for(10).unwrap();
    stream.stop().unwrap();
    let link = link(&lab);
    assert!(link.contains(&format!("prog/xdp id {id} ")), "{link}");
}

#[test]
fn an_interface_that_vanished_and_came_back_gets_a_program_of_its_own() {
    let mut plane = Plane::start("");
    let ip = |words: &str| run(plane.lab.server("ip").args(words.split(' '))).unwrap();
    ip("link add tm9 type veth peer name tm8");
    let both = NODE.replace("[\"tm0\"]", "[\"tm0\", \"tm9\"]");
    plane.daemon.write("tm.toml", &both).unwrap();
    let line = plane
        .daemon
        .wait_for("XDP on the second", |line| line.contains("XDP attached") && line.contains("tm9"));
    assert!(line.contains("Native"), "{line}");
    let two = plane.links();
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
    assert_eq!(plane.links(), two);

    plane.daemon.kill().unwrap();
    ip("link delete tm9");
    plane.daemon.restart(&plane.lab).unwrap();
    plane
        .daemon
        .wait_for("it is missed", |line| line.contains("there is no such interface") && line.contains("tm9"));
    wait_until_ready(&mut plane.daemon);
    assert_eq!(plane.links(), two[..1], "the pin of what is gone is gone");
    ip("link add tm9 type veth peer name tm8");
    plane.daemon.wait_for("it is back", |line| line.contains("XDP attached") && line.contains("tm9"));
}

#[test]
fn without_a_bpf_file_system_it_serves_and_says_what_is_missing() {
    let lab = Lab::new().unwrap();
    let node = NODE.replace("{bpf}", "{dir}");
    let mut daemon =
        Daemon::start(&lab, &[("tm.toml", &node), ("conf.d/profiles.toml", &contoso())]).unwrap();
    let line = daemon.wait_for("the warning", |line| line.contains("XDP will not go on answering"));
    assert!(line.contains("WARN") && line.contains("mount -t bpf bpf /sys/fs/bpf"), "{line}");
    daemon
        .wait_for("native XDP all the same", |line| line.contains("XDP attached") && line.contains("Native"));
    wait_until_ready(&mut daemon);
    let stream = stream(&lab, VIRGINIA);
    stream.wait_for(10).unwrap();
    stream.stop().unwrap();
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
    assert_eq!(plane.status().xdp(SERVER_INTERFACE), Some("native"));
    plane.daemon.write("tm.toml", &format!("{NODE}mode = \"generic\"")).unwrap();
    plane.daemon.wait_for("the other hook", |line| line.contains("XDP attached") && line.contains("Generic"));
    plane.daemon.write("tm.toml", &format!("{NODE}mode = \"off\"")).unwrap();
    plane
        .daemon
        .wait_for("no hook", |line| line.contains("configuration published") && !line.contains("Generic"));
    wait_until("it is off", || !plane.is_attached());
    assert_eq!(plane.links(), [""; 0]);
}
