//! Which endpoints may answer: the rules that all methods share, from statuses, the operator's orders and the profile's rules.
//!
//! # Who is in, the first line that holds
//!
//! | the endpoint | it is |
//! | --- | --- |
//! | Disabled, or its profile is | out |
//! | nested, and its child is Stopped or has nobody to answer | out, whatever the operator forces |
//! | the profile's last resort | out, but see below |
//! | forced down | out |
//! | forced up | in |
//! | Unmonitored, CheckingEndpoint | in |
//! | Online, held back by `failback` | waiting |
//! | Online | in |
//! | Degraded, kept by the guard `withdraw_at_most` | in |
//! | Degraded | down |
//!
//! # Who answers, the first line that holds
//!
//! | there are | answer, by the profile's method |
//! | --- | --- |
//! | some in | those |
//! | some waiting | those: failback waits only while another answers |
//! | some or none down, and a last resort that is enabled and not forced down | the last resort, up or down |
//! | some down, `when_all_down = "none"` | nobody: there is no data |
//! | some down | those: Azure's rule for when all are Degraded |
//! | else: all are disabled, Stopped or forced down | nobody: there is no data, or no name by the table of `decide` |
//!
//! The operator's word is stronger than all rules but the switches in the configuration: an endpoint forced down is in no answer, even when all others are down.
//!
//! A nested endpoint has no verdict of its own: its state is now what its child's is now. Orders, the last resort and the return from a forced "down" are as for any other; failback
//! and the guard are its child's, for the endpoints that are probed there.

use std::time::SystemTime;

use super::{EndpointStatus, Ruling, failback, failback::Return, guard, slow_start, status::Standing};
use crate::{
    desired::{Profile, RoutingMethod, Target, WhenAllDown},
    health::Health,
};

/// The line of the first table that an endpoint is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is Disabled, Inactive or Stopped.
    Off,
    /// Nobody in its child may answer.
    Empty,
    /// It is the last resort.
    LastResort,
    /// The operator forces it to be this.
    Forced(bool),
    /// It is Unmonitored or CheckingEndpoint.
    Unknown,
    /// Online, and held back by failback.
    HeldBack,
    /// Online.
    Up,
    /// Degraded, and kept by the guard.
    Kept,
    /// Degraded.
    Down,
}

/// What a line of the first table means for the second.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Out,
    In,
    Waiting,
    Down,
}

impl Why {
    fn class(self) -> Class {
        match self {
            Why::Off | Why::Empty | Why::LastResort | Why::Forced(false) => Class::Out,
            Why::Forced(true) | Why::Unknown | Why::Up | Why::Kept => Class::In,
            Why::HeldBack => Class::Waiting,
            Why::Down => Class::Down,
        }
    }
}

/// Goes through the first table: where each endpoint stands, and what the rules make of it. `statuses` are those of the profile's endpoints,
/// `children` what the nested ones stand for.
pub(super) fn eligible(
    profile: &Profile,
    statuses: &[EndpointStatus],
    children: &[Option<Standing<'_>>],
    health: &Health,
    now: SystemTime,
) -> (Candidates, Vec<Ruling>) {
    use EndpointStatus::{CheckingEndpoint, Disabled, Inactive, Online, Stopped, Unmonitored};
    let key = |i: usize| profile.key(&profile.endpoints[i]);
    let is_off = |i: usize| matches!(statuses[i], Disabled | Inactive | Stopped);
    let is_empty = |i: usize| children[i].as_ref().is_some_and(|child| child.eligible.is_empty());
    let is_out = |i: usize| is_off(i) || is_empty(i);
    let is_nested = |i: usize| matches!(profile.endpoints[i].target, Target::Profile(_));
    let last_resort = profile.last_resort();
    let mut rulings: Vec<Ruling> = (0..statuses.len())
        .map(|i| Ruling {
            forced: health.orders.forced(&key(i), now).filter(|_| !is_off(i)),
            last_resort: last_resort == Some(i),
            ..Ruling::default()
        })
        .collect();
    guard::keep(profile, statuses, health, now, &mut rulings);
    for (i, ruling) in rulings.iter_mut().enumerate() {
        if ruling.forced.is_some() || ruling.last_resort {
            continue;
        }
        let returned = match statuses[i] {
            Online if is_nested(i) => Return::Never,
            Online => failback::returned(&key(i), profile.rules.failback, health, now),
            Unmonitored | CheckingEndpoint => Return::Never,
            _ => continue,
        };
        let returned = match returned {
            Return::Held(held) => {
                ruling.held = Some(held);
                continue;
            }
            Return::At(at) => Some(at),
            Return::Never => None,
        };
        let released = health.orders.forced.get(&key(i)).filter(|forced| !forced.up);
        let returned = returned.max(released.and_then(|forced| forced.until));
        ruling.ramp = returned
            .zip(profile.rules.slow_start)
            .filter(|_| profile.routing_method == RoutingMethod::Weighted)
            .and_then(|(returned, over)| slow_start::ramp(returned, over, now));
    }
    let lines: Vec<Why> = (0..statuses.len()).map(|i| line(statuses[i], is_empty(i), &rulings[i])).collect();
    let last_resort =
        last_resort.filter(|i| !is_out(*i) && rulings[*i].forced.is_none_or(|forced| forced.up));
    let none_when_down = profile.rules.when_all_down == WhenAllDown::None;
    (Candidates { lines, last_resort, none_when_down }, rulings)
}

/// A profile's endpoints by the first table.
#[derive(Debug)]
pub(super) struct Candidates {
    lines: Vec<Why>,
    last_resort: Option<usize>,
    none_when_down: bool,
}

impl Candidates {
    /// The line of an endpoint.
    pub(super) fn line(&self, index: usize) -> Why {
        self.lines[index]
    }

    /// Are some down, and to be in no answer though nobody is up?
    pub(super) fn none_when_down(&self) -> bool {
        self.none_when_down && self.lines.contains(&Why::Down)
    }

    /// The second table, for these endpoints as if there were no others: who may answer.
    pub(super) fn among(&self, is_candidate: impl Fn(usize) -> bool) -> Vec<usize> {
        let of = |wanted| -> Vec<usize> {
            (0..self.lines.len()).filter(|i| self.lines[*i].class() == wanted && is_candidate(*i)).collect()
        };
        let first = [Class::In, Class::Waiting].into_iter().map(of).find(|some| !some.is_empty());
        match (first, self.last_resort) {
            (Some(some), _) => some,
            (None, Some(last)) => vec![last],
            (None, None) if self.none_when_down => vec![],
            (None, None) => of(Class::Down),
        }
    }
}

/// The first table.
fn line(status: EndpointStatus, is_empty: bool, ruling: &Ruling) -> Why {
    use EndpointStatus::{CheckingEndpoint, Degraded, Disabled, Inactive, Online, Stopped, Unmonitored};
    match (status, ruling.forced) {
        (Disabled | Inactive | Stopped, _) => Why::Off,
        _ if is_empty => Why::Empty,
        _ if ruling.last_resort => Why::LastResort,
        (_, Some(forced)) => Why::Forced(forced.up),
        (Unmonitored | CheckingEndpoint, None) => Why::Unknown,
        (Online, None) if ruling.held.is_some() => Why::HeldBack,
        (Online, None) => Why::Up,
        (Degraded, None) if ruling.held.is_some() => Why::Kept,
        (Degraded, None) => Why::Down,
    }
}
