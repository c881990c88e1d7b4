//! The tables userspace fills, and their look-ups.
//!
//! Arrays written through a shared mapping (`BPF_F_MMAPABLE`) and looked up inline, without a helper call. Sizes here are placeholders: userspace
//! sets them from its configuration before it loads the program.
//!
//! Userspace never rewrites what a reader may be reading: an element is written while nothing leads to it, and what leads to it is one aligned
//! word, stored whole. So a shared reference to an element is one to memory that does not change as long as it is held.

mod aside;
mod cookies;
mod limit;
pub(crate) mod route;

use aya_ebpf::{
    Global,
    bindings::{BPF_F_MMAPABLE as MMAPABLE, xdp_md},
    btf_maps::{self, ArrayOfMaps},
    helpers::generated::{bpf_get_prandom_u32, bpf_xdp_load_bytes},
    macros::{btf_map, map},
    maps::{Array, PerCpuArray, ProgramArray, RingBuf},
};
use tm_common::{
    answer::Slip,
    aside::{Aside, Left as _},
    edns::{Opt, PAYLOAD, Payload, SMALLEST},
    kind,
    link::Link,
    name::{self, LONG, SHORT},
    options::Options,
    packet::Packet,
    place::{self, Asker, Client, Found, Line, Root},
    programs::NAMES,
    sample::{self, Head, Sample},
    tables::{
        ADDRESS_LINES, Above, Address, Addresses, Answer, AnswerIndex, Bucket, Entry, LARGE, Lookup, MEDIUM,
        Names, OWN_BITS, Placed, SMALL,
    },
    verdict::Reason,
};

use crate::frame::hide;

const ONE: u32 = 1;
/// Words of 64 ids in the set of VLANs.
const VLAN_WORDS: u32 = 4096 / 64;
/// Any reply is longer: an Ethernet header.
const LEAST: usize = 14;

// Frozen when the program is loaded: the verifier knows the values, and drops what they switch off.
/// UDP port, in memory order.
#[unsafe(no_mangle)]
static PORT: Global<u16> = Global::new(53u16.to_be());
/// What name hashes begin with.
#[unsafe(no_mangle)]
static SEED: Global<u64> = Global::new(0);
/// Number of buckets less one; their number is a power of two.
#[unsafe(no_mangle)]
static BUCKET_MASK: Global<u32> = Global::new(0);
/// What the OPT of every reply begins with.
#[unsafe(no_mangle)]
static OPT: Global<u64> = Global::new(Opt::new(PAYLOAD).0);
/// Octets of the longest reply, with a right cookie and without one.
#[unsafe(no_mangle)]
static MOST: Global<u16> = Global::new(PAYLOAD);
#[unsafe(no_mangle)]
static WITHOUT_COOKIE: Global<u16> = Global::new(SMALLEST);
/// Whether any VLAN is listed.
#[unsafe(no_mangle)]
static VLANS_LISTED: Global<u8> = Global::new(0);
/// What frames to us begin with.
#[unsafe(no_mangle)]
static LINK: Global<Link> = Global::new(Link::ANY);

#[map]
static VLANS: Array<u64> = Array::with_max_entries(VLAN_WORDS, MMAPABLE);
#[map]
static SERVED: Array<Addresses> = Array::with_max_entries(ADDRESS_LINES, MMAPABLE);
#[map]
static OWN: Array<u64> = Array::with_max_entries(OWN_BITS / 64, MMAPABLE);
#[map]
static ENDINGS: Array<u32> = Array::with_max_entries(name::ENDINGS, MMAPABLE);
#[map]
static BUCKETS: Array<Bucket> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static ENTRIES: Array<Entry<SHORT>> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static LONG_ENTRIES: Array<Entry<LONG>> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static NODES: Array<Line> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static BLOCKS: Array<Placed> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static SLOTS: Array<u32> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static SMALL_ANSWERS: Array<Answer<SMALL>> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static MEDIUM_ANSWERS: Array<Answer<MEDIUM>> = Array::with_max_entries(ONE, MMAPABLE);
#[map]
static LARGE_ANSWERS: Array<Answer<LARGE>> = Array::with_max_entries(ONE, MMAPABLE);
/// Whose turn it is in each block.
#[map]
static TURNS: PerCpuArray<u32> = PerCpuArray::with_max_entries(ONE, 0);
/// Packets refused, by `Reason`; then answers given, by `Meta::counter`.
#[map]
static COUNTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(ONE, 0);
/// Never read. Storing into it makes the kernel wait until every program that was running is done, which is how userspace knows that nobody holds
/// what it took out of the tables.
#[btf_map]
static BARRIER: ArrayOfMaps<btf_maps::Array<u32, 1>, 1> = ArrayOfMaps::new();
/// Answers told of, for the daemon to read.
#[map]
static SAMPLES: RingBuf = RingBuf::with_byte_size(4096, 0);
/// Where each is put together: the stack is too small.
#[map]
static SAMPLE: PerCpuArray<Sample> = PerCpuArray::with_max_entries(1, 0);
/// Programs for what is too rare or too large for the first one, each at its number.
#[map]
pub(crate) static COLD: ProgramArray = ProgramArray::with_max_entries(NAMES.len() as u32, 0);

