//! What holds for whatever comes in: each a function of octets that panics where it does not hold, for fuzz targets, corpus and proptest alike.
//!
//! They share no code with what they check: requests and replies are read again here, from the RFCs, and messages by hickory-proto.

pub mod ask;
pub mod config;
mod frame;
mod message;
pub mod name;
mod options;
mod request;
mod stream;

use std::sync::LazyLock;

use crate::world::World;

pub use frame::check_frame;
pub use message::check_message;
pub use options::{check_options, options_frame};
pub use stream::check_stream;

/// The zone that is asked; the turns of its weighted blocks go on from check to check.
pub static WORLD: LazyLock<World> = LazyLock::new(|| World::new().expect("the zone of the tests loads"));

/// A query made from octets, over both ways: as a frame, and as what a socket would be given of it.
pub fn check_query(octets: &[u8]) {
    let asked = ask::frame(octets);
    check_frame(&asked.build());
    check_message(&asked.payload);
}
