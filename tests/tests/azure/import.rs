//! `tm import azure` and `tm export azure`: a whole configuration comes over, is answered, and goes out again as it is.

use std::{fs, process::Output};

use serde_json::{Value, json};
use tm_tests::{daemon::Daemon, lab::Lab};

use crate::serve;

const GROUP: &str = "/subscriptions/33333333-2222-3333-4444-555555555555/resourceGroups/Web";

/// As `az network traffic-manager profile list -o json` prints it: flat, and a parent before its child.
fn exported() -> Value {
    let kind = "Microsoft.Network/trafficManagerProfiles";
    let id = |name: &str| format!("{GROUP}/providers/{kind}/{name}");
    let pip = format!("{GROUP}/providers/Microsoft.Network/publicIPAddresses/pip");
    let profile = |name: &str, endpoints: Value| {
        json!({
            "id": id(name), "name": name, "type": kind, "location": "global", "resourceGroup": "Web", "tags": {},
            "profileStatus": "Enabled", "trafficRoutingMethod": "Priority",
            "dnsConfig": { "relativeName": name, "fqdn": format!("{name}.trafficmanager.net"), "ttl": 60 },
            "monitorConfig": { "protocol": "HTTP", "port": 80, "path": "/", "intervalInSeconds": 30,
                "timeoutInSeconds": 10, "toleratedNumberOfFailures": 3, "profileMonitorStatus": "Online" },
            "endpoints": endpoints,
        })
    };
    let nested = json!({ "name": "below", "type": format!("{kind}/nestedEndpoints"), "targetResourceId": id("child"),
        "target": "child.trafficmanager.net", "minChildEndpoints": 1 });
    let azure = json!({ "name": "vm", "type": format!("{kind}/azureEndpoints"), "targetResourceId": pip,
        "target": "10.53.0.95", "endpointLocation": "West Europe", "endpointMonitorStatus": "Online" });
    json!([profile("parent", json!([nested])), profile("child", json!([azure]))])
}

fn tm(lab: &Lab, daemon: &Daemon, arguments: &[&str]) -> Output {
    daemon.tm(lab, arguments).unwrap().output().unwrap()
}

#[test]
fn a_configuration_of_azures_comes_over_whole() {
    let lab = Lab::new().unwrap();
    let (daemon, _) = serve(&lab, "");
    let file = daemon.directory().join("azure.json");
    fs::write(&file, exported().to_string()).unwrap();
    let file = file.to_str().unwrap();
    let import = |how: &str| {
        let said = tm(&lab, &daemon, &["import", "azure", file]);
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
        let mut lines: Vec<&str> = text.lines().filter(|line| line.starts_with("profile")).collect();
        lines.sort_unstable();
        let line = |name: &str| format!("profile {name} in Web: {how}, {name}.tm.example");
        assert_eq!(lines, [line("child"), line("parent")]);
        text
    };
    let first = import("created");
    assert!(first.starts_with("service /subscriptions/33333333"), "{first}");
    assert_eq!(
        lab.answers(&["@10.53.0.1", "parent.tm.example"]).unwrap(),
        "parent.tm.example. 60 IN A 10.53.0.95"
    );
    import("changed");
    let export = || {
        let said = tm(&lab, &daemon, &["export", "azure"]);
        let all: Value = serde_json::from_slice(&said.stdout).unwrap();
        let own = all.as_array().unwrap().iter().filter(|one| one["id"].as_str().unwrap().starts_with(GROUP));
        Value::Array(own.cloned().collect())
    };
    let out = export();
    assert_eq!(out[1]["properties"]["endpoints"][0]["properties"]["target"], "child.tm.example");
    // What goes out comes in again, and nothing is another one.
    fs::write(file, out.to_string()).unwrap();
    import("changed");
    assert_eq!(export(), out);
    let said = tm(&lab, &daemon, &["import", "azure", "/nowhere"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8(said.stderr).unwrap().contains("cannot read /nowhere"));
}
