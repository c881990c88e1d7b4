//! `nmap`'s DNS scripts, by which auditors look at name servers: what each says of the daemon.

use std::{collections::BTreeMap, process::Command};

use tm_tests::namespace::run;

use super::internet::{Internet, SERVER};

/// Those that do not ask for anything but name servers; what is not in the result has nothing to report.
const SCRIPTS: &str = "dns-cache-snoop,dns-check-zone,dns-client-subnet-scan,dns-fuzz,dns-nsec-enum,dns-nsec3-enum,dns-nsid,dns-random-srcport,dns-random-txid,dns-recursion,dns-update,dns-zone-transfer,fcrdns";
const ARGUMENTS: &str = "dns-check-zone.domain=tm.example,dns-client-subnet-scan.domain=halves.tm.example,dns-fuzz.timelimit=3s,dns-nsec-enum.domains=tm.example,dns-nsec3-enum.domains=tm.example,dns-update.hostname=new.tm.example,dns-update.ip=192.0.2.1,dns-zone-transfer.domain=tm.example";

/// What each script says, line by line, of a port or of the host.
fn said(command: &mut Command, scripts: &str) -> BTreeMap<String, Vec<String>> {
    command.args(["-n", "-Pn", "-sU", "-sT", "-p", "U:53,T:53", "--dns-servers", "127.0.0.1"]);
    command.args(["--script", scripts, "--script-args", ARGUMENTS, "-oX", "-", SERVER]);
    let xml = run(command).unwrap();
    assert!(xml.contains("exit=\"success\""), "{xml}");
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for port in xml.split("<port ").skip(1) {
        let protocol = port.split('"').nth(1).unwrap();
        let state = port.split("<state state=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(state, "open", "{protocol}");
    }
    let mut at = "";
    for part in xml.split('<') {
        if let Some(port) = part.strip_prefix("port protocol=\"") {
            at = port.split('"').next().unwrap();
        } else if part.starts_with("hostscript") {
            at = "host";
        } else if let Some(script) = part.strip_prefix("script id=\"") {
            let mut words = script.split('"');
            let name = words.next().unwrap();
            let output = words.nth(1).unwrap().replace("&#xa;", "\n").replace("&apos;", "'");
            let lines = output.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
            said.insert(format!("{at} {name}"), lines.collect());
        }
    }
    said
}

#[test]
fn nmap_finds_nothing_to_report_but_what_is_configured() {
    let internet = Internet::new("[edns]\nnsid = \"ams1\"\n[chaos]\nversion = \"tm 1\"\nserver = \"ams1\"\n");
    let mut found = said(&mut internet.client("nmap"), SCRIPTS);
    // In no order.
    if let Some(lines) = found.get_mut("host dns-check-zone") {
        lines.retain(|line| line.contains(" - "));
        lines.sort();
    }
    let expected = [
        ("udp dns-cache-snoop", &["0 of 100 tested domains are cached."][..]),
        ("udp dns-client-subnet-scan", &["halves.tm.example", "192.0.2.21", "192.0.2.22"]),
        ("udp dns-fuzz", &["The server seems impervious to our assault."]),
        // It has no length before its messages there.
        ("tcp dns-fuzz", &["Server didn't response to our probe, can't fuzz"]),
        ("udp dns-nsec-enum", &["No NSEC records found"]),
        ("udp dns-nsec3-enum", &["DNSSEC NSEC3 not supported"]),
        ("tcp dns-nsec3-enum", &["DNSSEC NSEC3 not supported"]),
        ("udp dns-nsid", &["NSID: ams1 (616d7331)", "id.server: ams1", "bind.version: tm 1"]),
        ("host fcrdns", &["ns1.tm.example:", "status: pass", "addresses:", "5.53.0.1"]),
        (
            "host dns-check-zone",
            &[
                "PASS - DNS name server IPs are public",
                "PASS - DNS server response",
                "PASS - Missing nameservers reported by parent",
                "PASS - Missing nameservers reported by your nameservers",
                "PASS - Multiple name servers",
                "PASS - Recursive queries",
                "PASS - Reverse MX A records",
                "PASS - SOA EXPIRE",
                "PASS - SOA MNAME entry check",
                "PASS - SOA REFRESH",
                "PASS - SOA RETRY",
                "PASS - Zone serial numbers",
            ],
        ),
    ];
    let expected = expected.map(|(name, lines)| {
        (name.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(found, BTreeMap::from(expected));
    // After all of that it answers as before.
    assert_eq!(
        internet.lab.answers(&["@5.53.1.1", "www.tm.example"]).unwrap(),
        "www.tm.example. 30 IN A 192.0.2.10"
    );
}

#[test]
fn nmap_is_told_nothing_of_the_server_where_nothing_is_configured() {
    let internet = Internet::new("");
    assert_eq!(said(&mut internet.client("nmap"), "dns-nsid"), BTreeMap::new());
    // It tells of an NSID only beside another text.
    let internet = Internet::new("[chaos]\nserver = \"ams1\"\n");
    let told = said(&mut internet.client("nmap"), "dns-nsid");
    assert_eq!(told, BTreeMap::from([("udp dns-nsid".into(), vec!["id.server: ams1".into()])]));
}
