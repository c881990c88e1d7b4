//! The kit that drives the real product: namespaces, the daemon, endpoints that can be switched, packets and their check.
//!
//! Nothing here sleeps: waiting means waiting for an event, with a generous deadline after which the wait panics and shows
//! what was seen instead. What builds and checks packets shares no code with the engine that it checks.

pub mod api;
pub mod attached;
pub mod bench;
pub mod bpffs;
mod cable;
pub mod classes;
pub mod client;
pub mod collector;
pub mod cookie;
pub mod corpus;
pub mod daemon;
pub mod dice;
pub mod dig;
pub mod endpoint;
pub mod frame;
pub mod golden;
pub mod host;
pub mod kernel;
pub mod lab;
pub mod limits;
mod log;
pub mod metrics;
pub mod mmdb;
pub mod namespace;
pub mod objects;
pub mod parity;
pub mod property;
pub mod query;
pub mod raw;
pub mod receiver;
pub mod reference;
pub mod reply;
pub mod resolver;
pub mod rig;
pub mod script;
pub mod status;
pub mod texts;
pub mod world;

use std::time::Duration;

/// How long a wait for an event lasts before it fails.
pub const DEADLINE: Duration = Duration::from_secs(30);
