//! How many answers the clients of one prefix are given over UDP in a while, of each class: the look-up, the count and the verdict, for programs and sockets alike.
//!
//! Whoever writes somebody else's address into its queries has the answers sent there. So a prefix, the /24 of an IPv4 or the /56 of an IPv6 address, is given so many answers of a
//! class in a window of about a second, and what is over that is dropped, but for one in a few, to which an empty reply with TC set is said instead (*slipped*), no longer than the query:
//! whoever really is there comes back over TCP. Who has shown to be at its address, by a right cookie, is not counted; who is allowed is never over.
//!
//! A prefix and a class share one of [`SLOTS`] counters with the others of the same hash: all is bounded, nothing is ever inserted, and no two windows are looked at.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    tables::{Address, v4_mapped},
    verdict::Reason,
};

/// Counters: a power of two.
pub const SLOTS: u32 = 1 << 14;
/// The golden ratio's bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Prefixes that may be allowed.
pub const MOST_ALLOWED: usize = 64;

/// What is counted apart, so that a flood of one does not silence the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Kind {
    /// An answer with records.
    Positive = 0,
    /// The name has no such type.
    NoData = 1,
    /// There is no such name.
    NoName = 2,
    /// Any other code.
    Error = 3,
}

impl Kind {
    /// That of a reply with this RCODE, which has answers or not.
    #[inline(always)]
    pub const fn of(code: u16, has_answers: bool) -> Self {
        match (code, has_answers) {
            (0, true) => Kind::Positive,
            (0, false) => Kind::NoData,
            (3, _) => Kind::NoName,
            _ => Kind::Error,
        }
    }
}

/// How many are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rate {
    /// In a window, to one prefix, of one kind; 0 for any number.
    pub most: u32,
    /// A window is 2^this ticks of the clock.
    pub shift: u32,
}

/// A client's prefix, in the upper 56 bits of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix(u64);

impl Prefix {
    /// The /24 of an IPv4 address in memory order.
    #[inline(always)]
    pub const fn v4(address: u32) -> Self {
        Prefix((address as u64) << 40)
    }

    /// The /56 of an IPv6 address, of its first eight octets in memory order. One that begins with the zeroes that an IPv4 address has here is nobody's.
    #[inline(always)]
    pub const fn v6(first: u64) -> Self {
        Prefix(first << 8)
    }

    /// Of either.
    pub fn of(address: &Address) -> Self {
        let v4 = (address[1] >> 32) as u32;
        if *address == v4_mapped(v4) { Prefix::v4(v4) } else { Prefix::v6(address[0]) }
    }

    /// Where it is counted, below [`SLOTS`]: with the number of a [`Kind`].
    #[inline(always)]
    pub fn slot(self, kind: u64, seed: u64) -> u32 {
        // All bits of the prefix reach the upper ones of the product.
        (((self.0 | kind) ^ seed).wrapping_mul(SPREAD) >> (64 - SLOTS.trailing_zeros())) as u32
    }
}

/// One more in this window: the word of a slot that was `word`, the window in its upper half and the count in the lower one.
#[inline(always)]
pub const fn counted(word: u64, window: u32) -> u64 {
    let begun = if (word >> 32) as u32 == window { word } else { (window as u64) << 32 };
    begun.wrapping_add(1)
}

/// What limiting needs of the world.
pub trait Meter {
    /// How many are given in a window, to one prefix, of one kind; 0 for any number.
    fn most(&self) -> u32;
    /// A window is 2^this ticks of the clock.
    fn shift(&self) -> u32;
    /// A clock.
    fn ticks(&self) -> u64;
    /// Counts one more in a slot, as [`counted`] says; gives the count.
    fn count_in(&self, slot: u32, window: u32) -> Option<u32>;
    /// What becomes of an answer that is this many over, to whoever is at this address: [`Reason::Limited`], [`Reason::Slipped`], or nothing where it is given all the same.
    fn judge(&self, over: u32, client: &Address) -> Option<Reason>;
}

/// By how many an answer to this prefix is over what is given, itself counted; `None` where it is not. Only where there is a limit.
#[inline(always)]
pub fn over(meter: &(impl Meter + ?Sized), prefix: Prefix, kind: u64, seed: u64) -> Option<u32> {
    let window = (meter.ticks() >> (meter.shift() & 63)) as u32;
    let count = meter.count_in(prefix.slot(kind, seed), window)?;
    let most = meter.most();
    (count > most).then(|| count.wrapping_sub(most))
}

