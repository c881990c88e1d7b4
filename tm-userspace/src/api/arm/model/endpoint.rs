//! An endpoint: in a list of a profile, or alone.

use serde_json::{Map, Value, json};

use super::{Document, Fields, Surroundings, headers, set, subnets, text};
use crate::{
    api::arm::{
        fault::Fault,
        id::{Kind, ProfileId},
    },
    decide::EndpointStatus,
};

const STATUSES: &[(&str, &str)] = &[("Enabled", "enabled"), ("Disabled", "disabled")];
/// Keys of nested endpoints alone.
const MIN_CHILD: [(&str, &str); 3] = [
    ("min_child_endpoints", "minChildEndpoints"),
    ("min_child_endpoints_ipv4", "minChildEndpointsIPv4"),
    ("min_child_endpoints_ipv6", "minChildEndpointsIPv6"),
];

/// The kind of a document's endpoint.
pub fn kind(endpoint: &Document) -> Kind {
    let written = text(endpoint, "type").unwrap_or_default();
    Kind::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(written)).unwrap_or(Kind::External)
}

/// The document of an endpoint from a body's `properties`; `before` is what it replaces.
pub fn read(
    properties: &Fields<'_>,
    kind: Kind,
    name: &str,
    before: Option<&Document>,
    around: &dyn Surroundings,
) -> Result<Document, Fault> {
    let mut endpoint = before.cloned().unwrap_or_default();
    let name = before.and_then(|before| text(before, "name")).unwrap_or(name).to_owned();
    set(&mut endpoint, "name", Some(name));
    set(&mut endpoint, "type", Some(kind.word()));
    target(properties, kind, &mut endpoint, around)?;
    set(&mut endpoint, "status", properties.word("endpointStatus", STATUSES)?);
    set(&mut endpoint, "weight", properties.integer("weight")?);
    // One that was assigned stays.
    if let Some(priority) = properties.integer("priority")? {
        set(&mut endpoint, "priority", Some(priority));
    }
    let always_serve = properties.word("alwaysServe", STATUSES)?.map(|word| word == "enabled");
    set(&mut endpoint, "always_serve", always_serve);
    min_child(properties, kind, &mut endpoint)?;
    // A service of the inventory brings its own.
    let own = text(&endpoint, "target_service").and_then(|id| around.location_of_service(id));
    set(&mut endpoint, "endpoint_location", properties.text("endpointLocation")?.map(str::to_owned).or(own));
    let codes = properties.texts("geoMapping")?;
    set(&mut endpoint, "geo_mapping", (!codes.is_empty()).then_some(codes));
    set(&mut endpoint, "subnets", subnets::read(properties)?);
    let mut monitor = endpoint.get("monitor").and_then(Value::as_object).cloned().unwrap_or_default();
    set(&mut monitor, "headers", headers::read(properties)?);
    set(&mut endpoint, "monitor", (!monitor.is_empty()).then_some(monitor));
    Ok(endpoint)
}

