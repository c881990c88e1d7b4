//! Whatever fails while a question is answered, the frame leaves as it came or as a reply that is right.

use tm_common::verdict::{Reason, Verdict};
use tm_tests::{
    classes::{classes, image},
    golden,
    host::{Harm, Instead, answer_frame, run_harmed},
    reply::check_reply,
    world::World,
};
use tm_userspace::sync::Image;

/// The same zone, and cookies.
fn world() -> Image {
    let mut image = World::new().expect("the zone of the tests loads").image;
    image.set_cookies(&[*b"the first secret", *b"the other secret"]);
    image
}

/// Frames of all kinds, each with the tables that it asks.
fn frames() -> Vec<(Vec<u8>, bool)> {
    let golden = golden::cases().expect("the golden cases are well-formed");
    let golden = golden.iter().filter(|case| !case.over_tcp).map(|case| (case.frame.build(), true));
    let classes = classes(200);
    let classes = classes.iter().map(|class| (class.frames[0].clone(), false));
    golden.chain(classes).collect()
}

/// Runs each frame with harm after harm, as long as there is something left that fails.
fn each(harm: impl Fn(usize) -> Harm, check: impl Fn(&[u8], &Image, Harm, Reason, &[u8])) {
    let (world, classes) = (world(), image(200));
    for (frame, is_golden) in frames() {
        let image = if is_golden { &world } else { &classes };
        for nth in 0.. {
            let harm = harm(nth);
            let Some(outcome) = run_harmed(&frame, image, harm) else { break };
            check(&frame, image, harm, outcome.reason, &outcome.octets);
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
            Verdict::Abort => assert_eq!(answer_frame(frame, image).0, Reason::Answered, "{harm:?}"),
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
