//! The loaded program and the engine on the host: same verdict, same octets, for every packet; and replies that code which shares nothing with the engine finds right.

use std::collections::BTreeMap;

use tm_tests::{
    classes, corpus, golden,
    namespace::require_root,
    parity::{Pair, spoilt},
    world::World,
};
use tm_userspace::{sync::Image, xdp::Kernel};

const PROFILES: usize = 200;

/// Asks both; gives how many frames had which reason.
fn compare<'a>(image: Image, frames: impl IntoIterator<Item = &'a Vec<u8>>) -> BTreeMap<&'static str, usize> {
    require_root();
    Pair::load(image).and_then(|pair| pair.ask_all(frames)).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn kernel_and_host_agree_on_every_class() {
    let classes = classes::classes(PROFILES);
    let reasons = compare(classes::image(PROFILES), classes.iter().flat_map(|class| &class.frames));
    // All classes but the miss, the foreign port and TCP are answered, and all of these.
    let answered = (classes.len() - 3) * classes::FRAMES;
    let expected = [("answered", answered), ("not_dns", 1024), ("not_udp", 1024), ("unknown_name", 1024)];
    assert_eq!(reasons, expected.into());
}

#[test]
fn kernel_and_host_agree_on_what_is_spoilt() {
    let frames: Vec<_> =
        classes::classes(PROFILES).iter().flat_map(|class| spoilt(&class.frames[0])).collect();
    let without = compare(classes::image(PROFILES), &frames);
    // Tags with listed ids, one or two, are stepped over; other ids are not ours.
    let with = compare(classes::image_with_vlans(PROFILES, &[5, 7]), &frames);
    assert!(with["answered"] > without["answered"] && with["vlan"] < without["vlan"], "{without:?} {with:?}");
}

#[test]
fn kernel_and_host_agree_on_corpus_and_golden_cases() {
    let golden = golden::cases().unwrap_or_else(|error| panic!("{error:#}"));
    let golden = golden.iter().map(|case| case.frame.build()).filter(|frame| frame.len() >= 14);
    let frames: Vec<_> = corpus::frames().into_iter().chain(golden).collect();
    let world = World::new().unwrap_or_else(|error| panic!("{error:#}"));
    let reasons = compare(world.image, &frames);
    // What only a driver can lack, and what cannot happen.
    let missing = ["no_room", "broken", "full", "no_answer"];
    for reason in tm_common::verdict::Reason::ALL.iter().map(|reason| reason.label()) {
        assert_eq!(reasons.contains_key(reason), !missing.contains(&reason), "{reason}: {reasons:?}");
    }
}

#[test]
fn no_program_costs_the_verifier_more_than_promised() {
    require_root();
    for program in
        Kernel::load(&classes::image(PROFILES)).and_then(|kernel| kernel.programs()).expect("loads")
    {
        let verified = program.verified.expect("this kernel tells");
        assert!(verified <= 200_000, "{} takes {verified} verified instructions", program.name);
    }
}
