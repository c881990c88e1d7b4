//! What one program leaves to the next.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use tm_common::{
    aside::{Aside, Case},
    encloser::Encloser,
    verdict::Reason,
};

use super::{Maps, ONE};
use crate::frame::Frame;

/// What the first program leaves to one of those below. Both run on the same CPU, one right behind the other.
#[map]
pub(super) static ASIDE: PerCpuArray<Aside> = PerCpuArray::with_max_entries(ONE, 0);
/// And what the program for names that are not there leaves to the one behind it.
#[map]
static ENCLOSER: PerCpuArray<u64> = PerCpuArray::with_max_entries(ONE, 0);
/// Options on their way to the program that reads them and back.
#[map]
static CASE: PerCpuArray<Case> = PerCpuArray::with_max_entries(ONE, 0);

impl Maps {
    /// What the first program has put aside.
    #[inline(always)]
    pub(crate) fn aside() -> Aside {
        // SAFETY: as in `turn`.
        ASIDE.get_ptr(0).map(|aside| unsafe { *aside }).unwrap_or_default()
    }
    /// Keeps an encloser for the program that goes on with it.
    #[inline(always)]
    pub(crate) fn put_encloser_aside(found: Encloser) {
        if let Some(encloser) = ENCLOSER.get_ptr_mut(0) {
            // SAFETY: as in `turn`.
            unsafe { *encloser = found.0 };
        }
    }
    /// Forgets the options that were left for another packet.
    #[inline(always)]
    pub(crate) fn forget_options() {
        if let Some(case) = case() {
            case.forget();
        }
    }
    /// Has the program of this number go on with the options that were left to be read. A function of its own for the kernel too: what is not for us does not pay for the
    /// registers.
    #[inline(never)]
    pub(crate) fn wait_for_options(back: u32) {
        if let Some(case) = case() {
            case.back = back;
        }
    }
    /// Reads the options that were left, and says which program waits for them.
    #[inline(always)]
    pub(crate) fn read_options(frame: &mut Frame) -> Result<u32, Reason> {
        let Some(case) = case() else { return Reason::Options.refuse() };
        case.read(frame, &Maps)?;
        Ok(case.back)
    }
    /// What was kept.
    #[inline(always)]
    pub(crate) fn encloser() -> Encloser {
        // SAFETY: as in `turn`.
        ENCLOSER.get_ptr(0).map_or(Encloser::NOTHING, |encloser| Encloser(unsafe { *encloser }))
    }
}

/// This CPU's options on their way.
#[inline(always)]
pub(super) fn case<'a>() -> Option<&'a mut Case> {
    // SAFETY: as in `turn`; nobody holds it longer than it takes to read or write it.
    CASE.get_ptr_mut(0).map(|case| unsafe { &mut *case })
}
