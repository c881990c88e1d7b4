//! Whether the limit on answers is armed, where it waits for a flood.
//!
//! | it is | answers a second | it becomes |
//! | --- | --- | --- |
//! | disarmed | over [`Arming::above`] | armed, at once |
//! | armed | under half of that, for as long as [`Arming::calm`] | disarmed |
//!
//! What the limit holds back counts as an answer here, lest it be taken for the flood's end. Since one reading at the half or over it begins the wait anew, the limit is armed once in `calm` at most,
//! however a flood comes and goes; and as programs are loaded anew each time, these are loaded twice.

use std::time::Instant;

use super::Control;
use crate::desired::Arming;

/// How much the node answers over UDP, with what a limit holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Since the reading before this one, on average.
    pub answers_per_second: u64,
    /// When it was read.
    pub at: Instant,
}

/// Is the limit armed, and since when could it be disarmed?
#[derive(Debug, Default)]
pub(super) struct Alarm {
    is_armed: bool,
    calm_since: Option<Instant>,
}

impl Alarm {
    /// Takes a reading. Says whether the limit is armed or disarmed by it.
    fn see(&mut self, arming: Arming, load: Load) -> bool {
        let was_armed = self.is_armed;
        let answers = load.answers_per_second;
        if !self.is_armed {
            self.is_armed = answers > arming.above.into();
            self.calm_since = None;
        } else if answers * 2 >= u64::from(arming.above) {
            self.calm_since = None;
        } else {
            let since = *self.calm_since.get_or_insert(load.at);
            self.is_armed = load.at.duration_since(since) < arming.calm;
        }
        self.is_armed != was_armed
    }
}

impl Control {
    /// How much is answered now.
    pub(super) fn take_load(&mut self, load: Load) {
        let limit = &self.desired.node.rate_limit;
        let Some(arming) = limit.arming else {
            // Whoever lets it wait again later begins anew.
            self.alarm = Alarm::default();
            return;
        };
        let to_a_prefix = limit.limit.answers_per_second;
        if !self.alarm.see(arming, load) {
            return;
        }
        // The sockets go by it from here on, and XDP as soon as its programs are loaded.
        self.set_frozen();
        let Load { answers_per_second, .. } = load;
        let is_armed = self.is_armed();
        match is_armed {
            true => tracing::warn!(
                answers_per_second,
                armed_above = arming.above,
                to_a_prefix,
                "a flood of queries; the limit on answers is armed"
            ),
            false => tracing::info!(
                answers_per_second,
                armed_above = arming.above,
                "the flood of queries is over; the limit on answers is disarmed"
            ),
        }
        self.meters.limit_changed(is_armed);
        self.publish();
    }

    /// Is the limit armed, where it waits for a flood?
    pub(super) fn is_armed(&self) -> bool {
        self.alarm.is_armed && self.desired.node.rate_limit.arming.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ARMING: Arming = Arming { above: 1000, calm: Duration::from_secs(60) };

    /// Is it armed after each of these readings: seconds, and answers a second?
    fn armed(readings: &[(u64, u64)]) -> Vec<bool> {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let see = |(seconds, answers_per_second): &(u64, u64)| {
            let was_armed = alarm.is_armed;
            let load =
                Load { answers_per_second: *answers_per_second, at: start + Duration::from_secs(*seconds) };
            assert_eq!(
                alarm.see(ARMING, load),
                alarm.is_armed != was_armed,
                "it says whether it has changed"
            );
            alarm.is_armed
        };
        readings.iter().map(see).collect()
    }

    #[test]
    fn it_is_armed_by_the_first_reading_over_the_ceiling() {
        assert_eq!(
            armed(&[(0, 0), (2, 1000), (4, 1001), (6, u64::from(u32::MAX))]),
            [false, false, true, true]
        );
    }

    #[test]
    fn it_is_disarmed_after_a_whole_calm_under_the_half() {
        let readings = [(0, 5000), (2, 499), (61, 499), (62, 499), (64, 499)];
        assert_eq!(armed(&readings), [true, true, true, false, false]);
        // Between the half and the ceiling it stays what it is.
        assert_eq!(armed(&[(0, 1001), (2, 500), (1000, 500), (1002, 1000)]), [true; 4]);
        assert_eq!(armed(&[(0, 500), (2, 999)]), [false; 2]);
    }

    #[test]
    fn one_reading_at_the_half_begins_the_wait_anew() {
        let readings = [(0, 5000), (2, 0), (60, 500), (62, 0), (121, 0), (122, 0)];
        assert_eq!(armed(&readings), [true, true, true, true, true, false]);
    }

    #[test]
    fn however_a_flood_comes_and_goes_it_is_armed_once_in_a_calm() {
        for (on, off) in [(1, 1), (2, 29), (2, 58), (2, 60), (2, 62), (30, 64), (1, 200)] {
            let readings: Vec<(u64, u64)> =
                (0..2000).map(|at| (at, if at % (on + off) < on { 5000 } else { 0 })).collect();
            let states = armed(&readings);
            let began: Vec<usize> =
                (0..states.len()).filter(|at| states[*at] && (*at == 0 || !states[at - 1])).collect();
            assert!(began.windows(2).all(|pair| pair[1] - pair[0] > 60), "{on} s of {}: {began:?}", on + off);
            assert_eq!(began.len() > 1, off > 60, "{on}, {off}: {began:?}");
            // And nothing of the flood is let through for long.
            assert!(readings.iter().zip(&states).all(|((_, answers), is_armed)| *answers == 0 || *is_armed));
        }
    }
}
