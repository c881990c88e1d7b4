//! An HTTP or HTTPS probe: one GET on a connection of its own, whose answer must have the right status and end in time.
//!
//! The request names the monitor's `Host` header or else the target, and TLS names the same host (SNI), while the connection goes to the address that was
//! checked and to no other: whatever name the client looks up, it is told that address. Redirects are not followed, proxies not asked, cookies not kept. What
//! the body says matters only where the monitor says so, but it is read to its end, since a server that cannot finish an answer is not well; it may have [`BODY`]
//! octets. hyper holds the head to about 400 KiB and 100 headers.

use std::{
    future::ready,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use reqwest::{
    Client, Response, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING},
    redirect, retry,
    tls::TlsInfo,
};
use rustls::ClientConfig;

use super::{
    probe::{Deadline, Found, NO_ANSWER},
    reason,
};
use crate::{
    desired::{Monitor, Protocol, Target},
    tls,
};

const USER_AGENT: &str = concat!("tm-probe/", env!("CARGO_PKG_VERSION"));

/// The most octets of a body that a good answer has.
const BODY: usize = 64 << 10;

/// Success if the status is expected, the body ends, and has in it what it is to have.
pub(super) async fn get(
    address: SocketAddr,
    tls: ClientConfig,
    target: &Target,
    monitor: &Monitor,
    deadline: Deadline,
) -> Result<Found, String> {
    let headers = headers(&monitor.headers)?;
    let url = url(address, headers.get(HOST), target, monitor)?;
    let client = client(address, tls, monitor.source).map_err(|error| reason::of_http(&error))?;
    let head =
        async { client.get(url).headers(headers).send().await.map_err(|error| reason::of_http(&error)) };
    let response = deadline.hold(NO_ANSWER, head).await?;
    let found = judge(response.status(), &monitor.expected_status)?;
    let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let expires = shown.and_then(tls::expiry);
    let late = format!("{found}, but the body does not end");
    let body = deadline.hold(&late, read(response, &found)).await?;
    if let Some(wanted) = &monitor.body_contains
        && !body.windows(wanted.len().max(1)).any(|part| part == wanted.as_bytes())
    {
        return Err(format!("{found}, but the body does not contain `{wanted}`"));
    }
    Ok(Found { reason: found, expires })
}

/// Reads the body to its end.
async fn read(mut response: Response, found: &str) -> Result<Vec<u8>, String> {
    let ends_by_closing =
        response.content_length().is_none() && !response.headers().contains_key(TRANSFER_ENCODING);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            // Many servers close without TLS's farewell; that matters only to who wants the content.
            Err(error) if ends_by_closing && reason::is_end(&error) => return Ok(body),
            Err(error) => {
                return Err(format!("{found}, but the body breaks off: {}", reason::of_http(&error)));
            }
        }
        if body.len() > BODY {
            return Err(format!("{found}, but the body is longer than {} KiB", BODY >> 10));
        }
    }
}

/// A client for one request to one address.
fn client(address: SocketAddr, tls: ClientConfig, source: Option<IpAddr>) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .tls_info(true)
        .local_address(source)
        .dns_resolver(Pinned(address))
        .http1_only()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .user_agent(USER_AGENT)
        .build()
}

/// Answers every name with the address that was checked.
struct Pinned(SocketAddr);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(ready(Ok(addresses)))
    }
}

/// The monitor's headers, in which a `Connection` of the operator's wins over ours.
fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]);
    for (name, value) in pairs {
        let cannot = || format!("the header `{name}: {value}` cannot be sent");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| cannot())?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| cannot())?);
    }
    Ok(headers)
}

/// The URL to ask for. Its host is what TLS names, and is a name (which `Pinned` leads to `address`) or `address` itself: a `Host` that is
/// no name (an address, a wildcard) is sent as it is and leaves TLS without a name.
fn url(
    address: SocketAddr,
    host: Option<&HeaderValue>,
    target: &Target,
    monitor: &Monitor,
) -> Result<Url, String> {
    let scheme = if monitor.protocol == Protocol::Https { "https" } else { "http" };
    let base = |host: &str| Url::parse(&format!("{scheme}://{host}")).ok().filter(is_anonymous);
    let named = match (host, target) {
        (Some(host), _) => host.to_str().ok().and_then(base),
        (None, Target::Name(name)) => base(&name.to_string()),
        (None, Target::V4(_) | Target::V6(_) | Target::Profile(_)) => None,
    };
    let literal = || match address.ip() {
        IpAddr::V4(address) => base(&address.to_string()),
        IpAddr::V6(address) => base(&format!("[{address}]")),
    };
    let cannot = || format!("no URL can be made of {target} and {}", monitor.path);
    let mut url = named.filter(|url| url.domain().is_some()).or_else(literal).ok_or_else(cannot)?;
    url.set_port(Some(address.port())).map_err(|()| cannot())?;
    let (path, query) = match monitor.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (monitor.path.as_str(), None),
    };
    url.set_path(path);
    url.set_query(query);
    Ok(url)
}

/// Does the URL carry no credentials? The client would send them.
fn is_anonymous(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// `200 OK`, or `503 Service Unavailable, expected 200`.
fn judge(status: StatusCode, expected: &[RangeInclusive<u16>]) -> Result<String, String> {
    let found = match status.canonical_reason() {
        Some(phrase) => format!("{} {phrase}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    if expected.iter().any(|range| range.contains(&status.as_u16())) {
        return Ok(found);
    }
    let expected: Vec<_> = expected
        .iter()
        .map(|range| match (range.start(), range.end()) {
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start}-{end}"),
        })
        .collect();
    Err(format!("{found}, expected {}", expected.join(", ")))
}
