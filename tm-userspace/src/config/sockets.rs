//! `[tcp]`, the bounds of connections; `[dot]` and `[doh]`, over what else they may come; `[tls]`, what these show; `[chaos]` and `[edns]`, what
//! the server says of itself.

use std::{
    ops::{Range, RangeInclusive},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tm_common::edns::{LARGEST, Payload, SMALLEST};
use toml::Spanned;

use crate::{
    desired::{Chaos, Doh, Dot, Listen, Sockets, Tcp},
    tls::{Identity, IdentityError},
};

use super::{
    defaults,
    raw::{self, DurationText, Text},
    report::{Fault, Notes},
    value::{absolute, duration_in, number, quote},
};

/// What the sockets do beside UDP, where `listen` is what was made of `[listen]`.
pub(super) fn check(raw: &raw::Node, listen: Option<&Listen>, notes: &mut Notes<'_>) -> Sockets {
    let tcp = tcp(&raw.tcp, notes);
    let identity = raw.tls.as_ref().and_then(|tls| identity(tls.get_ref(), notes));
    let needed = raw.dot.as_ref().map(Spanned::span).or(raw.doh.as_ref().map(Spanned::span));
    if let Some(needed) = needed.filter(|_| raw.tls.is_none()) {
        let help = "name the files, as [tls] and certificate = \"/etc/tm/tls/chain.pem\" and key = \"/etc/tm/tls/key.pem\"";
        notes.error(needed, "there is no certificate to show", help);
    }
    let mut ports = Ports::default();
    if let Some((written, listen)) = raw.listen.as_ref().zip(listen) {
        let span = span(&written.get_ref().port, written);
        ports.take(listen.port, "the plain queries of [listen]", span, notes);
    }
    let dot = raw.dot.as_ref().map(|dot| {
        let written = &dot.get_ref().port;
        let port = number(notes, "port", written.as_ref(), defaults::PORT_RANGE, defaults::DOT_PORT);
        ports.take(port, "[dot]", span(written, dot), notes);
        port
    });
    let doh = raw.doh.as_ref().map(|doh| {
        let written = &doh.get_ref().port;
        let port = number(notes, "port", written.as_ref(), defaults::PORT_RANGE, defaults::DOH_PORT);
        ports.take(port, "[doh]", span(written, doh), notes);
        (port, path(doh.get_ref().path.as_ref(), notes))
    });
    let dot = identity.clone().zip(dot).map(|(identity, port)| Dot { port, identity });
    let doh = identity.zip(doh).map(|(identity, (port, path))| Doh { port, path, identity });
    let (version, server) = (&raw.chaos.version, &raw.chaos.server);
    let chaos = Chaos { version: said("version", version, notes), server: said("server", server, notes) };
    let nsid = said("nsid", &raw.edns.nsid, notes);
    Sockets {
        tcp,
        dot,
        doh,
        chaos,
        nsid,
        stale_answers: raw.edns.stale_answers,
        payload: payload(&raw.edns, notes),
    }
}

/// How long replies over UDP may be.
fn payload(raw: &raw::Edns, notes: &mut Notes<'_>) -> Payload {
    let default = Payload::default();
    let range = SMALLEST..=LARGEST;
    let most = number(notes, "payload", raw.payload.as_ref(), range.clone(), default.most);
    let written = raw.payload_without_cookie.as_ref();
    let without_cookie = number(notes, "payload_without_cookie", written, range, default.without_cookie);
    if let Some(written) = written.filter(|_| without_cookie > most) {
        let message =
            format!("payload_without_cookie {without_cookie} is more than the payload {most} of anybody");
        notes.error(written.span(), message, format!("write {SMALLEST} to {most}, or raise `payload`"));
    }
    Payload { most, without_cookie }
}

/// What is said of the server: in class CHAOS one character-string ([RFC 1035, section 3.3](https://www.rfc-editor.org/rfc/rfc1035#section-3.3)), and by EDNS no more.
fn said(key: &str, written: &Option<Text>, notes: &mut Notes<'_>) -> Option<Arc<str>> {
    let written = written.as_ref()?;
    let text = written.get_ref();
    if !(1..=255).contains(&text.len()) {
        let message = format!("{key} has {} octets", text.len());
        notes.error(written.span(), message, "write 1 to 255, or leave the key out to say nothing");
        return None;
    }
    Some(text.as_str().into())
}

/// TCP ports that are taken, by whom, and where that is written.
#[derive(Default)]
struct Ports(Vec<(u16, &'static str, Range<usize>)>);

impl Ports {
    fn take(&mut self, port: u16, who: &'static str, span: Range<usize>, notes: &mut Notes<'_>) {
        if let Some((_, other, at)) = self.0.iter().find(|(taken, ..)| *taken == port) {
            let fault = Fault::new(
                format!("port {port} of {who} is that of {other}"),
                "give one of the two another port",
            );
            notes.clash(span.clone(), fault, at.clone(), "first given here");
        }
        self.0.push((port, who, span));
    }
}

/// Where a key is written, or the table that it was left out of.
fn span<T>(key: &Option<Spanned<raw::Integer>>, table: &Spanned<T>) -> Range<usize> {
    key.as_ref().map_or(table.span(), Spanned::span)
}

/// What is in the two files, if it is of use.
fn identity(raw: &raw::Tls, notes: &mut Notes<'_>) -> Option<Arc<Identity>> {
    let faults = notes.faults();
    let certificate = absolute(notes, "certificate", Some(&raw.certificate), "/etc/tm/tls/chain.pem");
    let key = absolute(notes, "key", Some(&raw.key), "/etc/tm/tls/key.pem");
    if notes.faults() > faults {
        return None;
    }
    match Identity::read(&certificate, &key) {
        Ok(identity) => {
            warn(&identity, &raw.certificate, notes);
            warn_of_readers(&key, &raw.key, notes);
            Some(Arc::new(identity))
        }
        Err(error) => {
            let (span, help) = match &error {
                IdentityError::Certificate { .. } => (
                    raw.certificate.span(),
                    "name a PEM file that the daemon may read: the server's certificate, then those that lead to a known one",
                ),
                IdentityError::Key { .. } => (
                    raw.key.span(),
                    "name a PEM file that the daemon may read: the unencrypted private key of the first certificate",
                ),
            };
            notes.error(span, error.to_string(), help);
            None
        }
    }
}

fn warn(identity: &Identity, written: &Text, notes: &mut Notes<'_>) {
    if let Some(expired) = identity.expires().filter(|expires| *expires < SystemTime::now()) {
        let when = humantime::format_rfc3339_seconds(expired);
        notes.warn(
            written.span(),
            format!("the certificate expired at {when}: clients that check it go away"),
        );
    }
}

/// Secrets that everybody on this host can read are none.
pub(super) fn warn_of_readers(path: &Path, written: &Text, notes: &mut Notes<'_>) {
    use std::os::unix::fs::PermissionsExt as _;

    if std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0) {
        notes.warn(
            written.span(),
            format!("everybody on this host can read {}; `chmod o-r` it", path.display()),
        );
    }
}

fn path(written: Option<&Text>, notes: &mut Notes<'_>) -> Arc<str> {
    let Some(written) = written else { return defaults::DOH_PATH.into() };
    let text = written.get_ref();
    // RFC 3986, section 3.3.
    let is_path = |octet: u8| octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&octet);
    if !text.starts_with('/') || !text.bytes().all(is_path) {
        let message = format!("path {} is not one of a URL", quote(text));
        notes.error(written.span(), message, format!("write it from `/`, as \"{}\"", defaults::DOH_PATH));
    }
    text.as_str().into()
}

fn tcp(raw: &raw::Tcp, notes: &mut Notes<'_>) -> Tcp {
    let default = Tcp::default();
    let mut time = |key,
                    written: &Option<Spanned<DurationText>>,
                    range: RangeInclusive<Duration>,
                    default| { duration_in(notes, key, written.as_ref(), range, default) };
    let idle_timeout =
        time("idle_timeout", &raw.idle_timeout, defaults::TCP_IDLE_TIMEOUT_RANGE, default.idle_timeout);
    let message_timeout = time(
        "message_timeout",
        &raw.message_timeout,
        defaults::TCP_MESSAGE_TIMEOUT_RANGE,
        default.message_timeout,
    );
    let range = defaults::TCP_CONNECTIONS_RANGE;
    let connections =
        number(notes, "connections", raw.connections.as_ref(), range.clone(), default.connections);
    // A bound of all is one of each, too: no need to write both.
    let per_client = raw.connections_per_client.as_ref();
    let default = default.connections_per_client.min(connections);
    let connections_per_client = number(notes, "connections_per_client", per_client, range, default);
    if let Some(written) = per_client.filter(|_| connections_per_client > connections) {
        let message = format!(
            "connections_per_client {connections_per_client} is more than the {connections} connections that all clients have together"
        );
        notes.error(written.span(), message, format!("write {connections} or less, or raise `connections`"));
    }
    Tcp { idle_timeout, message_timeout, connections, connections_per_client }
}
