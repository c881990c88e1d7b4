//! A view, and the tries that the engine follows, against a scan.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

use super::*;
use crate::desired::Subnet;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn clients_are_told_what_a_scan_says(
        naive in any_naive(),
        some in 0..8usize,
        v4 in prop::collection::vec(any::<u32>(), 4),
        v6 in prop::collection::vec(any::<u128>(), 2),
    ) {
        let view = naive.view();
        let (image, index) = image(&view);
        let mut addresses = naive.points(Ipv6Addr::UNSPECIFIED.into());
        addresses.extend(naive.points(Ipv4Addr::UNSPECIFIED.into()));
        addresses.extend(v4.iter().map(|address| IpAddr::from(Ipv4Addr::from(*address))));
        addresses.extend(v6.iter().map(|address| IpAddr::from(Ipv6Addr::from(*address))));
        for [a, b] in v4.iter().map(|address| [address >> 16, address & 0xffff].map(|half| half as u16)) {
            addresses.extend([
                IpAddr::from(Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1)),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b).into(),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b).into(),
                Ipv6Addr::new(0x2001, 0, 7, 7, 7, 7, !a, !b).into(),
            ]);
        }
        // A scan goes through all of them for each: every eighth will do.
        for address in addresses.into_iter().skip(some).step_by(8) {
            let expected = naive.told(address);
            prop_assert_eq!(told(&view, address), expected, "{}", address);
            prop_assert_eq!(told_by_engine(&image, index, address), expected, "{}", address);
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
fn whole_families() {
    for text in ["0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
        let (first, last) = text.split_once('-').unwrap();
        let [first, last] = [first, last].map(|text| text.parse().unwrap());
        assert_eq!(Subnet { first, last }.prefixes(), [(first, 0)]);
    }
}

/// Scopes told by the largest prefix with one place, whatever prefixes it is made of.
#[test]
fn scopes() {
    let v4 = |text: &str, place| {
        let (address, length) = text.split_once('/').unwrap();
        (address.parse().unwrap(), length.parse().unwrap(), Place(place))
    };
    for (prefixes, address, expected) in [
        // The halves of all.
        (vec![v4("0.0.0.0/1", 1), v4("128.0.0.0/1", 2)], "10.0.0.1", (1, 1, false)),
        (vec![v4("0.0.0.0/1", 1), v4("128.0.0.0/1", 2)], "203.0.113.7", (2, 1, false)),
        (vec![v4("0.0.0.0/1", 1), v4("128.0.0.0/1", 2)], "2002:cb00:7107::1", (2, 17, false)),
        // All alike: so is what holds it, and with it all of IPv6 but the private parts.
        (vec![v4("0.0.0.0/0", 1)], "10.0.0.1", (1, 0, false)),
        (vec![v4("0.0.0.0/0", 1)], "2002:cb00:7107::1", (1, 16, false)),
        (vec![v4("0.0.0.0/0", 0)], "2002:cb00:7107::1", (0, 1, false)),
        // Eight /17s are a /14.
        (
            (0..8).map(|i| (Ipv4Addr::from(0x0b00_0000 + (i << 15)), 17, Place(1))).collect(),
            "11.2.3.4",
            (1, 14, false),
        ),
        // Private addresses of which nobody has any.
        (vec![], "10.1.2.3", (0, 8, true)),
        (vec![], "100.127.0.1", (0, 10, true)),
        (vec![], "127.0.0.1", (0, 8, true)),
        (vec![], "169.254.1.1", (0, 16, true)),
        (vec![], "172.31.0.1", (0, 12, true)),
        (vec![], "192.168.1.1", (0, 16, true)),
        (vec![], "fd00::1", (0, 7, true)),
        (vec![], "fe80::1", (0, 10, true)),
        (vec![], "::ffff:10.1.2.3", (0, 104, true)),
        // And of which somebody has some.
        (vec![v4("10.1.0.0/16", 1)], "10.1.2.3", (1, 16, false)),
        (vec![v4("10.1.0.0/16", 1)], "10.2.2.3", (0, 15, true)),
    ] {
        let view = Arc::new(View::new(prefixes, vec![], Place::ANYWHERE, classes(4)));
        let (image, index) = image(&view);
        let address = address.parse().unwrap();
        assert_eq!(told(&view, address), expected, "{address}");
        assert_eq!(told_by_engine(&image, index, address), expected, "{address}");
    }
}
