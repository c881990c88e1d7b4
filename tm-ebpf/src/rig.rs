//! Programs for tests and measurements only; nothing of the product loads them.
//!
//! `wrap` restores one of many template frames and tail-calls the program under test, so that `BPF_PROG_TEST_RUN`'s repetitions do not feed
//! a program its own replies, and so that many different queries are asked in shuffled order. `floor` and `reflect` are what is subtracted and compared with.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "raw frames, maps and the licence section")]
#![expect(clippy::multiple_unsafe_ops_per_block, reason = "measuring only; each block is one access")]
#![expect(missing_docs, unreachable_pub, reason = "the macro of each program makes a function of its own")]

use aya_ebpf::{
    EbpfContext as _,
    bindings::xdp_action::{XDP_ABORTED, XDP_PASS, XDP_TX},
    helpers::generated::bpf_xdp_adjust_tail,
    macros::{map, xdp},
    maps::{Array, PerCpuArray, ProgramArray},
    programs::XdpContext,
};

/// Words of the longest template.
const WORDS: usize = 48;

/// A frame to start from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Template {
    /// Octets.
    len: u32,
    /// Where the last eight octets begin.
    tail: u32,
    octets: [u64; WORDS],
    last: u64,
}

#[map]
static TEMPLATES: Array<Template> = Array::with_max_entries(1, 0);
/// Number of templates less one; a power of two less one.
#[map]
static TEMPLATE_MASK: Array<u32> = Array::with_max_entries(1, 0);
#[map]
static UNDER_TEST: ProgramArray = ProgramArray::with_max_entries(1, 0);
#[map]
static ROUND: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Restores the next template and runs the program under test on it.
#[xdp]
pub fn wrap(context: XdpContext) -> u32 {
    match restore(&context) {
        // SAFETY: the context is the one this program was given.
        Some(()) => unsafe { UNDER_TEST.tail_call(&context, 0) },
        None => return XDP_ABORTED,
    }
    XDP_ABORTED
}

#[inline(always)]
fn restore(context: &XdpContext) -> Option<()> {
    let round = ROUND.get_ptr_mut(0)?;
    // SAFETY: this CPU's element is ours while the program runs.
    let index = unsafe {
        *round += 1;
        (*round as u32).wrapping_mul(0x9E37_79B1) >> 7
    };
    let template = TEMPLATES.get(index & *TEMPLATE_MASK.get(0)?)?;
    let growth = template.len as i32 - (context.data_end() - context.data()) as i32;
    // SAFETY: the context is the one this program was given.
    if growth != 0 && unsafe { bpf_xdp_adjust_tail(context.as_ptr().cast(), growth) } != 0 {
        return None;
    }
    let (data, end) = (context.data(), context.data_end());
    for (i, word) in template.octets.iter().enumerate() {
        let place = data + 8 * i;
        if place + 8 > end {
            break;
        }
        // SAFETY: checked to lie inside the frame.
        unsafe { *(place as *mut u64) = *word };
    }
    let place = data + (template.tail as usize & 511);
    if place + 8 > end {
        return None;
    }
    // SAFETY: checked to lie inside the frame.
    unsafe { *(place as *mut u64) = template.last };
    Some(())
}

/// Does nothing: what the harness itself costs.
#[xdp]
pub fn floor(_: XdpContext) -> u32 {
    XDP_TX
}

/// Swaps the addresses of link and network and the ports, and sends the frame back: the least that any reply costs.
#[xdp]
pub fn reflect(context: XdpContext) -> u32 {
    let (data, end) = (context.data(), context.data_end());
    if data + 42 > end {
        return XDP_PASS;
    }
    let words = data as *mut u16;
    let swap = |a: usize, b: usize, count: usize| {
        for i in 0..count {
            // SAFETY: all positions lie in the 42 octets checked above, or in the 62 checked below.
            unsafe { core::ptr::swap(words.add(a + i), words.add(b + i)) };
        }
    };
    swap(0, 3, 3);
    // SAFETY: within the first 42 octets.
    if unsafe { *words.add(6) } == 0x0800u16.to_be() {
        swap(13, 15, 2);
        swap(17, 18, 1);
    } else {
        if data + 62 > end {
            return XDP_PASS;
        }
        swap(11, 19, 8);
        swap(27, 28, 1);
    }
    XDP_TX
}

/// Lets everything through. On the client's end of a veth pair it makes the driver poll, without which frames sent by XDP do not arrive.
#[xdp]
pub fn pass(_: XdpContext) -> u32 {
    XDP_PASS
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
