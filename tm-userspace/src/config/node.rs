//! `tm.toml` to this node's settings: the tables of it, and guards.

use std::net::IpAddr;

use crate::desired::{Node, Probes};

use super::{
    address, api, cookies, defaults, listen, rate_limit,
    raw::{self, Text},
    report::{Fault, Notes},
    sampling, sockets, transfer,
    value::{absolute, number, prefixes},
    webhook, zone,
};

/// The node, unless so much is missing that there is none; what is wrong is in `notes`.
pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Option<Node> {
    let zones = zone::check(raw, notes);
    let state_dir = absolute(notes, "state_dir", raw.state_dir.as_ref(), defaults::STATE_DIR);
    let listen = listen::check(raw.listen.as_ref(), notes);
    let sockets = sockets::check(raw, listen.as_ref(), notes);
    let cookies = cookies::check(&raw.cookies, notes);
    let rate_limit = rate_limit::check(&raw.rate_limit, notes);
    let transfer = transfer::check(raw, notes);
    let probes = Probes { allow: prefixes(&raw.probes.allow, notes) };
    let names = raw.limits.names.as_ref();
    let capacity = number(notes, "names", names, defaults::LIMIT_NAMES_RANGE, defaults::LIMIT_NAMES);
    let scope = api::scope(raw, notes);
    let api = api::check(raw.api.as_ref(), &state_dir, notes);
    let metrics = api::metrics(raw.metrics.as_ref(), notes);
    let webhooks = webhook::check(&raw.webhook, notes);
    let sampling = sampling::check(raw, notes);
    let dnstap = sampling::dnstap(raw, notes);
    let (default_zone, more_zones) = zones?;
    Some(Node {
        default_zone,
        more_zones,
        state_dir,
        listen: listen?,
        sockets,
        cookies,
        rate_limit,
        transfer,
        probes,
        capacity,
        scope,
        api,
        metrics,
        webhooks,
        sampling,
        dnstap,
    })
}

/// The least weight that an endpoint may have.
pub(super) fn least_weight(raw: &raw::Node, notes: &mut Notes<'_>) -> u16 {
    let written = raw.limits.least_weight.as_ref();
    number(notes, "least_weight", written, defaults::LEAST_WEIGHT_RANGE, defaults::LEAST_WEIGHT)
}

/// Does the node hold as many profiles as there are?
pub(super) fn fits(raw: &raw::Node, node: &Node, profiles: usize, notes: &mut Notes<'_>) {
    let capacity = node.capacity as usize;
    if let Some(names) = raw.limits.names.as_ref().filter(|_| (1..profiles).contains(&capacity)) {
        let message = format!("names {capacity} is less than the {profiles} profiles");
        notes.error(names.span(), message, format!("write {profiles} or more, or 0 for as many as needed"));
    }
}

/// Addresses, each once.
pub(super) fn addresses(written: &[Text], notes: &mut Notes<'_>) -> Vec<IpAddr> {
    let mut addresses: Vec<(IpAddr, &Text)> = Vec::new();
    for text in written {
        let address = match address::host_address(text.get_ref()) {
            Ok(address) => address,
            Err(fault) => {
                notes.fault(text.span(), fault);
                continue;
            }
        };
        if let Some((_, first)) = addresses.iter().find(|(known, _)| *known == address) {
            let fault = Fault::new(format!("address `{address}` is given twice"), "remove one of the two");
            notes.clash(text.span(), fault, first.span(), "first given here");
        }
        addresses.push((address, text));
    }
    addresses.into_iter().map(|(address, _)| address).collect()
}
