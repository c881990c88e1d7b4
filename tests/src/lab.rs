//! Two hosts on one cable: a veth pair `tm0` (server) and `tm1` (client) with fixed addresses, each end in a namespace.
//!
//! The client's end carries an XDP program of its own, or the driver would leave what the server's program transmits in its ring,
//! and makes whole checksums, because the program sees frames before the kernel would have completed them.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    process::Command,
};

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};

use crate::{
    namespace::{Namespace, require_root, run},
    objects::RIG,
    raw::RawSocket,
};

/// The server's interface.
pub const SERVER_INTERFACE: &str = "tm0";
/// The client's interface.
pub const CLIENT_INTERFACE: &str = "tm1";
/// The server's IPv4 address.
pub const SERVER_V4: Ipv4Addr = Ipv4Addr::new(10, 53, 0, 1);
/// The server's IPv6 address.
pub const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 1);
/// The client's IPv4 address.
pub const CLIENT_V4: Ipv4Addr = Ipv4Addr::new(10, 53, 0, 2);
/// The client's IPv6 address.
pub const CLIENT_V6: Ipv6Addr = Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 2);
/// The server's Ethernet address.
pub const SERVER_MAC: [u8; 6] = [0x02, 0x53, 0, 0, 0, 1];
/// The client's Ethernet address.
pub const CLIENT_MAC: [u8; 6] = [0x02, 0x53, 0, 0, 0, 2];

/// The two hosts; they go with this handle.
pub struct Lab {
    // Fields are dropped in this order: the program leaves the interface before the interface goes.
    pass: Option<Attached>,
    server: Option<Namespace>,
    client: Namespace,
}

impl Lab {
    /// Both ends in fresh namespaces. Panics where the process is not root's.
    pub fn new() -> Result<Self> {
        require_root();
        Self::build(Some(Namespace::new("server")?), Namespace::new("client")?)
    }

    /// The server's end in the namespace of this process and the client's in namespace `tm-client`: for a person to try.
    pub fn here() -> Result<Self> {
        require_root();
        let client = Namespace::named("tm-client").context(
            "if an earlier run left it behind, remove it with `ip netns delete tm-client` and try again",
        )?;
        Self::build(None, client)
    }

    fn build(server: Option<Namespace>, client: Namespace) -> Result<Self> {
        let inside = |namespace: Option<&Namespace>, program: &str| {
            namespace.map_or_else(|| Command::new(program), |namespace| namespace.command(program))
        };
        run(inside(server.as_ref(), "ip")
            .args(["link", "add", SERVER_INTERFACE, "type", "veth", "peer", "name", CLIENT_INTERFACE])
            .args(["netns", client.name()]))?;
        let ends = [
            (server.as_ref(), SERVER_INTERFACE, SERVER_MAC, "10.53.0.1/24", "fd53::1/64"),
            (Some(&client), CLIENT_INTERFACE, CLIENT_MAC, "10.53.0.2/24", "fd53::2/64"),
        ];
        for (namespace, interface, mac, v4, v6) in ends {
            let ip = |words: &str| {
                run(inside(namespace, "ip")
                    .args(words.split(' ').map(|word| if word == "DEV" { interface } else { word })))
            };
            // No link-local address: what it would send by itself only blurs the counters.
            ip(&format!("link set DEV address {} addrgenmode none", written(mac)))?;
            ip(&format!("address add {v4} dev DEV"))?;
            ip(&format!("address add {v6} dev DEV nodad"))?;
            run(inside(namespace, "ethtool")
                .args(["-K", interface, "tx", "off", "txvlan", "off", "rxvlan", "off"]))?;
            ip("link set DEV up")?;
        }
        // Neighbours known from the start: the first packet is as fast as the second.
        let neighbours = [
            (server.as_ref(), SERVER_INTERFACE, ["10.53.0.2", "fd53::2"], CLIENT_MAC),
            (Some(&client), CLIENT_INTERFACE, ["10.53.0.1", "fd53::1"], SERVER_MAC),
        ];
        for (namespace, interface, addresses, mac) in neighbours {
            for address in addresses {
                run(inside(namespace, "ip")
                    .args(["neighbour", "replace", address, "dev", interface])
                    .args(["lladdr", &written(mac), "nud", "permanent"]))?;
            }
        }
        let pass = client.enter(|| Attached::new("pass", CLIENT_INTERFACE))??;
        Ok(Self { pass: Some(pass), server, client })
    }

    /// A command on the server.
    pub fn server(&self, program: &str) -> Command {
        self.server.as_ref().map_or_else(|| Command::new(program), |server| server.command(program))
    }

    /// A command on the client.
    pub fn client(&self, program: &str) -> Command {
        self.client.command(program)
    }

    /// Runs a closure on a thread of the server.
    pub fn in_server<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T> {
        match &self.server {
            Some(server) => server.enter(inside),
            None => Ok(inside()),
        }
    }

    /// Runs a closure on a thread of the client.
    pub fn in_client<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T> {
        self.client.enter(inside)
    }

    /// Takes the program off the client's end, for a client that brings its own.
    pub fn release_client(&mut self) {
        self.pass = None;
    }

    /// A socket for whole frames on the client's interface.
    pub fn raw(&self) -> Result<RawSocket> {
        self.in_client(|| RawSocket::open(CLIENT_INTERFACE))?
    }
}

/// A program of the rig on an interface; it leaves with this handle.
pub struct Attached {
    _rig: Ebpf,
}

impl Attached {
    /// Attaches it, natively, to an interface of the calling thread's namespace.
    pub fn new(name: &str, interface: &str) -> Result<Self> {
        let mut rig = Ebpf::load(RIG).context("cannot load the rig's programs")?;
        let program = rig.program_mut(name).with_context(|| format!("the rig has no program `{name}`"))?;
        let program: &mut Xdp = program.try_into()?;
        program.load().with_context(|| format!("the kernel refused the rig's program `{name}`"))?;
        program
            .attach(interface, XdpMode::Driver)
            .with_context(|| format!("cannot attach `{name}` to {interface}"))?;
        Ok(Self { _rig: rig })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // In namespaces of their own the ends go with those.
        if self.server.is_none()
            && let Err(error) = run(Command::new("ip").args(["link", "delete", SERVER_INTERFACE]))
        {
            eprintln!("{SERVER_INTERFACE} stays behind: {error:#}");
        }
    }
}

fn written(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_hosts_reach_each_other_at_once_over_both_families() {
        let lab = Lab::new().unwrap();
        for address in ["10.53.0.1", "fd53::1"] {
            let reached = lab.in_server(|| std::net::UdpSocket::bind((address, 5300)).unwrap()).unwrap();
            lab.in_client(|| {
                let socket =
                    std::net::UdpSocket::bind(if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" });
                socket.unwrap().send_to(b"here", (address, 5300)).unwrap();
            })
            .unwrap();
            reached.set_read_timeout(Some(crate::DEADLINE)).unwrap();
            let mut bytes = [0; 8];
            assert_eq!(reached.recv(&mut bytes).unwrap(), 4);
            assert_eq!(&bytes[..4], b"here");
        }
    }

    #[test]
    fn labs_stand_side_by_side_and_leave_nothing() {
        let (one, two) = (Lab::new().unwrap(), Lab::new().unwrap());
        let names = [&one, &two].map(|lab| lab.client.path());
        assert_ne!(names[0], names[1]);
        assert!(
            run(one.client("ip").args(["-details", "link", "show", "tm1"])).unwrap().contains("prog/xdp")
        );
        drop((one, two));
        assert!(names.iter().all(|path| !path.exists()));
    }
}
