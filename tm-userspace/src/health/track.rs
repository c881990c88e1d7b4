//! Counts an endpoint's outcomes and says when its verdict changes. Pure: no clock, no log, no I/O.
//!
//! | verdict | outcome | in a row, this one included | verdict then |
//! | --- | --- | --- | --- |
//! | none yet | success | 1 | **up** |
//! | none yet | failure | at most `tolerated_failures` | none yet |
//! | none yet | failure | more | **down** |
//! | up | success | any | up |
//! | up | failure | at most `tolerated_failures` | up |
//! | up | failure | more | **down** |
//! | down | success | fewer than `successes_to_recover` | down |
//! | down | success | at least as many | **up** |
//! | down | failure | any | down |
//!
//! Bold is a flip. A success ends a row of failures and a failure ends a row of successes. An endpoint without a verdict is
//! CheckingEndpoint and eligible: its first outcome counts as one, and a first success needs no company, as there is nothing to recover from.

/// The outcomes of one endpoint so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Track {
    verdict: Option<bool>,
    failures: u32,
    successes: u32,
}

impl Track {
    /// Goes on from where another one was.
    pub fn resume(verdict: Option<bool>, failures: u32, successes: u32) -> Self {
        Track { verdict, failures, successes }
    }

    /// Counts an outcome; the new verdict where it changes, the first one included.
    pub fn observe(&mut self, ok: bool, tolerated_failures: u32, successes_to_recover: u32) -> Option<bool> {
        (self.failures, self.successes) = match ok {
            true => (0, self.successes.saturating_add(1)),
            false => (self.failures.saturating_add(1), 0),
        };
        let verdict = match (self.verdict, ok) {
            (None | Some(true), false) if self.failures > tolerated_failures => Some(false),
            (None, true) => Some(true),
            (Some(false), true) if self.successes >= successes_to_recover => Some(true),
            (unchanged, _) => unchanged,
        };
        let flipped = verdict != self.verdict;
        self.verdict = verdict;
        verdict.filter(|_| flipped)
    }

    /// Up or down; `None` before the first verdict.
    pub fn verdict(&self) -> Option<bool> {
        self.verdict
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Successes since the last failure.
    pub fn successes(&self) -> u32 {
        self.successes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `outcomes` (`+` success, `-` failure) and writes what each did: `U` and `D` flips, `.` nothing.
    #[track_caller]
    fn check(tolerated_failures: u32, successes_to_recover: u32, outcomes: &str, expect: &str) {
        let mut track = Track::default();
        let flips: String = outcomes
            .chars()
            .map(|outcome| match track.observe(outcome == '+', tolerated_failures, successes_to_recover) {
                Some(true) => 'U',
                Some(false) => 'D',
                None => '.',
            })
            .collect();
        assert_eq!(flips, expect, "{outcomes}");
    }

    #[test]
    fn a_first_success_is_a_verdict() {
        check(3, 1, "++", "U.");
        check(3, 5, "++", "U.");
        check(0, 1, "+", "U");
    }

    #[test]
    fn a_first_failure_counts_as_one() {
        check(3, 1, "-----", "...D.");
        check(0, 1, "--", "D.");
        check(3, 1, "---+", "...U");
    }

    #[test]
    fn the_failure_after_the_tolerated_ones_in_a_row_brings_it_down() {
        check(3, 1, "+----", "U...D");
        check(3, 1, "+---+---+----", "U...........D");
        check(0, 1, "+-+-", "UDUD");
        check(9, 1, "+----------", "U.........D");
    }

    #[test]
    fn successes_in_a_row_bring_it_back() {
        check(0, 1, "-+", "DU");
        check(0, 3, "-+++", "D..U");
        check(0, 3, "-++-+++", "D.....U");
    }

    #[test]
    fn a_lowered_tolerance_takes_effect_with_the_next_outcome() {
        let mut track = Track::default();
        for ok in [true, false, false] {
            track.observe(ok, 3, 1);
        }
        assert_eq!(track, Track { verdict: Some(true), failures: 2, successes: 0 });
        assert_eq!(track.observe(false, 1, 1), Some(false));
    }
}
