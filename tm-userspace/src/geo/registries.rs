//! Where clients are held to be without any database: on the continent whose registry gave out their addresses.
//!
//! That is a committed table of some hundred prefixes, right for most clients and wrong for many: it is for guesses of how far they are, which need be no better than
//! chance, and never for what is mapped to places.

use std::{net::IpAddr, sync::LazyLock};

use super::{code::Code, latency};
use crate::prefix;

/// Prefixes apart from one another, with the code of their registry's grouping.
pub fn registries() -> &'static [(IpAddr, u8, Code)] {
    static TABLE: LazyLock<Vec<(IpAddr, u8, Code)>> = LazyLock::new(|| {
        let rows = super::lines(include_str!("data/registries.csv"));
        rows.filter_map(|line| {
            let (network, code) = line.split_once(',')?;
            let (address, length) = latency::prefix(network)?.ok()?;
            Some((address, length, Code::find(code)?))
        })
        .collect()
    });
    &TABLE
}

/// The code of the grouping whose registry gave out an address, if any did.
pub fn code_of_registry(address: IpAddr) -> Option<Code> {
    let holds = |(first, length, _): &&(IpAddr, u8, Code)| prefix::holds(*first, *length, address);
    registries().iter().find(holds).map(|(.., code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_its_prefixes_lie_apart() {
        let lines = super::super::lines(include_str!("data/registries.csv")).count();
        assert_eq!((registries().len(), lines), (152, 152));
        let ends = |(first, length, _): &(IpAddr, u8, Code)| {
            let bits = |address: IpAddr| match address {
                IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
                IpAddr::V6(v6) => v6.to_bits(),
            };
            (bits(*first), bits(*first) | (u128::MAX >> length))
        };
        for pair in registries().windows(2).filter(|pair| pair[0].0.is_ipv4() == pair[1].0.is_ipv4()) {
            assert!(ends(&pair[0]).1 < ends(&pair[1]).0, "{pair:?}");
        }
    }

    #[test]
    fn continents_are_those_of_the_registries() {
        let of = |address: &str| code_of_registry(address.parse().unwrap());
        // RIPE NCC's own, Google's resolver, APNIC's, LACNIC's, AFRINIC's; and of nobody.
        for (address, code) in [
            ("193.0.6.139", Some("GEO-EU")),
            ("8.8.8.8", Some("GEO-NA")),
            ("1.1.1.1", Some("GEO-AS")),
            ("200.3.14.10", Some("GEO-SA")),
            ("196.216.2.1", Some("GEO-AF")),
            ("2001:67c:2e8::1", Some("GEO-EU")),
            ("2600::1", Some("GEO-NA")),
            ("10.0.0.1", None),
            ("127.0.0.1", None),
            ("224.0.0.1", None),
            ("fd53::1", None),
        ] {
            assert_eq!(of(address).map(Code::as_str), code, "{address}");
        }
    }
}
