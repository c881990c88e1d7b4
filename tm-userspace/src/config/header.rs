//! Headers of a probe.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use toml::Spanned;

use crate::desired::Target;

use super::{
    address, defaults,
    raw::Text,
    report::{Fault, Notes},
    value::quote,
};

/// The headers in the order they were written.
pub(super) fn check(written: &Spanned<BTreeMap<Text, Text>>, notes: &mut Notes<'_>) -> Vec<(String, String)> {
    let mut headers: Vec<(&Text, &Text)> = written.get_ref().iter().collect();
    headers.sort_by_key(|(name, _)| name.span().start);
    if let Some((over, _)) = headers.get(defaults::HEADERS_AT_MOST) {
        let message = format!("headers has {} of them, over {}", headers.len(), defaults::HEADERS_AT_MOST);
        notes.error(over.span(), message, format!("keep at most {}", defaults::HEADERS_AT_MOST));
    }
    let mut known: Vec<(HeaderName, &Text)> = Vec::new();
    for (name, value) in &headers {
        if let Err(fault) = self::value(name.get_ref(), value.get_ref()) {
            notes.fault(value.span(), fault);
        }
        let parsed = match self::name(name.get_ref()) {
            Ok(parsed) => parsed,
            Err(fault) => {
                notes.fault(name.span(), fault);
                continue;
            }
        };
        if let Some((_, first)) = known.iter().find(|(other, _)| *other == parsed) {
            let message = format!("header {} is given twice", quote(name.get_ref()));
            notes.clash(
                name.span(),
                Fault::new(message, "remove one of the two"),
                first.span(),
                "first given here",
            );
        }
        known.push((parsed, name));
    }
    headers.into_iter().map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone())).collect()
}

fn name(text: &str) -> Result<HeaderName, Fault> {
    let help = "write a name of letters, digits and hyphens, as X-Probe";
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| Fault::new(format!("{} is not a header's name", quote(text)), help))?;
    if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
        let message = format!("header {} would describe a body, and a probe has none", quote(text));
        return Err(Fault::new(message, "remove it"));
    }
    Ok(name)
}

fn value(name: &str, text: &str) -> Result<(), Fault> {
    if HeaderValue::from_str(text).is_err() {
        let message = format!("the value of header {} has characters no header can carry", quote(name));
        return Err(Fault::new(message, "write visible ASCII characters and spaces"));
    }
    if name.eq_ignore_ascii_case(HOST.as_str()) {
        return host(text).map_err(|_| {
            let message = format!("the value of header {} is not a host: {}", quote(name), quote(text));
            Fault::new(message, "write a DNS name or an address, with a port where it needs one")
        });
    }
    Ok(())
}

/// `host` or `host:port`, IPv6 in brackets: the probe's URL and its SNI are made of it.
fn host(text: &str) -> Result<(), Fault> {
    let malformed = || Fault::new("", "");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return Err(malformed());
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().map(|_| ()).map_err(|_| malformed()),
        None => match address::target(host)? {
            Target::V6(_) => Err(malformed()),
            Target::Name(_) | Target::V4(_) | Target::Profile(_) => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_a_port() {
        for good in [
            "www.contoso.com",
            "www.contoso.com:8080",
            "192.0.2.1",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:443",
        ] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "*.contoso.com",
            "a b",
            "a:x",
            "a:",
            "a:65536",
            "a:+80",
            "2001:db8::1",
            "[a]",
            "http://a",
            "a/b",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
