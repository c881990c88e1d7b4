//! Names that are not there: whatever else is in the tables and however it came there, they are answered as the names above them say.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tm_common::verdict::{Reason, Verdict};
use tm_tests::{
    frame::Frame,
    host::{answer_frame, run_programs},
    lab::SERVER_V4,
    parity::{ask, stay_on},
    query::{Query, qtype},
    reply::check_reply,
};
use tm_userspace::{
    compile::{Absence, Choices, Compiled, NXDOMAIN, Records},
    names::DnsName,
    sync::{Image, buckets_for},
    xdp::Kernel,
};

/// Zones: two that end alike, one inside the other's, one that is alone, and one too short for its end to tell.
const ZONES: [&str; 5] = ["tm.example", "shop.example", "eu.tm.example", "contoso.com", "co"];
/// What names in them may begin with.
const LABELS: [&str; 5] =
    ["a.", "b.a.", "*.", "*.a.", "a-label-of-sixty-three-octets-so-that-the-name-is-a-long-one-12."];
/// What is asked for below names.
const ASKED: [&str; 6] = [
    "x.",
    "X.y.",
    "b.",
    "c.b.a.",
    "w.a-label-of-sixty-three-octets-so-that-the-name-is-a-long-one-12.",
    "xa.",
];

/// What a name has: an address with this last octet.
fn address(last: u8) -> Records {
    records(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, last], 0)
}

/// That a name is not in the zone of this number, as of a serial: an SOA with both in it.
fn absence(zone: usize, serial: u8) -> Absence {
    let mut soa = vec![0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0, 0, 0, zone as u8, serial];
    soa.resize(11 + 22, 0);
    Absence { zone: ZONES[zone].parse().unwrap(), records: records(&soa, NXDOMAIN) }
}

fn records(octets: &[u8], code: u16) -> Records {
    Records {
        octets: octets.into(),
        answers: u16::from(code == 0),
        authorities: u16::from(code != 0),
        code,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    }
}

fn compiled(name: &DnsName, last: u8, zone: usize, serial: u8) -> Compiled {
    let choices = Choices { answers: vec![address(last)], slots: vec![0], sticky: false };
    let absent = Some(absence(zone, serial));
    Compiled { name: name.clone(), view: None, types: vec![], places: vec![vec![choices; 4]], absent }
}

/// The zone of a name among these: the lowest.
fn zone_of(zones: &[usize], name: &DnsName) -> Option<usize> {
    let is_around = |zone: &usize| name.is_within(&ZONES[*zone].parse().unwrap());
    zones.iter().copied().filter(is_around).max_by_key(|zone| ZONES[*zone].len())
}

fn all_names() -> Vec<DnsName> {
    let of = |zone: &&'static str| LABELS.map(|label| format!("{label}{zone}").parse().unwrap());
    ZONES.iter().flat_map(of).collect()
}

fn image(buckets: u32) -> Image {
    let mut image = Image::new(buckets, 7);
    image.set_addresses(&[tm_userspace::listen::key(&SERVER_V4.into())], &[]);
    image
}

/// What is said to who asks for a name: the last octet of the address that it has, or the zone that it is not in with its serial.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Address(u8),
    Absence(usize, u8),
    /// The sockets are asked.
    Nothing,
}

/// As RFC 4592 has it, by nothing but the names that there are, the octet of each, and the zones' serials.
fn wanted(zones: &[usize], there: &BTreeMap<DnsName, u8>, serials: &[u8; 5], name: &DnsName) -> Said {
    if let Some(last) = there.get(name) {
        return Said::Address(*last);
    }
    let Some(encloser) =
        name.suffixes().skip(1).map(DnsName::from_wire).find(|above| there.contains_key(above))
    else {
        return Said::Nothing;
    };
    let wildcard = encloser.with_asterisk().and_then(|wildcard| there.get(&wildcard));
    match wildcard {
        Some(last) => Said::Address(*last),
        None => {
            let zone = zone_of(zones, &encloser).unwrap();
            Said::Absence(zone, serials[zone])
        }
    }
}

fn said(reason: Reason, octets: &[u8]) -> Said {
    if reason.verdict() == Verdict::Pass {
        return Said::Nothing;
    }
    assert_eq!(reason, Reason::Answered);
    let payload = check_reply(octets).unwrap().payload;
    let records = &payload[12 + payload[12..].iter().position(|octet| *octet == 0).unwrap() + 5..];
    match payload[3] & 15 {
        0 => Said::Address(records[15]),
        3 => Said::Absence(records[15].into(), records[16]),
        code => panic!("RCODE {code}"),
    }
}

