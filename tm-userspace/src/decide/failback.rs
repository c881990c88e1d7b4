//! Failback: when an endpoint that was down, and is up, answers again.
//!
//! | it is up | `failback` | the operator restored it since | answers from |
//! | --- | --- | --- | --- |
//! | and was never down | any | any | always |
//! | again, since T | automatic | any | T |
//! | again, since T | a delay | no | T + delay |
//! | again, since T | a delay | at R | the earlier of R and T + delay |
//! | again, since T | manual | no | when it is restored |
//! | again, since T | manual | at R | R |
//!
//! An endpoint is "up again" if the verdict before was that it is down; a first verdict, as after the daemon's first start, is none. Falling again ends
//! what a restoration allowed.

use std::time::SystemTime;

use super::Held;
use crate::{
    desired::{EndpointKey, Failback},
    health::Health,
};

/// An endpoint's return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    /// It was never away.
    Never,
    /// It is back since then.
    At(SystemTime),
    /// It is not back yet.
    Held(Held),
}

/// The return of an endpoint that is up.
pub(super) fn returned(
    endpoint: &EndpointKey,
    failback: Failback,
    health: &Health,
    now: SystemTime,
) -> Return {
    let Some(verdict) = health.verdicts.get(endpoint).filter(|verdict| verdict.recovered) else {
        return Return::Never;
    };
    let since = verdict.since;
    let restored = health.orders.restored.get(endpoint).copied().filter(|restored| *restored >= since);
    let by_itself = match failback {
        Failback::Automatic => Some(since),
        Failback::After(delay) => since.checked_add(delay),
        Failback::Manual => None,
    };
    match [restored, by_itself].into_iter().flatten().min() {
        Some(at) if at <= now || failback == Failback::Automatic => Return::At(at),
        until => Return::Held(Held::Back { until }),
    }
}
