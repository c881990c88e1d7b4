//! The zone as a whole: to whom it is given, and what becomes of it at BIND's and Knot's secondaries.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use tempfile::TempDir;
use tm_tests::{DEADLINE, client::said, daemon::Daemon, lab::Lab};

use crate::{NODE, profile, unmonitored, wait_until_ready};

const SECRET: &str = "bWluZCB0aGUgZ2FwIGJldHdlZW4gdGhlIHRyYWluIGFuZA==";
const OTHER: &str = "YW5vdGhlciBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaCE=";

/// Keys `secondary` and `other`, of which the first may have the zone.
const KEYS: &str = r#"
[[tsig_key]]
name = "secondary"
secret_file = "{dir}/secondary.key"
[[tsig_key]]
name = "Other.Key"
algorithm = "hmac-sha512"
secret_file = "{dir}/other.key"
[transfer]
allow = ["secondary"]
"#;

/// One of everything that is different in a zone.
fn profiles() -> String {
    let several = |name: &str, method: &str, endpoints: &[(&str, &str)]| {
        let endpoints = endpoints.iter().map(|(name, target)| unmonitored(name, target));
        let head = format!("[[profile]]\nname = \"{name}\"\nrouting_method = \"{method}\"\n");
        head + &endpoints.collect::<String>()
    };
    [
        several("two", "priority", &[("a", "192.0.2.1"), ("b", "192.0.2.2")]),
        several("shared", "weighted", &[("a", "192.0.2.3"), ("b", "192.0.2.4")]),
        several(
            "many",
            "multivalue",
            &[("a", "192.0.2.5"), ("b", "192.0.2.6"), ("c", "192.0.2.7"), ("d", "2001:db8::7")],
        ),
        profile("alias", "www.contoso.com"),
        profile("followed", "two.tm.example"),
        crate::carried::web(),
        profile("off", "192.0.2.8").replace("routing_method", "status = \"disabled\"\nrouting_method"),
    ]
    .concat()
}

/// The zone by name and type, without its SOA.
const ZONE: &str = "\
alias.tm.example. 30 IN CNAME www.contoso.com.
followed.tm.example. 30 IN CNAME two.tm.example.
many.tm.example. 30 IN A 192.0.2.5
many.tm.example. 30 IN A 192.0.2.6
many.tm.example. 30 IN AAAA 2001:db8::7
ns1.tm.example. 3600 IN A 10.53.0.1
ns1.tm.example. 3600 IN AAAA fd53::1
shared.tm.example. 30 IN A 192.0.2.3
shared.tm.example. 30 IN A 192.0.2.4
tm.example. 3600 IN NS ns1.tm.example.
two.tm.example. 30 IN A 192.0.2.1
web.tm.example. 20 IN SRV 0 5 443 web.contoso.com.
web.tm.example. 30 IN A 192.0.2.10
web.tm.example. 30 IN CAA 0 issue \"ca.example\"
web.tm.example. 30 IN CAA 128 iodef \"mailto:security@contoso.com\"
web.tm.example. 30 IN HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv6hint=2001:db8::1
web.tm.example. 30 IN MX 10 mail.contoso.com.
web.tm.example. 30 IN MX 20 web.tm.example.
web.tm.example. 30 IN SVCB 0 svc.contoso.com.
web.tm.example. 30 IN TXT \"one\" \"two; three\"
web.tm.example. 30 IN TXT \"v=spf1 -all\"";