/// Counts a reply for whoever is at this address; what becomes of it where it is one too many, as [`Meter::judge`] has it.
pub fn limited(meter: &(impl Meter + ?Sized), client: &Address, kind: Kind, seed: u64) -> Option<Reason> {
    if meter.most() == 0 {
        return None;
    }
    over(meter, Prefix::of(client), kind as u64, seed).and_then(|over| meter.judge(over, client))
}

/// What is over: one in `slip` is slipped, none where that is 0; the rest is dropped.
#[inline(always)]
pub const fn verdict(over: u32, slip: u32) -> Reason {
    if slip != 0 && over.is_multiple_of(slip) { Reason::Slipped } else { Reason::Limited }
}

/// Prefixes that are never over: a table of one element.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Allowed {
    /// How many there are.
    pub count: u64,
    /// Each an address, and the bits of it that count.
    pub prefixes: [[Address; 2]; MOST_ALLOWED],
}

impl Allowed {
    /// None.
    pub const NONE: Allowed = Allowed { count: 0, prefixes: [[[0; 2]; 2]; MOST_ALLOWED] };
    /// Everybody.
    pub const ALL: Allowed = Allowed { count: 1, ..Allowed::NONE };

    /// These, given as the address and its first bits that count, of an IPv4 one mapped into IPv6 96 more; the first [`MOST_ALLOWED`] of them.
    pub fn new(prefixes: impl IntoIterator<Item = (Address, u8)>) -> Self {
        let mut allowed = Allowed::NONE;
        for (place, (address, bits)) in allowed.prefixes.iter_mut().zip(prefixes) {
            let mask = (!u128::MAX.checked_shr(bits.into()).unwrap_or(0)).to_be_bytes();
            *place = [address, zerocopy::transmute!(mask)];
            allowed.count += 1;
        }
        allowed
    }

