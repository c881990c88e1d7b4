//! The engine on the host: whom it answers.

use std::sync::LazyLock;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use tm_common::{
    answer::answer,
    encloser,
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
use tm_userspace::sync::Image;

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

/// Whether the name in a query may have an encloser, with these options, each with its code and data.
fn may_be(name: &str, v6: bool, edns: bool, options: &[(u16, Vec<u8>)]) -> bool {
    static IMAGE: LazyLock<Image> = LazyLock::new(|| image(16));
    let mut query = if edns { Query::with_edns(name, qtype::A) } else { Query::new(name, qtype::A) };
    if let Some(edns) = &mut query.edns {
        edns.options = options.to_vec();
    }
    let mut octets = if v6 { Frame::v6(query.build()) } else { Frame::v4(query.build()) }.build();
    let size = octets.len();
    encloser::may_be(&Buffer::new(&mut octets, size), &*IMAGE)
}

proptest! {
    /// What stands before the names in the tables may be anything; so may letter case, and what follows the question.
    #[test]
    fn below_a_name_of_ours_there_may_be_an_encloser(
        labels in proptest::collection::vec("[a-zA-Z0-9]{1,9}", 0..5),
        apex in "[tT][mM]\\.[eE][xX][aA][mM][pP][lL][eE]",
        v6: bool,
        edns: bool,
        options in proptest::collection::vec((0u16..20, proptest::collection::vec(0u8.., 0..12)), 0..3),
    ) {
        let name = labels.iter().map(|label| format!("{label}.")).collect::<String>() + &apex;
        prop_assert!(may_be(&name, v6, edns, &options));
    }

    #[test]
    fn where_no_name_ends_as_ours_there_is_none(
        labels in proptest::collection::vec("[a-zA-Z0-9]{1,9}", 0..5),
        v6: bool,
        edns: bool,
    ) {
        let name = labels.iter().map(|label| format!("{label}.")).collect::<String>();
        for foreign in ["tm.exampla", "tm.examples", "tm.xmple", "xm.example.org"] {
            prop_assert!(!may_be(&(name.clone() + foreign), v6, edns, &[]), "{foreign}");
        }
        // Behind options the name is not looked for.
        prop_assert!(may_be(&(name + "tm.exampla"), v6, true, &[(10, vec![7; 8])]));
    }

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
