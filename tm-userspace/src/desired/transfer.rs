//! Who may have the zone as a whole, and who is told when it changes.

use std::{fmt, net::SocketAddr, sync::Arc};

use crate::names::DnsName;

/// Zone transfers, and the keys that prove who asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Every key that is known, each name once.
    pub keys: Vec<Arc<TsigKey>>,
    /// The keys that may have the zone; nobody may where there are none.
    pub allow: Vec<DnsName>,
    /// Who is told that it has changed; nobody where `allow` is empty.
    pub notify: Vec<Secondary>,
}

/// A shared secret ([RFC 8945](https://www.rfc-editor.org/rfc/rfc8945)).
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    /// What both sides call it.
    pub name: DnsName,
    /// What it is used with.
    pub algorithm: TsigAlgorithm,
    /// At least 16 octets.
    pub secret: Vec<u8>,
}

/// How messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsigAlgorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

/// A server that keeps a copy of the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secondary {
    /// Where it is told.
    pub address: SocketAddr,
    /// What that is signed with, if it is.
    pub key: Option<Arc<TsigKey>>,
}

impl Transfer {
    /// The key of this name.
    pub fn key(&self, name: &DnsName) -> Option<&Arc<TsigKey>> {
        self.keys.iter().find(|key| key.name == *name)
    }

    /// May anybody have the zone?
    pub fn is_on(&self) -> bool {
        !self.allow.is_empty()
    }
}

impl fmt::Debug for TsigKey {
    /// Without the secret, which belongs into no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TsigKey")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
