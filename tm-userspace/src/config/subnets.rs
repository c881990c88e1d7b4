//! `subnets` of endpoints: each range alone, then all of a profile against each other.

use std::{net::IpAddr, ops::Range};

use crate::{
    desired::{RoutingMethod, Subnet},
    places::EMBEDDING,
    prefix::holds,
};

use super::{
    address, location, raw,
    report::{Fault, Notes},
    value::quote,
};

/// The ranges of an endpoint; what is wrong is in `notes`.
pub(super) fn read(written: &raw::Endpoint, notes: &mut Notes<'_>) -> Vec<Subnet> {
    let items = written.subnets.iter().flat_map(|list| list.get_ref());
    let mut subnets = vec![];
    for item in items {
        match subnet(item.get_ref()) {
            Ok(subnet) => subnets.push(subnet),
            Err(fault) => notes.fault(item.span(), fault),
        }
    }
    subnets
}

/// What the method has to say, and the ranges against each other: apart, or one inside the other.
pub(super) fn compare(profile: &raw::Profile, method: RoutingMethod, notes: &mut Notes<'_>) {
    let written = profile.endpoint.as_slice();
    match method {
        RoutingMethod::Subnet => one_without(profile, notes),
        RoutingMethod::Geographic | RoutingMethod::Performance => {}
        RoutingMethod::Priority | RoutingMethod::Weighted | RoutingMethod::MultiValue => {
            for (raw, list) in with_subnets(written) {
                let message = format!("endpoint {} has subnets", quote(raw.name.get_ref()));
                let help =
                    "write routing_method = \"subnet\", \"geographic\" or \"performance\", or leave them out";
                notes.error(list.span(), message, help);
            }
            return;
        }
    }
    for (raw, list) in with_subnets(written).filter(|(raw, _)| location::is_last_resort(profile, raw)) {
        let message =
            format!("endpoint {} has subnets, but it is the last_resort", quote(raw.name.get_ref()));
        let help =
            "remove one of the two: the last resort answers when nobody else can, wherever the client is";
        notes.error(list.span(), message, help);
    }
    let items = written.iter().flat_map(|raw| raw.subnets.iter().flat_map(|list| list.get_ref()));
    let mut ranges: Vec<(Subnet, &str, Range<usize>)> = items
        .filter_map(|item| Some((subnet(item.get_ref()).ok()?, item.get_ref().as_str(), item.span())))
        .collect();
    ranges.sort_by_key(|(range, _, span)| (range.first, std::cmp::Reverse(range.last), span.start));
    // What the present range may be inside of, the smallest last.
    let mut around: Vec<&(Subnet, &str, Range<usize>)> = vec![];
    for next in &ranges {
        let (range, text, span) = next;
        while around.pop_if(|(before, ..)| before.last < range.first).is_some() {}
        if let Some((before, other, first)) = around.last() {
            if before == range {
                let fault = Fault::new(
                    format!("subnet {} is there twice", quote(text)),
                    "give each range to one endpoint of the profile",
                );
                notes.clash(span.clone(), fault, first.clone(), "first given here");
            } else if before.last < range.last {
                let fault = Fault::new(
                    format!("subnet {} begins inside {} and ends outside it", quote(text), quote(other)),
                    "cut one of them: ranges of a profile lie apart or one inside the other, where the smaller one counts",
                );
                notes.clash(span.clone(), fault, first.clone(), "the other one");
            }
        }
        around.push(next);
    }
}

fn with_subnets(written: &[raw::Endpoint]) -> impl Iterator<Item = (&raw::Endpoint, &raw::List<String>)> {
    let lists = written.iter().filter_map(|raw| Some((raw, raw.subnets.as_ref()?)));
    lists.filter(|(_, list)| !list.get_ref().is_empty())
}

/// Told once a profile, at the second; the last resort is not counted.
fn one_without(profile: &raw::Profile, notes: &mut Notes<'_>) {
    let is_without = |raw: &&raw::Endpoint| {
        raw.subnets.as_ref().is_none_or(|list| list.get_ref().is_empty())
            && !location::is_last_resort(profile, raw)
    };
    let mut without = profile.endpoint.iter().filter(is_without);
    if let (Some(first), Some(second)) = (without.next(), without.next()) {
        let fault = Fault::new(
            format!("endpoint {} has no subnets, and it is not the only one", quote(second.name.get_ref())),
            "give subnets to all endpoints but one: that one answers everybody else",
        );
        notes.clash(second.name.span(), fault, first.name.span(), "the first without");
    }
}

/// One address, a prefix, or two addresses with `-` between them.
fn subnet(text: &str) -> Result<Subnet, Fault> {
    let help =
        "write an address, a prefix as \"203.0.113.0/24\", or a range as \"198.51.100.10-198.51.100.20\"";
    let malformed = || Fault::new(format!("{} is no range of addresses", quote(text)), help);
    let parse = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| malformed());
    let subnet = if let Some((first, last)) = text.split_once('-') {
        Subnet { first: parse(first)?, last: parse(last)? }
    } else if text.contains('/') {
        let (first, length) = address::prefix(text)?;
        Subnet { first, last: address::last_of(first, length) }
    } else {
        let address = parse(text)?;
        Subnet { first: address, last: address }
    };
    if subnet.first.is_ipv4() != subnet.last.is_ipv4() {
        return Err(Fault::new(format!("{} begins and ends in different families", quote(text)), help));
    }
    if subnet.first > subnet.last {
        let message = format!("{} ends before it begins", quote(text));
        return Err(Fault::new(message, format!("write \"{}-{}\"", subnet.last, subnet.first)));
    }
    match EMBEDDING.iter().find(|(prefix, length, _)| {
        let prefix = IpAddr::V6(*prefix);
        holds(prefix, *length, subnet.first) && holds(prefix, *length, subnet.last)
    }) {
        None => Ok(subnet),
        Some((prefix, length, _)) => Err(Fault::new(
            format!("{} is inside {prefix}/{length}, whose addresses hold IPv4 addresses", quote(text)),
            "write the IPv4 range: these clients are placed by the IPv4 address inside",
        )),
    }
}
