//! `allowedEndpointRecordTypes` and `recordType`: what a profile's endpoints may answer with, and those of the profiles nested in it.

use std::net::IpAddr;

use serde_json::Value;

use super::{Document, Surroundings, endpoint, endpoints, text};
use crate::{
    api::arm::{fault::Fault, id::Kind},
    config::defaults::NESTED_AT_MOST,
};

/// An error where an endpoint of a whole profile answers with what the profile does not allow.
pub fn check_records(profile: &Document, around: &dyn Surroundings) -> Result<(), Fault> {
    let list = profile.get("allowed_endpoint_record_types").and_then(Value::as_array);
    let allowed: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    let record_type = text(profile, "record_type");
    if record_type.is_none() && (allowed.is_empty() || allowed.contains(&"any")) {
        return Ok(());
    }
    for (place, endpoint) in endpoints(profile).enumerate() {
        for found in records(endpoint, around, NESTED_AT_MOST) {
            let is_allowed =
                allowed.is_empty() || allowed.contains(&"any") || allowed.contains(&found.of_endpoint());
            if !is_allowed || record_type.is_some_and(|wanted| wanted != found.of_profile()) {
                let path = format!("properties.endpoints[{place}]");
                let name = text(endpoint, "name").unwrap_or_default();
                let message = format!(
                    "The endpoint '{name}' answers with a record of type {}, which the profile does not allow.",
                    found.of_profile().to_ascii_uppercase()
                );
                return Err(Fault::property(&path, message));
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Record {
    A,
    Aaaa,
    Cname,
}

impl Record {
    /// As `recordType` is in documents.
    fn of_profile(self) -> &'static str {
        match self {
            Record::A => "a",
            Record::Aaaa => "aaaa",
            Record::Cname => "cname",
        }
    }

    /// As `allowedEndpointRecordTypes` are.
    fn of_endpoint(self) -> &'static str {
        match self {
            Record::A => "ipv4_address",
            Record::Aaaa => "ipv6_address",
            Record::Cname => "domain_name",
        }
    }
}

/// What an endpoint answers with; of a nested one, all that its child does, so many levels down.
fn records(endpoint: &Document, around: &dyn Surroundings, levels: usize) -> Vec<Record> {
    let of = |target: &str| match target.parse() {
        Ok(IpAddr::V4(_)) => Record::A,
        Ok(IpAddr::V6(_)) => Record::Aaaa,
        Err(_) => Record::Cname,
    };
    match endpoint::kind(endpoint) {
        Kind::External => text(endpoint, "target").map(of).into_iter().collect(),
        Kind::Azure => {
            let target = text(endpoint, "target_service").and_then(|id| around.target_of_service(id));
            target.as_deref().map(of).into_iter().collect()
        }
        Kind::Nested if levels == 0 => Vec::new(),
        Kind::Nested => {
            let child = text(endpoint, "target_profile").and_then(|name| around.document_of(name));
            let below = child.iter().flat_map(endpoints);
            below.flat_map(|endpoint| records(endpoint, around, levels - 1)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::arm::model::tests::World;

    fn check(allowed: Value, record_type: Value, target: Value) -> bool {
        let profile = json!({ "allowed_endpoint_record_types": allowed, "record_type": record_type, "endpoint": [target] });
        check_records(profile.as_object().unwrap(), &World).is_ok()
    }

    #[test]
    fn an_endpoint_answers_with_what_is_allowed() {
        let v4 = json!({ "target": "192.0.2.1" });
        let v6 = json!({ "target": "2001:db8::1" });
        let name = json!({ "target": "www.example" });
        let null = Value::Null;
        for (target, allowed, record) in
            [(&v4, "ipv4_address", "a"), (&v6, "ipv6_address", "aaaa"), (&name, "domain_name", "cname")]
        {
            for other in [&v4, &v6, &name] {
                let same = other == target;
                assert_eq!(check(json!([allowed]), null.clone(), other.clone()), same, "{allowed} {other}");
                assert_eq!(check(null.clone(), record.into(), other.clone()), same, "{record} {other}");
                assert!(check(json!([allowed, "any"]), null.clone(), other.clone()));
            }
        }
        assert!(check(null.clone(), null.clone(), v4.clone()));
        assert!(!check(json!(["any"]), "aaaa".into(), v4));
    }

    #[test]
    fn what_is_nested_counts() {
        // The child of that world has an IPv4 address, and its service another.
        let nested = json!({ "type": "nested", "target_profile": "child@g" });
        assert!(check(Value::Null, "a".into(), nested.clone()));
        assert!(!check(Value::Null, "aaaa".into(), nested));
        let service = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip";
        let azure = json!({ "type": "azure", "target_service": service });
        assert!(check(json!(["ipv4_address"]), Value::Null, azure.clone()));
        assert!(!check(json!(["domain_name"]), Value::Null, azure));
    }
}
