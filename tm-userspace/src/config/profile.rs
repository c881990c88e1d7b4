//! `[[profile]]` to a profile, with the places that checks across profiles point at.

use std::{ops::Range, sync::Arc};

use crate::{
    desired::{Profile, RoutingMethod, Status},
    names::DnsName,
};

use super::{
    api, defaults, endpoint,
    entry::Entry,
    ground::Ground,
    monitor, name,
    parse::Written,
    raw, record,
    report::{Fault, Notes},
    rules,
    value::{number, operator_name, quote, word},
};

const ROUTING_METHODS: &[(&str, RoutingMethod)] = &[
    ("priority", RoutingMethod::Priority),
    ("weighted", RoutingMethod::Weighted),
    ("multivalue", RoutingMethod::MultiValue),
    ("subnet", RoutingMethod::Subnet),
    ("geographic", RoutingMethod::Geographic),
    ("performance", RoutingMethod::Performance),
];
/// What the methods were called in 2012, on the wire and on the screen, and another spelling.
const OTHER_NAMES: &[(&str, RoutingMethod)] = &[
    ("failover", RoutingMethod::Priority),
    ("round_robin", RoutingMethod::Weighted),
    ("roundrobin", RoutingMethod::Weighted),
    ("round robin", RoutingMethod::Weighted),
    ("multi_value", RoutingMethod::MultiValue),
];

pub(super) const STATUSES: &[(&str, Status)] =
    &[("enabled", Status::Enabled), ("disabled", Status::Disabled)];

/// The profile, or none where it has no DNS name; what is wrong is in `notes`. A nested endpoint's
/// target is as it was written.
pub(super) fn check(written: &Written, ground: &Ground, notes: &mut Notes<'_>) -> Option<Entry> {
    let raw = written.raw.get_ref();
    if let Err(fault) = operator_name(raw.name.get_ref()) {
        notes.fault(raw.name.span(), fault);
    }
    let (dns_name, dns_name_span) = dns_name(raw, ground, notes);
    let method = Some(&raw.routing_method);
    let routing_method =
        word(notes, "routing_method", method, ROUTING_METHODS, OTHER_NAMES, RoutingMethod::Priority);
    if routing_method == RoutingMethod::Geographic && !ground.has_database {
        let message = "routing_method `geographic` without a database that says where clients are";
        let help =
            "name one in tm.toml, as [geo] and database = \"/var/lib/tm/country.mmdb\" in MaxMind's format";
        notes.error(raw.routing_method.span(), message, help);
    }
    let ttl = number(notes, "ttl", raw.ttl.as_ref(), defaults::TTL_RANGE, defaults::TTL);
    let status = word(notes, "status", raw.status.as_ref(), STATUSES, &[], Status::Enabled);
    let faults = notes.faults();
    let monitor = Arc::new(monitor::check(&raw.monitor, notes));
    // What is wrong with the profile's monitor is not told again for each endpoint.
    let base = (notes.faults() == faults).then_some(&raw.monitor);
    let max_return = raw.max_return.as_ref();
    if let Some(written) = max_return.filter(|_| routing_method != RoutingMethod::MultiValue) {
        notes.warn(written.span(), "max_return is used with routing_method multivalue alone");
    }
    let max_return =
        number(notes, "max_return", max_return, defaults::MAX_RETURN_RANGE, defaults::MAX_RETURN);
    let records = record::read(&raw.record, &format!("profile {}", quote(raw.name.get_ref())), notes);
    let endpoints = endpoint::check(raw, routing_method, ground, base, notes)?;
    record::compare(raw, &records, &endpoints, notes);
    if endpoints.is_empty() {
        notes.warn(raw.name.span(), format!("profile {} has no endpoints", quote(raw.name.get_ref())));
    }
    let rules = rules::check(raw, routing_method, &endpoints, notes);
    let name = raw.name.get_ref().as_str().into();
    let belongs = |written: Option<&raw::Text>, notes: &mut Notes<'_>| {
        written.map(|written| api::name(Some(written), "", notes).into())
    };
    let subscription = belongs(raw.subscription.as_ref(), notes);
    let resource_group = belongs(raw.resource_group.as_ref(), notes);
    Some(Entry {
        profile: Profile {
            name,
            dns_name: dns_name?,
            routing_method,
            ttl,
            status,
            rules,
            monitor,
            max_return,
            traffic_view: raw.traffic_view.unwrap_or_default(),
            records,
            endpoints,
        },
        source: notes.source.clone(),
        table: written.raw.span(),
        name: raw.name.span(),
        dns_name: dns_name_span,
        targets: raw.endpoint.iter().map(endpoint::target_span).collect(),
        subscription,
        resource_group,
        document: Arc::new(written.document.clone()),
    })
}

/// The name that a profile answers, and where that is written.
fn dns_name(raw: &raw::Profile, ground: &Ground, notes: &mut Notes<'_>) -> (Option<DnsName>, Range<usize>) {
    if let Some(whole) = &raw.dns_name {
        if let Some(relative) = &raw.relative_name {
            let fault = Fault::new(
                "dns_name and relative_name are both given",
                "give one of the two: dns_name is a full name, relative_name one in the default zone",
            );
            notes.clash(relative.span(), fault, whole.span(), "given in full here");
        }
        let name =
            name::owner(whole.get_ref(), name::whole).map_err(|fault| notes.fault(whole.span(), fault));
        return (name.ok(), whole.span());
    }
    let relative = raw.relative_name.as_ref().unwrap_or(&raw.name);
    let text = relative.get_ref();
    let name = name::owner(text, name::relative).and_then(|name| name::under(&name, &ground.zone, text));
    let name = name.map_err(|mut fault| {
        if raw.relative_name.is_none() {
            fault.help = format!("{}, or give a relative_name beside the name", fault.help);
        }
        notes.fault(relative.span(), fault);
    });
    (name.ok(), relative.span())
}
