//! The daemon's tables with what programs leave for one another, as the kernel's are: options are read by a program of their own.

use std::cell::{Cell, RefCell};

use tm_common::{
    answer::Slip,
    aside::{Aside, Case, Left},
    cookie::{Cookies, Jar},
    edns::{Opt, Payload},
    encloser::Encloser,
    limit::{Meter, Rate},
    link::Link,
    name::{LONG, SHORT},
    options::Options,
    packet::Packet,
    place::Line,
    tables::{
        Address, Addresses, Answer, AnswerIndex, Bucket, Entry, LARGE, Lookup, MEDIUM, Names, Placed, SMALL,
    },
    verdict::Reason,
};
use tm_userspace::sync::Image;

/// Both, for one packet.
pub(super) struct Tables<'a> {
    image: &'a Image,
    aside: Cell<Aside>,
    encloser: Cell<Encloser>,
    slip: Cell<Slip>,
    case: RefCell<Case>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(image: &'a Image) -> Self {
        let encloser = Cell::new(Encloser::NOTHING);
        Tables { image, aside: Cell::default(), encloser, slip: Cell::default(), case: RefCell::default() }
    }
}

impl Left for Tables<'_> {
    fn aside(&self) -> Aside {
        self.aside.get()
    }
    fn keep_aside(&self, found: Aside) {
        self.aside.set(found);
    }
    fn encloser(&self) -> Encloser {
        self.encloser.get()
    }
    fn keep_encloser(&self, found: Encloser) {
        self.encloser.set(found);
    }
    fn slip(&self) -> Slip {
        self.slip.get()
    }
    fn keep_slip(&self, slip: &Slip) {
        self.slip.set(*slip);
    }
    fn with_case<T>(&self, act: impl FnOnce(&mut Case) -> T) -> Option<T> {
        Some(act(&mut self.case.borrow_mut()))
    }
}

impl Lookup for Tables<'_> {
    fn options(
        &self,
        _packet: &mut impl Packet,
        at: usize,
        len: usize,
        address: &Address,
    ) -> Result<Options, Reason> {
        self.take_options(at, len, address)
    }
    fn leave_options(&self, at: usize, len: usize, address: &Address) {
        self.ask_options(at, len, address);
    }
    fn put_aside(&self, found: Aside) {
        self.leave(found);
    }
    fn leave_slip(&self, slip: &Slip) -> bool {
        self.keep_slip(slip);
        true
    }

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
        Lookup::payload(self.image)
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
    fn endings(&self, word: u32) -> Option<u64> {
        self.image.endings(word)
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
    fn turn(&self, index: u32, count: u32) -> Option<u32> {
        self.image.turn(index, count)
    }
    fn give_back(&self, index: u32) {
        self.image.give_back(index);
    }
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
    fn count(&self, counter: u32) {
        self.image.count(counter);
    }
}

impl Meter for Tables<'_> {
    fn rate(&self) -> Rate {
        self.image.rate()
    }
    fn ticks(&self) -> u64 {
        self.image.ticks()
    }
    fn count_in(&self, slot: u32, window: u32) -> Option<u32> {
        self.image.count_in(slot, window)
    }
    fn judge(&self, over: u32, client: &Address) -> Option<Reason> {
        self.image.judge(over, client)
    }
}

impl Jar for Tables<'_> {
    fn cookies(&self) -> Option<&Cookies> {
        self.image.cookies()
    }
    fn now(&self, cookies: &Cookies) -> Option<u32> {
        self.image.now(cookies)
    }
}

impl Names<SHORT> for Tables<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        Names::<SHORT>::entry(self.image, index)
    }
    fn find(&self, hash: u64) -> Option<(u32, &Entry<SHORT>)> {
        Names::<SHORT>::find(self.image, hash)
    }
}

impl Names<LONG> for Tables<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        Names::<LONG>::entry(self.image, index)
    }
    fn find(&self, hash: u64) -> Option<(u32, &Entry<LONG>)> {
        Names::<LONG>::find(self.image, hash)
    }
}
