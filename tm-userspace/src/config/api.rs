//! `[api]`, and where profiles belong that do not say: `subscription` and `resource_group`.

use std::{net::SocketAddr, path::Path};

use toml::Spanned;

use crate::desired::{Api, Scope};

use super::{
    defaults,
    raw::{self, Text},
    report::{Fault, Notes},
    value::{absolute, duration_in, operator_name, quote},
};

/// Where a profile of the files belongs that does not say.
pub(super) fn scope(raw: &raw::Node, notes: &mut Notes<'_>) -> Scope {
    Scope {
        subscription: name(raw.subscription.as_ref(), defaults::SUBSCRIPTION, notes).into(),
        resource_group: name(raw.resource_group.as_ref(), defaults::RESOURCE_GROUP, notes).into(),
    }
}

/// A subscription's or a resource group's name.
pub(super) fn name<'a>(written: Option<&'a Text>, default: &'a str, notes: &mut Notes<'_>) -> &'a str {
    let Some(written) = written else { return default };
    if let Err(fault) = operator_name(written.get_ref()) {
        notes.fault(written.span(), fault);
    }
    written.get_ref()
}

/// The HTTPS listener, where the table is there.
pub(super) fn check(
    written: Option<&Spanned<raw::Api>>,
    state_dir: &Path,
    notes: &mut Notes<'_>,
) -> Option<Api> {
    let raw = written?.get_ref();
    let listen = raw.listen.as_ref().map(|written| (written, written.get_ref().parse::<SocketAddr>()));
    let listen = match listen {
        None => defaults::API_LISTEN,
        Some((_, Ok(address))) => address,
        Some((written, Err(_))) => {
            let message = format!("listen {} is not an address with a port", quote(written.get_ref()));
            notes.error(written.span(), message, "write it as \"127.0.0.1:8443\" or \"[::1]:8443\"");
            defaults::API_LISTEN
        }
    };
    if let (Some(alone), None) | (None, Some(alone)) = (&raw.tls_cert, &raw.tls_key) {
        let help = "give tls_cert and tls_key, or neither: then the daemon makes its own";
        notes.fault(alone.span(), Fault::new("a certificate and its key belong together", help));
    }
    let own = |name: &str| state_dir.join(name);
    let file = |notes: &mut Notes<'_>, key: &str, written: Option<&Text>, name: &str| match written {
        Some(written) => absolute(notes, key, Some(written), "/etc/tm/tls.pem"),
        None => own(name),
    };
    let time = |notes: &mut Notes<'_>, key, written, default| {
        duration_in(notes, key, written, defaults::SESSION_RANGE, default)
    };
    Some(Api {
        listen,
        session_idle: time(notes, "session_idle", raw.session_idle.as_ref(), defaults::SESSION_IDLE),
        session_lifetime: time(
            notes,
            "session_lifetime",
            raw.session_lifetime.as_ref(),
            defaults::SESSION_LIFETIME,
        ),
        tls_cert: file(notes, "tls_cert", raw.tls_cert.as_ref(), defaults::TLS_CERT),
        tls_key: file(notes, "tls_key", raw.tls_key.as_ref(), defaults::TLS_KEY),
        tls_own: raw.tls_cert.is_none(),
        azure_limits: raw.azure_limits,
        client_ca: raw
            .client_ca
            .as_ref()
            .map(|written| absolute(notes, "client_ca", Some(written), "/etc/tm/clients.pem")),
    })
}
