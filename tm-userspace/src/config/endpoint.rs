//! `[[profile.endpoint]]`: each alone, then all of a profile against each other.

use std::{collections::HashMap, hash::Hash, net::IpAddr, ops::Range, sync::Arc};

use crate::desired::{Endpoint, RoutingMethod, Service, Services, Status, Target};

use super::{
    address, defaults,
    ground::Ground,
    location, monitor, nested,
    profile::STATUSES,
    raw, record,
    report::{Fault, Notes},
    service, subnets,
    value::{number, operator_name, quote, word},
};

/// All of them, or none where one has no target; what is wrong is in `notes`. `base` is what the profile says of its monitor, where that is right.
pub(super) fn check(
    profile: &raw::Profile,
    method: RoutingMethod,
    ground: &Ground,
    base: Option<&raw::Monitor>,
    notes: &mut Notes<'_>,
) -> Option<Vec<Arc<Endpoint>>> {
    let written = profile.endpoint.as_slice();
    if let Some(over) = written.get(defaults::ENDPOINTS_AT_MOST) {
        let message = format!("{} endpoints, over {}", written.len(), defaults::ENDPOINTS_AT_MOST);
        notes.error(over.name.span(), message, "spread them over several profiles");
    }
    let written = &written[..written.len().min(defaults::ENDPOINTS_AT_MOST)];
    let endpoints: Vec<_> = written
        .iter()
        .zip(1..)
        .map(|(raw, order)| endpoint(raw, profile, order, ground, base, notes))
        .collect();
    duplicates(written, &endpoints, notes);
    match method {
        RoutingMethod::MultiValue => addresses_alone(written, &endpoints, notes),
        _ => one_kind_of_target(written, &endpoints, notes),
    }
    priorities_on_all_or_none(written, notes);
    subnets::compare(profile, method, notes);
    location::compare(profile, method, notes);
    endpoints.into_iter().map(|endpoint| endpoint.map(Arc::new)).collect()
}

/// Where the target is written; where the endpoint is, if it has none.
pub(super) fn target_span(raw: &raw::Endpoint) -> Range<usize> {
    written_target(raw).unwrap_or(&raw.name).span()
}

/// What is written of its target, if anything.
fn written_target(raw: &raw::Endpoint) -> Option<&raw::Text> {
    raw.target_profile.as_ref().or(raw.target_service.as_ref()).or(raw.target.as_ref())
}

/// One endpoint, `order`th of its profile.
fn endpoint(
    raw: &raw::Endpoint,
    profile: &raw::Profile,
    order: u16,
    ground: &Ground,
    base: Option<&raw::Monitor>,
    notes: &mut Notes<'_>,
) -> Option<Endpoint> {
    if let Err(fault) = operator_name(raw.name.get_ref()) {
        notes.fault(raw.name.span(), fault);
    }
    let (target, service) = target(raw, &ground.services, notes);
    let name = raw.name.get_ref().as_str().into();
    let status = word(notes, "status", raw.status.as_ref(), STATUSES, &[], Status::Enabled);
    let priority = number(notes, "priority", raw.priority.as_ref(), defaults::PRIORITY_RANGE, order);
    let weights = ground.least_weight..=defaults::WEIGHT_AT_MOST;
    let weight = number(notes, "weight", raw.weight.as_ref(), weights, defaults::WEIGHT);
    let always_serve = raw.always_serve.as_ref().is_some_and(|written| *written.get_ref());
    let min_child = nested::min_child(raw, notes);
    let is_nested = matches!(target, Some(Target::Profile(_)));
    let monitor = match (&raw.monitor, base) {
        (Some(own), Some(base)) if !is_nested => {
            Some(Arc::new(monitor::check_own(own.get_ref(), base, notes)))
        }
        _ => None,
    };
    let subnets = subnets::read(raw, notes);
    let geo_mapping = location::codes(raw, notes);
    let location = location::region(raw, notes);
    let [profile, own] = [profile.name.get_ref(), raw.name.get_ref()].map(|name| quote(name));
    let records = record::read(&raw.record, &format!("endpoint {own} of profile {profile}"), notes);
    if is_nested {
        record::none_of_nested(raw, notes);
    }
    let target = target?;
    if let Some(base) = base.filter(|_| !always_serve) {
        source_of_the_family(raw, base, &target, notes);
    }
    Some(Endpoint {
        name,
        target,
        status,
        priority,
        weight,
        always_serve,
        service,
        follows: None,
        min_child,
        monitor,
        subnets,
        geo_mapping,
        location,
        records,
    })
}

