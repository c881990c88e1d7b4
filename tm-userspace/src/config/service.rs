//! `[[service]]`: the inventory that endpoints of type `azure` are picked from.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use serde_json::Value;
use toml::Spanned;

use crate::desired::{Scope, Service, ServiceKind, ServiceState, Services, Target};

use super::{
    address,
    document::{self, FieldFault, SERVICES},
    parse, raw,
    report::{Fault, Found, Notes, Place},
    together::{self, LeftOut, Stored},
    value::{operator_name, quote, word},
};

const KINDS: &[(&str, ServiceKind)] = &[
    ("public_ip", ServiceKind::PublicIp),
    ("web_app", ServiceKind::WebApp),
    ("cloud_service", ServiceKind::CloudService),
    ("other", ServiceKind::Other),
];
const STATES: &[(&str, ServiceState)] =
    &[("running", ServiceState::Running), ("stopped", ServiceState::Stopped)];

/// A service and where it was written.
pub(super) struct Written {
    service: Service,
    place: Place,
    is_of_api: bool,
}

/// The inventory, and the file and the line of what files have of it.
pub(super) type Inventory = (Services, imbl::HashMap<Arc<str>, (PathBuf, usize)>);

/// One of them, which belongs to `default` where it gives no id; what is wrong is in `notes`.
pub(super) fn check(
    written: &Spanned<raw::Service>,
    default: &Scope,
    notes: &mut Notes<'_>,
) -> Option<Written> {
    let raw = written.get_ref();
    let kind = word(notes, "kind", raw.kind.as_ref(), KINDS, &[], ServiceKind::Other);
    let state = word(notes, "state", raw.state.as_ref(), STATES, &[], ServiceState::Running);
    let name = raw.name.get_ref();
    if let Err(fault) = operator_name(name) {
        notes.fault(raw.name.span(), fault);
    }
    let target = address::target(raw.target.get_ref());
    let target = target.map_err(|fault| notes.fault(raw.target.span(), fault)).ok();
    let id = match &raw.id {
        None => format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}/{name}",
            default.subscription,
            default.resource_group,
            kind.resource_type()
        ),
        Some(id) => {
            if let Err(fault) = resource_id(id.get_ref()) {
                notes.fault(id.span(), fault);
            }
            id.get_ref().clone()
        }
    };
    let place = notes.place(raw.id.as_ref().unwrap_or(&raw.name).span());
    let location = raw.location.as_ref().map(|location| location.get_ref().as_str().into());
    let service =
        Service { id: id.into(), kind, name: name.as_str().into(), target: target?, location, state };
    Some(Written { service, place, is_of_api: notes.source.path.starts_with(SERVICES) })
}

/// What the API has, each by itself; those that are wrong are in `found`, or left out.
pub(super) fn stored(
    stored: Stored<'_>,
    default: &Scope,
    found: &mut Found,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Written> {
    let mut services = Vec::new();
    for document in stored.services {
        match of_document(document, default) {
            Ok(service) => services.push(service),
            Err(faults) => {
                let name = document.get("name").and_then(Value::as_str).unwrap_or("?");
                let left_out = stored.what_fits.then_some(&mut *left_out);
                together::tell(SERVICES, name, faults, found, left_out);
            }
        }
    }
    services
}

/// The service that a document of the API means, in a node whose scope is `default`.
pub fn service_of(document: &Value, default: &Scope) -> Result<Service, Vec<FieldFault>> {
    of_document(document, default).map(|written| written.service)
}

fn of_document(document: &Value, default: &Scope) -> Result<Written, Vec<FieldFault>> {
    let no_service = || {
        vec![FieldFault::new("", "this is no service", "write an object of what a [[service]] table takes")]
    };
    let document = document.as_object().ok_or_else(no_service)?;
    let source = document::source(document, "service", SERVICES).map_err(|fault| vec![fault])?;
    let mut found = Found::default();
    let notes = &mut Notes { source: &source, found: &mut found };
    let written = parse::tables(notes).services;
    let service = written.first().and_then(|written| check(written, default, notes));
    if !found.findings.is_empty() {
        return Err(document::faults(&found.into_error(), &source));
    }
    service.ok_or_else(no_service)
}

/// All of them by id, the API's first; one of a file that is there twice is in `found`, or left out where `what_fits` is what is asked for.
pub(super) fn all(
    written: Vec<Written>,
    what_fits: bool,
    found: &mut Found,
    left_out: &mut Vec<LeftOut>,
) -> Inventory {
    let mut files = imbl::HashMap::new();
    let mut places: HashMap<Arc<str>, Place> = HashMap::new();
    let mut services = Services::new();
    for Written { service, place, is_of_api } in written {
        let key = Service::key(&service.id);
        if let Some(first) = places.get(&key) {
            let fault = Fault::new(
                "a service of this id is there twice",
                "give each service an id of its own, or another name; case makes no difference",
            );
            // What one source has twice is wrong whatever the API has.
            if what_fits && first.source.path.starts_with(SERVICES) {
                let reason = format!("{place}: {} ({})", fault.message, fault.help);
                left_out.push(LeftOut { name: service.name.clone(), is_of_api, reason });
            } else {
                found.add_beside(place, fault, first.clone(), "first given here");
            }
            continue;
        }
        if !is_of_api {
            let (line, _) = place.line_and_column();
            files.insert(key.clone(), (place.source.path.clone(), line));
        }
        places.insert(key.clone(), place);
        services.insert(key, Arc::new(service));
    }
    (services, files)
}

/// The service that an endpoint names, and what it answers with.
pub(super) fn target(
    raw: &raw::Endpoint,
    services: &Services,
    notes: &mut Notes<'_>,
) -> Option<(Target, Arc<Service>)> {
    if let Some(target) = &raw.target {
        let help = "remove it: target_service alone says who answers; or write type = \"external\"";
        notes.error(target.span(), "an azure endpoint has a `target_service`, no `target`", help);
    }
    let Some(written) = &raw.target_service else {
        let help = "give `target_service` the id of a [[service]]";
        notes.error(raw.name.span(), "missing key `target_service` of an azure endpoint", help);
        return None;
    };
    let text = written.get_ref();
    let found = services.get(&Service::key(text));
    if found.is_none() {
        let help = "write the id of a [[service]] in conf.d";
        notes.error(written.span(), "there is no service of this id", help);
    }
    found.map(|service| (service.target.clone(), service.clone()))
}

fn resource_id(text: &str) -> Result<(), Fault> {
    let plain = |char: char| !char.is_control() && char != ' ';
    if text.starts_with('/') && !text.ends_with('/') && text.chars().all(plain) {
        return Ok(());
    }
    let help = "write it as \"/subscriptions/.../providers/Microsoft.Network/publicIPAddresses/NAME\", or leave it out";
    Err(Fault::new(format!("{} is no resource id", quote(text)), help))
}