    /// Is this address in one of them?
    #[inline(always)]
    pub fn has(&self, address: &Address) -> bool {
        let [first, second] = *address;
        for (i, [prefix, mask]) in (0..).zip(&self.prefixes) {
            if i >= self.count {
                break;
            }
            if (first ^ prefix[0]) & mask[0] | (second ^ prefix[1]) & mask[1] == 0 {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::net::IpAddr;

    use super::*;

    /// One slot, and a clock that is set.
    struct Fixed {
        rate: Rate,
        ticks: u64,
        word: Cell<u64>,
    }

    impl Meter for Fixed {
        fn most(&self) -> u32 {
            self.rate.most
        }
        fn shift(&self) -> u32 {
            self.rate.shift
        }
        fn ticks(&self) -> u64 {
            self.ticks
        }
        fn count_in(&self, slot: u32, window: u32) -> Option<u32> {
            assert!(slot < SLOTS);
            self.word.set(counted(self.word.get(), window));
            Some(self.word.get() as u32)
        }
        fn judge(&self, over: u32, _: &Address) -> Option<Reason> {
            Some(verdict(over, 2))
        }
    }

    fn address(text: &str) -> Address {
        let octets = match text.parse().unwrap() {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        zerocopy::transmute!(octets)
    }

    fn prefix(text: &str) -> Prefix {
        Prefix::of(&address(text))
    }

    #[test]
    fn a_window_has_so_many_and_the_next_one_has_as_many_again() {
        let mut meter = Fixed { rate: Rate { most: 3, shift: 8 }, ticks: 0x0012_3400, word: Cell::new(0) };
        let over = |meter: &Fixed| over(meter, prefix("192.0.2.1"), Kind::Positive as u64, 7);
        for window in 0..3 {
            meter.ticks = 0x0012_3400 + 0x100 * window;
            assert_eq!([0; 3].map(|_| over(&meter)), [None; 3], "window {window}");
            // To its last tick.
            meter.ticks += 0xff;
            assert_eq!([0; 4].map(|_| over(&meter)), [Some(1), Some(2), Some(3), Some(4)], "window {window}");
        }
        // Windows are told apart by 32 bits; time that goes backwards begins another one.
        meter.ticks = 0;
        assert_eq!(over(&meter), None);
        let limited = |meter: &Fixed| limited(meter, &address("192.0.2.1"), Kind::Positive, 7);
        assert_eq!([0; 3].map(|_| limited(&meter)), [None, None, Some(Reason::Limited)]);
        meter.rate.most = 0;
        let word = meter.word.get();
        assert_eq!((limited(&meter), meter.word.get()), (None, word), "without a limit nothing is counted");
    }

    #[test]
    fn of_what_is_over_one_in_so_many_is_slipped() {
        let verdicts = |slip| [1, 2, 3, 4, 5, 6].map(|over| verdict(over, slip) == Reason::Slipped);
        assert_eq!(verdicts(0), [false; 6]);
        assert_eq!(verdicts(1), [true; 6]);
        assert_eq!(verdicts(2), [false, true, false, true, false, true]);
        assert_eq!(verdicts(3), [false, false, true, false, false, true]);
        assert_eq!(verdict(1, 0), Reason::Limited);
    }

    #[test]
    fn a_prefix_is_a_24_or_a_56() {
        assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.255"));
        assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.9"));
        assert_eq!(prefix("192.0.2.1"), Prefix::v4(u32::from_le_bytes([192, 0, 2, 77])));
        for other in ["192.0.3.1", "192.1.2.1", "193.0.2.1"] {
            assert_ne!(prefix("192.0.2.1"), prefix(other), "{other}");
        }
        assert_eq!(prefix("2001:db8:0:aa00::1"), prefix("2001:db8:0:aaff:ffff:ffff:ffff:ffff"));
        for other in ["2001:db8:0:ab00::1", "2001:db8:1:aa00::1", "2001:db9:0:aa00::1"] {
            assert_ne!(prefix("2001:db8:0:aa00::1"), prefix(other), "{other}");
        }
    }

    #[test]
    fn kinds_and_prefixes_are_counted_apart() {
        const KINDS: [Kind; 4] = [Kind::Positive, Kind::NoData, Kind::NoName, Kind::Error];
        for seed in [0, 7, u64::MAX, 0x7472_6166_6669_636d] {
            let mut slots = KINDS.map(|kind| prefix("192.0.2.1").slot(kind as u64, seed));
            slots.sort_unstable();
            assert!(slots.array_windows().all(|[one, next]| one != next), "{slots:?}");
            // Of 4,096 prefixes in a row, spread over 16,384 slots, few share one: 12 % would by chance.
            let mut taken = [false; SLOTS as usize];
            for i in 0..4096_u32 {
                let [.., a, b] = i.to_be_bytes();
                taken[Prefix::v4(u32::from_le_bytes([10, a, b, 0])).slot(Kind::Positive as u64, seed)
                    as usize] = true;
            }
            let different = taken.iter().filter(|taken| **taken).count();
            assert!(different > 3400, "{different} slots, seed {seed:#x}");
        }
        assert_eq!(Kind::of(0, true), Kind::Positive);
        assert_eq!(Kind::of(0, false), Kind::NoData);
        assert_eq!([Kind::of(3, true), Kind::of(3, false)], [Kind::NoName; 2]);
        assert_eq!([1, 4, 5, 9].map(|code| Kind::of(code, false)), [Kind::Error; 4]);
    }

    #[test]
    fn allowed_are_those_in_a_prefix() {
        let allowed = Allowed::new([
            (address("192.0.2.128"), 96 + 25),
            (address("2001:db8:1::"), 48),
            (address("203.0.113.7"), 128),
        ]);
        for inside in ["192.0.2.128", "192.0.2.255", "2001:db8:1:ffff::1", "203.0.113.7"] {
            assert!(allowed.has(&address(inside)), "{inside}");
        }
        for outside in ["192.0.2.127", "192.0.3.128", "2001:db8:2::1", "203.0.113.6", "::192.0.2.128"] {
            assert!(!allowed.has(&address(outside)), "{outside}");
        }
        assert!(!Allowed::NONE.has(&address("::")) && !Allowed::NONE.has(&address("192.0.2.1")));
        assert!(Allowed::ALL.has(&address("192.0.2.1")) && Allowed::ALL.has(&address("2001:db8::1")));
        let every = (0..=MOST_ALLOWED as u8).map(|i| (v4_mapped(u32::from_le_bytes([10, 0, i, 0])), 96 + 24));
        let every = Allowed::new(every);
        assert!(
            every.has(&address("10.0.63.9")) && !every.has(&address("10.0.64.9")),
            "there is room for 64"
        );
    }
}
