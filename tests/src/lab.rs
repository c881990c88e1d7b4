//! Two hosts, server and client, joined by cables: by `tm0` (server) and `tm1` (client) from the start.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cable::Cable,
    namespace::{Namespace, require_root},
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
    // Fields are dropped in this order: the programs leave the interfaces before the interfaces go.
    cables: Vec<Cable>,
    server: Option<Namespace>,
    client: Namespace,
}

impl Lab {
    /// Both hosts in fresh namespaces. Panics where the process is not root's.
    pub fn new() -> Result<Self> {
        require_root();
        Self::build(Some(Namespace::new("server")?), Namespace::new("client")?)
    }

    /// The server in the namespace of this process and the client in namespace `tm-client`: for a person to try.
    pub fn here() -> Result<Self> {
        require_root();
        let client = Namespace::named("tm-client").context(
            "if an earlier run left it behind, remove it with `ip netns delete tm-client` and try again",
        )?;
        Self::build(None, client)
    }

    fn build(server: Option<Namespace>, client: Namespace) -> Result<Self> {
        let mut lab = Self { cables: Vec::new(), server, client };
        lab.lay_cable(0)?;
        Ok(lab)
    }

    /// Joins the hosts by one more cable: `tm{2n}` with 10.53.n.1 and fd53:0:0:n::1 here, `tm{2n + 1}` with the same that end in 2 there.
    pub fn lay_cable(&mut self, number: u8) -> Result<()> {
        self.cables.push(Cable::lay(number, self.server.as_ref(), &self.client)?);
        Ok(())
    }

    /// Takes a cable away: both interfaces are gone, addresses and all.
    pub fn pull_cable(&mut self, number: u8) -> Result<()> {
        let at = self.cables.iter().position(|cable| cable.number() == number);
        let at = at.with_context(|| format!("there is no cable {number} to pull"))?;
        self.cables.swap_remove(at).pull(self.server.as_ref())
    }

    /// Takes the programs off the client's ends, for a client that brings its own.
    pub fn release_client(&mut self) {
        self.cables.iter_mut().for_each(Cable::release);
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

    /// The server's namespace; none where that is this process's own.
    pub(crate) fn server_namespace(&self) -> Option<&Namespace> {
        self.server.as_ref()
    }

    /// The client's namespace.
    pub(crate) fn client_namespace(&self) -> &Namespace {
        &self.client
    }

    /// A socket for whole frames on the client's interface.
    pub fn raw(&self) -> Result<RawSocket> {
        self.in_client(|| RawSocket::open(CLIENT_INTERFACE))?
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // In namespaces of their own the ends go with those.
        for cable in self.cables.drain(..).filter(|_| self.server.is_none()) {
            if let Err(error) = cable.pull(None) {
                eprintln!("an interface stays behind: {error:#}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::run;

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
