//! The portal's files, as any client gets them: their kinds, what browsers are told with them, and what is not to be had.

use std::process::Command;

use tm_tests::api::{Answer, Call};

use crate::manage::Managed;

fn get(plane: &Managed, path: &str, headers: &[(&str, &str)]) -> Answer {
    plane.api.showing("").call(&plane.lab, &Call { method: "GET", path, headers, body: None }).unwrap()
}

#[test]
fn files_and_pages_are_served_and_nothing_else_is() {
    let plane = Managed::start();
    let kinds = [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/profiles", "text/html; charset=utf-8"),
        ("/profiles/a%20b/endpoints", "text/html; charset=utf-8"),
        ("/vendor/uPlot.esm.js", "text/javascript; charset=utf-8"),
        ("/vendor/uPlot.min.css", "text/css; charset=utf-8"),
        ("/vendor/LICENSE-preact", "text/plain; charset=utf-8"),
    ];
    let index = get(&plane, "/", &[]).body;
    assert!(index.starts_with(b"<!doctype html>"));
    for (path, kind) in kinds {
        let answer = get(&plane, path, &[]);
        assert_eq!((answer.status, answer.kind.as_str()), (200, kind), "{path}");
        assert_eq!(answer.body == index, kind.starts_with("text/html"), "{path}");
    }
    // Profiles may have dots in their names; scripts have not what pages have.
    assert_eq!(get(&plane, "/profiles/www.v2", &[("accept", "text/html,*/*;q=0.8")]).body, index);
    for path in ["/app/none.js", "/profiles/www.v2", "/api/v1/none", "/api/", "/vendor/none.css"] {
        let answer = get(&plane, path, &[("accept", "*/*")]);
        assert_eq!((answer.status, answer.kind.as_str()), (404, "application/problem+json"), "{path}");
    }
    assert_eq!(get(&plane, "/api/v1/none", &[("accept", "text/html")]).status, 404);
    let posted = Call { method: "POST", path: "/", headers: &[], body: None };
    assert_eq!(plane.api.call(&plane.lab, &posted).unwrap().status, 404);
}

#[test]
fn a_file_that_is_the_same_is_not_sent_again() {
    let plane = Managed::start();
    let first = get(&plane, "/vendor/uPlot.esm.js", &[]);
    assert_eq!((first.etag.len(), first.header("cache-control")), (32, "no-cache"));
    let tag = format!("\"{}\"", first.etag);
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = get(&plane, "/vendor/uPlot.esm.js", &[("if-none-match", &known)]);
        assert_eq!((answer.status, answer.body.len(), answer.etag), (304, 0, first.etag.clone()), "{known}");
    }
    assert_eq!(get(&plane, "/vendor/uPlot.min.css", &[("if-none-match", &tag)]).status, 200);
    let head = Call { method: "HEAD", path: "/vendor/uPlot.esm.js", headers: &[], body: None };
    let head = plane.api.call(&plane.lab, &head).unwrap();
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, first.body.len().to_string().as_str())
    );
}

#[test]
fn browsers_are_told_to_trust_nothing_else() {
    let plane = Managed::start();
    for path in [
        "/",
        "/vendor/uPlot.esm.js",
        "/none.js",
        "/api/v1/session",
        "/healthz",
        "/metadata/endpoints?api-version=2022-09-01",
    ] {
        let answer = get(&plane, path, &[]);
        let said = |name: &str| answer.header(name).to_owned();
        assert_eq!(
            said("content-security-policy"),
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
            "{path}"
        );
        assert_eq!(said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said("x-frame-options"), "DENY", "{path}");
        assert_eq!(said("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(said("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(said("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(said("access-control-allow-origin"), "", "{path}");
        let caching = said("cache-control");
        // Azure's face says that for itself.
        let may_be_kept = !path.starts_with("/api/") && caching == "no-cache";
        assert!(may_be_kept || caching == "no-store", "{path}: {caching}");
    }
}

#[test]
fn no_path_leads_out_of_the_portal() {
    let plane = Managed::start();
    let index = get(&plane, "/", &[]).body;
    let tricks = [
        "/../mod.rs",
        "/..%2fmod.rs",
        "/%2e%2e/mod.rs",
        "/%2e%2e%2fmod.rs",
        "/vendor/../../mod.rs",
        "/vendor/..%2f..%2fmod.rs",
        "/vendor/%2e%2e/%2e%2e/mod.rs",
        "/vendor//etc/passwd",
        "//etc/passwd",
        "/vendor/%2fetc%2fpasswd",
        "/vendor/..\\..\\mod.rs",
        "/./../mod.rs",
        "/vendor/uPlot.esm.js%00.html",
        "/vendor/%252e%252e/mod.rs",
        "/../../../../../../../../etc/passwd",
    ];
    for path in tricks {
        let mut curl: Command = plane.lab.server("curl");
        // Sent as it is written.
        curl.args(["--silent", "--insecure", "--path-as-is", "--noproxy", "*"])
            .arg(format!("https://127.0.0.1:8443{path}"));
        let said = curl.output().unwrap();
        assert!(said.status.success(), "{path}");
        let is_refused = said.stdout.starts_with(b"{\"title\":\"Not Found\"") || said.stdout.is_empty();
        assert!(is_refused || said.stdout == index, "{path}: {}", String::from_utf8_lossy(&said.stdout));
    }
}
