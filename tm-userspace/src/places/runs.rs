//! The address space of a family laid flat: runs of addresses, each with what its clients' leaf says, no two neighbours alike.
//!
//! An address is written in the upper bits of a `u128`, whatever its family, so a run of IPv4 ends where the next /32 begins. Runs lie in chunks, which are shared with the runs
//! that others were made from: a change in one place costs a chunk, and what differs is found without a look at what does not.

use std::{
    mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use tm_common::place::Leaf;

/// Runs of a chunk.
const CHUNK: usize = 512;

/// An address as it is kept.
pub trait Address: Copy + Eq + Ord + std::fmt::Debug {
    /// From the upper bits of a number.
    fn pack(bits: u128) -> Self;
    /// To them.
    fn unpack(self) -> u128;
    /// The address that these upper bits are.
    fn address(bits: u128) -> IpAddr;
}

/// IPv4.
impl Address for u32 {
    fn pack(bits: u128) -> Self {
        (bits >> 96) as u32
    }
    fn unpack(self) -> u128 {
        u128::from(self) << 96
    }
    fn address(bits: u128) -> IpAddr {
        Ipv4Addr::from(Self::pack(bits)).into()
    }
}

/// IPv6, in 8-octet parts: so a run takes 24 octets and not 32.
impl Address for [u64; 2] {
    fn pack(bits: u128) -> Self {
        [(bits >> 64) as u64, bits as u64]
    }
    fn unpack(self) -> u128 {
        u128::from(self[0]) << 64 | u128::from(self[1])
    }
    fn address(bits: u128) -> IpAddr {
        Ipv6Addr::from(bits).into()
    }
}

/// Addresses from `first` to the next run's; the last run ends with the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<A> {
    first: A,
    /// What is known of the clients there; without a scope.
    pub leaf: Leaf,
}

impl<A: Address> Run<A> {
    /// Its first address.
    pub fn first(&self) -> u128 {
        self.first.unpack()
    }
}

/// Some runs, one at least.
type Chunk<A> = Arc<[Run<A>]>;

/// Runs that cover an address space, in order; the first begins at 0.
#[derive(Clone, Debug)]
pub struct Runs<A> {
    /// None of them empty.
    chunks: Vec<Chunk<A>>,
    len: usize,
}

/// First and last of some addresses.
pub type Span = (u128, u128);

impl<A: Address> Runs<A> {
    /// How many there are: one at least.
    pub fn count(&self) -> usize {
        self.len
    }

    /// The one run, where there are no others.
    pub fn only(&self) -> Option<Leaf> {
        match (self.len, self.chunks.first()) {
            (1, Some(chunk)) => Some(chunk[0].leaf),
            _ => None,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Run<A>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().copied())
    }

