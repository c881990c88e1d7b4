//! `[listen]`: interfaces, addresses, VLANs and how the program is attached.

use toml::Spanned;

use crate::desired::{Listen, XdpMode};

use super::{
    defaults, node,
    raw::{self, Integer, Text},
    report::{Fault, Notes},
    value::{self, number, quote, word},
};

const MODES: &[(&str, XdpMode)] = &[
    ("auto", XdpMode::Auto),
    ("native", XdpMode::Native),
    ("generic", XdpMode::Generic),
    ("off", XdpMode::Off),
];

pub(super) fn check(written: Option<&Spanned<raw::Listen>>, notes: &mut Notes<'_>) -> Option<Listen> {
    let Some(written) = written else {
        notes.whole("missing table [listen]", "say where to answer, as [listen] and interfaces = [\"eth0\"]");
        return None;
    };
    let raw = written.get_ref();
    let interfaces = interfaces(&raw.interfaces, notes);
    let addresses = node::addresses(&raw.addresses, notes);
    let port = number(notes, "port", raw.port.as_ref(), defaults::PORT_RANGE, defaults::LISTEN_PORT);
    let mode = word(notes, "mode", raw.mode.as_ref(), MODES, &[], XdpMode::Auto);
    let vlans = vlans(&raw.vlans, notes);
    if raw.interfaces.is_empty() && mode != XdpMode::Off {
        let (span, message) = match (&raw.mode, raw.addresses.is_empty()) {
            (_, true) => (written.span(), "[listen] has neither interfaces nor addresses".to_owned()),
            (Some(mode), false) => (mode.span(), format!("mode {} needs interfaces", quote(mode.get_ref()))),
            (None, false) => (written.span(), "[listen] has addresses but no interfaces".to_owned()),
        };
        let help = "name them, as interfaces = [\"eth0\"], or give addresses and mode = \"off\" to answer from sockets alone";
        notes.error(span, message, help);
    } else if raw.interfaces.is_empty() && raw.addresses.is_empty() {
        let help = "give addresses = [...] to answer at, or interfaces whose addresses count";
        notes.error(written.span(), "[listen] has neither interfaces nor addresses", help);
    }
    let pins = value::absolute(notes, "pins", raw.pins.as_ref(), defaults::PINS);
    Some(Listen {
        interfaces,
        addresses,
        port,
        mode,
        vlans,
        route_lookup: raw.route_lookup,
        pins,
        keep: raw.keep,
    })
}

fn interfaces(written: &[Text], notes: &mut Notes<'_>) -> Vec<String> {
    let mut known: Vec<&Text> = Vec::new();
    for text in written {
        if let Err(fault) = interface(text.get_ref()) {
            notes.fault(text.span(), fault);
        } else if let Some(first) = known.iter().find(|first| first.get_ref() == text.get_ref()) {
            let message = format!("interface {} is given twice", quote(text.get_ref()));
            notes.clash(
                text.span(),
                Fault::new(message, "remove one of the two"),
                first.span(),
                "first given here",
            );
        }
        known.push(text);
    }
    known.into_iter().map(|text| text.get_ref().clone()).collect()
}

/// What the kernel takes for an interface's name (`dev_valid_name`).
fn interface(text: &str) -> Result<(), Fault> {
    let what = match text {
        "" => "it is empty".to_owned(),
        "." | ".." => "it is a directory".to_owned(),
        _ if text.len() > defaults::INTERFACE_NAME_AT_MOST => {
            format!("it has {} octets, over {}", text.len(), defaults::INTERFACE_NAME_AT_MOST)
        }
        _ => match text.chars().find(|&char| "/:".contains(char) || char.is_whitespace() || char == '\0') {
            Some(char) => format!("it has {char:?} in it"),
            None => return Ok(()),
        },
    };
    let message = format!("{} is not an interface's name: {what}", quote(text));
    Err(Fault::new(message, "write a name that `ip link` shows"))
}

fn vlans(written: &[Spanned<Integer>], notes: &mut Notes<'_>) -> Vec<u16> {
    let mut known: Vec<(u16, &Spanned<Integer>)> = Vec::new();
    for item in written {
        // Out of range shows as a default that no id can be.
        let id = number(notes, "VLAN id", Some(item), defaults::VLAN_RANGE, u16::MAX);
        if let Some((_, first)) = known.iter().find(|(other, _)| *other == id && id != u16::MAX) {
            let fault = Fault::new(format!("VLAN id {id} is given twice"), "remove one of the two");
            notes.clash(item.span(), fault, first.span(), "first given here");
        }
        known.push((id, item));
    }
    known.into_iter().map(|(id, _)| id).collect()
}
