//! The address space of both families, parted into places.

use std::{
    hash::{Hash, Hasher},
    net::IpAddr,
};

use tm_common::place::{Found, Leaf};

use super::{
    Place, prefix,
    runs::{Address, Run, Runs, Span},
    special::{EMBEDDING, inner},
};

/// Which place each address is in.
#[derive(Clone, Debug)]
pub struct Partition {
    v4: Runs<u32>,
    v6: Runs<[u64; 2]>,
    tally: Tally,
}

/// Of all runs, kept up to date as some of them change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// How many each place has.
    runs: Vec<u32>,
    /// A sum over them: other runs, another sum.
    print: u64,
}

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Its place.
    pub place: Place,
    /// The length of the largest prefix around it all of which is there, 0 to 128.
    pub scope: u8,
    /// Does the address not tell where its owner is?
    pub is_private: bool,
}

impl Partition {
    /// Of runs that cover either family.
    pub fn new(v4: Runs<u32>, v6: Runs<[u64; 2]>) -> Self {
        let mut tally = Tally::default();
        v4.iter().for_each(|run| tally.add(&run));
        v6.iter().for_each(|run| tally.add(&run));
        Partition { v4, v6, tally }
    }

    /// Runs of IPv4.
    pub fn v4(&self) -> &Runs<u32> {
        &self.v4
    }
    /// Runs of IPv6; those that hold IPv4 addresses say so.
    pub fn v6(&self) -> &Runs<[u64; 2]> {
        &self.v6
    }
    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.v4.count() + self.v6.count()
    }
    /// In how many spans of addresses it says something else than `other`.
    pub fn differing(&self, other: &Partition) -> usize {
        self.v4.differing(&other.v4).len() + self.v6.differing(&other.v6).len()
    }
    /// How many runs are at this place.
    pub fn runs_at(&self, place: usize) -> u32 {
        self.tally.runs.get(place).copied().unwrap_or(0)
    }

    /// With other runs of IPv4 there.
    #[must_use]
    pub(super) fn with_v4(&self, span: Span, edit: &Runs<u32>) -> Self {
        let (v4, gone, come) = self.v4.with(span, edit);
        Partition { v4, v6: self.v6.clone(), tally: self.tally.exchanged(&gone, &come) }
    }

    /// With other runs of IPv6 there.
    #[must_use]
    pub(super) fn with_v6(&self, span: Span, edit: &Runs<[u64; 2]>) -> Self {
        let (v6, gone, come) = self.v6.with(span, edit);
        Partition { v4: self.v4.clone(), v6, tally: self.tally.exchanged(&gone, &come) }
    }

    /// Where an address is, as the engine finds it.
    pub fn find(&self, address: IpAddr) -> Spot {
        let bits = prefix::bits(address);
        let IpAddr::V6(v6) = address else { return spot(&self.v4, bits) };
        match EMBEDDING.iter().find(|(_, _, inner)| self.v6.at(bits).run().leaf == Leaf::inside(*inner)) {
            None => spot(&self.v6, bits),
            Some((_, _, inside)) => {
                let (address, before) = inner(v6, *inside);
                let found = spot(&self.v4, prefix::bits(address.into()));
                Spot { scope: found.scope + before, ..found }
            }
        }
    }
}

/// A prefix is all in a run if it has neither the address before the run nor the one behind it.
fn spot<A: Address>(runs: &Runs<A>, address: u128) -> Spot {
    let run = runs.at(address);
    let before = run.run().first().checked_sub(1);
    let behind = run.last().checked_add(1);
    let alike = |other: u128| (address ^ other).leading_zeros() as u8 + 1;
    let scope = before.map_or(0, alike).max(behind.map_or(0, alike));
    let found = Found(run.run().leaf.0);
    Spot { place: place(run.run().leaf), scope, is_private: found.is_private() }
}

/// The place that a leaf says.
pub(super) fn place(leaf: Leaf) -> Place {
    Place(Found(leaf.0).place() as u16)
}

impl Tally {
    fn add<A: Address>(&mut self, run: &Run<A>) {
        let place = usize::from(place(run.leaf).0);
        if self.runs.len() <= place {
            self.runs.resize(place + 1, 0);
        }
        self.runs[place] += 1;
        self.print = self.print.wrapping_add(print(run));
    }

    fn exchanged<A: Address>(&self, gone: &[Run<A>], come: &[Run<A>]) -> Self {
        let mut tally = self.clone();
        come.iter().for_each(|run| tally.add(run));
        for run in gone {
            tally.runs[usize::from(place(run.leaf).0)] -= 1;
            tally.print = tally.print.wrapping_sub(print(run));
        }
        // As if it had been counted from the start.
        tally.runs.truncate(tally.runs.iter().rposition(|runs| *runs > 0).map_or(0, |last| last + 1));
        tally
    }
}

fn print<A: Address>(run: &Run<A>) -> u64 {
    let first = run.first();
    let mixed =
        ((first >> 64) as u64 ^ (first as u64).rotate_left(23) ^ u64::from(run.leaf.0).rotate_left(40))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

impl PartialEq for Partition {
    fn eq(&self, other: &Self) -> bool {
        self.tally == other.tally && self.v4 == other.v4 && self.v6 == other.v6
    }
}

impl Eq for Partition {}

impl Hash for Partition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.tally.print);
    }
}
