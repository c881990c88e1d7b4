//! The engine on the host: whom it answers, and by which programs.

use std::{collections::BTreeMap, sync::LazyLock};

use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use tm_common::{
    encloser,
    name::{SHORT, last_eight},
    packet::Buffer,
    programs::{BELOW, BELOW_FULL, COOKIE, FIND, FIND_LONG, FULL, FULL_LONG, NAMES, OPTIONS},
    tables::{Answer, AnswerIndex, Block, Class, Entry, Meta, SMALL},
    verdict::Reason,
};
use tm_tests::{
    classes::image,
    frame::Frame,
    golden,
    host::{answer_frame, run_programs},
    lab::SERVER_V4,
    property::WORLD,
    query::{Query, qtype},
    reply::check_reply,
    texts::NODE,
    world::{self, desired_of},
};
use tm_userspace::{
    compile::{Choices, Compiled, Records},
    desired::EndpointKey,
    health::Health,
    sync::Image,
};

static IMAGE: LazyLock<Image> = LazyLock::new(|| image(16));

/// Both stand in the tables of addresses, one as an IPv4 address and one as an empty place; neither is anybody's over IPv6.
#[test]
fn mapped_and_unspecified_targets_are_not_served() {
    for target in ["::ffff:10.53.0.1", "::"] {
        let mut frame = Frame::v6(Query::new("www8.tm.example", qtype::A).build());
        let ask = |frame: &Frame| answer_frame(&frame.build(), &IMAGE).0;
        assert_eq!(ask(&frame), Reason::Answered);
        frame.destination.set_ip(target.parse().unwrap());
        assert_eq!(ask(&frame), Reason::NotServed, "{target}");
    }
}

/// Whether the name in a query may have an encloser, with these options, each with its code and data.
fn may_be(name: &str, v6: bool, edns: bool, options: &[(u16, Vec<u8>)]) -> bool {
    let mut query = if edns { Query::with_edns(name, qtype::A) } else { Query::new(name, qtype::A) };
    if let Some(edns) = &mut query.edns {
        edns.options = options.to_vec();
    }
    let mut octets = if v6 { Frame::v6(query.build()) } else { Frame::v4(query.build()) }.build();
    let size = octets.len();
    encloser::may_be(&Buffer::new(&mut octets, size), &IMAGE.reader())
}

/// By which programs each kind of question is answered or refused: a golden case's words, and the numbers of the programs behind the first one.
#[test]
fn a_question_goes_through_the_programs_that_it_needs() {
    let cases: [(&str, &[u32], Reason); 21] = [
        ("web.tm.example A +edns", &[], Reason::Answered),
        ("web.tm.example AAAA +v6", &[], Reason::Answered),
        ("web.tm.example A +option=12:00", &[OPTIONS, FULL], Reason::Answered),
        ("web.tm.example A +vlan=5", &[FIND, FULL], Reason::Answered),
        ("web.tm.example A +vlan=5 +option=12:00", &[FIND, FULL, OPTIONS, FULL], Reason::Answered),
        ("carrier.tm.example TXT", &[FIND, FULL], Reason::Answered),
        (
            "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh.tm.example A",
            &[FIND_LONG, FULL_LONG],
            Reason::Answered,
        ),
        (
            "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh.tm.example A +option=12:00",
            &[FIND_LONG, FULL_LONG, OPTIONS, FULL_LONG],
            Reason::Answered,
        ),
        ("nobody.tm.example A +edns", &[BELOW], Reason::Answered),
        ("nobody.tm.example A +vlan=5", &[FIND, BELOW, BELOW_FULL], Reason::Answered),
        ("nobody.tm.example A +option=12:00", &[BELOW, OPTIONS, BELOW_FULL], Reason::Answered),
        ("x.records.tm.example TXT", &[BELOW, BELOW_FULL], Reason::Answered),
        (
            "x.gggggggggggggggggggggggggggggggggggggggggggggggggg.tm.example A",
            &[FIND_LONG, BELOW, BELOW_FULL],
            Reason::Answered,
        ),
        ("web.tm.example A +option=10:0102030405060708", &[COOKIE, FULL, OPTIONS, FULL], Reason::Answered),
        ("web.tm.example A +option=3:", &[OPTIONS], Reason::Edns),
        ("nobody.tm.example A +option=3:", &[BELOW, OPTIONS], Reason::Edns),
        ("www.contoso.test A", &[], Reason::UnknownName),
        ("www.contoso.test A +option=12:00", &[BELOW], Reason::UnknownName),
        ("www.contoso.test A +vlan=5", &[FIND], Reason::UnknownName),
        ("web.tm.example A +vlan=6", &[FIND], Reason::Vlan),
        ("web.tm.example A +dport=54", &[], Reason::NotDns),
    ];
    for (words, programs, reason) in cases {
        let (frame, _) = golden::frame(words).unwrap();
        let outcome = run_programs(&frame.build(), &WORLD.image, 2048);
        let names: Vec<_> = programs.iter().map(|program| NAMES[*program as usize]).collect();
        assert_eq!((outcome.programs, outcome.reason), (names, reason), "{words}");
    }
}

