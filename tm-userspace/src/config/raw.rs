//! What is written in the files, and nothing more: keys and types as they stand, each value with its place.

mod record;
mod sockets;
mod value;

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use toml::Spanned;
use utoipa::ToSchema;

pub(super) use record::Record;
pub(super) use sockets::{
    Chaos, Cookies, Dnstap, Doh, Dot, Edns, RateLimit, Samples, Secondary, Tcp, Tls, Transfer, TsigKey,
};
pub(super) use value::{Count, DurationText, Integer, StatusText};

/// A string and its place.
pub(super) type Text = Spanned<String>;
/// A list and its place, each item with its own.
pub(super) type List<T> = Spanned<Vec<Spanned<T>>>;

/// `tm.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) zone: Option<Spanned<Zones>>,
    pub(super) name_servers: Option<List<NameServer>>,
    pub(super) state_dir: Option<Text>,
    #[serde(default)]
    pub(super) soa: Soa,
    pub(super) listen: Option<Spanned<Listen>>,
    #[serde(default)]
    pub(super) tcp: Tcp,
    pub(super) tls: Option<Spanned<Tls>>,
    pub(super) dot: Option<Spanned<Dot>>,
    pub(super) doh: Option<Spanned<Doh>>,
    #[serde(default)]
    pub(super) chaos: Chaos,
    #[serde(default)]
    pub(super) edns: Edns,
    #[serde(default)]
    pub(super) cookies: Cookies,
    #[serde(default)]
    pub(super) rate_limit: RateLimit,
    #[serde(default)]
    pub(super) tsig_key: Vec<Spanned<TsigKey>>,
    #[serde(default)]
    pub(super) transfer: Transfer,
    #[serde(default)]
    pub(super) probes: Probes,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) geo: Geo,
    pub(super) subscription: Option<Text>,
    pub(super) resource_group: Option<Text>,
    pub(super) api: Option<Spanned<Api>>,
    pub(super) metrics: Option<Spanned<Metrics>>,
    #[serde(default)]
    pub(super) webhook: Vec<Spanned<Webhook>>,
    #[serde(default)]
    pub(super) samples: Samples,
    pub(super) dnstap: Option<Dnstap>,
}

impl Node {
    /// Puts these interfaces in the place of those that are written, if there are any.
    pub(super) fn overrule_interfaces(&mut self, interfaces: &[String]) {
        if interfaces.is_empty() {
            return;
        }
        let listen = self.listen.get_or_insert_with(|| Spanned::new(0..0, Listen::default()));
        let span = listen.span();
        listen.as_mut().interfaces =
            interfaces.iter().map(|name| Spanned::new(span.clone(), name.clone())).collect();
    }
}

/// `zone = "..."`, or `[[zone]]` tables.
#[derive(Debug)]
pub(super) enum Zones {
    One(String),
    Several(Vec<Spanned<Zone>>),
}

/// `[[zone]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) name: Text,
    pub(super) name_servers: Option<List<NameServer>>,
    #[serde(default)]
    pub(super) soa: Soa,
}

/// An item of `name_servers`: a name alone, or a table.
#[derive(Debug)]
pub(super) enum NameServer {
    Name(String),
    Table(NameServerTable),
}

/// `{ name = "...", addresses = [...] }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameServerTable {
    pub(super) name: Text,
    pub(super) addresses: Option<Spanned<Vec<Text>>>,
}

/// `[soa]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Soa {
    pub(super) mailbox: Option<Text>,
    pub(super) refresh: Option<Spanned<Integer>>,
    pub(super) retry: Option<Spanned<Integer>>,
    pub(super) expire: Option<Spanned<Integer>>,
    pub(super) minimum: Option<Spanned<Integer>>,
}

/// `[listen]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listen {
    #[serde(default)]
    pub(super) interfaces: Vec<Text>,
    #[serde(default)]
    pub(super) addresses: Vec<Text>,
    pub(super) port: Option<Spanned<Integer>>,
    pub(super) mode: Option<Text>,
    #[serde(default)]
    pub(super) vlans: Vec<Spanned<Integer>>,
    #[serde(default)]
    pub(super) route_lookup: bool,
    pub(super) pins: Option<Text>,
    #[serde(default)]
    pub(super) keep: bool,
}

/// `[probes]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probes {
    #[serde(default)]
    pub(super) allow: Vec<Text>,
}

/// `[geo]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Geo {
    pub(super) database: Option<Text>,
    pub(super) latency: Option<Text>,
    #[serde(default)]
    pub(super) near: Vec<Text>,
}

/// `[api]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    pub(super) listen: Option<Text>,
    pub(super) tls_cert: Option<Text>,
    pub(super) tls_key: Option<Text>,
    pub(super) client_ca: Option<Text>,
    pub(super) session_idle: Option<Spanned<DurationText>>,
    pub(super) session_lifetime: Option<Spanned<DurationText>>,
    #[serde(default)]
    pub(super) azure_limits: bool,
}

/// `[metrics]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) listen: Option<Text>,
}

