//! Signing in at the portal: what a browser gets for a token, a password or a link, what it may do with that and what other sites' pages may not, and when it is over.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tm_tests::api::{self, Answer, Api, Call};

use crate::{
    ended::Ended,
    manage::{Managed, document},
    profile, serve,
};

const SESSION: &str = "/api/v1/session";
const FLAGS: &str = "; Path=/; HttpOnly; Secure; SameSite=Strict";

/// A browser that is signed in: its cookie, and what its pages show.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{:#}", answer.json);
        let set = answer.header("set-cookie");
        let cookie = set.strip_suffix(FLAGS).unwrap_or_else(|| panic!("{set}"));
        let secret = cookie.strip_prefix("tm_session=").unwrap();
        // 256 bits in base64.
        assert_eq!(secret.len(), 43);
        Browser { cookie: cookie.to_owned(), csrf: answer.json["csrf"].as_str().unwrap().to_owned() }
    }

    fn call(
        &self,
        plane: &Managed,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let headers = [&[("cookie", self.cookie.as_str())], headers].concat();
        anonymous(plane, method, path, &headers, body)
    }

    /// As a page of the portal sends it.
    fn send(&self, plane: &Managed, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let own = [
            ("x-csrf-token", self.csrf.as_str()),
            ("origin", "https://127.0.0.1:8443"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.call(plane, method, path, &own, body)
    }

    fn status(&self, plane: &Managed) -> u16 {
        self.call(plane, "GET", SESSION, &[], None).status
    }
}

fn anonymous(
    plane: &Managed,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let body = body.map(|body| body.to_string().into_bytes());
    plane.api.showing("").call(&plane.lab, &Call { method, path, headers, body }).unwrap()
}

fn sign_in(plane: &Managed, with: &Value) -> Answer {
    anonymous(plane, "POST", SESSION, &[], Some(with))
}

/// `tm` with this on standard input.
fn tm_reading(plane: &Managed, arguments: &[&str], input: &str) -> Ended {
    let mut command: Command = plane.daemon.tm(&plane.lab, arguments).unwrap();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_token_signs_a_browser_in_until_it_signs_out() {
    let plane = Managed::start();
    let nobody = anonymous(&plane, "GET", SESSION, &[], None);
    assert_eq!((nobody.status, nobody.kind.as_str()), (401, "application/problem+json"));
    let token = plane.tm(&["token", "create", "--scope", "write", "--name", "ops"]).out;
    let answer = sign_in(&plane, &json!({ "token": token.trim() }));
    assert_eq!(answer.header("cache-control"), "no-store");
    let browser = Browser::of(&answer);
    let shown = browser.call(&plane, "GET", SESSION, &[], None);
    assert_eq!(
        shown.json,
        json!({
            "name": "ops", "scope": "write", "subscription": null, "resource_group": null,
            "csrf": browser.csrf, "expires": shown.json["expires"],
        })
    );
    assert_eq!(
        browser.send(&plane, "PUT", "/api/v1/profiles/shop", Some(&document("192.0.2.20"))).status,
        201
    );
    assert_eq!(plane.short("shop"), "192.0.2.20");
    // Its scope is that of the token.
    assert_eq!(browser.call(&plane, "GET", "/api/v1/tokens", &[], None).status, 403);

    let gone = browser.send(&plane, "DELETE", SESSION, None);
    assert_eq!(
        (gone.status, gone.header("set-cookie")),
        (204, "tm_session=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0")
    );
    assert_eq!(browser.status(&plane), 401);
    let lines = plane.tm(&["audit", "-o", "json"]).json();
    let did: Vec<_> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["who"].as_str().unwrap().ends_with(" (ops)")))
        .collect();
    assert_eq!(did[..3], [("sign out", true), ("create", true), ("sign in", true)]);
    assert!(!plane.tm(&["audit", "-o", "json"]).out.contains(&browser.cookie["tm_session=".len()..]));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let plane = Managed::start();
    let token = json!({ "token": plane.api.token });
    let browser = Browser::of(&sign_in(&plane, &token));
    let (body, path) = (document("192.0.2.20"), "/api/v1/profiles/shop");
    let own = ("x-csrf-token", browser.csrf.as_str());
    let refused = [
        vec![],
        vec![("x-csrf-token", "")],
        vec![("x-csrf-token", &browser.csrf[1..])],
        vec![own, ("origin", "https://evil.example")],
        vec![own, ("origin", "null")],
        vec![own, ("origin", "http://127.0.0.1:8443")],
        vec![own, ("origin", "https://127.0.0.1:8443.evil.example")],
        vec![own, ("sec-fetch-site", "cross-site")],
        vec![own, ("sec-fetch-site", "same-site")],
    ];
    for headers in refused {
        let answer = browser.call(&plane, "PUT", path, &headers, Some(&body));
        assert_eq!((answer.status, answer.kind.as_str()), (403, "application/problem+json"), "{headers:?}");
    }
    // Nor by the other face, nor a sign-out, nor a sign-in as somebody else.
    let arm = "/subscriptions/s/resourceGroups/g?api-version=2021-04-01";
    assert_eq!(browser.call(&plane, "PUT", arm, &[], Some(&json!({ "location": "eastus" }))).status, 403);
    assert_eq!(browser.call(&plane, "DELETE", SESSION, &[], None).status, 403);
    assert_eq!(
        anonymous(&plane, "POST", SESSION, &[("sec-fetch-site", "cross-site")], Some(&token)).status,
        403
    );
    assert_eq!(
        anonymous(&plane, "POST", SESSION, &[("origin", "https://evil.example")], Some(&token)).status,
        403
    );
    // The token of one session is none of another.
    let other = Browser::of(&sign_in(&plane, &token));
    assert_eq!(browser.call(&plane, "PUT", path, &[("x-csrf-token", &other.csrf)], Some(&body)).status, 403);
    assert_eq!(plane.get("profiles/shop").status, 404);
    assert_eq!(browser.send(&plane, "PUT", path, Some(&body)).status, 201);
}

