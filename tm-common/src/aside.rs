//! What one program of the kernel leaves to the next, so that nothing is read twice. Both run on the same CPU, one right behind the other.

use crate::{cookie::Jar, options::Options, packet::Packet, sum::Sum, tables::Address, verdict::Reason};

/// How far a question was read when it was left to a program for its options: what cost most to find.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Aside {
    /// The name's entry.
    pub entry: u32,
    /// The Ethernet type behind the tags.
    pub kind: u16,
    /// Where what follows it begins.
    pub at: u16,
    /// The case bits that the entry's whole words lack.
    pub capitals: Sum,
}

/// Options that are read by a program of their own, for the programs that answer with them: what these leave for it, and what it leaves for them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Case {
    at: usize,
    len: usize,
    address: Address,
    options: Options,
    /// Were they read? 0 or 1.
    is_read: u32,
    /// Which of the programs waits for it.
    pub back: u32,
}

impl Case {
    /// Leaves `len` octets at `at`, of whoever is at this address.
    #[inline(always)]
    pub fn ask(&mut self, at: usize, len: usize, address: &Address) {
        (self.at, self.len, self.address, self.is_read) = (at, len, *address, 0);
    }
    /// Reads what was left.
    #[inline(always)]
    pub fn read(&mut self, packet: &mut impl Packet, jar: &impl Jar) -> Result<(), Reason> {
        self.options = Options::read(packet, self.at, self.len, &self.address, jar)?;
        self.is_read = 1;
        Ok(())
    }
    /// What was read, once.
    #[inline(always)]
    pub fn take(&mut self) -> Option<Options> {
        if self.is_read == 0 {
            return None;
        }
        self.is_read = 0;
        Some(self.options)
    }
    /// Forgets what was left for another packet.
    #[inline(always)]
    pub fn forget(&mut self) {
        (self.len, self.is_read) = (usize::MAX, 0);
    }
}