/// Azure's form of an endpoint of the profile that documents call `profile`; `place` is its place in the list, from 1.
pub fn show(
    endpoint: &Document,
    place: usize,
    profile: &str,
    id: &ProfileId,
    around: &dyn Surroundings,
) -> Value {
    let (name, kind) = (text(endpoint, "name").unwrap_or_default(), kind(endpoint));
    let (resource, target) = shown_target(endpoint, kind, around);
    let is_enabled = |status: &str| !status.eq_ignore_ascii_case("disabled");
    let word = |on| if on { "Enabled" } else { "Disabled" };
    let is_on = text(endpoint, "status").is_none_or(is_enabled);
    let status = around.endpoint_status(profile, name).unwrap_or(match is_on {
        true => EndpointStatus::CheckingEndpoint,
        false => EndpointStatus::Disabled,
    });
    let number = |key: &str, default: Value| endpoint.get(key).cloned().unwrap_or(default);
    let mut properties = json!({
        "endpointStatus": word(is_on),
        "endpointMonitorStatus": format!("{status:?}"),
        "targetResourceId": resource,
        "target": target,
        "weight": number("weight", 1.into()),
        "priority": number("priority", place.into()),
        "endpointLocation": endpoint.get("endpoint_location"),
    });
    for ((key, azures), default) in MIN_CHILD.into_iter().zip([1, 0, 0]) {
        let default = if kind == Kind::Nested { default.into() } else { Value::Null };
        properties[azures] = number(key, default);
    }
    let headers = endpoint.get("monitor").and_then(|monitor| headers::show(monitor.get("headers")));
    let always_serve = endpoint.get("always_serve").and_then(Value::as_bool).map(|on| word(on).into());
    let optional = [
        ("geoMapping", endpoint.get("geo_mapping").cloned()),
        ("subnets", subnets::show(endpoint.get("subnets"))),
        ("customHeaders", headers),
        ("alwaysServe", always_serve),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            properties[key] = value;
        }
    }
    json!({
        "id": id.endpoint(kind, name),
        "name": name,
        "type": format!("Microsoft.Network/trafficManagerProfiles/{}", kind.segment()),
        "properties": properties,
    })
}

/// What it answers with: its own target, or a resource's, which the service fills in and clients show again.
fn target(
    properties: &Fields<'_>,
    kind: Kind,
    endpoint: &mut Document,
    around: &dyn Surroundings,
) -> Result<(), Fault> {
    let key = "targetResourceId";
    let (mut target, mut child, mut service) = (None, None, None);
    match kind {
        Kind::External => {
            if properties.get(key).is_some() {
                let path = properties.path(key);
                let message = format!(
                    "The property '{path}' is not allowed for an endpoint of type 'externalEndpoints'; use 'target'."
                );
                return Err(Fault::property(&path, message));
            }
            target = Some(properties.needed("target")?.to_owned());
        }
        Kind::Nested => {
            let id = properties.needed(key)?;
            child = ProfileId::parse(id).and_then(|id| around.profile_named(&id));
            if child.is_none() {
                let path = properties.path(key);
                return Err(Fault::property(
                    &path,
                    format!("The target resource '{id}' is not a Traffic Manager profile that exists."),
                ));
            }
        }
        Kind::Azure => {
            let id = properties.needed(key)?;
            if around.target_of_service(id).is_none() {
                let path = properties.path(key);
                return Err(Fault::property(
                    &path,
                    format!("The target resource '{id}' is not in the inventory of services."),
                ));
            }
            service = Some(id.to_owned());
        }
    }
    set(endpoint, "target", target);
    set(endpoint, "target_profile", child);
    set(endpoint, "target_service", service);
    Ok(())
}

/// `targetResourceId` and `target`.
fn shown_target(
    endpoint: &Document,
    kind: Kind,
    around: &dyn Surroundings,
) -> (Option<String>, Option<String>) {
    match kind {
        Kind::External => (None, text(endpoint, "target").map(str::to_owned)),
        Kind::Nested => {
            let child = text(endpoint, "target_profile").and_then(|name| around.id_of_profile(name));
            child.map(|(id, dns_name)| (id.to_string(), dns_name)).unzip()
        }
        Kind::Azure => {
            let id = text(endpoint, "target_service");
            (id.map(str::to_owned), id.and_then(|id| around.target_of_service(id)))
        }
    }
}

/// Zeros and nothing at all mean the same where an endpoint is not nested, and are shown again by clients.
fn min_child(properties: &Fields<'_>, kind: Kind, endpoint: &mut Map<String, Value>) -> Result<(), Fault> {
    for (key, azures) in MIN_CHILD {
        let written = properties.integer(azures)?;
        if kind != Kind::Nested && written.is_some_and(|number| number != 0) {
            let path = properties.path(azures);
            let message =
                format!("The property '{path}' is allowed for endpoints of type 'nestedEndpoints' alone.");
            return Err(Fault::property(&path, message));
        }
        set(endpoint, key, written.filter(|_| kind == Kind::Nested));
    }
    Ok(())
}