/// The kernel's tables.
pub(crate) struct Maps;

impl Lookup for Maps {
    #[inline(always)]
    fn port(&self) -> u16 {
        PORT.load()
    }
    #[inline(always)]
    fn seed(&self) -> u64 {
        SEED.load()
    }
    #[inline(always)]
    fn opt(&self) -> Opt {
        Opt(OPT.load())
    }
    #[inline(always)]
    fn payload(&self) -> Payload {
        Payload { most: MOST.load(), without_cookie: WITHOUT_COOKIE.load() }
    }
    #[inline(always)]
    fn has_vlans(&self) -> bool {
        VLANS_LISTED.load() != 0
    }
    #[inline(always)]
    fn vlan(&self, id: u16) -> bool {
        VLANS.get(u32::from(id) >> 6).is_some_and(|word| word >> (id & 63) & 1 != 0)
    }
    #[inline(always)]
    fn link(&self) -> Link {
        LINK.load()
    }
    #[inline(always)]
    fn ending(&self, ending: u32) -> Option<Above> {
        ENDINGS.get(ending).map(|above| Above(*above))
    }
    #[inline(always)]
    fn served(&self, line: u32) -> Option<&Addresses> {
        SERVED.get(line)
    }
    #[inline(always)]
    fn own(&self, word: u32) -> Option<u64> {
        OWN.get(word).copied()
    }
    #[inline(always)]
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        BUCKETS.get(index & BUCKET_MASK.load())
    }
    #[inline(always)]
    fn turn(&self, index: u32, count: u32) -> Option<u32> {
        let turn = TURNS.get_ptr_mut(index)?;
        // SAFETY: the map lives as long as the program, and this CPU's element is ours alone while the program runs.
        let now = unsafe { *turn };
        let now = if now < count { now } else { 0 };
        // SAFETY: as above.
        unsafe { *turn = now + 1 };
        Some(now)
    }
    #[inline(always)]
    fn give_back(&self, index: u32) {
        if let Some(turn) = TURNS.get_ptr_mut(index) {
            // SAFETY: as in `turn`, which has just left 1 or more here.
            unsafe { *turn -= 1 };
        }
    }
    #[inline(always)]
    fn line(&self, index: u32) -> Option<&Line> {
        NODES.get(index)
    }
    #[inline(always)]
    fn placed(&self, index: u32) -> Option<&Placed> {
        BLOCKS.get(index)
    }
    #[inline(always)]
    fn find_client(&self, root: Root, client: &Client) -> Option<Found> {
        let found = match client.bits {
            // Here, where it costs the plain hit five instructions: a call and its registers cost each client that is placed as much as a look-up.
            32 => place::find(&Maps, root, client).unwrap_or(Found::NOTHING).0,
            _ => find_v6(root.line, root.bits, client.high, client.low),
        };
        (found != Found::NOTHING.0).then_some(Found(found))
    }
    #[inline(always)]
    fn find_asker<const FULL: bool>(&self, root: Root, asker: &Asker) -> Option<Found> {
        let found = match FULL {
            true => find_asker(root, asker),
            false => self.find_client(root, &asker.sender).map_or(0, |found| found.0),
        };
        (found != Found::NOTHING.0).then_some(Found(found))
    }
    #[inline(always)]
    fn find_type(&self, first: u32, kind: u32) -> Option<u32> {
        Some(find_type(first, kind))
    }
    #[inline(always)]
    fn slot(&self, index: u32) -> Option<AnswerIndex> {
        SLOTS.get(index).map(|slot| AnswerIndex(*slot))
    }
    #[inline(always)]
    fn small(&self, index: u32) -> Option<&Answer<SMALL>> {
        SMALL_ANSWERS.get(index)
    }
    #[inline(always)]
    fn medium(&self, index: u32) -> Option<&Answer<MEDIUM>> {
        MEDIUM_ANSWERS.get(index)
    }
    #[inline(always)]
    fn large(&self, index: u32) -> Option<&Answer<LARGE>> {
        LARGE_ANSWERS.get(index)
    }
    // What reads them is long, and would be verified once more for each way that leads to it.
    #[inline(always)]
    fn options(
        &self,
        _packet: &mut impl Packet,
        at: usize,
        len: usize,
        address: &Address,
    ) -> Result<Options, Reason> {
        self.take_options(at, len, address)
    }
    #[inline(always)]
    fn leave_options(&self, at: usize, len: usize, address: &Address) {
        self.ask_options(at, len, address);
    }
    #[inline(always)]
    fn put_aside(&self, found: Aside) {
        self.leave(found);
    }
    #[inline(always)]
    fn leave_slip(&self, slip: &Slip) -> bool {
        self.keep_slip(slip);
        true
    }
    #[inline(always)]
    fn count(&self, counter: u32) {
        if let Some(count) = COUNTS.get_ptr_mut(counter) {
            // SAFETY: as in `turn`.
            unsafe { *count += 1 };
        }
    }
}

