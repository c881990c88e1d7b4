//! Profiles and endpoints managed over the API: what is acknowledged is answered, and what cannot be is told and changes nothing.

use serde_json::{Value, json};
use tm_tests::{
    api::{self, Answer, Api, Call},
    daemon::Daemon,
    lab::Lab,
};

use crate::{ended::Ended, profile, serve};

/// A lab, a daemon with the profile `web` in a file, and a client with all rights.
pub(crate) struct Managed {
    pub(crate) daemon: Daemon,
    pub(crate) api: Api,
    pub(crate) lab: Lab,
}

impl Managed {
    pub(crate) fn start() -> Self {
        Self::with(&profile("web", "192.0.2.10"))
    }

    pub(crate) fn with(profiles: &str) -> Self {
        Self::within(Lab::new().unwrap(), profiles)
    }

    pub(crate) fn within(lab: Lab, profiles: &str) -> Self {
        let mut daemon = serve(&lab, api::LISTEN, profiles);
        let api = Api::new(&lab, &mut daemon).unwrap();
        Managed { daemon, api, lab }
    }

    pub(crate) fn answers(&self, name: &str) -> String {
        self.lab.answers(&["@10.53.0.1", &format!("{name}.tm.example")]).unwrap()
    }

    pub(crate) fn short(&self, name: &str) -> String {
        self.lab.answers(&["@10.53.0.1", &format!("{name}.tm.example"), "+short"]).unwrap()
    }

    pub(crate) fn put(&self, name: &str, body: &Value) -> Answer {
        self.api.put(&self.lab, &format!("/api/v1/profiles/{name}"), body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.api.get(&self.lab, &format!("/api/v1/{path}")).unwrap()
    }

    pub(crate) fn tm(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.daemon.tm(&self.lab, arguments).unwrap())
    }

    fn status_of(&self, name: &str) -> String {
        let said = self.lab.dig(&["@10.53.0.1", &format!("{name}.tm.example")]).unwrap();
        let (_, rest) = said.split_once("status: ").unwrap();
        rest.split(',').next().unwrap().to_owned()
    }
}

/// A profile of one address that is never probed.
pub(crate) fn document(target: &str) -> Value {
    json!({ "routing_method": "priority", "endpoint": [endpoint("only", target)] })
}

fn endpoint(name: &str, target: &str) -> Value {
    json!({ "name": name, "target": target, "always_serve": true })
}

#[test]
fn a_profile_answers_when_its_put_is_acknowledged_and_no_longer_when_its_delete_is() {
    let plane = Managed::start();
    let made = plane.put("shop", &document("192.0.2.20"));
    assert_eq!((made.status, made.json["managed_by"].as_str()), (201, Some("api")), "{:#}", made.json);
    assert_eq!(plane.answers("shop"), "shop.tm.example. 30 IN A 192.0.2.20");
    assert_eq!(made.request_id.len(), 32);

    let path = "/api/v1/profiles/SHOP";
    let patch = json!({ "ttl": 7, "endpoint": [endpoint("other", "192.0.2.21")] });
    let changed = plane.api.send(&plane.lab, "PATCH", path, &patch).unwrap();
    assert_eq!(changed.status, 200, "{:#}", changed.json);
    assert_ne!(changed.etag, made.etag);
    assert_eq!(plane.answers("shop"), "shop.tm.example. 7 IN A 192.0.2.21");
    let shown = plane.get("profiles/shop");
    assert_eq!((shown.etag, &shown.json["profile"]["ttl"]), (changed.etag.clone(), &json!(7)));
    // What a GET says can be put back, and is no change then.
    let same = plane.put("shop", &shown.json["profile"]);
    assert_eq!((same.status, same.etag), (200, changed.etag));
    // A null takes the key away.
    let patch = json!({ "ttl": null });
    assert_eq!(plane.api.send(&plane.lab, "PATCH", path, &patch).unwrap().status, 200);
    assert_eq!(plane.answers("shop"), "shop.tm.example. 30 IN A 192.0.2.21");

    assert_eq!(plane.api.delete(&plane.lab, path).unwrap().status, 204);
    assert_eq!(plane.status_of("shop"), "NXDOMAIN");
    assert_eq!(plane.api.delete(&plane.lab, path).unwrap().status, 404);
    assert_eq!(plane.get("profiles/shop").status, 404);
    assert_eq!(plane.short("web"), "192.0.2.10");
}

