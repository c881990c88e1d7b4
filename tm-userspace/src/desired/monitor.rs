//! How endpoints are probed.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use super::Target;

/// How endpoints are probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// What a probe speaks.
    pub protocol: Protocol,
    /// 1 to 65535.
    pub port: u16,
    /// Path and query of the GET; `/` unless HTTP or HTTPS say otherwise, unused for TCP.
    pub path: String,
    /// From one probe's start to the next one's, at least 200 ms.
    pub interval: Duration,
    /// A probe that takes longer has failed; less than the interval.
    pub timeout: Duration,
    /// The endpoint is Degraded on the failure after this many in a row, 0 to 9.
    pub tolerated_failures: u32,
    /// The endpoint is Online again after this many successes in a row, at least 1.
    pub successes_to_recover: u32,
    /// HTTP statuses that count as success.
    pub expected_status: Vec<RangeInclusive<u16>>,
    /// Headers sent, names as written; a `Host` also names the TLS server (SNI).
    pub headers: Vec<(String, String)>,
    /// Must the certificate be valid for the host? Azure does not look.
    pub verify_certificate: bool,
    /// What is probed in the place of the endpoint's target; only in a monitor of one endpoint.
    pub target: Option<Target>,
    /// The address that probes come from; the system's choice where there is none.
    pub source: Option<IpAddr>,
    /// What the body of a good answer has in it, 1 to 1,024 octets.
    pub body_contains: Option<String>,
    /// A certificate that expires sooner is warned of, 1 to 365 days.
    pub certificate_warning: Option<Duration>,
}

/// What a probe speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// GET over TCP.
    Http,
    /// GET over TLS.
    Https,
    /// Connect and close.
    Tcp,
}
