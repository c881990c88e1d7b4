//! Real user measurements, from the page's script to the table of round trips.

use std::{fs, path::Path};

use serde_json::json;
use tm_tests::{api::Api, client::said, daemon::Daemon, endpoint::FakeEndpoint, lab::Lab};

use crate::{NODE, profile, wait_until_ready};

const KEY: &str = "/subscriptions/s/providers/Microsoft.Network/trafficManagerUserMetricsKeys/default?api-version=2022-04-01";
/// What a browser has and Node.js has not.
const BROWSER: &str = r#"
    globalThis.document = { readyState: "complete", currentScript: { dataset: JSON.parse(process.argv[2]) } };
    const later = setTimeout;
    globalThis.setTimeout = (begin, pause, ...more) => pause === 2000 ? begin() : later(begin, pause, ...more);
    Object.defineProperty(globalThis, "navigator", { value: { sendBeacon: (url, body) =>
        fetch(url, { method: "POST", body }).then((answer) => { console.log(answer.status); process.exit(); }) } });
    require("vm").runInThisContext(require("fs").readFileSync(process.argv[1], "utf8"));
"#;

#[test]
fn what_browsers_measure_becomes_a_round_trip() {
    let lab = Lab::new().unwrap();
    let node = format!("{NODE}[api]\nlisten = \"10.53.0.1:8443\"\n");
    let files = [("tm.toml", node.as_str()), ("conf.d/web.toml", &profile("web", "192.0.2.10"))];
    let mut daemon = Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon.wait_for("the API", |line| line.contains("the API listens"));
    let curl = |arguments: &[&str], body: &str| {
        let all =
            [&["-sS", "-k", "-o", "/dev/null", "-w", "%{http_code}"][..], arguments, &["-d", body]].concat();
        said(lab.client("curl").args(all)).unwrap()
    };
    let tell = |body: &str| curl(&["-H", "Content-Type: text/plain", "https://10.53.0.1:8443/rum"], body);
    let samples = json!([{"region": "West Europe", "ms": 12.5}]);
    // Where nobody has made a key there is nothing to tell.
    assert_eq!(tell(&json!({"key": "", "samples": samples}).to_string()), "403");
    let token = Api::token(&lab, &daemon, &["--scope", "admin"]).unwrap();
    let made = said(lab.server("curl").args([
        "-sS",
        "-k",
        "-X",
        "PUT",
        "-H",
        &format!("Authorization: Bearer {token}"),
        &format!("https://10.53.0.1:8443{KEY}"),
    ]))
    .unwrap();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let key = made["properties"]["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    // The native face has the same one, of that subscription alone.
    let native = |subscription: &str| {
        let url = format!("https://10.53.0.1:8443/api/v1/user-metrics-key?subscription={subscription}");
        let authorization = format!("Authorization: Bearer {token}");
        let answer = said(lab.server("curl").args(["-sS", "-k", "-H", &authorization, &url])).unwrap();
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()
    };
    assert_eq!(native("S"), json!({"subscription": "S", "key": key}));
    assert_eq!(native("other"), json!({"subscription": "other", "key": null}));

    let wrong =
        |key: &str, samples: serde_json::Value| tell(&json!({"key": key, "samples": samples}).to_string());
    assert_eq!(wrong("0123456789abcdef0123456789abcdef", samples), "403");
    assert_eq!(wrong(&key, json!([{"region": "Atlantis", "ms": 1}])), "400");
    assert_eq!(wrong(&key, json!([{"region": "West Europe", "ms": -1}])), "400");
    assert_eq!(wrong(&key, json!([])), "400");
    assert_eq!(wrong(&key, json!(vec![json!({"region": "West Europe", "ms": 1}); 7])), "400");
    assert_eq!(tell("no JSON"), "400");

    // Three visits with the script, from the client's network, whatever it says of itself.
    let _near = FakeEndpoint::on_client(&lab, [10, 53, 0, 11].into()).unwrap();
    let _far = FakeEndpoint::on_client(&lab, [10, 53, 0, 12].into()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tm-userspace/contrib/rum/tm-rum.js");
    assert!(fs::metadata(&script).is_ok());
    let regions = json!({"West Europe": "http://10.53.0.11/", "East US": "http://10.53.0.12/x?y"});
    let settings = json!({
        "intake": "https://10.53.0.1:8443/rum", "key": key, "regions": regions.to_string(),
    });
    for _ in 0..3 {
        let visit =
            said(
                lab.client("node")
                    .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
                    .env("NODE_NO_WARNINGS", "1")
                    .args(["-e", BROWSER, &script.to_string_lossy(), &settings.to_string()]),
            );
        assert_eq!(visit.unwrap(), "204");
    }
    let began = std::time::Instant::now();
    let known = loop {
        let output = daemon.tm(&lab, &["geo", "rtt", "-o", "json"]).unwrap().output().unwrap();
        let known: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let all = known.as_array().unwrap();
        if all.len() == 2 && all.iter().all(|row| row["samples"] == 3) {
            break known;
        }
        assert!(began.elapsed() < tm_tests::DEADLINE, "{known:#}");
    };
    for row in known.as_array().unwrap() {
        assert_eq!(row["prefix"], "10.53.0.0/24");
        assert!(row["ms"].as_f64().unwrap() > 0.0, "{row}");
    }
}
