//! A view as a list of prefixes, looked through for each address; and its scope by trying every length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Place, Told, View, classes};

/// Prefixes of a view, as they are given to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    pub(super) v4: Vec<(Ipv4Addr, u8, Place)>,
    pub(super) v6: Vec<(Ipv6Addr, u8, Place)>,
    pub(super) default: Place,
}

impl Naive {
    pub(super) fn view(&self) -> std::sync::Arc<View> {
        std::sync::Arc::new(View::new(self.v4.clone(), self.v6.clone(), self.default, classes(4)))
    }

    /// What clients at `address` are to be told.
    pub(super) fn told(&self, address: IpAddr) -> Told {
        let (place, is_private) = self.at(address);
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let points = self.points(address);
        let alike = |length: &u8| {
            points
                .iter()
                .filter(|point| in_prefix(**point, address, *length))
                .all(|point| self.at(*point) == (place, is_private))
        };
        let scope = (0..=bits).find(alike).unwrap();
        (place.0, scope, is_private)
    }

    /// The first and last addresses of whatever may be told apart, and their neighbours, as seen from `address`.
    pub(super) fn points(&self, address: IpAddr) -> Vec<IpAddr> {
        let private = [
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
        ];
        let mut v4: Vec<u32> = vec![0, u32::MAX];
        let prefixes = self.v4.iter().map(|(address, length, _)| (*address, *length));
        for (address, length) in prefixes.chain(private.map(parsed::<Ipv4Addr>)) {
            let first = address.to_bits();
            let last = first | u32::MAX.checked_shr(length.into()).unwrap_or(0);
            v4.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1)]);
        }
        let IpAddr::V6(address) = address else {
            return v4.into_iter().map(|at| Ipv4Addr::from(at).into()).collect();
        };
        let special = ["fc00::/7", "fe80::/10", "::ffff:0:0/96", "64:ff9b::/96", "2001::/32", "2002::/16"];
        let mut v6: Vec<u128> = vec![0, u128::MAX];
        let prefixes = self.v6.iter().map(|(address, length, _)| (*address, *length));
        for (address, length) in prefixes.chain(special.map(parsed::<Ipv6Addr>)) {
            let first = address.to_bits();
            let last = first | u128::MAX.checked_shr(length.into()).unwrap_or(0);
            v6.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1)]);
        }
        for at in v4.into_iter().map(u128::from) {
            let turned = at ^ 0xffff_ffff;
            v6.extend([
                0xffff << 32 | at,
                0x64_ff9b << 96 | at,
                0x2001 << 112 | turned,
                0x2002 << 112 | at << 80,
            ]);
            // The same in the prefixes that hold `address`, of which there are many.
            let (low, middle) = (address.to_bits() & !0xffff_ffff, address.to_bits() & !(0xffff_ffff << 80));
            v6.extend([low | at, low | turned, middle | at << 80]);
        }
        v6.into_iter().map(|at| Ipv6Addr::from(at).into()).collect()
    }

    fn at(&self, address: IpAddr) -> (Place, bool) {
        match address {
            IpAddr::V4(v4) => {
                let holding = self.v4.iter().map(|(first, length, place)| ((*first).into(), *length, *place));
                let private = v4.is_private()
                    || v4.is_loopback()
                    || v4.is_link_local()
                    || v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
                self.scan(holding, address, private)
            }
            IpAddr::V6(v6) => match (v6.to_ipv4_mapped(), v6.segments()) {
                (Some(v4), _) => self.at(v4.into()),
                (_, [0x64, 0xff9b, 0, 0, 0, 0, ..]) => self.at(Ipv4Addr::from(v6.to_bits() as u32).into()),
                (_, [0x2002, a, b, ..]) => self.at(Ipv4Addr::from(u32::from(a) << 16 | u32::from(b)).into()),
                (_, [0x2001, 0, .., a, b]) => {
                    self.at(Ipv4Addr::from(!(u32::from(a) << 16 | u32::from(b))).into())
                }
                _ => {
                    let holding =
                        self.v6.iter().map(|(first, length, place)| ((*first).into(), *length, *place));
                    self.scan(holding, address, v6.is_unique_local() || v6.is_unicast_link_local())
                }
            },
        }
    }

    /// The longest prefix around it, the first of equal ones; without one, it may be private.
    fn scan(
        &self,
        prefixes: impl Iterator<Item = (IpAddr, u8, Place)>,
        address: IpAddr,
        is_private: bool,
    ) -> (Place, bool) {
        let mut best: Option<(u8, Place)> = None;
        for (first, length, place) in prefixes {
            if in_prefix(address, first, length) && best.is_none_or(|(longest, _)| length > longest) {
                best = Some((length, place));
            }
        }
        best.map_or((self.default, is_private), |(_, place)| (place, false))
    }
}

fn in_prefix(address: IpAddr, other: IpAddr, length: u8) -> bool {
    let rest = match (address, other) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(32 - u32::from(length)).unwrap_or(0).into()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(length)).unwrap_or(0)
        }
        _ => 1,
    };
    rest == 0u128
}

fn parsed<A: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> (A, u8) {
    let (address, length) = text.split_once('/').unwrap();
    (address.parse().unwrap(), length.parse().unwrap())
}
