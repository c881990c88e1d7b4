//! DNS over TLS and over HTTPS, by clients that others made; certificates that change under a running daemon.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
};

use tm_tests::{
    DEADLINE,
    daemon::Daemon,
    lab::{Lab, SERVER_V4},
};

use crate::{NODE, profile, wait_until_ready};

const WEB: &str = "192.0.2.10";

/// Writes a certificate for `ns1.tm.example` and its key into the daemon's directory, one behind the other.
pub(crate) fn certify(directory: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["ns1.tm.example".to_owned()]).unwrap();
    fs::write(directory.join("chain.pem"), parameters.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
}

/// Serves one profile over everything; `more` stands before the tables of `tm.toml`'s TLS and HTTPS.
fn serve(lab: &Lab, more: &str) -> Daemon {
    let mut daemon =
        Daemon::start(lab, &[("tm.toml", NODE), ("conf.d/profiles.toml", &profile("web", WEB))]).unwrap();
    wait_until_ready(&mut daemon);
    certify(daemon.directory());
    let tls = "[tls]\ncertificate = \"{dir}/chain.pem\"\nkey = \"{dir}/key.pem\"\n[dot]\n[doh]\n";
    daemon.write("tm.toml", &format!("{NODE}{more}{tls}")).unwrap();
    // TLS and HTTPS over both families, in whatever order.
    for _ in 0..4 {
        daemon.wait_for("TLS", |line| {
            line.contains("\"answering\"") && line.contains("TLS\"}") | line.contains("HTTPS\"}")
        });
    }
    daemon
}

fn published(daemon: &mut Daemon) {
    daemon.wait_for("the new state", |line| line.contains("configuration published"));
}

/// The path of a file of the daemon's, after an option.
fn with(daemon: &Daemon, option: &str, file: &str) -> String {
    format!("{option}{}", daemon.directory().join(file).display())
}

#[test]
fn rfc7858_kdig_asks_over_tls_and_checks_the_certificate() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "");
    let ca = with(&daemon, "+tls-ca=", "chain.pem");
    for server in ["@10.53.0.1", "@fd53::1"] {
        let ask = |words: &[&str]| {
            let all = [&[server, "+tls", &ca, "+tls-hostname=ns1.tm.example"][..], words].concat();
            lab.kdig(&all).unwrap()
        };
        let said = ask(&["web.tm.example", "nobody.tm.example", "tm.example", "SOA"]);
        assert!(said.contains(&format!("30\tIN\tA\t{WEB}")), "{said}");
        assert!(said.contains("status: NXDOMAIN") && said.contains("IN\tSOA\tns1.tm.example."), "{said}");
        assert!(said.contains("TLS session (TLS1.3)"), "{said}");
        // RFC 8467: to the next 468 octets where the query is padded; RFC 7828: how long we wait.
        let said = ask(&["web.tm.example", "+padding", "+ednsopt=11"]);
        assert!(said.contains("Received 468 B"), "{said}");
        assert!(said.contains("Option (11): 0064") || said.contains("KEEPALIVE"), "{said}");
        let said = ask(&["web.tm.example", "+edns", "+nopadding"]);
        assert!(said.contains("Received 59 B"), "{said}");
        let wrong =
            lab.kdig(&[server, "+tls", &ca, "+tls-hostname=other.example", "web.tm.example"]).unwrap();
        assert!(!wrong.contains(WEB), "{wrong}");
    }
}

#[test]
fn rfc8484_kdig_and_curl_ask_over_https() {
    let lab = Lab::new().unwrap();
    let daemon = serve(&lab, "");
    let ca = with(&daemon, "+tls-ca=", "chain.pem");
    for way in ["+https", "+https-get"] {
        for server in ["@10.53.0.1", "@fd53::1"] {
            let said = lab
                .kdig(&[server, way, &ca, "+tls-hostname=ns1.tm.example", "+padding", "web.tm.example"])
                .unwrap();
            assert!(said.contains(&format!("30\tIN\tA\t{WEB}")), "{way} {server}: {said}");
            assert!(said.contains("Received 468 B"), "{way} {server}: {said}");
        }
    }
    // A query for web.tm.example A, as the engine reads it.
    let query = tm_tests::query::Query::new("web.tm.example", 1).build();
    fs::write(daemon.directory().join("query"), &query).unwrap();
    let curl = |words: &[&str]| {
        let mut command = lab.client("curl");
        command.args(["--silent", "--show-error", "--max-time", "30"]);
        command.args(["--resolve", "ns1.tm.example:443:10.53.0.1"]).arg("--cacert");
        command.arg(daemon.directory().join("chain.pem")).args(words);
        command.output().unwrap()
    };
    let post = with(&daemon, "@", "query");
    let url = "https://ns1.tm.example/dns-query";
    for version in ["--http1.1", "--http2"] {
        let words = [version, "--header", "content-type: application/dns-message", "--data-binary", &post];
        let show = "--write-out";
        let told = "%{http_version} %{response_code} %header{cache-control} %{content_type}";
        let output = curl(&[&words[..], &[show, told, url]].concat());
        let number = if version == "--http2" { "2" } else { "1.1" };
        let end = format!("{number} 200 max-age=30 application/dns-message");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.ends_with(&end), "{text} {}", String::from_utf8_lossy(&output.stderr));
        let reply = &output.stdout[..output.stdout.len() - end.len()];
        let reply = hickory_proto::op::Message::from_vec(reply).unwrap();
        assert_eq!(tm_tests::dig::answers(&reply), [format!("web.tm.example. 30 IN A {WEB}")]);
        // RFC 9110, section 9.3.2: HEAD is told how long the reply is, and not given it.
        let asked = format!("{url}?dns=HVMBAAABAAAAAAAAA3dlYgJ0bQdleGFtcGxlAAABAAE");
        let told = "%{response_code} %header{content-length} %{size_download}";
        let output = curl(&[version, "--head", "--output", "/dev/null", show, told, &asked]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "200 48 0", "{version}: {why}");
        for (words, status) in [
            (vec!["--data-binary", &post, url], "415"),
            (vec!["--request", "PUT", url], "405"),
            (vec![url], "400"),
            (vec!["https://ns1.tm.example/"], "404"),
        ] {
            let output =
                curl(&[&[version, "--output", "/dev/null", show, "%{response_code}"], &words[..]].concat());
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(String::from_utf8_lossy(&output.stdout), status, "{words:?}: {why}");
        }
    }
    // As a browser does: the name of a site by way of this server, and then the site itself, where nobody is.
    let found = curl(&["--verbose", "--connect-timeout", "1", "--doh-url", url, "http://web.tm.example/"]);
    let told = String::from_utf8_lossy(&found.stderr).into_owned();
    assert!(told.contains(WEB), "{told}");
}

