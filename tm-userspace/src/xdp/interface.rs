//! What the host says of its interfaces.
#![expect(unsafe_code, reason = "two ioctls")]

use std::{
    collections::BTreeMap,
    net::{IpAddr, UdpSocket},
    os::fd::AsRawFd as _,
};

use anyhow::Context as _;

/// An interface as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its index; another one where it was made anew under the same name.
    pub index: u32,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its address on the link, where it has one.
    pub mac: Option<[u8; 6]>,
    /// Broadcast addresses of its IPv4 networks.
    pub broadcasts: Vec<IpAddr>,
    /// Octets of the longest packet that goes out there; 0 where it does not say.
    pub mtu: u32,
}

/// All interfaces by name.
pub fn interfaces() -> anyhow::Result<BTreeMap<String, Interface>> {
    let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
    for entry in nix::ifaddrs::getifaddrs().context("cannot list the interfaces")? {
        let Some(index) = index_of(&entry.interface_name) else { continue };
        let interface = interfaces.entry(entry.interface_name).or_default();
        interface.index = index;
        let address = |storage: Option<nix::sys::socket::SockaddrStorage>| -> Option<IpAddr> {
            let storage = storage?;
            let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        };
        let mac = entry.address.as_ref().and_then(|storage| storage.as_link_addr()?.addr());
        interface.mac = interface.mac.or(mac.filter(|mac| *mac != [0; 6]));
        interface.addresses.extend(address(entry.address));
        if entry.flags.contains(nix::net::if_::InterfaceFlags::IFF_BROADCAST) {
            interface.broadcasts.extend(address(entry.broadcast));
        }
    }
    // Any socket may ask.
    if let Ok(socket) = UdpSocket::bind("0.0.0.0:0") {
        for (name, interface) in &mut interfaces {
            interface.mtu = mtu_of(name, &socket).unwrap_or(0);
        }
    }
    Ok(interfaces)
}

/// The longest packet that goes out at an interface, in octets. `None` where it does not say.
fn mtu_of(interface: &str, socket: &UdpSocket) -> Option<u32> {
    let mut request = request_for(interface);
    // SAFETY: the request names an interface and lives through the call, which writes into nothing else.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU as _, &raw mut request) };
    // SAFETY: this field is an integer, which any octets are.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    u32::try_from(mtu).ok().filter(|_| result == 0)
}

/// What an ioctl about an interface begins with.
fn request_for(interface: &str) -> libc::ifreq {
    // SAFETY: all zeroes is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

/// The index of an interface, if there is one of that name.
pub(super) fn index_of(interface: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(interface).ok()
}

/// Does the card strip VLAN tags on receive (`rx-vlan-offload`)? Then the program sees no tag. `None` where the driver does not say.
pub fn strips_vlan_tags(interface: &str) -> Option<bool> {
    const ETHTOOL_GFLAGS: u32 = 0x25;
    const ETH_FLAG_RXVLAN: u32 = 1 << 8;
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    let mut value = Value { command: ETHTOOL_GFLAGS, data: 0 };
    let mut request = request_for(interface);
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the request names an interface and points to a value that lives through the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    (result == 0).then_some(value.data & ETH_FLAG_RXVLAN != 0)
}
