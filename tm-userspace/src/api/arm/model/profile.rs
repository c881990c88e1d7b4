//! A whole profile.

use serde_json::{Value, json};

use super::{Document, Fields, Surroundings, endpoint, endpoints, monitor, set, text};
use crate::{
    api::arm::{
        fault::Fault,
        id::{Kind, ProfileId, same},
    },
    config::defaults,
    decide::ProfileStatus,
};

const STATUSES: &[(&str, &str)] = &[("Enabled", "enabled"), ("Disabled", "disabled")];
const ROUTING_METHODS: &[(&str, &str)] = &[
    ("Performance", "performance"),
    ("Priority", "priority"),
    ("Weighted", "weighted"),
    ("Geographic", "geographic"),
    ("MultiValue", "multivalue"),
    ("Subnet", "subnet"),
];
/// Of `allowedEndpointRecordTypes`.
const ENDPOINT_RECORD_TYPES: &[(&str, &str)] = &[
    ("DomainName", "domain_name"),
    ("IPv4Address", "ipv4_address"),
    ("IPv6Address", "ipv6_address"),
    ("Any", "any"),
];
const RECORD_TYPES: &[(&str, &str)] = &[("A", "a"), ("AAAA", "aaaa"), ("CNAME", "cname")];

/// The prefix that a document's profile answers at in the default zone; for one that has a name elsewhere, that name.
fn relative_name<'a>(profile: &'a Document, zone: &str) -> &'a str {
    let Some(whole) = text(profile, "dns_name") else {
        return text(profile, "relative_name").or_else(|| text(profile, "name")).unwrap_or_default();
    };
    let whole = whole.trim_end_matches('.');
    let end = format!(".{zone}").to_ascii_lowercase();
    match whole.to_ascii_lowercase().ends_with(&end) {
        true => &whole[..whole.len() - end.len()],
        false => whole,
    }
}

/// The name that it answers, without a dot at its end.
pub fn fqdn(profile: &Document, zone: &str) -> String {
    match text(profile, "dns_name") {
        Some(whole) => whole.trim_end_matches('.').to_owned(),
        None => format!("{}.{zone}", relative_name(profile, zone)),
    }
}

/// The document of a profile from a body; `before` is what it replaces, `name` what documents are to call it.
pub fn read(
    body: &Value,
    name: &str,
    before: Option<&Document>,
    around: &dyn Surroundings,
) -> Result<Document, Fault> {
    let fields = Fields::of(body)?;
    location(&fields, before.is_none())?;
    let properties = fields.object("properties")?;
    let mut profile = before.cloned().unwrap_or_default();
    let name = before.and_then(|before| text(before, "name")).unwrap_or(name).to_owned();
    set(&mut profile, "name", Some(name));
    set(&mut profile, "tags", tags(&fields)?);
    set(&mut profile, "status", properties.word("profileStatus", STATUSES)?);
    let method = properties.word("trafficRoutingMethod", ROUTING_METHODS)?;
    let method = method.ok_or_else(|| {
        let path = properties.path("trafficRoutingMethod");
        Fault::property(&path, format!("The property '{path}' is required."))
    })?;
    set(&mut profile, "routing_method", Some(method));
    let dns = properties.object("dnsConfig")?;
    let relative = new_relative_name(&dns, before, &around.zone())?;
    // Azure does not know of names in full.
    if before.is_none_or(|before| text(before, "dns_name").is_none()) {
        set(&mut profile, "relative_name", Some(relative));
    }
    set(&mut profile, "ttl", dns.integer("ttl")?);
    monitor::read(&properties.object("monitorConfig")?, &mut profile)?;
    set(&mut profile, "max_return", properties.integer("maxReturn")?);
    let traffic_view = properties.word("trafficViewEnrollmentStatus", STATUSES)?;
    set(&mut profile, "traffic_view", traffic_view.map(|word| word == "enabled"));
    set(&mut profile, "allowed_endpoint_record_types", allowed(&properties)?);
    record_type(&properties, &mut profile)?;
    super::set_endpoints(&mut profile, endpoint_list(&properties, before, around)?);
    Ok(profile)
}

/// Azure's form of a profile.
pub fn show(profile: &Document, id: &ProfileId, around: &dyn Surroundings) -> Value {
    let name = text(profile, "name").unwrap_or_default();
    let is_enabled = text(profile, "status").is_none_or(|status| !status.eq_ignore_ascii_case("disabled"));
    let status = around.profile_status(name).unwrap_or(match is_enabled {
        true => ProfileStatus::CheckingEndpoints,
        false => ProfileStatus::Disabled,
    });
    let zone = around.zone();
    let list = endpoints(profile)
        .zip(1..)
        .map(|(endpoint, place)| endpoint::show(endpoint, place, name, id, around));
    let method = text(profile, "routing_method").unwrap_or_default();
    let word = |on| if on { "Enabled" } else { "Disabled" };
    let mut properties = json!({
        "profileStatus": word(is_enabled),
        "trafficRoutingMethod": azures(ROUTING_METHODS, older(method)),
        "dnsConfig": {
            "relativeName": relative_name(profile, &zone),
            "fqdn": fqdn(profile, &zone),
            "ttl": profile.get("ttl").cloned().unwrap_or_else(|| defaults::TTL.into()),
        },
        "monitorConfig": monitor::show(profile, &format!("{status:?}")),
        "endpoints": list.collect::<Vec<_>>(),
        "trafficViewEnrollmentStatus": word(profile.get("traffic_view").and_then(Value::as_bool) == Some(true)),
    });
    if let Some(types) = profile.get("allowed_endpoint_record_types").and_then(Value::as_array) {
        let types = types.iter().filter_map(Value::as_str).map(|ours| azures(ENDPOINT_RECORD_TYPES, ours));
        properties["allowedEndpointRecordTypes"] = types.collect();
    }
    properties["maxReturn"] = profile.get("max_return").cloned().unwrap_or_default();
    properties["recordType"] =
        text(profile, "record_type").map_or(Value::Null, |ours| azures(RECORD_TYPES, ours).into());
    json!({
        "id": id.to_string(),
        "name": id.name,
        "type": "Microsoft.Network/trafficManagerProfiles",
        "location": "global",
        "tags": profile.get("tags").cloned().unwrap_or_else(|| json!({})),
        "properties": properties,
    })
}