/// How a name is asked for: with an OPT or without one, over which IP, with an option that has to be read, behind a tag.
fn frames(name: &str) -> [(&'static str, Vec<u8>); 3] {
    let plain = Query::new(name, qtype::A);
    let edns = Query::with_edns(name, qtype::A);
    let mut option = edns.clone();
    option.edns.as_mut().unwrap().options.push((65001, vec![1, 2, 3]));
    [("plain", plain), ("EDNS", edns), ("an option", option)]
        .map(|(how, query)| (how, Frame::v4(query.build()).build()))
}

/// Names that come or go, and the zone that says it with another serial from then on.
type Step = (Vec<DnsName>, bool, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = prop::sample::subsequence(all_names(), 0..12);
    prop::collection::vec((names, any::<bool>(), 0..ZONES.len()), 1..5)
}

fn some_zones() -> impl Strategy<Value = Vec<usize>> {
    prop::sample::subsequence((0..ZONES.len()).collect::<Vec<_>>(), 1..=ZONES.len())
}

/// Takes these steps, and asks after each for all that may be there and for what is below it.
fn walk(zones: &[usize], steps: Vec<Step>, in_kernel: bool) {
    let mut image = image(buckets_for(100));
    let all: Vec<DnsName> = all_names().into_iter().chain(ZONES.map(|zone| zone.parse().unwrap())).collect();
    let compiled_all: Vec<Compiled> = all.iter().map(|name| compiled(name, 0, 0, 0)).collect();
    image.apply(all.iter().zip(compiled_all.iter().map(Some)));
    // With room for all that may come.
    let kernel = in_kernel.then(|| Kernel::load(&image).unwrap());
    let apply = |image: &mut Image, changes: &[(DnsName, Option<Compiled>)]| {
        let changed = image.apply(changes.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        kernel.iter().for_each(|kernel| kernel.copy(image, &changed));
        image.begin_wait();
        image.reclaim();
    };
    apply(&mut image, &all.iter().map(|name| (name.clone(), None)).collect::<Vec<_>>());
    let (mut there, mut serials) = (BTreeMap::new(), [0; ZONES.len()]);
    // Of a zone that there is, the apex is there.
    for zone in zones {
        let apex: DnsName = ZONES[*zone].parse().unwrap();
        let compiled = compiled(&apex, *zone as u8, *zone, 0);
        apply(&mut image, &[(apex.clone(), Some(compiled))]);
        there.insert(apex, *zone as u8);
    }
    for (step, (names, come, zone)) in (1_u8..).zip(steps) {
        let mut changes = vec![];
        for (at, name) in (0..).zip(names) {
            let (Some(own), last) = (zone_of(zones, &name), step * 16 + at) else { continue };
            match come {
                true => _ = there.insert(name.clone(), last),
                false => _ = there.remove(&name),
            }
            // Once one name of a zone says it with another serial, all of them do.
            if come && own == zone {
                serials[zone] = step;
            }
            let compiled = come.then(|| compiled(&name, last, own, serials[own]));
            changes.push((name, compiled));
        }
        apply(&mut image, &changes);
        for zone in ZONES {
            for begin in [""].iter().chain(&LABELS).chain(&ASKED) {
                let name = format!("{begin}{zone}");
                let due = wanted(zones, &there, &serials, &name.parse().unwrap());
                for (how, frame) in frames(&name) {
                    let (reason, octets) = match &kernel {
                        Some(kernel) => ask(kernel, &frame).unwrap(),
                        None => answer_frame(&frame, &image),
                    };
                    assert_eq!(said(reason, &octets), due, "{name}, {how}: {there:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// After any changes, in any order.
    #[test]
    fn a_name_that_is_not_there_is_answered_as_the_names_above_it_say(zones in some_zones(), steps in steps()) {
        walk(&zones, steps, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// The same in the kernel, whose tables are told what has changed and nothing else.
    #[test]
    fn the_kernel_follows(zones in some_zones(), steps in steps()) {
        stay_on(0).unwrap();
        walk(&zones, steps, true);
    }
}

/// What a zone without a wildcard says is said by the first program, without looking for the encloser.
#[test]
fn where_all_say_the_same_nobody_looks_further() {
    let mut image = image(buckets_for(100));
    let mut put = |name: &str| {
        let name: DnsName = name.parse().unwrap();
        image.apply([(&name, Some(&compiled(&name, 1, zone_of(&[0, 1, 2, 3, 4], &name).unwrap(), 1)))]);
        let programs =
            |name: &str| frames(name).map(|(_, frame)| run_programs(&frame, &image, 2048).programs);
        (programs("x.tm.example"), programs("x.contoso.com"))
    };
    let here = || [vec![], vec![], vec!["tm_find", "tm_full", "tm_options", "tm_full", "tm_below"]];
    let (tm, contoso) = put("tm.example");
    assert_eq!(tm[..2], here()[..2]);
    assert_eq!(contoso[..2], here()[..2], "nothing ends so");
    let (tm, _) = put("a.tm.example");
    assert_eq!(tm[..2], here()[..2]);
    let (tm, _) = put("shop.example");
    assert_eq!(tm[..2], [vec!["tm_below"], vec!["tm_below"]], "two zones end so");
}

/// Octets that look like our zone, in a label of somebody else's.
#[test]
fn a_label_that_ends_like_a_zone_is_not_below_it() {
    let mut image = image(buckets_for(100));
    let apex: DnsName = ZONES[0].parse().unwrap();
    image.apply([(&apex, Some(&compiled(&apex, 1, 0, 1)))]);
    let ask = |name: &[u8]| {
        let query = Query { name: name.to_vec(), ..Query::with_edns("tm.example", qtype::A) };
        let outcome = run_programs(&Frame::v4(query.build()).build(), &image, 2048);
        said(outcome.reason, &outcome.octets)
    };
    assert_eq!(ask(b"\x04x\x01xx\x02tm\x07example\0"), Said::Absence(0, 1));
    assert_eq!(ask(b"\x04x\x02tm\x07example\0"), Said::Nothing);
    assert_eq!(ask(b"\x01x\x04x\x02tm\x07example\0"), Said::Nothing);
    assert_eq!(ask(b"\x0cx\x02tm\x07example\0"), Said::Nothing);
}

/// While larger tables are made, the kernel's lack some of what the daemon's have. What they lack, and what is below it, is for the sockets: nothing that is there is ever said not to be.
#[test]
fn what_the_kernel_has_no_room_for_is_never_said_not_to_exist() {
    stay_on(0).unwrap();
    // One bucket, of eight places; and buckets for all, but not the entries that they lead to.
    for (buckets, count) in [(1, 600), (1 << 13, 3000)] {
        let mut image = image(buckets);
        let apex: DnsName = "tm.example".parse().unwrap();
        image.apply([(&apex, Some(&compiled(&apex, 1, 0, 1)))]);
        let kernel = Kernel::load(&image).unwrap();
        let names: Vec<String> =
            (0..count).map(|i| format!("n{i}.{}tm.example", if i % 2 == 0 { "" } else { "sub." })).collect();
        for name in &names {
            let name: DnsName = name.parse().unwrap();
            let changed = image.apply([(&name, Some(&compiled(&name, 2, 0, 1)))]);
            kernel.copy(&image, &changed);
        }
        assert!(!kernel.holds(&image));
        assert_eq!(image.homeless() > 0, buckets == 1);
        let ask = |name: &str| {
            frames(name).map(|(_, frame)| {
                let (reason, octets) = ask(&kernel, &frame).unwrap();
                said(reason, &octets)
            })
        };
        let mut answered = 0;
        for name in &names {
            for told in ask(name) {
                assert!([Said::Nothing, Said::Address(2)].contains(&told), "{name}: {told:?}");
                answered += usize::from(told == Said::Address(2));
            }
        }
        assert!((1..3 * names.len()).contains(&answered), "{answered}");
        // Below what is missing there may be more; the daemon's own tables know.
        for name in ["x.tm.example", "x.sub.tm.example"] {
            let told = frames(name).map(|(_, frame)| {
                let (reason, octets) = answer_frame(&frame, &image);
                said(reason, &octets)
            });
            assert_eq!(told, [const { Said::Absence(0, 1) }; 3]);
        }
        if buckets == 1 {
            assert_eq!(ask("x.tm.example"), [const { Said::Nothing }; 3]);
            assert_eq!(ask("x.sub.tm.example"), [const { Said::Nothing }; 3]);
        }
        for name in &names {
            let changed = image.apply([(&name.parse().unwrap(), None)]);
            kernel.copy(&image, &changed);
        }
        assert_eq!(image.homeless(), 0);
        assert_eq!(ask("x.tm.example"), [const { Said::Absence(0, 1) }; 3]);
        assert_eq!(ask("n1.sub.tm.example"), [const { Said::Absence(0, 1) }; 3]);
    }
}
