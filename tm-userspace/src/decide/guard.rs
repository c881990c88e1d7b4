//! The guard: at most N endpoints are withdrawn within a window, so that a broken probe path, or a fault that travels, does not empty a profile at once.
//!
//! N = 1, a window of 10 minutes:
//!
//! | down since (minute) | withdrawn at |
//! | --- | --- |
//! | 0 | 0 |
//! | 0, 1 | 0, 10 |
//! | 0, 1, 2 | 0, 10, 20 |
//! | 0, 30 | 0, 30 |
//! | 1 (the one of 0 is up again) | 1 |
//!
//! Endpoints are withdrawn in the order in which they fell, equals in the profile's order. Only those that are down now count: one that returns makes room. Nothing
//! but the verdicts is looked at, so the result is the same after a restart. Endpoints forced by the operator, disabled ones, nested ones and the last resort are not the guard's.

use std::time::SystemTime;

use super::{EndpointStatus, Held, Ruling};
use crate::{
    desired::{Profile, Target},
    health::Health,
};

/// Marks those that are to stay in the answers though they are down.
pub(super) fn keep(
    profile: &Profile,
    statuses: &[EndpointStatus],
    health: &Health,
    now: SystemTime,
    rulings: &mut [Ruling],
) {
    use EndpointStatus::{Degraded, Disabled, Inactive};
    let is_nested = |i: &usize| matches!(profile.endpoints[*i].target, Target::Profile(_));
    let Some(guard) = profile.rules.guard else { return };
    let is_guarded = |i: &usize| rulings[*i].forced.is_none() && !rulings[*i].last_resort;
    let guarded: Vec<usize> = (0..statuses.len())
        .filter(|i| !matches!(statuses[*i], Disabled | Inactive))
        .filter(|i| is_guarded(i) && !is_nested(i))
        .collect();
    let allowed = guard.withdraw_at_most.of(guarded.len());
    let since = |i: usize| {
        let key = profile.key(&profile.endpoints[i]);
        health.verdicts.get(&key).map(|verdict| (verdict.since, i))
    };
    let mut fallen: Vec<(SystemTime, usize)> =
        guarded.into_iter().filter(|i| statuses[*i] == Degraded).filter_map(since).collect();
    fallen.sort();
    let mut withdrawn: Vec<SystemTime> = vec![];
    for (since, i) in fallen {
        let room = withdrawn.len().checked_sub(allowed).map(|before| withdrawn[before] + guard.window);
        let at = room.map_or(since, |room| room.max(since));
        withdrawn.push(at);
        if now < at && since < at {
            rulings[i].held = Some(Held::In { until: at, allowed });
        }
    }
}
