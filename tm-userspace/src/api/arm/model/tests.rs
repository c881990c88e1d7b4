//! Bodies in, documents, bodies out: each case exact.

mod refusals;

use serde_json::{Value, json};

use super::{
    Document, Fields, Surroundings, lay_over, read_endpoint, read_profile, show_endpoint, show_profile,
};
use crate::{
    api::arm::{
        fault::Fault,
        id::{Kind, ProfileId},
    },
    decide::{EndpointStatus, ProfileStatus},
};

/// A zone with one profile `child` in it, one service, and everything Online.
pub(super) struct World;

const CHILD: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/child";
const SERVICE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip";

impl Surroundings for World {
    fn zone(&self) -> String {
        "tm.example".to_owned()
    }
    fn profile_named(&self, id: &ProfileId) -> Option<String> {
        id.is(&ProfileId::parse(CHILD).unwrap()).then(|| "child@g".to_owned())
    }
    fn id_of_profile(&self, name: &str) -> Option<(ProfileId, String)> {
        (name == "child@g").then(|| (ProfileId::parse(CHILD).unwrap(), "child.tm.example".to_owned()))
    }
    fn target_of_service(&self, id: &str) -> Option<String> {
        id.eq_ignore_ascii_case(SERVICE).then(|| "192.0.2.7".to_owned())
    }
    fn location_of_service(&self, id: &str) -> Option<String> {
        self.target_of_service(id).map(|_| "East US".to_owned())
    }
    fn document_of(&self, name: &str) -> Option<Document> {
        let child = json!({ "name": name, "endpoint": [{ "name": "e", "target": "192.0.2.8" }] });
        child.as_object().cloned()
    }
    fn profile_status(&self, _: &str) -> Option<ProfileStatus> {
        Some(ProfileStatus::Online)
    }
    fn endpoint_status(&self, _: &str, endpoint: &str) -> Option<EndpointStatus> {
        (endpoint != "new").then_some(EndpointStatus::Online)
    }
}

fn id() -> ProfileId {
    ProfileId::parse(&CHILD.replace("child", "P")).unwrap()
}

fn read(body: &Value, before: Option<&Document>) -> Result<Document, Fault> {
    read_profile(body, "P", before, &World)
}

fn show(document: &Document) -> Value {
    show_profile(document, &id(), &World)
}

/// What a body comes back as after it was stored.
fn round(body: &Value) -> Value {
    show(&read(body, None).unwrap())
}

