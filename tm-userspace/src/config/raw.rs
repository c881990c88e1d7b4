//! What is written in the files, and nothing more: keys and types as they stand, each value with its place. Here the node's file; `zone` and `sockets` are parts of that,
//! `profile` is what files of profiles have.

mod profile;
mod record;
mod sockets;
mod value;
mod zone;

use serde::Deserialize;
use toml::Spanned;

pub(super) use profile::{Endpoint, Guard, Monitor, Profile, Service};
pub(super) use record::Record;
pub(super) use sockets::{
    Chaos, Cookies, Dnstap, Doh, Dot, Edns, RateLimit, Samples, Secondary, Tcp, Tls, Transfer, TsigKey,
};
pub(super) use value::{Count, DurationText, Integer, StatusText};
pub(super) use zone::{NameServer, Soa, Zone, Zones};

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
