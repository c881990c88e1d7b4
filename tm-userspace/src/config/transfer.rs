//! `[[tsig_key]]` and `[transfer]`: who may have the zone, who is told of changes, and the secrets that prove it.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use data_encoding::BASE64;
use toml::Spanned;

use crate::desired::{Secondary, Transfer, TsigAlgorithm, TsigKey};

use super::{
    address, defaults,
    files::read_regular,
    name,
    raw::{self, Text},
    report::{Fault, Notes},
    sockets::warn_of_readers,
    value::{absolute, quote, word},
};

const ALGORITHMS: &[(&str, TsigAlgorithm)] = &[
    ("hmac-sha256", TsigAlgorithm::HmacSha256),
    ("hmac-sha384", TsigAlgorithm::HmacSha384),
    ("hmac-sha512", TsigAlgorithm::HmacSha512),
];

pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Transfer {
    let mut known: Vec<(Arc<TsigKey>, &Text)> = vec![];
    for written in &raw.tsig_key {
        let text = &written.get_ref().name;
        let Some(key) = key(written.get_ref(), notes) else { continue };
        if let Some((_, first)) = known.iter().find(|(other, _)| other.name == key.name) {
            let fault = Fault::new(
                format!("tsig_key {} is there twice", quote(text.get_ref())),
                "name each key differently; case makes no difference",
            );
            notes.clash(text.span(), fault, first.span(), "first given here");
        }
        known.push((Arc::new(key), text));
    }
    let keys: Vec<Arc<TsigKey>> = known.into_iter().map(|(key, _)| key).collect();
    let allow = raw.transfer.allow.iter().filter_map(|text| named(text, &keys, notes));
    let allow: Vec<_> = allow.map(|key| key.name.clone()).collect();
    if let Some(notify) = raw.transfer.notify.first().filter(|_| raw.transfer.allow.is_empty()) {
        let help = "name their keys in `allow`, as [transfer] and allow = [\"secondary\"]";
        notes.error(notify.span(), "who is told of changes could not fetch them", help);
    }
    let notify = raw.transfer.notify.iter().filter_map(|item| secondary(item, &keys, notes)).collect();
    Transfer { keys, allow, notify }
}

fn key(raw: &raw::TsigKey, notes: &mut Notes<'_>) -> Option<TsigKey> {
    let faults = notes.faults();
    let name = name::whole(raw.name.get_ref()).map_err(|fault| notes.fault(raw.name.span(), fault)).ok();
    let algorithm = raw.algorithm.as_ref();
    let algorithm = word(notes, "algorithm", algorithm, ALGORITHMS, &[], TsigAlgorithm::HmacSha256);
    let path = absolute(notes, "secret_file", Some(&raw.secret_file), "/etc/tm/secondary.key");
    if notes.faults() > faults {
        return None;
    }
    match secret(&path) {
        Ok(secret) => {
            warn_of_readers(&path, &raw.secret_file, notes);
            Some(TsigKey { name: name?, algorithm, secret })
        }
        Err(why) => {
            let message = format!("cannot use the secret {}: {why}", path.display());
            let help = "name a file that holds a secret in base64 and nothing else, as `openssl rand -base64 32` makes it";
            notes.error(raw.secret_file.span(), message, help);
            None
        }
    }
}

fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let text = read_regular(path).map_err(|error| error.to_string())?;
    // Nothing of the file is shown: it may well be the secret after all.
    let secret = BASE64.decode(text.trim_ascii()).map_err(|_| "it is not base64".to_owned())?;
    match secret.len() {
        length if length < defaults::TSIG_SECRET_AT_LEAST => Err(format!(
            "it has {length} octets, and with less than {} can be guessed",
            defaults::TSIG_SECRET_AT_LEAST
        )),
        _ => Ok(secret),
    }
}

/// The key that is called so.
fn named(text: &Text, keys: &[Arc<TsigKey>], notes: &mut Notes<'_>) -> Option<Arc<TsigKey>> {
    let name = name::whole(text.get_ref()).ok();
    let key = keys.iter().find(|key| Some(&key.name) == name.as_ref()).cloned();
    if key.is_none() {
        let message = format!("there is no tsig_key {}", quote(text.get_ref()));
        notes.error(
            text.span(),
            message,
            "write [[tsig_key]] with this name, or the name of one that is there",
        );
    }
    key
}

fn secondary(
    item: &Spanned<raw::Secondary>,
    keys: &[Arc<TsigKey>],
    notes: &mut Notes<'_>,
) -> Option<Secondary> {
    let (text, span, key) = match item.get_ref() {
        raw::Secondary::Address(text) => (text, item.span(), None),
        raw::Secondary::Table(table) => (table.address.get_ref(), table.address.span(), table.key.as_ref()),
    };
    let key = match key {
        Some(key) => Some(named(key, keys, notes)?),
        None => None,
    };
    match socket_address(text) {
        Ok(address) => Some(Secondary { address, key }),
        Err(fault) => {
            notes.fault(span, fault);
            None
        }
    }
}

/// An address that one host can have, with a port or without.
fn socket_address(text: &str) -> Result<SocketAddr, Fault> {
    if let Ok(whole) = text.parse::<SocketAddr>() {
        let address: IpAddr = address::host_address(&whole.ip().to_string())?;
        if whole.port() == 0 {
            return Err(Fault::new(
                format!("{} has no port", quote(text)),
                "write a port from 1 to 65535, or none",
            ));
        }
        return Ok(SocketAddr::new(address, whole.port()));
    }
    Ok(SocketAddr::new(address::host_address(text)?, defaults::LISTEN_PORT))
}
