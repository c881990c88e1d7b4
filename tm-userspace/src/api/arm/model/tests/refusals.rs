//! What is not taken, and which property is told; and ranges of addresses in all their forms.

use serde_json::{Value, json};

use super::{CHILD, SERVICE, external, least, read, show};
#[test]
fn ranges_of_addresses_are_read_as_clients_write_them() {
    let shown = |subnet: Value| {
        let endpoint = external("a", json!({ "subnets": [subnet] }));
        let shown = read(&least(json!({ "endpoints": [endpoint] })), None).map(|document| show(&document));
        shown.map(|shown| shown.pointer("/properties/endpoints/0/properties/subnets/0").unwrap().clone())
    };
    let network = json!({ "first": "12.13.14.0", "scope": 27 });
    assert_eq!(shown(json!({ "first": "12.13.14.0/27" })), Ok(network.clone()));
    assert_eq!(shown(json!({ "first": "12.13.14.0", "last": "12.13.14.31", "scope": 27 })), Ok(network));
    let v6 = json!({ "first": "2001:db8::", "last": "2001:db8::ffff", "scope": 112 });
    assert_eq!(shown(v6), Ok(json!({ "first": "2001:db8::", "scope": 112 })));
    let all = json!({ "first": "::", "scope": 0 });
    assert_eq!(shown(all.clone()), Ok(all));
    for bad in [
        json!({ "last": "192.0.2.1" }),
        json!({ "first": "here" }),
        json!({ "first": "192.0.2.0/x" }),
        json!({ "first": "192.0.2.0", "scope": 33 }),
        json!({ "first": "192.0.2.0/24", "scope": 24 }),
        json!({ "first": "12.13.14.0", "last": "12.13.14.30", "scope": 27 }),
        json!({ "first": "12.13.14.1", "last": "12.13.14.31", "scope": 27 }),
        json!("192.0.2.0/24"),
    ] {
        assert_eq!(shown(bad.clone()).map_err(|fault| fault.code), Err("BadRequest"), "{bad}");
    }
}

#[test]
fn a_fault_names_the_property() {
    let fault = |body: Value| read(&body, None).map(|_| ()).unwrap_err();
    let with = |more| fault(least(more));
    let endpoint = |more| with(json!({ "endpoints": [external("a", more)] }));
    let cases = [
        (fault(json!([])), "BadRequest", None),
        (fault(json!({ "properties": {} })), "LocationRequired", Some("location")),
        (fault(json!({ "location": "westus" })), "LocationNotAvailableForResourceType", Some("location")),
        (fault(json!({ "location": "global" })), "BadRequest", Some("properties.trafficRoutingMethod")),
        (with(json!({ "dnsConfig": null })), "BadRequest", Some("properties.dnsConfig.relativeName")),
        (
            with(json!({ "trafficRoutingMethod": "Best" })),
            "BadRequest",
            Some("properties.trafficRoutingMethod"),
        ),
        (with(json!({ "dnsConfig": { "ttl": "x" } })), "BadRequest", Some("properties.dnsConfig.ttl")),
        (with(json!({ "dnsConfig": { "ttl": 1.5 } })), "BadRequest", Some("properties.dnsConfig.ttl")),
        (with(json!({ "monitorConfig": [1] })), "BadRequest", Some("properties.monitorConfig")),
        (
            with(json!({ "monitorConfig": { "intervalInSeconds": 0 } })),
            "BadRequest",
            Some("properties.monitorConfig.intervalInSeconds"),
        ),
        (
            with(
                json!({ "monitorConfig": { "customHeaders": [{ "name": "a", "value": "1" }, { "name": "A", "value": "2" }] } }),
            ),
            "BadRequest",
            Some("properties.monitorConfig.customHeaders"),
        ),
        (
            endpoint(json!({ "target": null })),
            "BadRequest",
            Some("properties.endpoints[0].properties.target"),
        ),
        (
            endpoint(json!({ "targetResourceId": SERVICE })),
            "BadRequest",
            Some("properties.endpoints[0].properties.targetResourceId"),
        ),
        (
            endpoint(json!({ "minChildEndpoints": 1 })),
            "BadRequest",
            Some("properties.endpoints[0].properties.minChildEndpoints"),
        ),
        (
            with(json!({ "endpoints": [external("a", json!({})), external("A", json!({}))] })),
            "BadRequest",
            Some("properties.endpoints[1].name"),
        ),
    ];
    for (fault, code, target) in cases {
        assert_eq!((fault.code, fault.target.as_deref()), (code, target), "{}", fault.message);
    }
    let gone = |kind: &str, id: &str| {
        let endpoint = json!({ "name": "a", "type": kind, "properties": { "targetResourceId": id } });
        with(json!({ "endpoints": [endpoint] })).message
    };
    assert_eq!(
        gone("nestedEndpoints", &CHILD.replace("child", "other")),
        format!(
            "The target resource '{}' is not a Traffic Manager profile that exists.",
            CHILD.replace("child", "other")
        )
    );
    assert_eq!(
        gone("azureEndpoints", CHILD),
        format!("The target resource '{CHILD}' is not in the inventory of services.")
    );
}
