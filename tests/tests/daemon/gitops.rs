//! Profiles as files in git: applied in one step or not at all, compared, and written out so that nothing is lost.

use std::fs;

use serde_json::{Value, json};

use crate::{
    manage::{Managed, document},
    profile,
};

/// A directory with these files.
fn files(texts: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in texts {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

const YAML: &str = "profile:
- name: shop
  routing_method: priority
  endpoint:
  - name: a
    target: 192.0.2.20
    always_serve: true
";
const JSON: &str = r#"{ "profile": [
    { "name": "world", "routing_method": "priority", "endpoint": [
        { "name": "child", "type": "nested", "target_profile": "shop" },
        { "name": "cloud", "type": "azure", "target_service": "/Ip", "always_serve": true } ] } ] }"#;
const TOML: &str = "[[service]]\nid = \"/ip\"\nname = \"ip\"\ntarget = \"192.0.2.30\"\n";

#[test]
fn files_of_every_form_are_applied_in_one_step_and_then_nothing_differs() {
    let plane = Managed::start();
    // What nests another comes first, and needs a service of a third file.
    let dir = files(&[("a.json", JSON), ("b/c.toml", TOML), ("b/shop.yaml", YAML)]);
    let dir_text = text(dir.path());
    let dry = plane.tm(&["apply", "-f", dir_text, "--dry-run"]);
    let lines = |word: &str| {
        format!("service /ip: {word}\nprofile world: {word}\nprofile shop: {word}\n3 changed, 0 unchanged\n")
    };
    assert_eq!((dry.code, dry.out, dry.err.as_str()), (Some(0), lines("would be created"), ""));
    assert_eq!(plane.get("profiles/shop").status, 404);
    let diff = plane.tm(&["diff", "-f", dir_text]);
    assert_eq!(diff.code, Some(1));
    assert!(diff.out.contains("--- /dev/null\n+++ profile shop (as in the files)\n"), "{}", diff.out);

    let applied = plane.tm(&["apply", "-f", dir_text]);
    assert_eq!((applied.code, applied.out, applied.err.as_str()), (Some(0), lines("created"), ""));
    assert_eq!(plane.answers("world"), "world.tm.example. 30 IN A 192.0.2.20");
    let again = plane.tm(&["diff", "-f", dir_text]);
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (Some(0), "", ""));
    let absent = plane.tm(&["diff", "-f", "/nowhere/profiles"]);
    assert_eq!(absent.code, Some(2));
    assert!(absent.err.contains("cannot read /nowhere/profiles: No such file"), "{}", absent.err);
    let etag = plane.get("profiles/shop").etag;
    let again = plane.tm(&["apply", "-f", dir_text]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), "0 changed, 3 unchanged\n"));
    assert_eq!(plane.get("profiles/shop").etag, etag);

    // A service that stops, and a profile that is another one, in one step.
    fs::write(dir.path().join("b/c.toml"), format!("{TOML}state = \"stopped\"\n")).unwrap();
    fs::write(dir.path().join("b/shop.yaml"), YAML.replace("192.0.2.20", "192.0.2.21")).unwrap();
    let diff = plane.tm(&["diff", "-f", dir_text]);
    let expected = "\
--- profile shop (as it is)
+++ profile shop (as in the files)
@@ -4,5 +4,5 @@
 
 [[profile.endpoint]]
 name = \"a\"
-target = \"192.0.2.20\"
+target = \"192.0.2.21\"
 always_serve = true
";
    assert_eq!(diff.code, Some(1));
    assert!(diff.out.ends_with(expected), "{}", diff.out);
    assert!(diff.out.contains("--- service /ip (as it is)") && diff.out.contains("\n+state = \"stopped\"\n"));
    assert_eq!(plane.tm(&["apply", "-f", dir_text]).code, Some(0));
    assert_eq!(plane.short("world"), "192.0.2.21");
    let audit = plane.get("audit?object=profile%20shop").json;
    let actions: Vec<_> =
        audit["value"].as_array().unwrap().iter().map(|row| row["action"].as_str()).collect();
    assert_eq!(actions, [Some("change"), Some("create")]);
}

