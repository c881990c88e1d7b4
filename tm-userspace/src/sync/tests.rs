//! The image by its answers: real frames through the engine, and the rule that a mirror which copies in order never holds a mixture.

use std::sync::Arc;

use tm_common::{
    kind,
    name::{SHORT, hash},
    tables::{AnswerIndex, Class as Size, Lookup as _, Names},
};

use super::*;
use crate::{
    compile::{Choices, Compiled, Records, interleave_full},
    names::DnsName,
    places::{Choice, Class, Place, View},
};

fn compiled(name: &DnsName, octets: &[&[u8]], slots: &[u16]) -> Compiled {
    let answers = octets.iter().map(|octets| Records {
        // The shortest records have sixteen octets.
        octets: Arc::from([octets, &[0; 8][..]].concat()),
        answers: 1,
        authorities: 0,
        code: 0,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    });
    let choices = Choices { answers: answers.collect(), slots: slots.to_vec(), sticky: false };
    Compiled { name: name.clone(), view: None, types: vec![], places: vec![vec![choices; 4]], absent: None }
}

fn image() -> Image {
    Image::new(512, 7)
}

fn name(text: &str) -> DnsName {
    text.parse().unwrap()
}

#[test]
fn a_flip_publishes_its_slots_and_stages_its_answer() {
    let (mut image, www) = (image(), name("www.tm.example"));
    let first = image.apply([(&www, Some(&compiled(&www, &[b"primary."], &[0])))]);
    // What is below names that end in `\x07example` is not said: the closest encloser tells.
    let ending = (Table::Endings, tm_common::name::ending(u64::from_le_bytes(*b"\x07example")));
    assert_eq!(first.published, [(Table::Buckets, first.published[0].1), ending]);
    let flip = image.apply([(&www, Some(&compiled(&www, &[b"second.."], &[0])))]);
    assert_eq!(flip.staged, [(Table::Small, 2)], "one new answer");
    assert_eq!(
        flip.published,
        [1, 2, 3, 4].map(|slot| (Table::Slots, slot)),
        "one slot a block, nothing else"
    );
    assert_eq!(image.apply([(&www, Some(&compiled(&www, &[b"second.."], &[0])))]), Changes::default());
}

#[test]
fn another_shape_gets_a_new_entry_and_one_word() {
    let (mut image, www) = (image(), name("www.tm.example"));
    image.apply([(&www, Some(&compiled(&www, &[b"primary."], &[0])))]);
    let change = image.apply([(&www, Some(&compiled(&www, &[b"primary.", b"second.."], &[0, 1])))]);
    assert_eq!(change.published.len(), 1);
    assert_eq!(change.published[0].0, Table::Buckets);
    assert!(change.staged.contains(&(Table::Entries, 2)));
}

/// The same with a block for each of these types, which answer otherwise.
fn carrying(name: &DnsName, types: &[u16], octets: &[u8]) -> Compiled {
    let mut compiled = compiled(name, &[b"address."], &[0]);
    let [own] = &self::compiled(name, &[octets], &[0]).places[..] else { unreachable!() };
    compiled.places[0].extend(types.iter().map(|_| own[0].clone()));
    Compiled { types: types.to_vec(), ..compiled }
}

/// What the block of a type leads to, as the engine goes.
fn leads_to(image: &Image, name: &DnsName, kind: u16) -> Option<AnswerIndex> {
    let tables = image.reader();
    let (_, entry) = Names::<SHORT>::find(&tables, hash(name.wire(), 7)).ok()?;
    let others = entry.blocks[3];
    let block = match others.turn {
        0 => others,
        first => tables.placed(kind::find(&tables, first, kind.into())?)?.block,
    };
    tables.slot(block.first)
}

#[test]
fn a_type_that_is_carried_has_a_block_of_its_own_behind_the_one_for_others() {
    let (mut image, www) = (image(), name("www.tm.example"));
    image.apply([(&www, Some(&carrying(&www, &[16, 33], b"carried.")))]);
    let [address, carried] = [1, 2].map(|index| Some(AnswerIndex::new(Size::Small, index)));
    for (kind, expected) in [(15, address), (16, carried), (33, carried), (257, address)] {
        assert_eq!(leads_to(&image, &www, kind), expected, "type {kind}");
    }
    // Who reads no types is led to an answer that is not here.
    let tables = image.reader();
    let (_, entry) = Names::<SHORT>::find(&tables, hash(www.wire(), 7)).unwrap();
    assert_eq!((entry.blocks[3].count, tables.slot(entry.blocks[3].first)), (1, Some(kind::NOT_HERE)));
    let flip = image.apply([(&www, Some(&carrying(&www, &[16, 33], b"another.")))]);
    assert_eq!((flip.staged, flip.published.len()), (vec![(Table::Small, 3)], 2), "slots alone");
    // Another type is another shape.
    let change = image.apply([(&www, Some(&carrying(&www, &[16], b"another.")))]);
    assert!(matches!(change.published[..], [(Table::Buckets, _)]));
    assert_eq!(leads_to(&image, &www, 33), address);
}

