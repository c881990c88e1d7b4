//! What `cargo xtask bench` measures, a part to a file; each gives figures that are printed as a table or as JSON.

pub mod packets;
