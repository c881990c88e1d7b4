//! The daemon and its command line.

pub mod compile;
pub mod config;
pub mod control;
pub mod decide;
pub mod desired;
pub mod dns;
pub mod health;
pub mod listen;
pub mod names;
pub mod sync;
pub mod time;
pub mod xdp;