fn serve(lab: &Lab, more: &str) -> Daemon {
    let files = [
        ("tm.toml", &*format!("{NODE}{KEYS}{more}")),
        ("conf.d/profiles.toml", &profiles()),
        ("secondary.key", &format!("{SECRET}\n")),
        ("other.key", OTHER),
    ];
    let mut daemon = Daemon::start(lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

/// What the records of a transfer are, the SOAs apart: these by their serials, the others sorted.
fn parted(printed: &str) -> (Vec<u32>, String) {
    let lines = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(';') && !line.contains(" TSIG "));
    let (soas, mut rest): (Vec<String>, Vec<String>) = lines.partition(|line| line.contains(" SOA "));
    rest.sort();
    let serial = |line: &String| line.split(' ').nth(6).unwrap().parse().unwrap();
    (soas.iter().map(serial).collect(), rest.join("\n"))
}

fn key(name: &str, algorithm: &str, secret: &str) -> String {
    format!("{algorithm}:{name}:{secret}")
}

fn good_key() -> String {
    key("secondary", "hmac-sha256", SECRET)
}

/// Forces an endpoint down, or releases it.
fn order(lab: &Lab, daemon: &Daemon, words: &[&str]) {
    let output = daemon.tm(lab, words).unwrap().output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn rfc5936_the_zone_is_given_to_who_has_the_key_and_to_nobody_else() {
    let lab = Lab::new().unwrap();
    let _daemon = serve(&lab, "");
    for server in ["@10.53.0.1", "@fd53::1"] {
        let words = ["+noall", "+answer", "-y", &good_key(), "tm.example", "AXFR", server];
        let (serials, zone) = parted(&lab.dig(&words).unwrap());
        assert_eq!(zone, ZONE, "{server}");
        assert!(serials.len() == 2 && serials[0] == serials[1], "{serials:?}");
        let asked = lab.dig(&["+noall", "+answer", "tm.example", "SOA", server]).unwrap();
        assert_eq!(parted(&asked).0, serials[..1]);
        let by_kdig = lab.kdig(&["-y", &good_key(), "tm.example", "AXFR", server]).unwrap();
        // Which puts no list of protocols in quotes.
        assert_eq!(parted(&by_kdig), (serials, ZONE.replace("\"h2,h3\"", "h2,h3")), "{by_kdig}");
    }
    let refused =
        |words: &[&str]| lab.kdig(&[words, &["tm.example", "AXFR", "@10.53.0.1"]].concat()).unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&[], "REFUSED"),
        (&["-y", &key("nobody", "hmac-sha256", SECRET)], "BADKEY"),
        (&["-y", &key("secondary", "hmac-sha512", SECRET)], "BADKEY"),
        (&["-y", &key("secondary", "hmac-sha256", OTHER)], "BADSIG"),
        (&["-y", &key("other.key", "hmac-sha512", OTHER)], "REFUSED"),
    ];
    for (words, told) in cases {
        let printed = refused(words);
        assert!(printed.contains(told) && !printed.contains("192.0.2."), "{words:?}: {printed}");
    }
    // Not another zone's, nor a part of this one; and who signs is answered in a signed message, whatever is asked.
    let other = lab.dig(&["-y", &good_key(), "two.tm.example", "AXFR", "@10.53.0.1"]).unwrap();
    assert!(other.contains("Transfer failed") && !other.contains("192.0.2."), "{other}");
    for way in ["+notcp", "+tcp"] {
        let words = ["-y", &key("OTHER.key", "hmac-sha512", OTHER), way, "two.tm.example", "A", "@10.53.0.1"];
        let printed = lab.dig(&words).unwrap();
        assert!(printed.contains("192.0.2.1") && printed.contains("NOERROR"), "{printed}");
        assert!(printed.contains("TSIG") && !printed.contains("expected a TSIG"), "{printed}");
    }
    let udp =
        lab.dig(&["-y", &good_key(), "+notcp", "+ignore", "tm.example", "IXFR=1", "@10.53.0.1"]).unwrap();
    assert_eq!(udp.matches("\tSOA\t").count(), 1, "over UDP only that there is something to fetch: {udp}");
}

#[test]
fn nobody_is_given_anything_by_default() {
    let lab = Lab::new().unwrap();
    let _daemon = crate::serve(&lab, "", &profile("web", "192.0.2.10"));
    let printed = lab.kdig(&["-y", &good_key(), "tm.example", "AXFR", "@10.53.0.1"]).unwrap();
    assert!(printed.contains("BADKEY") && !printed.contains("192.0.2."), "{printed}");
}

#[test]
fn rfc1995_changes_are_given_as_changes_and_the_serial_goes_up_with_each() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "");
    let ixfr = |serial: u32| {
        let words =
            ["+noall", "+answer", "-y", &good_key(), "tm.example", &format!("IXFR={serial}"), "@10.53.0.1"];
        parted(&lab.dig(&words).unwrap())
    };
    let soa = || parted(&lab.dig(&["+noall", "+answer", "tm.example", "SOA", "@10.53.0.1"]).unwrap()).0[0];
    let until_after = |serial: u32| {
        let began = Instant::now();
        while soa() == serial {
            assert!(began.elapsed() < DEADLINE, "the serial stays at {serial}");
        }
        soa()
    };
    let first = soa();
    assert_eq!(ixfr(first), (vec![first], String::new()));
    order(&lab, &daemon, &["endpoint", "force", "two/a", "down"]);
    let second = until_after(first);
    assert_eq!(second, first + 1);
    let changes = "two.tm.example. 30 IN A 192.0.2.1\ntwo.tm.example. 30 IN A 192.0.2.2".to_owned();
    assert_eq!(ixfr(first), (vec![second, first, second, second], changes));
    order(&lab, &daemon, &["endpoint", "force", "many/a", "down"]);
    let third = until_after(second);
    let changes = "many.tm.example. 30 IN A 192.0.2.5\nmany.tm.example. 30 IN A 192.0.2.7";
    assert_eq!(ixfr(second), (vec![third, second, third, third], changes.to_owned()));
    assert_eq!(ixfr(first).0, [third, first, third, third]);
    // What is not known is given as a whole.
    let (serials, zone) = ixfr(first - 1);
    assert_eq!((serials, zone.lines().count()), (vec![third, third], ZONE.lines().count()));
    // The next configuration's and the next run's go on from there.
    daemon.write("conf.d/profiles.toml", &profiles().replace("192.0.2.3", "192.0.2.33")).unwrap();
    let fourth = until_after(third);
    assert!(fourth > third);
    assert!(ixfr(third).1.contains("192.0.2.33"));
    daemon.stop().unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert!(soa() > fourth);
}