#[test]
fn a_session_is_over_with_what_it_was_begun_with() {
    let plane = Managed::start();
    let made = plane.tm(&["token", "create", "--scope", "read", "-o", "json"]).json();
    let by_token = Browser::of(&sign_in(&plane, &json!({ "token": made["secret"] })));
    for name in ["eve", "Adam"] {
        assert_eq!(
            tm_reading(&plane, &["user", "create", name, "--scope", "write"], "correct horse\n").code,
            Some(0)
        );
    }
    let user = |name: &str| sign_in(&plane, &json!({ "user": name, "password": "correct horse" }));
    let (eve, adam) = (Browser::of(&user("EVE")), Browser::of(&user("Adam")));
    assert_eq!([&by_token, &eve, &adam].map(|browser| browser.status(&plane)), [200; 3]);
    assert_eq!(eve.send(&plane, "PUT", "/api/v1/profiles/shop", Some(&document("192.0.2.20"))).status, 201);
    assert_eq!(plane.tm(&["audit", "profile shop", "-o", "json"]).json()[0]["who"], "user eve");

    plane.tm(&["token", "revoke", made["token"]["id"].as_str().unwrap()]);
    assert_eq!(by_token.status(&plane), 401);
    assert_eq!(tm_reading(&plane, &["user", "password", "eve"], "battery staple").code, Some(0));
    assert_eq!((eve.status(&plane), user("eve").status), (401, 401));
    assert_eq!(plane.tm(&["user", "delete", "adam"]).out, "adam: deleted\n");
    assert_eq!((adam.status(&plane), user("Adam").status), (401, 401));
    let eve = Browser::of(&sign_in(&plane, &json!({ "user": "eve", "password": "battery staple" })));
    // Whoever signs in anew in a browser leaves no session behind.
    let with = json!({ "user": "eve", "password": "battery staple" });
    let anew = Browser::of(&eve.call(&plane, "POST", SESSION, &[], Some(&with)));
    assert_eq!((eve.status(&plane), anew.status(&plane)), (401, 200));
}

#[test]
fn a_session_has_its_time() {
    let lab = tm_tests::lab::Lab::new().unwrap();
    let listen = format!("{}session_lifetime = \"1s\"\n", api::LISTEN);
    let mut daemon = serve(&lab, &listen, &profile("web", "192.0.2.10"));
    let api = Api::new(&lab, &mut daemon).unwrap();
    let plane = Managed { daemon, api, lab };
    let browser = Browser::of(&sign_in(&plane, &json!({ "token": plane.api.token })));
    // However often it is used.
    let begun = std::time::Instant::now();
    while browser.status(&plane) == 200 {
        assert!(begun.elapsed() < tm_tests::DEADLINE, "the session goes on");
    }
    assert_eq!(
        browser.send(&plane, "PUT", "/api/v1/profiles/shop", Some(&document("192.0.2.20"))).status,
        401
    );
}

