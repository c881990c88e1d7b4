//! Tries as the engine follows them, against a linear scan of their view and against brute force.

use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};
use tm_common::{
    place::{Client, Found, find},
    tables::Entry,
};

use super::*;
use crate::{
    compile::{Choices, Compiled, Records},
    desired::{Endpoint, Subnet},
    names::DnsName,
    samples,
    sync::{Changes, Image},
};

/// Tables in which one name has this view.
fn image(view: &Arc<View>) -> (Image, u32) {
    let mut image = Image::new(512, 53, 7, &[]);
    let name: DnsName = "www.tm.example".parse().unwrap();
    assert_ne!(image.apply([(&name, Some(&compiled(&name, view)))]), Changes::default());
    let entry: &Entry<8> = image.entries().get(1).unwrap();
    let view = entry.view;
    (image, view)
}

fn compiled(name: &DnsName, view: &Arc<View>) -> Compiled {
    let answer = Records { octets: Arc::new([0; 16]), answers: 1, authorities: 0, endpoint: None };
    let choices = Choices { answers: vec![answer], slots: vec![0] };
    let row = [choices.clone(), choices.clone(), choices.clone(), choices];
    Compiled { name: name.clone(), view: Some(view.clone()), places: vec![row; view.classes().len()] }
}

fn ask(image: &Image, view: u32, address: IpAddr) -> Found {
    let client = match address {
        IpAddr::V4(address) => Client::v4(u32::from_le_bytes(address.octets())),
        IpAddr::V6(address) => {
            let [a, b] = [0, 8].map(|at| address.octets()[at..at + 8].try_into().map(u64::from_le_bytes));
            Client::v6([a.unwrap(), b.unwrap()])
        }
    };
    find(image, view, &client).unwrap()
}

fn classes(count: usize) -> Vec<Class> {
    (0..count).map(|i| Class(vec![("p".into(), Choice::Mapped(Some(i)))])).collect()
}

/// Top bits of an address, a length, a place.
type Row = (u128, u8, u16);

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn view_v4(rows: &[Row]) -> Arc<View> {
    let v4 = rows.iter().map(|(bits, length, place)| {
        let length = *length % 33;
        (Ipv4Addr::from(((bits & mask(length)) >> 96) as u32), length, Place(*place))
    });
    Arc::new(View::new(v4.collect(), vec![], Place::ANYWHERE, classes(4)))
}

/// The place of the longest prefix that holds the address, the first of equals; and whether none does.
fn scan_v4(view: &View, address: u32) -> Option<Place> {
    let holds =
        |network: &Ipv4Addr, length: u8| u128::from(address ^ network.to_bits()) << 96 & mask(length) == 0;
    let holding = view.v4().iter().filter(|(network, length, _)| holds(network, *length));
    holding.max_by_key(|(_, length, _)| *length).map(|(.., place)| *place)
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    // Few different upper octets, so that prefixes lie inside one another.
    let bits = (0u128..4, any::<u128>()).prop_map(|(top, rest)| top << 120 | rest >> 8);
    prop::collection::vec((bits, 0..=128u8, 0..4u16), 0..40)
}

