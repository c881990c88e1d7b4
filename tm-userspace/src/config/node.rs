//! `tm.toml` to this node's settings: zone, name servers, SOA and guards.

use std::net::IpAddr;

use toml::Spanned;

use crate::{
    desired::{NameServer, Node, Probes, Soa},
    names::DnsName,
};

use super::{
    address, api, defaults, listen, name,
    raw::{self, List, Text},
    report::{Fault, Notes},
    sockets, transfer,
    value::{absolute, number, quote},
};

/// The node, unless so much is missing that there is none; what is wrong is in `notes`.
pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Option<Node> {
    let zone = zone(raw.zone.as_ref(), notes);
    let name_servers = name_servers(raw.name_servers.as_ref(), zone.as_ref(), notes);
    let state_dir = absolute(notes, "state_dir", raw.state_dir.as_ref(), defaults::STATE_DIR);
    let listen = listen::check(raw.listen.as_ref(), notes);
    let sockets = sockets::check(raw, listen.as_ref(), notes);
    let transfer = transfer::check(raw, notes);
    let probes = probes(&raw.probes, notes);
    let names = raw.limits.names.as_ref();
    let capacity = number(notes, "names", names, defaults::LIMIT_NAMES_RANGE, defaults::LIMIT_NAMES);
    let soa = soa(&raw.soa, zone.as_ref(), notes);
    let scope = api::scope(raw, notes);
    let api = api::check(raw.api.as_ref(), &state_dir, notes);
    Some(Node {
        zone: zone?,
        name_servers,
        soa: soa?,
        state_dir,
        listen: listen?,
        sockets,
        transfer,
        probes,
        capacity,
        scope,
        api,
    })
}

/// The least weight that an endpoint may have.
pub(super) fn least_weight(raw: &raw::Node, notes: &mut Notes<'_>) -> u16 {
    let written = raw.limits.least_weight.as_ref();
    number(notes, "least_weight", written, defaults::LEAST_WEIGHT_RANGE, defaults::LEAST_WEIGHT)
}

/// Does the node hold as many profiles as there are?
pub(super) fn fits(raw: &raw::Node, node: &Node, profiles: usize, notes: &mut Notes<'_>) {
    let capacity = node.capacity as usize;
    if let Some(names) = raw.limits.names.as_ref().filter(|_| (1..profiles).contains(&capacity)) {
        let message = format!("names {capacity} is less than the {profiles} profiles");
        notes.error(names.span(), message, format!("write {profiles} or more, or 0 for as many as needed"));
    }
}

fn zone(written: Option<&Text>, notes: &mut Notes<'_>) -> Option<DnsName> {
    let Some(written) = written else {
        notes.whole("missing key `zone`", "name the zone to answer for, as zone = \"tm.example\"");
        return None;
    };
    let text = written.get_ref();
    let zone = match text.as_str() {
        "." => {
            Err(Fault::new("the root is no zone to answer for", "write a zone of yours, as \"tm.example\""))
        }
        text => name::whole(text),
    };
    zone.map_err(|fault| notes.fault(written.span(), fault)).ok()
}

fn name_servers(
    written: Option<&List<raw::NameServer>>,
    zone: Option<&DnsName>,
    notes: &mut Notes<'_>,
) -> Vec<NameServer> {
    const HELP: &str = "name at least one, as name_servers = [\"ns1.tm.example\"]";

    let Some(written) = written else {
        notes.whole("missing key `name_servers`", HELP);
        return Vec::new();
    };
    if written.get_ref().is_empty() {
        notes.error(written.span(), "`name_servers` is empty", HELP);
    }
    let mut servers: Vec<(NameServer, std::ops::Range<usize>)> = Vec::new();
    for item in written.get_ref() {
        let (text, span, addresses) = match item.get_ref() {
            raw::NameServer::Name(text) => (text, item.span(), None),
            raw::NameServer::Table(table) => {
                (table.name.get_ref(), table.name.span(), table.addresses.as_ref())
            }
        };
        let name = match name::whole(text) {
            Ok(name) => name,
            Err(fault) => {
                notes.fault(span, fault);
                continue;
            }
        };
        if let Some((_, first)) = servers.iter().find(|(server, _)| server.name == name) {
            let fault =
                Fault::new(format!("name server {} is given twice", quote(text)), "remove one of the two");
            notes.clash(span.clone(), fault, first.clone(), "first given here");
        }
        let in_zone = zone.is_none_or(|zone| name.is_within(zone));
        let addresses = server_addresses(addresses, in_zone, notes);
        servers.push((NameServer { name, addresses }, span));
    }
    servers.into_iter().map(|(server, _)| server).collect()
}

