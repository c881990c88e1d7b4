//! The daemon and its command line.

pub mod config;
pub mod desired;
pub mod health;
pub mod names;
pub mod time;
