//! What `/openapi.json` promises holds, whatever is sent: judged by schemathesis, which makes requests of it, right ones and wrong ones.

use std::path::Path;

use crate::{ended::Ended, manage::Managed};

/// Where set-up puts it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/clients/schemathesis/bin/schemathesis");
/// Seconds that it may take, and requests for each operation of chance.
const BOUNDS: [&str; 4] = ["--max-time", "20", "--max-examples", "20"];
/// What does not end (a stream of events), and what would end its own rights: tokens, users and sessions are others' tests' matter.
const NOT_THESE: &str = "^/api/v1/(events|live|tokens/.*|users/.*|session.*)$";
/// What is judged: no 5xx, and no answer that is not described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";

#[test]
fn the_description_holds_for_requests_of_all_kinds() {
    assert!(Path::new(PROGRAM).exists(), "run `cargo xtask setup`: {PROGRAM} is not there");
    let plane = Managed::start();
    let certificate = plane.daemon.directory().join("state/tls/cert.pem");
    let scratch = tempfile::tempdir().unwrap();
    let authorization = format!("Authorization: Bearer {}", plane.api.token);
    let mut command = plane.lab.server(PROGRAM);
    command
        .args(["run", "https://127.0.0.1:8443/openapi.json", "--tls-verify"])
        .arg(certificate)
        .args(["-H", &authorization, "--exclude-path-regex", NOT_THESE, "--checks", CHECKS])
        .args(["--phases", "coverage,fuzzing", "--workers", "1", "--seed", "1", "--no-shrink", "--no-color"])
        .args(["--generation-database", "none", "--suppress-health-check", "all"])
        .args(BOUNDS)
        .current_dir(scratch.path());
    let ended = Ended::of(&mut command);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.out, ended.err);
    // And the daemon answers as before.
    assert_eq!(plane.short("web"), "192.0.2.10");
}
