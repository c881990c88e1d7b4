//! The XDP program: a shell around the packet engine.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the frame, the maps and the licence section")]
#![expect(missing_docs, unreachable_pub, reason = "the macro of each program makes a function of its own")]

mod frame;
mod maps;

use aya_ebpf::{bindings::xdp_action, macros::xdp, programs::XdpContext};
use frame::Frame;
use maps::{COLD, COLD_FULL, COLD_LONG, Maps};
use tm_common::{
    answer::answer,
    name::{LONG, SHORT},
    verdict::{Reason, Verdict},
};

/// Answers what is common; hands the rest to the programs below.
#[xdp]
pub fn tm(context: XdpContext) -> u32 {
    let reason = answer::<SHORT, false>(&mut Frame::new(&context), &Maps);
    match reason {
        // SAFETY: the context is the one this program was given. A tail call comes back only where the slot is empty.
        Reason::Full => unsafe { COLD.tail_call(&context, COLD_FULL) },
        // SAFETY: as above.
        Reason::LongName => unsafe { COLD.tail_call(&context, COLD_LONG) },
        _ => {}
    }
    finish(&context, reason)
}

/// Short names with options in the query, or with an answer of the large class.
#[xdp]
pub fn tm_full(context: XdpContext) -> u32 {
    finish(&context, answer::<SHORT, true>(&mut Frame::new(&context), &Maps))
}

/// Names of 65 to 255 octets.
#[xdp]
pub fn tm_long(context: XdpContext) -> u32 {
    finish(&context, answer::<LONG, true>(&mut Frame::new(&context), &Maps))
}

#[inline(always)]
fn finish(_context: &XdpContext, reason: Reason) -> u32 {
    maps::count(reason);
    #[cfg(feature = "log")]
    aya_log_ebpf::info!(_context, "{} octets: {}", _context.data_end() - _context.data(), reason.label());
    match reason.verdict() {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Reply => xdp_action::XDP_TX,
        Verdict::Abort => xdp_action::XDP_ABORTED,
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