/// Azure's word for one of ours.
fn azures<'a>(words: &[(&'a str, &str)], ours: &'a str) -> &'a str {
    words.iter().find(|(_, known)| known.eq_ignore_ascii_case(ours)).map_or(ours, |(azures, _)| azures)
}

/// What files may call a method besides.
fn older(method: &str) -> &str {
    match method.to_ascii_lowercase().as_str() {
        "failover" => "priority",
        "roundrobin" | "round_robin" | "round robin" => "weighted",
        "multi_value" => "multivalue",
        _ => method,
    }
}

fn location(fields: &Fields<'_>, is_new: bool) -> Result<(), Fault> {
    let bad = |code, message: String| Fault { code, ..Fault::property("location", message) };
    match fields.text("location")? {
        None if is_new => {
            Err(bad("LocationRequired", "The location property is required for this definition.".to_owned()))
        }
        Some(other) if !other.eq_ignore_ascii_case("global") => Err(bad(
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{other}' is not available for resource type 'Microsoft.Network/trafficManagerProfiles'. List of available regions for the resource type is 'global'."
            ),
        )),
        _ => Ok(()),
    }
}

fn tags(fields: &Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(tags) = fields.get("tags") else { return Ok(None) };
    match tags.as_object() {
        Some(map) if map.values().all(Value::is_string) => Ok((!map.is_empty()).then(|| tags.clone())),
        _ => Err(Fault::property("tags", "The value of property 'tags' must be an object of strings.")),
    }
}

/// It is given once.
fn new_relative_name(dns: &Fields<'_>, before: Option<&Document>, zone: &str) -> Result<String, Fault> {
    let before = before.map(|before| relative_name(before, zone));
    let Some(before) = before else { return Ok(dns.needed("relativeName")?.to_owned()) };
    match dns.text("relativeName")? {
        Some(other) if !other.eq_ignore_ascii_case(before) => {
            let path = dns.path("relativeName");
            let message = "The RelativeName of a Traffic Manager profile cannot be changed after creation.";
            Err(Fault::property(&path, message))
        }
        _ => Ok(before.to_owned()),
    }
}

fn allowed(properties: &Fields<'_>) -> Result<Option<Vec<Value>>, Fault> {
    let key = "allowedEndpointRecordTypes";
    let path = properties.path(key);
    let mut types = Vec::new();
    for text in properties.texts(key)? {
        let found = ENDPOINT_RECORD_TYPES.iter().find(|(azures, _)| azures.eq_ignore_ascii_case(text));
        let unknown = || {
            Fault::property(
                &path,
                format!(
                    "The value '{text}' of property '{path}' is not one of: DomainName, IPv4Address, IPv6Address, Any."
                ),
            )
        };
        types.push(Value::from(found.ok_or_else(unknown)?.1));
    }
    Ok((!types.is_empty()).then_some(types))
}

/// It is given once; clients of older versions do not know of it, and leave it out.
fn record_type(properties: &Fields<'_>, profile: &mut Document) -> Result<(), Fault> {
    let Some(wanted) = properties.word("recordType", RECORD_TYPES)? else { return Ok(()) };
    if text(profile, "record_type").is_some_and(|known| !known.eq_ignore_ascii_case(wanted)) {
        let path = properties.path("recordType");
        let message = "The RecordType of a Traffic Manager profile cannot be changed after creation.";
        return Err(Fault::property(&path, message));
    }
    set(profile, "record_type", Some(wanted));
    Ok(())
}

/// Whatever a body's endpoints say of their ids, it is their name and the last segment of their type that count.
fn endpoint_list(
    properties: &Fields<'_>,
    before: Option<&Document>,
    around: &dyn Surroundings,
) -> Result<Vec<Document>, Fault> {
    let mut list: Vec<Document> = Vec::new();
    for item in properties.objects("endpoints")? {
        let (name, written) = (item.needed("name")?, item.needed("type")?);
        let kind = Kind::find(written).ok_or_else(|| {
            let path = item.path("type");
            Fault::property(&path, format!("The endpoint type '{written}' is not one of: azureEndpoints, externalEndpoints, nestedEndpoints."))
        })?;
        if list.iter().any(|known| text(known, "name").is_some_and(|known| same(known, name))) {
            let path = item.path("name");
            return Err(Fault::property(
                &path,
                format!("The endpoint name '{name}' is used more than once in the profile."),
            ));
        }
        let known = before.into_iter().flat_map(endpoints).find(|known| {
            text(known, "name").is_some_and(|known| same(known, name)) && endpoint::kind(known) == kind
        });
        let properties = item.object("properties")?;
        let mut endpoint = endpoint::read(&properties, kind, name, known, around)?;
        // The list is new, and so is its order.
        if properties.get("priority").is_none() {
            endpoint.shift_remove("priority");
        }
        list.push(endpoint);
    }
    Ok(list)
}
