//! Prefixes laid flat: what the longest one around each address says.

use std::net::IpAddr;

use super::runs::{Address as _, Span};

/// What is said of addresses from here on.
pub(super) type Said<T> = (u128, T);

/// A prefix: its address in the upper bits, its length, and what it says.
pub(super) type Prefix<T> = (u128, u8, T);

/// An address in the upper bits.
pub(super) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The addresses of a prefix.
pub(super) fn span(first: u128, length: u8) -> Span {
    (first, first | u128::MAX.checked_shr(length.into()).unwrap_or(0))
}

/// The last address of a prefix.
pub(super) fn last(first: IpAddr, length: u8) -> IpAddr {
    let (_, last) = span(bits(first), length);
    match first {
        IpAddr::V4(_) => u32::address(last),
        IpAddr::V6(_) => <[u64; 2]>::address(last),
    }
}

/// Of prefixes that are equal the first counts; whoever is in none is told `rest`. No two neighbours are alike.
pub(super) fn lay<T: Copy + PartialEq>(mut prefixes: Vec<Prefix<T>>, rest: T) -> Vec<Said<T>> {
    prefixes.sort_by_key(|(first, length, _)| (*first, *length));
    prefixes.dedup_by_key(|(first, length, _)| (*first, *length));
    let mut flat = vec![(0, rest)];
    // What the present address is in, the longest prefix last: its last address, and what it says.
    let mut around: Vec<Said<T>> = vec![];
    for (first, length, said) in prefixes {
        close(&mut flat, &mut around, Some(first), rest);
        say(&mut flat, first, said);
        around.push((span(first, length).1, said));
    }
    close(&mut flat, &mut around, None, rest);
    flat
}

/// Ends the prefixes that end before `next`.
fn close<T: Copy + PartialEq>(
    flat: &mut Vec<Said<T>>,
    around: &mut Vec<Said<T>>,
    next: Option<u128>,
    rest: T,
) {
    while let Some((last, _)) = around.pop_if(|(last, _)| next.is_none_or(|next| *last < next)) {
        if let Some(behind) = last.checked_add(1) {
            say(flat, behind, around.last().map_or(rest, |(_, said)| *said));
        }
    }
}

fn say<T: Copy + PartialEq>(flat: &mut Vec<Said<T>>, first: u128, said: T) {
    if flat.last().is_some_and(|(last, _)| *last == first) {
        flat.pop();
    }
    if flat.last().is_none_or(|(_, last)| *last != said) {
        flat.push((first, said));
    }
}