#[test]
fn what_is_wrong_is_told_by_file_and_key_and_changes_nothing() {
    let plane = Managed::start();
    let good = files(&[("good.yaml", YAML)]);
    assert_eq!(plane.tm(&["apply", "-f", text(good.path())]).code, Some(0));
    let etag = plane.get("profiles/shop").etag;
    let with = |name: &str, text: &str| files(&[("good.yaml", &YAML.replace(".20", ".99")), (name, text)]);
    let cases = [
        ("bad.yaml", YAML.replace("shop", "two") + "  ttl: -1\n", "bad.yaml: profile two: /ttl: ttl -1 is out of range", 1),
        ("bad.yaml", YAML.replace("shop", "two") + "  ttll: 1\n", "bad.yaml: profile two: /ttll: unknown key `ttll`", 1),
        ("bad.yaml", YAML.replace("shop", "two") + "  relative_name: shop\n", "DNS name `shop.tm.example` is that of profile", 1),
        (
            "bad.toml",
            "[[profile]]\nname = \"two\"\nrouting_method = \"priority\"\n[[profile.endpoint]]\nname = \"x\"\ntype = \"nested\"\ntarget_profile = \"gone\"\n".to_owned(),
            "bad.toml: profile two: /endpoint/0/target_profile: there is no profile",
            1,
        ),
        ("bad.toml", "[[service]]\nname = \"x\"\ntarget = \"-\"\n".to_owned(), "bad.toml: service x: /target: ", 1),
        // What a file of the daemon's has is not the API's, even if it is the same.
        ("bad.toml", profile("web", "192.0.2.10"), "profile `web` is managed by ", 4),
        ("bad.toml", "[[profile]]\nrouting_method = \"priority\"\n".to_owned(), "bad.toml: profile 1: missing key `name`", 1),
    ];
    for (name, written, said, code) in cases {
        let dir = with(name, &written);
        for arguments in [&["apply"][..], &["apply", "--dry-run"], &["diff"]] {
            let refused = plane.tm(&[arguments, &["-f", text(dir.path())]].concat());
            // What is not known is more than a difference.
            let code = if arguments[0] == "diff" && code == 1 { 2 } else { code };
            assert_eq!(
                (refused.code, refused.out.as_str()),
                (Some(code), ""),
                "{arguments:?} {written}: {}",
                refused.err
            );
            assert!(refused.err.contains(said), "{written}: {}", refused.err);
        }
    }
    assert_eq!((plane.get("profiles/shop").etag, plane.short("shop")), (etag, "192.0.2.20".to_owned()));
    assert_eq!((plane.get("profiles/two").status, plane.short("web")), (404, "192.0.2.10".to_owned()));
}

