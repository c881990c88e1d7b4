//! The tables of `tm.toml` that are about connections, transfers, samples and what the server says of itself, as they are written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use super::{DurationText, Integer, Text};

/// `[tcp]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tcp {
    pub(in crate::config) idle_timeout: Option<Spanned<DurationText>>,
    pub(in crate::config) message_timeout: Option<Spanned<DurationText>>,
    pub(in crate::config) connections: Option<Spanned<Integer>>,
    pub(in crate::config) connections_per_client: Option<Spanned<Integer>>,
}

/// `[samples]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Samples {
    pub(in crate::config) one_in: Option<Spanned<Integer>>,
    pub(in crate::config) window: Option<Spanned<DurationText>>,
}

/// `[dnstap]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Dnstap {
    pub(in crate::config) socket: Option<Text>,
    pub(in crate::config) identity: Option<Text>,
}

/// `[tls]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tls {
    pub(in crate::config) certificate: Text,
    pub(in crate::config) key: Text,
}

/// `[dot]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Dot {
    pub(in crate::config) port: Option<Spanned<Integer>>,
}

/// `[doh]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Doh {
    pub(in crate::config) port: Option<Spanned<Integer>>,
    pub(in crate::config) path: Option<Text>,
}

/// `[chaos]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Chaos {
    pub(in crate::config) version: Option<Text>,
    pub(in crate::config) server: Option<Text>,
}

/// `[edns]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Edns {
    pub(in crate::config) nsid: Option<Text>,
    #[serde(default)]
    pub(in crate::config) stale_answers: bool,
    pub(in crate::config) payload: Option<Spanned<Integer>>,
    pub(in crate::config) payload_without_cookie: Option<Spanned<Integer>>,
}

/// `[rate_limit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RateLimit {
    pub(in crate::config) answers_per_second: Option<Spanned<Integer>>,
    pub(in crate::config) slip: Option<Spanned<Integer>>,
    pub(in crate::config) armed_above: Option<Spanned<Integer>>,
    pub(in crate::config) disarmed_after: Option<Spanned<DurationText>>,
    #[serde(default)]
    pub(in crate::config) allow: Vec<Text>,
}

/// `[cookies]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cookies {
    pub(in crate::config) enabled: Option<bool>,
    pub(in crate::config) secret_file: Option<Text>,
}

/// `[[tsig_key]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TsigKey {
    pub(in crate::config) name: Text,
    pub(in crate::config) algorithm: Option<Text>,
    pub(in crate::config) secret_file: Text,
}

/// `[transfer]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Transfer {
    #[serde(default)]
    pub(in crate::config) allow: Vec<Text>,
    #[serde(default)]
    pub(in crate::config) notify: Vec<Spanned<Secondary>>,
}

/// An item of `notify`: an address alone, or a table.
#[derive(Debug)]
pub(in crate::config) enum Secondary {
    Address(String),
    Table(SecondaryTable),
}

/// `{ address = "...", key = "..." }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SecondaryTable {
    pub(in crate::config) address: Text,
    pub(in crate::config) key: Option<Text>,
}

impl<'de> Deserialize<'de> for Secondary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Secondary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address in quotes or { address = \"...\", key = \"...\" }")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Secondary, E> {
                Ok(Secondary::Address(value.to_owned()))
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Secondary, M::Error> {
                SecondaryTable::deserialize(MapAccessDeserializer::new(map)).map(Secondary::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