/// The least that a client can send, with these properties besides.
fn least(more: Value) -> Value {
    let mut body = json!({
        "location": "global",
        "properties": { "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "p" } },
    });
    lay_over(&mut body["properties"], &more);
    body
}

fn external(name: &str, more: Value) -> Value {
    let mut endpoint = json!({
        "name": name,
        "type": "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
        "properties": { "target": format!("{name}.example") },
    });
    lay_over(&mut endpoint["properties"], &more);
    endpoint
}

#[test]
fn the_least_profile_comes_back_with_every_default() {
    let expected = r#"{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/P","name":"P","type":"Microsoft.Network/trafficManagerProfiles","location":"global","tags":{},"properties":{"profileStatus":"Enabled","trafficRoutingMethod":"Priority","dnsConfig":{"relativeName":"p","fqdn":"p.tm.example","ttl":30},"monitorConfig":{"profileMonitorStatus":"Online","protocol":"HTTP","port":80,"path":"/","intervalInSeconds":30,"toleratedNumberOfFailures":3,"timeoutInSeconds":10},"endpoints":[],"trafficViewEnrollmentStatus":"Disabled","maxReturn":null,"recordType":null}}"#;
    assert_eq!(round(&least(json!({}))).to_string(), expected);
}

/// Every property that Azure has, of every kind of endpoint.
fn whole() -> Value {
    let base = id().to_string();
    let t = "Microsoft.Network/trafficManagerProfiles";
    json!({
        "id": base, "name": "P", "type": t, "location": "global",
        "tags": { "b": "2", "a": "1" },
        "properties": {
            "profileStatus": "Disabled",
            "trafficRoutingMethod": "Subnet",
            "dnsConfig": { "relativeName": "web.p", "fqdn": "web.p.tm.example", "ttl": 0 },
            "monitorConfig": {
                "profileMonitorStatus": "Online", "protocol": "HTTPS", "port": 8443, "path": "/health?x=1",
                "intervalInSeconds": 10, "toleratedNumberOfFailures": 0, "timeoutInSeconds": 5,
                "customHeaders": [{ "name": "X-b", "value": "2" }, { "name": "Host", "value": "www.example" }],
                "expectedStatusCodeRanges": [{ "min": 200, "max": 299 }, { "min": 301, "max": 301 }],
            },
            "endpoints": [
                {
                    "id": format!("{base}/externalEndpoints/e"), "name": "e", "type": format!("{t}/externalEndpoints"),
                    "properties": {
                        "endpointStatus": "Disabled", "endpointMonitorStatus": "Online", "targetResourceId": null,
                        "target": "www.example", "weight": 7, "priority": 3, "endpointLocation": "West Europe",
                        "minChildEndpoints": null, "minChildEndpointsIPv4": null, "minChildEndpointsIPv6": null,
                        "geoMapping": ["US-CA", "GEO-EU", "DE"],
                        "subnets": [
                            { "first": "198.51.100.10", "last": "198.51.100.20" },
                            { "first": "203.0.113.0", "scope": 24 }, { "first": "192.0.2.1" },
                            { "first": "2001:db8::", "scope": 32 },
                        ],
                        "customHeaders": [{ "name": "Z", "value": "1" }, { "name": "A", "value": "" }],
                        "alwaysServe": "Enabled",
                    },
                },
                {
                    "id": format!("{base}/nestedEndpoints/n"), "name": "n", "type": format!("{t}/nestedEndpoints"),
                    "properties": {
                        "endpointStatus": "Enabled", "endpointMonitorStatus": "Online", "targetResourceId": CHILD,
                        "target": "child.tm.example", "weight": 1, "priority": 1, "endpointLocation": null,
                        "minChildEndpoints": 2, "minChildEndpointsIPv4": 1, "minChildEndpointsIPv6": 0,
                        "alwaysServe": "Disabled",
                    },
                },
                {
                    "id": format!("{base}/azureEndpoints/a"), "name": "a", "type": format!("{t}/azureEndpoints"),
                    "properties": {
                        "endpointStatus": "Enabled", "endpointMonitorStatus": "Online", "targetResourceId": SERVICE,
                        "target": "192.0.2.7", "weight": 1000, "priority": 1000, "endpointLocation": "West US",
                        "minChildEndpoints": null, "minChildEndpointsIPv4": null, "minChildEndpointsIPv6": null,
                    },
                },
            ],
            "trafficViewEnrollmentStatus": "Enabled",
            "allowedEndpointRecordTypes": ["DomainName", "Any"],
            "maxReturn": 5,
            "recordType": "CNAME",
        },
    })
}

#[test]
fn a_whole_profile_comes_back_octet_for_octet() {
    assert_eq!(round(&whole()).to_string(), whole().to_string());
}

#[test]
fn a_service_brings_its_region() {
    let azure =
        json!({ "name": "a", "type": "azureEndpoints", "properties": { "targetResourceId": SERVICE } });
    let shown = round(&least(json!({ "endpoints": [azure] })));
    assert_eq!(shown.pointer("/properties/endpoints/0/properties/endpointLocation"), Some(&json!("East US")));
}

#[test]
fn the_document_is_the_products_own() {
    let document = Value::Object(read(&whole(), None).unwrap());
    let expected = json!({
        "name": "P", "tags": { "b": "2", "a": "1" }, "status": "disabled", "routing_method": "subnet",
        "relative_name": "web.p", "ttl": 0,
        "monitor": {
            "protocol": "https", "port": 8443, "path": "/health?x=1", "interval": "10s", "timeout": "5s",
            "tolerated_failures": 0, "headers": { "X-b": "2", "Host": "www.example" },
            "expected_status": ["200-299", "301"],
        },
        "max_return": 5, "traffic_view": true, "allowed_endpoint_record_types": ["domain_name", "any"],
        "record_type": "cname",
        "endpoint": [
            {
                "name": "e", "type": "external", "target": "www.example", "status": "disabled", "weight": 7,
                "priority": 3, "always_serve": true, "endpoint_location": "West Europe",
                "geo_mapping": ["US-CA", "GEO-EU", "DE"],
                "subnets": ["198.51.100.10-198.51.100.20", "203.0.113.0/24", "192.0.2.1", "2001:db8::/32"],
                "monitor": { "headers": { "Z": "1", "A": "" } },
            },
            {
                "name": "n", "type": "nested", "target_profile": "child@g", "status": "enabled", "weight": 1,
                "priority": 1, "always_serve": false, "min_child_endpoints": 2, "min_child_endpoints_ipv4": 1,
                "min_child_endpoints_ipv6": 0,
            },
            {
                "name": "a", "type": "azure", "target_service": SERVICE, "status": "enabled", "weight": 1000,
                "priority": 1000,
                "endpoint_location": "West US",
            },
        ],
    });
    assert_eq!(format!("{document:#}"), format!("{expected:#}"));
}

#[test]
fn keys_and_words_are_read_in_any_case() {
    fn shout(value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.to_uppercase(), shout(value))).collect(),
            Value::Array(items) => items.iter().map(shout).collect(),
            other => other.clone(),
        }
    }
    let mut loud = whole();
    loud["properties"]["trafficRoutingMethod"] = "SUBNET".into();
    loud["properties"]["monitorConfig"]["protocol"] = "https".into();
    loud["properties"]["endpoints"][1]["type"] =
        "microsoft.network/trafficmanagerprofiles/NestedEndpoints".into();
    loud["properties"]["endpoints"][2]["properties"]["targetResourceId"] = SERVICE.into();
    loud["LOCATION"] = "Global".into();
    let mut loud = shout(&loud);
    // Names and values of headers and tags are the client's own.
    loud["TAGS"] = whole()["tags"].clone();
    assert_eq!(round(&loud).to_string(), whole().to_string());
    for (written, expected) in
        [("Multivalue", "MultiValue"), ("multiValue", "MultiValue"), ("performance", "Performance")]
    {
        let shown = round(&least(json!({ "trafficRoutingMethod": written })));
        assert_eq!(shown["properties"]["trafficRoutingMethod"], expected);
    }
}

