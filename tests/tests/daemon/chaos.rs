//! What the server says of itself in class CHAOS, as who looks for it asks: with XDP before the sockets, over UDP and TCP.

use tm_tests::lab::Lab;

use crate::{NODE, profile, serve};

fn ask(lab: &Lab, server: &str, name: &str, way: &str) -> (String, String) {
    let words = [server, "CH", "TXT", name, "+nocookie", way];
    let whole = lab.dig(&words).unwrap();
    let status = whole.split("status: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or(&whole);
    (status.to_owned(), lab.answers(&words).unwrap())
}

#[test]
fn rfc_4892_names_are_refused_until_there_is_a_text_and_again_when_it_is_gone() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &profile("web", "192.0.2.10"));
    let refused = |name: &str| {
        for server in ["@10.53.0.1", "@fd53::1"] {
            for way in ["+notcp", "+tcp"] {
                assert_eq!(ask(&lab, server, name, way), ("REFUSED".into(), String::new()), "{name} {way}");
            }
        }
    };
    let names = ["version.bind", "version.server", "id.server", "hostname.bind"];
    names.iter().for_each(|name| refused(name));
    let text = format!("{NODE}[chaos]\nversion = \"tm 1\"\nserver = \"ams1\"\n");
    daemon.write("tm.toml", &text).unwrap();
    daemon.wait_for("the texts", |line| line.contains("configuration published"));
    for (name, text) in names.iter().zip(["tm 1", "tm 1", "ams1", "ams1"]) {
        for way in ["+notcp", "+tcp"] {
            let said = format!("{name}. 0 CH TXT \"{text}\"");
            assert_eq!(ask(&lab, "@10.53.0.1", name, way), ("NOERROR".into(), said), "{way}");
        }
    }
    refused("authors.bind");
    let status = daemon.status(&lab).unwrap();
    assert_eq!((status.packets("answered"), status.messages("chaos")), (0, 16));
    daemon.write("tm.toml", NODE).unwrap();
    daemon.wait_for("their end", |line| line.contains("configuration published"));
    refused("version.bind");
}
