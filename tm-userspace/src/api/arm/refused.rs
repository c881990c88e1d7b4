//! Why the catalog did not take a change, in Azure's words: its keys and its places.

use axum::http::StatusCode;

use super::fault::Fault;
use crate::{catalog::Refusal, config::FieldFault, store::StoreError};

/// Keys of documents and the properties that they come from.
const PROPERTIES: [(&str, &str); 26] = [
    ("relative_name", "dnsConfig.relativeName"),
    ("ttl", "dnsConfig.ttl"),
    ("routing_method", "trafficRoutingMethod"),
    ("max_return", "maxReturn"),
    ("monitor", "monitorConfig"),
    ("protocol", "protocol"),
    ("port", "port"),
    ("path", "path"),
    ("interval", "intervalInSeconds"),
    ("timeout", "timeoutInSeconds"),
    ("tolerated_failures", "toleratedNumberOfFailures"),
    ("expected_status", "expectedStatusCodeRanges"),
    ("headers", "customHeaders"),
    ("endpoint", "endpoints"),
    ("target", "target"),
    ("target_profile", "targetResourceId"),
    ("target_service", "targetResourceId"),
    ("min_child_endpoints", "minChildEndpoints"),
    ("min_child_endpoints_ipv4", "minChildEndpointsIPv4"),
    ("min_child_endpoints_ipv6", "minChildEndpointsIPv6"),
    ("always_serve", "alwaysServe"),
    ("endpoint_location", "endpointLocation"),
    ("geo_mapping", "geoMapping"),
    ("subnets", "subnets"),
    ("weight", "weight"),
    ("priority", "priority"),
];

/// The code where another group has the name that a document is to have.
pub(super) const ELSEWHERE: &str = "ProfileNameInUse";

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let said = refusal.to_string();
        match refusal {
            Refusal::NotFound(_) => Fault::not_found("NotFound", said),
            Refusal::Precondition { .. } => Fault::new(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "The condition '*' in the If-None-Match or If-Match header was not satisfied.",
            ),
            Refusal::ManagedByFile { .. } | Refusal::ServiceOfFile { .. } => Fault::conflict(said),
            Refusal::Invalid(faults) => invalid(&faults),
            Refusal::NameTaken { dns_name, .. } => Fault::conflict(format!(
                "Domain name {dns_name} already exists. Please choose a different DNS prefix."
            )),
            Refusal::Elsewhere { .. } => Fault { code: ELSEWHERE, ..Fault::conflict(said) },
            Refusal::InUse(_) | Refusal::Exists(_) => Fault::conflict(said),
            Refusal::Store(StoreError::Full) => {
                Fault::new(StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage", said)
            }
            Refusal::Store(_) => Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", said),
            Refusal::Stopping => Fault::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", said),
        }
    }
}

fn invalid(faults: &[FieldFault]) -> Fault {
    let each = |fault: &FieldFault| {
        let target = (!fault.pointer.is_empty()).then(|| path(&fault.pointer));
        (target, format!("{} ({}).", words(&fault.message), words(&fault.help)))
    };
    let details: Vec<_> = faults.iter().map(each).collect();
    let (target, message) = details.first().cloned().unwrap_or_default();
    let details = if details.len() > 1 { details } else { Vec::new() };
    Fault { target, details, ..Fault::bad_request(message) }
}

/// `/endpoint/0/weight` is `properties.endpoints[0].properties.weight`.
fn path(pointer: &str) -> String {
    let mut path = String::from("properties");
    for segment in pointer.split('/').skip(1) {
        match segment.parse::<usize>() {
            Ok(index) => path += &format!("[{index}]"),
            Err(_) => {
                // What an endpoint has lies below its properties, and its headers are not below a monitor there.
                if path.ends_with(']') && path.contains("endpoints[") {
                    if segment == "name" {
                        path += ".name";
                        continue;
                    }
                    path += ".properties";
                }
                if segment == "monitor" && path.ends_with(".properties") {
                    continue;
                }
                path += ".";
                path += property(segment);
            }
        }
    }
    path
}

/// A sentence with the names that its reader knows.
fn words(sentence: &str) -> String {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|char| !is_word(char)).unwrap_or(from.len()));
        out += before;
        // Words of one part are English as well.
        out += if word.contains('_') { property(word) } else { word };
        rest = after;
    }
    out + rest
}

fn property(key: &str) -> &str {
    PROPERTIES.iter().find(|(known, _)| *known == key).map_or(key, |(_, property)| property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_words_are_azures() {
        for (pointer, expected) in [
            ("/ttl", "properties.dnsConfig.ttl"),
            ("/monitor/tolerated_failures", "properties.monitorConfig.toleratedNumberOfFailures"),
            ("/endpoint/3/weight", "properties.endpoints[3].properties.weight"),
            ("/endpoint/0/name", "properties.endpoints[0].name"),
            ("/endpoint/0/monitor/headers/A", "properties.endpoints[0].properties.customHeaders.A"),
            ("/endpoint/1/subnets/2", "properties.endpoints[1].properties.subnets[2]"),
        ] {
            assert_eq!(path(pointer), expected);
        }
        let sentence = "tolerated_failures 10 is out of range (write a number from 0 to 9), or `max_return`";
        let expected =
            "toleratedNumberOfFailures 10 is out of range (write a number from 0 to 9), or `maxReturn`";
        assert_eq!(words(sentence), expected);
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let fault = |pointer: &str| FieldFault::new(pointer, "it is wrong", "write something else");
        let one = Fault::from(Refusal::Invalid(vec![fault("/ttl")]));
        let expected = serde_json::json!({ "error": {
            "code": "BadRequest", "message": "it is wrong (write something else).", "target": "properties.dnsConfig.ttl",
        } });
        assert_eq!(one.body(), expected);
        let two = Fault::from(Refusal::Invalid(vec![fault("/ttl"), fault("")]));
        assert_eq!(two.body()["error"]["details"].as_array().map(Vec::len), Some(2));
        assert_eq!(two.target.as_deref(), Some("properties.dnsConfig.ttl"));
    }
}
