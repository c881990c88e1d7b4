//! That something is being done, and how far it is: on a terminal alone.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// From one drawing of what has no steps to the next.
const TICK: Duration = Duration::from_millis(100);

/// A bar on standard error, gone when the work is done.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of work that is done in one step.
    pub(super) fn of_one_step(what: &str) -> Self {
        let bar = drawn(ProgressBar::new_spinner()).with_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Progress(bar)
    }

    /// Of so many steps.
    pub(super) fn of(what: &str, steps: usize) -> Self {
        let bar = drawn(ProgressBar::new(steps as u64)).with_message(what.to_owned());
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}");
        Progress(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// One step is done.
    pub(super) fn step(&self) {
        self.0.inc(1);
    }

    /// Prints a line of data without the bar in its way.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    /// All is done, or nothing more will be.
    pub(super) fn end(self) {
        self.0.finish_and_clear();
    }
}

fn drawn(bar: ProgressBar) -> ProgressBar {
    if io::stderr().is_terminal() { bar } else { ProgressBar::hidden() }
}
