//! `[[service]]`: the inventory that endpoints of type `azure` are picked from.

use std::{collections::HashMap, sync::Arc};

use toml::Spanned;

use crate::desired::{Scope, Service, ServiceKind, ServiceState, Services, Target};

use super::{
    address, raw,
    report::{Fault, Found, Notes, Place},
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
}

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
    Some(Written { service, place })
}

/// All of them by id; one that is there twice is in `found`.
pub(super) fn all(written: Vec<Written>, found: &mut Found) -> Services {
    let mut places: HashMap<Arc<str>, Place> = HashMap::new();
    let mut services = Services::new();
    for Written { service, place } in written {
        let key = Service::key(&service.id);
        if let Some(first) = places.get(&key) {
            let fault = Fault::new(
                "a service of this id is there twice",
                "give each service an id of its own, or another name; case makes no difference",
            );
            found.add_beside(place, fault, first.clone(), "first given here");
            continue;
        }
        places.insert(key.clone(), place);
        services.insert(key, Arc::new(service));
    }
    services
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