/// Where the tables have a secret for cookies, one program more is all that one alone takes.
#[test]
fn a_cookie_alone_takes_one_program_more() {
    for (words, programs) in [
        ("www8.tm.example A +option=10:0102030405060708", vec!["tm_cookie"]),
        (
            "nobody.tm.example A +option=10:0102030405060708",
            vec!["tm_below", "tm_below_full", "tm_options", "tm_below_full"],
        ),
    ] {
        let (frame, _) = golden::frame(words).unwrap();
        let outcome = run_programs(&frame.build(), &IMAGE, 2048);
        assert_eq!((outcome.programs, outcome.reason), (programs, Reason::Answered), "{words}");
    }
}

/// Sixteen octets of records and no OPT: with one octet less the frame is as it came.
#[test]
fn without_room_for_all_of_a_reply_nothing_is_written() {
    let (frame, _) = golden::frame("web.tm.example A").unwrap();
    let frame = frame.build();
    let without = run_programs(&frame, &WORLD.image, 15);
    assert_eq!((without.reason, &without.octets), (Reason::NoRoom, &frame));
    let with = run_programs(&frame, &WORLD.image, 16);
    assert_eq!((with.reason, with.octets.len()), (Reason::Answered, frame.len() + 16));
}

/// Where clients stick to an endpoint, those of one /24 or one /56 have one, whoever asks for them; and a resolver is told that length.
#[test]
fn clients_of_one_prefix_have_one_endpoint_and_resolvers_are_told_how_long_it_is() {
    let profile = "[[profile]]\nname = \"shop\"\nrouting_method = \"weighted\"\nsticky = true\n";
    let endpoint = |name| {
        format!(
            "[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"{name}.contoso.test\"\nalways_serve = true\n"
        )
    };
    let desired = desired_of(
        &NODE.replace("{dir}", "/var/lib/tm"),
        &(profile.to_owned() + &endpoint("one") + &endpoint("two")),
    )
    .unwrap();
    let image = world::image(&desired, &Health::default());
    // The endpoint's name, and the scope.
    let ask = |words: &str| {
        let (frame, _) = golden::frame(&format!("shop.tm.example A {words}")).unwrap();
        let (reason, octets) = answer_frame(&frame.build(), &image);
        assert_eq!(reason, Reason::Answered, "{words}");
        let message = check_reply(&octets).unwrap().message;
        let subnet = message.edns.as_ref().and_then(|edns| edns.option(EdnsCode::Subnet));
        let scope = subnet.map(|option| match option {
            EdnsOption::Subnet(subnet) => subnet.scope_prefix(),
            other => panic!("{other:?}"),
        });
        (message.answers[0].data.to_string(), scope)
    };
    let mut seen = BTreeMap::<_, u32>::new();
    for i in 0..128 {
        let (endpoint, none) = ask(&format!("+from=198.51.{i}.1"));
        assert_eq!((ask(&format!("+from=198.51.{i}.254")), none), ((endpoint.clone(), None), None));
        let told = ask(&format!("+option=8:0001.1800.c633{i:02x}"));
        assert_eq!(told, (endpoint.clone(), Some(24)), "198.51.{i}.0/24");
        *seen.entry(endpoint).or_default() += 1;
        let (endpoint, _) = ask(&format!("+v6 +from=2001:db8:7:{i:x}00::1"));
        assert_eq!(ask(&format!("+v6 +from=2001:db8:7:{i:x}ff::2")).0, endpoint);
        let told = ask(&format!("+option=8:0002.3800.20010db80007{i:02x}"));
        assert_eq!(told, (endpoint.clone(), Some(56)), "2001:db8:7:{i:x}00::/56");
        *seen.entry(endpoint).or_default() += 1;
    }
    // Half of 256 each, with a deviation of eight.
    let counts: Vec<u32> = seen.values().copied().collect();
    assert!(matches!(counts[..], [96..=160, 96..=160]), "{seen:?}");
}

