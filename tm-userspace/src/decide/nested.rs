//! Nested endpoints: what their state is by that of their child, and what becomes of the child's choice.
//!
//! # Status of a nested endpoint that is enabled in an enabled profile, the first line that holds
//!
//! | child | of its endpoints | endpoint monitor status |
//! | --- | --- | --- |
//! | Disabled or Inactive | any | Stopped |
//! | else | fewer than `min_child_endpoints_ipv4` available for IPv4, or the same for IPv6 | Degraded |
//! | else | at least `min_child_endpoints` Online or Unmonitored | Online |
//! | else | at least `min_child_endpoints` Online, Unmonitored or CheckingEndpoint | CheckingEndpoint |
//! | else | fewer | Degraded |
//!
//! Available is Online, Unmonitored or CheckingEndpoint. An endpoint is one for IPv4 where its target is an IPv4 address or a name, and for IPv6 likewise; a
//! nested one where one of its child's is that and available. Azure says of the IPv4 and IPv6 minima only that they are there, and nothing of Unmonitored
//! endpoints.
//!
//! A child's Degraded endpoint alone does not degrade the parent's; and a nested endpoint that is picked though it is Degraded leaves the choice to its child, whose own
//! all-degraded rule holds.
//!
//! # Its share
//!
//! | the parent gives it | the child picks | the answers |
//! | --- | --- | --- |
//! | all | a | all a |
//! | 1 of 4 | a | 1/4 a |
//! | 1 of 4 | a 2, b 1 | 1/6 a, 1/12 b |
//! | nothing | any | none |

use super::status::{EndpointStatus, ProfileStatus, Standing};
use crate::desired::{MinChild, Target};

/// The largest sum of weights, for the arithmetic of those who add them up.
const MOST: u128 = u32::MAX as u128;

/// The first table above.
pub(super) fn status(child: Option<&Standing<'_>>, least: MinChild) -> EndpointStatus {
    let Some(child) =
        child.filter(|child| !matches!(child.status, ProfileStatus::Disabled | ProfileStatus::Inactive))
    else {
        return EndpointStatus::Stopped;
    };
    let count =
        |wanted: fn(EndpointStatus) -> bool| child.endpoints.iter().filter(|status| wanted(**status)).count();
    let online = count(|status| matches!(status, EndpointStatus::Online | EndpointStatus::Unmonitored));
    let available = count(EndpointStatus::is_available);
    if available_for(child, &is_ipv4) < usize::from(least.ipv4)
        || available_for(child, &is_ipv6) < usize::from(least.ipv6)
        || available < usize::from(least.endpoints)
    {
        EndpointStatus::Degraded
    } else if online >= usize::from(least.endpoints) {
        EndpointStatus::Online
    } else {
        EndpointStatus::CheckingEndpoint
    }
}

fn is_ipv4(target: &Target) -> bool {
    matches!(target, Target::V4(_) | Target::Name(_))
}

fn is_ipv6(target: &Target) -> bool {
    matches!(target, Target::V6(_) | Target::Name(_))
}

/// How many of a profile's endpoints are available for a family.
fn available_for(standing: &Standing<'_>, family: &dyn Fn(&Target) -> bool) -> usize {
    let endpoints = standing.profile.endpoints.iter().zip(&standing.endpoints).zip(&standing.children);
    let available = endpoints.filter(|((endpoint, status), child)| {
        status.is_available()
            && match child {
                Some(child) => available_for(child, family) > 0,
                None => family(&endpoint.target),
            }
    });
    available.count()
}

/// What a nested endpoint's state comes from.
pub(super) fn reason(child: &Standing<'_>, least: MinChild) -> String {
    let available = child.endpoints.iter().filter(|status| status.is_available()).count();
    let (name, all) = (&child.profile.name, child.endpoints.len());
    let mut words = format!("{available} of {all} in profile {name} available, {} needed", least.endpoints);
    let mut also = |least: u16, family: &str, available: usize| {
        if least > 0 {
            words += &format!(", {available} for {family}, {least} needed");
        }
    };
    also(least.ipv4, "IPv4", available_for(child, &is_ipv4));
    also(least.ipv6, "IPv6", available_for(child, &is_ipv6));
    words
}

/// Each part's weight, shared among what is in it by their own weights; what is in an empty part goes to the others. The result is exact, in least terms, wherever its sum is
/// below 2^32 and 128 bits hold what lies between; else each share is right to 2^-32 of the whole, and none is nothing.
pub fn scale<T>(parts: Vec<(u64, Vec<(u64, T)>)>) -> Vec<(u64, T)> {
    let parts: Vec<_> = parts.into_iter().filter(|(_, items)| !items.is_empty()).collect();
    let exact = exact(&parts);
    let whole: f64 = parts.iter().map(|(weight, _)| *weight as f64).sum();
    let near = parts.iter().flat_map(|(weight, items)| {
        let total: f64 = items.iter().map(|(item, _)| *item as f64).sum();
        items
            .iter()
            .map(move |(item, _)| (*weight as f64 / whole * (*item as f64 / total) * MOST as f64) as u64 + 1)
    });
    let weights = exact.unwrap_or_else(|| near.collect());
    weights
        .into_iter()
        .zip(parts.into_iter().flat_map(|(_, items)| items))
        .map(|(weight, (_, item))| (weight, item))
        .collect()
}

fn exact<T>(parts: &[(u64, Vec<(u64, T)>)]) -> Option<Vec<u64>> {
    let total = |items: &[(u64, T)]| items.iter().map(|(weight, _)| u128::from(*weight)).sum::<u128>();
    // The least number that every part's total divides.
    let common = parts.iter().try_fold(1u128, |common, (_, items)| {
        let total = total(items);
        common.checked_mul(total / gcd(common, total))
    })?;
    let mut weights = vec![];
    for (weight, items) in parts {
        let factor = u128::from(*weight).checked_mul(common / total(items))?;
        for (item, _) in items {
            weights.push(u128::from(*item).checked_mul(factor)?);
        }
    }
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let sum = weights.iter().try_fold(0u128, |sum, weight| sum.checked_add(weight / divisor))?;
    (sum <= MOST).then(|| weights.into_iter().map(|weight| (weight / divisor) as u64).collect())
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
