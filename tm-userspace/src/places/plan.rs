//! What is known of addresses without a database: the ranges of the layers, the prefixes that the operator knows distances of, the registries', and what is special, laid over each other.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use tm_common::place::{Inner, Leaf};

use super::{
    Partition, Place,
    prefix::{self, Prefix, Said, lay},
    refine::Question,
    runs::{Address, Builder, Runs, Span},
    special::{EMBEDDING, PRIVATE_V4, PRIVATE_V6},
};
use crate::geo::{Code, registries};

/// Addresses in order, by what is known of them.
#[derive(Debug)]
pub(super) struct Plan {
    /// From which address on it is which of `steps`.
    said: Vec<Said<u32>>,
    steps: Vec<Step>,
}

/// What is known of some addresses.
#[derive(Debug)]
pub(super) struct Step {
    /// For each layer the endpoint in whose range they are.
    pub(super) by_subnet: Vec<Option<usize>>,
    /// They do not tell where their owner is.
    pub(super) is_private: bool,
    /// They hold an IPv4 address.
    pub(super) inner: Option<Inner>,
    /// Where they are held to be without a database.
    pub(super) code: Code,
}

impl Plan {
    /// Of IPv4, right for the addresses in `span`.
    pub(super) fn v4(question: &Question, span: Span) -> Self {
        let private = PRIVATE_V4.map(|(address, length)| (IpAddr::from(address), length));
        Self::of(question, span, IpAddr::is_ipv4, &private, &[])
    }

    /// Of IPv6, likewise.
    pub(super) fn v6(question: &Question, span: Span) -> Self {
        let private = PRIVATE_V6.map(|(address, length)| (IpAddr::from(address), length));
        Self::of(
            question,
            span,
            IpAddr::is_ipv6,
            &private,
            &EMBEDDING.map(|(a, l, inner)| (a.into(), l, inner)),
        )
    }

    fn of(
        question: &Question,
        span: Span,
        is_family: fn(&IpAddr) -> bool,
        private: &[(IpAddr, u8)],
        embedding: &[(IpAddr, u8, Inner)],
    ) -> Self {
        // Zero where nothing is said.
        let lay = |prefixes: &mut dyn Iterator<Item = (IpAddr, u8, u32)>| -> Vec<Said<u32>> {
            let mine = prefixes.filter(|(address, ..)| is_family(address));
            let within = mine.filter_map(|(address, length, said)| {
                let (first, last) = prefix::span(prefix::bits(address), length);
                (first <= span.1 && last >= span.0).then_some((first, length, said))
            });
            lay(within.collect::<Vec<Prefix<u32>>>(), 0)
        };
        let registries = if question.by_registry { registries() } else { &[] };
        let mut sources = vec![
            lay(&mut private.iter().map(|(address, length)| (*address, *length, 1))),
            lay(&mut embedding.iter().zip(1..).map(|((address, length, _), i)| (*address, *length, i))),
            lay(&mut question
                .overrides
                .prefixes()
                .zip(1..)
                .map(|((address, length), i)| (address, length, i))),
            lay(&mut registries.iter().zip(1..).map(|((address, length, _), i)| (*address, *length, i))),
        ];
        let first_layer = sources.len();
        for layer in &question.layers {
            let ranges = layer.subnets.iter().map(|(address, length, i)| (*address, *length, *i as u32 + 1));
            sources.push(lay(&mut { ranges }));
        }
        let mut plan = Plan { said: vec![], steps: vec![] };
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        overlay(&sources, |first, all| {
            let number = known.get(all).copied().unwrap_or_else(|| {
                let ranges = &all[first_layer..];
                plan.steps.push(Step {
                    by_subnet: ranges.iter().map(|said| said.checked_sub(1).map(|i| i as usize)).collect(),
                    is_private: all[0] == 1 && all[2] == 0 && ranges.iter().all(|said| *said == 0),
                    inner: all[1].checked_sub(1).map(|i| embedding[i as usize].2),
                    code: all[3].checked_sub(1).map_or(Code::WORLD, |i| registries[i as usize].2),
                });
                let number = plan.steps.len() as u32 - 1;
                known.insert(all.to_vec(), number);
                number
            });
            plan.said.push((first, number));
        });
        plan
    }

    /// The last address of a part.
    pub(super) fn last(&self, part: usize) -> u128 {
        self.said.get(part + 1).map_or(u128::MAX, |(next, _)| next - 1)
    }

    /// Which step a part is, by number.
    pub(super) fn number(&self, part: usize) -> u32 {
        self.said[part].1
    }

    /// The step itself.
    pub(super) fn step(&self, part: usize) -> &Step {
        &self.steps[self.number(part) as usize]
    }
}

/// Goes through the parts in which no source changes what it says, in order: the first address, and what each source says there.
fn overlay(sources: &[Vec<Said<u32>>], mut part: impl FnMut(u128, &[u32])) {
    let mut at = vec![0; sources.len()];
    let mut said: Vec<u32> = sources.iter().map(|source| source[0].1).collect();
    let mut first = Some(0);
    while let Some(start) = first {
        first = None;
        for ((source, at), said) in sources.iter().zip(&mut at).zip(&mut said) {
            if source.get(*at + 1).is_some_and(|(next, _)| *next <= start) {
                *at += 1;
                *said = source[*at].1;
            }
            let next = source.get(*at + 1).map(|(next, _)| *next);
            first = first.into_iter().chain(next).min();
        }
        part(start, &said);
    }
}

/// Of prefixes whose places are given, the first of equal ones counts.
pub(super) fn of_prefixes(
    v4: Vec<(Ipv4Addr, u8, Place)>,
    v6: Vec<(Ipv6Addr, u8, Place)>,
    default: Place,
) -> Partition {
    fn runs<A: Address>(
        prefixes: Vec<Prefix<u32>>,
        private: Vec<Prefix<u32>>,
        inner: Vec<Prefix<u32>>,
        default: Place,
        leaf_of: impl Fn(u32) -> Leaf,
    ) -> Runs<A> {
        let mut runs = Builder::default();
        overlay(&[lay(prefixes, 0), lay(private, 0), lay(inner, 0)], |first, all| {
            let leaf = match all {
                [_, _, inner] if *inner > 0 => leaf_of(*inner - 1),
                [0, private, _] => Leaf::at(default.0, *private > 0),
                [place, ..] => Leaf::at((*place - 1) as u16, false),
                [] => Leaf::at(default.0, false),
            };
            runs.push(first, leaf);
        });
        runs.finish()
    }
    let said = |address: IpAddr, length: u8, said: u32| (prefix::bits(address), length, said + 1);
    let v4 = v4.into_iter().map(|(address, length, place)| said(address.into(), length, place.0.into()));
    let v6 = v6.into_iter().map(|(address, length, place)| said(address.into(), length, place.0.into()));
    let private = PRIVATE_V4.map(|(address, length)| said(address.into(), length, 0));
    let v4: Runs<u32> = runs(v4.collect(), private.into(), vec![], default, |_| Leaf::at(default.0, false));
    let private = PRIVATE_V6.map(|(address, length)| said(address.into(), length, 0));
    let inner =
        EMBEDDING.iter().zip(0..).map(|((address, length, _), i)| said((*address).into(), *length, i));
    let leaf = |i| v4.only().unwrap_or(Leaf::inside(EMBEDDING[i as usize].2));
    let v6 = runs(v6.collect(), private.into(), inner.collect(), default, leaf);
    Partition::new(v4, v6)
}
