//! The command line from outside: exit codes, what stands on the last line for scripts, and JSON that parses.

use std::{fs, path::Path};

use tm_tests::{daemon::Daemon, lab::Lab};

use crate::{
    NODE,
    ended::{Ended, tm},
    profile, serve, unmonitored,
};

fn asked(lab: &Lab, daemon: &Daemon, arguments: &[&str]) -> Ended {
    Ended::of(&mut daemon.tm(lab, arguments).unwrap())
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(dir.join("conf.d")).unwrap();
    for (path, text) in files {
        let text = text.replace("{dir}", &dir.display().to_string()).replace("{bpf}", "/sys/fs/bpf");
        fs::write(dir.join(path), text).unwrap();
    }
}

#[test]
fn check_says_ok_or_draws_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    write(dir.path(), &[("tm.toml", NODE), ("conf.d/web.toml", &profile("web", "192.0.2.10"))]);
    let good = tm(&["check", path]);
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""));
    assert_eq!(good.out, format!("{path}: 1 profile, 1 endpoint\nok\n"));
    let good = tm(&["check", path, "-o", "json"]);
    assert_eq!((good.code, &good.json()["ok"], &good.json()["profiles"]), (Some(0), &true.into(), &1.into()));

    let goldens = [
        (
            "conf.d/web.toml",
            "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\nttll = 30\n",
            "  × unknown key `ttll`",
            "`ttl`",
        ),
        (
            "conf.d/web.toml",
            "[[profile]]\nname = \"web\"\nrouting_method = \"priority\"\nttl = -1\n",
            "  × ttl -1 is out of range",
            "  help: write a number from 0 to 2147483647",
        ),
        ("conf.d/web.toml", "[[profile]\n", "  × ", "conf.d/web.toml:1:"),
        ("tm.toml", "zone = \"tm.example\"\n", "  × ", "name_servers"),
    ];
    for (file, text, first, other) in goldens {
        write(dir.path(), &[("tm.toml", NODE), ("conf.d/web.toml", &profile("web", "192.0.2.10"))]);
        write(dir.path(), &[(file, text)]);
        let bad = tm(&["check", path]);
        assert_eq!((bad.code, bad.out.as_str()), (Some(78), ""), "{text}: {}", bad.err);
        assert!(bad.err.starts_with(first), "{text}: {}", bad.err);
        assert!(bad.err.contains(other), "{text}: {}", bad.err);
        let json = tm(&["check", path, "-o", "json"]);
        assert_eq!(json.code, Some(78));
        assert_eq!(json.json()["ok"], false);
        assert!(!json.json()["problems"].as_array().unwrap().is_empty(), "{}", json.out);
        // A daemon does not start on what the check refuses, and says the same.
        let served = tm(&["serve", "--config", path]);
        assert_eq!((served.code, &served.err), (Some(78), &bad.err));
    }
}

