//! What fails on the way, where a test wants it to: a look-up in the tables, or an access to the packet.

use std::cell::Cell;

use tm_common::packet::{Buffer, Packet, Plain};

/// What fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// A look-up, by how many were made before: it finds nothing, or what is not in order; or all do from this one on.
    Lookup {
        /// How many before.
        nth: usize,
        /// What it finds instead.
        finds: Instead,
        /// Does every later one fail too?
        lasting: bool,
    },
    /// A read from the packet or a write to it, by how many were made before: it is said to lie outside.
    Access {
        /// How many before.
        nth: usize,
    },
}

/// What is found in the place of what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instead {
    /// Nothing.
    Nothing,
    /// What was never written.
    Zeroes,
    /// What nobody writes.
    Ones,
}

/// Counts down to the one that fails.
#[derive(Debug)]
pub(super) struct Countdown {
    left: Cell<usize>,
    pub(super) lasting: bool,
    pub(super) has_failed: Cell<bool>,
}

impl Countdown {
    pub(super) fn new(nth: Option<usize>, lasting: bool) -> Self {
        Countdown { left: Cell::new(nth.unwrap_or(usize::MAX)), lasting, has_failed: Cell::new(false) }
    }
    /// Does this one fail?
    pub(super) fn is_up(&self) -> bool {
        let left = self.left.get();
        let is_up = left == 0 && (self.lasting || !self.has_failed.get());
        self.left.set(left.saturating_sub(1));
        self.has_failed.set(self.has_failed.get() || is_up);
        is_up
    }
}

/// A packet of which one access may fail.
pub(super) struct Frail<'a> {
    pub(super) buffer: Buffer<'a>,
    pub(super) countdown: Countdown,
}

impl Frail<'_> {
    fn reach(&self) -> Option<()> {
        (!self.countdown.is_up()).then_some(())
    }
}

impl Packet for Frail<'_> {
    fn size(&self) -> usize {
        self.buffer.size()
    }
    fn last(&self, count: usize) -> Option<usize> {
        self.reach()?;
        self.buffer.last(count)
    }
    fn read<T: Plain>(&self, at: usize) -> Option<T> {
        self.reach()?;
        self.buffer.read(at)
    }
    fn write<T: Plain>(&mut self, at: usize, value: T) -> Option<()> {
        self.reach()?;
        self.buffer.write(at, value)
    }
    fn resize(&mut self, size: usize) -> Option<()> {
        self.reach()?;
        self.buffer.resize(size)
    }
    fn sample(&mut self, counter: u32, one_in: u16) {
        self.buffer.sample(counter, one_in);
    }
    fn forget(&mut self) {
        self.buffer.forget();
    }
    fn blur<const BELOW: usize>(&self, number: usize) -> usize {
        self.buffer.blur::<BELOW>(number)
    }
}
