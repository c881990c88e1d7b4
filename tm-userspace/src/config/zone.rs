//! `zone` and `[[zone]]` of `tm.toml` to zones: names, name servers and SOA.
//!
//! `zone = "..."` is one zone, with `name_servers` and `[soa]` beside it. `[[zone]]` tables are several, the first of which is that of relative names; what one of them does
//! not say of servers and SOA is as it stands beside them.

use std::{net::IpAddr, ops::Range};

use toml::Spanned;

use crate::{
    desired::{NameServer, Soa, Zone},
    names::DnsName,
};

use super::{
    defaults, name,
    node::addresses,
    raw::{self, List, Text},
    report::{Fault, Notes},
    value::{number, quote},
};

/// The zone of relative names and the others, unless something is missing or wrong.
pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Option<(Zone, Vec<Zone>)> {
    let written = match raw.zone.as_ref() {
        None => {
            notes.whole("missing key `zone`", "name the zone to answer for, as zone = \"tm.example\"");
            vec![]
        }
        Some(written) => match written.get_ref() {
            raw::Zones::One(text) => vec![Written { text, span: written.span(), table: None }],
            raw::Zones::Several(tables) => tables
                .iter()
                .map(|table| {
                    let name = &table.get_ref().name;
                    Written { text: name.get_ref(), span: name.span(), table: Some(table.get_ref()) }
                })
                .collect(),
        },
    };
    let named: Vec<Option<DnsName>> = written
        .iter()
        .map(|zone| apex(zone).map_err(|fault| notes.fault(zone.span.clone(), fault)).ok())
        .collect();
    for (i, (zone, name)) in written.iter().zip(&named).enumerate() {
        if let Some(first) =
            name.is_some().then(|| named[..i].iter().position(|other| other == name)).flatten()
        {
            let fault =
                Fault::new(format!("zone {} is there twice", quote(zone.text)), "remove one of the two");
            notes.clash(zone.span.clone(), fault, written[first].span.clone(), "first given here");
        }
    }
    let known: Vec<DnsName> = named.iter().flatten().cloned().collect();
    let is_known = known.len() == written.len() && !known.is_empty();
    let is_ours = |name: &DnsName| !is_known || known.iter().any(|zone| name.is_within(zone));
    let general = servers(raw.name_servers.as_ref(), is_ours, notes);
    let needs_general = written.is_empty() || written.iter().any(|zone| zone.servers().is_none());
    if general.is_none() && needs_general {
        notes.whole("missing key `name_servers`", SERVERS_HELP);
    }
    let general_soa = soa(&raw.soa, None, notes);
    let mut zones = Vec::new();
    for (zone, name) in written.iter().zip(named) {
        let own = servers(zone.servers(), is_ours, notes);
        let over = zone.table.map(|table| soa(&table.soa, Some(&general_soa), notes));
        let times = over.as_ref().unwrap_or(&general_soa);
        let mailbox = match &times.mailbox {
            Given::Not => name.as_ref().and_then(|name| default_mailbox(name, notes)),
            Given::Wrong => None,
            Given::Right(mailbox) => Some(mailbox.clone()),
        };
        let Times { refresh, retry, expire, minimum, .. } = *times;
        if let (Some(name), Some(mailbox)) = (name, mailbox) {
            let soa = Soa { mailbox, refresh, retry, expire, minimum };
            let name_servers = own.or_else(|| general.clone()).unwrap_or_default();
            zones.push(Zone { name, name_servers, soa });
        }
    }
    let mut zones = zones.into_iter();
    Some((zones.next()?, zones.collect()))
}

/// A zone as it is written.
struct Written<'a> {
    text: &'a str,
    span: Range<usize>,
    table: Option<&'a raw::Zone>,
}

impl Written<'_> {
    /// Its own servers.
    fn servers(&self) -> Option<&List<raw::NameServer>> {
        self.table.and_then(|table| table.name_servers.as_ref())
    }
}

fn apex(written: &Written<'_>) -> Result<DnsName, Fault> {
    match written.text {
        "." => {
            Err(Fault::new("the root is no zone to answer for", "write a zone of yours, as \"tm.example\""))
        }
        text => name::whole(text),
    }
}

const SERVERS_HELP: &str = "name at least one, as name_servers = [\"ns1.tm.example\"]";

/// Name servers, if any are written.
fn servers(
    written: Option<&List<raw::NameServer>>,
    is_ours: impl Fn(&DnsName) -> bool,
    notes: &mut Notes<'_>,
) -> Option<Vec<NameServer>> {
    let written = written?;
    if written.get_ref().is_empty() {
        notes.error(written.span(), "`name_servers` is empty", SERVERS_HELP);
    }
    let mut servers: Vec<(NameServer, Range<usize>)> = Vec::new();
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
        let addresses = server_addresses(addresses, is_ours(&name), notes);
        servers.push((NameServer { name, addresses }, span));
    }
    Some(servers.into_iter().map(|(server, _)| server).collect())
}

fn server_addresses(
    written: Option<&Spanned<Vec<Text>>>,
    in_zone: bool,
    notes: &mut Notes<'_>,
) -> Vec<IpAddr> {
    let Some(written) = written else { return Vec::new() };
    let addresses = addresses(written.get_ref(), notes);
    if !in_zone {
        notes.warn(written.span(), "addresses of a name server outside the zones are not used");
        return Vec::new();
    }
    addresses
}

/// The SOA's fields as far as they are written.
struct Times {
    mailbox: Given,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

/// A mailbox.
#[derive(Clone)]
enum Given {
    Not,
    Wrong,
    Right(DnsName),
}

/// What a table says, and where it does not, what `general` or the defaults say.
fn soa(raw: &raw::Soa, general: Option<&Times>, notes: &mut Notes<'_>) -> Times {
    let mut seconds = |key, written: &Option<_>, otherwise: fn(&Times) -> u32, default| {
        number(notes, key, written.as_ref(), defaults::TTL_RANGE, general.map_or(default, otherwise))
    };
    let refresh = seconds("refresh", &raw.refresh, |times| times.refresh, defaults::SOA_REFRESH);
    let retry = seconds("retry", &raw.retry, |times| times.retry, defaults::SOA_RETRY);
    let expire = seconds("expire", &raw.expire, |times| times.expire, defaults::SOA_EXPIRE);
    let minimum = seconds("minimum", &raw.minimum, |times| times.minimum, defaults::SOA_MINIMUM);
    let mailbox = match &raw.mailbox {
        Some(written) => match mailbox(written.get_ref()) {
            Ok(mailbox) => Given::Right(mailbox),
            Err(fault) => {
                notes.fault(written.span(), fault);
                Given::Wrong
            }
        },
        None => general.map_or(Given::Not, |general| general.mailbox.clone()),
    };
    Times { mailbox, refresh, retry, expire, minimum }
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
