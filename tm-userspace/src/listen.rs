//! Which addresses we answer at, and which no client can have: derived from the settings and from what the host's interfaces are now.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use tm_common::{
    edns::{LARGEST, Payload, SMALLEST},
    link::Link,
    tables::{Address, v4_mapped},
};
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    desired::Listen,
    xdp::{self, Interface},
};

/// Octets before a message in an IPv6 packet, which has more of them.
const HEADERS: u32 = 40 + 8;

/// How often the interfaces are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The host's interfaces by name.
pub type Host = BTreeMap<String, Interface>;

/// What follows from settings and host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Addresses we answer at.
    pub served: Vec<IpAddr>,
    /// Addresses that no client can have: all of this host's, and its networks' broadcast addresses.
    pub own: Vec<IpAddr>,
    /// What frames to us begin with: to the listed interfaces, and those that have a served address, whatever card their frames come in by (a bridge's).
    /// `None` where none of them is there.
    pub link: Option<Link>,
    /// Octets of the longest packet that goes out at each of these interfaces; none where no interface says.
    pub mtu: Option<u32>,
}

impl Listening {
    /// The addresses of the listed interfaces, narrowed to the listed addresses if there are any. A listed address counts although no
    /// interface has it (yet). IPv6 link-local addresses are left out: they mean nothing without their link.
    pub fn of(listen: &Listen, host: &Host) -> Self {
        let served: BTreeSet<IpAddr> = match listen.addresses.is_empty() {
            true => {
                let listed = host.iter().filter(|(name, _)| listen.interfaces.contains(name));
                listed
                    .flat_map(|(_, interface)| &interface.addresses)
                    .copied()
                    .filter(|a| !is_link_local(a))
                    .collect()
            }
            false => listen.addresses.iter().copied().collect(),
        };
        let own: BTreeSet<IpAddr> = host
            .values()
            .flat_map(|interface| interface.addresses.iter().chain(&interface.broadcasts))
            .copied()
            .collect();
        let ours = || {
            host.iter().filter(|(name, interface)| {
                listen.interfaces.contains(name) || interface.addresses.iter().any(|a| served.contains(a))
            })
        };
        let link = Link::of(ours().filter_map(|(_, interface)| interface.mac));
        let mtu = ours().map(|(_, interface)| interface.mtu).filter(|mtu| *mtu > 0).min();
        Listening { served: served.into_iter().collect(), own: own.into_iter().collect(), link, mtu }
    }

    /// How long replies may be, of what is wanted: none is longer than fits a packet of either family, lest it be cut up or lost. Every path takes the least that EDNS knows.
    pub fn payload(&self, wanted: Payload) -> Payload {
        let most = self.mtu.map_or(LARGEST, |mtu| {
            u16::try_from(mtu.saturating_sub(HEADERS)).unwrap_or(LARGEST).max(SMALLEST)
        });
        Payload { most: wanted.most.min(most), without_cookie: wanted.without_cookie.min(most) }
    }

    /// As the tables hold them: served, and own.
    pub fn keys(&self) -> (Vec<Address>, Vec<Address>) {
        let keys = |addresses: &[IpAddr]| addresses.iter().map(key).collect();
        (keys(&self.served), keys(&self.own))
    }
}

/// An address as the tables hold it.
pub fn key(address: &IpAddr) -> Address {
    match address {
        IpAddr::V4(address) => v4_mapped(u32::from_le_bytes(address.octets())),
        IpAddr::V6(address) => {
            let (low, high) = (
                u128::from_le_bytes(address.octets()) as u64,
                (u128::from_le_bytes(address.octets()) >> 64) as u64,
            );
            [low, high]
        }
    }
}

fn is_link_local(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// Keeps `host` what the interfaces are.
pub async fn watch_host(host: watch::Sender<Host>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        match xdp::interfaces() {
            Ok(now) => {
                host.send_if_modified(|before| {
                    let changed = *before != now;
                    *before = now;
                    changed
                });
            }
            Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot look at the interfaces"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::XdpMode;

    fn host() -> Host {
        let interface = |index, addresses: &[&str], broadcasts: &[&str]| Interface {
            index,
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            mac: (index > 1).then_some([2, 0, 0, 0, 0, index as u8]),
            broadcasts: broadcasts.iter().map(|a| a.parse().unwrap()).collect(),
            mtu: 0,
        };
        BTreeMap::from([
            ("eth0".into(), interface(2, &["192.0.2.53", "2001:db8::53", "fe80::1"], &["192.0.2.255"])),
            ("lo".into(), interface(1, &["127.0.0.1", "::1"], &[])),
        ])
    }

    fn listening(interfaces: &[&str], addresses: &[&str]) -> (Vec<String>, Vec<String>) {
        let listen = Listen {
            interfaces: interfaces.iter().map(|i| (*i).to_owned()).collect(),
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            port: 53,
            mode: XdpMode::Auto,
            vlans: vec![],
            route_lookup: false,
            pins: "/sys/fs/bpf/tm".into(),
            keep: false,
        };
        let Listening { served, own, .. } = Listening::of(&listen, &host());
        let text = |addresses: Vec<IpAddr>| addresses.iter().map(IpAddr::to_string).collect();
        (text(served), text(own))
    }

    #[test]
    fn served_are_the_interfaces_addresses_unless_narrowed() {
        assert_eq!(listening(&["eth0"], &[]).0, ["192.0.2.53", "2001:db8::53"]);
        assert_eq!(listening(&["eth0"], &["192.0.2.53"]).0, ["192.0.2.53"]);
        assert_eq!(listening(&["eth1"], &[]).0, Vec::<String>::new());
        assert_eq!(listening(&[], &["198.51.100.1"]).0, ["198.51.100.1"]);
    }

    #[test]
    fn own_are_all_of_the_host_and_its_broadcasts() {
        let own = ["127.0.0.1", "192.0.2.53", "192.0.2.255", "::1", "2001:db8::53", "fe80::1"];
        assert_eq!(listening(&["eth0"], &["192.0.2.53"]).1, own);
    }

    #[test]
    fn replies_fit_the_least_of_the_interfaces() {
        let wanted = Payload { most: 1232, without_cookie: 1000 };
        let of = |mtu| {
            let Payload { most, without_cookie } = Listening { mtu, ..Listening::default() }.payload(wanted);
            (most, without_cookie)
        };
        assert_eq!(of(None), (1232, 1000));
        assert_eq!(of(Some(65_536)), (1232, 1000));
        assert_eq!(of(Some(1280)), (1232, 1000));
        assert_eq!(of(Some(1279)), (1231, 1000));
        assert_eq!(of(Some(1000)), (952, 952));
        assert_eq!([of(Some(560)), of(Some(559)), of(Some(68)), of(Some(1))], [(512, 512); 4]);
    }

    #[test]
    fn keys_are_words_in_memory_order() {
        assert_eq!(key(&"192.0.2.53".parse().unwrap()), [0, 0x3502_00c0_ffff_0000]);
        assert_eq!(key(&"2001:db8::1".parse().unwrap()), [0xb80d_0120, 0x0100_0000_0000_0000]);
    }
}
