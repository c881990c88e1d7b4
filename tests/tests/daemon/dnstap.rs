//! dnstap as a collector that others wrote sees it: what the sockets hear and say, what XDP gives samples of, and no more.

use std::time::SystemTime;

use tm_tests::{
    DEADLINE,
    collector::{Collector, Told},
    daemon::Daemon,
    lab::Lab,
    metrics::Scraped,
};

use crate::{NODE, profile, wait_until_ready};

const METRICS: &str = "127.0.0.1:9153";
const TAP: &str = "[dnstap]\nsocket = \"{dir}/tap.sock\"\nidentity = \"edge-7\"\n";

/// `listen` is what is under that table, and `more` what follows.
fn node(listen: &str, more: &str) -> String {
    format!("{NODE}{listen}[metrics]\nlisten = \"{METRICS}\"\n{more}")
}

fn start(lab: &Lab, node: &str) -> Daemon {
    let looked_at =
        profile("seen", "192.0.2.1").replacen("routing_method", "traffic_view = true\nrouting_method", 1);
    let profiles = looked_at + &profile("web", "192.0.2.10");
    let mut daemon = Daemon::start(lab, &[("tm.toml", node), ("conf.d/profiles.toml", &profiles)]).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

fn collect(daemon: &Daemon) -> Collector {
    Collector::start(&daemon.directory().join("tap.sock")).unwrap()
}

fn wait_until_taken(daemon: &mut Daemon) {
    daemon.wait_for("the collector", |line| line.contains("the dnstap collector takes messages"));
}

fn wait_until_lost(daemon: &mut Daemon) {
    daemon.wait_for("its end", |line| line.contains("the dnstap collector cannot be reached"));
}

/// Messages that were sent and dropped, once so many were sent.
fn counts(lab: &Lab, sent: f64) -> (f64, f64) {
    let began = std::time::Instant::now();
    loop {
        // A scraper's listener may come a moment after the rest.
        let counts = Scraped::from(lab, METRICS).ok().and_then(|scraped| {
            let of = |result: &str| scraped.get(&format!("tm_dnstap_messages_total{{result=\"{result}\"}}"));
            Some((of("sent")?, of("dropped")?))
        });
        if let Some(counts) = counts.filter(|counts| counts.0 >= sent) {
            return counts;
        }
        assert!(began.elapsed() < DEADLINE, "{counts:?} of {sent}");
    }
}

/// Kind, family, protocol, ends; of the message its code, question and answers. Who says it, and when, is looked at too.
fn shown(told: &Told, began: SystemTime) -> String {
    assert_eq!(told.get("identity"), "edge-7", "{told:?}");
    assert_eq!(told.get("version"), concat!("tm ", env!("CARGO_PKG_VERSION")));
    let time = if told.get("type") == "AUTH_QUERY" { "query_time" } else { "response_time" };
    let time = told.get(time).trim_start_matches("!!timestamp ").replace(' ', "T") + "Z";
    let time = humantime::parse_rfc3339(&time).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    assert!((began..=SystemTime::now()).contains(&time), "{told:?}");
    let fields = [
        "type",
        "socket_family",
        "socket_protocol",
        "query_address",
        "query_port",
        "response_address",
        "response_port",
    ];
    let mut words = fields.map(|field| told.get(field).to_owned()).to_vec();
    let code = told.message.split_once("rcode: ").and_then(|(_, rest)| rest.split(',').next());
    words.push(code.unwrap_or_default().to_owned());
    let records = told.message.lines().filter(|line| !line.starts_with(";;") && !line.contains("SOA"));
    words.extend(records.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The names in the questions, in order.
fn asked(told: &[Told]) -> Vec<String> {
    let name = |told: &Told| {
        let question = told.message.lines().skip_while(|line| !line.contains("QUESTION SECTION")).nth(1);
        let name = question.and_then(|line| line.trim_start_matches(';').split('.').next());
        format!("{} {}", told.get("type"), name.unwrap_or_default())
    };
    told.iter().map(name).collect()
}

#[test]
fn what_the_sockets_hear_and_say_is_told() {
    let (lab, began) = (Lab::new().unwrap(), SystemTime::now());
    let mut daemon = start(&lab, &node("mode = \"off\"\n", TAP));
    wait_until_lost(&mut daemon);
    let collector = collect(&daemon);
    wait_until_taken(&mut daemon);
    let dig = |words: &[&str]| lab.dig(&[words, &["+nocookie"]].concat()).unwrap();
    dig(&["@10.53.0.1", "-b", "10.53.0.2#5301", "web.tm.example"]);
    dig(&["@fd53::1", "-b", "fd53::2#5302", "nobody.tm.example", "AAAA"]);
    dig(&["@10.53.0.1", "-b", "10.53.0.2#5303", "seen.tm.example", "+tcp"]);
    assert_eq!(counts(&lab, 6.0), (6.0, 0.0));
    // Its end is taken by the collector, and what was sent before it.
    assert_eq!(daemon.stop().unwrap(), Some(0));
    assert!(!daemon.log().iter().any(|line| line.contains("did not take the end")));
    let told = collector.end().unwrap();
    let told: Vec<String> = told.iter().map(|told| shown(told, began)).collect();
    let (v4, v6) = ("INET UDP 10.53.0.2 5301 10.53.0.1 53", "INET6 UDP fd53::2 5302 fd53::1 53");
    let tcp = "INET TCP 10.53.0.2 5303 10.53.0.1 53";
    let expected = [
        format!("AUTH_QUERY {v4} NOERROR ;web.tm.example. IN A"),
        format!("AUTH_RESPONSE {v4} NOERROR ;web.tm.example. IN A web.tm.example. 30 IN A 192.0.2.10"),
        format!("AUTH_QUERY {v6} NOERROR ;nobody.tm.example. IN AAAA"),
        format!("AUTH_RESPONSE {v6} NXDOMAIN ;nobody.tm.example. IN AAAA"),
        format!("AUTH_QUERY {tcp} NOERROR ;seen.tm.example. IN A"),
        format!("AUTH_RESPONSE {tcp} NOERROR ;seen.tm.example. IN A seen.tm.example. 30 IN A 192.0.2.1"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_collector_that_goes_and_comes_is_found_again() {
    let lab = Lab::new().unwrap();
    let mut daemon = start(&lab, &node("mode = \"off\"\n", TAP));
    wait_until_lost(&mut daemon);
    // What is told meanwhile waits.
    lab.dig(&["@10.53.0.1", "one.tm.example"]).unwrap();
    let first = collect(&daemon);
    wait_until_taken(&mut daemon);
    assert_eq!(counts(&lab, 2.0), (2.0, 0.0));
    let told = first.end().unwrap();
    wait_until_lost(&mut daemon);
    assert_eq!(asked(&told), ["AUTH_QUERY one", "AUTH_RESPONSE one"]);
    lab.dig(&["@10.53.0.1", "two.tm.example"]).unwrap();
    let second = collect(&daemon);
    wait_until_taken(&mut daemon);
    lab.dig(&["@10.53.0.1", "three.tm.example"]).unwrap();
    assert_eq!(counts(&lab, 6.0), (6.0, 0.0));
    let expected =
        ["AUTH_QUERY two", "AUTH_RESPONSE two", "AUTH_QUERY three", "AUTH_RESPONSE three"].map(str::to_owned);
    assert_eq!(asked(&second.end().unwrap()), expected);
}

#[test]
fn a_collector_comes_and_goes_with_the_configuration() {
    let lab = Lab::new().unwrap();
    let mut daemon = start(&lab, &node("mode = \"off\"\n", ""));
    let collector = collect(&daemon);
    lab.dig(&["@10.53.0.1", "before.tm.example"]).unwrap();
    daemon.write("tm.toml", &node("mode = \"off\"\n", TAP)).unwrap();
    wait_until_taken(&mut daemon);
    lab.dig(&["@10.53.0.1", "while.tm.example"]).unwrap();
    assert_eq!(counts(&lab, 2.0), (2.0, 0.0));
    daemon.write("tm.toml", &node("mode = \"off\"\n", "")).unwrap();
    daemon.wait_for("the end", |line| line.contains("the dnstap collector is told no more"));
    lab.dig(&["@10.53.0.1", "after.tm.example"]).unwrap();
    assert_eq!(counts(&lab, 2.0), (2.0, 0.0));
    assert_eq!(asked(&collector.end().unwrap()), ["AUTH_QUERY while", "AUTH_RESPONSE while"]);
}

#[test]
fn of_what_xdp_answers_its_samples_are_told() {
    let (lab, began) = (Lab::new().unwrap(), SystemTime::now());
    let mut daemon = start(&lab, &node("", &format!("{TAP}[samples]\none_in = 1\n")));
    wait_until_lost(&mut daemon);
    let collector = collect(&daemon);
    wait_until_taken(&mut daemon);
    for name in ["web", "seen", "nobody", "web", "seen"] {
        lab.dig(&["@10.53.0.1", "-b", "10.53.0.2#5301", "+nocookie", &format!("{name}.tm.example")]).unwrap();
    }
    lab.dig(&["@fd53::1", "-b", "fd53::2#5302", "+nocookie", "seen.tm.example"]).unwrap();
    // What goes up to the sockets is told of by them.
    lab.dig(&["@10.53.0.1", "-b", "10.53.0.2#5303", "+nocookie", "web.tm.example", "+tcp"]).unwrap();
    assert_eq!(counts(&lab, 5.0), (5.0, 0.0));
    let mut told: Vec<String> = collector.end().unwrap().iter().map(|told| shown(told, began)).collect();
    told.sort();
    let tcp = "INET TCP 10.53.0.2 5303 10.53.0.1 53 NOERROR ;web.tm.example. IN A";
    let seen = "53 NOERROR ;seen.tm.example. IN A seen.tm.example. 30 IN A 192.0.2.1";
    let v4 = format!("AUTH_RESPONSE INET UDP 10.53.0.2 5301 10.53.0.1 {seen}");
    let expected = [
        format!("AUTH_QUERY {tcp}"),
        format!("AUTH_RESPONSE {tcp} web.tm.example. 30 IN A 192.0.2.10"),
        v4.clone(),
        v4,
        format!("AUTH_RESPONSE INET6 UDP fd53::2 5302 fd53::1 {seen}"),
    ];
    assert_eq!(told, expected);
    let answered = daemon.status(&lab).unwrap();
    assert_eq!((answered.packets("answered"), answered.packets("no_such_name")), (5, 1));
}
