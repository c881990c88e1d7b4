//! The addresses of targets that are names, by `/etc/hosts` or else the name servers of `/etc/resolv.conf` (both read again
//! when they change: a new DHCP lease, a VPN, a container's network).
//!
//! Answers are kept for their TTL and no longer. A name's A and AAAA records are asked for at once, and a family that stays silent does not hold up
//! the other ([RFC 8305, section 3]).
//!
//! [RFC 8305, section 3]: https://www.rfc-editor.org/rfc/rfc8305#section-3

use std::{
    fs::{self, File},
    net::IpAddr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hickory_proto::{
    op::{Query, ResponseCode},
    rr::{Name, RecordType},
};
use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    system_conf::parse_resolv_conf,
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
    files: Option<Files>,
    now: RwLock<Arc<Settings>>,
}

/// Where the settings come from.
struct Files {
    hosts: PathBuf,
    servers: PathBuf,
}

/// What the files said when they were as they are `stamped`.
struct Settings {
    hosts: Arc<Hosts>,
    resolver: Result<Arc<TokioResolver>, String>,
    stamped: [Stamp; 2],
}

/// What tells one version of a file from the next: inode, octets, and when it was written (seconds, nanoseconds). None where it is not there.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Names {
    /// By the operating system's files. Where these name no server, look-ups fail with the reason.
    pub(super) fn from_system() -> Self {
        Names::from_files("/etc/hosts".into(), "/etc/resolv.conf".into())
    }

    /// By these files in the forms of `/etc/hosts` and `/etc/resolv.conf`.
    pub(super) fn from_files(hosts: PathBuf, servers: PathBuf) -> Self {
        let files = Files { hosts, servers };
        Names { now: RwLock::new(Arc::new(files.read())), files: Some(files) }
    }

    /// By `hosts` and the name servers of `settings`, for good.
    #[cfg(test)]
    pub(super) fn new(hosts: Hosts, settings: Result<(ResolverConfig, ResolverOpts), NetError>) -> Self {
        let settings = Settings { hosts: hosts.into(), resolver: build(settings), stamped: [None; 2] };
        Names { files: None, now: RwLock::new(settings.into()) }
    }

    /// The addresses of `name`, IPv4 and IPv6 in turn; never empty.
    pub(super) async fn addresses(&self, name: &DnsName) -> Result<Vec<IpAddr>, String> {
        let query = name.to_hickory();
        let settings = self.settings();
        if let Some(addresses) = settings.fixed(&query) {
            return Ok(addresses);
        }
        let found = match &settings.resolver {
            Ok(resolver) => ask_both(resolver, query).await,
            Err(reason) => Err(reason.clone()),
        };
        found.map_err(|reason| format!("{name} does not resolve: {reason}"))
    }

    /// The settings as the files are now. A file that names no server, perhaps because it is being written, leaves those that were known.
    fn settings(&self) -> Arc<Settings> {
        let known = self.now.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(files) = self.files.as_ref().filter(|files| files.stamps() != known.stamped) else {
            return known;
        };
        let mut read = files.read();
        match (&read.resolver, &known.resolver) {
            (Err(reason), Ok(_)) => {
                tracing::warn!(reason, "the name servers known before are asked on");
                read.resolver.clone_from(&known.resolver);
            }
            _ => tracing::info!("the system's name servers or hosts have changed and were read again"),
        }
        let read = Arc::new(read);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
        read
    }
}

impl Files {
    fn read(&self) -> Settings {
        // Taken first: what changes meanwhile is read again.
        let stamped = self.stamps();
        let mut hosts = Hosts::default();
        if let Err(error) = File::open(&self.hosts).and_then(|file| hosts.read_hosts_conf(file)) {
            tracing::debug!(path = %self.hosts.display(), %error, "no hosts of our own");
        }
        let servers = fs::read(&self.servers).map_err(NetError::from).and_then(parse_resolv_conf);
        let resolver = build(servers).map_err(|error| format!("{}: {error}", self.servers.display()));
        Settings { hosts: hosts.into(), resolver, stamped }
    }

    fn stamps(&self) -> [Stamp; 2] {
        let stamp = |path: &Path| {
            let file = fs::metadata(path).ok()?;
            Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
        };
        [stamp(&self.hosts), stamp(&self.servers)]
    }
}

impl Settings {
    /// What `/etc/hosts` says; it overrules the name servers for both families.
    fn fixed(&self, name: &Name) -> Option<Vec<IpAddr>> {
        let [v4, v6] = [RecordType::A, RecordType::AAAA].map(|family| {
            let found = self.hosts.lookup_static_host(&Query::query(name.clone(), family));
            found.map(|lookup| addresses(lookup.answers())).unwrap_or_default()
        });
        Some(alternate(v4, v6)).filter(|addresses| !addresses.is_empty())
    }
}

fn build(settings: Result<(ResolverConfig, ResolverOpts), NetError>) -> Result<Arc<TokioResolver>, String> {
    let built = settings.and_then(|(config, options)| resolver(config, options));
    built.map(Arc::new).map_err(|error| error.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_that_change_are_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let [hosts, servers] = ["hosts", "resolv.conf"].map(|name| dir.path().join(name));
        let names = Names::from_files(hosts.clone(), servers.clone());
        let name: DnsName = "www.example.com".parse().unwrap();
        let why = |names: &Names| names.settings().resolver.as_ref().err().cloned();
        assert!(why(&names).unwrap().contains("resolv.conf: io error: No such file"));
        fs::write(&hosts, "192.0.2.1 www.example.com\n").unwrap();
        assert_eq!(names.addresses(&name).await, Ok(vec!["192.0.2.1".parse().unwrap()]));
        fs::write(&hosts, "192.0.2.2 www.example.com other.example.com\n").unwrap();
        assert_eq!(names.addresses(&name).await, Ok(vec!["192.0.2.2".parse().unwrap()]));

        fs::write(&servers, "nameserver 192.0.2.53\n").unwrap();
        assert_eq!(why(&names), None);
        let known = names.settings();
        assert!(Arc::ptr_eq(&known, &names.settings()), "not read again without need");
        // Half-way through being written anew: what was known goes on.
        fs::write(&servers, "# by DHCP\n").unwrap();
        assert_eq!(why(&names), None);
        fs::write(&servers, "nameserver 192.0.2.54\n").unwrap();
        let (Ok(before), Ok(after)) = (&known.resolver, &names.settings().resolver) else { panic!() };
        assert!(!Arc::ptr_eq(before, after));
    }
}