/// Of some answers one in so many is told of: which, and by whose counter.
#[test]
fn an_answer_of_which_some_are_told_of_says_whose_it_is() {
    let key = EndpointKey { profile: "web".into(), endpoint: "only".into() };
    let records = |one_in| Records {
        octets: [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1].into(),
        answers: 1,
        authorities: 0,
        code: 0,
        counts_for: [key.clone()].into(),
        one_in,
        is_stale: false,
        first: None,
    };
    for one_in in [0, 1, 7] {
        let choices = Choices { answers: vec![records(one_in)], slots: vec![0], sticky: false };
        let name = "web.tm.example".parse().unwrap();
        let compiled =
            Compiled { name, view: None, types: vec![], places: vec![vec![choices; 4]], absent: None };
        let mut image = Image::new(1, 7);
        image.apply([(&compiled.name, Some(&compiled))]);
        image.set_addresses(&[tm_userspace::listen::key(&SERVER_V4.into())], &[]);
        let (frame, _) = golden::frame("web.tm.example A").unwrap();
        let outcome = run_programs(&frame.build(), &image, 2048);
        assert_eq!(outcome.reason, Reason::Answered);
        let whose = outcome.sampled.map(|counter| image.counted_for(counter).to_vec());
        assert_eq!(whose, (one_in > 0).then(|| vec![key.clone()]), "one in {one_in}");
    }
}

/// What the tables' elements take, and what they do not: octets of names and of records.
#[test]
fn an_element_takes_what_fits_it() {
    let entry = |octets: usize| Entry::<SHORT>::new(&vec![1; octets], [Block::default(); 4]).is_some();
    assert_eq!([0, 1, 64, 65].map(entry), [false, true, true, false]);
    let answer = |octets: usize| {
        Answer::<SMALL>::new(&vec![1; octets], Meta::default()).map(|answer| answer.meta.tail & 1023)
    };
    assert_eq!([0, 15, 16, 17, 48, 49].map(answer), [None, None, Some(0), Some(1), Some(32), None]);
    let class = |word: u32| AnswerIndex(word).class();
    let classes = [Some(Class::Small), Some(Class::Medium), Some(Class::Large), None];
    assert_eq!([0, 1 << 30, 2 << 30, 3 << 30].map(class), classes);
    assert_eq!(AnswerIndex(1 << 30 | 5).index(), 5);
    let last = |wire: &[u8]| last_eight(wire).map(u64::to_le_bytes);
    assert_eq!([&b""[..], b"\0", b"\x06abcdef\0"].map(last), [None; 3]);
    assert_eq!(last(b"\x07abcdefg\0"), Some(*b"\x07abcdefg"));
    assert_eq!(last(b"\x01x\x07abcdefg\0"), Some(*b"\x07abcdefg"));
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
    fn all_names_but_those_of_profiles_are_said_not_to_exist(label in "[a-z0-9]{1,20}", v6: bool, edns: bool) {
        let name = format!("{label}.tm.example");
        let query = if edns { Query::with_edns(&name, qtype::A) } else { Query::new(&name, qtype::A) };
        let frame = if v6 { Frame::v6(query.build()) } else { Frame::v4(query.build()) }.build();
        let (reason, octets) = answer_frame(&frame, &IMAGE);
        prop_assert_eq!(reason, Reason::Answered);
        let reply = check_reply(&octets).unwrap();
        // NOERROR, or NXDOMAIN.
        let code = if IMAGE.has(&name.parse().unwrap()) { 0 } else { 3 };
        prop_assert_eq!(reply.payload[3] & 15, code);
    }
}
