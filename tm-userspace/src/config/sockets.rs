//! `[tcp]`: the bounds of connections.

use std::{ops::RangeInclusive, time::Duration};

use toml::Spanned;

use crate::desired::{Sockets, Tcp};

use super::{
    defaults,
    raw::{self, DurationText},
    report::Notes,
    value::{duration_in, number},
};

/// What the sockets do beside UDP.
pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Sockets {
    Sockets { tcp: tcp(&raw.tcp, notes) }
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
