//! Who may do what over the API: tokens, their scopes, their end, the certificate, and what the audit log says of it all.

use serde_json::{Value, json};
use tm_tests::api::{Answer, Api, Call, certificate};

use crate::manage::{Managed, document};

fn status(api: &Api, plane: &Managed, method: &str, path: &str, body: Option<&Value>) -> u16 {
    let body = body.map(|body| body.to_string().into_bytes());
    let answer = api.call(&plane.lab, &Call { method, path, headers: &[], body }).unwrap();
    if answer.status >= 400 {
        assert_eq!(answer.kind, "application/problem+json");
    }
    answer.status
}

#[test]
fn without_a_valid_token_there_is_nothing() {
    let plane = Managed::start();
    let good = plane.api.token.clone();
    let expired = plane.tm(&["token", "create", "--scope", "admin", "--for", "0s"]).out;
    let revoked = plane.tm(&["token", "create", "--scope", "admin", "-o", "json"]).json();
    assert_eq!(plane.tm(&["token", "revoke", revoked["token"]["id"].as_str().unwrap()]).code, Some(0));
    let client = plane.tm(&["token", "create", "--client", "ci", "--scope", "admin"]).out;
    let (id, secret) = client.trim().split_once('\n').unwrap();
    let id = id.strip_prefix("client_id=").unwrap();
    let secret = secret.strip_prefix("client_secret=").unwrap();
    assert_eq!(id.len(), 36);
    let forged = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhIn0.";
    for token in [
        "",
        "x",
        &good[..good.len() - 1],
        expired.trim(),
        revoked["secret"].as_str().unwrap(),
        secret,
        id,
        forged,
    ] {
        let api = plane.api.showing(token);
        assert_eq!(status(&api, &plane, "GET", "/api/v1/profiles", None), 401, "{token}");
        assert_eq!(
            status(&api, &plane, "PUT", "/api/v1/profiles/x", Some(&document("192.0.2.1"))),
            401,
            "{token}"
        );
    }
    assert_eq!(plane.get("profiles/x").status, 404);
    assert_eq!(plane.api.showing("").get(&plane.lab, "/healthz").unwrap().status, 200);
    assert_eq!(plane.api.showing("").get(&plane.lab, "/readyz").unwrap().status, 200);
}

#[test]
fn a_scope_allows_what_it_says_and_where_it_says() {
    let plane = Managed::start();
    let token =
        |arguments: &[&str]| plane.api.showing(&Api::token(&plane.lab, &plane.daemon, arguments).unwrap());
    let (read, write) = (token(&["--scope", "read"]), token(&["--scope", "write"]));
    let within = token(&["--scope", "write", "--subscription", "s1", "--resource-group", "g1"]);
    let put = |api: &Api, name: &str, group: Option<(&str, &str)>| {
        let mut body = document("192.0.2.20");
        if let Some((subscription, group)) = group {
            body["subscription"] = subscription.into();
            body["resource_group"] = group.into();
        }
        status(api, &plane, "PUT", &format!("/api/v1/profiles/{name}"), Some(&body))
    };
    assert_eq!(put(&read, "a", None), 403);
    assert_eq!(plane.get("profiles/a").status, 404);
    assert_eq!(put(&write, "a", None), 201);
    assert_eq!(status(&read, &plane, "GET", "/api/v1/profiles/a", None), 200);
    assert_eq!(status(&read, &plane, "GET", "/api/v1/status", None), 200);
    assert_eq!(status(&write, &plane, "GET", "/api/v1/tokens", None), 403);
    assert_eq!(status(&write, &plane, "GET", "/api/v1/audit", None), 403);
    assert_eq!(status(&write, &plane, "POST", "/api/v1/tokens", Some(&json!({ "scope": "admin" }))), 403);
    let order = json!({ "profile": "a", "endpoint": "only", "order": { "force": { "up": false } } });
    assert_eq!(status(&read, &plane, "POST", "/api/v1/order", Some(&order)), 403);

    assert_eq!(put(&within, "b", None), 403);
    assert_eq!(put(&within, "b", Some(("s1", "g2"))), 403);
    assert_eq!(put(&within, "b", Some(("S1", "G1"))), 201);
    assert_eq!(put(&within, "a", Some(("s1", "g1"))), 403);
    assert_eq!(status(&within, &plane, "GET", "/api/v1/profiles/a", None), 404);
    assert_eq!(status(&within, &plane, "DELETE", "/api/v1/profiles/a", None), 403);
    assert_eq!(status(&within, &plane, "POST", "/api/v1/order", Some(&order)), 403);
    let listed = within.get(&plane.lab, "/api/v1/profiles").unwrap().json;
    assert_eq!(listed["value"].as_array().unwrap().len(), 1, "{listed:#}");
    assert_eq!(put(&within, "b", None), 200);
    assert_eq!(plane.get("profiles/b").json["profile"]["resource_group"], "G1");
    assert_eq!(plane.short("a"), "192.0.2.20");
}

