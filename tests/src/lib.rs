//! The kit.
pub mod classes;
pub mod rig;
