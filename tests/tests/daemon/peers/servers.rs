//! Debian's name servers on the daemon's host, each at a port of its own, and a socket of the client's that asks one.

use std::{
    fs,
    net::UdpSocket,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tm_tests::{
    DEADLINE,
    lab::Lab,
    query::{Query, qtype},
};

/// A server; it is killed with this handle.
pub(super) struct Peer {
    pub(super) name: &'static str,
    port: u16,
    child: Child,
    directory: TempDir,
}

impl Peer {
    pub(super) fn named(lab: &Lab, port: u16, zone: &str) -> Self {
        Self::start(lab, "named", &["-g", "-c"], NAMED, port, zone)
    }

    pub(super) fn knot(lab: &Lab, port: u16, zone: &str) -> Self {
        Self::start(lab, "knotd", &["-c"], KNOT, port, zone)
    }

    pub(super) fn nsd(lab: &Lab, port: u16, zone: &str) -> Self {
        Self::start(lab, "nsd", &["-d", "-c"], NSD, port, zone)
    }

    /// BIND, Knot DNS and NSD with this secret of cookies, in hexadecimal digits. The first two answer none but who has a right one, where one is sent.
    pub(super) fn with_cookies(lab: &Lab, ports: [u16; 3], zone: &str, secret: &str) -> [Self; 3] {
        let [named, knot, nsd] = ports;
        let cookies =
            format!("cookie-algorithm siphash24; cookie-secret \"{secret}\"; require-server-cookie yes;");
        let named_text = NAMED.replace("answer-cookie no;", &cookies);
        let cookies = format!("mod-cookies:\n  - id: one\n    secret: 0x{secret}\n");
        let knot_text = KNOT.replace(
            "zone:\n",
            &format!("{cookies}template:\n  - id: default\n    global-module: mod-cookies/one\nzone:\n"),
        );
        let cookies = format!("answer-cookie: yes\n    cookie-secret: \"{secret}\"\nremote-control:");
        let nsd_text = NSD.replace("remote-control:", &format!("    {cookies}"));
        [
            Self::start(lab, "named", &["-g", "-c"], &named_text, named, zone),
            Self::start(lab, "knotd", &["-c"], &knot_text, knot, zone),
            Self::start(lab, "nsd", &["-d", "-c"], &nsd_text, nsd, zone),
        ]
    }

    fn start(lab: &Lab, name: &'static str, words: &[&str], text: &str, port: u16, zone: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display().to_string();
        let file = directory.path().join("conf");
        fs::write(&file, text.replace("{dir}", &at).replace("{port}", &port.to_string())).unwrap();
        fs::write(directory.path().join("zone"), zone).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let mut command = lab.server(name);
        command.args(words).arg(&file).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { name, port, child, directory }
    }

    /// Waits until it has the zone; then a socket that asks it.
    pub(super) fn asker(&self, lab: &Lab) -> Asker {
        let asker = Asker::new(lab, self.port);
        asker.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let query = Query::new("web.tm.example", qtype::A).build();
        let began = Instant::now();
        let mut reply = [0; 512];
        loop {
            // Nobody listens yet: the one or the other fails, and the next attempt waits for its time.
            let length = asker.socket.send(&query).and_then(|_| asker.socket.recv(&mut reply)).unwrap_or(0);
            if length > query.len() && reply[3] & 15 == 0 {
                break;
            }
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < DEADLINE, "{} does not answer\n{}", self.name, log());
        }
        asker.socket.set_read_timeout(Some(DEADLINE)).unwrap();
        asker
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Asks one server, one question at a time.
pub(super) struct Asker {
    socket: UdpSocket,
}

impl Asker {
    pub(super) fn new(lab: &Lab, port: u16) -> Self {
        let socket = lab.in_client(|| {
            let socket = UdpSocket::bind("10.53.0.2:0").unwrap();
            socket.connect(("10.53.0.1", port)).unwrap();
            socket
        });
        let socket = socket.unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Asker { socket }
    }

    pub(super) fn send(&mut self, query: &[u8]) {
        self.socket.send(query).unwrap();
    }

    /// The reply to this query; late ones to others are passed over.
    pub(super) fn receive(&mut self, query: &[u8]) -> Vec<u8> {
        let mut reply = [0; 4096];
        loop {
            match self.socket.recv(&mut reply) {
                Ok(length) if reply[..2] == query[..2] => return reply[..length].to_vec(),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}: no reply to {query:02x?}"),
            }
        }
    }
}

const NAMED: &str = r#"
options {
    directory "{dir}"; pid-file none; session-keyfile none; managed-keys-directory "{dir}";
    listen-on port {port} { 10.53.0.1; }; listen-on-v6 { none; };
    recursion no; allow-query { any; }; notify no; dnssec-validation no; minimal-responses yes;
    answer-cookie no; zero-no-soa-ttl no; max-udp-size 1232; edns-udp-size 1232;
};
controls { };
zone "tm.example" { type primary; file "{dir}/zone"; check-names ignore; };
"#;

const KNOT: &str = r#"
server:
    listen: 10.53.0.1@{port}
    rundir: {dir}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
database:
    storage: {dir}/db
log:
  - target: stdout
    any: info
zone:
  - domain: tm.example
    storage: {dir}
    file: zone
"#;

const NSD: &str = r#"
server:
    ip-address: 10.53.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{dir}"
    database: ""
    pidfile: ""
    xfrdfile: "{dir}/xfrd.state"
    zonelistfile: "{dir}/zone.list"
    xfrdir: "{dir}"
    server-count: 1
    minimal-responses: yes
    ipv4-edns-size: 1232
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: tm.example
    zonefile: "{dir}/zone"
"#;
