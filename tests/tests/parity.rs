//! The loaded program and the engine on the host: same verdict, same octets, for every packet; and replies that code which shares nothing with the engine finds right.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::{AsFd as _, AsRawFd as _},
};

use aya::{
    Pod,
    maps::{Array, Map, MapData, MapInfo},
    programs::loaded_programs,
};
use tm_tests::{
    classes, corpus, golden,
    namespace::require_root,
    parity::{Pair, spoilt},
    world::World,
};
use tm_userspace::{
    sync::Image,
    xdp::{Kernel, PROGRAM, Repair},
};

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
    // What only a driver can lack, what cannot happen, what counts answers alone, what is not asked for here, and what takes more than is asked.
    let missing =
        ["no_room", "broken", "full", "options", "cookie", "no_such_name", "route", "limited", "slipped"];
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

/// One of the loaded program's tables, as anybody with the right to it has it.
fn table<T: Pod>(kernel: &Kernel, name: &str) -> Array<MapData, T> {
    let fd = kernel.program_fd(PROGRAM).expect("it is loaded").as_fd().as_raw_fd();
    let fdinfo = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).expect("it is open");
    let id = fdinfo.lines().find_map(|line| line.strip_prefix("prog_id:")).expect("a program's").trim();
    let program =
        loaded_programs().flatten().find(|program| program.id().to_string() == id).expect("is listed");
    let ids = program.map_ids().expect("can be asked").expect("this kernel tells");
    let is_it = |id: &u32| MapInfo::from_id(*id).is_ok_and(|info| info.name_as_str() == Some(name));
    let id = ids.into_iter().find(is_it).expect("it has this table");
    Array::try_from(Map::Array(MapData::from_id(id).expect("can be opened"))).expect("it is one")
}

#[test]
fn a_repair_puts_right_what_differs_at_both_ends_of_a_table_and_in_between() {
    require_root();
    let image = classes::image(2000);
    let kernel = Kernel::load(&image).expect("loads");
    let repair = || {
        let (mut repair, mut slices) = (Repair::default(), 1);
        while kernel.repair(&image, &mut repair) {
            slices += 1;
        }
        (repair.differed, slices > 7)
    };
    assert_eq!(repair(), (0, true), "of seven tables, some have more than one slice");
    let mut slots = table::<u32>(&kernel, "SLOTS");
    let ours: Vec<u32> = slots.iter().map(|slot| slot.expect("can be read")).collect();
    let last = image.slots().len() - 1;
    assert!(last > 5000, "{last}");
    for index in [1, 2047, 2048, 5000, last] {
        slots.set(index, u32::MAX, 0).expect("can be written");
    }
    let mut buckets = table::<[u64; 8]>(&kernel, "BUCKETS");
    let end = image.buckets().len() as u32 - 1;
    buckets.set(end, [u64::MAX; 8], 0).expect("can be written");
    assert_eq!(repair(), (6, true));
    assert!(slots.iter().map(|slot| slot.expect("can be read")).eq(ours));
    assert_eq!(buckets.get(&end, 0).expect("can be read"), image.buckets()[end as usize].0);
    assert_eq!(repair(), (0, true));
}
