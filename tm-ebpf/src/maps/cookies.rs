//! What cookies are made and judged with, and by what clock.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE as MMAPABLE,
    helpers::generated::{bpf_jiffies64, bpf_ktime_get_tai_ns},
    macros::map,
    maps::{Array, PerCpuArray},
};
use tm_common::{
    cookie::{self, Cookies, EARLIEST, Jar, Known, MOST_KNOWN},
    tables::Address,
};

use super::{Maps, ONE};

/// What cookies are made and judged with.
#[map]
static COOKIES: Array<Cookies> = Array::with_max_entries(ONE, MMAPABLE);
/// Cookies that were found to be right.
#[map]
static KNOWN: PerCpuArray<Known> = PerCpuArray::with_max_entries(MOST_KNOWN, 0);

impl Jar for Maps {
    #[inline(always)]
    fn cookies(&self) -> Option<&Cookies> {
        COOKIES.get(0)
    }
    // Once in 64 of the kernel's ticks, a quarter of a second or so, the clock is read; in between what it said is good enough, and costs a tenth.
    #[inline(always)]
    fn now(&self, cookies: &Cookies) -> Option<u32> {
        // SAFETY: takes nothing, gives a number.
        let tick = (unsafe { bpf_jiffies64() } >> 6) as u32;
        let (ticked, seconds) = ((cookies.clock >> 32) as u32, cookies.clock as u32);
        if ticked == tick && seconds != 0 {
            return Some(seconds);
        }
        read_clock(cookies.ahead, tick)
    }
    #[inline(always)]
    fn seal(&self, secret: &[u64; 2], client: u64, head: u64, address: &Address) -> u64 {
        seal(secret, client, head, address[0], address[1])
    }
    #[inline(always)]
    fn knows(&self, cookie: &Known) -> bool {
        // SAFETY: as in `turn`.
        KNOWN.get_ptr(cookie.index()).is_some_and(|known| unsafe { *known == *cookie })
    }
    #[inline(always)]
    fn remember(&self, cookie: &Known) {
        if let Some(known) = KNOWN.get_ptr_mut(cookie.index()) {
            // SAFETY: as in `turn`.
            unsafe { *known = *cookie };
        }
    }
}

/// Reads the clock, and keeps what it says for everybody, as one word. The kernel's clock of atomic time goes on while the machine sleeps, follows
/// whoever sets the clock, and needs no daemon.
#[inline(never)]
fn read_clock(ahead: u32, tick: u32) -> Option<u32> {
    // SAFETY: takes nothing, gives a number.
    let seconds = unsafe { bpf_ktime_get_tai_ns() } / 1_000_000_000;
    let now = (seconds as u32).wrapping_sub(ahead);
    if seconds < EARLIEST || now == 0 {
        return None;
    }
    if let Some(cookies) = COOKIES.get_ptr_mut(0) {
        // SAFETY: the map lives as long as the program.
        let clock = unsafe { &raw mut (*cookies).clock };
        // SAFETY: as above; others read and write this word too, which is one store.
        unsafe { clock.write_volatile(u64::from(tick) << 32 | u64::from(now)) };
    }
    Some(now)
}

/// A function of its own, as it is called at several places.
#[inline(never)]
fn seal(secret: &[u64; 2], client: u64, head: u64, first: u64, second: u64) -> u64 {
    cookie::seal(secret, client, head, &[first, second])
}
