//! A caching resolver as the public has them: `unbound` on a host of its own, between the client and the server.
//!
//! It asks the daemon for `tm.example` and what else it is told to, knows the zones that a test gives it in full, and nothing else.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    process::Child,
    sync::Arc,
    thread,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    cable::Cable,
    client::Asker,
    lab::Lab,
    log::{Log, spawn},
    namespace::{Namespace, run},
};

/// The server's interface to it.
pub const SERVER_INTERFACE: &str = "tm16";
/// The server, as it sees it.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 53, 8, 1);
/// It, as its clients and the server see it.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 53, 9, 1);
/// The client, as it sees it.
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 53, 9, 2);
/// Its interface to the client.
const OWN_INTERFACE: &str = "tm18";
/// The client's interface to it.
const CLIENT_INTERFACE: &str = "tm19";

/// The resolver; it ends with this handle.
pub struct Resolver {
    child: Child,
    log: Arc<Log>,
    directory: TempDir,
    // Dropped in this order: the programs leave the interfaces before these go with the namespace.
    _cables: [Cable; 2],
    namespace: Namespace,
}

impl Resolver {
    /// Starts it; it knows these zones (name, records). It tells the daemon nothing of its clients.
    pub fn start(lab: &Lab, zones: &[(&str, &str)]) -> Result<Self> {
        Self::start_for(lab, &["tm.example"], zones)
    }

    /// The same; it asks the daemon for all below these names.
    pub fn start_for(lab: &Lab, served: &[&str], zones: &[(&str, &str)]) -> Result<Self> {
        Self::start_with(lab, served, zones, "module-config: \"iterator\"")
    }

    /// The same; it tells the daemon its clients' /24, and keeps what the daemon says for as many of them as the daemon says.
    /// [`Self::forget`] does not reach what it so keeps.
    pub fn start_with_subnets(lab: &Lab, zones: &[(&str, &str)]) -> Result<Self> {
        let tell = format!("module-config: \"subnetcache iterator\"\nsend-client-subnet: {SERVER}");
        Self::start_with(lab, &["tm.example"], zones, &tell)
    }

    fn start_with(lab: &Lab, served: &[&str], zones: &[(&str, &str)], settings: &str) -> Result<Self> {
        let namespace = Namespace::new("resolver")?;
        let cables = [
            Cable::lay(8, lab.server_namespace(), &namespace)?,
            Cable::lay(9, Some(&namespace), lab.client_namespace())?,
        ];
        let directory = tempfile::tempdir().context("cannot make a directory for unbound")?;
        let mut text = configuration(&directory, settings);
        for name in served {
            text += &format!("stub-zone:\nname: \"{name}\"\nstub-addr: {SERVER}\n");
        }
        for (name, records) in zones {
            let file = directory.path().join(name);
            fs::write(&file, zone(name, records))
                .with_context(|| format!("cannot write {}", file.display()))?;
            text += &format!(
                "auth-zone:\nname: \"{name}\"\nzonefile: \"{}\"\nfor-downstream: no\n",
                file.display()
            );
        }
        let file = directory.path().join("unbound.conf");
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let (child, log) = spawn(namespace.command("unbound").args(["-d", "-c"]).arg(&file))?;
        let resolver = Self { child, log, directory, _cables: cables, namespace };
        resolver.log.wait_for("unbound", 0, "the start", |line| line.contains("start of service"));
        Ok(resolver)
    }

    /// A socket of the client's that asks it.
    pub fn asker(&self, lab: &Lab) -> Result<Asker> {
        lab.asker(ADDRESS.into())
    }

    /// The same from an address that the client did not have before.
    pub fn asker_from(&self, lab: &Lab, source: Ipv4Addr) -> Result<Asker> {
        let source_network = format!("{source}/32");
        run(lab.client("ip").args(["address", "add", &source_network, "dev", CLIENT_INTERFACE]))?;
        let route = ["route", "add", &source_network, "via", &CLIENT.to_string(), "dev", OWN_INTERFACE];
        run(self.namespace.command("ip").args(route))?;
        lab.asker_from(IpAddr::V4(source), ADDRESS.into())
    }

    /// Empties its cache.
    pub fn forget(&self) -> Result<()> {
        let file = self.directory.path().join("unbound.conf");
        let mut command = self.namespace.command("unbound-control");
        run(command.arg("-c").arg(file).args(["flush_zone", "."])).map(|_| ())
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("unbound does not end: {error}");
        }
        if thread::panicking() {
            eprintln!("unbound's log:\n{}", self.log.lines().join("\n"));
        }
    }
}

fn configuration(directory: &TempDir, settings: &str) -> String {
    let directory = directory.path().display();
    format!(
        "server:
directory: \"{directory}\"
chroot: \"\"
username: \"\"
pidfile: \"\"
use-syslog: no
verbosity: 1
num-threads: 1
interface: {ADDRESS}
access-control: 0.0.0.0/0 allow
{settings}
remote-control:
control-enable: yes
control-interface: \"{directory}/control\"
control-use-cert: no
"
    )
}

/// A zone file with what every zone must have.
fn zone(name: &str, records: &str) -> String {
    format!(
        "$ORIGIN {name}.\n$TTL 3600\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A {ADDRESS}\n{records}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dig::answers,
        query::{Query, qtype},
    };

    #[test]
    fn it_follows_the_zones_that_it_knows_for_any_client() {
        let lab = Lab::new().unwrap();
        let zones =
            [("one.example", "www 60 IN CNAME web.two.example."), ("two.example", "web IN A 192.0.2.1")];
        let resolver = Resolver::start(&lab, &zones).unwrap();
        let mut asker = resolver.asker(&lab).unwrap();
        let mut ask = || answers(&asker.ask(&Query::with_edns("www.one.example", qtype::A)).unwrap());
        let both = ["www.one.example. 60 IN CNAME web.two.example.", "web.two.example. 3600 IN A 192.0.2.1"];
        assert_eq!(ask(), both);
        let mut other = resolver.asker_from(&lab, [203, 0, 113, 7].into()).unwrap();
        let answer = other.ask(&Query::with_edns("web.two.example", qtype::A)).unwrap();
        assert_eq!(answers(&answer).len(), 1);
    }
}
