//! The engine on the host: whom it answers.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use tm_common::{
    answer::answer,
    name::SHORT,
    packet::Buffer,
    verdict::{Reason, Verdict},
};
use tm_tests::{
    classes::image,
    frame::Frame,
    query::{Query, qtype},
    reply::check_reply,
};

/// Both stand in the tables of addresses, one as an IPv4 address and one as an empty place; neither is anybody's over IPv6.
#[test]
fn mapped_and_unspecified_targets_are_not_served() {
    for target in ["::ffff:10.53.0.1", "::"] {
        let mut frame = Frame::v6(Query::new("www8.tm.example", qtype::A).build());
        let image = image(16);
        let ask = |frame: &Frame| {
            let mut octets = frame.build();
            let size = octets.len();
            octets.resize(1500, 0);
            Reason::of(answer::<SHORT, true>(&mut Buffer::new(&mut octets, size), &image))
        };
        assert_eq!(ask(&frame), Reason::Answered);
        frame.destination.set_ip(target.parse().unwrap());
        assert_eq!(ask(&frame), Reason::NotServed, "{target}");
    }
}

proptest! {
    #[test]
    fn only_names_of_profiles_are_answered(label in "[a-z0-9]{1,20}", v6: bool, edns: bool) {
        let image = image(16);
        let name = format!("{label}.tm.example");
        let query = if edns { Query::with_edns(&name, qtype::A) } else { Query::new(&name, qtype::A) };
        let frame = if v6 { Frame::v6(query.build()) } else { Frame::v4(query.build()) }.build();
        let mut octets = frame.clone();
        octets.resize(1500, 0);
        let mut packet = Buffer::new(&mut octets, frame.len());
        let reason = Reason::of(answer::<SHORT, true>(&mut packet, &image));
        let is_profile = image.has(&name.parse().unwrap());
        prop_assert_eq!(reason.verdict() == Verdict::Reply, is_profile);
        if is_profile {
            prop_assert!(check_reply(packet.contents()).is_ok());
        }
    }
}
