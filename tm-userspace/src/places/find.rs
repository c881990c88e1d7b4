//! Where a view puts an address, as the engine does it over the view's tries.

use std::net::IpAddr;

use tm_common::place::{Found, Inner, Leaf};

use super::{
    View,
    trie::{EMBEDDING, Run, lay_v4, lay_v6},
};

impl View {
    /// The place of a client with this address, and the length of the largest prefix around it that has this place.
    pub fn find(&self, address: IpAddr) -> Found {
        let v4 = lay_v4(self);
        let of_v4 = |address: u32| look_up(&v4, u128::from(address) << 96);
        let address = match address {
            IpAddr::V4(address) => return of_v4(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let inner =
            EMBEDDING.iter().find(|(first, length, _)| (first.to_bits() ^ address) >> (128 - length) == 0);
        let Some((.., inner)) = inner.filter(|_| v4.len() > 1) else {
            return look_up(&lay_v6(self, &v4), address);
        };
        let (address, before) = match inner {
            Inner::Last => (address as u32, 96),
            Inner::Turned => (!address as u32, 96),
            Inner::Second => ((address >> 80) as u32, 16),
        };
        let found = of_v4(address);
        Found(Leaf(found.0).with_scope(found.scope() as u8 + before).0)
    }
}

fn look_up(runs: &[Run], address: u128) -> Found {
    let at = runs.partition_point(|run| run.first <= address) - 1;
    let run = runs[at];
    let last = runs.get(at + 1).map_or(u128::MAX, |next| next.first - 1);
    let is_alike = |scope: &u8| {
        let rest = u128::MAX.checked_shr((*scope).into()).unwrap_or(0);
        address & !rest >= run.first && address | rest <= last
    };
    let scope = (0..=128).find(is_alike).unwrap_or(128);
    Found(run.leaf.with_scope(scope).0)
}