/// Where in a row by type; a function of its own for the kernel too, which goes through it by itself.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn find_type(first: u32, kind: u32) -> u32 {
    kind::find(&Maps, first, kind).unwrap_or(0)
}

/// A function of its own for the kernel too: what looks at no client does not pay for the registers, and the verifier goes through it by itself.
#[inline(never)]
fn find_asker(root: Root, asker: &Asker) -> u32 {
    place::find_asker(&Maps, root, asker).unwrap_or(Found::NOTHING).0
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn find_v6(line: u32, bits: u32, high: u64, low: u64) -> u32 {
    place::find(&Maps, Root { line, bits }, &Client { high, low, bits: 128 }).unwrap_or(Found::NOTHING).0
}

/// Tells of one in so many of these replies. A function of its own for the kernel too, so that nobody pays for it of whom nothing is told.
#[inline(never)]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sample(context: *mut xdp_md, counter: u32, one_in: u32) -> u32 {
    // SAFETY: a helper that takes nothing and gives a number.
    if one_in > 1 && unsafe { bpf_get_prandom_u32() } % one_in != 0 {
        return 0;
    }
    let Some(sample) = SAMPLE.get_ptr_mut(0) else { return 0 };
    // SAFETY: the kernel keeps the context alive while the program runs.
    let context_of = unsafe { &*context };
    // Both bounds are compared by themselves, as 64 bits: Linux 6.1 learns from nothing else.
    let length = hide(context_of.data_end as usize - context_of.data as usize);
    if length > sample::MOST {
        return 0;
    }
    let length = hide(length);
    if length < LEAST {
        return 0;
    }
    // SAFETY: this CPU's element is ours alone while the program runs.
    let sample = unsafe { &mut *sample };
    // SAFETY: `length` octets lie in the packet, and as many in the element.
    if unsafe { bpf_xdp_load_bytes(context, 0, sample.frame.as_mut_ptr().cast(), length as u32) } != 0 {
        return 0;
    }
    sample.head = Head { counter, one_in, lost: sample.head.lost, length: length as u32 };
    // SAFETY: the head and `length` octets of the frame lie in the element.
    let octets =
        unsafe { core::slice::from_raw_parts((&raw const *sample).cast::<u8>(), size_of::<Head>() + length) };
    sample.head.lost = match SAMPLES.output::<[u8]>(octets, 0) {
        Ok(()) => 0,
        Err(_) => sample.head.lost.wrapping_add(1),
    };
    1
}

impl Names<SHORT> for Maps {
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&Entry<SHORT>> {
        ENTRIES.get(index)
    }
}

impl Names<LONG> for Maps {
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&Entry<LONG>> {
        LONG_ENTRIES.get(index)
    }
}
