//! `geo_mapping` and `endpoint_location`: where an endpoint's clients are, and where it is itself; each alone, then all of a profile together.

use std::collections::HashMap;

use crate::{
    desired::RoutingMethod,
    geo::{Code, Region},
};

use super::{
    raw,
    report::{Fault, Notes},
    value::quote,
};

/// The codes of an endpoint; what is wrong is in `notes`.
pub(super) fn codes(raw: &raw::Endpoint, notes: &mut Notes<'_>) -> Vec<Code> {
    let mut codes = vec![];
    for item in raw.geo_mapping.iter().flat_map(|list| list.get_ref()) {
        let text = item.get_ref();
        match Code::find(text) {
            Some(code) => codes.push(code),
            None => {
                let help = match Code::meant(text) {
                    Some(code) => format!("did you mean \"{code}\"?"),
                    None => "write a code that `tm geo codes` lists, as \"GEO-EU\", \"DE\" or \"US-CA\""
                        .to_owned(),
                };
                notes.error(item.span(), format!("there is no code {}", quote(text)), help);
            }
        }
    }
    codes
}

/// The region of an endpoint; what is wrong is in `notes`.
pub(super) fn region(raw: &raw::Endpoint, notes: &mut Notes<'_>) -> Option<Region> {
    let written = raw.endpoint_location.as_ref()?;
    let text = written.get_ref();
    let region = Region::find(text);
    if region.is_none() {
        let help = match Region::meant(text) {
            Some(region) => format!("did you mean \"{region}\"?"),
            None => "write the Azure region that it is in or nearest to, as \"West Europe\"; `tm geo regions` lists them".to_owned(),
        };
        notes.error(written.span(), format!("there is no region {}", quote(text)), help);
    }
    region
}

/// What the method asks of every endpoint but the last resort: Geographic a code, which no other one has, and Performance a region.
pub(super) fn compare(raw: &raw::Profile, method: RoutingMethod, notes: &mut Notes<'_>) {
    match method {
        RoutingMethod::Geographic => {
            codes_for_all(raw, notes);
            codes_once(&raw.endpoint, notes);
        }
        RoutingMethod::Performance => regions_for_all(raw, notes),
        _ => {}
    }
    if method == RoutingMethod::Geographic {
        return;
    }
    for list in raw.endpoint.iter().filter_map(|endpoint| endpoint.geo_mapping.as_ref()) {
        notes.warn(list.span(), "geo_mapping is used with routing_method geographic alone");
    }
}

fn codes_for_all(raw: &raw::Profile, notes: &mut Notes<'_>) {
    for endpoint in &raw.endpoint {
        let name = endpoint.name.get_ref();
        let codes = endpoint.geo_mapping.as_ref().filter(|list| !list.get_ref().is_empty());
        match codes {
            None if !is_last_resort(raw, endpoint) => {
                let span = endpoint.geo_mapping.as_ref().map_or(endpoint.name.span(), |list| list.span());
                let message = format!(
                    "endpoint {} has no geo_mapping, but the routing_method is geographic",
                    quote(name)
                );
                let help = "say whose clients it answers, as geo_mapping = [\"GEO-EU\", \"US-CA\"], or [\"WORLD\"] for all that no other has; an endpoint for clients of no place is the profile's last_resort";
                notes.error(span, message, help);
            }
            Some(list) if is_last_resort(raw, endpoint) => {
                let message =
                    format!("endpoint {} has a geo_mapping, but it is the last_resort", quote(name));
                let help = "remove one of the two: the last resort answers when nobody else can, wherever the client is";
                notes.error(list.span(), message, help);
            }
            _ => {}
        }
    }
}

/// Whatever is above or below it, a code is one endpoint's.
fn codes_once(written: &[raw::Endpoint], notes: &mut Notes<'_>) {
    let mut seen = HashMap::new();
    let lists = written.iter().filter_map(|endpoint| endpoint.geo_mapping.as_ref());
    for item in lists.flat_map(|list| list.get_ref()) {
        let Some(code) = Code::find(item.get_ref()) else { continue };
        if let Some(first) = seen.get(&code).cloned() {
            let fault = Fault::new(
                format!("code {code} is mapped twice"),
                "map it to one endpoint of the profile; a nested one shares its clients among several",
            );
            notes.clash(item.span(), fault, first, "first mapped here");
        } else {
            seen.insert(code, item.span());
        }
    }
}

fn regions_for_all(raw: &raw::Profile, notes: &mut Notes<'_>) {
    for written in &raw.endpoint {
        if written.endpoint_location.is_none() && !is_last_resort(raw, written) {
            let message = format!(
                "endpoint {} has no endpoint_location, but the routing_method is performance",
                quote(written.name.get_ref())
            );
            let help = "write the Azure region that it is in or nearest to, as endpoint_location = \"West Europe\"; `tm geo regions` lists them";
            notes.error(written.name.span(), message, help);
        }
    }
}

/// Is it the one that the profile names?
pub(super) fn is_last_resort(raw: &raw::Profile, endpoint: &raw::Endpoint) -> bool {
    raw.last_resort
        .as_ref()
        .is_some_and(|name| name.get_ref().to_lowercase() == endpoint.name.get_ref().to_lowercase())
}