fn server_addresses(
    written: Option<&Spanned<Vec<Text>>>,
    in_zone: bool,
    notes: &mut Notes<'_>,
) -> Vec<IpAddr> {
    let Some(written) = written else { return Vec::new() };
    let addresses = addresses(written.get_ref(), notes);
    if !in_zone {
        notes.warn(written.span(), "addresses of a name server outside the zone are not used");
        return Vec::new();
    }
    addresses
}

/// Addresses, each once.
pub(super) fn addresses(written: &[Text], notes: &mut Notes<'_>) -> Vec<IpAddr> {
    let mut addresses: Vec<(IpAddr, &Text)> = Vec::new();
    for text in written {
        let address = match address::host_address(text.get_ref()) {
            Ok(address) => address,
            Err(fault) => {
                notes.fault(text.span(), fault);
                continue;
            }
        };
        if let Some((_, first)) = addresses.iter().find(|(known, _)| *known == address) {
            let fault = Fault::new(format!("address `{address}` is given twice"), "remove one of the two");
            notes.clash(text.span(), fault, first.span(), "first given here");
        }
        addresses.push((address, text));
    }
    addresses.into_iter().map(|(address, _)| address).collect()
}

fn soa(raw: &raw::Soa, zone: Option<&DnsName>, notes: &mut Notes<'_>) -> Option<Soa> {
    let mut seconds = |key, written: &Option<_>, default| {
        number(notes, key, written.as_ref(), defaults::TTL_RANGE, default)
    };
    let refresh = seconds("refresh", &raw.refresh, defaults::SOA_REFRESH);
    let retry = seconds("retry", &raw.retry, defaults::SOA_RETRY);
    let expire = seconds("expire", &raw.expire, defaults::SOA_EXPIRE);
    let minimum = seconds("minimum", &raw.minimum, defaults::SOA_MINIMUM);
    let mailbox = match &raw.mailbox {
        Some(written) => {
            mailbox(written.get_ref()).map_err(|fault| notes.fault(written.span(), fault)).ok()?
        }
        None => default_mailbox(zone?, notes)?,
    };
    Some(Soa { mailbox, refresh, retry, expire, minimum })
}

fn default_mailbox(zone: &DnsName, notes: &mut Notes<'_>) -> Option<DnsName> {
    let mailbox = name::relative(defaults::SOA_MAILBOX)
        .and_then(|user| name::under(&user, zone, defaults::SOA_MAILBOX));
    mailbox
        .map_err(|fault| {
            notes.whole(fault.message, "give the zone's mailbox, as [soa] mailbox = \"you@example.com\"")
        })
        .ok()
}

/// `user@host`, or a name whose first label is the user ([RFC 1035, section 8](https://www.rfc-editor.org/rfc/rfc1035#section-8)).
fn mailbox(text: &str) -> Result<DnsName, Fault> {
    let help = "write it as \"hostmaster@example.com\"";
    let malformed = || Fault::new(format!("{} is not a mailbox", quote(text)), help);
    let Some((user, host)) = text.split_once('@') else {
        let name = name::whole(text).map_err(|_| malformed())?;
        // A user and a host of one label at least, and the root.
        return Some(name).filter(|name| name.suffixes().count() > 2).ok_or_else(malformed);
    };
    let host = name::whole(host).map_err(|_| malformed())?;
    let length =
        u8::try_from(user.len()).ok().filter(|length| (1..=63).contains(length)).ok_or_else(malformed)?;
    if !user.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed());
    }
    let user = [&[length][..], user.as_bytes(), &[0]].concat();
    name::under(&DnsName::from_wire(&user), &host, text).map_err(|_| malformed())
}

fn probes(raw: &raw::Probes, notes: &mut Notes<'_>) -> Probes {
    let mut allow = Vec::new();
    for text in &raw.allow {
        match address::prefix(text.get_ref()) {
            Ok(prefix) => allow.push(prefix),
            Err(fault) => notes.fault(text.span(), fault),
        }
    }
    Probes { allow }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_an_address_or_a_name() {
        let wire = |text| mailbox(text).map(|name| name.wire().to_vec());
        let plain = b"\x04john\x07example\x03com\x00".to_vec();
        assert_eq!(wire("john@example.com"), Ok(plain.clone()));
        assert_eq!(wire("john.example.com."), Ok(plain));
        assert_eq!(wire("J.Doe@example.com"), Ok(b"\x05j.doe\x07example\x03com\x00".to_vec()));
        let user = "u".repeat(64);
        for bad in
            ["", "@example.com", "john@", "a@b@c", "john", "j d@example.com", &format!("{user}@example.com")]
        {
            assert!(mailbox(bad).is_err(), "{bad}");
        }
    }
}