/// A server of somebody else's, on the client; it is killed with this handle.
struct Secondary {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Secondary {
    fn start(lab: &Lab, port: u16, program: &str, words: &[&str], text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display().to_string();
        let file = directory.path().join("conf");
        let text =
            text.replace("{dir}", &at).replace("{secret}", SECRET).replace("{port}", &port.to_string());
        fs::write(&file, text).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let mut command: Command = lab.client(program);
        command.args(words).arg(&file).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, directory, port }
    }

    fn named(lab: &Lab, port: u16) -> Self {
        Self::start(lab, port, "named", &["-g", "-c"], NAMED)
    }

    fn knot(lab: &Lab, port: u16) -> Self {
        Self::start(lab, port, "knotd", &["-c"], KNOT)
    }

    /// Waits until a question is answered so here.
    fn wait_for(&mut self, lab: &Lab, question: &[&str], expected: &str) {
        let began = Instant::now();
        let port = self.port.to_string();
        let words = ["@10.53.0.2", "-p", &port, "+noall", "+answer", "+norecurse"];
        loop {
            let printed =
                said(lab.client("dig").args(["+tries=1", "+timeout=1"]).args(words).args(question)).unwrap();
            if parted(&printed).1 == expected {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                began.elapsed() < 2 * DEADLINE && ended.is_none(),
                "{question:?}: {printed}\n{}",
                log(self.directory.path())
            );
        }
    }
}

fn log(directory: &Path) -> String {
    fs::read_to_string(directory.join("log")).unwrap_or_default()
}

impl Drop for Secondary {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const NAMED: &str = r#"
options {
    directory "{dir}"; pid-file none; session-keyfile none; managed-keys-directory "{dir}";
    listen-on port {port} { 10.53.0.2; }; listen-on-v6 { none; };
    recursion no; allow-query { any; }; notify no; dnssec-validation no;
};
controls { };
key "secondary" { algorithm hmac-sha256; secret "{secret}"; };
zone "tm.example" { type secondary; primaries { 10.53.0.1 key "secondary"; }; file "{dir}/zone"; };
"#;

const KNOT: &str = r#"
server:
    listen: 10.53.0.2@{port}
    rundir: {dir}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
database:
    storage: {dir}/db
log:
  - target: stdout
    any: info
key:
  - id: secondary
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: tm
    address: 10.53.0.1@53
    key: secondary
acl:
  - id: told
    address: 10.53.0.1
    key: secondary
    action: notify
zone:
  - domain: tm.example
    storage: {dir}
    master: tm
    acl: told
"#;

/// A copy is what the zone is, and follows what the profiles answer: told by NOTIFY, without waiting for the SOA's REFRESH.
fn check(lab: &Lab, secondary: &mut Secondary, daemon: &mut Daemon) {
    let key = |line: &'static str| line.split(' ').step_by(3).take(2).collect::<Vec<_>>();
    for line in ZONE.lines() {
        let rrset: Vec<&str> = ZONE.lines().filter(|other| key(other) == key(line)).collect();
        secondary.wait_for(lab, &key(line), &rrset.join("\n"));
    }
    order(lab, daemon, &["endpoint", "force", "two/a", "down"]);
    secondary.wait_for(lab, &["two.tm.example", "A"], "two.tm.example. 30 IN A 192.0.2.2");
    order(lab, daemon, &["endpoint", "force", "two/b", "down"]);
    secondary.wait_for(lab, &["two.tm.example", "A"], "");
    order(lab, daemon, &["endpoint", "release", "two/a"]);
    secondary.wait_for(lab, &["two.tm.example", "A"], "two.tm.example. 30 IN A 192.0.2.1");
    daemon.write("conf.d/profiles.toml", &(profiles() + &profile("new", "192.0.2.77"))).unwrap();
    secondary.wait_for(lab, &["new.tm.example", "A"], "new.tm.example. 30 IN A 192.0.2.77");
}

#[test]
fn a_secondary_of_binds_follows() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "notify = [\"10.53.0.2:5300\"]");
    let mut secondary = Secondary::named(&lab, 5300);
    check(&lab, &mut secondary, &mut daemon);
    let log = log(secondary.directory.path());
    assert!(log.contains("received notify for zone 'tm.example'"), "{log}");
    // One endpoint less: four SOAs and an A.
    assert!(
        log.contains("Transfer completed: 1 messages, 5 records"),
        "changes are fetched as changes: {log}"
    );
}

#[test]
fn a_secondary_of_knots_follows() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "notify = [{ address = \"10.53.0.2:5301\", key = \"secondary\" }]");
    let mut secondary = Secondary::knot(&lab, 5301);
    check(&lab, &mut secondary, &mut daemon);
    let log = log(secondary.directory.path());
    assert!(log.contains("notify, incoming, remote 10.53.0.1") && log.contains("IXFR, incoming"), "{log}");
}