#[test]
fn a_certificate_that_is_renewed_is_shown_without_a_restart_and_a_bad_one_never() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "");
    let first = fs::read(daemon.directory().join("chain.pem")).unwrap();
    fs::write(daemon.directory().join("first.pem"), &first).unwrap();
    let ask = |daemon: &Daemon, ca: &str| {
        let ca = with(daemon, "+tls-ca=", ca);
        let said =
            lab.kdig(&["@10.53.0.1", "+tls", &ca, "+tls-hostname=ns1.tm.example", "web.tm.example"]).unwrap();
        said.contains(WEB)
    };
    assert!(ask(&daemon, "first.pem"));
    // A key that is another's: told, and nothing changes.
    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(daemon.directory().join("key.pem"), key.serialize_pem()).unwrap();
    let told = daemon.wait_for("the bad key", |line| line.contains("configuration not reloaded"));
    assert!(told.contains("key.pem: it is not that of the certificate"), "{told}");
    assert!(ask(&daemon, "first.pem"));
    certify(daemon.directory());
    published(&mut daemon);
    // The plan goes its own way to the sockets, after that.
    while ask(&daemon, "first.pem") {}
    assert!(ask(&daemon, "chain.pem"));
}

#[test]
fn off_by_default_and_off_again() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "");
    let connect = |port| lab.in_client(|| TcpStream::connect((SERVER_V4, port))).unwrap();
    assert!(connect(853).is_ok() && connect(443).is_ok());
    daemon.write("tm.toml", NODE).unwrap();
    for _ in 0..4 {
        daemon.wait_for("the end", |line| line.contains("no longer answering"));
    }
    while connect(853).is_ok() || connect(443).is_ok() {}
}

#[test]
fn who_does_not_speak_tls_is_left() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "[tcp]\nmessage_timeout = \"1s\"\n");
    for port in [853, 443] {
        // Nothing at all, and what is no TLS: the latter is told so by an alert of seven octets.
        let mut silent = lab.in_client(|| TcpStream::connect((SERVER_V4, port))).unwrap().unwrap();
        silent.set_read_timeout(Some(DEADLINE)).unwrap();
        assert_eq!(silent.read_to_end(&mut vec![]).unwrap(), 0);
        let mut plain = lab.in_client(|| TcpStream::connect((SERVER_V4, port))).unwrap().unwrap();
        plain.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut octets = vec![];
        plain.set_read_timeout(Some(DEADLINE)).unwrap();
        plain.read_to_end(&mut octets).unwrap_or_default();
        assert!(octets.is_empty() || octets.len() == 7, "{octets:?}");
    }
}

#[test]
fn rfc9103_the_zone_is_given_over_tls() {
    let lab = Lab::new().unwrap();
    let key = "[[tsig_key]]\nname = \"secondary\"\nsecret_file = \"{dir}/secret\"\n[transfer]\nallow = [\"secondary\"]\n";
    let secret = "bWluZCB0aGUgZ2FwIGJldHdlZW4gdGhlIHRyYWluIGFuZA==";
    let mut daemon = serve(&lab, "");
    daemon.write("secret", secret).unwrap();
    let node = fs::read_to_string(daemon.directory().join("tm.toml")).unwrap();
    daemon.write("tm.toml", &(node + key)).unwrap();
    published(&mut daemon);
    let (ca, by) = (with(&daemon, "+tls-ca=", "chain.pem"), format!("hmac-sha256:secondary:{secret}"));
    let words = ["@fd53::1", "+tls", &ca, "+tls-hostname=ns1.tm.example", "tm.example", "AXFR"];
    // The new keys go their own way to the sockets.
    let given = std::iter::repeat_with(|| lab.kdig(&[&words[..], &["-y", &by]].concat()).unwrap())
        .find(|given| !given.contains("BADKEY") && !given.contains("REFUSED"));
    assert!(given.is_some_and(|given| given.contains(WEB) && given.matches("\tSOA\t").count() == 2));
    let refused = lab.kdig(&words).unwrap();
    assert!(refused.contains("REFUSED") && !refused.contains(WEB), "{refused}");
}
