//! `cargo xtask bench`: builds everything optimised and becomes the bench.

use anyhow::Result;

use crate::{
    run::{become_built, build},
    setup::{Need, prepare},
};

/// Measures; the arguments are the bench's own.
pub(crate) fn measure(arguments: &[String]) -> Result<()> {
    prepare(Need::Bench)?;
    build(&["tm-userspace", "tm-tests"])?;
    become_built("tm-bench", arguments)
}
