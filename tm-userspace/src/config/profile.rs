//! `[[profile]]` to a profile, with the places that checks across profiles point at.

use std::{ops::Range, sync::Arc};

use toml::Spanned;

use crate::{
    desired::{Profile, RoutingMethod, Status},
    names::DnsName,
};

use super::{
    defaults, endpoint, monitor, name, raw,
    report::{Notes, Source},
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

/// A profile and where it was written.
pub(super) struct Checked {
    pub(super) profile: Profile,
    pub(super) source: Arc<Source>,
    /// Of `name`.
    pub(super) name: Range<usize>,
    /// Of what its DNS name was made from.
    pub(super) relative_name: Range<usize>,
    /// Of the endpoints' targets.
    pub(super) targets: Vec<Range<usize>>,
}

/// What the node's file has to say to profiles.
#[derive(Clone, Copy)]
pub(super) struct OfNode<'a> {
    /// The zone; without one, profiles stand below the root.
    pub(super) zone: Option<&'a DnsName>,
    /// The least weight.
    pub(super) least_weight: u16,
    /// Is a database named that says where clients are? So it is taken to be where the file cannot be read.
    pub(super) has_database: bool,
}

/// The profile, or none where it has no DNS name; what is wrong is in `notes`. A nested endpoint's target is as it was written.
pub(super) fn check(
    written: &Spanned<raw::Profile>,
    node: OfNode<'_>,
    notes: &mut Notes<'_>,
) -> Option<Checked> {
    let raw = written.get_ref();
    if let Err(fault) = operator_name(raw.name.get_ref()) {
        notes.fault(raw.name.span(), fault);
    }
    let relative = raw.relative_name.as_ref().unwrap_or(&raw.name);
    let text = relative.get_ref();
    let dns_name = name::relative(text)
        .and_then(|name| name::under(&name, node.zone.unwrap_or(&DnsName::root()), text))
        .map_err(|mut fault| {
            if raw.relative_name.is_none() {
                fault.help = format!("{}, or give a relative_name beside the name", fault.help);
            }
            notes.fault(relative.span(), fault);
        })
        .ok();
    let method = Some(&raw.routing_method);
    let routing_method =
        word(notes, "routing_method", method, ROUTING_METHODS, OTHER_NAMES, RoutingMethod::Priority);
    if routing_method == RoutingMethod::Geographic && !node.has_database {
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
    let endpoints = endpoint::check(raw, routing_method, node.least_weight, base, notes)?;
    if endpoints.is_empty() {
        notes.warn(raw.name.span(), format!("profile {} has no endpoints", quote(raw.name.get_ref())));
    }
    let rules = rules::check(raw, routing_method, &endpoints, notes);
    let name = raw.name.get_ref().as_str().into();
    Some(Checked {
        profile: Profile {
            name,
            dns_name: dns_name?,
            routing_method,
            ttl,
            status,
            rules,
            monitor,
            max_return,
            endpoints,
        },
        source: notes.source.clone(),
        name: raw.name.span(),
        relative_name: relative.span(),
        targets: raw.endpoint.iter().map(endpoint::target_span).collect(),
    })
}
