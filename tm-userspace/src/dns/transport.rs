//! What messages come over.

use std::fmt;

/// What a message came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Replies of at most 512 octets, or what the client and the configuration say.
    Udp,
    /// Replies of any length.
    Tcp,
    /// The same over TLS.
    Tls,
    /// The same over HTTPS, each in an exchange of its own.
    Https,
}

impl Transport {
    /// Every transport, in the order of its index.
    pub(super) const ALL: [Transport; 4] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Https];

    /// Its name in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "dot",
            Transport::Https => "doh",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Https => "HTTPS",
        })
    }
}
