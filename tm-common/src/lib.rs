//! The packet engine: from a frame with a question to the frame with its answer, in place.
//!
//! The same code runs in the kernel (`tm-ebpf`), on the daemon's sockets (`tm-userspace`), and in tests and fuzzers. It knows packets
//! and finished answers; it knows no health, no policy and no clock. All it needs of the world are two traits: [`packet::Packet`],
//! through which every byte is touched, and [`tables::Lookup`], what userspace has written down.
//!
//! Read in this order: [`verdict`] (what can become of a packet), [`packet`], [`tables`], [`answer`]; then [`net`], [`link`], [`dns`], [`edns`],
//! [`options`], [`aside`], [`programs`], [`cookie`], [`subnet`], [`name`], [`encloser`], [`place`], [`limit`], [`sample`] and [`sum`], which [`answer`] calls.
//!
//! # Invariants
//!
//! - A packet that is not understood in full is left exactly as it came. All reading and refusing happens before the first write.
//! - Nothing is dropped but what is over the limit of its client's prefix ([`limit`]).
//! - No panic, no unbounded loop, no index out of range for any bytes: what the verifier proves of the kernel's copy holds for all.
//! - Names, targets and tables are only ever compared with what userspace stored; nothing is learned from the wire.
//!
//! # How every routing method fits
//!
//! An [`Entry`](tables::Entry) has a [`Block`](tables::Block) of slots for each kind of question, a slot names an [`Answer`](tables::Answer).
//! - *Priority* is one slot, *Weighted* a block walked in turn.
//! - *Subnet*, and every method that looks at the client: [`Entry::root_bits`](tables::Entry) says so, with `root_line` which clients it tells apart ([`place`]), and `Block::first`
//!   then is the first of a row of blocks, one for each place. The client is who the query's client-subnet option names ([`subnet`]), else who sent it.
//! - *MultiValue*: an answer holds several records (`Answer::records` and its counts already do), and the block holds the rotations.
//! - *Nested profiles* are flattened into the parent's blocks before they get here.
//! - *Pre-signed DNSSEC*: the slot after the chosen one (`first + count + turn`) names the answer with its RRSIG; the DO bit, already read, chooses.
//! - *NXDOMAIN and wildcards*: what is answered below a name is an entry that the name's own leads to; where all names that end alike say the same, how they
//!   end leads there too ([`Above`](tables::Above)), and nothing is looked up by name ([`encloser`]). `Meta::flags` holds the RCODE.
#![no_std]
#![forbid(unsafe_code)]

pub mod answer;
pub mod aside;
pub mod cookie;
pub mod dns;
pub mod edns;
pub mod encloser;
pub mod kind;
pub mod limit;
pub mod link;
pub mod name;
pub mod net;
pub mod options;
pub mod packet;
pub mod place;
pub mod programs;
pub mod sample;
pub mod sip;
pub mod subnet;
pub mod sum;
pub mod tables;
pub mod verdict;

/// Words are compared and folded as they lie in memory; every target we build for is little-endian.
const _: () = assert!(cfg!(target_endian = "little"), "the engine reads words in little-endian memory order");
