//! `[samples]`: of which answers something is told; `[dnstap]`: and to whom, octet by octet.

use std::os::unix::ffi::OsStrExt as _;

use crate::desired::{Dnstap, Sampling};

use super::{
    defaults, raw,
    report::Notes,
    value::{absolute, duration_in, number},
};

pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Sampling {
    let (one_in, window) = (raw.samples.one_in.as_ref(), raw.samples.window.as_ref());
    Sampling {
        one_in: number(notes, "one_in", one_in, defaults::ONE_IN_RANGE, defaults::ONE_IN),
        window: duration_in(
            notes,
            "window",
            window,
            defaults::TRAFFIC_WINDOW_RANGE,
            defaults::TRAFFIC_WINDOW,
        ),
    }
}

/// The collector, if there is to be one.
pub(super) fn dnstap(raw: &raw::Node, notes: &mut Notes<'_>) -> Option<Dnstap> {
    let raw = raw.dnstap.as_ref()?;
    let socket = absolute(notes, "socket", raw.socket.as_ref(), defaults::DNSTAP_SOCKET);
    let (length, most) = (socket.as_os_str().as_bytes().len(), defaults::SOCKET_PATH_AT_MOST);
    if let Some(written) = raw.socket.as_ref().filter(|_| length > most) {
        let message = format!("the path has {length} octets, and that of a socket at most {most}");
        notes.error(written.span(), message, "have the collector listen at a shorter one");
    }
    let identity = match &raw.identity {
        Some(identity) => identity.get_ref().as_str().into(),
        None => rustix::system::uname().nodename().to_string_lossy().into(),
    };
    Some(Dnstap { socket, identity })
}
