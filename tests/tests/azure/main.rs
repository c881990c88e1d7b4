//! Azure's own clients, unmodified, over TLS against a real daemon; after each change that they make a real client asks the real program.
//!
//! The clients are scripts under `tests/clients`, run beside the daemon: `script` of the kit says how they ask for what they cannot do themselves.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

mod import;
mod judge;

use std::process::Command;

use tm_tests::{daemon::Daemon, lab::Lab, script};

use judge::judge;

/// Where the API listens, on the server.
const BASE: &str = "https://127.0.0.1:8443";

const NODE: &str = r#"
zone = "tm.example"
name_servers = ["ns1.tm.example"]
state_dir = "{dir}/state"
[listen]
pins = "{bpf}/tm"
interfaces = ["tm0"]
[api]
listen = "127.0.0.1:8443"
"#;

/// Where clients are.
const DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb");

/// What endpoints of type Azure are picked from.
const SERVICES: &str = r#"
[[service]]
id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-one/providers/Microsoft.Network/publicIPAddresses/pip-virginia"
kind = "public_ip"
name = "pip-virginia"
target = "10.53.0.11"
location = "East US"
[[service]]
id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-one/providers/Microsoft.Network/publicIPAddresses/pip-stopped"
kind = "public_ip"
name = "pip-stopped"
target = "10.53.0.12"
state = "stopped"
[[service]]
id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-one/providers/Microsoft.Network/publicIPAddresses/pip-amsterdam"
kind = "public_ip"
name = "pip-amsterdam"
target = "10.53.0.12"
location = "West Europe"
[[profile]]
name = "filed"
routing_method = "priority"
[[profile.endpoint]]
name = "only"
target = "10.53.0.71"
always_serve = true
"#;

/// A daemon with an API, of which `tm.toml` says this besides, and a client that may do everything: its id and its secret.
fn serve(lab: &Lab, api: &str) -> (Daemon, [String; 2]) {
    let node = format!("{NODE}{api}\n[samples]\none_in = 1\n[geo]\ndatabase = \"{DATABASE}\"\n");
    let mut daemon = Daemon::start(lab, &[("tm.toml", &node), ("conf.d/services.toml", SERVICES)]).unwrap();
    daemon.wait_for("the API", |line| line.contains("the API listens"));
    let made = daemon.tm(lab, &["token", "create", "--client", "tests", "--scope", "admin"]);
    let made = made.unwrap().output().unwrap();
    let text = String::from_utf8(made.stdout.clone()).unwrap();
    let field = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {key} in {made:?}")).to_owned()
    };
    let client = [field("client_id"), field("client_secret")];
    (daemon, client)
}

/// A script of `tests/clients` on the server, by an interpreter under `target/clients`.
fn script(lab: &Lab, daemon: &Daemon, client: &[String; 2], interpreter: &str, name: &str) -> Command {
    let mut command = match interpreter {
        "node" => script::node(lab, "js", name),
        python => {
            let workspace = script::workspace();
            let interpreter = workspace.join("target/clients").join(python).join("bin/python");
            let mut command = lab.server(&interpreter.to_string_lossy());
            command.arg(workspace.join("tests/clients").join(name));
            command
        }
    };
    let certificate = daemon.directory().join("state/tls/cert.pem");
    command
        .env("TM_BASE", BASE)
        .env("TM_CLIENT_ID", &client[0])
        .env("TM_CLIENT_SECRET", &client[1])
        .env("REQUESTS_CA_BUNDLE", &certificate)
        .env("NODE_EXTRA_CA_CERTS", &certificate)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn run(interpreter: &str, name: &str) {
    run_with("", interpreter, name);
}

fn run_with(api: &str, interpreter: &str, name: &str) {
    let lab = Lab::new().unwrap();
    let (daemon, client) = serve(&lab, api);
    judge(&lab, script(&lab, &daemon, &client, interpreter, name));
}

#[test]
fn the_sdk_for_python() {
    run("sdk-2", "sdk.py");
}

#[test]
fn the_sdk_for_python_of_2022() {
    run("sdk-1", "sdk.py");
}

#[test]
fn the_sdk_for_javascript() {
    run("node", "sdk.cjs");
}

#[test]
fn the_contract_octet_by_octet() {
    run("sdk-2", "wire.py");
}

#[test]
fn azures_limits_hold_where_they_are_wanted() {
    run_with("azure_limits = true", "sdk-2", "limits.py");
}
