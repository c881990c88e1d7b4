//! What one program leaves to the next.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use tm_common::{
    answer::Slip,
    aside::{Aside, Case, Left},
    encloser::Encloser,
};

use super::{Maps, ONE};

/// What the first program leaves to one of those below. Both run on the same CPU, one right behind the other.
#[map]
static ASIDE: PerCpuArray<Aside> = PerCpuArray::with_max_entries(ONE, 0);
/// And what the program for names that are not there leaves to the one behind it.
#[map]
static ENCLOSER: PerCpuArray<u64> = PerCpuArray::with_max_entries(ONE, 0);
/// A reply to be written by the program that tells people to come back over TCP.
#[map]
static SLIPPED: PerCpuArray<Slip> = PerCpuArray::with_max_entries(ONE, 0);
/// Options on their way to the program that reads them and back.
#[map]
static CASE: PerCpuArray<Case> = PerCpuArray::with_max_entries(ONE, 0);

impl Left for Maps {
    #[inline(always)]
    fn aside(&self) -> Aside {
        // SAFETY: as in `turn`.
        ASIDE.get_ptr(0).map(|aside| unsafe { *aside }).unwrap_or_default()
    }
    #[inline(always)]
    fn keep_aside(&self, found: Aside) {
        if let Some(aside) = ASIDE.get_ptr_mut(0) {
            // SAFETY: as in `turn`.
            unsafe { *aside = found };
        }
    }
    #[inline(always)]
    fn encloser(&self) -> Encloser {
        // SAFETY: as in `turn`.
        ENCLOSER.get_ptr(0).map_or(Encloser::NOTHING, |encloser| Encloser(unsafe { *encloser }))
    }
    #[inline(always)]
    fn keep_encloser(&self, found: Encloser) {
        if let Some(encloser) = ENCLOSER.get_ptr_mut(0) {
            // SAFETY: as in `turn`.
            unsafe { *encloser = found.0 };
        }
    }
    #[inline(always)]
    fn slip(&self) -> Slip {
        // SAFETY: as in `turn`.
        SLIPPED.get_ptr(0).map(|slip| unsafe { *slip }).unwrap_or_default()
    }
    #[inline(always)]
    fn keep_slip(&self, slip: &Slip) {
        if let Some(kept) = SLIPPED.get_ptr_mut(0) {
            // SAFETY: as in `turn`.
            unsafe { *kept = *slip };
        }
    }
    #[inline(always)]
    fn with_case<T>(&self, act: impl FnOnce(&mut Case) -> T) -> Option<T> {
        // SAFETY: as in `turn`; nobody holds it longer than it takes to read or write it.
        CASE.get_ptr_mut(0).map(|case| act(unsafe { &mut *case }))
    }
    /// A function of its own for the kernel too: what is not for us does not pay for the registers.
    #[inline(never)]
    fn wait_for_options(&self, back: u32) {
        self.with_case(|case| case.wait(back));
    }
}
