//! Views by what clients are told, against scans that know nothing of runs and tries.

mod naive;
mod patched;
mod refined;
mod refined_by_client;
mod tries;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use proptest::prelude::{Strategy, any, prop};
use tm_common::{
    place::{Client, Found, Root, find},
    tables::Entry,
};

use super::*;
use crate::{
    compile::{Choices, Compiled, Records},
    names::DnsName,
    sync::{Changes, Image},
};
use naive::Naive;

/// Tables in which one name has this view, and where that is.
fn image(view: &Arc<View>) -> (Image, Root) {
    let mut image = Image::new(512, 7);
    assert_ne!(change(&mut image, view), Changes::default());
    let view = view_of(&image);
    (image, view)
}

/// Gives the name this view.
fn change(image: &mut Image, view: &Arc<View>) -> Changes {
    let name = name("www.tm.example");
    image.apply([(&name, Some(&compiled(&name, view)))])
}

/// Where the last view is that the name was given.
fn view_of(image: &Image) -> Root {
    let entries = image.entries();
    let last = (1..entries.len()).rev().find_map(|i| entries.get(i)).unwrap();
    let entry: &Entry<8> = last;
    Root { line: entry.root_line, bits: entry.root_bits.into() }
}

fn name(text: &str) -> DnsName {
    text.parse().unwrap()
}

fn compiled(name: &DnsName, view: &Arc<View>) -> Compiled {
    let answer = Records {
        octets: Arc::new([0; 16]),
        answers: 1,
        authorities: 0,
        code: 0,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    };
    let choices = Choices { answers: vec![answer], slots: vec![0], sticky: false };
    Compiled {
        name: name.clone(),
        view: Some(view.clone()),
        types: vec![],
        places: vec![vec![choices; 4]; view.classes().len()],
        absent: None,
    }
}

fn ask(image: &Image, view: Root, address: IpAddr) -> Found {
    let client = match address {
        IpAddr::V4(address) => Client::v4(u32::from_le_bytes(address.octets())),
        IpAddr::V6(address) => {
            let [a, b] = [0, 8].map(|at| address.octets()[at..at + 8].try_into().map(u64::from_le_bytes));
            Client::v6([a.unwrap(), b.unwrap()])
        }
    };
    find(&image.reader(), view, &client).unwrap()
}

fn classes(count: usize) -> Vec<Class> {
    (0..count).map(|i| Class(vec![("p".into(), Choice::Mapped(Some(i)))])).collect()
}

/// What a view, or the engine, says of an address: place, scope, private.
type Told = (u16, u8, bool);

fn told(view: &View, address: IpAddr) -> Told {
    let located = view.find(address);
    (located.place.0, located.scope, located.is_private)
}

fn told_by_engine(image: &Image, view: Root, address: IpAddr) -> Told {
    let found = ask(image, view, address);
    (found.place() as u16, found.scope() as u8, found.is_private())
}

/// Prefixes that often lie inside one another, or hold what is special.
fn any_naive() -> impl Strategy<Value = Naive> {
    let length = |most: u8| prop::sample::select((0..=most).collect::<Vec<u8>>());
    let v4 = (
        prop::sample::select(vec![0x0a00_0000u32, 0xc0a8_0000, 0xcb00_7100, 0]),
        any::<u32>(),
        length(32),
        0..4u16,
    )
        .prop_map(|(base, low, length, place)| {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            (Ipv4Addr::from((base | low >> 12) & mask), length, Place(place))
        });
    let tops =
        vec![0u128, 0x2001 << 112, 0x2002 << 112, 0x2a00 << 112, 0xfd << 120, 0xff9b << 80 | 0x64 << 112];
    let v6 = (prop::sample::select(tops), any::<u128>(), length(128), 0..4u16).prop_map(
        |(base, low, length, place)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            (Ipv6Addr::from((base | low >> 14) & mask), length, Place(place))
        },
    );
    (prop::collection::vec(v4, 0..20), prop::collection::vec(v6, 0..20), 0..4u16)
        .prop_map(|(v4, v6, default)| Naive { v4, v6, default: Place(default) })
}
