//! Question names, eight octets at a time ([RFC 1035, section 3.1], [RFC 4343]).
//!
//! The first zero octet is taken for the end of the name, and no label is walked. That is sufficient: the octets up to it are then
//! compared with a stored, well-formed name, and equal octets have equal labels. Length octets (at most 63) lie below the letters, so
//! folding never touches them. The hash only finds the candidate; a wrong name can never match through it: where the candidate's name ends, and
//! how its octets are compared, is the stored name's to say.
//!
//! [RFC 1035, section 3.1]: https://www.rfc-editor.org/rfc/rfc1035#section-3.1
//! [RFC 4343]: https://www.rfc-editor.org/rfc/rfc4343

use crate::{
    packet::Packet,
    sum::Sum,
    tables::Entry,
    verdict::{OrRefuse as _, Reason},
};

/// Words of the longest name, with its zero octet, in the small class of entries.
pub const SHORT: usize = 8;
/// Words of the longest name there is.
pub const LONG: usize = 32;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const CASE: u64 = 0x2020_2020_2020_2020;
/// 2^64 over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of the name that begins at `at`, letter case aside, of up to `WORDS` words; [`Reason::LongName`] where it goes on.
#[inline(always)]
pub fn scan<const WORDS: usize>(packet: &impl Packet, at: usize, seed: u64) -> Result<u64, Reason> {
    let mut hash = seed;
    // The loop is left for the rare case, not joined again: then it is unrolled with everything in registers.
    for i in 0..WORDS {
        let Some(word) = packet.read(at + 8 * i) else {
            let word = packet.rest(at + 8 * i).or_refuse(Reason::Short)?;
            let keep = before_zero(word).or_refuse(Reason::Short)?;
            return Ok(mix(hash, (word | CASE) & keep));
        };
        if let Some(keep) = before_zero(word) {
            return Ok(mix(hash, (word | CASE) & keep));
        }
        hash = mix(hash, word | CASE);
    }
    Reason::LongName.refuse()
}

/// The hash under which userspace files a lower-cased wire name of 1 to 255 octets, its zero octet included.
pub fn hash(wire: &[u8], seed: u64) -> u64 {
    let hashed = wire.chunks(8).map(word_of).try_fold(seed, |hash, word| match before_zero(word) {
        Some(keep) => Err(mix(hash, (word | CASE) & keep)),
        None => Ok(mix(hash, word | CASE)),
    });
    let (Ok(hash) | Err(hash)) = hashed;
    hash
}

/// How many ways to end are told apart: a power of two.
pub const ENDINGS: u32 = 1 << 14;

/// The way to end of a name whose last octets before its zero octet are these eight, letter case aside.
#[inline(always)]
pub fn ending(last: u64) -> u32 {
    (mix(0, last | CASE) >> (64 - ENDINGS.trailing_zeros())) as u32
}

/// The last eight octets of a wire name before its zero octet. `None` where there are fewer.
pub fn last_eight(wire: &[u8]) -> Option<u64> {
    let before_zero = wire.len().checked_sub(1)?;
    Some(u64::from_le_bytes(*wire.get(..before_zero)?.last_chunk()?))
}

/// Up to eight octets as a word, zeroes behind them.
pub(crate) fn word_of(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet))
}

/// Does the name that begins at `at` begin with the entry's whole words, letter case aside? Gives the sum of the case bits that it lacks.
#[inline(always)]
pub fn begins<const WORDS: usize>(packet: &mut impl Packet, at: usize, entry: &Entry<WORDS>) -> Option<Sum> {
    let whole = usize::from(entry.whole) % WORDS;
    // Left, not joined again, at the first word with a capital, as in `scan`.
    for i in 0..WORDS - 1 {
        if i >= whole {
            break;
        }
        if packet.read::<u64>(at + 8 * i)? != *entry.name.get(i)? {
            packet.forget();
            return begins_by_case(packet, at, entry);
        }
    }
    Some(Sum::default())
}

#[inline(always)]
fn begins_by_case<const WORDS: usize>(
    packet: &mut impl Packet,
    at: usize,
    entry: &Entry<WORDS>,
) -> Option<Sum> {
    let whole = usize::from(entry.whole) % WORDS;
    let mut capitals = Sum::default();
    for i in 0..WORDS - 1 {
        if i >= whole {
            break;
        }
        let (word, stored) = (packet.read(at + 8 * i)?, *entry.name.get(i)?);
        if word != stored {
            capitals = capitals.and64(differ_by_case(word, stored, u64::MAX)?);
        }
    }
    Some(capitals)
}

