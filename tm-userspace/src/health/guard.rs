//! Which addresses may be probed: an endpoint's target, or the name server behind it, must not turn the prober against this machine or its link.
//!
//! Loopback, link-local (the cloud's metadata service among them), multicast, unspecified and broadcast addresses are refused unless the
//! operator lists them. Private ranges are what a self-hosted service lives in and are allowed. An IPv6 address that only carries an IPv4
//! address (mapped, compatible, 6to4, NAT64) is judged by the IPv4 address. The check is made on the very address that is then connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::desired::Probes;

/// The address to connect to (a mapped one in its IPv4 form), or why it may not be probed.
pub(super) fn permit(address: IpAddr, probes: &Probes) -> Result<IpAddr, String> {
    let address = address.to_canonical();
    match refusal(address) {
        Some(kind) if !listed(address, probes) => {
            Err(format!("{address} may not be probed: {kind} (list it in [probes] allow)"))
        }
        _ => Ok(address),
    }
}

/// What is wrong with an address.
fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) if address.is_unspecified() => Some("unspecified"),
        IpAddr::V6(address) if address.is_loopback() => Some("loopback"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("link-local"),
        IpAddr::V6(address) if address.is_multicast() => Some("multicast"),
        IpAddr::V6(address) => carried(address).and_then(refusal_v4),
    }
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("unspecified"),
        [127, ..] => Some("loopback"),
        [169, 254, ..] => Some("link-local"),
        [224..=239, ..] => Some("multicast"),
        [255, 255, 255, 255] => Some("broadcast"),
        _ => None,
    }
}

/// The IPv4 address inside an IPv6 one.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        // Mapped and compatible: RFC 4291, section 2.5.5.
        [0, 0, 0, 0, 0, 0 | 0xffff] => Some(join(g, h)),
        // 6to4: RFC 3056, section 2.
        [0x2002, high, low, ..] => Some(join(high, low)),
        // NAT64's well-known prefix: RFC 6052, section 2.1.
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(join(g, h)),
        _ => None,
    }
}

/// Does one of the operator's prefixes hold it?
fn listed(address: IpAddr, probes: &Probes) -> bool {
    probes.allow.iter().any(|&(prefix, length)| match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= length.into()
        }
        (IpAddr::V6(address), IpAddr::V6(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= length.into()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, allow: &[(&str, u8)], expect: Result<&str, &str>) {
        let allow = allow.iter().map(|(prefix, length)| (prefix.parse().unwrap(), *length)).collect();
        let expect = expect.map(|address| address.parse().unwrap()).map_err(|kind| {
            format!(
                "{} may not be probed: {kind} (list it in [probes] allow)",
                address.replace("::ffff:", "")
            )
        });
        assert_eq!(permit(address.parse().unwrap(), &Probes { allow }), expect);
    }

    #[test]
    fn addresses_that_lead_back_here_are_refused() {
        for (address, kind) in [
            ("127.0.0.1", "loopback"),
            ("127.255.255.255", "loopback"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::7f00:1", "loopback"),
            ("2002:7f00:1::", "loopback"),
            ("64:ff9b::7f00:1", "loopback"),
            ("169.254.169.254", "link-local"),
            ("64:ff9b::a9fe:a9fe", "link-local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("ff02::1", "multicast"),
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("::", "unspecified"),
            ("255.255.255.255", "broadcast"),
        ] {
            check(address, &[], Err(kind));
        }
    }

    #[test]
    fn private_and_public_addresses_are_permitted() {
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "128.0.0.1",
            "169.253.255.255",
            "240.0.0.1",
            "fd00::1",
            "2001:db8::1",
            "fec0::1",
            "64:ff9b::c000:20a",
            "2002:c000:20a::1",
        ] {
            check(address, &[], Ok(address));
        }
    }

    #[test]
    fn listed_prefixes_are_permitted() {
        check("127.0.0.1", &[("127.0.0.0", 8)], Ok("127.0.0.1"));
        check("::ffff:127.0.0.1", &[("127.0.0.0", 8)], Ok("127.0.0.1"));
        check("127.0.0.1", &[("127.0.0.1", 32)], Ok("127.0.0.1"));
        check("127.0.0.2", &[("127.0.0.1", 32)], Err("loopback"));
        check("127.0.0.4", &[("127.0.0.0", 30)], Err("loopback"));
        check("127.0.0.1", &[("0.0.0.0", 0)], Ok("127.0.0.1"));
        check("127.0.0.1", &[("::", 0)], Err("loopback"));
        check("fe80::1", &[("::1", 128), ("fe80::", 10)], Ok("fe80::1"));
    }
}
