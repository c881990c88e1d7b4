//! What set-up shows while it works: a line when a step begins and a line when it is over, with the time it took, on a terminal and in a log alike.
//!
//! Between the two, the programs that do the work show what they show: cargo a progress bar on a terminal, apt its lines.

use std::time::Instant;

use anyhow::Result;

/// Does one step, and says so before and after.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("setup: {what} ...");
    let began = Instant::now();
    let done = work();
    let how = if done.is_ok() { "done" } else { "FAILED" };
    eprintln!("setup: {what}: {how} after {:.1} s", began.elapsed().as_secs_f64());
    done
}
