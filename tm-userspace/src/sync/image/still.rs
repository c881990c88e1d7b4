//! The tables asked without a trace: nothing is counted, and it is whoever's turn the asker says.

use tm_common::{
    cookie::{Cookies, Jar},
    edns::{Opt, Payload},
    limit::{Meter, Rate},
    link::Link,
    name::{LONG, SHORT},
    place::Line,
    tables::{
        Above, Address, Addresses, Answer, AnswerIndex, Block, Bucket, Entry, LARGE, Lookup, MEDIUM, Names,
        Placed, SMALL,
    },
    verdict::Reason,
};

use super::Image;
use crate::{compile::row_index, names::DnsName, places::Place};

/// The tables at one turn.
#[derive(Clone, Copy, Debug)]
pub struct Still<'a> {
    image: &'a Image,
    turn: u32,
}

impl Image {
    /// These tables, as if in every block it were this turn.
    pub fn at_turn(&self, turn: u32) -> Still<'_> {
        Still { image: self, turn }
    }

    /// The block that answers a type, by its number, for a name at a place. `None` for a type that nobody has.
    pub fn block(&self, name: &DnsName, place: Place, kind: u16) -> Option<Block> {
        let rows = &self.places.get(name)?.rows;
        let row = rows.places.get(usize::from(place.0))?;
        let types = rows.by_type.as_ref().map_or(&[][..], |by_type| &by_type.types);
        Some(row.get(row_index(types, kind)?)?.0)
    }
}

impl Lookup for Still<'_> {
    fn port(&self) -> u16 {
        self.image.port()
    }
    fn seed(&self) -> u64 {
        self.image.seed()
    }
    fn opt(&self) -> Opt {
        self.image.opt()
    }
    fn payload(&self) -> Payload {
        self.image.payload()
    }
    fn has_vlans(&self) -> bool {
        self.image.has_vlans()
    }
    fn vlan(&self, id: u16) -> bool {
        self.image.vlan(id)
    }
    fn link(&self) -> Link {
        self.image.link()
    }
    fn ending(&self, ending: u32) -> Option<Above> {
        self.image.ending(ending)
    }
    fn served(&self, line: u32) -> Option<&Addresses> {
        self.image.served(line)
    }
    fn own(&self, word: u32) -> Option<u64> {
        self.image.own(word)
    }
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.image.bucket(index)
    }
    fn turn(&self, _index: u32, count: u32) -> Option<u32> {
        Some(if self.turn < count { self.turn } else { 0 })
    }
    fn give_back(&self, _index: u32) {}
    fn line(&self, index: u32) -> Option<&Line> {
        self.image.line(index)
    }
    fn placed(&self, index: u32) -> Option<&Placed> {
        self.image.placed(index)
    }
    fn slot(&self, index: u32) -> Option<AnswerIndex> {
        self.image.slot(index)
    }
    fn small(&self, index: u32) -> Option<&Answer<SMALL>> {
        self.image.small(index)
    }
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>> {
        self.image.medium(index)
    }
    fn large(&self, index: u32) -> Option<&Answer<LARGE>> {
        self.image.large(index)
    }
    fn count(&self, _counter: u32) {}
}

impl Meter for Still<'_> {
    fn rate(&self) -> Rate {
        Rate::default()
    }
    fn ticks(&self) -> u64 {
        0
    }
    fn count_in(&self, _slot: u32, _window: u32) -> Option<u32> {
        None
    }
    fn judge(&self, _over: u32, _client: &Address) -> Option<Reason> {
        None
    }
}

impl Jar for Still<'_> {
    fn cookies(&self) -> Option<&Cookies> {
        self.image.cookies()
    }
    fn now(&self, cookies: &Cookies) -> Option<u32> {
        self.image.now(cookies)
    }
}

impl Names<SHORT> for Still<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        Names::<SHORT>::entry(self.image, index)
    }
    fn find(&self, hash: u64) -> Result<(u32, &Entry<SHORT>), Reason> {
        Names::<SHORT>::find(self.image, hash)
    }
}

impl Names<LONG> for Still<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        Names::<LONG>::entry(self.image, index)
    }
    fn find(&self, hash: u64) -> Result<(u32, &Entry<LONG>), Reason> {
        Names::<LONG>::find(self.image, hash)
    }
}
