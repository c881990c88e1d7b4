//! Targets that are names: found, found again, guarded, and each of their addresses tried.

use std::{net::IpAddr, sync::atomic::Ordering};

use hickory_proto::{
    op::{Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use hickory_resolver::{
    Hosts,
    config::{ResolverConfig, ResolverOpts},
    lookup::Lookup,
};

use super::servers::{Answer, Server, bad, closed, good, impatient, name_server, patient, probe, prober};
use crate::{
    desired::Protocol,
    health::{Prober, resolve::Names, tls::Tls},
    names::DnsName,
};

const ANY_LOCAL: &[(&str, u8)] = &[("127.0.0.0", 8), ("::1", 128)];

fn asking(names: Names) -> Prober {
    prober(ANY_LOCAL, names, Tls::from_system().unwrap())
}

#[tokio::test]
async fn the_name_is_the_host_unless_a_header_says_otherwise() {
    let (names, _) = name_server(|_, _, _| Answer::Addresses(60, vec!["127.0.0.1"])).await;
    let prober = asking(names);
    let (server, mut heads) = Server::http("127.0.0.1:0", "HTTP/1.1 200 OK\r\n\r\n").await;
    let port = server.address.port();
    let mut monitor = patient(Protocol::Http, port);
    assert_eq!(probe(&prober, "www.example.com", &monitor).await, good("200 OK"));
    assert!(heads.recv().await.unwrap().contains(&format!("host: www.example.com:{port}\r\n")));
    monitor.headers = vec![("Host".to_owned(), "other.example".to_owned())];
    assert_eq!(probe(&prober, "www.example.com", &monitor).await, good("200 OK"));
    assert!(heads.recv().await.unwrap().contains("host: other.example\r\n"));
}

#[tokio::test]
async fn names_that_do_not_resolve_are_failures() {
    let (names, _) = name_server(|name, family, _| match (name, family) {
        ("nowhere.example.", _) => Answer::Code(ResponseCode::NXDomain),
        ("broken.example.", _) => Answer::Code(ResponseCode::ServFail),
        ("empty.example.", _) => Answer::Addresses(60, Vec::new()),
        ("half.example.", RecordType::AAAA) => Answer::Code(ResponseCode::ServFail),
        ("half.example.", _) => Answer::Addresses(60, Vec::new()),
        _ => Answer::Silence,
    })
    .await;
    let prober = asking(names);
    for (name, reason) in [
        ("nowhere.example", "does not resolve: NXDOMAIN"),
        ("broken.example", "does not resolve: SERVFAIL"),
        ("empty.example", "does not resolve: no addresses"),
        ("half.example", "does not resolve: SERVFAIL"),
    ] {
        let monitor = patient(Protocol::Tcp, 80);
        assert_eq!(probe(&prober, name, &monitor).await, bad(&format!("{name} {reason}")));
    }
    assert_eq!(
        probe(&prober, "silent.example", &impatient(Protocol::Tcp, 80)).await,
        bad("silent.example does not resolve within 200ms")
    );
}

#[tokio::test]
async fn answers_are_kept_for_their_ttl() {
    let (names, queries) = name_server(|name, _, nth| match (name, nth) {
        ("kept.example.", 0) => Answer::Addresses(3600, vec!["127.0.0.1", "::1"]),
        ("brief.example.", 0) => Answer::Addresses(0, vec!["127.0.0.1", "::1"]),
        _ => Answer::Addresses(0, vec!["127.0.0.2", "::2"]),
    })
    .await;
    let lookup = async |name: &str| {
        let name: DnsName = name.parse().unwrap();
        names.addresses(&name).await.unwrap()
    };
    let addresses = |texts: [&str; 2]| texts.map(|text| text.parse::<IpAddr>().unwrap()).to_vec();
    for _ in 0..2 {
        assert_eq!(lookup("kept.example").await, addresses(["127.0.0.1", "::1"]));
    }
    assert_eq!(queries.load(Ordering::SeqCst), 2);
    assert_eq!(lookup("brief.example").await, addresses(["127.0.0.1", "::1"]));
    assert_eq!(lookup("brief.example").await, addresses(["127.0.0.2", "::2"]));
    assert_eq!(queries.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn an_address_that_a_name_turns_to_is_guarded_too() {
    let (names, _) = name_server(|_, _, nth| match nth {
        0 => Answer::Addresses(0, vec!["127.0.0.1"]),
        _ => Answer::Addresses(0, vec!["127.0.0.2"]),
    })
    .await;
    let prober = prober(&[("127.0.0.1", 32)], names, Tls::from_system().unwrap());
    let server = Server::start("127.0.0.1:0", |_| async {}).await;
    let port = server.address.port();
    let decoy = Server::start(&format!("127.0.0.2:{port}"), |_| async {}).await;
    let monitor = patient(Protocol::Tcp, port);
    assert_eq!(probe(&prober, "turncoat.example", &monitor).await, good("connected"));
    assert_eq!(
        probe(&prober, "turncoat.example", &monitor).await,
        bad("127.0.0.2 may not be probed: loopback (list it in [probes] allow)")
    );
    assert_eq!(decoy.connections(), 0);
}

#[tokio::test]
async fn one_good_address_of_several_is_enough() {
    let (names, _) = name_server(|name, _, _| match name {
        "refused.example." => Answer::Addresses(60, vec!["127.0.0.2", "127.0.0.3", "127.0.0.1"]),
        "refusing.example." => Answer::Addresses(60, vec!["127.0.0.2", "127.0.0.3", "::ffff:127.0.0.2"]),
        "mixed.example." => Answer::Addresses(60, vec!["169.254.0.1", "127.0.0.1", "::1"]),
        "silent.example." => Answer::Addresses(60, vec!["127.0.0.4", "127.0.0.1"]),
        _ => Answer::Addresses(60, vec!["127.0.0.2", "127.0.0.5"]),
    })
    .await;
    let prober = asking(names);
    let (server, _heads) = Server::http("127.0.0.1:0", "HTTP/1.1 200 OK\r\n\r\n").await;
    let port = server.address.port();
    let _silent = Server::start(&format!("127.0.0.4:{port}"), |mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let (_busy, _heads) = Server::http(&format!("127.0.0.5:{port}"), "HTTP/1.1 503 Busy\r\n\r\n").await;
    let monitor = patient(Protocol::Http, port);
    for name in ["refused.example", "mixed.example", "silent.example"] {
        assert_eq!(probe(&prober, name, &monitor).await, good("200 OK"), "{name}");
    }
    assert_eq!(
        probe(&prober, "refusing.example", &monitor).await,
        bad("connection refused at each of 2 addresses")
    );
    assert_eq!(
        probe(&prober, "different.example", &monitor).await,
        bad("127.0.0.2: connection refused; 127.0.0.5: 503 Service Unavailable, expected 200")
    );
}

#[tokio::test]
async fn a_family_that_stays_silent_does_not_hold_up_the_other() {
    let (names, _) = name_server(|name, family, _| match (name, family) {
        ("v4.example.", RecordType::A) => Answer::Addresses(60, vec!["127.0.0.1"]),
        ("v6.example.", RecordType::AAAA) => Answer::Addresses(60, vec!["::1"]),
        _ => Answer::Silence,
    })
    .await;
    let v4: DnsName = "v4.example".parse().unwrap();
    let v6: DnsName = "v6.example".parse().unwrap();
    assert_eq!(names.addresses(&v4).await, Ok(vec!["127.0.0.1".parse().unwrap()]));
    assert_eq!(names.addresses(&v6).await, Ok(vec!["::1".parse().unwrap()]));
}

#[tokio::test]
async fn the_hosts_file_overrules_the_name_servers() {
    let name: Name = "fixed.example.".parse().unwrap();
    let query = Query::query(name.clone(), RecordType::A);
    let mut hosts = Hosts::default();
    let address = RData::from("192.0.2.1".parse::<IpAddr>().unwrap());
    hosts.insert(name, RecordType::A, Lookup::from_rdata(query, address));
    let settings = (ResolverConfig::from_parts(None, Vec::new(), Vec::new()), ResolverOpts::default());
    let names = Names::new(hosts, Ok(settings));
    let fixed: DnsName = "fixed.example".parse().unwrap();
    assert_eq!(names.addresses(&fixed).await, Ok(vec!["192.0.2.1".parse().unwrap()]));
    let other: DnsName = "other.example".parse().unwrap();
    assert_eq!(
        names.addresses(&other).await,
        Err("other.example does not resolve: the name servers cannot be reached".to_owned())
    );
}

#[tokio::test]
async fn without_name_servers_only_names_fail() {
    let prober = asking(Names::from_files("/nowhere/hosts".into(), "/nowhere/resolv.conf".into()));
    let port = closed("127.0.0.1:0").await.port();
    let monitor = patient(Protocol::Tcp, port);
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad("connection refused"));
    assert_eq!(
        probe(&prober, "www.example.com", &monitor).await,
        bad(
            "www.example.com does not resolve: /nowhere/resolv.conf: io error: No such file or directory (os error 2)"
        )
    );
}