proptest! {
    #[test]
    fn a_trie_answers_as_a_scan_of_its_view(
        rows in any_rows(),
        addresses in prop::collection::vec(any::<u32>(), 20),
    ) {
        let view = view_v4(&rows);
        let (image, index) = image(&view);
        let at_edges = view.v4().iter().flat_map(|(network, length, _)| {
            let first = network.to_bits();
            let last = first | !((mask(*length) >> 96) as u32);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        for address in at_edges.chain(addresses.iter().map(|a| a & 0x03ff_ffff)) {
            let found = ask(&image, index, Ipv4Addr::from(address).into());
            let expected = scan_v4(&view, address).unwrap_or(Place::ANYWHERE);
            prop_assert_eq!(found.place(), u32::from(expected.0), "{}", Ipv4Addr::from(address));
            // The same inside of IPv6.
            let [a, b] = [address >> 16, address & 0xffff].map(|half| half as u16);
            for (inside, before) in [
                (Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1), 16),
                (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b), 96),
                (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b), 96),
                (Ipv6Addr::new(0x2001, 0, 7, 7, 7, 7, !a, !b), 96),
            ] {
                let expected = (found.place(), found.scope() + before, found.is_private());
                let inner = ask(&image, index, inside.into());
                prop_assert_eq!((inner.place(), inner.scope(), inner.is_private()), expected, "{}", inside);
            }
        }
    }

    #[test]
    fn a_trie_of_ipv6_answers_as_a_scan(rows in any_rows(), addresses in prop::collection::vec(any::<u128>(), 20)) {
        // All of it in 3000::/6, away from what is placed otherwise.
        let v6: Vec<_> = rows.iter().map(|(bits, length, place)| {
            let length = (*length).max(8);
            (Ipv6Addr::from((bits | 0x30 << 120) & mask(length)), length, Place(*place))
        }).collect();
        let view = Arc::new(View::new(vec![], v6, Place::ANYWHERE, classes(4)));
        let (image, index) = image(&view);
        let edges = view.v6().iter().flat_map(|(first, length, _)| [first.to_bits(), first.to_bits() | !mask(*length)]);
        for address in edges.chain(addresses.iter().map(|a| a >> 6 | 0x30 << 120)) {
            let holds = |(network, length, _): &&(Ipv6Addr, u8, Place)| (address ^ network.to_bits()) & mask(*length) == 0;
            let longest = view.v6().iter().filter(holds).max_by_key(|(_, length, _)| *length);
            let expected = longest.map_or(0, |(.., place)| u32::from(place.0));
            prop_assert_eq!(ask(&image, index, Ipv6Addr::from(address).into()).place(), expected);
        }
    }

    /// In the 256 addresses of 203.0.113.0/24, all of which some prefix has.
    #[test]
    fn the_scope_is_the_largest_prefix_with_one_place(
        rows in prop::collection::vec((any::<u8>(), 24..=32u8, 0..3u16), 0..12),
    ) {
        let base = Ipv4Addr::new(203, 0, 113, 0).to_bits();
        let around = (u128::from(base) << 96, 24, 3);
        let rows: Vec<Row> = rows.iter().map(|(last, length, place)| (u128::from(base | u32::from(*last)) << 96, *length, *place))
            .chain([around]).collect();
        let view = view_v4(&rows);
        let (image, index) = image(&view);
        let all: Vec<Option<Place>> = (0..256).map(|last| scan_v4(&view, base | last)).collect();
        for last in 0..256usize {
            let alike = |length: &u8| {
                let size = 1usize << (32 - length);
                all[last / size * size..][..size].iter().all(|place| *place == all[last])
            };
            // Beyond the /24 nobody is in place 3, and place 0 is not told from nobody's.
            let Some(expected) = (24..=32u8).find(alike) else { unreachable!() };
            let found = ask(&image, index, Ipv4Addr::from(base | last as u32).into());
            if expected > 24 || all[last] == Some(Place(3)) {
                prop_assert_eq!(found.scope(), u32::from(expected), "{}", last);
            }
        }
    }

    #[test]
    fn a_range_is_the_prefixes_it_is_cut_into(first: u16, more: u16) {
        let base = u32::from(first) << 7;
        let subnet = Subnet { first: Ipv4Addr::from(base).into(), last: Ipv4Addr::from(base + u32::from(more)).into() };
        let mut next = base;
        for (address, length) in subnet.prefixes() {
            prop_assert_eq!(address, IpAddr::from(Ipv4Addr::from(next)));
            next += 1 << (32 - length);
        }
        prop_assert_eq!(next, base + u32::from(more) + 1);
    }
}

#[test]
fn halves_of_the_address_space_have_scope_one() {
    let view = view_v4(&[(0, 1, 1), (1 << 127, 1, 2)]);
    let (image, index) = image(&view);
    for (address, place) in [("10.0.0.1", 1), ("127.255.255.255", 1), ("128.0.0.0", 2), ("203.0.113.7", 2)] {
        let found = ask(&image, index, address.parse().unwrap());
        assert_eq!((found.place(), found.scope(), found.is_private()), (place, 1, false), "{address}");
    }
}

#[test]
fn whole_families() {
    for text in ["0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
        let (first, last) = text.split_once('-').unwrap();
        let [first, last] = [first, last].map(|text| text.parse().unwrap());
        assert_eq!(Subnet { first, last }.prefixes(), [(first, 0)]);
    }
}

#[test]
fn a_disabled_endpoint_has_no_ranges_and_equal_views_are_one() {
    let range = |text: &str| {
        let address = text.parse().unwrap();
        vec![Subnet { first: address, last: address }]
    };
    let with = |name: &str, address: &str, status| Endpoint {
        subnets: range(address),
        status,
        ..samples::endpoint(name, "192.0.2.1")
    };
    let endpoints =
        vec![with("a", "203.0.113.1", Status::Disabled), with("b", "203.0.113.2", Status::Enabled)];
    let profile = Profile {
        routing_method: RoutingMethod::Subnet,
        ..samples::profile("p", samples::monitor(), endpoints)
    };
    let desired = samples::desired(&[], vec![profile]);
    let views = Views::of(&desired, &Views::default());
    let view = views.get("p");
    assert_eq!(view.v4(), [("203.0.113.2".parse().unwrap(), 32, Place(1))]);
    assert_eq!(view.classes()[1].choice("p"), Some(&Choice::Mapped(Some(1))));
    assert!(Arc::ptr_eq(&Views::of(&desired, &views).get("p"), &view));
    assert!(views.get("q").is_anywhere());
}

#[test]
fn views_share_nodes_and_leave_nothing_behind() {
    let mut image = Image::new(512, 53, 7, &[]);
    let [a, b]: [DnsName; 2] = ["a.tm.example", "b.tm.example"].map(|name| name.parse().unwrap());
    let [first, second] = [1, 2].map(|place| view_v4(&[(203 << 120, 8, place)]));
    image.apply([(&a, Some(&compiled(&a, &first)))]);
    let one = image.sizes().nodes;
    image.apply([(&b, Some(&compiled(&b, &second)))]);
    assert_eq!(image.sizes().nodes - one, 16, "only the root of IPv4 differs");
    image.apply([(&a, None), (&b, None)]);
    image.begin_wait();
    image.reclaim();
    let before = image.sizes();
    image.apply([(&a, Some(&compiled(&a, &second))), (&b, Some(&compiled(&b, &first)))]);
    assert_eq!(image.sizes(), before);
}