#[test]
fn all_that_types_took_is_given_back() {
    let (mut image, www) = (image(), name("www.tm.example"));
    let by_place = |octets: &[u8]| {
        let rows = vec![carrying(&www, &[16, 33], octets).places.remove(0); 2];
        Compiled { places: rows, types: vec![16, 33], ..placed(&www, 24, [b"others 1", b"inside 1"]) }
    };
    let turns = [carrying(&www, &[16, 33], b"carried."), by_place(b"by place")];
    for compiled in &turns {
        image.apply([(&www, Some(compiled))]);
        image.begin_wait();
        image.reclaim();
    }
    let sizes = image.sizes();
    for compiled in turns.iter().cycle().take(10) {
        image.apply([(&www, Some(compiled))]);
        image.begin_wait();
        image.reclaim();
    }
    assert_eq!((image.sizes().slots, image.sizes().blocks), (sizes.slots, sizes.blocks));
}

/// Clients in 203.0.113.0 and so many bits are told one thing, all others another.
fn placed(name: &DnsName, bits: u8, told: [&[u8]; 2]) -> Compiled {
    let rows = told.map(|octets| compiled(name, &[octets], &[0]).places.remove(0));
    let class = |endpoint| Class(vec![("p".into(), Choice::Mapped(Some(endpoint)))]);
    let view = View::new(
        vec![([203, 0, 113, 0].into(), bits, Place(1))],
        vec![],
        Place::ANYWHERE,
        vec![class(0), class(1)],
    );
    Compiled { view: Some(Arc::new(view)), places: rows.to_vec(), ..compiled(name, &[], &[]) }
}

#[test]
fn a_view_that_changes_alone_leads_to_the_same_rows() {
    let (mut image, www) = (image(), name("www.tm.example"));
    image.apply([(&www, Some(&placed(&www, 24, [b"others 1", b"inside 1"])))]);
    let change = image.apply([(&www, Some(&placed(&www, 25, [b"others 1", b"inside 1"])))]);
    assert!(change.staged.contains(&(Table::Entries, 2)));
    let rows = |(table, _): &&Cell| matches!(table, Table::Blocks | Table::Slots);
    assert_eq!(change.staged.iter().chain(&change.published).find(rows), None);
}

#[test]
fn a_view_that_changes_with_the_answers_leads_to_other_rows() {
    let (mut image, www) = (image(), name("www.tm.example"));
    image.apply([(&www, Some(&placed(&www, 24, [b"others 1", b"inside 1"])))]);
    let change = image.apply([(&www, Some(&placed(&www, 25, [b"others 2", b"inside 2"])))]);
    let [(Table::Buckets, _)] = change.published[..] else { panic!("one word: {change:?}") };
    // Of whoever still reads by the old view, what the slots say is what it was.
    let staged = |table| change.staged.iter().filter(move |cell| cell.0 == table).map(|cell| cell.1);
    assert_eq!(staged(Table::Slots).collect::<Vec<_>>(), [9, 10, 11, 12, 13, 14, 15, 16]);
    assert_eq!(staged(Table::Blocks).count(), 8);
}

#[test]
fn the_steps_of_a_slow_start_rewrite_slots_alone() {
    let www = name("www.tm.example");
    let step = |tenths: u64| {
        let slots: Vec<u16> = interleave_full(&[tenths, 10]).into_iter().map(|slot| slot as u16).collect();
        compiled(&www, &[b"primary.", b"second.."], &slots)
    };
    let mut image = image();
    image.apply([(&www, Some(&step(1)))]);
    for tenths in 2..=9 {
        let change = image.apply([(&www, Some(&step(tenths)))]);
        assert_eq!(change.staged, []);
        assert!(change.published.iter().all(|(table, _)| *table == Table::Slots), "{tenths}");
        assert!(!change.published.is_empty(), "{tenths}");
    }
}

#[test]
fn what_is_given_up_is_used_again_only_after_it_was_reclaimed() {
    let (mut image, www) = (image(), name("www.tm.example"));
    let staged = |image: &mut Image, octets: &[u8]| {
        image.apply([(&www, Some(&compiled(&www, &[octets], &[0])))]).staged
    };
    staged(&mut image, b"answer 1");
    assert_eq!(staged(&mut image, b"answer 2"), [(Table::Small, 2)]);
    assert_eq!(staged(&mut image, b"answer 3"), [(Table::Small, 3)], "1 may still be read");
    assert!(image.begin_wait());
    assert_eq!(staged(&mut image, b"answer 4"), [(Table::Small, 4)], "the wait is not over");
    image.reclaim();
    assert_eq!(
        staged(&mut image, b"answer 5"),
        [(Table::Small, 2)],
        "3 was given up after the wait began; the last one freed comes first"
    );
    assert!(image.begin_wait());
    image.reclaim();
    assert!(!image.begin_wait());
}