/// What it answers with, a profile's name as it was written; and the service that it stands for.
fn target(
    raw: &raw::Endpoint,
    services: &Services,
    notes: &mut Notes<'_>,
) -> (Option<Target>, Option<Arc<Service>>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        External,
        Azure,
        Nested,
    }
    let kinds = &[("external", Kind::External), ("azure", Kind::Azure), ("nested", Kind::Nested)];
    let kind = word(notes, "type", raw.kind.as_ref(), kinds, &[], Kind::External);
    if let Some(service) = raw.target_service.as_ref().filter(|_| kind != Kind::Azure) {
        let message = "`target_service` on an endpoint that is not of type azure";
        notes.error(service.span(), message, "write type = \"azure\", or remove it");
    }
    match kind {
        Kind::Nested => (nested::target(raw, notes), None),
        Kind::Azure => {
            nested::no_keys_of_nested(raw, notes);
            service::target(raw, services, notes).unzip()
        }
        Kind::External => {
            nested::no_keys_of_nested(raw, notes);
            let Some(written) = &raw.target else {
                if raw.target_profile.is_none() {
                    let help =
                        "give `target` a value in this table: an IPv4 address, an IPv6 address or a DNS name";
                    notes.error(raw.name.span(), "missing key `target`", help);
                }
                return (None, None);
            };
            let target = address::target(written.get_ref());
            (target.map_err(|fault| notes.fault(written.span(), fault)).ok(), None)
        }
    }
}

/// An address is probed from an address of its own family.
fn source_of_the_family(raw: &raw::Endpoint, base: &raw::Monitor, target: &Target, notes: &mut Notes<'_>) {
    let own = raw.monitor.as_ref().map(|written| written.get_ref().clone());
    let monitor = own.unwrap_or_default().over(base);
    let source = monitor.source.as_ref();
    let Some((span, Ok(from))) = source.map(|source| (source.span(), source.get_ref().parse::<IpAddr>()))
    else {
        return;
    };
    let elsewhere =
        monitor.target.as_ref().map(|written| (written.span(), address::target(written.get_ref())));
    let (written, probed) = match &elsewhere {
        Some((written, Ok(target))) => (written.clone(), target),
        Some((_, Err(_))) => return,
        None => (target_span(raw), target),
    };
    let fits = match probed {
        Target::V4(_) => from.is_ipv4(),
        Target::V6(_) => from.is_ipv6(),
        Target::Name(_) | Target::Profile(_) => true,
    };
    if !fits {
        let message = format!("source {} cannot reach {}", quote(&from.to_string()), kind(probed));
        let fault = Fault::new(message, "give the endpoint a monitor with a source of the target's family");
        notes.clash(written, fault, span, "the source");
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
            && let span = target_span(raw)
            && let Some(first) = first_of(&mut targets, one_spelling(&endpoint.target), span.clone())
        {
            let key = match (&raw.target_profile, &raw.target_service) {
                (Some(_), _) => "target_profile",
                (None, Some(_)) => "target_service",
                (None, None) => "target",
            };
            let text = written_target(raw).map_or("", |text| text.get_ref());
            let message = format!("{key} {} is there twice", quote(text));
            let fault = Fault::new(message, "give each target once; `weight` sets its share");
            notes.clash(span, fault, first, "first given here");
        }
    }
}

/// Names of profiles are the same whatever their case.
fn one_spelling(target: &Target) -> Target {
    match target {
        Target::Profile(name) => Target::Profile(name.to_lowercase().into()),
        other => other.clone(),
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

/// In a MultiValue profile.
fn addresses_alone(written: &[raw::Endpoint], endpoints: &[Option<Endpoint>], notes: &mut Notes<'_>) {
    for (raw, endpoint) in written.iter().zip(endpoints) {
        let Some(endpoint) = endpoint else { continue };
        if let Target::Name(_) | Target::Profile(_) = &endpoint.target {
            let message = format!(
                "endpoint {} answers with {}, but the routing_method is multivalue",
                quote(&endpoint.name),
                kind(&endpoint.target)
            );
            let help = "write an IPv4 or IPv6 address: a multivalue answer holds addresses alone; or another routing_method";
            notes.error(target_span(raw), message, help);
        }
    }
}

/// Told once a profile, at the first that differs; what nested endpoints answer with is their child's matter.
fn one_kind_of_target(written: &[raw::Endpoint], endpoints: &[Option<Endpoint>], notes: &mut Notes<'_>) {
    let mut kinds = written.iter().zip(endpoints).filter_map(|(raw, endpoint)| {
        let written = raw.target.as_ref().or(raw.target_service.as_ref())?;
        Some((written, kind(&endpoint.as_ref()?.target)))
    });
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
        Target::Profile(_) => "a profile",
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
