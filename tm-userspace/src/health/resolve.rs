//! The addresses of targets that are names, by `/etc/hosts` or else the name servers of `/etc/resolv.conf` (both read once, at the start).
//!
//! Answers are kept for their TTL and no longer. A name's A and AAAA records are asked for at once, and a family that stays silent does not hold up
//! the other ([RFC 8305, section 3]).
//!
//! [RFC 8305, section 3]: https://www.rfc-editor.org/rfc/rfc8305#section-3

use std::{net::IpAddr, pin::pin, time::Duration};

use hickory_proto::{
    op::{Query, ResponseCode},
    rr::{Name, RecordType},
};
use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    system_conf::read_system_conf,
};
use tokio::{select, time::timeout};

use crate::names::DnsName;

/// Addresses taken from a name; the rest of a longer list is left alone.
const MOST_ADDRESSES: usize = 8;
/// How long the second family is waited for once the first has answered.
const PATIENCE: Duration = Duration::from_millis(50);
/// Answers kept: both families of 32,768 names.
const CACHED_ANSWERS: u64 = 65_536;
/// What a name without addresses is told by: also the sign that a family has none.
const NO_ADDRESSES: &str = "no addresses";

/// Looks names up.
pub(super) struct Names {
    hosts: Hosts,
    resolver: Result<TokioResolver, String>,
}

impl Names {
    /// By the operating system's files. Where these name no server, look-ups fail with the reason.
    pub(super) fn from_system() -> Self {
        Names::new(Hosts::from_system().unwrap_or_default(), read_system_conf())
    }

    /// By `hosts` and the name servers of `settings`.
    pub(super) fn new(hosts: Hosts, settings: Result<(ResolverConfig, ResolverOpts), NetError>) -> Self {
        let resolver = settings
            .and_then(|(config, options)| resolver(config, options))
            .map_err(|error| format!("/etc/resolv.conf: {error}"));
        Names { hosts, resolver }
    }

    /// The addresses of `name`, IPv4 and IPv6 in turn; never empty.
    pub(super) async fn addresses(&self, name: &DnsName) -> Result<Vec<IpAddr>, String> {
        let query = name.to_hickory();
        if let Some(addresses) = self.fixed(&query) {
            return Ok(addresses);
        }
        let found = match &self.resolver {
            Ok(resolver) => ask_both(resolver, query).await,
            Err(reason) => Err(reason.clone()),
        };
        found.map_err(|reason| format!("{name} does not resolve: {reason}"))
    }

    /// What `/etc/hosts` says; it overrules the name servers for both families.
    fn fixed(&self, name: &Name) -> Option<Vec<IpAddr>> {
        let [v4, v6] = [RecordType::A, RecordType::AAAA].map(|family| {
            let found = self.hosts.lookup_static_host(&Query::query(name.clone(), family));
            found.map(|lookup| addresses(lookup.answers())).unwrap_or_default()
        });
        Some(alternate(v4, v6)).filter(|addresses| !addresses.is_empty())
    }
}

fn resolver(config: ResolverConfig, mut options: ResolverOpts) -> Result<TokioResolver, NetError> {
    options.cache_size = CACHED_ANSWERS;
    options.use_hosts_file = ResolveHosts::Never;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build()
}

async fn ask_both(resolver: &TokioResolver, name: Name) -> Result<Vec<IpAddr>, String> {
    let mut v4 = pin!(ask(resolver, name.clone(), RecordType::A));
    let mut v6 = pin!(ask(resolver, name, RecordType::AAAA));
    let silent = |_| Err(NO_ADDRESSES.to_owned());
    let (v4, v6) = select! {
        v4 = &mut v4 => match v4 {
            Ok(_) => (v4, timeout(PATIENCE, v6).await.unwrap_or_else(silent)),
            Err(_) => (v4, v6.await),
        },
        v6 = &mut v6 => match v6 {
            Ok(_) => (timeout(PATIENCE, v4).await.unwrap_or_else(silent), v6),
            Err(_) => (v4.await, v6),
        },
    };
    match (v4, v6) {
        (Err(reason), Err(other)) => Err(if reason == NO_ADDRESSES { other } else { reason }),
        (v4, v6) => Ok(alternate(v4.unwrap_or_default(), v6.unwrap_or_default())),
    }
}

/// One family's addresses; an answer without any is an error.
async fn ask(resolver: &TokioResolver, name: Name, family: RecordType) -> Result<Vec<IpAddr>, String> {
    let lookup = resolver.lookup(name, family).await.map_err(describe)?;
    Some(addresses(lookup.answers())).filter(|found| !found.is_empty()).ok_or_else(|| NO_ADDRESSES.to_owned())
}

fn addresses(records: &[hickory_proto::rr::Record]) -> Vec<IpAddr> {
    records.iter().filter_map(|record| record.data.ip_addr()).collect()
}

/// Takes from both lists in turn, so that neither family waits for the whole of the other.
fn alternate(v4: Vec<IpAddr>, v6: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut v4, mut v6) = (v4.into_iter(), v6.into_iter());
    let pairs = std::iter::from_fn(|| Some([v4.next(), v6.next()]).filter(|pair| *pair != [None, None]));
    pairs.flatten().flatten().take(MOST_ADDRESSES).collect()
}

fn describe(error: NetError) -> String {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError => {
            NO_ADDRESSES.to_owned()
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => mnemonic(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => mnemonic(code),
        NetError::Timeout => "the name servers do not answer".to_owned(),
        NetError::NoConnections => "the name servers cannot be reached".to_owned(),
        other => other.to_string(),
    }
}

fn mnemonic(code: ResponseCode) -> String {
    match code {
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => other.to_string(),
    }
}