#[test]
fn what_is_empty_is_absent_and_what_is_derived_is_passed_over() {
    let body = least(json!({
        "dnsConfig": { "fqdn": "other.example", "ttl": null },
        "monitorConfig": {
            "profileMonitorStatus": "Degraded", "protocol": "TCP", "port": 443, "path": "",
            "customHeaders": [], "expectedStatusCodeRanges": [],
        },
        "allowedEndpointRecordTypes": [],
        "whatever": { "else": 1 },
        "endpoints": [external("new", json!({
            "endpointMonitorStatus": "Stopped", "endpointLocation": "", "subnets": [], "geoMapping": [],
            "customHeaders": [], "minChildEndpoints": 0, "targetResourceId": "",
        }))],
    }));
    let shown = round(&body);
    let monitor = json!({
        "profileMonitorStatus": "Online", "protocol": "TCP", "port": 443, "path": null, "intervalInSeconds": 30,
        "toleratedNumberOfFailures": 3, "timeoutInSeconds": 10,
    });
    assert_eq!(shown["properties"]["monitorConfig"].to_string(), monitor.to_string());
    assert_eq!(shown["properties"]["dnsConfig"]["fqdn"], "p.tm.example");
    let endpoint = json!({
        "endpointStatus": "Enabled", "endpointMonitorStatus": "CheckingEndpoint", "targetResourceId": null,
        "target": "new.example", "weight": 1, "priority": 1, "endpointLocation": null, "minChildEndpoints": null,
        "minChildEndpointsIPv4": null, "minChildEndpointsIPv6": null,
    });
    assert_eq!(shown["properties"]["endpoints"][0]["properties"].to_string(), endpoint.to_string());
}