#[test]
fn without_a_daemon_it_says_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    write(dir.path(), &[("tm.toml", NODE)]);
    let socket = format!("{path}/state/tm.sock");
    for words in [&["status"][..], &["query", "web"], &["status", "-o", "json"]] {
        let ended = tm(&[words, &["--config", path]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(6), ""), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(&format!("no daemon answers at {socket}")), "{}", ended.err);
        assert!(ended.err.contains("is `tm serve` running?"), "{}", ended.err);
    }
    let version = tm(&["version", "--config", path]);
    assert_eq!((version.code, version.out.as_str()), (Some(0), concat!(env!("CARGO_PKG_VERSION"), "\n")));
    assert_eq!(tm(&["version", "--config", path, "-o", "json"]).json()["daemon"], serde_json::Value::Null);
    for wrong in [&["serv"][..], &["query"], &["status", "--nonsense"], &[]] {
        assert_eq!(tm(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn query_asks_the_loaded_program() {
    let lab = Lab::new().unwrap();
    let profiles =
        [profile("web", "192.0.2.10"), profile("six", "2001:db8::7"), profile("alias", "www.contoso.com")];
    let mut daemon = serve(&lab, "", &profiles.concat());
    let soa = "; tm.example. 30 IN SOA ns1.tm.example. hostmaster.tm.example. ";
    // What is asked, the first line, what else, the last line, the exit code.
    let cases = [
        (
            &["web"][..],
            "; NOERROR by xdp in 59 octets",
            "web.tm.example. 30 IN A 192.0.2.10",
            "192.0.2.10",
            0,
        ),
        (&["WeB.tm.example"], "; NOERROR by xdp in 59 octets", "WeB.tm.example. 30 IN A", "192.0.2.10", 0),
        (&["web", "--type", "AAAA"], "; NOERROR by xdp", soa, "NOERROR", 0),
        (&["web", "-t", "txt"], "; NOERROR by xdp", soa, "NOERROR", 0),
        (&["web", "--type", "ANY"], "; NOERROR by xdp", "IN A 192.0.2.10", "192.0.2.10", 0),
        (&["web", "--type", "TYPE65"], "; NOERROR by xdp", soa, "NOERROR", 0),
        (&["web", "--client", "2001:db8::99"], "; NOERROR by xdp", "IN A 192.0.2.10", "192.0.2.10", 0),
        (&["six", "--type", "aaaa"], "; NOERROR by xdp", "six.tm.example. 30 IN AAAA", "2001:db8::7", 0),
        (&["alias"], "; NOERROR by xdp", "alias.tm.example. 30 IN CNAME", "www.contoso.com.", 0),
        (&["alias", "--type", "MX"], "; NOERROR by xdp", "IN CNAME", "www.contoso.com.", 0),
        (&["tm.example", "--type", "NS"], "; NOERROR by sockets", "IN NS", "ns1.tm.example.", 0),
        (&["nobody"], "; NXDOMAIN by xdp", "; tm.example. 60 IN SOA", "NXDOMAIN", 3),
        (&["www.example.org."], "; REFUSED by sockets", "", "REFUSED", 0),
    ];
    for (words, first, line, last, code) in cases {
        let ended = asked(&lab, &daemon, &[&["query"], words].concat());
        assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{words:?}");
        let told: Vec<String> =
            ended.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert!(told[0].starts_with(first), "{words:?}: {}", ended.out);
        assert!(told.iter().any(|told| told.contains(line)), "{words:?}: {}", ended.out);
        assert_eq!(ended.last_line(), last, "{words:?}");
        let json = asked(&lab, &daemon, &[&["query", "-o", "json"], words].concat());
        assert_eq!(json.code, Some(code), "{words:?}");
        let rcode = first.split(' ').nth(1).unwrap();
        assert_eq!(json.json()["rcode"], rcode, "{words:?}");
    }
    for (words, said) in [
        (&["web", "--type", "NOTHING"][..], "`NOTHING` is not a record type"),
        (&["a..b"], "the daemon says: "),
    ] {
        let ended = asked(&lab, &daemon, &[&["query"], words].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{words:?}");
        assert!(ended.err.contains(said), "{words:?}: {}", ended.err);
    }
    assert_eq!(daemon.stop().unwrap(), Some(0));
    assert!(!daemon.directory().join("state/tm.sock").exists());
    assert_eq!(asked(&lab, &daemon, &["query", "web"]).code, Some(6));
}

#[test]
fn status_shows_what_is_served() {
    let lab = Lab::new().unwrap();
    let profiles = format!(
        "[[profile]]\nname = \"spread\"\nrouting_method = \"weighted\"\n{}weight = 1\n{}weight = 3\n",
        unmonitored("one", "192.0.2.1"),
        unmonitored("three", "192.0.2.3")
    );
    let daemon = serve(&lab, "", &profiles);
    for _ in 0..2 {
        lab.dig(&["@10.53.0.1", "spread.tm.example"]).unwrap();
    }
    let ended = asked(&lab, &daemon, &["status"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let lines: Vec<Vec<&str>> = ended.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..2], ["zone", "tm.example"]);
    assert_eq!(lines[0][4..], ["at", "10.53.0.1,", "fd53::1"]);
    assert_eq!(lines[1], ["interface", "tm0", "XDP", "native"]);
    assert_eq!(lines[2][..4], ["answered", "by", "XDP", "2"]);
    let row = |first: &str| lines.iter().find(|line| line.first() == Some(&first)).unwrap().clone();
    assert_eq!(row("spread"), ["spread", "spread.tm.example", "Online", "weighted"]);
    assert_eq!(row("one")[..4], ["one", "192.0.2.1", "Unmonitored", "25.0%"]);
    assert_eq!(row("three")[..4], ["three", "192.0.2.3", "Unmonitored", "75.0%"]);
    let json = asked(&lab, &daemon, &["status", "-o", "json"]).json();
    assert_eq!((&json["zone"], &json["mode"]), (&"tm.example".into(), &"auto".into()));
    assert_eq!(json["packets"]["answered"], 2);
    let version = asked(&lab, &daemon, &["version"]);
    assert_eq!((version.code, version.last_line()), (Some(0), env!("CARGO_PKG_VERSION")));
    assert_eq!(version.out.lines().count(), 2, "{}", version.out);

    // Where the files have become wrong, it is asked most, and says so.
    daemon.write("conf.d/more.toml", "[[profile]]\nname = 1\n").unwrap();
    let status = daemon.wait_until(&lab, "the error", |status| status.0["config_ok"] == false);
    assert!(status.0["config_error"].as_str().unwrap().contains("more.toml"), "{:#}", status.0);
    let ended = asked(&lab, &daemon, &["status"]);
    assert!(ended.out.contains("the configuration on disk is wrong and not in force"), "{}", ended.out);
}

#[test]
fn one_state_directory_has_one_daemon() {
    let lab = Lab::new().unwrap();
    let mut first = serve(&lab, "", &profile("web", "192.0.2.10"));
    let second = asked(&lab, &first, &["serve"]);
    assert_eq!((second.code, second.out.as_str()), (Some(1), ""));
    let socket = first.directory().join("state/tm.sock");
    let state = first.directory().join("state").display().to_string();
    assert!(second.err.contains(&format!(") works with {state}: stop it")), "{}", second.err);
    assert_eq!(lab.answers(&["@10.53.0.1", "web.tm.example", "+short"]).unwrap(), "192.0.2.10");
    // What a killed one left behind is in nobody's way.
    first.kill().unwrap();
    assert!(socket.exists());
    first.restart(&lab).unwrap();
    crate::wait_until_ready(&mut first);
    assert_eq!(lab.answers(&["@10.53.0.1", "web.tm.example", "+short"]).unwrap(), "192.0.2.10");
}
