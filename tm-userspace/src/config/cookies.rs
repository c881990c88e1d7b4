//! `[cookies]`: whether clients are given DNS cookies, and with what these are made.

use crate::{cookies::Secrets, desired::Cookies};

use super::{files::read_regular, raw, report::Notes, sockets::warn_of_readers, value::absolute};

/// What is to be done about cookies.
pub(super) fn check(raw: &raw::Cookies, notes: &mut Notes<'_>) -> Cookies {
    let secrets = raw.secret_file.as_ref().map(|written| {
        let faults = notes.faults();
        let path = absolute(notes, "secret_file", Some(written), "/etc/tm/cookie-secrets");
        if notes.faults() > faults {
            return None;
        }
        let octets = read_regular(&path).map_err(|error| error.to_string());
        match octets.and_then(|octets| Secrets::parse(&octets).map_err(str::to_owned)) {
            Ok(secrets) => {
                warn_of_readers(&path, written, notes);
                Some(secrets)
            }
            Err(why) => {
                let message = format!("cannot use the secrets {}: {why}", path.display());
                let help = "name a file of one or two lines of 32 hexadecimal digits, as `openssl rand -hex 16` makes them";
                notes.error(written.span(), message, help);
                None
            }
        }
    });
    match (raw.enabled, secrets.flatten()) {
        (Some(false), _) => Cookies::Off,
        (_, None) => Cookies::Own,
        (_, Some(secrets)) => Cookies::Of(secrets),
    }
}
