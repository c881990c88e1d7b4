//! `zone`, `[[zone]]` and what belongs to it: name servers and the SOA.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use toml::Spanned;

use super::{Integer, List, Text};

/// `zone = "..."`, or `[[zone]]` tables.
#[derive(Debug)]
pub(in crate::config) enum Zones {
    One(String),
    Several(Vec<Spanned<Zone>>),
}

/// `[[zone]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Zone {
    pub(in crate::config) name: Text,
    pub(in crate::config) name_servers: Option<List<NameServer>>,
    #[serde(default)]
    pub(in crate::config) soa: Soa,
}

/// An item of `name_servers`: a name alone, or a table.
#[derive(Debug)]
pub(in crate::config) enum NameServer {
    Name(String),
    Table(NameServerTable),
}

/// `{ name = "...", addresses = [...] }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct NameServerTable {
    pub(in crate::config) name: Text,
    pub(in crate::config) addresses: Option<Spanned<Vec<Text>>>,
}

/// `[soa]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Soa {
    pub(in crate::config) mailbox: Option<Text>,
    pub(in crate::config) refresh: Option<Spanned<Integer>>,
    pub(in crate::config) retry: Option<Spanned<Integer>>,
    pub(in crate::config) expire: Option<Spanned<Integer>>,
    pub(in crate::config) minimum: Option<Spanned<Integer>>,
}

impl<'de> Deserialize<'de> for Zones {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Zones;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name in quotes or [[zone]] tables")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Zones, E> {
                Ok(Zones::One(value.to_owned()))
            }
            fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<Zones, S::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Zones::Several)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for NameServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = NameServer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name in quotes or { name = \"...\", addresses = [...] }")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<NameServer, E> {
                Ok(NameServer::Name(value.to_owned()))
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<NameServer, M::Error> {
                NameServerTable::deserialize(MapAccessDeserializer::new(map)).map(NameServer::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