/// Are its last eight octets the entry's too? Gives the sum of the name as it is in the packet.
///
/// The entry holds the sum of the lower-cased name; what the packet's capitals lack is taken away from it.
#[inline(always)]
pub fn ends<const WORDS: usize>(last: u64, mut capitals: Sum, entry: &Entry<WORDS>) -> Option<Sum> {
    let stored = *entry.name.get(WORDS - 1)?;
    if last != stored {
        // What whole words cover is not looked at twice; nor is what stands before a name of fewer than eight octets.
        let lacking = differ_by_case(last, stored, u64::MAX << (entry.covered & 63))?;
        // Of a name of odd length, the last eight octets begin at an odd place.
        capitals = capitals.plus(Sum::of(lacking).shifted(entry.covered & 8 != 0));
    }
    Some(Sum::default().and(entry.name_sum).minus(capitals))
}

/// The case bits that `word` lacks in the octets of `mask`, if those differ in nothing else.
#[inline(always)]
fn differ_by_case(word: u64, stored: u64, mask: u64) -> Option<u64> {
    let same = (lower(word) ^ stored) & mask == 0;
    same.then_some((word ^ stored) & mask)
}

/// Mask of the octets before the first zero octet.
#[inline(always)]
fn before_zero(word: u64) -> Option<u64> {
    let zeroes = word.wrapping_sub(ONES) & !word & HIGH;
    if zeroes == 0 {
        return None;
    }
    let first = zeroes & zeroes.wrapping_neg();
    Some((first >> 7).wrapping_sub(1))
}

/// ASCII lower case of eight octets at once.
#[inline(always)]
fn lower(word: u64) -> u64 {
    let low = word & !HIGH;
    let from_a = low.wrapping_add(ONES * (0x80 - 0x41));
    let past_z = low.wrapping_add(ONES * (0x80 - 0x5a - 1));
    word | (from_a & !past_z & !word & HIGH) >> 2
}

/// One step of the hash: a multiplication and a shift, since BPF has no rotation. To exchange octets instead costs two instructions less, but what
/// differs in the last octet alone then differs in one octet of the hash, which a difference in the next word makes good again.
#[inline(always)]
pub fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(SPREAD);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Buffer;

    #[test]
    fn lower_case_is_ascii_only_and_octet_by_octet() {
        for octet in 0..=255u8 {
            let word = u64::from_le_bytes([octet, b'A', 0xff, octet, b'Z', b'[', b'@', octet]);
            assert_eq!(
                lower(word).to_le_bytes(),
                word.to_le_bytes().map(|o| o.to_ascii_lowercase()),
                "{octet}"
            );
        }
    }

    #[test]
    fn the_first_zero_octet_is_found_whatever_lies_around_it() {
        for at in 0..8 {
            for fill in [1u8, 0x7f, 0x80, 0x81, 0xff] {
                let mut bytes = [fill; 8];
                bytes[at] = 0;
                let keep = before_zero(u64::from_le_bytes(bytes)).unwrap();
                assert_eq!(keep.trailing_ones() as usize, 8 * at);
                assert_eq!(keep.count_ones() as usize, 8 * at);
                bytes[at..].fill(0);
                assert_eq!(before_zero(u64::from_le_bytes(bytes)), Some(keep));
            }
        }
        assert_eq!(before_zero(0x8080_8080_8080_8080), None);
    }

    #[test]
    fn a_name_in_a_packet_hashes_as_userspace_files_it() {
        for len in 1..=255usize {
            let wire: [u8; 255] =
                core::array::from_fn(|i| if i + 1 == len { 0 } else { b'a' + (i % 26) as u8 });
            for behind in [0, 4, 15] {
                let mut bytes = [7u8; 290];
                bytes[20..20 + len].copy_from_slice(&wire[..len]);
                bytes[20..20 + len].make_ascii_uppercase();
                let packet = Buffer::new(&mut bytes, 20 + len + behind);
                let found = scan::<LONG>(&packet, 20, 42).unwrap();
                assert_eq!(found, hash(&wire[..len], 42), "{len} octets, {behind} behind");
            }
        }
    }
}
