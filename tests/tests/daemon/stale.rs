//! Answers that rest on endpoints which were found down, and say so to who understands it (RFC 8914).

use hickory_proto::{op::Message, rr::rdata::opt::EdnsOption};
use tm_tests::{
    dig::answers,
    endpoint::FakeEndpoint,
    frame::Frame,
    lab::Lab,
    query::{Edns, Query, qtype},
    raw::RawSocket,
    reply::check_reply,
    texts::Profile,
};

use crate::{NODE, serve, wire::is_from_port_53};

const STALE: (u16, [u8; 2]) = (15, [0, 3]);
const COOKIE: (u16, &[u8]) = (10, &[1, 2, 3, 4, 5, 6, 7, 8]);
const SUBNET: (u16, &[u8]) = (8, &[0, 1, 20, 0, 203, 0, 112]);

/// The reply to a frame, which the program gave; every length and sum in it is right.
fn ask(raw: &mut RawSocket, frame: &Frame) -> Message {
    raw.send(&frame.build()).unwrap();
    check_reply(&raw.receive(is_from_port_53).unwrap()).unwrap().message
}

/// Numbers of the options of a reply's OPT, and whether one says that it is stale.
fn options(reply: &Message) -> (Vec<u16>, bool) {
    let options = reply.edns.as_ref().unwrap().options().as_ref();
    let is_stale = |option: &EdnsOption| match option {
        EdnsOption::Unknown(code, data) => (*code, &data[..]) == (STALE.0, &STALE.1[..]),
        _ => false,
    };
    (options.iter().map(|(code, _)| u16::from(*code)).collect(), options.iter().any(|(_, o)| is_stale(o)))
}

fn query(asked: &[(u16, &[u8])]) -> Vec<u8> {
    let options = asked.iter().map(|(code, data)| (*code, data.to_vec())).collect();
    Query { edns: Some(Edns { options, ..Edns::default() }), ..Query::new("contoso.tm.example", qtype::A) }
        .build()
}

#[test]
fn rfc_8914_an_answer_while_all_are_down_says_that_it_is_stale() {
    let lab = Lab::new().unwrap();
    let both = [("virginia", 11, ""), ("amsterdam", 12, "")];
    let profile = Profile { method: "priority", endpoints: &both, ..Profile::default() }.to_string();
    let mut daemon = serve(&lab, "[edns]\nstale_answers = true\n", &profile);
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded"]);
    let mut raw = lab.raw().unwrap();
    let before = daemon.status(&lab).unwrap();
    for frame in [Frame::v4, Frame::v6] {
        for (asked, told) in [
            (&[][..], &[15][..]),
            (&[COOKIE], &[10, 15]),
            (&[SUBNET], &[15, 8]),
            (&[COOKIE, SUBNET], &[10, 15, 8]),
            (&[(65_001, &[])], &[15]),
        ] {
            let reply = ask(&mut raw, &frame(query(asked)));
            assert_eq!(options(&reply), (told.to_vec(), true), "{asked:?}");
            assert_eq!(answers(&reply), ["contoso.tm.example. 30 IN A 10.53.0.11"]);
        }
        // Without an OPT there is nowhere to say it.
        let reply = ask(&mut raw, &frame(Query::new("contoso.tm.example", qtype::A).build()));
        assert_eq!((reply.edns.is_none(), reply.answers.len()), (true, 1));
    }
    let after = daemon.status(&lab).unwrap();
    let answered = |status: &tm_tests::status::Status| status.0["packets"]["answered"].as_u64().unwrap_or(0);
    assert_eq!(answered(&after) - answered(&before), 12, "by the program");
    let said = lab.client("dig").args(["@10.53.0.1", "contoso.tm.example", "+tcp"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("; EDE: 3 (Stale Answer)"), "{said}");

    let up = FakeEndpoint::on_client(&lab, [10, 53, 0, 12].into()).unwrap();
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Online"]);
    daemon.wait_until(&lab, "its answer", |_| {
        lab.answers(&["@10.53.0.1", "contoso.tm.example", "+short"]).unwrap() == "10.53.0.12"
    });
    // The old one has seen the replies to dig.
    let mut raw = lab.raw().unwrap();
    assert_eq!(options(&ask(&mut raw, &Frame::v4(query(&[])))), (vec![], false));
    drop(up);
    daemon.wait_for_endpoints(&lab, "contoso", &["Degraded", "Degraded"]);
    daemon.write("tm.toml", NODE).unwrap();
    daemon.wait_for("the setting to be off", |line| line.contains("configuration published"));
    assert_eq!(options(&ask(&mut raw, &Frame::v4(query(&[])))), (vec![], false));
}