#[test]
fn endpoints_are_managed_one_by_one() {
    let plane = Managed::start();
    plane.put("shop", &json!({ "routing_method": "priority" }));
    let path = |name: &str| format!("/api/v1/profiles/shop/endpoints/{name}");
    let first = plane.api.put(&plane.lab, &path("first"), &endpoint("first", "192.0.2.1")).unwrap();
    assert_eq!((first.status, &first.json["target"]), (201, &json!("192.0.2.1")), "{:#}", first.json);
    // The path names it where the body does not.
    let second = json!({ "target": "192.0.2.2", "always_serve": true });
    assert_eq!(plane.api.put(&plane.lab, &path("second"), &second).unwrap().status, 201);
    assert_eq!(plane.short("shop"), "192.0.2.1");
    let off = json!({ "status": "disabled" });
    assert_eq!(plane.api.send(&plane.lab, "PATCH", &path("FIRST"), &off).unwrap().status, 200);
    assert_eq!(plane.short("shop"), "192.0.2.2");
    let names: Vec<_> = plane.get("profiles/shop/endpoints").json["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|endpoint| endpoint["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(plane.api.delete(&plane.lab, &path("second")).unwrap().status, 204);
    assert_eq!(plane.get("profiles/shop/endpoints/second").status, 404);
    assert_eq!(plane.api.send(&plane.lab, "PATCH", &path("second"), &off).unwrap().status, 404);
    let other = plane.api.put(&plane.lab, &path("third"), &endpoint("fourth", "192.0.2.3")).unwrap();
    assert_eq!(other.status, 400, "{:#}", other.json);
}

#[test]
fn of_fifty_that_change_the_same_version_one_wins_and_is_answered() {
    let plane = Managed::start();
    let etag = plane.put("shop", &document("192.0.2.100")).etag;
    let if_match = format!("\"{etag}\"");
    let headers = [("if-match", if_match.as_str())];
    let bodies: Vec<_> = (101..151).map(|last| document(&format!("192.0.2.{last}"))).collect();
    let call = |body: &Value| Call {
        method: "PUT",
        path: "/api/v1/profiles/shop",
        headers: &headers,
        body: Some(body.to_string().into_bytes()),
    };
    let calls: Vec<_> = bodies.iter().map(call).collect();
    let answers = plane.api.call_all(&plane.lab, &calls).unwrap();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.as_ref().unwrap().status).collect();
    let winners: Vec<usize> = (0..50).filter(|index| statuses[*index] == 200).collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
    assert_eq!(plane.short("shop"), format!("192.0.2.{}", 101 + winners[0]));

    let headers = [("if-none-match", "*")];
    let again = Call { headers: &headers, ..call(&bodies[0]) };
    assert_eq!(plane.api.call(&plane.lab, &again).unwrap().status, 412);
    let known = [("if-none-match", format!("\"{}\"", plane.get("profiles/shop").etag))];
    let known = [(known[0].0, known[0].1.as_str())];
    let call = Call { method: "GET", path: "/api/v1/profiles/shop", headers: &known, body: None };
    assert_eq!(plane.api.call(&plane.lab, &call).unwrap().status, 304);
}

#[test]
fn what_a_file_manages_is_refused_by_file_and_line() {
    let plane = Managed::with(&format!("# a comment\n\n{}", profile("web", "192.0.2.10")));
    let file = plane.daemon.directory().join("conf.d/profiles.toml").display().to_string();
    let shown = plane.get("profiles/web").json;
    assert_eq!(
        (&shown["managed_by"], &shown["file"], &shown["line"]),
        (&json!("file"), &json!(file), &json!(4))
    );
    let refused = plane.put("web", &document("192.0.2.66"));
    assert_eq!((refused.status, refused.kind.as_str()), (409, "application/problem+json"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("{file}:4")), "{detail}");
    let path = "/api/v1/profiles/web";
    assert_eq!(plane.api.send(&plane.lab, "PATCH", path, &json!({ "ttl": 1 })).unwrap().status, 409);
    assert_eq!(plane.api.delete(&plane.lab, path).unwrap().status, 409);
    assert_eq!(plane.answers("web"), "web.tm.example. 30 IN A 192.0.2.10");
    // Its DNS name is no other's.
    let same = json!({ "routing_method": "priority", "relative_name": "web" });
    let taken = plane.put("other", &same);
    assert_eq!((taken.status, &taken.json["errors"][0]["pointer"]), (409, &json!("/relative_name")));
    assert_eq!(plane.get("names/web").json["available"], false);
    assert_eq!(plane.get("names/other").json["available"], true);
}