#[test]
fn who_has_a_scope_of_their_own_sees_what_lies_in_it_and_nothing_else() {
    let plane = Managed::start();
    let token = Api::token(
        &plane.lab,
        &plane.daemon,
        &["--scope", "read", "--subscription", "s1", "--resource-group", "g1"],
    );
    let token = token.unwrap();
    let within = plane.api.showing(&token);
    let put = |name: &str, group: &str, endpoint: Value| {
        let body = json!({
            "routing_method": "priority", "subscription": "s1", "resource_group": group, "endpoint": [endpoint],
        });
        assert_eq!(plane.put(name, &body).status, 201, "{name}");
    };
    let nested = |child: &str| json!({ "name": "n", "type": "nested", "target_profile": child });
    let address = |target: &str| json!({ "name": "e", "target": target, "always_serve": true });
    put("own", "G1", address("192.0.2.20"));
    put("theirs", "g2", address("192.0.2.21"));
    put("top", "g1", nested("own"));
    put("mixed", "g1", nested("theirs"));

    let names = |profiles: &Value| -> Vec<String> {
        let name = |profile: &Value| profile["name"].as_str().unwrap().to_owned();
        profiles.as_array().unwrap().iter().map(name).collect()
    };
    let get = |path: &str| within.get(&plane.lab, &format!("/api/v1/{path}")).unwrap();
    let seen = get("status").json;
    assert_eq!(names(&seen["profiles"]), ["mixed", "own", "top"]);
    assert_eq!(
        (&seen["packets"], &seen["messages"], &seen["interfaces"]),
        (&json!({}), &json!({}), &json!([]))
    );
    assert_eq!(seen["rate_limit"], Value::Null);
    assert_eq!(names(&plane.get("status").json["profiles"]), ["mixed", "own", "theirs", "top", "web"]);
    assert_eq!(names(&get("profiles/top/status").json), ["top", "own"]);
    assert_eq!(names(&get("profiles/mixed/status").json), ["mixed"]);
    assert_eq!(get("profiles/theirs/status").status, 404);
    assert_eq!((get("node").status, get("rates").json["profiles"].clone()), (403, json!({})));

    let explain = |profile: &str| {
        let body = json!({ "profile": profile, "kind": "A" });
        within.send(&plane.lab, "POST", "/api/v1/explain", &body).unwrap()
    };
    assert_eq!(explain("top").json["now"]["profile"]["endpoints"][0]["profile"]["name"], "own");
    assert_eq!(explain("own.tm.example").status, 200);
    assert_eq!(explain("mixed").status, 403);
    for hidden in ["theirs", "theirs.tm.example", "web", "nobody"] {
        let answer = explain(hidden);
        let detail = format!("there is no profile `{hidden}`");
        assert_eq!((answer.status, answer.json["detail"].as_str()), (404, Some(&*detail)));
    }

    for name in ["mixed", "theirs"] {
        assert_eq!(plane.api.delete(&plane.lab, &format!("/api/v1/profiles/{name}")).unwrap().status, 204);
    }
    let told = |history: Value| -> Vec<String> {
        let line = |event: &Value| {
            format!("{} {}", event["kind"].as_str().unwrap(), event["profile"].as_str().unwrap())
        };
        history["value"].as_array().unwrap().iter().rev().map(line).collect()
    };
    // An event comes a moment after what it tells of.
    let wait_for = |last: &str| {
        let began = std::time::Instant::now();
        while told(plane.get("history").json).last().is_none_or(|line| line != last) {
            assert!(began.elapsed() < tm_tests::DEADLINE, "{:?}", told(plane.get("history").json));
        }
    };
    wait_for("profile_removed theirs");
    let expected = ["profile_added own", "profile_added top", "profile_added mixed", "profile_removed mixed"];
    assert_eq!(told(get("history").json), expected);
    assert_eq!(get("history?profile=theirs").json["value"], json!([]));

    // The same as they come.
    let file = plane.daemon.directory().join("token");
    std::fs::write(&file, &token).unwrap();
    let mut follow = plane.daemon.tm(&plane.lab, &["events", "--follow", "--limit", "1"]).unwrap();
    let certificate = plane.daemon.directory().join("state/tls/cert.pem");
    follow
        .args(["--server", "https://127.0.0.1:8443", "--token-file"])
        .arg(&file)
        .arg("--ca")
        .arg(certificate);
    let mut following = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(following.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
    assert!(lines.next().unwrap().contains("profile_removed  mixed"));
    put("theirs", "g2", address("192.0.2.22"));
    put("late", "g1", address("192.0.2.23"));
    let next = lines.next().unwrap();
    assert!(next.contains("profile_added  late"), "{next}");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn a_rotated_token_has_another_secret_and_the_old_one_its_time() {
    let plane = Managed::start();
    let made = plane.tm(&["token", "create", "--scope", "read", "--name", "ci", "-o", "json"]).json();
    let id = made["token"]["id"].as_str().unwrap();
    let works = |secret: &str| status(&plane.api.showing(secret), &plane, "GET", "/api/v1/profiles", None);
    let first = made["secret"].as_str().unwrap();
    let second = plane.tm(&["token", "rotate", id, "--overlap", "1h"]).out;
    assert_eq!((works(first), works(second.trim())), (200, 200));
    let third = plane.tm(&["token", "rotate", id]).out;
    assert_eq!((works(first), works(second.trim()), works(third.trim())), (200, 401, 200));
    assert_eq!(plane.tm(&["token", "rotate", "none"]).code, Some(3));
    assert_eq!(plane.tm(&["token", "revoke", "none"]).code, Some(3));
}

#[test]
fn who_fails_too_often_is_told_to_wait_and_who_has_a_token_is_not() {
    let plane = Managed::start();
    let wrong = plane.api.showing("tm_wrong");
    let call = Call { method: "GET", path: "/api/v1/profiles", headers: &[], body: None };
    let answers = wrong.call_all(&plane.lab, &vec![call; 25]).unwrap();
    let mut statuses: Vec<u16> =
        answers.into_iter().map(|answer: anyhow::Result<Answer>| answer.unwrap().status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[401; 20].as_slice(), &[429; 5]].concat());
    assert_eq!(plane.get("profiles").status, 200);
}

#[test]
fn every_change_and_every_refusal_is_in_the_audit_log() {
    let plane = Managed::start();
    let headers = [("x-request-id", "the-first")];
    let body = Some(document("192.0.2.20").to_string().into_bytes());
    let call = Call { method: "PUT", path: "/api/v1/profiles/shop", headers: &headers, body };
    assert_eq!(plane.api.call(&plane.lab, &call).unwrap().request_id, "the-first");
    plane.put("web", &document("192.0.2.66"));
    plane.tm(&["endpoint", "force", "shop/only", "down"]);
    plane.tm(&["profile", "delete", "shop"]);
    for refused in [
        &["profile", "delete", "web"][..],
        &["profile", "delete", "nobody"],
        &["profile", "set", "nobody", "ttl=5"],
        &["profile", "create", "wrong", "ttl=-5"],
        &["endpoint", "delete", "web/only"],
    ] {
        assert_ne!(plane.tm(refused).code, Some(0), "{refused:?}");
    }
    // What is only checked is nothing to tell.
    plane.tm(&["profile", "delete", "web", "--dry-run"]);
    let lines = plane.tm(&["audit", "-o", "json"]).json();
    let said = |line: &Value| {
        ["action", "object", "result", "source"].map(|key| line[key].as_str().unwrap().to_owned())
    };
    let lines: Vec<&Value> = lines.as_array().unwrap().iter().collect();
    let (refused, lines) = lines.split_at(5);
    for (line, [action, object]) in refused.iter().rev().zip([
        ["delete", "profile web"],
        ["delete", "profile nobody"],
        ["change", "profile nobody"],
        ["create", "profile wrong"],
        ["change", "profile web"],
    ]) {
        let [did, to, result, _] = said(line);
        assert_eq!((&*did, &*to), (action, object));
        assert!(result.starts_with("refused: "), "{result}");
    }
    assert_eq!(said(lines[0]), ["delete", "profile shop", "done", "socket"]);
    assert_eq!(
        (&lines[0]["before"]["routing_method"], &lines[0]["after"]),
        (&json!("priority"), &Value::Null)
    );
    assert_eq!(said(lines[1]), ["force", "endpoint shop/only", "forced down", "socket"]);
    assert_eq!((&lines[2]["action"], &lines[2]["object"]), (&json!("change"), &json!("profile web")));
    assert!(lines[2]["result"].as_str().unwrap().starts_with("refused: 409"), "{:#}", lines[2]);
    assert_eq!((&lines[3]["action"], &lines[3]["request"]), (&json!("create"), &json!("the-first")));
    assert_eq!(lines[3]["after"]["endpoint"][0]["target"], "192.0.2.20");
    assert!(lines[3]["who"].as_str().unwrap().starts_with("token "), "{:#}", lines[3]);
    assert_eq!((lines.len(), lines[0]["who"].as_str()), (5, Some("uid 0")));
    assert!(!plane.tm(&["audit"]).out.contains(&plane.api.token));
}

#[test]
fn who_may_not_is_in_the_audit_log_whatever_they_tried() {
    let plane = Managed::start();
    let reader = plane.api.showing(&Api::token(&plane.lab, &plane.daemon, &["--scope", "read"]).unwrap());
    let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/default";
    let azure = format!("{group}/providers/Microsoft.Network/trafficManagerProfiles/shop");
    let service = format!("/api/v1/services{group}/providers/Microsoft.Network/publicIPAddresses/pip");
    let before = plane.tm(&["audit", "-o", "json"]).json().as_array().unwrap().len();
    let refused = |api: &Api, method: &str, path: &str, body: Value| {
        let answer = api.send(&plane.lab, method, path, &body).unwrap();
        assert!(answer.status >= 400, "{method} {path}: {:#}", answer.json);
    };
    let wants = |level: &str| format!("has the scope read, and this wants {level}");
    let tries = [
        (&reader, "POST", "/api/v1/tokens", json!({ "scope": "admin" }), "403: ", wants("admin")),
        (&reader, "DELETE", "/api/v1/users/eve", json!({}), "403: ", wants("admin")),
        (&reader, "PUT", &service, json!({ "kind": "public_ip" }), "403: ", wants("write")),
        (&reader, "PUT", &azure, json!({ "location": "global" }), "403: ", wants("write")),
        (&plane.api, "PUT", &service, json!({ "kind": "moon" }), "422: ", "missing key `name`".to_owned()),
        (
            &plane.api,
            "DELETE",
            "/api/v1/tokens/none",
            json!({}),
            "404: ",
            "there is no token `none`".to_owned(),
        ),
    ];
    for (api, method, path, body, ..) in &tries {
        let version = if path.starts_with("/sub") { "?api-version=2022-04-01" } else { "" };
        refused(api, method, &format!("{path}{version}"), body.clone());
    }
    // What would change nothing, and what nobody sent, is not told of.
    refused(&reader, "POST", "/api/v1/explain", json!({ "profile": "none", "kind": "A" }));
    refused(&reader, "PUT", "/api/v1/profiles/web?dryRun=true", document("192.0.2.1"));
    refused(&plane.api.showing("x"), "POST", "/api/v1/tokens", json!({ "scope": "admin" }));
    let lines = plane.tm(&["audit", "-o", "json"]).json();
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), before + tries.len(), "{lines:#?}");
    for (line, (_, method, path, _, status, said)) in lines.iter().rev().skip(before).zip(&tries) {
        assert_eq!((&line["action"], &line["object"]), (&json!(method.to_lowercase()), &json!(path)));
        let result = line["result"].as_str().unwrap();
        assert!(
            result.starts_with(&format!("refused: {status}")) && result.contains(said.as_str()),
            "{result}"
        );
        assert!(line["who"].as_str().unwrap().starts_with("token "), "{line:#}");
    }
}

#[test]
fn the_certificate_is_replaced_without_a_restart_and_a_bad_one_is_not_taken() {
    let mut plane = Managed::start();
    let (own, key) = certificate(&["127.0.0.1"]).unwrap();
    let other = Api::trusting_only(&plane.api.token, own.as_bytes());
    assert!(other.get(&plane.lab, "/healthz").is_err());
    let write = |plane: &Managed, certificate: &str| {
        plane.daemon.write("state/tls/key.pem", &key).unwrap();
        plane.daemon.write("state/tls/cert.pem", certificate).unwrap();
        plane.daemon.signal(rustix::process::Signal::HUP).unwrap();
    };
    write(&plane, "-----BEGIN NONSENSE-----");
    plane.daemon.wait_for("the refusal", |line| line.contains("not served as it is configured"));
    assert_eq!(plane.get("version").status, 200);
    write(&plane, &own);
    plane.daemon.wait_for("the other certificate", |line| line.contains("shows another certificate"));
    assert_eq!(other.get(&plane.lab, "/healthz").unwrap().status, 200);
    assert!(plane.api.get(&plane.lab, "/healthz").is_err());
}
