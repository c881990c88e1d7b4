//! One cable between the lab's hosts: a veth pair with fixed names and addresses, by number.
//!
//! | | server | client |
//! | --- | --- | --- |
//! | interface | `tm{2n}` | `tm{2n + 1}` |
//! | IPv4, of /24 | 10.53.n.1 | 10.53.n.2 |
//! | IPv6, of /64 | fd53:0:0:n::1 | fd53:0:0:n::2 |
//! | Ethernet | 02:53:00:00:0n:01 | 02:53:00:00:0n:02 |
//!
//! The client's end carries an XDP program of its own, or the driver would leave what the server's program transmits in its ring,
//! and makes whole checksums, because the program sees frames before the kernel would have completed them.

use std::process::Command;

use anyhow::Result;

use crate::{
    attached::Attached,
    namespace::{Namespace, run},
};

/// The pair; its program goes with this handle, the interfaces go by [`Cable::pull`] or with their namespaces.
pub(crate) struct Cable {
    number: u8,
    pass: Option<Attached>,
}

/// One end of it, in a namespace or in this process's own.
struct End<'a> {
    namespace: Option<&'a Namespace>,
    interface: String,
    mac: String,
    addresses: [String; 2],
}

impl End<'_> {
    fn new(namespace: Option<&Namespace>, number: u8, host: u8) -> End<'_> {
        End {
            namespace,
            interface: format!("tm{}", 2 * u16::from(number) + u16::from(host) - 1),
            mac: format!("02:53:00:00:{number:02x}:{host:02x}"),
            addresses: [format!("10.53.{number}.{host}"), format!("fd53:0:0:{number:x}::{host}")],
        }
    }

    fn command(&self, program: &str) -> Command {
        self.namespace.map_or_else(|| Command::new(program), |namespace| namespace.command(program))
    }

    /// Runs `ip`, in whose words `DEV` stands for the interface.
    fn ip(&self, words: &str) -> Result<String> {
        let words = words.split(' ').map(|word| if word == "DEV" { &self.interface } else { word });
        run(self.command("ip").args(words))
    }

    fn set_up(&self) -> Result<()> {
        let [v4, v6] = &self.addresses;
        // No link-local address: what it would send by itself only blurs the counters.
        self.ip(&format!("link set DEV address {} addrgenmode none", self.mac))?;
        self.ip(&format!("address add {v4}/24 brd + dev DEV"))?;
        self.ip(&format!("address add {v6}/64 dev DEV nodad"))?;
        let offloads = ["tx", "off", "txvlan", "off", "rxvlan", "off"];
        run(self.command("ethtool").args(["-K", &self.interface]).args(offloads))?;
        self.ip("link set DEV up")?;
        Ok(())
    }

    /// Makes the other end known from the start: the first packet is as fast as the second.
    fn meet(&self, other: &End<'_>) -> Result<()> {
        for address in &other.addresses {
            self.ip(&format!("neighbour replace {address} dev DEV lladdr {} nud permanent", other.mac))?;
        }
        Ok(())
    }
}

impl Cable {
    /// Lays cable `number` between the server (in this process's namespace where none is given) and the client.
    pub(crate) fn lay(number: u8, server: Option<&Namespace>, client: &Namespace) -> Result<Self> {
        let ends = [End::new(server, number, 1), End::new(Some(client), number, 2)];
        let [there, here] = &ends;
        there.ip(&format!("link add DEV type veth peer name {} netns {}", here.interface, client.name()))?;
        there.set_up()?;
        here.set_up()?;
        there.meet(here)?;
        here.meet(there)?;
        let pass = client.enter(|| Attached::new("pass", &here.interface))??;
        Ok(Self { number, pass: Some(pass) })
    }

    /// Which one it is.
    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    /// Takes the program off the client's end.
    pub(crate) fn release(&mut self) {
        self.pass = None;
    }

    /// Removes both its interfaces.
    pub(crate) fn pull(self, server: Option<&Namespace>) -> Result<()> {
        End::new(server, self.number, 1).ip("link delete DEV").map(|_| ())
    }
}
