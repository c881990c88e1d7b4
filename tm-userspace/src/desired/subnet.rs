//! A range of addresses, and the prefixes that it is made of.

use std::{fmt, net::IpAddr};

/// A range of addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    /// The first.
    pub first: IpAddr,
    /// The last, not before the first.
    pub last: IpAddr,
}

impl Subnet {
    /// The fewest prefixes that together are the range.
    pub fn prefixes(self) -> Vec<(IpAddr, u8)> {
        let (bits, first, last) = self.span();
        let (mut prefixes, mut next) = (vec![], Some(first));
        while let Some(first) = next.filter(|first| *first <= last) {
            // As large as the address is aligned, and no further than the last.
            let most = u128::BITS - 1 - (last - first).checked_add(1).unwrap_or(1 << 127).leading_zeros();
            let size = first.trailing_zeros().min(most).min(bits);
            let whole = first == 0 && last == u128::MAX;
            let size = if whole { bits } else { size };
            let address = match self.first {
                IpAddr::V4(_) => IpAddr::V4((first as u32).into()),
                IpAddr::V6(_) => IpAddr::V6(first.into()),
            };
            prefixes.push((address, (bits - size) as u8));
            next = 1u128.checked_shl(size).and_then(|size| first.checked_add(size));
        }
        prefixes
    }

    /// How many addresses it has, less one.
    pub fn size(self) -> u128 {
        let (_, first, last) = self.span();
        last - first
    }

    /// Bits of an address, and both ends as numbers.
    fn span(self) -> (u32, u128, u128) {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => (32, first.to_bits().into(), last.to_bits().into()),
            (IpAddr::V6(first), IpAddr::V6(last)) => (128, first.to_bits(), last.to_bits()),
            (first, _) => Subnet { first, last: first }.span(),
        }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefixes()[..] {
            [(address, length)] => write!(f, "{address}/{length}"),
            _ => write!(f, "{}-{}", self.first, self.last),
        }
    }
}
