//! What nobody should send, to both faces: each refuses it in its own form, nothing changes, and DNS is undisturbed.

use serde_json::{Value, json};
use tm_tests::api::{Answer, Api, Call};

use crate::manage::{Managed, document};

const PROFILES: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/default/providers/Microsoft.Network/trafficManagerProfiles";

#[test]
fn bad_input_is_told_by_its_place_and_disturbs_nothing() {
    let plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    let etag = plane.get("profiles/shop").etag;
    let send = |method, path: &str, body: Vec<u8>| {
        plane.api.call(&plane.lab, &Call { method, path, headers: &[], body: Some(body) }).unwrap()
    };
    let path = "/api/v1/profiles/shop";
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for (body, status) in [
        (vec![b' '; 20 << 20], 413),
        (nested, 400),
        (b"{\"ttl\":".to_vec(), 400),
        (b"[]".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (Vec::new(), 400),
    ] {
        let answer = send("PUT", path, body);
        assert_eq!(
            (answer.status, answer.kind.as_str()),
            (status, "application/problem+json"),
            "{:#}",
            answer.json
        );
    }
    for (body, pointer) in [
        (json!({ "routing_method": "priority", "ttl": "30" }), "/ttl"),
        (json!({ "routing_method": "priority", "ttl": 3.5 }), "/ttl"),
        (json!({ "routing_method": "priority", "ttl": 18_446_744_073_709_551_615u64 }), "/ttl"),
        (json!({ "routing_method": "priority", "tttl": 3 }), "/tttl"),
        (json!({ "routing_method": 1 }), "/routing_method"),
        (json!({ "routing_method": "priority", "endpoint": {} }), "/endpoint"),
        (json!({ "routing_method": "priority", "endpoint": [{ "name": "a" }] }), "/endpoint/0/name"),
        (json!({ "routing_method": "priority", "endpoint": [null] }), "/endpoint/0"),
        (
            json!({ "routing_method": "priority", "monitor": { "headers": { "a/b~c": "x" } } }),
            "/monitor/headers/a~1b~0c",
        ),
        (json!({ "routing_method": "priority", "name": "other" }), "/name"),
        (json!({ "routing_method": "priority", "subscription": 1 }), "/subscription"),
        (json!({}), ""),
    ] {
        let answer = plane.put("shop", &body);
        assert_eq!(
            (answer.status, &answer.json["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{body}: {:#}",
            answer.json
        );
    }
    for path in [
        "/api/v1/profiles/..%2f..%2fetc%2fpasswd",
        "/api/v1/profiles/%00",
        "/api/v1/nothing",
        "/api/v2/profiles",
    ] {
        let answer = plane.api.get(&plane.lab, path).unwrap();
        assert_eq!((answer.status, answer.kind.as_str()), (404, "application/problem+json"), "{path}");
    }
    assert_eq!(send("POST", path, b"{}".to_vec()).status, 405);
    assert_eq!(plane.get("profiles?limit=0").status, 400);
    for path in ["profiles?whatever=1", "profiles?limit=x", "audit?limit=0"] {
        let answer = plane.get(path);
        assert_eq!((answer.status, answer.kind.as_str()), (400, "application/problem+json"), "{path}");
    }
    let dry = plane.put("shop?dryRun=perhaps", &document("192.0.2.21"));
    assert_eq!((dry.status, dry.kind.as_str()), (400, "application/problem+json"));
    let token = json!({ "scope": "read", "lifetime": u64::MAX });
    assert_eq!(plane.api.send(&plane.lab, "POST", "/api/v1/tokens", &token).unwrap().status, 400);
    assert_eq!(plane.get("profiles/shop").etag, etag);
    assert_eq!((plane.short("web"), plane.short("shop")), ("192.0.2.10".to_owned(), "192.0.2.20".to_owned()));
}

/// An error of Azure's form, with nothing of the inside in it.
fn code_of(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.kind, "application/json; charset=utf-8", "{:#}", answer.json);
    let error = answer.json["error"].as_object().unwrap_or_else(|| panic!("{:#}", answer.json));
    assert!(!error["message"].as_str().unwrap().is_empty());
    let text = String::from_utf8_lossy(&answer.body);
    assert!(!["panicked", "RUST_BACKTRACE", ".rs:"].iter().any(|inside| text.contains(inside)), "{text}");
    (answer.status, error["code"].as_str().unwrap().to_owned())
}

#[test]
fn azures_face_refuses_bad_input_in_its_own_form() {
    let plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    let etag = plane.get("profiles/shop").etag;
    let send = |api: &Api, method: &str, path: &str, body: Vec<u8>| {
        let path = format!("{PROFILES}/{path}");
        let call = Call { method, path: &path, headers: &[], body: Some(body) };
        code_of(&api.call(&plane.lab, &call).unwrap())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let profile = |properties: Value| {
        json!({ "location": "global", "properties": properties }).to_string().into_bytes()
    };
    let (at, deep) = ("shop?api-version=2022-04-01", [vec![b'['; 100_000], vec![b']'; 100_000]].concat());
    for (body, status, code) in [
        (vec![b' '; 20 << 20], 413, "RequestEntityTooLarge"),
        (deep, 400, "InvalidRequestContent"),
        (b"{\"location\":".to_vec(), 400, "InvalidRequestContent"),
        (b"\xff\xfe".to_vec(), 400, "InvalidRequestContent"),
        (b"[]".to_vec(), 400, "BadRequest"),
        (b"{}".to_vec(), 400, "BadRequest"),
        (profile(json!({ "trafficRoutingMethod": 7 })), 400, "BadRequest"),
        (
            profile(
                json!({ "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "shop", "ttl": "x" } }),
            ),
            400,
            "BadRequest",
        ),
        (profile(json!({ "trafficRoutingMethod": "Priority", "endpoints": {} })), 400, "BadRequest"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(send(&plane.api, "PUT", at, body), refused(status, code), "{shown}");
    }
    for (method, path, status, code) in [
        ("GET", "..%2f..%2fshop?api-version=2022-04-01", 404, "NotFound"),
        ("GET", "%00?api-version=2022-04-01", 404, "NotFound"),
        ("GET", "%ff?api-version=2022-04-01", 404, "NotFound"),
        ("GET", "shop", 400, "MissingApiVersionParameter"),
        ("GET", "shop?api-version=1999-01-01", 400, "NoRegisteredProviderFound"),
        ("POST", at, 405, "MethodNotAllowed"),
        ("BREW", at, 405, "MethodNotAllowed"),
    ] {
        assert_eq!(send(&plane.api, method, path, b"{}".to_vec()), refused(status, code), "{method} {path}");
    }
    let expired = Api::token(&plane.lab, &plane.daemon, &["--scope", "admin", "--for", "0s"]).unwrap();
    let foreign = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhIn0.";
    for token in ["", "x", foreign, &expired] {
        let api = plane.api.showing(token);
        let said = send(&api, "PUT", at, b"{}".to_vec());
        assert_eq!(said, refused(401, "InvalidAuthenticationToken"), "{token}");
    }
    assert_eq!(plane.get("profiles/shop").etag, etag);
    assert_eq!((plane.short("web"), plane.short("shop")), ("192.0.2.10".to_owned(), "192.0.2.20".to_owned()));

    // What is not known is passed over, as Azure does.
    let body = json!({
        "location": "global", "nonsense": 1, "properties": {
            "trafficRoutingMethod": "Priority", "nonsense": { "deeper": [] }, "dnsConfig": { "relativeName": "odd", "ttl": 30, "nonsense": 1 },
            "monitorConfig": { "protocol": "HTTP", "port": 80, "path": "/" },
        },
    });
    let made = plane.api.put(&plane.lab, &format!("{PROFILES}/odd?api-version=2022-04-01"), &body).unwrap();
    assert_eq!((made.status, made.json["properties"].get("nonsense")), (201, None), "{:#}", made.json);
}
