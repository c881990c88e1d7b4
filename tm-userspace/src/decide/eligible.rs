//! Which endpoints may answer: the rules that all methods share, from statuses, the operator's orders and the profile's rules.
//!
//! # Who is in, the first line that holds
//!
//! | the endpoint | it is |
//! | --- | --- |
//! | Disabled, or its profile is | out |
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
//! | only endpoints that are disabled | nobody: the name does not exist |
//! | some in | those |
//! | some waiting | those: failback waits only while another answers |
//! | some or none down, and a last resort that is enabled and not forced down | the last resort, up or down |
//! | some down, `when_all_down = "none"` | nobody: there is no data |
//! | some down | those: Azure's rule for when all are Degraded |
//! | else: all are forced down | nobody: there is no data |
//!
//! The operator's word is stronger than all rules but the switches in the configuration: an endpoint forced down is in no answer, even when all others are down.

use std::time::SystemTime;

use super::{EndpointStatus, Ruling, failback, failback::Return, guard, slow_start};
use crate::{
    desired::{EndpointKey, Profile, RoutingMethod, WhenAllDown},
    health::Health,
};

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eligible {
    /// Indices of the endpoints that may answer; none where the name does not exist, empty where there is no data.
    pub endpoints: Option<Vec<usize>>,
    /// By endpoint, what the rules make of it.
    pub rulings: Vec<Ruling>,
    /// When that would change by itself.
    pub until: Option<SystemTime>,
}

/// An endpoint's place in the first table.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Out,
    In,
    Waiting,
    Down,
}

/// Goes through the tables. `statuses` are those of the profile's endpoints.
pub fn eligible(
    profile: &Profile,
    statuses: &[EndpointStatus],
    health: &Health,
    now: SystemTime,
) -> Eligible {
    let key =
        |i: usize| EndpointKey { profile: profile.name.clone(), endpoint: profile.endpoints[i].name.clone() };
    let is_out = |i: usize| matches!(statuses[i], EndpointStatus::Disabled | EndpointStatus::Inactive);
    let mut rulings: Vec<Ruling> = (0..statuses.len())
        .map(|i| Ruling {
            forced: health.orders.forced(&key(i), now).filter(|_| !is_out(i)),
            last_resort: is_last_resort(profile, i),
            ..Ruling::default()
        })
        .collect();
    guard::keep(profile, statuses, health, now, &mut rulings);
    for (i, ruling) in rulings.iter_mut().enumerate() {
        if ruling.forced.is_some() || ruling.last_resort {
            continue;
        }
        let returned = match statuses[i] {
            EndpointStatus::Online => failback::returned(&key(i), profile.rules.failback, health, now),
            EndpointStatus::Unmonitored | EndpointStatus::CheckingEndpoint => Return::Never,
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
    let classes: Vec<Class> = (0..statuses.len()).map(|i| class(statuses[i], &rulings[i])).collect();
    let of = |wanted: Class| -> Vec<usize> { (0..classes.len()).filter(|i| classes[*i] == wanted).collect() };
    let last_resort = (0..classes.len()).find(|i| {
        rulings[*i].last_resort && !is_out(*i) && rulings[*i].forced.is_none_or(|forced| forced.up)
    });
    let first = [Class::In, Class::Waiting].into_iter().map(of).find(|some| !some.is_empty());
    let endpoints = match (first, last_resort, &profile.rules.when_all_down) {
        _ if (0..statuses.len()).all(is_out) => None,
        (Some(some), ..) => Some(some),
        (None, Some(last), _) => Some(vec![last]),
        (None, None, WhenAllDown::None) => Some(vec![]),
        (None, None, _) => Some(of(Class::Down)),
    };
    let until = rulings.iter().filter_map(Ruling::until).min();
    Eligible { endpoints, rulings, until }
}

fn is_last_resort(profile: &Profile, index: usize) -> bool {
    matches!(&profile.rules.when_all_down, WhenAllDown::LastResort(name) if *name == profile.endpoints[index].name)
}

fn class(status: EndpointStatus, ruling: &Ruling) -> Class {
    use EndpointStatus::{CheckingEndpoint, Degraded, Disabled, Inactive, Online, Unmonitored};
    match (status, ruling.forced) {
        (Disabled | Inactive, _) => Class::Out,
        _ if ruling.last_resort => Class::Out,
        (_, Some(forced)) => {
            if forced.up {
                Class::In
            } else {
                Class::Out
            }
        }
        (Unmonitored | CheckingEndpoint, None) => Class::In,
        (Online, None) if ruling.held.is_some() => Class::Waiting,
        (Degraded, None) if ruling.held.is_none() => Class::Down,
        (Online | Degraded, None) => Class::In,
    }
}