    /// The run that an address is in.
    pub fn at(&self, address: u128) -> Cursor<'_, A> {
        let chunk = self.chunks.partition_point(|chunk| chunk[0].first() <= address).saturating_sub(1);
        let run = self.chunks[chunk].partition_point(|run| run.first() <= address).saturating_sub(1);
        Cursor { runs: self, chunk, run }
    }

    /// These runs with `edit` in the place of what they say from its first address to its last. Also what went out, and what came in.
    pub fn with(&self, (first, last): Span, edit: &Self) -> (Self, Vec<Run<A>>, Vec<Run<A>>) {
        // The chunk before the first address may lose its border to the new ones, and so may that behind the last one.
        let from = self.at(first.saturating_sub(1)).chunk;
        let after = last.checked_add(1).map(|next| self.at(next));
        let to = after.as_ref().map_or(self.chunks.len(), |after| after.chunk + 1);
        let gone: Vec<Run<A>> =
            self.chunks[from..to].iter().flat_map(|chunk| chunk.iter().copied()).collect();
        let mut new = Builder::default();
        gone.iter().filter(|run| run.first() < first).for_each(|run| new.push(run.first(), run.leaf));
        edit.iter().for_each(|run| new.push(run.first(), run.leaf));
        if let (Some(next), Some(after)) = (last.checked_add(1), after) {
            new.push(next, after.run().leaf);
            gone.iter().filter(|run| run.first() > next).for_each(|run| new.push(run.first(), run.leaf));
        }
        let new = new.finish();
        let come: Vec<Run<A>> = new.iter().collect();
        let mut chunks = self.chunks.clone();
        chunks.splice(from..to, new.chunks);
        (Runs { chunks, len: self.len - gone.len() + come.len() }, gone, come)
    }

    /// Where the two say different things, in order, apart from one another.
    pub fn differing(&self, other: &Self) -> Vec<Span> {
        let mut spans: Vec<Span> = vec![];
        let (mut a, mut b) = (Some(self.at(0)), Some(other.at(0)));
        let mut at = 0u128;
        while let (Some(one), Some(two)) = (&a, &b) {
            if one.run == 0 && two.run == 0 && Arc::ptr_eq(one.lies_in(), two.lies_in()) {
                (a, b) = (one.next_chunk(), two.next_chunk());
                at = a.as_ref().map_or(at, |a| a.run().first());
                continue;
            }
            let ends = [one.last(), two.last()];
            let last = ends[0].min(ends[1]);
            if one.run().leaf != two.run().leaf {
                match spans.last_mut().filter(|span| span.1.checked_add(1) == Some(at)) {
                    Some(span) => span.1 = last,
                    None => spans.push((at, last)),
                }
            }
            let Some(next) = last.checked_add(1) else { break };
            at = next;
            let moved = ends.map(|end| end == last);
            (a, b) = (if moved[0] { one.next() } else { a }, if moved[1] { two.next() } else { b });
        }
        spans
    }
}

impl<A: Address> PartialEq for Runs<A> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Chunk<A>, &Chunk<A>)| Arc::ptr_eq(a, b);
        self.len == other.len
            && (self.chunks.len() == other.chunks.len() && self.chunks.iter().zip(&other.chunks).all(same)
                || self.iter().eq(other.iter()))
    }
}

impl<A: Address> Eq for Runs<A> {}

/// A run among others.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a, A> {
    runs: &'a Runs<A>,
    chunk: usize,
    run: usize,
}

impl<'a, A: Address> Cursor<'a, A> {
    /// The run.
    pub fn run(&self) -> &'a Run<A> {
        &self.lies_in()[self.run]
    }

    /// The one behind it.
    pub fn next(&self) -> Option<Self> {
        match self.run + 1 < self.lies_in().len() {
            true => Some(Cursor { run: self.run + 1, ..*self }),
            false => self.next_chunk(),
        }
    }

    /// Its last address.
    pub fn last(&self) -> u128 {
        self.next().map_or(u128::MAX, |next| next.run().first() - 1)
    }

    fn lies_in(&self) -> &'a Chunk<A> {
        &self.runs.chunks[self.chunk]
    }

    fn next_chunk(&self) -> Option<Self> {
        (self.chunk + 1 < self.runs.chunks.len()).then_some(Cursor { chunk: self.chunk + 1, run: 0, ..*self })
    }
}

/// Makes runs from left to right.
#[derive(Debug)]
pub struct Builder<A> {
    chunks: Vec<Chunk<A>>,
    open: Vec<Run<A>>,
    len: usize,
    leaf: Option<Leaf>,
}

impl<A> Default for Builder<A> {
    fn default() -> Self {
        Builder { chunks: vec![], open: Vec::with_capacity(CHUNK), len: 0, leaf: None }
    }
}

impl<A: Address> Builder<A> {
    /// From `first` on, which is behind what came before, it is this leaf.
    pub fn push(&mut self, first: u128, leaf: Leaf) {
        if self.leaf == Some(leaf) {
            return;
        }
        if self.open.len() == CHUNK {
            self.close();
        }
        self.leaf = Some(leaf);
        self.open.push(Run { first: A::pack(first), leaf });
        self.len += 1;
    }

    /// All runs; of nothing pushed, none.
    pub fn finish(mut self) -> Runs<A> {
        self.close();
        Runs { chunks: self.chunks, len: self.len }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.chunks.push(mem::take(&mut self.open).into());
            self.open.reserve(CHUNK);
        }
    }
}
