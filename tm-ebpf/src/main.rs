//! The XDP program: a shell around the packet engine.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![expect(unsafe_code, reason = "the frame, the maps and the licence section")]
#![expect(missing_docs, unreachable_pub, reason = "the macro of each program makes a function of its own")]

mod frame;
mod maps;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{
        xdp_action::{XDP_ABORTED, XDP_PASS, XDP_TX},
        xdp_md,
    },
    macros::xdp,
    programs::XdpContext,
};
use frame::Frame;
use maps::{COLD, COLD_BELOW, COLD_BELOW_FULL, COLD_FULL, COLD_LONG, Maps};
use tm_common::{
    answer::{answer, answer_below, answer_sifted, sift},
    encloser::{self, Encloser, FEW},
    name::{LONG, SHORT},
    tables::Lookup as _,
    verdict::Reason,
};

/// Answers what is common; hands the rest to the programs below.
#[xdp]
pub fn tm(context: XdpContext) -> u32 {
    let answered = match sift(&Frame::new(&context), &Maps) {
        Ok(kind) => serve(context.as_ptr().cast(), kind),
        Err(reason) => return pass(&context, reason),
    };
    match answered {
        Err(Reason::UnknownName) => return unknown(&context),
        Err(reason) if !reason.is_rare() => {}
        // SAFETY: the context is the one this program was given. A tail call comes back only where the slot is empty.
        Err(Reason::Full) => unsafe { COLD.tail_call(&context, COLD_FULL) },
        // SAFETY: as above.
        Err(Reason::LongName) => unsafe { COLD.tail_call(&context, COLD_LONG) },
        _ => {}
    }
    finish(&context, answered)
}

/// A function of its own for the kernel too: what is not for us does not pay for the registers that answering takes.
#[inline(never)]
fn serve(context: *mut xdp_md, kind: u16) -> Result<(), Reason> {
    answer_sifted::<SHORT>(&mut Frame::of(context), kind, &Maps)
}

/// Short names with options in the query, or with an answer of the large class.
#[xdp]
pub fn tm_full(context: XdpContext) -> u32 {
    finish_named(&context, answer::<SHORT, true>(&mut Frame::new(&context), &Maps))
}

/// Names of 65 to 255 octets.
#[xdp]
pub fn tm_long(context: XdpContext) -> u32 {
    finish_named(&context, answer::<LONG, true>(&mut Frame::new(&context), &Maps))
}

/// Names that are not there, by what there is above them.
#[xdp]
pub fn tm_below(context: XdpContext) -> u32 {
    let encloser = Encloser(find_encloser(context.as_ptr().cast()));
    let answered = answer_below::<false>(&mut Frame::new(&context), encloser, &Maps);
    if let Err(Reason::Full) = answered {
        // SAFETY: as above.
        unsafe { COLD.tail_call(&context, COLD_BELOW_FULL) };
    }
    finish(&context, answered)
}

/// The same with options in the query, or with an answer of the large class.
#[xdp]
pub fn tm_below_full(context: XdpContext) -> u32 {
    let encloser = Encloser(find_encloser(context.as_ptr().cast()));
    finish(&context, answer_below::<true>(&mut Frame::new(&context), encloser, &Maps))
}

/// A function of its own for the kernel too, which goes through it by itself.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn find_encloser(context: *mut xdp_md) -> u64 {
    encloser::find::<FEW, _>(&mut Frame::of(context), &Maps).unwrap_or(Encloser::NOTHING).0
}

#[inline(always)]
fn finish_named(context: &XdpContext, answered: Result<(), Reason>) -> u32 {
    match answered {
        Err(Reason::UnknownName) => unknown(context),
        _ => finish(context, answered),
    }
}

/// A name that is not there is for another program, if there may be anything above it.
#[inline(always)]
fn unknown(context: &XdpContext) -> u32 {
    if encloser::may_be(&Frame::new(context), &Maps) {
        // SAFETY: as above.
        unsafe { COLD.tail_call(context, COLD_BELOW) };
    }
    pass(context, Reason::UnknownName)
}

#[inline(always)]
fn finish(context: &XdpContext, answered: Result<(), Reason>) -> u32 {
    let Err(reason) = answered else {
        note(context, Reason::Answered);
        return XDP_TX;
    };
    let verdict = pass(context, reason);
    if reason.is_rare() && reason == Reason::Broken { XDP_ABORTED } else { verdict }
}

/// Counts what is handed up.
#[inline(always)]
fn pass(context: &XdpContext, reason: Reason) -> u32 {
    note(context, reason);
    Maps.count(reason as u32);
    XDP_PASS
}

/// A line in the daemon's log, where the programs are built with the switch for it: the reason by its place in `Reason::ALL`, since to copy its label is
/// beyond what the verifier follows at each place that has one.
#[inline(always)]
fn note(_context: &XdpContext, _reason: Reason) {
    #[cfg(feature = "log")]
    aya_log_ebpf::info!(
        _context,
        "{} octets: reason {}",
        _context.data_end() - _context.data(),
        _reason as u8
    );
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
