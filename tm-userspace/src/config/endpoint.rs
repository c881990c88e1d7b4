//! `[[profile.endpoint]]`: each alone, then all of a profile against each other.

use std::{collections::HashMap, hash::Hash, net::IpAddr, ops::Range, sync::Arc};

use crate::desired::{Endpoint, Status, Target};

use super::{
    address, defaults, monitor,
    profile::STATUSES,
    raw,
    report::{Fault, Notes},
    value::{number, operator_name, quote, word},
};

/// All of them, or none where one has no target; what is wrong is in `notes`. `base` is what the profile says of its monitor, where that is right.
pub(super) fn check(
    written: &[raw::Endpoint],
    base: Option<&raw::Monitor>,
    notes: &mut Notes<'_>,
) -> Option<Vec<Arc<Endpoint>>> {
    if let Some(over) = written.get(defaults::ENDPOINTS_AT_MOST) {
        let message = format!("{} endpoints, over {}", written.len(), defaults::ENDPOINTS_AT_MOST);
        notes.error(over.name.span(), message, "spread them over several profiles");
    }
    let written = &written[..written.len().min(defaults::ENDPOINTS_AT_MOST)];
    let endpoints: Vec<_> =
        written.iter().zip(1..).map(|(raw, order)| endpoint(raw, order, base, notes)).collect();
    duplicates(written, &endpoints, notes);
    one_kind_of_target(written, &endpoints, notes);
    priorities_on_all_or_none(written, notes);
    endpoints.into_iter().map(|endpoint| endpoint.map(Arc::new)).collect()
}

/// One endpoint, `order`th of its profile.
fn endpoint(
    raw: &raw::Endpoint,
    order: u16,
    base: Option<&raw::Monitor>,
    notes: &mut Notes<'_>,
) -> Option<Endpoint> {
    if let Err(fault) = operator_name(raw.name.get_ref()) {
        notes.fault(raw.name.span(), fault);
    }
    word(notes, "type", raw.kind.as_ref(), &[("external", ())], &[], ());
    let target = address::target(raw.target.get_ref()).map_err(|fault| notes.fault(raw.target.span(), fault));
    let name = raw.name.get_ref().as_str().into();
    let status = word(notes, "status", raw.status.as_ref(), STATUSES, &[], Status::Enabled);
    let priority = number(notes, "priority", raw.priority.as_ref(), defaults::PRIORITY_RANGE, order);
    let weight = number(notes, "weight", raw.weight.as_ref(), defaults::WEIGHT_RANGE, defaults::WEIGHT);
    let monitor = match (&raw.monitor, base) {
        (Some(own), Some(base)) => Some(Arc::new(monitor::check_own(own, base, notes))),
        _ => None,
    };
    let target = target.ok()?;
    if let Some(base) = base {
        source_of_the_family(raw, base, &target, notes);
    }
    Some(Endpoint { name, target, status, priority, weight, always_serve: raw.always_serve, monitor })
}

/// An address is probed from an address of its own family.
fn source_of_the_family(raw: &raw::Endpoint, base: &raw::Monitor, target: &Target, notes: &mut Notes<'_>) {
    let monitor = raw.monitor.clone().unwrap_or_default().over(base);
    let source = monitor.source.as_ref();
    let Some((span, Ok(from))) = source.map(|source| (source.span(), source.get_ref().parse::<IpAddr>()))
    else {
        return;
    };
    let elsewhere = monitor.target.as_ref().map(|written| (written, address::target(written.get_ref())));
    let (written, probed) = match &elsewhere {
        Some((written, Ok(target))) => (*written, target),
        Some((_, Err(_))) => return,
        None => (&raw.target, target),
    };
    let fits = match probed {
        Target::V4(_) => from.is_ipv4(),
        Target::V6(_) => from.is_ipv6(),
        _ => true,
    };
    if !fits && !raw.always_serve {
        let message = format!("source {} cannot reach {}", quote(&from.to_string()), kind(probed));
        let fault = Fault::new(message, "give the endpoint a monitor with a source of the target's family");
        notes.clash(written.span(), fault, span, "the source");
    }
}

fn duplicates(written: &[raw::Endpoint], endpoints: &[Option<Endpoint>], notes: &mut Notes<'_>) {
    let (mut names, mut targets, mut priorities) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (raw, endpoint) in written.iter().zip(endpoints) {
        let name = raw.name.get_ref();
        if let Some(first) = first_of(&mut names, name.to_lowercase(), raw.name.span()) {
            let fault = Fault::new(
                format!("endpoint {} is there twice", quote(name)),
                "name each endpoint of a profile differently; case makes no difference",
            );
            notes.clash(raw.name.span(), fault, first, "first given here");
        }
        if let Some(priority) = &raw.priority
            && let Some(first) = first_of(&mut priorities, priority.get_ref().0, priority.span())
        {
            let message = format!("priority {} is there twice", priority.get_ref().0);
            let fault = Fault::new(message, "give each endpoint of a profile a priority of its own");
            notes.clash(priority.span(), fault, first, "first given here");
        }
        if let Some(endpoint) = endpoint
            && let Some(first) = first_of(&mut targets, endpoint.target.clone(), raw.target.span())
        {
            let message = format!("target {} is there twice", quote(raw.target.get_ref()));
            let fault = Fault::new(message, "give each target once; `weight` sets its share");
            notes.clash(raw.target.span(), fault, first, "first given here");
        }
    }
}

/// Where `key` was seen before; if nowhere, it is now seen at `span`.
fn first_of<K: Eq + Hash>(
    seen: &mut HashMap<K, Range<usize>>,
    key: K,
    span: Range<usize>,
) -> Option<Range<usize>> {
    let first = seen.get(&key).cloned();
    if first.is_none() {
        seen.insert(key, span);
    }
    first
}

/// Told once a profile, at the first that differs.
fn one_kind_of_target(written: &[raw::Endpoint], endpoints: &[Option<Endpoint>], notes: &mut Notes<'_>) {
    let mut kinds = written
        .iter()
        .zip(endpoints)
        .filter_map(|(raw, endpoint)| Some((&raw.target, kind(&endpoint.as_ref()?.target))));
    let Some((first, first_kind)) = kinds.next() else { return };
    if let Some((other, other_kind)) = kinds.find(|(_, kind)| *kind != first_kind) {
        let fault = Fault::new(
            format!("{other_kind} beside {first_kind} in one profile"),
            "make all targets of a profile DNS names, or all IPv4, or all IPv6 addresses",
        );
        notes.clash(other.span(), fault, first.span(), first_kind);
    }
}

fn kind(target: &Target) -> &'static str {
    match target {
        Target::Name(_) => "a DNS name",
        Target::V4(_) => "an IPv4 address",
        Target::V6(_) => "an IPv6 address",
    }
}

/// Told once a profile, at the first without.
fn priorities_on_all_or_none(written: &[raw::Endpoint], notes: &mut Notes<'_>) {
    let with = written.iter().find_map(|raw| raw.priority.as_ref());
    let without = written.iter().find(|raw| raw.priority.is_none());
    if let (Some(with), Some(without)) = (with, without) {
        let fault = Fault::new(
            format!("endpoint {} has no priority, but others have", quote(without.name.get_ref())),
            "give a priority to every endpoint of the profile, or to none: then their order counts",
        );
        notes.clash(without.name.span(), fault, with.span(), "a priority");
    }
}
