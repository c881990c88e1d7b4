//! What outlives the daemon in `state_dir`: what it learnt and counted, and the lock that keeps it to one daemon.
//!
//! Nothing that answers reads any of this; a daemon that finds nothing here begins with every endpoint unknown and every count at zero.

mod file;
mod keep;
mod lock;
mod restore;

pub(crate) use file::{replace, set_aside};

pub use file::{
    NAME, Saved, SavedEndpoint, SavedLearnt, SavedPackets, SavedRoundTrip, SavedVerdict, VERSION,
};
pub use keep::Keeper;
pub use lock::Lock;
