//! The BPF objects, as the build script of tm-userspace made them.

use aya::include_bytes_aligned;

/// The product's program.
pub static PROGRAM: &[u8] = include_bytes_aligned!(env!("TM_PROGRAM_OBJECT"));

/// What tests and benches load beside it: `pass`, the measuring wrapper, the floor.
pub static RIG: &[u8] = include_bytes_aligned!(env!("TM_RIG_OBJECT"));
