//! SipHash-2-4, of whole words: the keyed hash that servers seal cookies with ([RFC 9018, section 4.4]).
//!
//! Words are as they lie in memory, which is how the hash reads its octets. Written for the verifier: no buffer, no length that is not a constant.
//!
//! [RFC 9018, section 4.4]: https://www.rfc-editor.org/rfc/rfc9018#section-4.4

/// A hash under way.
#[derive(Clone, Copy, Debug)]
pub struct Sip([u64; 4]);

impl Sip {
    /// Begins with a key of sixteen octets.
    #[inline(always)]
    pub const fn new([low, high]: [u64; 2]) -> Self {
        Sip([
            low ^ 0x736f_6d65_7073_6575,
            high ^ 0x646f_7261_6e64_6f6d,
            low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573,
        ])
    }

    /// Takes in eight octets.
    #[inline(always)]
    pub const fn word(mut self, word: u64) -> Self {
        self.0[3] ^= word;
        self = self.round().round();
        self.0[0] ^= word;
        self
    }

    /// Takes in the last octets of `len`, fewer than eight, which are all that `rest` holds; gives the hash.
    #[inline(always)]
    pub const fn end(mut self, rest: u64, len: u8) -> u64 {
        self = self.word(rest | (len as u64) << 56);
        self.0[2] ^= 0xff;
        let [a, b, c, d] = self.round().round().round().round().0;
        a ^ b ^ c ^ d
    }

    #[inline(always)]
    const fn round(self) -> Self {
        let Sip([mut a, mut b, mut c, mut d]) = self;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        Sip([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the paper's test vectors (J.-P. Aumasson and D. J. Bernstein, appendix A, and the reference code's table): the key is 00 to 0f, the message 00, 01, ...
    #[test]
    fn the_vectors_of_its_authors() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        assert_eq!(Sip::new(key).end(0, 0), 0x726f_db47_dd0e_0e31);
        assert_eq!(Sip::new(key).end(0, 1), 0x74f8_39c5_93dc_67fd);
        assert_eq!(Sip::new(key).word(key[0]).end(0x0e_0d0c_0b0a_0908, 15), 0xa129_ca61_49be_45e5);
    }
}
