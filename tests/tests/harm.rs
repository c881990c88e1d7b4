//! Whatever fails while a question is answered, the frame leaves as it came or as a reply that is right.

use std::time::SystemTime;

use tm_common::verdict::{Reason, Verdict};
use tm_tests::{
    classes::{classes, image},
    golden,
    host::{Harm, Instead, answer_frame, run_harmed},
    limits,
    reply::check_reply,
    texts::NODE,
    world::{self, World, desired_of},
};
use tm_userspace::{
    health::{Health, Verdict as Found},
    sync::Image,
};

/// Tables, and frames that ask them: of the golden zone with cookies, of all classes, of the golden zone where everybody has had enough answers, and of answers that are stale.
fn asked() -> Vec<(Image, Vec<Vec<u8>>)> {
    let mut world = World::new().expect("the zone of the tests loads").image;
    world.set_cookies(&[*b"the first secret", *b"the other secret"]);
    let golden = golden::cases().expect("the golden cases are well-formed");
    let golden = golden.iter().filter(|case| !case.over_tcp).map(|case| case.frame.build()).collect();
    let classes = classes(200).iter().map(|class| class.frames[0].clone()).collect();
    let enough = limits::image(1, 1, &[]).expect("the zone of the tests loads");
    enough.set_ticks(1_000_000);
    let ask = |words: &str| golden::frame(words).expect("in order").0.build();
    let each = [
        "",
        "+edns",
        "+option=12:00",
        "+option=10:0102030405060708",
        "+v6",
        "+v6 +edns",
        "+vlan=5",
        "+vlan=5 +edns",
    ];
    let many = each
        .iter()
        .flat_map(|words| ["web", "nobody"].map(|name| ask(&format!("{name}.tm.example A {words}"))));
    let many: Vec<_> = many.collect();
    // The first of each kind is answered.
    many.iter().for_each(|frame| _ = answer_frame(frame, &enough));
    let told =
        ["", "+edns", "+option=8:0001.1800.cb0071", "+option=8:0001.1800.cb0071 +option=10:0102030405060708"];
    let told = told.map(|words| ask(&format!("shop.tm.example A {words}"))).to_vec();
    vec![(world, golden), (image(200), classes), (enough, many), (stale(), told)]
}

/// Answers that rest on an endpoint found down, and say so.
fn stale() -> Image {
    let profile = "[[profile]]\nname = \"shop\"\nrouting_method = \"priority\"\n[[profile.endpoint]]\nname = \"only\"\ntarget = \"192.0.2.1\"\n";
    let node = NODE.replace("{dir}", "/nowhere") + "[edns]\nstale_answers = true\n";
    let desired = desired_of(&node, profile).expect("is right");
    let (key, ..) = desired.endpoints().next().expect("there is one");
    let down = Found { up: false, since: SystemTime::UNIX_EPOCH, recovered: false };
    let health = Health { generation: 1, verdicts: [(key, down)].into_iter().collect(), ..Health::default() };
    let image = world::image(&desired, &health);
    // Before anything fails.
    let (frame, _) = golden::frame("shop.tm.example A +option=8:0001.1800.cb0071").expect("in order");
    let reply = check_reply(&answer_frame(&frame.build(), &image).1).expect("is a reply");
    let options = reply.message.edns.expect("there is an OPT").options().as_ref().to_vec();
    let codes: Vec<u16> = options.iter().map(|(code, _)| (*code).into()).collect();
    assert_eq!(codes, [15, 8]);
    image
}

/// Runs each frame with harm after harm, as long as there is something left that fails.
fn each(harm: impl Fn(usize) -> Harm, check: impl Fn(&[u8], &Image, Harm, Reason, &[u8])) {
    for (image, frames) in asked() {
        for frame in frames {
            for nth in 0.. {
                let harm = harm(nth);
                let Some(outcome) = run_harmed(&frame, &image, harm) else { break };
                check(&frame, &image, harm, outcome.reason, &outcome.octets);
            }
        }
    }
}

#[test]
fn where_tables_are_not_whole_a_frame_is_as_it_came_or_has_a_right_reply() {
    for finds in [Instead::Nothing, Instead::Zeroes, Instead::Ones] {
        for lasting in [false, true] {
            let harm = |nth| Harm::Lookup { nth, finds, lasting };
            each(harm, |frame, _, harm, reason, octets| as_it_came_or_right(frame, harm, reason, octets));
        }
    }
}

/// All reading and refusing happens before the first write, so a frame is half written only where it would have been answered.
#[test]
fn where_an_access_fails_a_frame_is_as_it_came_or_has_a_right_reply_or_is_known_to_be_half_written() {
    each(
        |nth| Harm::Access { nth },
        |frame, image, harm, reason, octets| match reason.verdict() {
            Verdict::Abort => {
                let reason = answer_frame(frame, image).0;
                assert_eq!(reason.verdict(), Verdict::Reply, "{harm:?}: {}", reason.label());
            }
            _ => as_it_came_or_right(frame, harm, reason, octets),
        },
    );
}

fn as_it_came_or_right(frame: &[u8], harm: Harm, reason: Reason, octets: &[u8]) {
    match reason.verdict() {
        Verdict::Pass | Verdict::Drop => assert_eq!(octets, frame, "{harm:?}: {}", reason.label()),
        Verdict::Reply => {
            check_reply(octets).unwrap_or_else(|error| panic!("{harm:?}: {error:#}: {frame:02x?}"));
        }
        Verdict::Abort => panic!("{harm:?}: half written: {frame:02x?}"),
    }
}
