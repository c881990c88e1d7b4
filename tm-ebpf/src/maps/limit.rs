//! How many answers were given of late to each prefix, and what becomes of those over that.

use aya_ebpf::{
    Global,
    bindings::BPF_F_MMAPABLE as MMAPABLE,
    helpers::generated::bpf_jiffies64,
    macros::map,
    maps::{Array, PerCpuArray},
};
use tm_common::{
    limit::{self, Allowed, Meter, SLOTS},
    tables::Address,
    verdict::Reason,
};

use super::{Maps, ONE};

/// Answers in a window, and the kernel's ticks in a window as a power of two; 0 answers switch all of it off.
#[unsafe(no_mangle)]
static RATE: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static WINDOW: Global<u32> = Global::new(8);
/// Of so many over that one is told so.
#[unsafe(no_mangle)]
static SLIP: Global<u32> = Global::new(2);

/// The windows, and how many answers each has seen.
#[map]
static WINDOWS: PerCpuArray<u64> = PerCpuArray::with_max_entries(SLOTS, 0);
/// Who is never over.
#[map]
static ALLOWED: Array<Allowed> = Array::with_max_entries(ONE, MMAPABLE);

impl Meter for Maps {
    #[inline(always)]
    fn most(&self) -> u32 {
        RATE.load()
    }
    #[inline(always)]
    fn shift(&self) -> u32 {
        WINDOW.load()
    }
    #[inline(always)]
    fn ticks(&self) -> u64 {
        // SAFETY: takes nothing, gives a number.
        unsafe { bpf_jiffies64() }
    }
    #[inline(always)]
    fn count_in(&self, slot: u32, window: u32) -> Option<u32> {
        let slot = WINDOWS.get_ptr_mut(slot)?;
        // SAFETY: the map lives as long as the program, and this CPU's element is ours alone while the program runs.
        let word = limit::counted(unsafe { *slot }, window);
        // SAFETY: as above.
        unsafe { *slot = word };
        Some(word as u32)
    }
    #[inline(always)]
    fn judge(&self, over: u32, client: &Address) -> Option<Reason> {
        match judge(over, client[0], client[1]) {
            0 => None,
            1 => Some(Reason::Limited),
            _ => Some(Reason::Slipped),
        }
    }
}

/// A function of its own for the kernel too: who is given its answer does not pay for the registers.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn judge(over: u32, first: u64, second: u64) -> u32 {
    if ALLOWED.get(0).is_some_and(|allowed| allowed.has(&[first, second])) {
        return 0;
    }
    match limit::verdict(over, SLIP.load()) {
        Reason::Slipped => 2,
        _ => 1,
    }
}
