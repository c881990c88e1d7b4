//! The frame the driver hands us: the only pointer arithmetic of the project.
//!
//! [`hide`] hides a value from the compiler, never from the verifier: knowing too much, the compiler drops a bounds check that an earlier one
//! implies, or turns `data + (length - 8)` into `end - 8`, and the verifier then sees an access without a check.

use aya_ebpf::{
    EbpfContext as _,
    bindings::xdp_md,
    helpers::generated::{bpf_xdp_adjust_head, bpf_xdp_adjust_tail},
    programs::XdpContext,
};
use tm_common::packet::{Packet, Plain};

use crate::maps;

/// No position we touch lies further in; the verifier wants a bound before it adds one to a pointer.
const REACH: usize = 2047;
/// The longest frame that is moved to make room before it, and the most room made.
const LONGEST: usize = 512;
const MOST_GROWTH: usize = 192;

/// A frame in the driver's memory.
pub(crate) struct Frame {
    context: *mut xdp_md,
    data: usize,
    end: usize,
}

impl Frame {
    #[inline(always)]
    pub(crate) fn new(context: &XdpContext) -> Self {
        Frame::of(context.as_ptr().cast())
    }

    #[inline(always)]
    pub(crate) fn of(context: *mut xdp_md) -> Self {
        // Volatile, so that each call reads anew: a pointer read anew is one that the verifier knows no range of.
        // SAFETY: the kernel keeps the context alive while the program runs; nobody else touches it.
        let data = unsafe { &raw const (*context).data };
        // SAFETY: as above.
        let end = unsafe { &raw const (*context).data_end };
        // SAFETY: as above; both are fields of the context.
        let data = unsafe { data.read_volatile() };
        // SAFETY: as above.
        let end = unsafe { end.read_volatile() };
        Frame { context, data: hide(data as usize), end: end as usize }
    }

    /// Of which nothing is known: it has no octet.
    #[inline(always)]
    pub(crate) fn unread(context: &XdpContext) -> Self {
        Frame { context: context.as_ptr().cast(), data: 0, end: 0 }
    }

    /// Where a `T` at `at` lies, if all of it is inside the frame.
    #[inline(always)]
    fn place<T>(&self, at: usize) -> Option<*mut T> {
        self.place_of(at, size_of::<T>()).map(<*mut u8>::cast)
    }

    /// Where so many octets at `at` lie, if all of them are inside the frame.
    #[inline(always)]
    fn place_of(&self, at: usize, count: usize) -> Option<*mut u8> {
        if at > REACH {
            return None;
        }
        let start = self.data + at;
        if start + count > self.end {
            return None;
        }
        Some(start as *mut u8)
    }

    /// Moves what begins at `by` to the start: whole words first, then the last eight octets, kept aside meanwhile.
    #[inline(always)]
    fn move_down(&mut self, by: usize) -> Option<()> {
        let last = self.last(8)?;
        let word: u64 = self.read(last)?;
        for at in (0..LONGEST).step_by(8) {
            let Some(word) = self.read::<u64>(by + at) else { break };
            self.write(at, word)?;
        }
        self.write(hide(last.checked_sub(by)?), word)
    }
}

