//! The engine's look-ups over the daemon's own tables: what the sockets answer from, and whoever wants to know what they would say.

use std::{
    ops::Deref,
    sync::atomic::Ordering,
    time::{SystemTime, UNIX_EPOCH},
};

use tm_common::{
    cookie::{Cookies, EARLIEST, Jar},
    edns::{Opt, Payload},
    link::Link,
    name::{LONG, SHORT},
    place::Line,
    tables::{
        Above, Addresses, Answer, AnswerIndex, Block, Bucket, Entry, LARGE, Lookup, MEDIUM, Names, Placed,
        SMALL, bucket_index, tag,
    },
    verdict::{OrRefuse as _, Reason},
};

use super::Image;
use crate::{compile::row_index, names::DnsName, places::Place};

/// The tables as somebody reads them.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    image: &'a Image,
    /// Whose turn it is in every block, for a reader who leaves no trace; without it turns are taken and answers counted.
    pub(super) turn: Option<u32>,
}

impl Deref for Reader<'_> {
    type Target = Image;

    fn deref(&self) -> &Image {
        self.image
    }
}

impl Image {
    /// These tables for who answers: turns are taken, answers counted and limited.
    pub fn reader(&self) -> Reader<'_> {
        Reader { image: self, turn: None }
    }

    /// These tables as if in every block it were this turn; nothing is counted.
    pub fn at_turn(&self, turn: u32) -> Reader<'_> {
        Reader { image: self, turn: Some(turn) }
    }

    /// The block that answers a type, by its number, for a name at a place. `None` for a type that nobody has.
    pub fn block(&self, name: &DnsName, place: Place, kind: u16) -> Option<Block> {
        let rows = &self.places.get(name)?.rows;
        let row = rows.places.get(usize::from(place.0))?;
        let types = rows.by_type.as_ref().map_or(&[][..], |by_type| &by_type.types);
        Some(row.get(row_index(types, kind)?)?.0)
    }
}

impl Lookup for Reader<'_> {
    fn port(&self) -> u16 {
        self.frozen.port.to_be()
    }
    fn seed(&self) -> u64 {
        self.seed
    }
    fn opt(&self) -> Opt {
        Opt::new(self.frozen.payload.most)
    }
    fn payload(&self) -> Payload {
        self.frozen.payload
    }
    fn has_vlans(&self) -> bool {
        !self.frozen.vlans.is_empty()
    }
    fn vlan(&self, id: u16) -> bool {
        self.frozen.vlans.contains(&id)
    }
    fn link(&self) -> Link {
        self.frozen.link
    }
    fn ending(&self, ending: u32) -> Option<Above> {
        self.above(ending)
    }
    fn served(&self, line: u32) -> Option<&Addresses> {
        self.served.get(line as usize)
    }
    fn own(&self, word: u32) -> Option<u64> {
        self.own.get(word as usize).copied()
    }
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.buckets.get(index as usize & (self.buckets.len() - 1))
    }
    fn turn(&self, index: u32, count: u32) -> Option<u32> {
        if let Some(turn) = self.turn {
            return Some(if turn < count { turn } else { 0 });
        }
        let turn = self.own_turns.get(index as usize)?;
        let next = |now: u32| Some(if now < count { now + 1 } else { 1 });
        let now = turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(if now < count { now } else { 0 })
    }
    fn give_back(&self, index: u32) {
        if self.turn.is_none()
            && let Some(turn) = self.own_turns.get(index as usize)
        {
            // It fails for nobody: there is always a value.
            _ = turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(1)));
        }
    }
    fn line(&self, index: u32) -> Option<&Line> {
        self.nodes.lines().get(index)
    }
    fn placed(&self, index: u32) -> Option<&Placed> {
        self.blocks.get(index)
    }
    fn slot(&self, index: u32) -> Option<AnswerIndex> {
        self.slots.get(index).copied()
    }
    fn small(&self, index: u32) -> Option<&Answer<SMALL>> {
        self.small.get(index)
    }
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>> {
        self.medium.get(index)
    }
    fn large(&self, index: u32) -> Option<&Answer<LARGE>> {
        self.large.get(index)
    }
    fn count(&self, counter: u32) {
        if self.turn.is_none() {
            self.counted.count(counter);
        }
    }
}

impl Jar for Reader<'_> {
    fn cookies(&self) -> Option<&Cookies> {
        Some(&self.cookies)
    }
    fn now(&self, _cookies: &Cookies) -> Option<u32> {
        let time = self.time.load(Ordering::Relaxed);
        if time != 0 {
            return Some(time);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (now >= EARLIEST).then_some(now as u32)
    }
}

impl Reader<'_> {
    /// The element that a name's entry is filed under; unlike in a mirror, none is ever left out.
    fn filed(&self, hash: u64, class: usize) -> Option<u32> {
        if let Some(entry) = self.homeless.get(&(hash, class)) {
            return Some(*entry);
        }
        let tag = tag(hash);
        let bucket = self.bucket(bucket_index(hash))?;
        bucket.0.iter().find(|place| (**place >> 32) as u32 == tag).map(|place| *place as u32)
    }
}

impl Names<SHORT> for Reader<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        self.entries.get(index)
    }
    fn find(&self, hash: u64) -> Result<(u32, &Entry<SHORT>), Reason> {
        let index = self.filed(hash, SHORT).or_refuse(Reason::UnknownName)?;
        Ok((index, self.entries.get(index).or_refuse(Reason::NoAnswer)?))
    }
}

impl Names<LONG> for Reader<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        self.long_entries.get(index)
    }
    fn find(&self, hash: u64) -> Result<(u32, &Entry<LONG>), Reason> {
        let index = self.filed(hash, LONG).or_refuse(Reason::UnknownName)?;
        Ok((index, self.long_entries.get(index).or_refuse(Reason::NoAnswer)?))
    }
}
