//! Who is mapped to a code, and what that makes of a database's rows.
//!
//! An address belongs to whoever is mapped to its most specific code, else to the next one up, `WORLD` last; to nobody where none of its codes
//! is mapped. A code may be mapped once.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use super::code::Code;

/// Who is mapped to which code, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mapping {
    owners: BTreeMap<Code, usize>,
}

/// A network: its first address, in the low bits for IPv4, and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<A> {
    /// The first address.
    pub start: A,
    /// Of the prefix: 0 to 32 or 128.
    pub length: u8,
}

/// The networks of a database by whom they belong to, of each family in the order of the addresses: apart from one another, as
/// large as they can be, and without those that belong to whom the unknown belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Of IPv4.
    pub v4: Vec<(Network<u32>, usize)>,
    /// Of IPv6.
    pub v6: Vec<(Network<u128>, usize)>,
    /// Whom every other address belongs to: those mapped to `WORLD`.
    pub rest: Option<usize>,
}

impl Mapping {
    /// Maps a code, as it is written, to `owner`.
    pub fn add(&mut self, code: &str, owner: usize) -> anyhow::Result<()> {
        let found = Code::find(code).ok_or_else(|| {
            let meant = Code::meant(code).map_or_else(String::new, |code| format!("; did you mean {code}?"));
            anyhow!("there is no code {code:?}{meant}")
        })?;
        match self.map(found, owner) {
            None => Ok(()),
            Some(_) => bail!("code {found} is mapped twice: map it to one alone"),
        }
    }

    /// Maps a code to `owner`; gives whom it was mapped to.
    pub fn map(&mut self, code: Code, owner: usize) -> Option<usize> {
        self.owners.insert(code, owner)
    }

    /// Who has the clients of a code.
    pub fn owner(&self, code: Code) -> Option<usize> {
        code.upwards().find_map(|code| self.owners.get(&code).copied())
    }
}

/// The bits of an address of either family.
pub(super) trait Bits: Copy + Eq {
    /// The first address of the network of this length that holds it.
    fn first(self, length: u8) -> Self;
}

impl Bits for u32 {
    fn first(self, length: u8) -> Self {
        self & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
    }
}

impl Bits for u128 {
    fn first(self, length: u8) -> Self {
        self & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
    }
}

/// Appends a network that lies behind all others, and makes one of neighbours that fill a larger one and belong to the same.
pub(super) fn append<A: Bits>(rows: &mut Vec<(Network<A>, usize)>, network: Network<A>, owner: usize) {
    rows.push((network, owner));
    while let [.., (left, its), (right, others)] = rows[..]
        && its == others
        && left.length == right.length
        && left.length > 0
        && left.start == right.start.first(right.length - 1)
    {
        rows.truncate(rows.len() - 2);
        rows.push((Network { start: left.start, length: left.length - 1 }, its));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(codes: &[(&str, usize)]) -> anyhow::Result<Mapping> {
        let mut mapping = Mapping::default();
        codes.iter().try_for_each(|(code, owner)| mapping.add(code, *owner))?;
        Ok(mapping)
    }

    #[test]
    fn the_most_specific_code_that_is_mapped_counts() {
        let owner = |mapping: &Mapping, code| mapping.owner(Code::find(code).unwrap());
        let whole = mapping(&[("US-CA", 0), ("us", 1), ("GEO-NA", 2), ("WORLD", 3), ("GEO-EU", 1)]).unwrap();
        for (code, expected) in [
            ("US-CA", 0),
            ("US-NY", 1),
            ("US", 1),
            ("MX", 2),
            ("FR", 1),
            ("GEO-EU", 1),
            ("JP", 3),
            ("WORLD", 3),
        ] {
            assert_eq!(owner(&whole, code), Some(expected), "{code}");
        }
        let part = mapping(&[("US-CA", 0), ("DE", 1)]).unwrap();
        for (code, expected) in
            [("US-CA", Some(0)), ("US", None), ("DE", Some(1)), ("FR", None), ("WORLD", None)]
        {
            assert_eq!(owner(&part, code), expected, "{code}");
        }
    }

    #[test]
    fn a_code_is_known_and_mapped_once() {
        let said = |codes: &[(&str, usize)]| mapping(codes).unwrap_err().to_string();
        assert_eq!(said(&[("DE", 0), ("de", 0)]), "code DE is mapped twice: map it to one alone");
        assert_eq!(said(&[("DE", 0), ("FR", 1), ("DE", 1)]), "code DE is mapped twice: map it to one alone");
        assert_eq!(said(&[("EU", 0)]), "there is no code \"EU\"; did you mean GEO-EU?");
    }

    #[test]
    fn neighbours_of_one_owner_become_one() {
        let merged = |networks: &[(u32, u8, usize)]| {
            let mut rows = Vec::new();
            for (start, length, owner) in networks {
                append(&mut rows, Network { start: *start, length: *length }, *owner);
            }
            rows.iter().map(|(network, owner)| (network.start, network.length, *owner)).collect::<Vec<_>>()
        };
        assert_eq!(merged(&[(0, 32, 7), (1, 32, 7), (2, 31, 7), (4, 30, 7)]), [(0, 29, 7)]);
        assert_eq!(merged(&[(0, 32, 7), (1, 32, 8)]), [(0, 32, 7), (1, 32, 8)]);
        // Side by side, but of no larger network's two halves.
        assert_eq!(merged(&[(1, 32, 7), (2, 32, 7)]), [(1, 32, 7), (2, 32, 7)]);
        assert_eq!(merged(&[(0, 31, 7), (4, 31, 7)]), [(0, 31, 7), (4, 31, 7)]);
        assert_eq!(merged(&[(0, 1, 7), (1 << 31, 1, 7)]), [(0, 0, 7)]);
    }
}
