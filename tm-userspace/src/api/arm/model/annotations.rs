//! What a profile has in Azure and the daemon has no use for: kept beside its document, so that clients find again what they sent.
//!
//! | of a profile | of an endpoint | beside the document |
//! | --- | --- | --- |
//! | tags, the record types that it may have | | always |
//! | | `endpoint_location` | unless the method is Performance |
//! | | `geo_mapping` | unless the method is Geographic |
//! | | `subnets` | unless the method is Subnet, Geographic or Performance |
//!
//! As in Azure, what another method will need may be there before the profile is switched to it.

use serde_json::{Map, Value};

use super::{Document, endpoints, text};

const OF_PROFILE: [&str; 3] = ["tags", "allowed_endpoint_record_types", "record_type"];
/// With the methods that use them.
const OF_ENDPOINT: [(&str, &[&str]); 3] = [
    ("endpoint_location", &["performance"]),
    ("geo_mapping", &["geographic"]),
    ("subnets", &["subnet", "geographic", "performance"]),
];
/// Of the endpoints, by name.
const ENDPOINTS: &str = "endpoints";

/// Parts the two.
pub fn split(mut whole: Document) -> (Document, Value) {
    let mut beside = Map::new();
    for key in OF_PROFILE {
        if let Some(value) = whole.shift_remove(key) {
            beside.insert(key.to_owned(), value);
        }
    }
    let method = text(&whole, "routing_method").unwrap_or_default().to_ascii_lowercase();
    let mut below = Map::new();
    let list = whole.get_mut("endpoint").and_then(Value::as_array_mut);
    for endpoint in list.into_iter().flatten().filter_map(Value::as_object_mut) {
        let name = text(endpoint, "name").unwrap_or_default().to_lowercase();
        let idle = OF_ENDPOINT.iter().filter(|(_, methods)| !methods.contains(&method.as_str()));
        let idle: Document = idle.filter_map(|(key, _)| endpoint.shift_remove_entry(*key)).collect();
        if !idle.is_empty() {
            below.insert(name, Value::Object(idle));
        }
    }
    if !below.is_empty() {
        beside.insert(ENDPOINTS.to_owned(), Value::Object(below));
    }
    (whole, Value::Object(beside))
}

/// Joins the two again; what the document says itself counts.
pub fn join(document: &Document, beside: &Value) -> Document {
    let mut whole = document.clone();
    for key in OF_PROFILE {
        if let Some(value) = beside.get(key) {
            whole.entry(key).or_insert_with(|| value.clone());
        }
    }
    let list: Vec<Value> = endpoints(document)
        .map(|endpoint| {
            let mut endpoint = endpoint.clone();
            let name = text(&endpoint, "name").unwrap_or_default().to_lowercase();
            let idle = beside.get(ENDPOINTS).and_then(|below| below.get(name)?.as_object());
            for (key, value) in idle.into_iter().flatten() {
                endpoint.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Value::Object(endpoint)
        })
        .collect();
    if !list.is_empty() {
        whole.insert("endpoint".to_owned(), Value::Array(list));
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole(method: &str) -> Document {
        let whole = json!({
            "name": "p", "routing_method": method, "tags": { "a": "1" }, "record_type": "a",
            "endpoint": [
                { "name": "E", "geo_mapping": ["DE"], "subnets": ["192.0.2.1"], "endpoint_location": "West US" },
                { "name": "f" },
            ],
        });
        whole.as_object().unwrap().clone()
    }

    #[test]
    fn a_method_has_in_the_document_what_it_uses() {
        let beside = |method| split(whole(method)).1["endpoints"]["e"].clone();
        assert_eq!(beside("Geographic"), json!({ "endpoint_location": "West US" }));
        assert_eq!(beside("performance"), json!({ "geo_mapping": ["DE"] }));
        assert_eq!(beside("subnet"), json!({ "endpoint_location": "West US", "geo_mapping": ["DE"] }));
        let all = json!({ "endpoint_location": "West US", "geo_mapping": ["DE"], "subnets": ["192.0.2.1"] });
        assert_eq!(beside("weighted"), all);
        let (document, beside) = split(whole("weighted"));
        let plain = json!({ "name": "p", "routing_method": "weighted", "endpoint": [{ "name": "E" }, { "name": "f" }] });
        assert_eq!(Value::Object(document), plain);
        assert_eq!((&beside["tags"], &beside["record_type"]), (&json!({ "a": "1" }), &json!("a")));
    }

    #[test]
    fn what_is_parted_is_joined_again() {
        for method in ["priority", "geographic", "performance", "subnet"] {
            let (document, beside) = split(whole(method));
            assert_eq!(join(&document, &beside), whole(method), "{method}");
        }
        // An endpoint that went elsewhere takes nothing with it, and one's own word counts.
        let (mut document, beside) = split(whole("priority"));
        document["endpoint"] = json!([{ "name": "e", "subnets": [] }]);
        let joined = join(&document, &beside);
        let endpoint =
            json!({ "name": "e", "subnets": [], "endpoint_location": "West US", "geo_mapping": ["DE"] });
        assert_eq!(joined["endpoint"], json!([endpoint]));
    }
}