#[test]
fn priorities_are_assigned_and_stay() {
    let priorities = |list: Value| {
        let shown = round(&least(json!({ "endpoints": list })));
        let list = shown["properties"]["endpoints"].as_array().unwrap().clone();
        list.iter().map(|endpoint| endpoint["properties"]["priority"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let with = |name, priority: i64| external(name, json!({ "priority": priority }));
    let without = |name| external(name, json!({}));
    assert_eq!(priorities(json!([without("a"), without("b"), without("c")])), [1, 2, 3]);
    assert_eq!(priorities(json!([without("a"), with("b", 1), without("c")])), [2, 1, 3]);
    assert_eq!(priorities(json!([with("a", 3), without("b"), without("c")])), [3, 2, 4]);
    // Alone, an endpoint keeps what it has; in a new list, the order counts.
    let list = json!({ "endpoints": [with("a", 9), with("b", 5)] });
    let before = read(&least(list), None).unwrap();
    let one = super::endpoints(&before).next().unwrap();
    let body = json!({ "target": "other.example" });
    let replaced =
        read_endpoint(&Fields::of(&body).unwrap(), Kind::External, "A", Some(one), &World).unwrap();
    assert_eq!((&replaced["name"], &replaced["priority"]), (&"a".into(), &9.into()));
    let list = read(&least(json!({ "endpoints": [without("b"), without("a")] })), Some(&before)).unwrap();
    assert_eq!((&list["endpoint"][0]["priority"], &list["endpoint"][1]["priority"]), (&1.into(), &2.into()));
}

#[test]
fn a_patch_lays_a_part_over_the_whole() {
    let before = read(&whole(), None).unwrap();
    let patched = |patch: Value| {
        let mut body = show(&before);
        lay_over(&mut body, &patch);
        show(&read(&body, Some(&before)).unwrap())
    };
    let expected = |change: &dyn Fn(&mut Value)| {
        let mut body = whole();
        change(&mut body);
        body.to_string()
    };
    assert_eq!(patched(json!({ "properties": {} })).to_string(), whole().to_string());
    let shown = patched(json!({ "PROPERTIES": { "dnsconfig": { "TTL": 5 } } }));
    assert_eq!(shown.to_string(), expected(&|body| body["properties"]["dnsConfig"]["ttl"] = 5.into()));
    let shown = patched(json!({ "properties": { "profileStatus": "enabled" } }));
    assert_eq!(shown.to_string(), expected(&|body| body["properties"]["profileStatus"] = "Enabled".into()));
    let shown = patched(json!({ "tags": { "c": "3" } }));
    assert_eq!(shown.to_string(), expected(&|body| body["tags"] = json!({ "c": "3" })));
    let shown = patched(json!({ "properties": { "endpoints": [] } }));
    assert_eq!(shown.to_string(), expected(&|body| body["properties"]["endpoints"] = json!([])));
    // What the whole of a block leaves empty goes.
    let monitor = json!({ "protocol": "TCP", "port": 80, "path": "", "expectedStatusCodeRanges": [], "customHeaders": null });
    let shown = patched(json!({ "properties": { "monitorConfig": monitor } }));
    let expected = expected(&|body| {
        let monitor = body["properties"]["monitorConfig"].as_object_mut().unwrap();
        monitor.extend(
            [("protocol", "TCP".into()), ("port", 80.into()), ("path", Value::Null)]
                .map(|(k, v)| (k.to_owned(), v)),
        );
        monitor.shift_remove("customHeaders");
        monitor.shift_remove("expectedStatusCodeRanges");
    });
    assert_eq!(shown.to_string(), expected);
}

#[test]
fn what_azure_cannot_say_survives_a_client_that_puts_back_what_it_read() {
    let document = json!({
        "name": "P", "relative_name": "p", "subscription": "s", "resource_group": "g", "routing_method": "Failover",
        "failback": "manual", "guard": { "withdraw_at_most": "50%", "window": "1m" },
        "monitor": { "interval": "200ms", "timeout": "150ms", "successes_to_recover": 3, "expected_status": [200, "204"] },
        "endpoint": [
            { "name": "a", "target": "192.0.2.1", "priority": 1, "monitor": { "port": 81, "headers": { "A": "1" } } },
            { "name": "b", "target": "192.0.2.2", "priority": 2 },
        ],
    });
    let before = document.as_object().unwrap();
    let mut shown = show(before);
    assert_eq!(shown["properties"]["monitorConfig"]["intervalInSeconds"], 1);
    shown["properties"]["endpoints"][1]["properties"]["target"] = "192.0.2.3".into();
    let after = Value::Object(read(&shown, Some(before)).unwrap());
    for (pointer, expected) in [
        ("/failback", json!("manual")),
        ("/guard", document["guard"].clone()),
        ("/subscription", json!("s")),
        ("/monitor/interval", json!("200ms")),
        ("/monitor/timeout", json!("150ms")),
        ("/monitor/successes_to_recover", json!(3)),
        ("/endpoint/0/monitor", document["endpoint"][0]["monitor"].clone()),
        ("/endpoint/1/target", json!("192.0.2.3")),
    ] {
        assert_eq!(after.pointer(pointer), Some(&expected), "{pointer}");
    }
    // A default that was shown is not what the operator wrote.
    let plain = json!({ "name": "P", "routing_method": "priority", "monitor": { "interval": "500ms" } });
    let after = read(&show(plain.as_object().unwrap()), plain.as_object()).unwrap();
    assert_eq!((after["monitor"].get("timeout"), &after["monitor"]["interval"]), (None, &json!("500ms")));
}

#[test]
fn what_is_given_once_is_not_changed() {
    let before = read(&whole(), None).unwrap();
    let change = |pointer: &str, value: Value| {
        let mut body = whole();
        *body.pointer_mut(pointer).unwrap() = value;
        read(&body, Some(&before)).map(|document| show(&document)).map_err(|fault| fault.message)
    };
    let record = "The RecordType of a Traffic Manager profile cannot be changed after creation.";
    assert_eq!(change("/properties/recordType", "A".into()), Err(record.to_owned()));
    assert_eq!(change("/properties/recordType", Value::Null), Ok(whole()));
    let relative = "The RelativeName of a Traffic Manager profile cannot be changed after creation.";
    assert_eq!(change("/properties/dnsConfig/relativeName", "q".into()), Err(relative.to_owned()));
    assert_eq!(change("/properties/dnsConfig/relativeName", "WEB.p".into()), Ok(whole()));
}

#[test]
fn an_endpoint_alone_is_as_in_the_list() {
    let body = whole()["properties"]["endpoints"][1].clone();
    let fields = Fields::of(&body).unwrap().object("properties").unwrap();
    let document = read_endpoint(&fields, Kind::Nested, "n", None, &World).unwrap();
    assert_eq!(show_endpoint(&document, 1, "P", &id(), &World), body);
}
