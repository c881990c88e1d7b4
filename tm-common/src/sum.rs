//! The ones' complement sum of IP and UDP over words as they lie in memory ([RFC 1071]).
//!
//! The sum does not care for byte order as long as all words are read alike, so nothing is swapped: what is stored in an answer, an
//! entry or a constant adds up with what is loaded from the packet. It does care for the parity of a part's position: a part that begins at an
//! odd octet counts with its octets exchanged, which is a shift by eight bits ([`Sum::shifted`]).
//!
//! [RFC 1071]: https://www.rfc-editor.org/rfc/rfc1071

/// An unfolded sum.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Of nothing.
    pub const ZERO: Sum = Sum(0);

    /// The sum of eight octets.
    #[inline(always)]
    pub const fn of(word: u64) -> Self {
        Sum((word & 0xffff_ffff) + (word >> 32))
    }

    /// The sum of any octets, the first at an even position.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        bytes.chunks(2).fold(Sum::default(), |sum, pair| {
            let low = pair.first().copied().unwrap_or(0);
            let high = pair.get(1).copied().unwrap_or(0);
            sum.and(u16::from_le_bytes([low, high]))
        })
    }

    /// Adds a value below 2^32; a few thousand fit before the accumulator could overflow.
    #[inline(always)]
    pub fn and(self, value: impl Into<u32>) -> Self {
        Sum(self.0.wrapping_add(u64::from(value.into())))
    }

    /// Adds eight octets.
    #[inline(always)]
    pub fn and64(self, word: u64) -> Self {
        self.plus(Sum::of(word))
    }

    /// Adds another sum.
    #[inline(always)]
    pub fn plus(self, other: Sum) -> Self {
        Sum(self.0.wrapping_add(other.0))
    }

    /// Takes away a sum below 2^39: adds a multiple of 0xffff, which counts as nothing, that is larger.
    #[inline(always)]
    pub fn minus(self, other: Sum) -> Self {
        Sum(self.0.wrapping_add(0xffff << 24).wrapping_sub(other.0))
    }

    /// The same octets, had they begun at an odd place. For sums below 2^48.
    #[inline(always)]
    pub fn shifted(self, odd: bool) -> Self {
        Sum(if odd { self.0 << 8 } else { self.0 })
    }

    /// Folded to sixteen bits. For sums below 2^48.
    ///
    /// The halves of what is folded to 33 bits are added with the carry of their own sum: of `sum * (2^48 + 2^32 + 2^16)`, the third sixteen bits are
    /// the sum of both halves, and their carry goes into the fourth, which are that sum again. One multiplication, where folding takes seven steps.
    #[inline(always)]
    pub fn folded(self) -> u16 {
        let sum = (self.0 & 0xffff_ffff) + (self.0 >> 32);
        (sum.wrapping_mul(0x0001_0001_0001_0000) >> 48) as u16
    }

    /// The checksum field's value.
    #[inline(always)]
    pub fn checksum(self) -> u16 {
        !self.folded()
    }

    /// As UDP wants it: zero means "none", so it is sent as its other form ([RFC 768](https://www.rfc-editor.org/rfc/rfc768)).
    #[inline(always)]
    pub fn udp(self) -> u16 {
        match self.checksum() {
            0 => 0xffff,
            sum => sum,
        }
    }

    /// Is it the sum of octets, not all zero, that include their own right checksum?
    ///
    /// All ones, in ones' complement, is a multiple of 2^16 - 1: that the compiler finds by one multiplication and one comparison.
    #[inline(always)]
    pub fn is_right(self) -> bool {
        self.0.is_multiple_of(0xffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        // Section 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2, in network order.
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::of_bytes(&bytes).folded().swap_bytes(), 0xddf2);
        assert_eq!(Sum::of(u64::from_le_bytes(bytes)).folded().swap_bytes(), 0xddf2);
        assert_eq!(Sum::of_bytes(&bytes).checksum().swap_bytes(), 0x220d);
    }

    #[test]
    fn a_part_at_an_odd_place_is_shifted() {
        let whole = Sum::of_bytes(&[1, 2, 3, 4, 5, 6, 7]);
        let parts = Sum::of_bytes(&[1, 2, 3]).plus(Sum::of_bytes(&[4, 5, 6, 7]).shifted(true));
        assert_eq!(whole.folded(), parts.folded());
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let name = Sum::of_bytes(b"contoso!");
        let capitals = Sum::of_bytes(&[0x20, 0, 0, 0x20, 0, 0, 0, 0]);
        assert_eq!(name.minus(capitals).folded(), Sum::of_bytes(b"ConToso!").folded());
    }

    /// The same by the steps of RFC 1071, section 4.1.
    fn folded_by_steps(mut sum: u64) -> u16 {
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    #[test]
    fn folding_by_multiplication_is_folding() {
        let halves = [0, 1, 2, 0x7fff, 0x8000, 0xfffd, 0xfffe, 0xffff];
        for upper in halves {
            for (middle, lower) in halves.into_iter().flat_map(|middle| halves.map(|lower| (middle, lower))) {
                let sum: u64 = upper << 32 | middle << 16 | lower;
                assert_eq!(Sum(sum).folded(), folded_by_steps(sum), "{sum:#x}");
                assert_eq!(Sum(sum).is_right(), sum.is_multiple_of(0xffff), "{sum:#x}");
            }
        }
        let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..100_000 {
            sum = sum.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            assert_eq!(Sum(sum >> 16).folded(), folded_by_steps(sum >> 16), "{:#x}", sum >> 16);
        }
    }

    #[test]
    fn zero_is_sent_as_ones() {
        assert_eq!(Sum::of_bytes(&[0xff, 0xff]).udp(), 0xffff);
        assert_eq!(Sum::of_bytes(&[0xff, 0xff]).checksum(), 0);
    }
}