#[test]
fn users_are_made_by_name_and_a_password_that_nobody_keeps() {
    let plane = Managed::start();
    let create = |name: &str, password: &str| tm_reading(&plane, &["user", "create", name], password);
    let short = create("eve", "too short");
    assert_eq!(short.code, Some(1));
    assert!(
        short.err.contains("/password: the password has 9 characters (write 10 to 1000 characters)"),
        "{}",
        short.err
    );
    assert_eq!(create("a/b", "correct horse").code, Some(1));
    assert_eq!(create("eve", "correct horse\n").out, "eve: created\n");
    assert_eq!(create("EVE", "correct horse").code, Some(4));
    assert_eq!(plane.tm(&["user", "delete", "adam"]).code, Some(3));
    let listed = plane.tm(&["user", "list", "-o", "json"]);
    let users = listed.json();
    assert_eq!(
        (&users[0]["name"], &users[0]["scope"], users.as_array().unwrap().len()),
        (&json!("eve"), &json!("read"), 1)
    );
    for said in [listed.out, plane.tm(&["audit", "-o", "json"]).out] {
        assert!(!said.contains("argon2") && !said.contains("correct horse"), "{said}");
    }
    let reader = plane.api.showing(&Api::token(&plane.lab, &plane.daemon, &["--scope", "write"]).unwrap());
    assert_eq!(reader.get(&plane.lab, "/api/v1/users").unwrap().status, 403);
    // They outlive a restart.
    let mut plane = plane;
    plane.daemon.restart(&plane.lab).unwrap();
    crate::wait_until_ready(&mut plane.daemon);
    plane.daemon.wait_for("the API", |line| line.contains("the API listens"));
    Browser::of(&sign_in(&plane, &json!({ "user": "eve", "password": "correct horse" })));
}

#[test]
fn who_guesses_passwords_is_told_to_wait_even_with_the_right_one() {
    let plane = Managed::start();
    assert_eq!(tm_reading(&plane, &["user", "create", "eve"], "correct horse").code, Some(0));
    let with = |user: &str, password: &str| sign_in(&plane, &json!({ "user": user, "password": password }));
    for attempt in 0..20 {
        let user = if attempt % 2 == 0 { "eve" } else { "nobody" };
        let answer = with(user, "battery staple");
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""), "{attempt}");
        assert_eq!(answer.json["detail"], "there is no such user, or the password is another");
    }
    let waits = with("eve", "correct horse");
    assert_eq!(waits.status, 429);
    let seconds: u64 = waits.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // A token is no guess.
    Browser::of(&sign_in(&plane, &json!({ "token": plane.api.token })));
}

#[test]
fn a_link_signs_in_once() {
    let plane = Managed::start();
    let url = plane.tm(&["sign-in", "--scope", "write"]).out;
    let once =
        url.trim().strip_prefix("https://127.0.0.1:8443/sign-in#once=").unwrap_or_else(|| panic!("{url}"));
    assert_eq!(once.len(), 43);
    let browser = Browser::of(&sign_in(&plane, &json!({ "once": once })));
    let shown = browser.call(&plane, "GET", SESSION, &[], None).json;
    assert_eq!((&shown["name"], &shown["scope"]), (&json!("uid 0"), &json!("write")));
    let again = sign_in(&plane, &json!({ "once": once }));
    assert_eq!((again.status, again.header("set-cookie")), (401, ""));
    assert_eq!(browser.status(&plane), 200);
    // Only who may open the socket makes them.
    assert_eq!(plane.api.send(&plane.lab, "POST", "/api/v1/session/link", &json!({})).unwrap().status, 403);
    for nonsense in [json!({}), json!({ "user": "eve" }), json!({ "token": "a", "once": "b" })] {
        assert_eq!(sign_in(&plane, &nonsense).status, 400, "{nonsense}");
    }
    assert_eq!(sign_in(&plane, &json!({ "tokens": "a" })).status, 422);
}
