//! The way back, where a setting has it looked up in the kernel's routing table (`bpf_fib_lookup`): else a reply goes back to whoever has sent the frame.
//!
//! It is looked up before any other program sees the frame. What has to go another way is handed up as it came, and the stack sends the reply. In what stays, the next host on the way back is put
//! in the sender's place, whom every reply goes to; the sender is kept, for what is handed up after all.
//!
//! The table is asked as if from this host itself (interface 1, the loopback), which it answers only where forwarding is on there.

use aya_ebpf::{
    Global,
    bindings::{bpf_fib_lookup as Question, xdp_md},
    helpers::generated::bpf_fib_lookup,
    macros::map,
    maps::PerCpuArray,
};
use tm_common::{
    net::{self, UDP_PROTOCOL},
    packet::Packet as _,
};

use super::ONE;
use crate::frame::Frame;

/// Is it to be looked up? Frozen.
#[unsafe(no_mangle)]
static ROUTED: Global<u8> = Global::new(0);
/// Who has sent the frame in whose place another stands now; 0 for none.
#[map]
static SENDER: PerCpuArray<u64> = PerCpuArray::with_max_entries(ONE, 0);

/// Where the sender stands in a frame.
const SOURCE: usize = 6;
/// Among the bits of an address beside its 48 octets: there is one.
const IS_KEPT: u64 = 1 << 63;
/// The loopback interface, in every network namespace.
const LOOPBACK: u32 = 1;
const INET: u8 = 2;
const INET6: u8 = 10;

/// Is the way back looked up?
#[inline(always)]
pub(crate) fn is_wanted() -> bool {
    ROUTED.load() != 0
}

/// Puts the next host on the way back of a datagram without tags in its sender's place. `None`, and nothing has changed, where the way is not by the interface that this came in by, or nothing is
/// known of the next host's address on the link.
#[inline(always)]
pub(crate) fn turn(context: *mut xdp_md) -> Option<()> {
    let mut frame = Frame::of(context);
    // SAFETY: all zeroes is a question.
    let mut question: Question = unsafe { core::mem::zeroed() };
    question.l4_protocol = UDP_PROTOCOL;
    question.ifindex = LOOPBACK;
    match frame.read::<u16>(net::KIND)? {
        net::IPV4 => ask_v4(&frame, &mut question),
        net::IPV6 => ask_v6(&frame, &mut question),
        _ => None,
    }?;
    // SAFETY: the context is the one this program was given, and the question is as long as is said.
    let found = unsafe {
        bpf_fib_lookup(context.cast(), (&raw mut question).cast(), size_of::<Question>() as i32, 0)
    };
    // SAFETY: the kernel keeps the context alive while the program runs.
    let came_by = unsafe { (*context).ingress_ifindex };
    let [sender @ .., group]: [u16; 3] = frame.read(SOURCE)?;
    let sender = u64::from(sender[0]) | u64::from(sender[1]) << 16 | u64::from(group) << 32;
    // Who is answered on the link, and where to, is the frame's own to say: from a group nothing comes.
    if found != 0 || question.ifindex != came_by || sender & 1 != 0 {
        return None;
    }
    let kept = SENDER.get_ptr_mut(0)?;
    // SAFETY: the map lives as long as the program, and this CPU's element is ours alone while it runs.
    unsafe { *kept = sender | IS_KEPT };
    frame.write(SOURCE, question.dmac)
}

/// Puts the sender back into its place.
#[inline(always)]
pub(crate) fn undo(context: *mut xdp_md) {
    let Some(kept) = SENDER.get_ptr_mut(0) else { return };
    // SAFETY: as above.
    let sender = unsafe { core::mem::take(&mut *kept) };
    if sender & IS_KEPT != 0 {
        Frame::of(context).write(SOURCE, [sender as u16, (sender >> 16) as u16, (sender >> 32) as u16]);
    }
}

/// From whom and to whom a reply goes: the request's target and source, and their ports.
#[inline(always)]
fn ask_v4(frame: &Frame, question: &mut Question) -> Option<()> {
    let [source, target, ports]: [u32; 3] = frame.read(net::LINK + 12)?;
    question.family = INET;
    question.__bindgen_anon_3.ipv4_src = target;
    question.__bindgen_anon_4.ipv4_dst = source;
    (question.sport, question.dport) = ((ports >> 16) as u16, ports as u16);
    Some(())
}

#[inline(always)]
fn ask_v6(frame: &Frame, question: &mut Question) -> Option<()> {
    let [a, b, c, d, e, f, g, h, ports]: [u32; 9] = frame.read(net::LINK + 8)?;
    question.family = INET6;
    question.__bindgen_anon_3.ipv6_src = [e, f, g, h];
    question.__bindgen_anon_4.ipv6_dst = [a, b, c, d];
    (question.sport, question.dport) = ((ports >> 16) as u16, ports as u16);
    Some(())
}
