//! Addresses, targets and prefixes as operators write them.

use std::net::IpAddr;

use crate::{desired::Target, prefix};

use super::{name, report::Fault, value::quote};

/// What an endpoint answers with.
pub(super) fn target(text: &str) -> Result<Target, Fault> {
    if let Ok(address) = text.parse() {
        return unicast(address).map(|()| match address {
            IpAddr::V4(address) => Target::V4(address),
            IpAddr::V6(address) => Target::V6(address),
        });
    }
    no_url_or_port(text)?;
    if text.contains(':') {
        return Err(no_address(text, "IPv6", "write it as \"2001:db8::1\", without brackets or scope"));
    }
    if name::ends_in_number(text) {
        return Err(no_address(text, "IPv4", "write four numbers from 0 to 255, as \"192.0.2.10\""));
    }
    name::whole(text).map(Target::Name)
}

/// An address that one host can have.
pub(super) fn host_address(text: &str) -> Result<IpAddr, Fault> {
    let help = "write an IPv4 or IPv6 address, as \"192.0.2.53\" or \"2001:db8::53\"";
    let address = text.parse().map_err(|_| Fault::new(format!("{} is not an address", quote(text)), help))?;
    unicast(address).map(|()| address)
}

/// `address/length`, without bits set beyond the length.
pub(super) fn prefix(text: &str) -> Result<(IpAddr, u8), Fault> {
    let help = "write an address, a slash and a length, as \"127.0.0.0/8\" or \"fd00::/8\"";
    let malformed = || Fault::new(format!("{} is not a prefix", quote(text)), help);
    let (address, length) = text.split_once('/').ok_or_else(malformed)?;
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length.parse().ok().filter(|length| digits && *length <= bits).ok_or_else(malformed)?;
    let network = prefix::network(address, length);
    if network != address {
        let message = format!("{} has bits set beyond its length", quote(text));
        return Err(Fault::new(message, format!("write \"{network}/{length}\"")));
    }
    Ok((address, length))
}

/// The last address of a prefix.
pub(super) fn last_of(network: IpAddr, length: u8) -> IpAddr {
    match network {
        IpAddr::V4(first) => {
            IpAddr::V4((first.to_bits() | u32::MAX.checked_shr(length.into()).unwrap_or(0)).into())
        }
        IpAddr::V6(first) => {
            IpAddr::V6((first.to_bits() | u128::MAX.checked_shr(length.into()).unwrap_or(0)).into())
        }
    }
}

fn unicast(address: IpAddr) -> Result<(), Fault> {
    let kind = match address {
        _ if address.is_unspecified() => "the unspecified address",
        _ if address.is_multicast() => "a multicast address",
        IpAddr::V4(address) if address.is_broadcast() => "the broadcast address",
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => {
                let message = format!("`{address}` is an IPv4 address in IPv6's clothes");
                return Err(Fault::new(message, format!("write \"{mapped}\"")));
            }
            None => return Ok(()),
        },
        IpAddr::V4(_) => return Ok(()),
    };
    Err(Fault::new(format!("`{address}` is {kind}"), "write the address of one host"))
}

fn no_url_or_port(text: &str) -> Result<(), Fault> {
    const ELSEWHERE: &str = "protocol, port and path belong in [profile.monitor]";

    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let message = format!("{} is a URL", quote(text));
        return Err(Fault::new(message, format!("write the host alone, \"{host}\"; {ELSEWHERE}")));
    }
    if let Some((host, _)) = text.split_once('/') {
        let message = format!("{} has a path", quote(text));
        return Err(Fault::new(message, format!("write the host alone, \"{host}\"; {ELSEWHERE}")));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port && (bracketed.is_some() || !host.contains(':')) {
        let host = bracketed.unwrap_or(host);
        let message = format!("{} has a port", quote(text));
        return Err(Fault::new(message, format!("write the host alone, \"{host}\"; {ELSEWHERE}")));
    }
    Ok(())
}

fn no_address(text: &str, family: &str, help: &str) -> Fault {
    Fault::new(format!("{} is neither an {family} address nor a DNS name", quote(text)), help)
}
