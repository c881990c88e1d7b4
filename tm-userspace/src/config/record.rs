//! `[[profile.record]]` and `[[profile.endpoint.record]]`: each alone, then all of a profile against each other.
//!
//! Data is read as in a zone file ([RFC 1035, section 5.1]), but for what is about several lines; names are in full, whether they end in a dot or not.
//!
//! [RFC 1035, section 5.1]: https://www.rfc-editor.org/rfc/rfc1035#section-5.1

mod svcb;
mod words;

use std::sync::Arc;

use hickory_proto::rr::RecordType;
use tm_common::tables::MOST_OCTETS;

use self::words::{Word, number_of, words};
use super::{
    defaults,
    name::ends_in_number,
    raw,
    report::{Fault, Notes},
    value::{number, quote, word},
};
use crate::{
    desired::{Endpoint, Record, Target},
    names::DnsName,
};

/// The types, each with data as they are to be written.
const TYPES: &[(RecordType, &str)] = &[
    (RecordType::TXT, "'\"v=spf1 -all\"'"),
    (RecordType::CAA, "'0 issue \"ca.example\"'"),
    (RecordType::MX, "\"10 mail.contoso.com\""),
    (RecordType::SRV, "\"0 5 443 virginia.contoso.com\", which is priority, weight, port and target"),
    (RecordType::SVCB, "\"1 virginia.contoso.com alpn=h2,h3\", or \"0 other.contoso.com\" for an alias"),
    (RecordType::HTTPS, "\"1 . alpn=h2,h3\", or \"0 other.contoso.com\" for an alias"),
];
const WORDS: &[(&str, RecordType)] = &[
    ("TXT", RecordType::TXT),
    ("CAA", RecordType::CAA),
    ("MX", RecordType::MX),
    ("SRV", RecordType::SRV),
    ("SVCB", RecordType::SVCB),
    ("HTTPS", RecordType::HTTPS),
];
/// Octets of a record besides its data, its owner compressed.
const HEAD: usize = 12;
/// Octets of a character string ([RFC 1035, section 3.3](https://www.rfc-editor.org/rfc/rfc1035#section-3.3)).
const LONGEST_STRING: usize = 255;

/// Those that are right of what is written at `owner`, a profile or an endpoint in words.
pub(super) fn read(written: &[raw::Record], owner: &str, notes: &mut Notes<'_>) -> Vec<Record> {
    let mut records: Vec<Record> = vec![];
    for raw in written {
        let faults = notes.faults();
        let key = |key: &str| format!("a record of {owner}: {key}");
        let kind = word(notes, &key("type"), Some(&raw.kind), WORDS, &[], RecordType::ZERO);
        let ttl = raw.ttl.as_ref();
        let ttl = ttl.map(|ttl| number(notes, &key("ttl"), Some(ttl), defaults::TTL_RANGE, defaults::TTL));
        if notes.faults() > faults {
            continue;
        }
        match data(kind, raw.data.get_ref()) {
            Ok(data) if records.iter().any(|known| known.kind == kind && known.data[..] == data) => {
                let message = format!("{owner}: {kind} {} is there twice", quote(raw.data.get_ref()));
                notes.error(raw.data.span(), message, "write each record once");
            }
            Ok(data) => records.push(Record { kind, ttl, data: data.into() }),
            Err(message) => {
                let message = format!("{owner}: {kind} {}: {message}", quote(raw.data.get_ref()));
                let sample = TYPES.iter().find(|(known, _)| *known == kind).map_or("", |(_, sample)| sample);
                notes.fault(raw.data.span(), Fault::new(message, format!("write it as in data = {sample}")));
            }
        }
    }
    records
}

