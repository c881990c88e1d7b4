//! Interfaces that are not there yet, go, and come back: the others are served all the while.

use hickory_proto::op::Message;
use tm_tests::{
    client::Stream,
    daemon::Daemon,
    dig::answers,
    frame::Frame,
    lab::{Lab, SERVER_MAC, SERVER_V4},
    namespace::run,
    query::{Query, qtype},
    status::Status,
};

use crate::{NODE, profile, serve, wait_until_ready};

/// Not the server's card.
const OTHER_MAC: [u8; 6] = [2, 0x53, 0, 0, 9, 9];

/// The answer at cable `number`, over IPv4, IPv6 and TCP.
fn expect_answers(lab: &Lab, number: u8) {
    let (v4, v6) = (format!("@10.53.{number}.1"), format!("@fd53:0:0:{number}::1"));
    for words in [[&v4[..], "+notcp"], [&v6, "+notcp"], [&v4, "+tcp"]] {
        let answer = lab.answers(&[&words[..], &["web.tm.example", "+short"]].concat()).unwrap();
        assert_eq!(answer, "192.0.2.10", "{words:?}");
    }
}

#[test]
fn one_that_goes_and_comes_back_is_served_again_and_the_other_all_along() {
    let mut lab = Lab::new().unwrap();
    lab.lay_cable(1).unwrap();
    let node = NODE.replace("[\"tm0\"]", "[\"tm0\", \"tm2\"]");
    let mut daemon =
        Daemon::start(&lab, &[("tm.toml", &node), ("conf.d/web.toml", &profile("web", "192.0.2.10"))])
            .unwrap();
    wait_until_ready(&mut daemon);
    expect_answers(&lab, 0);
    expect_answers(&lab, 1);
    let judge = |_: usize, answer: &Message| {
        anyhow::ensure!(answers(answer) == ["web.tm.example. 30 IN A 192.0.2.10"], "{answer}");
        Ok(())
    };
    let web = vec![Query::with_edns("web.tm.example", qtype::A)];
    let stream = Stream::start(&lab, SERVER_V4.into(), web, judge).unwrap();

    lab.pull_cable(1).unwrap();
    let said = daemon.wait_for("its going", |line| line.contains("the interface is gone"));
    assert!(said.contains("waiting for it to come back") && said.contains("\"tm2\""), "{said}");
    let status = daemon.wait_until(&lab, "its addresses to go", |status| {
        status.0["addresses"].as_array().unwrap().len() == 2
    });
    assert_eq!((status.xdp("tm0"), status.xdp("tm2")), (Some("native"), None));

    lab.lay_cable(1).unwrap();
    daemon.wait_for("its return", |line| line.contains("XDP attached") && line.contains("\"tm2\""));
    daemon.wait_for("its sockets", |line| {
        line.contains("\"answering\"") && line.contains("10.53.1.1:53") && line.contains("TCP")
    });
    expect_answers(&lab, 1);
    let before = daemon.status(&lab).unwrap();
    assert_eq!((before.xdp("tm0"), before.xdp("tm2")), (Some("native"), Some("native")));

    // Made anew in one go, it is another one of the same name.
    lab.pull_cable(1).unwrap();
    lab.lay_cable(1).unwrap();
    daemon.wait_for("its return", |line| line.contains("XDP attached") && line.contains("\"tm2\""));
    expect_answers(&lab, 1);
    stream.stop().unwrap();
    expect_answers(&lab, 0);
}

#[test]
fn one_that_is_not_there_is_waited_for() {
    let mut lab = Lab::new().unwrap();
    lab.pull_cable(0).unwrap();
    let mut daemon =
        Daemon::start(&lab, &[("tm.toml", NODE), ("conf.d/web.toml", &profile("web", "192.0.2.10"))])
            .unwrap();
    let said = daemon.wait_for("what is missing", |line| line.contains("there is no such interface"));
    assert!(said.contains("\"tm0\"") && said.contains("waiting for it"), "{said}");
    wait_until_ready(&mut daemon);
    assert_eq!(daemon.status(&lab).unwrap().xdp("tm0"), None);
    lab.lay_cable(0).unwrap();
    daemon.wait_for("it to be served", |line| line.contains("XDP attached"));
    daemon.wait_for("its sockets", |line| line.contains("10.53.0.1:53") && line.contains("TCP"));
    expect_answers(&lab, 0);
    // Since its card is known, what is for another one is none of ours.
    let in_place = |line: &str| line.contains("the new tables are in place");
    if daemon.log().iter().filter(|line| in_place(line)).count() < 2 {
        daemon.wait_for("programs for this card", in_place);
    }
    assert_eq!(counted(&lab, &daemon, OTHER_MAC), (0, 1));
    assert_eq!(counted(&lab, &daemon, SERVER_MAC), (1, 0));
}

/// What XDP counts of a query that is sent to this card: answered, and left alone for its card.
fn counted(lab: &Lab, daemon: &Daemon, card: [u8; 6]) -> (u64, u64) {
    let query = Query::with_edns("web.tm.example", qtype::A).build();
    let count = |status: &Status| (status.packets("answered"), status.packets("source"));
    let before = count(&daemon.status(lab).unwrap());
    lab.raw().unwrap().send(&Frame { destination_mac: card, ..Frame::v4(query) }.build()).unwrap();
    let after = count(&daemon.wait_until(lab, "the frame", |status| count(status) != before));
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn a_card_that_changes_its_address_is_answered_at_the_new_one_alone() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    for (now, before) in [(OTHER_MAC, SERVER_MAC), (SERVER_MAC, OTHER_MAC)] {
        let text = now.map(|octet| format!("{octet:02x}")).join(":");
        run(lab.server("ip").args(["link", "set", "tm0", "address", &text])).unwrap();
        daemon.wait_for("programs for it", |line| line.contains("the new tables are in place"));
        assert_eq!(counted(&lab, &daemon, now), (1, 0), "{text}");
        assert_eq!(counted(&lab, &daemon, before), (0, 1), "{text}");
    }
}

#[test]
fn one_that_is_no_longer_listed_is_let_go() {
    let mut lab = Lab::new().unwrap();
    lab.lay_cable(1).unwrap();
    let node = |list: &str| NODE.replace("[\"tm0\"]", list);
    let mut daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    for (list, own) in [("[\"tm0\", \"tm2\"]", [Some("native"); 2]), ("[\"tm2\"]", [None, Some("native")])] {
        daemon.write("tm.toml", &node(list)).unwrap();
        daemon.wait_for(list, |line| line.contains("configuration published"));
        let links = ["tm0", "tm2"].map(|name| {
            let shown = lab.server("ip").args(["-details", "link", "show", name]).output().unwrap();
            String::from_utf8_lossy(&shown.stdout).contains("prog/xdp").then_some("native")
        });
        assert_eq!(links, own, "{list}");
    }
    expect_answers(&lab, 1);
}
