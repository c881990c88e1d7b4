//! An Internet of its own on the client's host: a root and the zone `example`, each at an NSD, that delegate `tm.example` to two addresses of the daemon, and a resolver that
//! begins at that root. Addresses are such as the public has, or suites would complain of them.

use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tm_tests::{
    DEADLINE,
    daemon::Daemon,
    lab::Lab,
    namespace::run,
    query::{Query, qtype},
};

use crate::wait_until_ready;

/// The daemon's first address.
pub(super) const SERVER: &str = "5.53.0.1";

/// `tm.example` at two addresses of each family, with what the public expects of an apex.
const NODE: &str = r#"
zone = "tm.example"
name_servers = [
    { name = "ns1.tm.example", addresses = ["5.53.0.1", "2a0e:53::1"] },
    { name = "ns2.tm.example", addresses = ["5.53.1.1", "2a0e:53:0:1::1"] },
]
state_dir = "{dir}/state"
soa = { refresh = 14400, retry = 3600 }
[listen]
pins = "{bpf}/tm"
interfaces = ["tm0", "tm2"]
"#;

const PROFILES: &str = r#"
[[profile]]
name = "apex"
dns_name = "tm.example"
routing_method = "priority"
[[profile.record]]
type = "MX"
data = "10 ns1.tm.example."
[[profile.endpoint]]
name = "only"
target = "5.53.0.1"
always_serve = true
[[profile]]
name = "www"
routing_method = "priority"
[[profile.endpoint]]
name = "only"
target = "192.0.2.10"
always_serve = true
[[profile]]
name = "halves"
routing_method = "subnet"
[[profile.endpoint]]
name = "lower"
target = "192.0.2.21"
always_serve = true
subnets = ["0.0.0.0/1"]
[[profile.endpoint]]
name = "upper"
target = "192.0.2.22"
always_serve = true
"#;

const ROOT: &str = "
$ORIGIN .
$TTL 3600
@ SOA a.root. hostmaster.root. 1 14400 3600 1209600 300
@ NS a.root.
a.root. A 5.53.0.2
a.root. AAAA 2a0e:53::2
example. NS ns.nic.example.
ns.nic.example. A 5.53.0.3
ns.nic.example. AAAA 2a0e:53::3
1.0.53.5.in-addr.arpa. PTR ns1.tm.example.
1.1.53.5.in-addr.arpa. PTR ns2.tm.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.5.0.0.e.0.a.2.ip6.arpa. PTR ns1.tm.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.3.5.0.0.e.0.a.2.ip6.arpa. PTR ns2.tm.example.
";

const EXAMPLE: &str = "
$ORIGIN example.
$TTL 3600
@ SOA ns.nic.example. hostmaster.nic.example. 1 14400 3600 1209600 300
@ NS ns.nic
ns.nic A 5.53.0.3
ns.nic AAAA 2a0e:53::3
tm NS ns1.tm
tm NS ns2.tm
ns1.tm A 5.53.0.1
ns1.tm AAAA 2a0e:53::1
ns2.tm A 5.53.1.1
ns2.tm AAAA 2a0e:53:0:1::1
";

const HINTS: &str = ". 3600 NS a.root.\na.root. 3600 A 5.53.0.2\na.root. 3600 AAAA 2a0e:53::2\n";

const NSD: &str = r#"
server:
    ip-address: {v4}
    ip-address: {v6}
    username: ""
    chroot: ""
    zonesdir: "{dir}"
    database: ""
    pidfile: ""
    xfrdfile: "{dir}/{name}.state"
    zonelistfile: "{dir}/{name}.list"
    xfrdir: "{dir}"
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: {zone}
    zonefile: "{dir}/{name}.zone"
"#;

const UNBOUND: &str = r#"
server:
    directory: "{dir}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    root-hints: "{dir}/hints"
    module-config: "iterator"
remote-control:
    control-enable: no
"#;

/// All of it; it ends with this handle.
pub(super) struct Internet {
    pub(super) daemon: Daemon,
    servers: Vec<Child>,
    directory: TempDir,
    pub(super) lab: Lab,
}

impl Internet {
    /// `more` stands behind the node's settings.
    pub(super) fn new(more: &str) -> Self {
        let mut lab = Lab::new().unwrap();
        lab.lay_cable(1).unwrap();
        for (cable, hosts) in [(0, &[1, 2, 3][..]), (1, &[1, 2])] {
            for host in hosts {
                let on = |program| if *host == 1 { lab.server(program) } else { lab.client(program) };
                let device = format!("tm{}", 2 * cable + u8::from(*host > 1));
                for address in [format!("5.53.{cable}.{host}/24"), format!("2a0e:53:0:{cable}::{host}/64")] {
                    let words = ["address", "add", &address, "dev", &device];
                    let nodad = address.contains(':').then_some("nodad");
                    run(on("ip").args(words).args(nodad)).unwrap();
                }
            }
        }
        let files = [("tm.toml", &*format!("{NODE}{more}")), ("conf.d/profiles.toml", PROFILES)];
        let mut daemon = Daemon::start(&lab, &files).unwrap();
        wait_until_ready(&mut daemon);
        let directory = tempfile::tempdir().unwrap();
        let mut internet = Internet { daemon, servers: vec![], directory, lab };
        internet.write("hints", HINTS);
        internet.write("resolv.conf", "nameserver 127.0.0.1\n");
        for (name, zone, text, host) in [("root", ".", ROOT, 2), ("example", "example", EXAMPLE, 3)] {
            internet.write(&format!("{name}.zone"), text);
            let text = NSD.replace("{name}", name).replace("{zone}", zone);
            let text = text.replace("{v4}", &format!("5.53.0.{host}"));
            let text = text.replace("{v6}", &format!("2a0e:53::{host}"));
            internet.start("nsd", name, &text);
        }
        internet.start("unbound", "unbound", UNBOUND);
        // It answers when all others do.
        internet.wait_for("127.0.0.1:53".parse().unwrap());
        internet
    }

    /// A file of this Internet's.
    pub(super) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// A command on the client, where names are looked up by this Internet's resolver.
    pub(super) fn client(&self, program: &str) -> Command {
        let mut command = self.lab.client("unshare");
        let bind = format!("mount --bind {} /etc/resolv.conf; exec \"$0\" \"$@\"", self.path("resolv.conf"));
        command.args(["--mount", "sh", "-c", &bind, program]);
        command
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(Path::new(&self.path(name)), text).unwrap();
    }

    fn start(&mut self, program: &str, name: &str, text: &str) {
        let file = format!("{name}.conf");
        self.write(&file, &text.replace("{dir}", &self.directory.path().display().to_string()));
        let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        let mut command = self.lab.client(program);
        command.args(["-d", "-c", &self.path(&file)]).stdin(Stdio::null());
        self.servers.push(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    fn wait_for(&self, server: SocketAddr) {
        let socket = self.lab.in_client(|| UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let query = Query::new("www.tm.example", qtype::A).build();
        let began = Instant::now();
        let mut reply = [0; 512];
        loop {
            // Nobody listens yet: the one or the other fails, and the next attempt waits for its time.
            let length = socket.send(&query).and_then(|_| socket.recv(&mut reply)).unwrap_or(0);
            if length > query.len() && reply[3] & 15 == 0 {
                break;
            }
            let log = |name: &str| fs::read_to_string(self.path(name)).unwrap_or_default();
            let logs = ["root.log", "example.log", "unbound.log"].map(log).join("\n");
            assert!(began.elapsed() < DEADLINE, "{server} does not answer\n{logs}");
        }
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for server in &mut self.servers {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
}