impl Packet for Frame {
    #[inline(always)]
    fn size(&self) -> usize {
        hide(self.end - self.data)
    }
    #[inline(always)]
    fn last(&self, count: usize) -> Option<usize> {
        self.size().checked_sub(count).map(hide)
    }
    // T may lie unaligned. By Rust's letter that is not allowed; the targets we build for load it all the same, octet-wise loads cost eight
    // times as much, and the profile this is built with has no debug assertions that would look.
    #[inline(always)]
    fn read<T: Plain>(&self, at: usize) -> Option<T> {
        // SAFETY: `place` found all of T inside the frame, which is this program's alone while it runs; any octets are a T.
        self.place::<T>(at).map(|place| unsafe { *place })
    }
    #[inline(always)]
    fn read_both<T: Plain, U: Plain>(&self, at: usize, farther: usize) -> Option<(T, U)> {
        if at + size_of::<T>() > farther + size_of::<U>() {
            return None;
        }
        let second = self.place::<U>(farther)?;
        let first = (self.data + at) as *const T;
        // SAFETY: as in `read`; what ends no later than the second ends inside the frame too.
        let first = unsafe { *first };
        // SAFETY: as in `read`.
        let second = unsafe { *second };
        Some((first, second))
    }
    #[inline(always)]
    fn write<T: Plain>(&mut self, at: usize, value: T) -> Option<()> {
        // SAFETY: as in `read`.
        self.place::<T>(at).map(|place| unsafe { *place = value })
    }
    #[inline(always)]
    fn write_both<T: Plain, U: Plain>(&mut self, at: usize, value: T, by: usize, second: U) -> Option<()> {
        if size_of::<T>() > by + size_of::<U>() {
            return None;
        }
        let first = self.place_of(at, by + size_of::<U>())?;
        // SAFETY: as in `write`; both end inside the frame.
        unsafe { *first.cast::<T>() = value };
        // SAFETY: as above.
        unsafe { *first.wrapping_add(by).cast::<U>() = second };
        Some(())
    }
    #[inline(always)]
    fn hide<T: Copy>(value: T) -> T {
        const { assert!(size_of::<T>() <= 8) };
        let mut word = 0_usize;
        // SAFETY: the word has room for a T.
        unsafe { (&raw mut word).cast::<T>().write_unaligned(value) };
        word = hide(word);
        // SAFETY: the octets that were a T are still the same.
        unsafe { (&raw const word).cast::<T>().read_unaligned() }
    }
    #[inline(always)]
    fn resize(&mut self, size: usize) -> Option<()> {
        let growth = size as i32 - (self.end - self.data) as i32;
        // SAFETY: the context is the one this program was given; no pointer made before is used after.
        let tail = unsafe { bpf_xdp_adjust_tail(self.context, growth) };
        if tail != 0 && grow_head(self.context, growth) == 0 {
            return None;
        }
        *self = Frame::of(self.context);
        Some(())
    }
    #[inline(always)]
    fn sample(&mut self, counter: u32, one_in: u16) {
        maps::sample(self.context, counter, u32::from(one_in));
    }
    #[inline(always)]
    fn forget(&mut self) {
        *self = Frame::of(self.context);
    }
    // To the verifier, the size read twice is two numbers.
    #[inline(always)]
    fn blur<const BELOW: usize>(&self, number: usize) -> usize {
        number.wrapping_add(self.size()).wrapping_sub(self.size()) & (BELOW - 1)
    }
}

/// Makes room before the frame and moves the frame there: drivers leave little room behind a frame, but some 200 octets before it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn grow_head(context: *mut xdp_md, growth: i32) -> u32 {
    let frame = Frame::of(context);
    // Compared as 64 bits: Linux 6.1 does not carry the bound of the lower 32 over.
    let room = hide(growth as u32 as usize);
    if room > MOST_GROWTH || frame.size() > LONGEST {
        return 0;
    }
    // SAFETY: as in `resize`.
    if unsafe { bpf_xdp_adjust_head(context, -(room as i32)) } != 0 {
        return 0;
    }
    Frame::of(context).move_down(room);
    1
}

/// The same value, of which the compiler knows nothing. One move, where `core::hint::black_box` is a store, a load and two more.
#[inline(always)]
pub(crate) fn hide(value: usize) -> usize {
    #[cfg(target_arch = "bpf")]
    {
        let hidden;
        // SAFETY: a move between registers.
        unsafe { core::arch::asm!("{0} = {1}", out(reg) hidden, in(reg) value, options(nomem, nostack)) };
        hidden
    }
    #[cfg(not(target_arch = "bpf"))]
    core::hint::black_box(value)
}
