//! `[[webhook]]`, `[metrics]` and `[dnstap]`, key by key.
#![expect(clippy::unwrap_used, reason = "a test's own files that cannot be written end the test")]

use std::fs;

use tm_userspace::{config::Loaded, desired::Webhook};

use crate::kit::{NODE, check_node, load_files};

/// Loads a node with one receiver whose secret's file has this in it.
fn loaded(secret: &str, keys: &str) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    fs::write(&file, secret).unwrap();
    let text = format!("{NODE}[[webhook]]\nsecret_file = \"{}\"\n{keys}\n", file.display());
    let loaded = load_files(&[("tm.toml", text.as_bytes())]).1;
    loaded.map_err(|error| {
        let problems = error.problems();
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        messages.join("\n").replace(&dir.path().display().to_string(), "")
    })
}

const URL: &str = "url = \"https://hooks.example.com/tm?key=hidden\"";
/// 24 octets.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_receiver_is_told_of_states_where_it_does_not_say() {
    for secret in [SECRET.to_owned(), format!("whsec_{SECRET}\n")] {
        let node = loaded(&secret, URL).unwrap().node.clone();
        let [webhook] = node.webhooks.as_slice() else { panic!("{:?}", node.webhooks) };
        assert_eq!((webhook.secret.len(), webhook.secret[0]), (24, 0x31));
        assert_eq!(webhook.events, ["endpoint_status", "profile_status"]);
        assert!(webhook.wants("profile_status") && !webhook.wants("profile_added"));
        let shown = format!("{webhook:?}");
        assert!(shown.contains("https://hooks.example.com") && !shown.contains("hidden"), "{shown}");
    }
    let all = Webhook::EVENTS.map(|event| format!("\"{event}\"")).join(", ");
    let node = loaded(SECRET, &format!("{URL}\nevents = [{all}]")).unwrap().node.clone();
    assert_eq!(node.webhooks[0].events, Webhook::EVENTS);
}

#[test]
fn what_is_wrong_with_a_receiver_is_told() {
    let wrong = |secret: &str, keys: &str| loaded(secret, keys).unwrap_err();
    assert_eq!(wrong("no base64!", URL), "cannot use the secret /secret: it is not base64");
    assert_eq!(
        wrong("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", URL),
        "cannot use the secret /secret: it has 22 octets, and with less than 24 can be guessed"
    );
    assert_eq!(wrong(SECRET, "url = \"hooks.example.com\""), "url `hooks.example.com` is not one of HTTP");
    assert_eq!(wrong(SECRET, "url = \"ftp://a.example/\""), "url `ftp://a.example/` is not one of HTTP");
    assert_eq!(wrong(SECRET, &format!("{URL}\nevents = [\"flip\"]")), "there is no event `flip`");
    check_node(
        &format!("{NODE}[[webhook]]\nurl = \"http://a.example/\"\nsecret_file = \"key\"\n"),
        "tm.toml:7:15 `\"key\"` secret_file `key` is not an absolute path",
    );
    check_node(
        &format!("{NODE}[[webhook]]\nurl = \"http://a.example/\"\n"),
        "tm.toml:5:1 `[[webhook]]` missing key `secret_file`",
    );
}

#[test]
fn metrics_are_read_at_an_address_with_a_port() {
    let at =
        |keys: &str| load_files(&[("tm.toml", format!("{NODE}{keys}").as_bytes())]).1.unwrap().node.metrics;
    assert_eq!(at(""), None);
    assert_eq!(at("[metrics]\n"), Some("127.0.0.1:9153".parse().unwrap()));
    assert_eq!(at("[metrics]\nlisten = \"[::]:9100\"\n"), Some("[::]:9100".parse().unwrap()));
    check_node(
        &format!("{NODE}[metrics]\nlisten = \"9153\"\n"),
        "tm.toml:6:10 `\"9153\"` listen `9153` is not an address with a port",
    );
}

#[test]
fn a_collector_of_dnstap_listens_at_a_socket() {
    let tap = |keys: &str| {
        let node = load_files(&[("tm.toml", format!("{NODE}{keys}").as_bytes())]).1.unwrap().node.clone();
        node.dnstap.as_ref().map(|tap| (tap.socket.display().to_string(), tap.identity.to_string()))
    };
    let pair = |socket: &str, identity: &str| Some((socket.to_owned(), identity.to_owned()));
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(tap(""), None);
    assert_eq!(tap("[dnstap]\n"), pair("/run/dnstap.sock", host.trim()));
    assert_eq!(tap("[dnstap]\nsocket = \"/tap\"\nidentity = \"\"\n"), pair("/tap", ""));
    let longest = format!("/{}", "a".repeat(106));
    assert_eq!(tap(&format!("[dnstap]\nsocket = \"{longest}\"\nidentity = \"e\"\n")), pair(&longest, "e"));
    check_node(
        &format!("{NODE}[dnstap]\nsocket = \"tap\"\n"),
        "tm.toml:6:10 `\"tap\"` socket `tap` is not an absolute path",
    );
    check_node(
        &format!("{NODE}[dnstap]\nsocket = \"{longest}b\"\n"),
        &format!("tm.toml:6:10 `\"{longest}b\"` the path has 108 octets, and that of a socket at most 107"),
    );
    check_node(&format!("{NODE}[dnstap]\nunix = \"/tap\"\n"), "tm.toml:6:1 `unix` unknown key `unix`");
}
