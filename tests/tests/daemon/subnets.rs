//! Clients told apart by their address, as they see it: by where they ask from, and by what their resolver says of them.

use std::net::IpAddr;

use anyhow::ensure;
use hickory_proto::op::Message;
use tm_tests::{
    client::Stream,
    dig::answers,
    lab::{Lab, SERVER_V4, SERVER_V6},
    query::{Edns, Query, qtype},
};

use crate::serve;

/// `near`: 203.0.113.0/24 and `more` get the first address, who asks from the lab's network the second, others the third; `turn` changes all.
fn near(more: &str, turn: u8) -> String {
    let endpoint = |name: &str, last: u8, subnets: &str| {
        format!(
            "[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"192.0.2.{}\"\nalways_serve = true\n{subnets}\n",
            last + 10 * turn
        )
    };
    "[[profile]]\nname = \"near\"\nrouting_method = \"subnet\"\n".to_owned()
        + &endpoint("far", 1, &format!("subnets = [\"203.0.113.0/24\"{more}]"))
        + &endpoint("lab", 2, "subnets = [\"10.53.0.0/24\", \"fd53::/64\"]")
        + &endpoint("rest", 3, "")
}

#[test]
fn clients_are_answered_by_where_they_are() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "", &near("", 0));
    let ask = |server: &str, more: &[&str]| {
        lab.answers(&[&[server, "near.tm.example", "+short"], more].concat()).unwrap()
    };
    assert_eq!(ask("@10.53.0.1", &[]), "192.0.2.2");
    assert_eq!(ask("@fd53::1", &[]), "192.0.2.2");
    for how in [&["+notcp"][..], &["+tcp"]] {
        let with = |subnet: &'static str| ask("@10.53.0.1", &[how, &[subnet]].concat());
        assert_eq!(with("+subnet=203.0.113.7/32"), "192.0.2.1");
        assert_eq!(with("+subnet=198.51.100.0/24"), "192.0.2.3");
        assert_eq!(with("+subnet=0.0.0.0/0"), "192.0.2.2");
        assert_eq!(with("+subnet=2001:db8::/56"), "192.0.2.3");
        assert_eq!(with("+subnet=2002:cb00:7107::/48"), "192.0.2.1");
    }
    let said = lab.dig(&["@10.53.0.1", "near.tm.example", "+subnet=203.0.113.7/32"]).unwrap();
    assert!(said.contains("CLIENT-SUBNET: 203.0.113.7/32/24"), "{said}");
}

#[test]
fn ranges_that_change_under_queries_give_no_wrong_answer() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &near("", 0));
    // 203.0.113.7 is far in every state, 198.51.100.7 is far in every second one and else the rest's.
    let query = |address: [u8; 3]| {
        let option = [&[0, 1, 24, 0], &address[..]].concat();
        let edns = Edns { options: vec![(8, option)], ..Edns::default() };
        Query { edns: Some(edns), ..Query::new("near.tm.example", qtype::A) }
    };
    let queries =
        || vec![query([203, 0, 113]), query([198, 51, 100]), Query::with_edns("near.tm.example", qtype::A)];
    let streams = [SERVER_V4.into(), SERVER_V6.into()].map(|server: IpAddr| {
        let judge = |place: usize, answer: &Message| {
            let wanted: &[u8] = [&[1, 11][..], &[3, 11], &[2, 12]][place];
            let line = |last: &u8| vec![format!("near.tm.example. 30 IN A 192.0.2.{last}")];
            ensure!(wanted.iter().any(|last| line(last) == answers(answer)), "{place}: {answer}");
            Ok(())
        };
        Stream::start(&lab, server, queries(), judge).unwrap()
    });
    for turn in [1, 0, 1, 0, 1, 0] {
        let more = if turn == 1 { ", \"198.51.100.0/24\"" } else { "" };
        daemon.write("conf.d/profiles.toml", &near(more, turn)).unwrap();
        daemon.wait_for("the new state", |line| line.contains("configuration published"));
    }
    for stream in streams {
        assert!(stream.stop().unwrap() > 0);
    }
}