/// What of a profile's records cannot be answered together, or at all.
pub(super) fn compare(
    profile: &raw::Profile,
    records: &[Record],
    endpoints: &[Arc<Endpoint>],
    notes: &mut Notes<'_>,
) {
    let name = quote(profile.name.get_ref());
    let size = |records: &[Record], kind| -> usize {
        records.iter().filter(|known| known.kind == kind).map(|known| HEAD + known.data.len()).sum()
    };
    let help = "write fewer or shorter records; each takes 12 octets and its data";
    for (kind, _) in TYPES {
        let own = size(records, *kind);
        let last = |written: &[raw::Record]| {
            let is_of = |raw: &&raw::Record| raw.kind.get_ref().eq_ignore_ascii_case(&kind.to_string());
            written.iter().rfind(is_of).map_or(profile.name.span(), |raw| raw.data.span())
        };
        if own > MOST_OCTETS {
            let message =
                format!("the {kind} records of profile {name} have {own} octets, over {MOST_OCTETS}");
            notes.error(last(&profile.record), message, help);
            continue;
        }
        for (raw, endpoint) in profile.endpoint.iter().zip(endpoints) {
            let both = own + size(&endpoint.records, *kind);
            if both > MOST_OCTETS && both > own {
                let endpoint = quote(&endpoint.name);
                let message = format!(
                    "the {kind} records of profile {name} and of its endpoint {endpoint} have {both} octets, over {MOST_OCTETS}"
                );
                notes.error(last(&raw.record), message, help);
            }
        }
    }
    let is_name = |endpoint: &Endpoint| matches!(endpoint.target, Target::Name(_));
    let why = "it answers with a CNAME, which stands alone";
    for (raw, endpoint) in profile.endpoint.iter().zip(endpoints) {
        if let Some(first) = raw.record.first().filter(|_| is_name(endpoint)) {
            let message = format!("records of endpoint {} are never answered: {why}", quote(&endpoint.name));
            notes.warn(first.kind.span(), message);
        }
    }
    if let Some(first) = profile.record.first()
        && !endpoints.is_empty()
        && endpoints.iter().all(|endpoint| is_name(endpoint))
    {
        notes.warn(first.kind.span(), format!("records of profile {name} are hardly ever answered: {why}"));
    }
}

/// A nested endpoint is never who answers.
pub(super) fn none_of_nested(raw: &raw::Endpoint, notes: &mut Notes<'_>) {
    if let Some(first) = raw.record.first() {
        let help = "write it on the endpoints of the target profile, which answer, or on this profile";
        notes.error(first.kind.span(), "a record on a nested endpoint, which does not answer itself", help);
    }
}

/// RDATA, or what is wrong.
fn data(kind: RecordType, text: &str) -> Result<Vec<u8>, String> {
    let words = words(text)?;
    let exactly = |names: &[&str]| match words.len() {
        count if count == names.len() => Ok(()),
        count => Err(format!("it has {count} of {} words: {}", names.len(), names.join(", "))),
    };
    let mut octets = vec![];
    match kind {
        RecordType::TXT => {
            if words.is_empty() {
                return Err("it has no text".to_owned());
            }
            words.iter().for_each(|word| put_strings(&mut octets, &word.octets));
        }
        RecordType::CAA => {
            exactly(&["flags", "tag", "value"])?;
            octets.push(number_of(&words[0], "flags", u8::MAX.into())? as u8);
            let tag = &words[1].octets;
            if !(1..=LONGEST_STRING).contains(&tag.len()) || !tag.iter().all(u8::is_ascii_alphanumeric) {
                return Err(format!("the tag is not 1 to {LONGEST_STRING} letters and digits"));
            }
            octets.push(tag.len() as u8);
            octets.extend(tag);
            octets.extend(&words[2].octets);
        }
        RecordType::MX => {
            exactly(&["preference", "exchange"])?;
            octets.extend(short(&words[0], "preference")?);
            octets.extend(name(&words[1])?);
        }
        RecordType::SRV => {
            exactly(&["priority", "weight", "port", "target"])?;
            for (word, key) in words.iter().zip(["priority", "weight", "port"]) {
                octets.extend(short(word, key)?);
            }
            octets.extend(name(&words[3])?);
        }
        _ => octets = svcb::data(&words)?,
    }
    match octets.len() {
        0..=MOST_OCTETS => Ok(octets),
        length => Err(format!("it has {length} octets, over {MOST_OCTETS}")),
    }
}

fn short(word: &Word<'_>, what: &str) -> Result<[u8; 2], String> {
    Ok((number_of(word, what, u16::MAX.into())? as u16).to_be_bytes())
}

/// A name in full, on the wire.
fn name(word: &Word<'_>) -> Result<Vec<u8>, String> {
    if word.text == "@" || word.is_quoted {
        return Err(format!("{} is no name: write it in full, without quotes", quote(word.text)));
    }
    if ends_in_number(word.text) {
        return Err(format!("{} is no name but an address: write the name that has it", quote(word.text)));
    }
    let name: DnsName = word.text.parse().map_err(|error| format!("{error}"))?;
    Ok(name.wire().to_vec())
}

/// A text as one character string, or where it is longer than that, as several.
fn put_strings(octets: &mut Vec<u8>, text: &[u8]) {
    let first = &text[..text.len().min(LONGEST_STRING)];
    let rest = text[first.len()..].chunks(LONGEST_STRING);
    for string in std::iter::once(first).chain(rest) {
        octets.push(string.len() as u8);
        octets.extend(string);
    }
}

#[cfg(test)]
mod tests;