/// `[[webhook]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    pub(super) url: Text,
    pub(super) secret_file: Text,
    #[serde(default)]
    pub(super) events: Vec<Text>,
}

/// `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) names: Option<Spanned<Integer>>,
    pub(super) least_weight: Option<Spanned<Integer>>,
}

/// `[[profile]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// What operators call it; unique without regard to case.
    #[schema(value_type = String)]
    pub(super) name: Text,
    /// Where it belongs: who may manage it. By default that of `tm.toml`.
    #[schema(value_type = Option<String>)]
    pub(super) subscription: Option<Text>,
    /// Where it belongs, within the subscription.
    #[schema(value_type = Option<String>)]
    pub(super) resource_group: Option<Text>,
    /// The part of its DNS name before the zone. By default its name.
    #[schema(value_type = Option<String>)]
    pub(super) relative_name: Option<Text>,
    /// Its DNS name in full, in any zone or in none.
    #[schema(value_type = Option<String>)]
    pub(super) dns_name: Option<Text>,
    /// `enabled` or `disabled`: then its name is no name.
    #[schema(value_type = Option<String>)]
    pub(super) status: Option<Text>,
    /// `priority`, `weighted`, `performance`, `geographic`, `subnet` or `multivalue`.
    #[schema(value_type = String)]
    pub(super) routing_method: Text,
    /// Seconds that resolvers may keep an answer, by default 30.
    #[schema(value_type = Option<i64>)]
    pub(super) ttl: Option<Spanned<Integer>>,
    /// Of `multivalue`: addresses at once, 1 to 10, by default 2.
    #[schema(value_type = Option<i64>)]
    pub(super) max_return: Option<Spanned<Integer>>,
    /// Does Traffic View look at who is answered? By default it does not.
    #[schema(value_type = Option<bool>)]
    pub(super) traffic_view: Option<bool>,
    /// Who answers where nobody is up: `all` or `none`.
    #[schema(value_type = Option<String>)]
    pub(super) when_all_down: Option<Text>,
    /// The endpoint that answers where nobody is up, and at no other time.
    #[schema(value_type = Option<String>)]
    pub(super) last_resort: Option<Text>,
    /// When an endpoint that was down answers again: `automatic`, after a time as `10m`, or `manual`.
    #[schema(value_type = Option<String>)]
    pub(super) failback: Option<Text>,
    /// How many endpoints may be withdrawn for being down.
    pub(super) guard: Option<Guard>,
    /// Of `weighted`: how long the weight of one that returns takes to grow to the whole.
    #[schema(value_type = Option<String>)]
    pub(super) slow_start: Option<Spanned<DurationText>>,
    /// Of `weighted`: clients of one prefix get the same endpoint.
    #[schema(value_type = Option<bool>)]
    pub(super) sticky: Option<Spanned<bool>>,
    /// How its endpoints are probed.
    #[serde(default)]
    pub(super) monitor: Monitor,
    /// What its name has beside addresses, whoever answers.
    #[serde(default)]
    pub(super) record: Vec<Record>,
    /// Who may answer.
    #[serde(default)]
    pub(super) endpoint: Vec<Endpoint>,
}

/// `[profile.guard]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    /// A number, or a part of those that could answer, as `50%`.
    #[schema(value_type = serde_json::Value)]
    pub(super) withdraw_at_most: Spanned<Count>,
    /// Within this time, as `10m`.
    #[schema(value_type = String)]
    pub(super) window: Spanned<DurationText>,
}

/// `[profile.monitor]`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Monitor {
    /// `http`, `https` or `tcp`.
    #[schema(value_type = Option<String>)]
    pub(super) protocol: Option<Text>,
    /// 1 to 65535.
    #[schema(value_type = Option<i64>)]
    pub(super) port: Option<Spanned<Integer>>,
    /// Of HTTP and HTTPS; begins with `/`.
    #[schema(value_type = Option<String>)]
    pub(super) path: Option<Text>,
    /// From one probe to the next, by default `30s`, at least `200ms`.
    #[schema(value_type = Option<String>)]
    pub(super) interval: Option<Spanned<DurationText>>,
    /// How long a probe may take.
    #[schema(value_type = Option<String>)]
    pub(super) timeout: Option<Spanned<DurationText>>,
    /// Failures in a row that change nothing, by default 3.
    #[schema(value_type = Option<i64>)]
    pub(super) tolerated_failures: Option<Spanned<Integer>>,
    /// Successes in a row after which it is up again, by default 1.
    #[schema(value_type = Option<i64>)]
    pub(super) successes_to_recover: Option<Spanned<Integer>>,
    /// Statuses that are a success, as `200` or `200-299`.
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) expected_status: Option<List<StatusText>>,
    /// Headers of the request.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub(super) headers: Option<Spanned<BTreeMap<Text, Text>>>,
    /// Must the certificate be right?
    #[schema(value_type = Option<bool>)]
    pub(super) verify_certificate: Option<Spanned<bool>>,
    /// Of an endpoint: what is probed in the place of the target that is answered.
    #[schema(value_type = Option<String>)]
    pub(super) target: Option<Text>,
    /// The address that probes come from.
    #[schema(value_type = Option<String>)]
    pub(super) source: Option<Text>,
    /// What must be in the body.
    #[schema(value_type = Option<String>)]
    pub(super) body_contains: Option<Text>,
    /// Days before the end of a certificate from which on that is told.
    #[schema(value_type = Option<i64>)]
    pub(super) certificate_warning_days: Option<Spanned<Integer>>,
}

