//! The daemon's tables with what programs leave for one another, as the kernel's are: options are read by a program of their own.

use std::cell::{Cell, RefCell};

use tm_common::{
    answer::Slip,
    aside::{Aside, Case, Left},
    cookie::{Cookies, Jar},
    edns::{Opt, Payload},
    encloser::Encloser,
    limit::Meter,
    link::Link,
    name::{LONG, SHORT},
    options::Options,
    packet::Packet,
    place::{LINE, Line},
    tables::{
        Above, Address, Addresses, Answer, AnswerIndex, Block, Bucket, Entry, LARGE, Lookup, MEDIUM, Names,
        Placed, SMALL,
    },
    verdict::Reason,
};
use tm_userspace::sync::{Image, Reader};

use super::harm::{Countdown, Harm, Instead};

/// A row that was never written, and one that nobody writes.
static UNWRITTEN: Placed = Placed { block: Block { first: 0, count: 0, turn: 0 }, kind: 0 };
static NONSENSE: Placed =
    Placed { block: Block { first: u32::MAX, count: u32::MAX, turn: u32::MAX }, kind: u32::MAX };

/// Both, for one packet.
pub(super) struct Tables<'a> {
    image: Reader<'a>,
    aside: Cell<Aside>,
    encloser: Cell<Encloser>,
    slip: Cell<Slip>,
    case: RefCell<Case>,
    pub(super) countdown: Countdown,
    instead: Instead,
}

impl<'a> Tables<'a> {
    pub(super) fn new(image: &'a Image, harm: Option<Harm>) -> Self {
        let (nth, instead, lasting) = match harm {
            Some(Harm::Lookup { nth, finds, lasting }) => (Some(nth), finds, lasting),
            _ => (None, Instead::Nothing, false),
        };
        Tables {
            image: image.reader(),
            aside: Cell::default(),
            encloser: Cell::new(Encloser::NOTHING),
            slip: Cell::default(),
            case: RefCell::default(),
            countdown: Countdown::new(nth, lasting),
            instead,
        }
    }

    /// What was found, if this look-up does not fail; else, of what may be found in its place, what harm was ordered.
    fn found<T>(&self, found: Option<T>, zeroes: T, ones: T) -> Option<T> {
        match (self.countdown.is_up(), self.instead) {
            (false, _) => found,
            (true, Instead::Nothing) => None,
            (true, Instead::Zeroes) => Some(zeroes),
            (true, Instead::Ones) => Some(ones),
        }
    }
    /// The same for what is there or not.
    fn whole<T>(&self, found: Option<T>) -> Option<T> {
        found.filter(|_| !self.countdown.is_up())
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
        self.whole(Some(()))?;
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
        self.found(self.image.ending(ending), Above::NOTHING, Above(u32::MAX))
    }
    fn served(&self, line: u32) -> Option<&Addresses> {
        self.whole(self.image.served(line))
    }
    fn own(&self, word: u32) -> Option<u64> {
        self.found(self.image.own(word), 0, u64::MAX)
    }
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.whole(self.image.bucket(index))
    }
    fn turn(&self, index: u32, count: u32) -> Option<u32> {
        self.whole(self.image.turn(index, count))
    }
    fn give_back(&self, index: u32) {
        self.image.give_back(index);
    }
    fn line(&self, index: u32) -> Option<&Line> {
        self.found(self.image.line(index), &Line([0; LINE]), &Line([u32::MAX; LINE]))
    }
    fn placed(&self, index: u32) -> Option<&Placed> {
        let placed = self.image.placed(index);
        // A row by type is never without its end, but where all of it is not there.
        if self.countdown.lasting { self.found(placed, &UNWRITTEN, &NONSENSE) } else { self.whole(placed) }
    }
    fn slot(&self, index: u32) -> Option<AnswerIndex> {
        self.found(self.image.slot(index), AnswerIndex(0), AnswerIndex(u32::MAX))
    }
    fn small(&self, index: u32) -> Option<&Answer<SMALL>> {
        self.whole(self.image.small(index))
    }
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>> {
        self.whole(self.image.medium(index))
    }
    fn large(&self, index: u32) -> Option<&Answer<LARGE>> {
        self.whole(self.image.large(index))
    }
    fn count(&self, counter: u32) {
        self.image.count(counter);
    }
}

impl Meter for Tables<'_> {
    fn most(&self) -> u32 {
        self.image.most()
    }
    fn shift(&self) -> u32 {
        self.image.shift()
    }
    fn ticks(&self) -> u64 {
        self.image.ticks()
    }
    fn count_in(&self, slot: u32, window: u32) -> Option<u32> {
        self.whole(self.image.count_in(slot, window))
    }
    fn judge(&self, over: u32, client: &Address) -> Option<Reason> {
        self.whole(self.image.judge(over, client))
    }
}

impl Jar for Tables<'_> {
    fn cookies(&self) -> Option<&Cookies> {
        self.whole(self.image.cookies())
    }
    fn now(&self, cookies: &Cookies) -> Option<u32> {
        self.whole(self.image.now(cookies))
    }
}

impl Names<SHORT> for Tables<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        self.whole(Names::<SHORT>::entry(&self.image, index))
    }
}

impl Names<LONG> for Tables<'_> {
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        self.whole(Names::<LONG>::entry(&self.image, index))
    }
}
