//! Milliseconds to regions by prefix of the client's address: the longest one counts.

use std::{collections::BTreeSet, net::IpAddr};

use imbl::{OrdMap, ordmap::DiffItem};

use super::region::Region;
use crate::prefix::network;

/// For some prefixes, how far some regions are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Prefixes {
    known: OrdMap<(IpAddr, u8), Vec<(Region, f64)>>,
    /// Lengths that there are, whatever the family.
    lengths: BTreeSet<u8>,
}

impl Prefixes {
    /// Says how far a region is. `false` where that was said before.
    pub(super) fn add(&mut self, prefix: (IpAddr, u8), region: Region, milliseconds: f64) -> bool {
        let known = self.known.entry(prefix).or_default();
        let is_new = known.iter().all(|(other, _)| *other != region);
        if is_new {
            known.push((region, milliseconds));
            self.lengths.insert(prefix.1);
        }
        is_new
    }

    /// Says how far these regions are, whatever was said before; with none of them, nothing is said of the prefix any more.
    pub(super) fn set(&mut self, prefix: (IpAddr, u8), regions: Vec<(Region, f64)>) {
        if regions.is_empty() {
            self.known.remove(&prefix);
        } else {
            self.known.insert(prefix, regions);
            self.lengths.insert(prefix.1);
        }
    }

    /// Prefixes of which `other` says something else.
    pub(super) fn differing(&self, other: &Prefixes) -> impl Iterator<Item = (IpAddr, u8)> {
        self.known.diff(&other.known).map(|item| match item {
            DiffItem::Add(prefix, _) | DiffItem::Remove(prefix, _) => *prefix,
            DiffItem::Update { old: (prefix, _), .. } => *prefix,
        })
    }

    /// By the longest prefix around `address` that says something of the region.
    pub(super) fn find(&self, address: IpAddr, region: Region) -> Option<f64> {
        let bits = bits(address);
        self.lengths.range(..=bits).rev().find_map(|length| {
            let known = self.known.get(&(network(address, *length), *length))?;
            known.iter().find(|(other, _)| *other == region).map(|(_, milliseconds)| *milliseconds)
        })
    }

    /// Every prefix.
    pub(super) fn all(&self) -> impl Iterator<Item = (IpAddr, u8)> {
        self.known.keys().copied()
    }
}

/// Bits of the addresses of a family.
pub(super) fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