#[test]
fn a_file_that_clashes_with_the_api_loses_and_is_told() {
    let mut plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    let both = format!("{}{}", profile("web", "192.0.2.11"), profile("Shop", "192.0.2.66"));
    plane.daemon.write("conf.d/profiles.toml", &both).unwrap();
    let said = plane.daemon.wait_for("the clash", |line| line.contains("configuration not reloaded"));
    assert!(said.contains("is there twice") && said.contains("api/profiles/shop"), "{said}");
    assert_eq!((plane.short("web"), plane.short("shop")), ("192.0.2.10".to_owned(), "192.0.2.20".to_owned()));
    // At a start there is nothing to go on with: what fits is served, and the rest told.
    plane.daemon.restart(&plane.lab).unwrap();
    crate::wait_until_ready(&mut plane.daemon);
    assert_eq!((plane.short("web"), plane.short("shop")), ("192.0.2.11".to_owned(), "192.0.2.20".to_owned()));
    let status = plane.daemon.status(&plane.lab).unwrap();
    assert_eq!(status.0["config_ok"], false);
    assert!(status.0["config_error"].as_str().unwrap().contains("is there twice"), "{:#}", status.0);
    plane.daemon.write("conf.d/profiles.toml", &profile("web", "192.0.2.12")).unwrap();
    plane.daemon.wait_for("the mended file", |line| line.contains("configuration reloaded"));
    assert_eq!((plane.short("web"), plane.short("shop")), ("192.0.2.12".to_owned(), "192.0.2.20".to_owned()));
}

