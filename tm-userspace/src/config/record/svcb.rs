//! The data of SVCB and HTTPS records ([RFC 9460, section 2] and appendix A): priority, target and parameters, in the order of their keys.
//!
//! [RFC 9460, section 2]: https://www.rfc-editor.org/rfc/rfc9460#section-2

use std::{collections::BTreeMap, net::IpAddr, str};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{name, short, words::Word};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
/// Of which no value is known: not to be used ([RFC 9460, section 14.3.2](https://www.rfc-editor.org/rfc/rfc9460#section-14.3.2)).
const INVALID: u16 = u16::MAX;

/// The keys that have names; what the others say is not looked into.
const KEYS: &[(&str, u16)] = &[
    ("mandatory", MANDATORY),
    ("alpn", ALPN),
    ("no-default-alpn", NO_DEFAULT_ALPN),
    ("port", PORT),
    ("ipv4hint", IPV4HINT),
    ("ech", ECH),
    ("ipv6hint", IPV6HINT),
    ("dohpath", 7),
    ("ohttp", 8),
];

/// RDATA, or what is wrong.
pub(super) fn data(words: &[Word<'_>]) -> Result<Vec<u8>, String> {
    let [priority, target, parameters @ ..] = words else {
        return Err("it has no priority and target".to_owned());
    };
    let priority = short(priority, "priority")?;
    let mut octets = [&priority[..], &name(target)?].concat();
    if priority == [0, 0] && !parameters.is_empty() {
        return Err("it is an alias (priority 0), which has no parameters".to_owned());
    }
    let mut known = BTreeMap::new();
    for word in parameters {
        let (key, value) = parameter(word)?;
        if known.insert(key, value).is_some() {
            return Err(format!("it has {} twice", said(key)));
        }
    }
    consistent(&known)?;
    for (key, value) in known {
        octets.extend(key.to_be_bytes());
        octets.extend((value.len() as u16).to_be_bytes());
        octets.extend(value);
    }
    Ok(octets)
}

/// What parameters say of each other.
fn consistent(known: &BTreeMap<u16, Vec<u8>>) -> Result<(), String> {
    if known.contains_key(&NO_DEFAULT_ALPN) && !known.contains_key(&ALPN) {
        return Err("it has no-default-alpn without alpn".to_owned());
    }
    for key in known.get(&MANDATORY).into_iter().flat_map(|value| value.chunks_exact(2)) {
        let key = u16::from_be_bytes([key[0], key[1]]);
        if key == MANDATORY {
            return Err("mandatory is in its own list, which it never is".to_owned());
        }
        if !known.contains_key(&key) {
            return Err(format!("{} is mandatory, but it is not there", said(key)));
        }
    }
    Ok(())
}

/// A key and its value.
fn parameter(word: &Word<'_>) -> Result<(u16, Vec<u8>), String> {
    let (name, value) = match word.octets.iter().position(|octet| *octet == b'=') {
        Some(at) => (&word.octets[..at], Some(&word.octets[at + 1..])),
        None => (&word.octets[..], None),
    };
    let name = str::from_utf8(name).unwrap_or_default();
    let key = key(name).ok_or_else(|| format!("{} is no key of a parameter", super::quote(word.text)))?;
    let has_no_value = value.is_none_or(<[u8]>::is_empty);
    // A value by the number of a key is as on the wire.
    if name.starts_with("key") {
        return match said(key) {
            known if known != name => Err(format!("{name} is called {known}")),
            _ => Ok((key, value.unwrap_or_default().to_vec())),
        };
    }
    match key {
        NO_DEFAULT_ALPN | 8 if has_no_value => return Ok((key, vec![])),
        NO_DEFAULT_ALPN | 8 => return Err(format!("{name} has a value")),
        _ if has_no_value => return Err(format!("{name} has no value")),
        _ => {}
    }
    let value = value.unwrap_or_default();
    let wrong = |what: &str| format!("{name} is not {what}");
    let value = match key {
        MANDATORY => {
            let keys = list(value)?.into_iter().map(|item| str::from_utf8(&item).ok().and_then(self::key));
            let keys: Option<Vec<u16>> = keys.collect();
            let mut keys = keys.ok_or_else(|| wrong("a list of keys"))?;
            keys.sort_unstable();
            match keys.windows(2).any(|pair| pair[0] == pair[1]) {
                true => return Err(wrong("a list of different keys")),
                false => keys.into_iter().flat_map(u16::to_be_bytes).collect(),
            }
        }
        ALPN => {
            let mut octets = vec![];
            for item in list(value)? {
                octets.push(u8::try_from(item.len()).map_err(|_| wrong("a list of protocols"))?);
                octets.extend(item);
            }
            octets
        }
        PORT => {
            let text = str::from_utf8(value).ok().filter(|text| text.bytes().all(|d| d.is_ascii_digit()));
            let port: Option<u16> = text.and_then(|text| text.parse().ok());
            port.ok_or_else(|| wrong("a port"))?.to_be_bytes().to_vec()
        }
        IPV4HINT | IPV6HINT => {
            let mut octets = vec![];
            for item in list(value)? {
                match str::from_utf8(&item).ok().and_then(|text| text.parse().ok()) {
                    Some(IpAddr::V4(address)) if key == IPV4HINT => octets.extend(address.octets()),
                    Some(IpAddr::V6(address)) if key == IPV6HINT => octets.extend(address.octets()),
                    _ => return Err(wrong("a list of addresses of its family")),
                }
            }
            octets
        }
        ECH => BASE64_STANDARD.decode(value).map_err(|_| wrong("base64"))?,
        _ => value.to_vec(),
    };
    Ok((key, value))
}

/// A key by its name, or as `key` and its number.
fn key(name: &str) -> Option<u16> {
    if let Some((_, key)) = KEYS.iter().find(|(known, _)| *known == name) {
        return Some(*key);
    }
    let digits = name.strip_prefix("key")?;
    let key: u16 = digits.parse().ok().filter(|key: &u16| key.to_string() == digits)?;
    (key != INVALID).then_some(key)
}

fn said(key: u16) -> String {
    let known = KEYS.iter().find(|(_, known)| *known == key);
    known.map_or_else(|| format!("key{key}"), |(name, _)| (*name).to_owned())
}

/// The items between commas, none of them empty; a backslash makes a comma or a backslash part of one.
fn list(value: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut items = vec![vec![]];
    let mut octets = value.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b',' => items.push(vec![]),
            b'\\' => match (octets.next(), items.last_mut()) {
                (Some(next @ (b',' | b'\\')), Some(item)) => item.push(*next),
                _ => return Err("in a list a backslash stands before a comma or a backslash".to_owned()),
            },
            _ => items.last_mut().into_iter().for_each(|item| item.push(*octet)),
        }
    }
    match items.iter().any(Vec::is_empty) {
        true => Err("there is an empty item in a list".to_owned()),
        false => Ok(items),
    }
}
