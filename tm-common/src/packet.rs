//! The only way logic touches the bytes of a packet.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What may be read from or written to a packet: a word, an array of words, a header made of words.
pub trait Plain: FromBytes + IntoBytes + Immutable + Copy {}
impl<T: FromBytes + IntoBytes + Immutable + Copy> Plain for T {}

/// A frame. Positions count octets from its first; nothing past its end is ever read or written.
pub trait Packet {
    /// Octets in the frame.
    fn size(&self) -> usize;
    /// Where the last `count` octets begin.
    fn last(&self, count: usize) -> Option<usize>;
    /// The value whose octets begin at `at`.
    fn read<T: Plain>(&self, at: usize) -> Option<T>;
    /// Two values, the second of which ends no earlier than the first: one look at where the frame ends does for both.
    #[inline(always)]
    fn read_both<T: Plain, U: Plain>(&self, at: usize, farther: usize) -> Option<(T, U)> {
        let second = self.read(farther)?;
        Some((self.read(at)?, second))
    }
    /// Puts a value's octets at `at`.
    fn write<T: Plain>(&mut self, at: usize, value: T) -> Option<()>;
    /// Puts two values, the second `by` octets behind the first's beginning and ending no earlier: one look at where the frame ends does for both.
    #[inline(always)]
    fn write_both<T: Plain, U: Plain>(&mut self, at: usize, value: T, by: usize, second: U) -> Option<()> {
        self.write(at, value)?;
        self.write(at + by, second)
    }
    /// The same value, of at most eight octets, of which the compiler knows nothing.
    fn hide<T: Copy>(value: T) -> T {
        value
    }
    /// Cuts or grows the end. On failure nothing has changed.
    fn resize(&mut self, size: usize) -> Option<()>;
    /// The packet is now a reply with an answer of which one in so many is to be told of, and which this counts.
    fn sample(&mut self, counter: u32, one_in: u16);

    /// Forgets which positions were found to lie inside. Changes nothing; but what follows a loop is then one state to the verifier, and not
    /// one for each length that the loop may have seen.
    fn forget(&mut self);
    /// The same number, below `BELOW`, a power of two; but what follows is then one state to the verifier, and not one for each number that it may have been.
    fn blur<const BELOW: usize>(&self, number: usize) -> usize;

    /// The fewer than eight octets from `at` to the end, zeroes after them.
    #[inline(always)]
    fn rest(&self, at: usize) -> Option<u64> {
        let start = self.last(8)?;
        let past = at.wrapping_sub(start);
        if past > 7 {
            return None;
        }
        Some(self.read::<u64>(start)? >> (8 * (past & 7)))
    }
}

/// A packet in a buffer, the whole of which it may grow into.
pub struct Buffer<'a> {
    bytes: &'a mut [u8],
    size: usize,
    counter: Option<u32>,
}

impl<'a> Buffer<'a> {
    /// The first `size` octets of `bytes`, or all where it has fewer.
    pub fn new(bytes: &'a mut [u8], size: usize) -> Self {
        let size = size.min(bytes.len());
        Buffer { bytes, size, counter: None }
    }

    /// What is in the packet now.
    pub fn contents(&self) -> &[u8] {
        self.bytes.get(..self.size).unwrap_or_default()
    }

    /// What counted the answer in it, where it has one of which some are to be told of.
    pub fn sampled(&self) -> Option<u32> {
        self.counter
    }
}

impl Packet for Buffer<'_> {
    fn size(&self) -> usize {
        self.size
    }
    fn last(&self, count: usize) -> Option<usize> {
        self.size.checked_sub(count)
    }
    fn read<T: Plain>(&self, at: usize) -> Option<T> {
        T::read_from_prefix(self.contents().get(at..)?).ok().map(|(value, _)| value)
    }
    fn write<T: Plain>(&mut self, at: usize, value: T) -> Option<()> {
        value.write_to_prefix(self.bytes.get_mut(at..self.size)?).ok()
    }
    fn resize(&mut self, size: usize) -> Option<()> {
        if size > self.size {
            self.bytes.get_mut(self.size..size)?.fill(0);
        }
        self.size = size;
        Some(())
    }
    fn sample(&mut self, counter: u32, _one_in: u16) {
        self.counter = Some(counter);
    }
    fn forget(&mut self) {}
    fn blur<const BELOW: usize>(&self, number: usize) -> usize {
        number
    }
}