#[test]
fn files_and_api_lead_to_each_other_and_are_checked_together() {
    let mut plane = Managed::start();
    let nested = |child: &str| json!({ "routing_method": "priority", "endpoint": [{ "name": "child", "type": "nested", "target_profile": child }] });
    assert_eq!(plane.put("world", &nested("WEB")).status, 201);
    assert_eq!(plane.short("world"), "192.0.2.10");
    let absent = plane.put("other", &nested("nowhere"));
    assert_eq!(
        (absent.status, &absent.json["errors"][0]["pointer"]),
        (422, &json!("/endpoint/0/target_profile"))
    );
    assert_eq!(plane.put("outer", &nested("world")).status, 201);
    assert_eq!(plane.short("outer"), "192.0.2.10");
    let looped = plane.put("world", &nested("outer"));
    assert_eq!(looped.status, 422, "{:#}", looped.json);
    let message = looped.json["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("leads back to this profile"), "{message}");
    let used = plane.api.delete(&plane.lab, "/api/v1/profiles/world").unwrap();
    assert_eq!(used.status, 409, "{:#}", used.json);
    assert_eq!(used.json["detail"], "it is in use: `world` is nested as `outer/child`");
    // A file cannot take away what the API needs.
    plane.daemon.write("conf.d/profiles.toml", "").unwrap();
    plane.daemon.wait_for("the refusal", |line| line.contains("configuration not reloaded"));
    assert_eq!(plane.short("outer"), "192.0.2.10");
    // A change below is a change above.
    plane.daemon.write("conf.d/profiles.toml", &profile("web", "192.0.2.11")).unwrap();
    plane.daemon.wait_for("the change", |line| line.contains("configuration published"));
    assert_eq!(
        (plane.short("world"), plane.short("outer")),
        ("192.0.2.11".to_owned(), "192.0.2.11".to_owned())
    );
    // A target becomes a profile's name when that comes into being, and is followed in the same answer.
    let target = json!({ "routing_method": "priority", "endpoint": [endpoint("x", "late.tm.example")] });
    assert_eq!(plane.put("early", &target).status, 201);
    assert_eq!(plane.short("early"), "late.tm.example.");
    assert_eq!(plane.put("late", &document("192.0.2.30")).status, 201);
    assert_eq!(plane.short("early"), "late.tm.example.\n192.0.2.30");
    assert_eq!(plane.api.delete(&plane.lab, "/api/v1/profiles/late").unwrap().status, 204);
    assert_eq!(plane.short("early"), "late.tm.example.");
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let plane = Managed::start();
    let would = plane.put("shop?dryRun=true", &document("192.0.2.20"));
    assert_eq!((would.status, &would.json["profile"]["name"]), (200, &json!("shop")));
    assert_eq!(plane.get("profiles/shop").status, 404);
    assert_eq!(plane.status_of("shop"), "NXDOMAIN");
    assert_eq!(plane.put("shop?dryRun=true", &json!({ "routing_method": "x" })).status, 422);
    assert_eq!(plane.get("audit").json["value"].as_array().unwrap().len(), 1, "the token alone");
}

#[test]
fn lists_are_filtered_and_paged() {
    let plane = Managed::start();
    for name in ["b-shop", "a-shop", "C-shop"] {
        let group = json!({ "resource_group": if name == "a-shop" { "one" } else { "two" } });
        let mut document = document("192.0.2.20");
        document.as_object_mut().unwrap().extend(group.as_object().unwrap().clone());
        assert_eq!(plane.put(name, &document).status, 201);
    }
    let names = |path: &str| {
        let page = plane.get(path).json;
        let names = page["value"].as_array().unwrap().iter().map(|item| item["profile"]["name"].clone());
        (names.collect::<Vec<_>>(), page["next"].clone())
    };
    assert_eq!(
        names("profiles"),
        (vec![json!("a-shop"), json!("b-shop"), json!("C-shop"), json!("web")], Value::Null)
    );
    assert_eq!(names("profiles?limit=2"), (vec![json!("a-shop"), json!("b-shop")], json!("b-shop")));
    assert_eq!(names("profiles?limit=2&after=b-shop"), (vec![json!("C-shop"), json!("web")], Value::Null));
    assert_eq!(names("profiles?name=SHOP&resource_group=TWO").0, [json!("b-shop"), json!("C-shop")]);
    assert_eq!(names("profiles?managed_by=file").0, [json!("web")]);
    assert_eq!(names("profiles?name=none"), (vec![], Value::Null));
}

#[test]
fn the_command_line_manages_the_same() {
    let plane = Managed::start();
    let endpoint = "endpoint=[{\"name\":\"a\",\"target\":\"192.0.2.20\",\"always_serve\":true}]";
    let made = plane.tm(&["profile", "create", "shop", "routing_method=priority", endpoint]);
    assert_eq!((made.code, made.out.as_str()), (Some(0), "shop: created\n"), "{}", made.err);
    assert_eq!(plane.short("shop"), "192.0.2.20");
    let again = plane.tm(&["profile", "create", "shop", "routing_method=priority"]);
    assert_eq!(again.code, Some(4), "{}", again.err);
    assert!(again.err.contains("it is there already: its ETag is r1"), "{}", again.err);
    assert_eq!(
        plane.tm(&["endpoint", "create", "shop/b", "target=192.0.2.21", "always_serve=true"]).code,
        Some(0)
    );
    assert_eq!(plane.tm(&["endpoint", "disable", "shop/a"]).code, Some(0));
    assert_eq!(plane.short("shop"), "192.0.2.21");
    assert_eq!(plane.tm(&["profile", "set", "shop", "ttl=5"]).code, Some(0));
    assert_eq!(plane.answers("shop"), "shop.tm.example. 5 IN A 192.0.2.21");
    let wrong = plane.tm(&["profile", "set", "shop", "ttl=-5"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("/ttl: ttl -5 is out of range"), "{}", wrong.err);
    assert_eq!(plane.tm(&["profile", "set", "web", "ttl=5"]).code, Some(4));
    assert_eq!(plane.tm(&["profile", "show", "none"]).code, Some(3));
    let listed = plane.tm(&["profile", "list", "-o", "json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    // Nothing goes by a check, nor by an ETag of before.
    let etag = plane.get("profiles/shop").etag;
    let dry = plane.tm(&["endpoint", "delete", "shop/a", "--dry-run"]);
    assert_eq!((dry.code, dry.out.as_str()), (Some(0), "shop/a: would be deleted\n"));
    assert_eq!(plane.tm(&["profile", "delete", "shop", "--dry-run"]).out, "shop: would be deleted\n");
    assert_eq!(plane.tm(&["profile", "disable", "shop", "--dry-run"]).out, "shop: would be changed\n");
    assert_eq!(plane.tm(&["profile", "delete", "web", "--dry-run"]).code, Some(4));
    for words in
        [["profile", "delete", "shop"], ["endpoint", "delete", "shop/a"], ["profile", "disable", "shop"]]
    {
        let stale = plane.tm(&[&words[..], &["--if-match", "r0"]].concat());
        assert_eq!((stale.code, stale.out.as_str()), (Some(4), ""), "{words:?}");
        assert!(stale.err.contains(&format!("it has changed since: its ETag is {etag}")), "{}", stale.err);
    }
    assert_eq!(plane.get("profiles/shop").etag, etag);
    assert_eq!(plane.tm(&["endpoint", "delete", "shop/a", "--if-match", &etag]).code, Some(0));
    let gone = plane.tm(&["profile", "delete", "shop", "-o", "json"]).json();
    assert_eq!(gone, json!({ "deleted": "shop", "dry_run": false }));
    assert_eq!(plane.status_of("shop"), "NXDOMAIN");
}

#[test]
fn what_is_nested_stays_and_it_is_told_in_whom() {
    let plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    let nested = json!({ "name": "child", "type": "nested", "target_profile": "Shop" });
    let above = json!({ "routing_method": "priority", "endpoint": [nested] });
    assert_eq!((plane.put("one", &above).status, plane.put("two", &above).status), (201, 201));
    let said = "it is in use: `shop` is nested as `one/child`, `two/child`";
    let native = plane.api.delete(&plane.lab, "/api/v1/profiles/shop").unwrap();
    assert_eq!((native.status, native.json["detail"].as_str()), (409, Some(said)));
    let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/default";
    let path =
        format!("{group}/providers/Microsoft.Network/trafficManagerProfiles/shop?api-version=2022-04-01");
    let azure = plane.api.delete(&plane.lab, &path).unwrap();
    assert_eq!((azure.status, azure.json["error"]["message"].as_str()), (409, Some(said)));
    assert_eq!(plane.short("one"), "192.0.2.20");
}

#[test]
fn a_probe_is_made_at_once_and_what_it_changes_is_an_event() {
    let lab = Lab::new().unwrap();
    let mut endpoint = tm_tests::endpoint::FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let monitor = "[profile.monitor]\ninterval = \"1h\"\ntimeout = \"5s\"\ntolerated_failures = 0\n";
    let profiles = format!(
        "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\n{monitor}[[profile.endpoint]]\nname = \"a\"\ntarget = \"10.53.0.11\"\n"
    );
    let mut daemon = serve(&lab, api::LISTEN, &profiles);
    let api = Api::new(&lab, &mut daemon).unwrap();
    daemon.wait_for_endpoints(&lab, "web", &["Online"]);
    let path = "/api/v1/profiles/web/endpoints/A/probe";
    let up = api.send(&lab, "POST", path, &json!({})).unwrap();
    assert_eq!((up.status, &up.json["ok"], &up.json["endpoint"]), (200, &json!(true), &json!("web/a")));
    endpoint.stop();
    let down = api.send(&lab, "POST", path, &json!({})).unwrap();
    assert_eq!((down.status, &down.json["ok"]), (200, &json!(false)), "{:#}", down.json);
    daemon.wait_for_endpoints(&lab, "web", &["Degraded"]);
    let said = |event: &Value| {
        ["kind", "endpoint", "from", "to"].map(|key| event[key].as_str().unwrap_or("-").to_owned())
    };
    let history = api.get(&lab, "/api/v1/history?profile=WEB").unwrap().json;
    let events: Vec<_> = history["value"].as_array().unwrap().iter().map(said).collect();
    assert!(
        events.contains(&["endpoint_status", "a", "Online", "Degraded"].map(str::to_owned)),
        "{events:?}"
    );
    assert!(
        events.contains(&["endpoint_status", "a", "CheckingEndpoint", "Online"].map(str::to_owned)),
        "{events:?}"
    );
    let always = json!({ "routing_method": "priority", "endpoint": [self::endpoint("x", "192.0.2.1")] });
    assert_eq!(api.put(&lab, "/api/v1/profiles/still", &always).unwrap().status, 201);
    let not = api.send(&lab, "POST", "/api/v1/profiles/still/endpoints/x/probe", &json!({})).unwrap();
    assert_eq!(not.status, 409, "{:#}", not.json);
    assert_eq!(
        api.send(&lab, "POST", "/api/v1/profiles/still/endpoints/y/probe", &json!({})).unwrap().status,
        404
    );
}
