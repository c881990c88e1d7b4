//! What connections may ask of us, over what else than plain TCP they may come, and what the server says of itself.

use std::{sync::Arc, time::Duration};

use tm_common::edns::Payload;

use crate::tls::Identity;

/// What the sockets do beside plain UDP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// Bounds of every connection.
    pub tcp: Tcp,
    /// DNS over TLS, where it is on.
    pub dot: Option<Dot>,
    /// DNS over HTTPS, where it is on.
    pub doh: Option<Doh>,
    /// What the server says of itself.
    pub chaos: Chaos,
    /// What it is called to who asks by EDNS (RFC 5001): 1 to 255 octets, or nothing.
    pub nsid: Option<Arc<str>>,
    /// Whether who understands extended errors (RFC 8914) is told that an answer rests on endpoints that were found down.
    pub stale_answers: bool,
    /// How long replies over UDP may be, of XDP's too.
    pub payload: Payload,
}

/// What the server says of itself to who asks in class CHAOS: texts of 1 to 255 octets, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    /// At `version.bind` and `version.server`.
    pub version: Option<Arc<str>>,
    /// Which of several servers it is: at `id.server` and `hostname.bind`.
    pub server: Option<Arc<str>>,
}

/// DNS over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dot {
    /// TCP port.
    pub port: u16,
    /// What it is shown.
    pub identity: Arc<Identity>,
}

/// DNS over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doh {
    /// TCP port.
    pub port: u16,
    /// The path of its resource, from `/`.
    pub path: Arc<str>,
    /// What it is shown.
    pub identity: Arc<Identity>,
}

/// Bounds of connections, of every kind together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// How long a client may say nothing between messages, 1 s to an hour.
    pub idle_timeout: Duration,
    /// How long a message may take to come in whole, a reply to be taken, a handshake to be done, 1 s to a minute.
    pub message_timeout: Duration,
    /// At a time, at all addresses together, 1 to 65,535.
    pub connections: usize,
    /// Of one IPv4 address or one IPv6 /64, 1 to 65,535.
    pub connections_per_client: usize,
}

impl Default for Tcp {
    fn default() -> Self {
        use crate::config::defaults;

        Tcp {
            idle_timeout: defaults::TCP_IDLE_TIMEOUT,
            message_timeout: defaults::TCP_MESSAGE_TIMEOUT,
            connections: defaults::TCP_CONNECTIONS,
            connections_per_client: defaults::TCP_CONNECTIONS_PER_CLIENT,
        }
    }
}
