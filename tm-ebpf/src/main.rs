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
        xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX},
        xdp_md,
    },
    macros::xdp,
    programs::XdpContext,
};
use frame::{Frame, hide};
use maps::{COLD, Maps, route};
use tm_common::{
    answer::{self, answer_sifted, sift},
    encloser::{self, Encloser, FEW},
    name::SHORT,
    programs::{
        BELOW, BELOW_FULL, COOKIE, FIND, FIND_LONG, FIRST, FULL, FULL_LONG, OPTIONS, SLIP, Shell, run,
        run_first,
    },
    tables::Lookup as _,
    verdict::Reason,
};

/// Answers what is common; hands the rest to the programs below.
#[xdp]
pub fn tm(context: XdpContext) -> u32 {
    run_first(&mut Here::new(&context))
}

/// [`FULL`].
#[xdp]
pub fn tm_full(context: XdpContext) -> u32 {
    run_behind(&context, FULL)
}

/// [`FULL_LONG`].
#[xdp]
pub fn tm_full_long(context: XdpContext) -> u32 {
    run_behind(&context, FULL_LONG)
}

/// [`COOKIE`].
#[xdp]
pub fn tm_cookie(context: XdpContext) -> u32 {
    run_behind(&context, COOKIE)
}

/// [`FIND`].
#[xdp]
pub fn tm_find(context: XdpContext) -> u32 {
    run_behind(&context, FIND)
}

/// [`FIND_LONG`].
#[xdp]
pub fn tm_find_long(context: XdpContext) -> u32 {
    run_behind(&context, FIND_LONG)
}

/// [`BELOW`].
#[xdp]
pub fn tm_below(context: XdpContext) -> u32 {
    run_behind(&context, BELOW)
}

/// [`BELOW_FULL`].
#[xdp]
pub fn tm_below_full(context: XdpContext) -> u32 {
    run_behind(&context, BELOW_FULL)
}

/// [`OPTIONS`].
#[xdp]
pub fn tm_options(context: XdpContext) -> u32 {
    run_behind(&context, OPTIONS)
}

/// [`SLIP`].
#[xdp]
pub fn tm_slip(context: XdpContext) -> u32 {
    run_behind(&context, SLIP)
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
    Here::new(&context).go_on(FIRST).unwrap_or_else(|| pass_back(&context, Reason::Full))
}

#[inline(always)]
fn run_behind(context: &XdpContext, program: u32) -> u32 {
    run(&mut Here::new(context), program)
}

/// What a program runs in.
struct Here<'a> {
    context: &'a XdpContext,
    frame: Frame,
}

impl<'a> Here<'a> {
    #[inline(always)]
    fn new(context: &'a XdpContext) -> Self {
        Here { context, frame: Frame::unread(context) }
    }
}

impl Shell for Here<'_> {
    type Packet = Frame;
    type Tables = Maps;
    type End = u32;

    #[inline(always)]
    fn parts(&mut self) -> (&mut Frame, &Maps) {
        self.frame = Frame::new(self.context);
        (&mut self.frame, &Maps)
    }
    #[inline(always)]
    fn tables(&mut self) -> &Maps {
        &Maps
    }
    #[inline(always)]
    fn go_on(&mut self, program: u32) -> Option<u32> {
        // SAFETY: the context is the one this program was given. A tail call comes back only where the slot is empty.
        unsafe { COLD.tail_call(self.context, program) };
        None
    }
    #[inline(always)]
    fn finish(&mut self, answered: Result<(), Reason>) -> u32 {
        finish(self.context, answered)
    }
    #[inline(always)]
    fn pass(&mut self, reason: Reason) -> u32 {
        pass_back(self.context, reason)
    }
    #[inline(always)]
    fn let_by(&mut self, reason: Reason) -> u32 {
        pass(self.context, reason)
    }
    #[inline(always)]
    fn serve(&mut self, kind: u16) -> Result<(), Reason> {
        serve(self.context.as_ptr().cast(), kind)
    }
    #[inline(always)]
    fn deny(&mut self) -> Result<(), Reason> {
        deny(self.context.as_ptr().cast())
    }
    #[inline(always)]
    fn find_encloser(&mut self, udp: usize) -> Encloser {
        Encloser(find_encloser(self.context.as_ptr().cast(), udp as u32))
    }
}

/// A function of its own for the kernel too: what is not for us does not pay for the registers that answering takes.
#[inline(never)]
fn serve(context: *mut xdp_md, kind: u16) -> Result<(), Reason> {
    answer_sifted::<SHORT>(&mut Frame::of(context), kind, &Maps)
}

/// Likewise: who asks for what is there does not pay for who asks for what is not.
#[inline(never)]
fn deny(context: *mut xdp_md) -> Result<(), Reason> {
    answer::deny(&mut Frame::of(context), &Maps)
}

/// A function of its own for the kernel too, which goes through it by itself: where the UDP header is may be any number to it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn find_encloser(context: *mut xdp_md, udp: u32) -> u64 {
    let udp = hide(udp as usize) & 127;
    encloser::find::<FEW, _>(&mut Frame::of(context), udp, &Maps).unwrap_or(Encloser::NOTHING).0
}

#[inline(always)]
fn finish(context: &XdpContext, answered: Result<(), Reason>) -> u32 {
    let Err(reason) = answered else {
        note(context, Reason::Answered);
        return XDP_TX;
    };
    match reason {
        _ if !reason.is_rare() => {}
        Reason::Limited => return end(context, reason, XDP_DROP),
        Reason::Slipped => return end(context, reason, XDP_TX),
        _ => {}
    }
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
    end(context, reason, XDP_PASS)
}

/// Counts what ends so.
#[inline(always)]
fn end(context: &XdpContext, reason: Reason, action: u32) -> u32 {
    note(context, reason);
    Maps.count(reason as u32);
    action
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
