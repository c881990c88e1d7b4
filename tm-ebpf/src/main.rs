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
use frame::{Frame, hide};
use maps::{
    COLD, COLD_BELOW, COLD_BELOW_FULL, COLD_COOKIE, COLD_FIND, COLD_FIND_LONG, COLD_FIRST, COLD_FULL,
    COLD_FULL_LONG, COLD_OPTIONS, Maps, route,
};
use tm_common::{
    answer::{answer_aside, answer_below, answer_sifted, put_aside, sift, udp},
    edns::{ALL, NONE, ONLY_COOKIE},
    encloser::{self, Encloser, FEW},
    name::{LONG, SHORT},
    tables::{Lookup as _, Names},
    verdict::Reason,
};

/// Answers what is common; hands the rest to the programs below.
#[xdp]
pub fn tm(context: XdpContext) -> u32 {
    let answered = match sift(&Frame::new(&context), &Maps) {
        Ok(kind) => serve(context.as_ptr().cast(), kind),
        // Nobody was put in the sender's place: that comes behind the same sifting.
        Err(reason) => return pass(&context, reason),
    };
    match answered {
        Err(Reason::UnknownName) => return unknown(&context),
        Err(reason) if !reason.is_rare() => {}
        // SAFETY: the context is the one this program was given. A tail call comes back only where the slot is empty.
        Err(Reason::Full) => unsafe { COLD.tail_call(&context, COLD_FIND) },
        Err(Reason::Options) => have_read(&context, answered, COLD_FULL),
        // SAFETY: as above.
        Err(Reason::LongName) => unsafe { COLD.tail_call(&context, COLD_FIND_LONG) },
        // SAFETY: as above.
        Err(Reason::Cookie) => unsafe { COLD.tail_call(&context, COLD_COOKIE) },
        _ => {}
    }
    finish(&context, answered)
}

/// Stands before the first one where the way back is looked up.
#[xdp]
pub fn tm_routed(context: XdpContext) -> u32 {
    if let Err(reason) = sift(&Frame::new(&context), &Maps) {
        return pass(&context, reason);
    }
    if route::turn(context.as_ptr().cast()).is_none() {
        return pass(&context, Reason::Route);
    }
    // SAFETY: as above.
    unsafe { COLD.tail_call(&context, COLD_FIRST) };
    pass_back(&context, Reason::Full)
}

/// A function of its own for the kernel too: what is not for us does not pay for the registers that answering takes.
#[inline(never)]
fn serve(context: *mut xdp_md, kind: u16) -> Result<(), Reason> {
    answer_sifted::<SHORT>(&mut Frame::of(context), kind, &Maps)
}

/// Short names with a cookie and no other option, from where the first program has left them.
#[xdp]
pub fn tm_cookie(context: XdpContext) -> u32 {
    let answered = answer_aside::<SHORT, ONLY_COOKIE>(&mut Frame::new(&context), Maps::aside(), &Maps);
    if answered == Err(Reason::Full) {
        // SAFETY: as above.
        unsafe { COLD.tail_call(&context, COLD_FULL) };
    }
    finish_named(&context, answered)
}

/// Looks short names up behind tags, and those once more whose answers are of the large class.
#[xdp]
pub fn tm_find(context: XdpContext) -> u32 {
    find::<SHORT>(&context, COLD_FULL)
}

/// Looks up names of 65 to 255 octets.
#[xdp]
pub fn tm_find_long(context: XdpContext) -> u32 {
    find::<LONG>(&context, COLD_FULL_LONG)
}

/// Any query for a short name, once that was looked up.
#[xdp]
pub fn tm_full(context: XdpContext) -> u32 {
    let answered = answer_aside::<SHORT, ALL>(&mut Frame::new(&context), Maps::aside(), &Maps);
    have_read(&context, answered, COLD_FULL);
    finish_named(&context, answered)
}

/// Any query for a long name, likewise.
#[xdp]
pub fn tm_full_long(context: XdpContext) -> u32 {
    let answered = answer_aside::<LONG, ALL>(&mut Frame::new(&context), Maps::aside(), &Maps);
    have_read(&context, answered, COLD_FULL_LONG);
    finish_named(&context, answered)
}

/// Names that are not there, by what there is above them.
#[xdp]
pub fn tm_below(context: XdpContext) -> u32 {
    let encloser = match udp(&Frame::new(&context), &Maps) {
        Ok(udp) => Encloser(find_encloser(context.as_ptr().cast(), udp as u32)),
        Err(_) => Encloser::NOTHING,
    };
    let answered = answer_below::<NONE>(&mut Frame::new(&context), encloser, &Maps);
    if let Err(Reason::Full | Reason::Options | Reason::Cookie) = answered {
        Maps::put_encloser_aside(encloser);
        have_read(&context, answered, COLD_BELOW_FULL);
        Maps::forget_options();
        // SAFETY: as above.
        unsafe { COLD.tail_call(&context, COLD_BELOW_FULL) };
    }
    finish(&context, answered)
}

/// The same with options in the query, or with an answer of the large class, once the encloser was found.
#[xdp]
pub fn tm_below_full(context: XdpContext) -> u32 {
    let answered = answer_below::<ALL>(&mut Frame::new(&context), Maps::encloser(), &Maps);
    have_read(&context, answered, COLD_BELOW_FULL);
    finish(&context, answered)
}

/// Reads options for the three programs above that answer with them.
#[xdp]
pub fn tm_options(context: XdpContext) -> u32 {
    let read = Maps::read_options(&mut Frame::new(&context));
    if let Ok(back) = read {
        // SAFETY: as above.
        unsafe { COLD.tail_call(&context, back) };
    }
    finish(&context, read.and(Reason::Options.refuse()))
}

/// A function of its own for the kernel too, which goes through it by itself: where the UDP header is may be any number to it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn find_encloser(context: *mut xdp_md, udp: u32) -> u64 {
    let udp = hide(udp as usize) & 127;
    encloser::find::<FEW, _>(&mut Frame::of(context), udp, &Maps).unwrap_or(Encloser::NOTHING).0
}

#[inline(always)]
fn find<const WORDS: usize>(context: &XdpContext, next: u32) -> u32
where
    Maps: Names<WORDS>,
{
    let found = put_aside::<WORDS>(&mut Frame::new(context), &Maps);
    if found.is_ok() {
        // SAFETY: as above.
        unsafe { COLD.tail_call(context, next) };
    }
    finish_named(context, found.and(Reason::Full.refuse()))
}

/// Options are read by another program, which comes back to the one of this number.
#[inline(always)]
fn have_read(context: &XdpContext, answered: Result<(), Reason>, back: u32) {
    if let Err(Reason::Options) = answered {
        Maps::wait_for_options(back);
        // SAFETY: as above.
        unsafe { COLD.tail_call(context, COLD_OPTIONS) };
    }
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
    pass_back(context, Reason::UnknownName)
}

#[inline(always)]
fn finish(context: &XdpContext, answered: Result<(), Reason>) -> u32 {
    let Err(reason) = answered else {
        note(context, Reason::Answered);
        return XDP_TX;
    };
    let verdict = pass_back(context, reason);
    if reason.is_rare() && reason == Reason::Broken { XDP_ABORTED } else { verdict }
}

/// Hands up what may have another in its sender's place.
#[inline(always)]
fn pass_back(context: &XdpContext, reason: Reason) -> u32 {
    if route::is_wanted() {
        route::undo(context.as_ptr().cast());
    }
    pass(context, reason)
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
