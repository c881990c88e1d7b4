//! What a key that is left out means, and the bounds of those that are not: one named place for each.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use crate::desired::Scope;

/// Seconds that an answer may be kept.
pub const TTL: u32 = 30;
/// Every TTL and SOA time fits 31 bits ([RFC 2181, section 8](https://www.rfc-editor.org/rfc/rfc2181#section-8)).
pub const TTL_RANGE: RangeInclusive<u32> = 0..=2_147_483_647;
/// An endpoint's share where none is given.
pub const WEIGHT: u16 = 1;
/// The largest weight.
pub const WEIGHT_AT_MOST: u16 = 1000;
/// The least weight: 0 drains an endpoint, which Azure does not know.
pub const LEAST_WEIGHT: u16 = 0;
/// Bounds of the least weight: ours and Azure's.
pub const LEAST_WEIGHT_RANGE: RangeInclusive<u16> = 0..=1;
/// XDP tells of one answer in so many.
pub const ONE_IN: u16 = 100;
/// Bounds of that number.
pub const ONE_IN_RANGE: RangeInclusive<u16> = 1..=u16::MAX;
/// Where a collector of dnstap listens that is not said to listen elsewhere.
pub const DNSTAP_SOCKET: &str = "/run/dnstap.sock";
/// Octets of the longest path of a Unix socket.
pub const SOCKET_PATH_AT_MOST: usize = 107;
/// How long Traffic View looks back: as long as Azure's.
pub const TRAFFIC_WINDOW: Duration = Duration::from_secs(7 * 86_400);
/// Bounds of that time: a minute to 31 days.
pub const TRAFFIC_WINDOW_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(31 * 86_400);
/// Endpoints in one answer of a MultiValue profile.
pub const MAX_RETURN: u8 = 2;
/// Bounds of that number.
pub const MAX_RETURN_RANGE: RangeInclusive<u8> = 1..=10;
/// Endpoints that a nested endpoint needs in its child.
pub const MIN_CHILD_ENDPOINTS: u16 = 1;
/// Bounds of that number.
pub const MIN_CHILD_ENDPOINTS_RANGE: RangeInclusive<u16> = 1..=1000;
/// Bounds of that number for one address family, of which none are needed by default.
pub const MIN_CHILD_FAMILY_RANGE: RangeInclusive<u16> = 0..=1000;
/// Profiles on the longest way down through nested endpoints, the first one counted: Azure's ten levels.
pub const NESTED_AT_MOST: usize = 10;
/// Endpoints of a profile and of all nested in it, counted as often as ways lead there. A block of slots tells 1,024 apart.
pub const TREE_AT_MOST: usize = 10_000;
/// Bounds of a priority; without any given, the order of the endpoints counts from 1.
pub const PRIORITY_RANGE: RangeInclusive<u16> = 1..=1000;
/// Endpoints that a profile may have: as many as there are priorities.
pub const ENDPOINTS_AT_MOST: usize = 1000;
/// Characters in the name of a profile or an endpoint, as for Azure's resources.
pub const NAME_AT_MOST: usize = 260;
/// Bounds of a guard's number of endpoints.
pub const WITHDRAW_AT_MOST_RANGE: RangeInclusive<u32> = 1..=1000;
/// Bounds of a failback's delay and of a guard's window: a second to a week.
pub const WINDOW_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(604_800);
/// Bounds of a slow start: a second to a day.
pub const SLOW_START_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Port of an HTTP or TCP probe.
pub const MONITOR_PORT: u16 = 80;
/// Port of an HTTPS probe.
pub const MONITOR_PORT_HTTPS: u16 = 443;
/// Path of an HTTP or HTTPS probe.
pub const MONITOR_PATH: &str = "/";
/// From one probe to the next.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// Bounds of the interval.
pub const INTERVAL_RANGE: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(86_400);
/// How long a probe may take, where the interval is longer than that.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a probe may take at most, where the interval is not longer than [`TIMEOUT`] ...
pub const TIMEOUT_SHORT: Duration = Duration::from_secs(9);
/// ... and the part of the interval, in percent, that it may take then.
pub const TIMEOUT_SHORT_PERCENT: u32 = 90;
/// A probe's timeout where none is given: shorter than the interval, whatever that is.
pub fn timeout(interval: Duration) -> Duration {
    if interval > TIMEOUT {
        return TIMEOUT;
    }
    TIMEOUT_SHORT.min(interval * TIMEOUT_SHORT_PERCENT / 100)
}
/// The shortest timeout.
pub const TIMEOUT_AT_LEAST: Duration = Duration::from_millis(1);
/// Failures in a row that are looked past.
pub const TOLERATED_FAILURES: u32 = 3;
/// Bounds of the tolerated failures.
pub const TOLERATED_FAILURES_RANGE: RangeInclusive<u32> = 0..=9;
/// Successes in a row that bring an endpoint back.
pub const SUCCESSES_TO_RECOVER: u32 = 1;
/// Bounds of those successes.
pub const SUCCESSES_TO_RECOVER_RANGE: RangeInclusive<u32> = 1..=1000;
/// HTTP status that counts as success.
pub const EXPECTED_STATUS: u16 = 200;
/// HTTP statuses that there are.
pub const STATUS_RANGE: RangeInclusive<u16> = 100..=599;
/// Ranges of expected statuses.
pub const STATUS_RANGES_AT_MOST: usize = 8;
/// Days before a certificate's end from which it can be warned of.
pub const CERTIFICATE_WARNING_DAYS_RANGE: RangeInclusive<u64> = 1..=365;
/// Octets that a body can be asked to have in it.
pub const BODY_CONTAINS_AT_MOST: usize = 1024;
/// Headers of a probe.
pub const HEADERS_AT_MOST: usize = 8;