impl Monitor {
    /// This one where it says something, `base` where it does not.
    pub(super) fn over(&self, base: &Monitor) -> Monitor {
        // A path that the profile gives is for protocols that have one.
        let is_tcp = self.protocol.as_ref().is_some_and(|word| word.get_ref().eq_ignore_ascii_case("tcp"));
        let own = self.clone();
        let base = base.clone();
        Monitor {
            protocol: own.protocol.or(base.protocol),
            port: own.port.or(base.port),
            path: own.path.or(base.path.filter(|_| !is_tcp)),
            interval: own.interval.or(base.interval),
            timeout: own.timeout.or(base.timeout),
            tolerated_failures: own.tolerated_failures.or(base.tolerated_failures),
            successes_to_recover: own.successes_to_recover.or(base.successes_to_recover),
            expected_status: own.expected_status.or(base.expected_status),
            headers: own.headers.or(base.headers),
            verify_certificate: own.verify_certificate.or(base.verify_certificate),
            target: own.target.or(base.target),
            source: own.source.or(base.source),
            body_contains: own.body_contains.or(base.body_contains),
            certificate_warning_days: own.certificate_warning_days.or(base.certificate_warning_days),
        }
    }
}

/// `[[profile.endpoint]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    /// What operators call it; unique within its profile.
    #[schema(value_type = String)]
    pub(super) name: Text,
    /// `external`, `nested` or `azure`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub(super) kind: Option<Text>,
    /// An IPv4 or IPv6 address, or a DNS name.
    #[schema(value_type = Option<String>)]
    pub(super) target: Option<Text>,
    /// Of `nested`: the name of the profile.
    #[schema(value_type = Option<String>)]
    pub(super) target_profile: Option<Text>,
    /// Of `azure`: the id of a service.
    #[schema(value_type = Option<String>)]
    pub(super) target_service: Option<Text>,
    /// Of `nested`: so many of its endpoints must be up, by default 1.
    #[schema(value_type = Option<i64>)]
    pub(super) min_child_endpoints: Option<Spanned<Integer>>,
    /// Of `nested`: so many of those with an IPv4 address.
    #[schema(value_type = Option<i64>)]
    pub(super) min_child_endpoints_ipv4: Option<Spanned<Integer>>,
    /// Of `nested`: so many of those with an IPv6 address.
    #[schema(value_type = Option<i64>)]
    pub(super) min_child_endpoints_ipv6: Option<Spanned<Integer>>,
    /// 1 to 1000, the lowest first; by their order where none has one.
    #[schema(value_type = Option<i64>)]
    pub(super) priority: Option<Spanned<Integer>>,
    /// 0 to 1000; 0 drains it.
    #[schema(value_type = Option<i64>)]
    pub(super) weight: Option<Spanned<Integer>>,
    /// `enabled` or `disabled`: neither probed nor answered.
    #[schema(value_type = Option<String>)]
    pub(super) status: Option<Text>,
    /// It is up without being probed.
    #[schema(value_type = Option<bool>)]
    pub(super) always_serve: Option<Spanned<bool>>,
    /// What is other than in the profile's monitor.
    #[schema(value_type = Option<Monitor>)]
    pub(super) monitor: Option<Spanned<Monitor>>,
    /// Addresses, prefixes and ranges of clients that it is for.
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) subnets: Option<List<String>>,
    /// Codes of places that it is for, as `GEO-EU`, `DE`, `US-CA`, `WORLD`.
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) geo_mapping: Option<List<String>>,
    /// The Azure region that it is in or nearest to.
    #[schema(value_type = Option<String>)]
    pub(super) endpoint_location: Option<Text>,
    /// What the name has beside addresses while this endpoint answers.
    #[serde(default)]
    pub(super) record: Vec<Record>,
}

/// `[[service]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    /// Its resource id; by default made of where the node's profiles belong, kind and name.
    #[schema(value_type = Option<String>)]
    pub(super) id: Option<Text>,
    /// `public_ip`, `web_app`, `cloud_service` or `other`.
    #[schema(value_type = Option<String>)]
    pub(super) kind: Option<Text>,
    /// What people call it.
    #[schema(value_type = String)]
    pub(super) name: Text,
    /// An address or a DNS name.
    #[schema(value_type = String)]
    pub(super) target: Text,
    /// The Azure region that it is in.
    #[schema(value_type = Option<String>)]
    pub(super) location: Option<Text>,
    /// `running` or `stopped`.
    #[schema(value_type = Option<String>)]
    pub(super) state: Option<Text>,
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
