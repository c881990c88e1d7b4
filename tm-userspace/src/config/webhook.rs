//! `[[webhook]]`: who is told of what happens, and the secrets that such messages are signed with.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Url;
use toml::Spanned;

use crate::desired::Webhook;

use super::{
    defaults,
    files::read_regular,
    raw,
    report::{Fault, Notes},
    sockets::warn_of_readers,
    value::{absolute, quote},
};

pub(super) fn check(raw: &[Spanned<raw::Webhook>], notes: &mut Notes<'_>) -> Vec<Webhook> {
    let mut known: Vec<(Webhook, std::ops::Range<usize>)> = vec![];
    for written in raw {
        let span = written.get_ref().url.span();
        let Some(webhook) = webhook(written.get_ref(), notes) else { continue };
        if let Some((_, first)) = known.iter().find(|(other, _)| other.url == webhook.url) {
            let fault =
                Fault::new("this url is there twice", "write one [[webhook]] with the events of both");
            notes.clash(span.clone(), fault, first.clone(), "first given here");
        }
        known.push((webhook, span));
    }
    known.into_iter().map(|(webhook, _)| webhook).collect()
}

fn webhook(raw: &raw::Webhook, notes: &mut Notes<'_>) -> Option<Webhook> {
    let faults = notes.faults();
    let url = Url::parse(raw.url.get_ref()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
    });
    if url.is_none() {
        let message = format!("url {} is not one of HTTP", quote(raw.url.get_ref()));
        notes.error(raw.url.span(), message, "write it whole, as \"https://hooks.example.com/tm\"");
    }
    let mut events = vec![];
    for text in &raw.events {
        match Webhook::EVENTS.iter().find(|event| **event == text.get_ref()) {
            Some(event) if events.contains(event) => {}
            Some(event) => events.push(*event),
            None => {
                let message = format!("there is no event {}", quote(text.get_ref()));
                notes.error(text.span(), message, format!("write some of {}", Webhook::EVENTS.join(", ")));
            }
        }
    }
    if raw.events.is_empty() {
        events = defaults::WEBHOOK_EVENTS.to_vec();
    }
    let path = absolute(notes, "secret_file", Some(&raw.secret_file), "/etc/tm/webhook.key");
    if notes.faults() > faults {
        return None;
    }
    match secret(&path) {
        Ok(secret) => {
            warn_of_readers(&path, &raw.secret_file, notes);
            Some(Webhook { url: url?, secret: secret.into(), events })
        }
        Err(why) => {
            let message = format!("cannot use the secret {}: {why}", path.display());
            let help = "name a file that holds a secret in base64 and nothing else, as `openssl rand -base64 32` makes it";
            notes.error(raw.secret_file.span(), message, help);
            None
        }
    }
}

/// In base64, behind `whsec_` where the receiver gave it out.
fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let text = read_regular(path).map_err(|error| error.to_string())?;
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"whsec_").unwrap_or(text);
    // Nothing of the file is shown: it may well be the secret after all.
    let secret = BASE64_STANDARD.decode(text).map_err(|_| "it is not base64".to_owned())?;
    let least = defaults::WEBHOOK_SECRET_AT_LEAST;
    match secret.len() {
        length if length < least => {
            Err(format!("it has {length} octets, and with less than {least} can be guessed"))
        }
        _ => Ok(secret),
    }
}
