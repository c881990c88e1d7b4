//! What the rules make of one endpoint, beside what it is: forced, held, on its way to its full weight, or the last resort.

use std::{fmt, time::SystemTime};

use super::slow_start::Ramp;
use crate::{health::Forced, time::rfc3339};

/// One endpoint's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// What the operator forces it to be.
    pub forced: Option<Forced>,
    /// What holds it where its own state would not have it.
    pub held: Option<Held>,
    /// How far it is on its way back.
    pub ramp: Option<Ramp>,
    /// Does it answer only when everything else is down?
    pub last_resort: bool,
}

/// Why an endpoint is out though it is up, or in though it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Up, and answers only from then on, or when the operator restores it; till then only if nobody else can.
    Back {
        /// None: only the operator's word ends it.
        until: Option<SystemTime>,
    },
    /// Down, and answers until then: others were withdrawn just before.
    In {
        /// When it may be withdrawn.
        until: SystemTime,
        /// How many may be withdrawn within a window.
        allowed: usize,
    },
}

impl Ruling {
    /// When it changes by itself.
    pub fn until(&self) -> Option<SystemTime> {
        let forced = self.forced.and_then(|forced| forced.until);
        let held = match self.held {
            Some(Held::Back { until }) => until,
            Some(Held::In { until, .. }) => Some(until),
            None => None,
        };
        [forced, held, self.ramp.map(|ramp| ramp.until)].into_iter().flatten().min()
    }

    /// In words, what is to be said of it.
    pub fn notes(&self) -> Vec<String> {
        let forced = self.forced.map(|forced| {
            let word = if forced.up { "up" } else { "down" };
            match forced.until {
                Some(until) => format!("forced {word} until {}", rfc3339(until)),
                None => format!("forced {word}"),
            }
        });
        let ramp = self.ramp.map(|ramp| {
            format!("slow start: {} % of its weight until {}", ramp.tenths * 10, rfc3339(ramp.until))
        });
        let last_resort =
            self.last_resort.then(|| "last resort: answers when all others are down".to_owned());
        [forced, self.held.map(|held| held.to_string()), ramp, last_resort].into_iter().flatten().collect()
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Back { until: Some(until) } => write!(f, "held back by failback until {}", rfc3339(*until)),
            Held::Back { until: None } => f.write_str("held back by failback until `tm endpoint restore`"),
            Held::In { until, allowed } => write!(
                f,
                "kept in the answers until {}: at most {allowed} may be withdrawn within the guard's window",
                rfc3339(*until)
            ),
        }
    }
}