/// The subscription of what names none.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
/// The resource group of what names none.
pub const RESOURCE_GROUP: &str = "default";
/// Where profiles and services belong that do not say, of a node that does not say either.
pub fn scope() -> Scope {
    Scope { subscription: SUBSCRIPTION.into(), resource_group: RESOURCE_GROUP.into() }
}
/// Where the API listens where `[api]` does not say.
pub const API_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
/// What a receiver is told of that does not say.
pub const WEBHOOK_EVENTS: [&str; 2] = ["endpoint_status", "profile_status"];
/// Octets of the shortest secret that messages to receivers are signed with.
pub const WEBHOOK_SECRET_AT_LEAST: usize = 24;
/// Where the metrics are where `[metrics]` does not say.
pub const METRICS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9153);
/// The API's certificate under `state_dir`, where none is named.
pub const TLS_CERT: &str = "tls/cert.pem";
/// Its key, likewise.
pub const TLS_KEY: &str = "tls/key.pem";
/// How long a session of the portal may rest.
pub const SESSION_IDLE: Duration = Duration::from_secs(3600);
/// How long it may last: a working day.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Bounds of both: a second to thirty days.
pub const SESSION_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
/// Where the daemon keeps what must outlive it.
pub const STATE_DIR: &str = "/var/lib/tm";
/// Where links and tables are pinned that outlive the daemon: a directory on a BPF file system.
pub const PINS: &str = "/sys/fs/bpf/tm";
/// The zone's mailbox is this label below the zone.
pub const SOA_MAILBOX: &str = "hostmaster";
/// SOA REFRESH, seconds: an hour.
pub const SOA_REFRESH: u32 = 3600;
/// SOA RETRY, seconds: ten minutes.
pub const SOA_RETRY: u32 = 600;
/// SOA EXPIRE, seconds: two weeks.
pub const SOA_EXPIRE: u32 = 1_209_600;
/// SOA MINIMUM, seconds: a name that comes into being is seen within a minute.
pub const SOA_MINIMUM: u32 = 60;
/// DNS.
pub const LISTEN_PORT: u16 = 53;
/// How long a connection may say nothing.
pub const TCP_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bounds of that time: a second to an hour.
pub const TCP_IDLE_TIMEOUT_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3600);
/// How long a message, a handshake or the taking of a reply may last.
pub const TCP_MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bounds of that time: a second to a minute.
pub const TCP_MESSAGE_TIMEOUT_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(60);
/// Connections at a time.
pub const TCP_CONNECTIONS: usize = 1000;
/// Connections of one client at a time.
pub const TCP_CONNECTIONS_PER_CLIENT: usize = 100;
/// Bounds of both.
pub const TCP_CONNECTIONS_RANGE: RangeInclusive<usize> = 1..=65_535;
/// DNS over TLS ([RFC 7858, section 3.1](https://www.rfc-editor.org/rfc/rfc7858#section-3.1)).
pub const DOT_PORT: u16 = 853;
/// DNS over HTTPS.
pub const DOH_PORT: u16 = 443;
/// The path that DNS over HTTPS is mostly at ([RFC 8484, section 4.1.1](https://www.rfc-editor.org/rfc/rfc8484#section-4.1.1)).
pub const DOH_PATH: &str = "/dns-query";
/// Octets of a TSIG secret: 128 bits are more than can be tried.
pub const TSIG_SECRET_AT_LEAST: usize = 16;
/// Answers over UDP a second, of the whole node, over which the limit on answers is armed. That is a flood for a node on whose size nobody has said anything: it is some 2 Gb/s of replies, many times
/// what whole top-level domains are asked at one place, and above what `dnsperf` asks to measure one. Below it, no answer pays for a limit and none is withheld.
pub const ARMED_ABOVE: u32 = 2_000_000;
/// Bounds of that number.
pub const ARMED_ABOVE_RANGE: RangeInclusive<u32> = 1..=1_000_000_000;
/// While it is armed, one prefix of clients is given so many a second, of one kind, in XDP by each CPU, or a tenth of that number where this is less. A resolver asks for a name and a type once in its TTL,
/// so that one has to ask for 25,000 that have just expired within a second, without a cookie, over one CPU, to be told of TCP now and then.
pub const ANSWERS_WHILE_ARMED: u32 = 25_000;
/// How long there must be fewer answers than half of that number before the limit is disarmed: programs are loaded anew each time, twice in this while at most.
pub const DISARMED_AFTER: Duration = Duration::from_secs(60);
/// Bounds of that time.
pub const DISARMED_AFTER_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// Bounds of the answers over UDP to one prefix of clients, of one kind, in XDP for each CPU; 0 for no limit at any time.
pub const ANSWERS_PER_SECOND_RANGE: RangeInclusive<u32> = 0..=1_000_000_000;
/// Of so many that are over the limit one is told to come back over TCP.
pub const SLIP: u32 = 2;
/// Bounds of that number; 0 tells nobody.
pub const SLIP_RANGE: RangeInclusive<u32> = 0..=100;
/// A port that can be spoken to.
pub const PORT_RANGE: RangeInclusive<u16> = 1..=65535;
/// VLAN ids (4095 is reserved).
pub const VLAN_RANGE: RangeInclusive<u16> = 0..=4094;
/// Octets of an interface's name (the kernel's IFNAMSIZ less its final zero).
pub const INTERFACE_NAME_AT_MOST: usize = 15;
/// As many names as there are profiles.
pub const LIMIT_NAMES: u32 = 0;
/// Bounds of the number of names the kernel's tables hold.
pub const LIMIT_NAMES_RANGE: RangeInclusive<u32> = 0..=16_777_216;
