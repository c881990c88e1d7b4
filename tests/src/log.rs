//! A program that runs beside the test, and what it says on its standard error: lines to wait on.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result};

use crate::DEADLINE;

/// What one program has said so far.
#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

/// Starts a program and reads what it says, until it ends.
pub(crate) fn spawn(command: &mut Command) -> Result<(Child, Arc<Log>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let errors = child.stderr.take().context("the program has no standard error")?;
    let log = Arc::new(Log::default());
    thread::spawn({
        let log = Arc::clone(&log);
        move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                log.change(|state| state.lines.push(line));
            }
            log.change(|state| state.ended = true);
        }
    });
    Ok((child, log))
}

impl Log {
    /// Every line so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// Waits for the first line from number `from` on that is wanted; its number and text. Panics after ten seconds or when the
    /// program ends first, and shows the log.
    pub(crate) fn wait_for(
        &self,
        who: &str,
        from: usize,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> (usize, String) {
        let found = |state: &State| state.lines.iter().skip(from).position(|line| wanted(line));
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), DEADLINE, |state| found(state).is_none() && !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let Some(at) = found(&state) else {
            let how = if state.ended { "ended" } else { "said nothing of the kind" };
            panic!("waited for {what}, but {who} {how}; its log:\n{}", state.lines.join("\n"));
        };
        (from + at, state.lines[from + at].clone())
    }

    /// Waits until the program has ended, at most ten seconds; has it?
    pub(crate) fn wait_for_end(&self) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), DEADLINE, |state| !state.ended);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}