#[test]
fn pruning_removes_what_the_api_manages_and_nothing_else() {
    let plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    plane.put("old", &document("192.0.2.66"));
    let service = json!({ "name": "ip", "target": "192.0.2.30" });
    assert_eq!(plane.api.put(&plane.lab, "/api/v1/services/ip", &service).unwrap().status, 201);
    let dir = files(&[("shop.yaml", YAML)]);
    let dir = text(dir.path());
    // Without it they stay.
    assert_eq!(plane.tm(&["apply", "-f", dir]).out, "profile shop: changed\n1 changed, 0 unchanged\n");
    assert_eq!(plane.short("old"), "192.0.2.66");
    let diff = plane.tm(&["diff", "-f", dir, "--prune"]);
    assert_eq!(diff.code, Some(1));
    assert!(diff.out.contains("--- profile old (as it is)\n+++ /dev/null\n"), "{}", diff.out);
    let pruned = plane.tm(&["apply", "-f", dir, "--prune"]);
    assert_eq!(
        pruned.out, "service /ip: deleted\nprofile old: deleted\n2 changed, 1 unchanged\n",
        "{}",
        pruned.err
    );
    let names: Vec<_> = plane.get("profiles").json["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["profile"]["name"].clone())
        .collect();
    assert_eq!(names, [json!("shop"), json!("web")]);
    assert_eq!((plane.answers("old").as_str(), plane.short("web").as_str()), ("", "192.0.2.10"));
    assert_eq!(plane.get("services").json["value"], json!([]));

    // Who may change one group alone prunes that one alone.
    let mut there = document("192.0.2.40");
    there["resource_group"] = "other".into();
    assert_eq!(plane.put("theirs", &there).status, 201);
    let scoped =
        ["--scope", "write", "--subscription", "00000000-0000-0000-0000-000000000001", "-g", "other"];
    let token = tm_tests::api::Api::token(&plane.lab, &plane.daemon, &scoped).unwrap();
    let api = plane.api.showing(&token);
    let pruned = api.send(&plane.lab, "POST", "/api/v1/apply?prune=true", &json!({})).unwrap();
    assert_eq!(pruned.status, 200, "{:#}", pruned.json);
    assert_eq!(
        (pruned.json["changes"].as_array().unwrap().len(), &pruned.json["changes"][0]["name"]),
        (1, &json!("theirs"))
    );
    assert_eq!(plane.short("shop"), "192.0.2.20");
    let mine = json!({ "profile": [{ "name": "mine", "routing_method": "priority" }] });
    assert_eq!(api.send(&plane.lab, "POST", "/api/v1/apply", &mine).unwrap().status, 403);
    assert_eq!(api.get(&plane.lab, "/api/v1/export").unwrap().json, json!({ "profile": [], "service": [] }));
}

#[test]
fn what_is_exported_can_be_applied_elsewhere_and_is_the_same_there() {
    let plane = Managed::start();
    let mut rich = json!({
        "routing_method": "weighted", "ttl": 5, "slow_start": "2m", "resource_group": "other",
        "guard": { "withdraw_at_most": "50%", "window": "10m" },
        "monitor": { "path": "/h?a=1", "expected_status": ["200-299", "304"], "headers": { "X-B": "no", "X-A": "1" } },
        "record": [{ "type": "TXT", "data": "\"a; b\" \\\"c\\092" }, { "type": "CAA", "ttl": 300, "data": "0 issue \"ca.example\"" }],
        "endpoint": [{ "name": "a", "target": "192.0.2.20", "weight": 3, "record": [{ "type": "SRV", "data": "0 5 443 a.contoso.com" }], "monitor": { "target": "192.0.2.21" }, "always_serve": true },
                     { "name": "b", "target": "192.0.2.22", "weight": 1, "always_serve": true, "priority": null }],
    });
    assert_eq!(plane.put("rich", &rich).status, 201);
    assert_eq!(plane.put("shop", &document("192.0.2.23")).status, 201);
    let service = json!({ "name": "ip", "target": "192.0.2.30", "kind": "public_ip" });
    assert_eq!(plane.api.put(&plane.lab, "/api/v1/services/ip", &service).unwrap().status, 201);
    let other = Managed::start();
    for format in ["toml", "yaml", "json"] {
        let written = plane.tm(&["export", "-o", format]);
        assert_eq!((written.code, written.err.as_str()), (Some(0), ""));
        assert!(!written.out.contains("web"), "a file's: {}", written.out);
        let dir = files(&[(&format!("all.{format}"), &written.out)]);
        let dir = text(dir.path());
        let same = plane.tm(&["diff", "-f", dir, "--prune"]);
        assert_eq!((same.code, same.out.as_str(), same.err.as_str()), (Some(0), "", ""), "{}", written.out);
        let applied = other.tm(&["apply", "-f", dir, "--prune"]);
        assert_eq!(
            (applied.code, applied.out.lines().last()),
            (Some(0), Some("3 changed, 0 unchanged")),
            "{}",
            applied.err
        );
        assert_eq!(other.tm(&["export", "-o", format]).out, written.out);
        assert_eq!(other.short("shop"), "192.0.2.23");
        assert_eq!(other.get("profiles/rich").json["profile"]["resource_group"], "other");
        // For the next turn.
        let nothing = files(&[("none.yaml", "")]);
        assert_eq!(other.tm(&["apply", "-f", text(nothing.path()), "--prune"]).code, Some(0));
        assert_eq!(other.answers("shop"), "");
    }
    // The order of headers is kept, and told.
    let dir = files(&[("all.toml", &plane.tm(&["export"]).out)]);
    rich["monitor"]["headers"] = json!({ "X-A": "1", "X-B": "no" });
    plane.put("rich", &rich);
    let diff = plane.tm(&["diff", "-f", text(dir.path())]);
    assert_eq!(diff.code, Some(1));
    assert!(diff.out.contains("+X-B = \"no\"\n X-A = \"1\"\n-X-B = \"no\"\n"), "{}", diff.out);
}

#[test]
fn an_applied_whole_outlives_a_crash() {
    let mut plane = Managed::start();
    let dir = files(&[("shop.yaml", YAML), ("c.toml", TOML), ("w.json", JSON)]);
    assert_eq!(plane.tm(&["apply", "-f", text(dir.path())]).code, Some(0));
    plane.daemon.kill().unwrap();
    plane.daemon.restart(&plane.lab).unwrap();
    crate::wait_until_ready(&mut plane.daemon);
    assert_eq!(plane.short("world"), "192.0.2.20");
    assert_eq!(plane.tm(&["diff", "-f", text(dir.path()), "--prune"]).code, Some(0));
}

#[test]
fn the_schema_has_every_key_and_refuses_others() {
    let schema: Value = crate::ended::tm(&["schema"]).json();
    let properties =
        |of: &str| schema["$defs"][of]["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(properties("Profile")[..3], ["name", "subscription", "resource_group"]);
    assert!(properties("Endpoint").contains(&"geo_mapping".to_owned()));
    assert_eq!(schema["$defs"]["Endpoint"]["additionalProperties"], false);
    assert_eq!(schema["properties"]["profile"]["items"]["$ref"], "#/$defs/Profile");
    assert!(!schema.to_string().contains("#/components"));
}