#[test]
fn equal_answers_are_kept_once_until_the_last_user_goes() {
    let mut image = image();
    let [a, b] = ["a.tm.example", "b.tm.example"].map(name);
    image.apply([
        (&a, Some(&compiled(&a, &[b"the same"], &[0]))),
        (&b, Some(&compiled(&b, &[b"the same"], &[0]))),
    ]);
    assert_eq!(image.sizes().small, 2);
    image.apply([(&a, None)]);
    image.begin_wait();
    image.reclaim();
    let again = image.apply([(&a, Some(&compiled(&a, &[b"another!"], &[0])))]);
    assert!(again.staged.contains(&(Table::Small, 2)), "b still uses the first");
    image.apply([(&a, None), (&b, None)]);
    assert_eq!(image.names(), 0);
    image.begin_wait();
    image.reclaim();
    let fresh = image.apply([(&a, Some(&compiled(&a, &[b"at last!"], &[0])))]);
    assert!(fresh.staged.iter().any(|cell| matches!(cell, (Table::Small, 1 | 2))), "{:?}", fresh.staged);
}

#[test]
fn names_of_every_length_are_found_whatever_their_number() {
    let mut image = Image::new(buckets_for(20_000), 0x1234_5678);
    for i in 0..20_000u32 {
        let name = name(&format!("{}.{i}.tm.example", "x".repeat(1 + i as usize % 60)));
        image.apply([(&name, Some(&compiled(&name, &[b"answer.."], &[0])))]);
    }
    assert_eq!((image.names(), image.homeless()), (20_000, 0));
    assert!(image.sizes().long_entries > 1000);
    assert!(image.sizes().with_headroom().hold(image.sizes()));
}

#[test]
fn a_full_bucket_is_told() {
    let mut image = Image::new(1, 7);
    for i in 0..9 {
        let name = name(&format!("{i}.tm.example"));
        image.apply([(&name, Some(&compiled(&name, &[b"answer.."], &[0])))]);
    }
    assert_eq!(image.homeless(), 1);
}

#[test]
fn a_name_whose_bucket_is_full_is_found_by_the_sockets_all_the_same() {
    use tm_common::{
        dns,
        name::{LONG, SHORT, hash},
        net,
        tables::Names,
    };
    /// Octets from the UDP header, which an entry's `end` counts from, to the question's name.
    const BEFORE_NAME: usize = net::UDP + size_of::<dns::Header>();
    /// Octets of the name behind `end`: its last eight, and the zero octet.
    const BEHIND_END: usize = 8 + 1;
    let mut image = Image::new(1, 7);
    // Eight places for twelve names, short ones and long ones.
    let names: Vec<DnsName> =
        (0..12).map(|i| name(&format!("{i}{}.tm.example", ".long-label".repeat(i % 2 * 7)))).collect();
    let length = |image: &Image, name: &DnsName| -> Option<usize> {
        let hash = hash(name.wire(), 7);
        let end = match name.wire().len() <= 8 * SHORT {
            true => Names::<SHORT>::find(&image.reader(), hash).ok()?.1.end,
            false => Names::<LONG>::find(&image.reader(), hash).ok()?.1.end,
        };
        Some(usize::from(end) + BEHIND_END - BEFORE_NAME)
    };
    for name in &names {
        image.apply([(name, Some(&compiled(name, &[b"answer.."], &[0])))]);
    }
    assert_eq!(image.homeless(), 4);
    // Of another shape, and so with another entry.
    image.apply([(&names[11], Some(&compiled(&names[11], &[b"answer..", b"another."], &[0, 1])))]);
    for name in &names {
        assert_eq!(length(&image, name), Some(name.wire().len()), "{name}");
    }
    let find = |image: &Image| {
        Names::<LONG>::find(&image.reader(), hash(names[11].wire(), 7))
            .ok()
            .map(|(_, entry)| entry.blocks[0].count)
    };
    assert_eq!(find(&image), Some(2));
    for name in &names {
        image.apply([(name, None)]);
        assert_eq!(length(&image, name), None, "{name}");
    }
    assert_eq!(image.homeless(), 0);
}

#[test]
fn addresses_that_do_not_fit_are_told() {
    let mut image = image();
    let addresses: Vec<[u64; 2]> = (0..40_000u64).map(|i| [1, i]).collect();
    let left_out = image.set_addresses(&addresses, &[]);
    assert_eq!(left_out.len(), 40_000 - 4 * 256, "every place of every line is taken");
    assert!(image.set_addresses(&addresses[..10], &addresses[..10]).is_empty());
}
