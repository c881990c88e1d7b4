//! What one program of the kernel leaves to the next, so that nothing is read twice. Both run on the same CPU, one right behind the other.

use crate::{
    answer::Slip, cookie::Jar, encloser::Encloser, options::Options, packet::Packet, sum::Sum,
    tables::Address, verdict::Reason,
};

/// What is left, where the next program finds it.
pub trait Left: Jar + Sized {
    /// How far the question was read.
    fn aside(&self) -> Aside;
    /// Keeps that.
    fn keep_aside(&self, found: Aside);
    /// The encloser of a name that is not there.
    fn encloser(&self) -> Encloser;
    /// Keeps that.
    fn keep_encloser(&self, found: Encloser);
    /// A reply that is yet to be written.
    fn slip(&self) -> Slip;
    /// Keeps that.
    fn keep_slip(&self, slip: &Slip);
    /// Does something with the options on their way. `None` where there is no room for any.
    fn with_case<T>(&self, act: impl FnOnce(&mut Case) -> T) -> Option<T>;

    /// Leaves a question to the next program, and forgets the options that were left for another packet.
    #[inline(always)]
    fn leave(&self, found: Aside) {
        self.forget_options();
        self.keep_aside(found);
    }
    /// Leaves `len` octets of options at `at`, of whoever is at this address, to the program that reads them.
    #[inline(always)]
    fn ask_options(&self, at: usize, len: usize, address: &Address) {
        self.with_case(|case| case.ask(at, len, address));
    }
    /// Has the program of this number go on with them.
    #[inline(always)]
    fn wait_for_options(&self, back: u32) {
        self.with_case(|case| case.wait(back));
    }
    /// Reads them, and says which program waits for them.
    #[inline(always)]
    fn read_options(&self, packet: &mut impl Packet) -> Result<u32, Reason> {
        let read = self.with_case(|case| {
            case.read(packet, self)?;
            Ok(case.back)
        });
        read.unwrap_or_else(|| Reason::Options.refuse())
    }
    /// What was read of them, once; else they are left.
    #[inline(always)]
    fn take_options(&self, at: usize, len: usize, address: &Address) -> Result<Options, Reason> {
        let taken = self.with_case(|case| match case.take() {
            Some(options) => Ok(options),
            None => {
                case.ask(at, len, address);
                Reason::Options.refuse()
            }
        });
        taken.unwrap_or_else(|| Reason::Options.refuse())
    }
    /// Forgets what was left of them.
    #[inline(always)]
    fn forget_options(&self) {
        self.with_case(Case::forget);
    }
}

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
    back: u32,
}

impl Default for Case {
    fn default() -> Self {
        Case { at: 0, len: 0, address: [0; 2], options: Options::NONE, is_read: 0, back: 0 }
    }
}

impl Case {
    /// Leaves `len` octets at `at`, of whoever is at this address.
    #[inline(always)]
    fn ask(&mut self, at: usize, len: usize, address: &Address) {
        (self.at, self.len, self.address, self.is_read) = (at, len, *address, 0);
    }
    /// Has the program of this number go on with them.
    #[inline(always)]
    pub fn wait(&mut self, back: u32) {
        self.back = back;
    }
    /// Reads what was left.
    #[inline(always)]
    fn read(&mut self, packet: &mut impl Packet, jar: &impl Jar) -> Result<(), Reason> {
        self.options = Options::read(packet, self.at, self.len, &self.address, jar)?;
        self.is_read = 1;
        Ok(())
    }
    /// What was read, once.
    #[inline(always)]
    fn take(&mut self) -> Option<Options> {
        if self.is_read == 0 {
            return None;
        }
        self.is_read = 0;
        Some(self.options)
    }
    /// Forgets what was left for another packet.
    #[inline(always)]
    fn forget(&mut self) {
        (self.len, self.is_read) = (usize::MAX, 0);
    }
}
