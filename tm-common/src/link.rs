//! Whom a frame is for on the link: our card, or somebody else.

/// What the first eight octets of a frame to us are: the card's own address, then two octets of a source that is no group; and the bits that are looked at.
///
/// A card may hear frames that are for others (mirrored ones, or while it is promiscuous), which the stack leaves alone. Of several cards those bits count in which
/// their addresses agree, so that it is one comparison for any number of them: exact for one card, and all but exact for more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Link {
    /// As they lie in memory.
    pub octets: u64,
    /// Bits that must be the same.
    pub mask: u64,
}

impl Link {
    /// The group bits of target and source.
    const GROUPS: u64 = u64::from_le_bytes([1, 0, 0, 0, 0, 0, 1, 0]);
    /// To any card: only what is to or from a group is none of ours.
    pub const ANY: Link = Link { octets: 0, mask: Link::GROUPS };

    /// To any of these cards. `None` where there is none.
    pub fn of(cards: impl IntoIterator<Item = [u8; 6]>) -> Option<Self> {
        let word = |[a, b, c, d, e, f]: [u8; 6]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        let mut cards = cards.into_iter().map(word);
        let first = cards.next()?;
        let agree = cards.fold(!0 >> 16, |mask, card| mask & !(card ^ first));
        Some(Link { octets: first & !Link::GROUPS, mask: agree | Link::GROUPS })
    }

    /// Does a frame that begins with these octets pass?
    #[inline(always)]
    pub const fn passes(self, octets: u64) -> bool {
        (octets ^ self.octets) & self.mask == 0
    }

    /// The address of the first card.
    pub const fn target(self) -> [u8; 6] {
        let [a, b, c, d, e, f, ..] = self.octets.to_le_bytes();
        [a, b, c, d, e, f]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: [u8; 6] = [2, 0x53, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [2, 0x53, 0, 0, 1, 1];

    fn octets(target: [u8; 6], source: [u8; 2]) -> u64 {
        let ([a, b, c, d, e, f], [g, h]) = (target, source);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    #[test]
    fn one_card_is_matched_in_every_bit() {
        let link = Link::of([CARD]).unwrap();
        assert!(link.passes(octets(CARD, [0, 0])) && link.passes(octets(CARD, [0xfe, 0xff])));
        assert_eq!(link.target(), CARD);
        for bit in 0..48 {
            assert!(!link.passes(octets(CARD, [2, 0]) ^ 1 << bit), "bit {bit}");
        }
        assert!(!link.passes(octets(CARD, [3, 0])), "from a group");
    }

    #[test]
    fn several_cards_are_matched_in_what_they_agree_in() {
        let link = Link::of([CARD, OTHER]).unwrap();
        assert!([CARD, OTHER].into_iter().all(|card| link.passes(octets(card, [2, 0]))));
        assert!(!link.passes(octets([2, 0x53, 0, 0, 2, 1], [2, 0])));
        assert!(!link.passes(octets([3, 0x53, 0, 0, 0, 1], [2, 0])), "to a group");
        assert!(!link.passes(octets(OTHER, [1, 0])), "from a group");
    }

    #[test]
    fn no_card_is_nothing_and_any_is_all_but_groups() {
        assert_eq!(Link::of([]), None);
        assert!(Link::ANY.passes(octets(CARD, [2, 0])) && Link::ANY.passes(octets([0; 6], [0, 0])));
        assert!(!Link::ANY.passes(octets([0xff; 6], [2, 0])) && !Link::ANY.passes(octets(CARD, [1, 0])));
    }
}
