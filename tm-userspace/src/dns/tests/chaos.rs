//! Class CHAOS: said is what the configuration has, and to nobody else (RFC 4892).

use std::sync::Arc;

use super::{
    cases::{REFUSED, check},
    kit::{Ask, ask, desired, responder_for, three_servers},
};
use crate::{
    desired::{Chaos, Desired, Node, Sockets},
    dns::Responder,
};

const TXT: u16 = 16;

fn saying(version: Option<&str>, server: Option<&str>) -> Responder {
    let desired = desired(three_servers());
    let chaos = Chaos { version: version.map(Arc::from), server: server.map(Arc::from) };
    let sockets = Sockets { chaos, ..desired.node.sockets.clone() };
    let node = Arc::new(Node { sockets, ..(*desired.node).clone() });
    responder_for(&Desired { node, ..desired }, 512)
}

fn chaos(name: &str, kind: u16) -> Ask {
    ask(&format!("{name} {kind}")).class(3)
}

#[test]
fn rfc_4892_section_2_what_is_not_set_is_refused() {
    for (responder, names) in [
        (saying(None, None), &["version.bind", "version.server", "id.server", "hostname.bind"][..]),
        (saying(Some("tm 1"), None), &["id.server", "hostname.bind"]),
        (saying(None, Some("ams1")), &["version.bind", "version.server"]),
    ] {
        for name in names {
            check(&responder, &chaos(name, TXT), REFUSED);
        }
    }
}

#[test]
fn rfc_4892_section_2_what_is_set_is_said_and_is_nobodys_zone() {
    let responder = saying(Some("tm 1"), Some("ams1"));
    for (name, text) in [
        ("version.bind", "tm 1"),
        ("Version.Server", "tm 1"),
        ("ID.server", "ams1"),
        ("hostname.bind", "ams1"),
    ] {
        let said = format!("an {name}. 0 TXT {text}");
        check(&responder, &chaos(name, TXT), &["NOERROR", &said]);
        check(&responder, &chaos(name, 255), &["NOERROR", &said]);
        check(&responder, &chaos(name, TXT).opt(1232, 0x8000, &[]), &["NOERROR", &said, "opt 1232 do"]);
    }
}

#[test]
fn other_types_classes_and_names_are_refused_all_the_same() {
    let responder = saying(Some("tm 1"), Some("ams1"));
    for other in [
        chaos("version.bind", 1),
        chaos("version.bind", 6),
        chaos("bind", TXT),
        chaos("authors.bind", TXT),
        chaos("version.bind.tm.example", TXT),
        chaos("x.id.server", TXT),
        ask("version.bind TXT"),
        ask("id.server TXT").class(4),
        ask("id.server TXT").class(255),
    ] {
        check(&responder, &other, REFUSED);
    }
}

#[test]
fn rfc_6891_section_6_1_3_another_version_of_edns_comes_first() {
    let responder = saying(Some("tm 1"), None);
    check(&responder, &chaos("version.bind", TXT).opt(1232, 0x0001_0000, &[]), &["BADVERS", "opt 1232"]);
}

#[test]
fn rfc_1035_section_3_3_the_longest_text_is_whole() {
    let longest = "v".repeat(255);
    let responder = saying(Some(&longest), None);
    check(
        &responder,
        &chaos("version.bind", TXT),
        &["NOERROR", &format!("an version.bind. 0 TXT {longest}")],
    );
}
