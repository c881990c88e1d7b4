//! Networks of addresses: each by its first address and the length of the prefix that its addresses share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first address of the network of this length that holds `address`; the length is one that the family has.
pub fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// Is an address in the network that begins with `first`?
pub fn holds(first: IpAddr, length: u8, address: IpAddr) -> bool {
    first.is_ipv4() == address.is_ipv4() && network(address, length) == first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_cut_at_every_length() {
        let cut = |address: &str, length| network(address.parse().unwrap(), length).to_string();
        assert_eq!(cut("255.255.255.255", 0), "0.0.0.0");
        assert_eq!(cut("255.255.255.255", 9), "255.128.0.0");
        assert_eq!(cut("255.255.255.255", 32), "255.255.255.255");
        assert_eq!(cut("ffff::ffff", 0), "::");
        assert_eq!(cut("ffff::ffff", 127), "ffff::fffe");
        assert_eq!(cut("ffff::ffff", 128), "ffff::ffff");
    }

    #[test]
    fn a_network_holds_addresses_of_its_family() {
        let holds = |first: &str, length, address: &str| {
            holds(first.parse().unwrap(), length, address.parse().unwrap())
        };
        assert!(holds("192.0.2.128", 25, "192.0.2.255") && !holds("192.0.2.128", 25, "192.0.2.127"));
        assert!(holds("2001:db8::", 32, "2001:db8:ffff::1") && !holds("2001:db8::", 32, "2001:db9::"));
        assert!(holds("0.0.0.0", 0, "255.255.255.255") && !holds("::", 0, "0.0.0.0"));
    }
}
