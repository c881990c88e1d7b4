//! The command line's words: from afar over TLS, with Azure's flags, in YAML, into a pipe that closes, drawn on a terminal, and its own documentation.

use std::{
    fs,
    io::Read as _,
    process::{Command, Stdio},
};

use serde_json::json;
use tm_tests::{api, daemon::binary, resolver};

use crate::{
    NODE,
    ended::{Ended, tm},
    manage::{Managed, document},
    profile, wait_until_ready,
};

/// Of a profile that was only just made.
const WARNING: &str = "warning: api/profiles/shop:3:8: profile `shop` has no endpoints\n";

/// `tm` on the client's host, which has none of the daemon's files.
fn from_afar(plane: &Managed, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = plane.lab.client(&binary("tm").unwrap().to_string_lossy());
    Ended::of(command.envs(environment.iter().copied()).args(arguments))
}

#[test]
fn a_daemon_elsewhere_is_managed_over_tls() {
    let lab = tm_tests::lab::Lab::new().unwrap();
    let (certificate, key) = api::certificate(&["10.53.0.1"]).unwrap();
    let table =
        "[api]\nlisten = \"10.53.0.1:8443\"\ntls_cert = \"{dir}/cert.pem\"\ntls_key = \"{dir}/key.pem\"\n";
    let files = [
        ("tm.toml", &*format!("{NODE}{table}")),
        ("conf.d/web.toml", &profile("web", "192.0.2.10")),
        ("cert.pem", &certificate),
        ("key.pem", &key),
    ];
    let mut daemon = tm_tests::daemon::Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let path = daemon.directory().join("cert.pem");
    let api = api::Api::of(&mut daemon, "", &path).unwrap();
    let token = api::Api::token(&lab, &daemon, &["--scope", "write"]).unwrap();
    let plane = Managed { daemon, api, lab };
    let (ca, file) = (path.to_str().unwrap(), plane.daemon.directory().join("token"));
    fs::write(&file, format!("{token}\n")).unwrap();
    let server = "https://10.53.0.1:8443";

    // Before the command or behind it, from the environment, from a file.
    let flags = ["--server", server, "--token", &token, "--ca", ca];
    let made = from_afar(
        &plane,
        &[],
        &[&flags[..], &["profile", "create", "shop", "routing_method=priority"]].concat(),
    );
    assert_eq!((made.code, made.out.as_str(), made.err.as_str()), (Some(0), "shop: created\n", WARNING));
    let environment = [("TM_SERVER", server), ("TM_TOKEN", &token), ("SSL_CERT_FILE", ca)];
    let listed = from_afar(&plane, &environment, &["profile", "list", "-o", "json"]);
    let names: Vec<_> =
        listed.json().as_array().unwrap().iter().map(|one| one["profile"]["name"].clone()).collect();
    assert_eq!(names, ["shop", "web"]);
    let environment = [("TM_SERVER", "10.53.0.1:8443"), ("TM_TOKEN_FILE", file.to_str().unwrap())];
    let shown = from_afar(&plane, &environment, &["status", "--ca", ca]);
    assert_eq!((shown.code, shown.out.contains("shop.tm.example")), (Some(0), true), "{}", shown.err);

    let audit = from_afar(&plane, &[], &[&flags[..], &["audit"]].concat());
    assert_eq!((audit.code, audit.out.as_str()), (Some(5), ""), "{}", audit.err);
    let nobody = from_afar(&plane, &[], &["--server", server, "--ca", ca, "status"]);
    assert_eq!(nobody.code, Some(5), "{}", nobody.err);
    // Whoever signed that is not known here.
    let stranger = from_afar(&plane, &[("TM_TOKEN", &token)], &["--server", server, "status"]);
    assert_eq!((stranger.code, stranger.out.as_str()), (Some(6), ""), "{}", stranger.err);
    assert!(stranger.err.contains(server) && stranger.err.contains("--ca"), "{}", stranger.err);
    assert!(!stranger.err.contains(&token));
    assert_eq!(from_afar(&plane, &[], &["--server", "http://10.53.0.1:8443", "status"]).code, Some(2));
}

#[test]
fn azures_flags_make_what_they_make_there() {
    let plane = Managed::start();
    let done = |words: &str| {
        let ended = plane.tm(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(ended.code, Some(0), "{words}: {}{}", ended.out, ended.err);
        ended.out
    };
    assert_eq!(
        done(
            "profile create -g web --name shop --routing-method Weighted --unique-dns-name store --ttl 9 --protocol TCP --port 443"
        ),
        "shop: created\n"
    );
    assert_eq!(
        done(
            "endpoint create -g web --profile-name shop -n a --type externalEndpoints --target 192.0.2.20 --weight 5 --always-serve Enabled"
        ),
        "shop/a: created\n"
    );
    assert_eq!(plane.answers("store"), "store.tm.example. 9 IN A 192.0.2.20");
    let shown = plane.get("profiles/shop").json["profile"].clone();
    assert_eq!(
        (&shown["resource_group"], &shown["monitor"], &shown["endpoint"][0]["weight"]),
        (&json!("web"), &json!({ "protocol": "TCP", "port": 443 }), &json!(5))
    );
    // Ours, and both together.
    done("endpoint set shop/a weight=7");
    done("profile set --name shop ttl=11 --status Enabled");
    assert_eq!(plane.answers("store"), "store.tm.example. 11 IN A 192.0.2.20");
    done("endpoint set --profile-name shop --name a --endpoint-status Disabled");
    assert_eq!(plane.answers("store"), "");
    let elsewhere = plane.tm(&["profile", "delete", "-g", "other", "-n", "shop"]);
    assert_eq!(elsewhere.code, Some(3), "{}", elsewhere.err);
    for wrong in
        [&["profile", "show"][..], &["profile", "show", "a", "-n", "b"], &["endpoint", "show", "-n", "a"]]
    {
        assert_eq!(plane.tm(wrong).code, Some(2), "{wrong:?}");
    }
    done("profile delete -g WEB -n shop");
    assert_eq!(plane.get("profiles/shop").status, 404);

    let free = plane.tm(&["name", "check", "store"]);
    assert_eq!((free.code, free.out.as_str()), (Some(0), "store.tm.example is free\n"));
    let taken = plane.tm(&["name", "check", "-n", "web"]);
    assert_eq!((taken.code, taken.out.as_str()), (Some(4), ""));
    assert!(taken.err.contains("web.tm.example is the name of profile web"), "{}", taken.err);
    let yaml = plane.tm(&["name", "check", "web", "-o", "yaml"]);
    assert_eq!(yaml.out, "dns_name: web.tm.example\navailable: false\nprofile: web\n");
}

#[test]
fn nobody_minds_a_reader_that_goes() {
    let plane = Managed::start();
    plane.put("shop", &document("192.0.2.20"));
    for words in [
        &["status"][..],
        &["profile", "list", "-o", "json"],
        &["export"],
        &["schema"],
        &["completions", "bash"],
    ] {
        let mut shell = plane.lab.server("bash");
        let config = plane.daemon.directory().display().to_string();
        let line = format!("\"$0\" {} --config {config} | :; echo ${{PIPESTATUS[0]}}", words.join(" "));
        let ended = Ended::of(shell.args(["-c", &line]).arg(binary("tm").unwrap()));
        // It was quick, or was ended by the pipe; it said nothing.
        assert!(["0\n", "141\n"].contains(&ended.out.as_str()), "{words:?}: {}", ended.out);
        assert_eq!(ended.err, "", "{words:?}");
    }
    let full = Command::new(binary("tm").unwrap())
        .arg("schema")
        .stdout(fs::File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(full.stderr).unwrap();
    assert_eq!(
        (full.status.code(), said.contains("cannot write to standard output")),
        (Some(1), true),
        "{said}"
    );
}

/// What `tm` draws on a terminal of 80 columns, on which someone types `keys` in the end.
fn on_a_terminal(plane: &Managed, environment: &str, words: &str, keys: &str) -> String {
    let config = plane.daemon.directory().display();
    let tm = binary("tm").unwrap().display().to_string();
    let line = format!("stty cols 80 rows 24; {environment} {tm} {words} --config {config}");
    let mut script = plane.lab.server("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, keys.as_bytes()).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn terminals_have_colours_unless_nobody_wants_them_and_tables_that_fit() {
    let plane = Managed::start();
    let long = "a-profile-with-a-name-that-would-not-fit-beside-all-the-others-on-any-line";
    let body = json!({ "routing_method": "priority", "relative_name": "long", "endpoint": [{ "name": "only", "target": "192.0.2.1" }] });
    assert_eq!(plane.put(long, &body).status, 201);
    let coloured = on_a_terminal(&plane, "", "profile list", "");
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let plain = on_a_terminal(&plane, "", "profile list --no-color", "");
    assert_eq!(plain, on_a_terminal(&plane, "NO_COLOR=1", "profile list", ""));
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let widest = plain.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{plain}");
    // Where no terminal is, a line is a line.
    let piped = plane.tm(&["profile", "list"]);
    assert!(piped.out.lines().any(|line| line.contains(long)) && !piped.out.contains('\u{1b}'));

    let top = on_a_terminal(&plane, "", "top", "q");
    assert!(top.contains("LAST FLIPS") && top.contains("web"), "{top:?}");
    let once = plane.tm(&["top", "--once"]);
    assert_eq!((once.code, once.err.as_str()), (Some(0), ""));
    let words: Vec<Vec<&str>> = once.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0][..2], ["zone", "tm.example"]);
    assert_eq!(words[1], ["PROFILE", "METHOD", "STATUS", "UP", "ANSWERS/S"]);
    assert!(words.contains(&vec!["web", "priority", "Online", "1/1", "0.0"]), "{}", once.out);
    let endpoints = plane.tm(&["top", "web"]).out;
    let line: Vec<&str> = endpoints.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(line, ["web/only", "192.0.2.10", "Unmonitored", "100.0%", "0.0"]);
}

#[test]
fn it_documents_itself() {
    for shell in ["bash", "zsh", "fish"] {
        let script = tm(&["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.out.contains("routing-method") && script.out.contains("tm"), "{shell}");
    }
    let bash = tm(&["completions", "bash"]).out;
    let mut check = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut check.stdin.take().unwrap(), bash.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success());
    assert!(tm(&["man"]).out.starts_with(".ie "), "no manual");
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(tm(&["man", "--to", dir.path().to_str().unwrap()]).code, Some(0));
    assert!(fs::read_to_string(dir.path().join("tm-apply.1")).unwrap().contains("dry"));
}

/// As one of the public asks, on another host; the daemon's socket lies where both have it.
fn verify(lab: &tm_tests::lab::Lab, daemon: &tm_tests::daemon::Daemon, name: &str) -> Ended {
    let (address, config) = (resolver::ADDRESS.to_string(), daemon.directory().to_str().unwrap());
    let mut command = lab.client(&binary("tm").unwrap().to_string_lossy());
    Ended::of(command.args(["verify", name, "--resolver", &address, "--config", config]))
}

#[test]
fn verify_goes_from_the_public_name_to_the_profile() {
    let lab = tm_tests::lab::Lab::new().unwrap();
    let zone = "www 300 IN CNAME alias\nalias 3600 IN CNAME web.tm.example.\nown IN A 203.0.113.1\nloop IN CNAME loop2\nloop2 IN CNAME loop\nnone IN CNAME none.tm.example.\noff IN CNAME off.tm.example.";
    let resolver = resolver::Resolver::start(&lab, &[("contoso.com", zone)]).unwrap();
    let node = NODE.replace("\"tm0\"", &format!("\"tm0\", \"{}\"", resolver::SERVER_INTERFACE));
    let off = profile("off", "192.0.2.66").replacen("priority\"\n", "priority\"\nstatus = \"disabled\"\n", 1);
    let profiles = format!("{}{off}", profile("web", "192.0.2.10"));
    let files = [("tm.toml", &*format!("{node}{}", api::LISTEN)), ("conf.d/p.toml", &profiles)];
    let mut daemon = tm_tests::daemon::Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let verify = |name| verify(&lab, &daemon, name);

    let good = verify("www.contoso.com");
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""), "{}", good.out);
    let lines: Vec<_> = good.out.lines().collect();
    let expected = [
        "www.contoso.com. 300 IN CNAME alias.contoso.com.",
        "alias.contoso.com. 3600 IN CNAME web.tm.example.",
        "web.tm.example. 30 IN A 192.0.2.10",
        "profile web  Online",
        "ok",
    ];
    assert_eq!(lines, expected);
    for (name, said) in [
        (
            "own.contoso.com",
            "missing: own.contoso.com has addresses of its own (203.0.113.1): make a record `own.contoso.com. CNAME PROFILE.tm.example.` in their place",
        ),
        (
            "gone.contoso.com",
            "missing: there is no gone.contoso.com: make a record `gone.contoso.com. CNAME PROFILE.tm.example.`",
        ),
        ("contoso.com", "missing: contoso.com is the top of its zone"),
        (
            "none.contoso.com",
            "missing: no profile answers none.tm.example: make one, as `tm profile create none",
        ),
        ("off.contoso.com", "missing: profile off is disabled: `tm profile enable off`"),
        (
            "loop.contoso.com",
            "missing: the CNAMEs lead nowhere: loop.contoso.com -> loop2.contoso.com -> loop.contoso.com",
        ),
    ] {
        let bad = verify(name);
        assert_eq!((bad.code, bad.err.as_str()), (Some(1), ""), "{name}: {}", bad.out);
        assert!(bad.out.lines().any(|line| line.starts_with(said)), "{name}: {}", bad.out);
    }
    // The resolver does not know whom to ask for the zone.
    drop(resolver);
    let silent = verify("www.contoso.com");
    assert_eq!((silent.code, silent.out.as_str()), (Some(1), ""));
    assert!(silent.err.contains("the resolver cannot be asked for www.contoso.com"), "{}", silent.err);
}

#[test]
fn verify_knows_every_zone_and_every_name_in_full() {
    let lab = tm_tests::lab::Lab::new().unwrap();
    let zone = "second IN CNAME web.edge.example.\nfull IN CNAME www.else.example.\nwild IN CNAME any.shop.edge.example.\nnone IN CNAME none.edge.example.";
    let served = ["tm.example", "edge.example", "www.else.example"];
    let _resolver = resolver::Resolver::start_for(&lab, &served, &[("contoso.com", zone)]).unwrap();
    let node = NODE
        .replace("zone = \"tm.example\"\n", "")
        .replace("\"tm0\"", &format!("\"tm0\", \"{}\"", resolver::SERVER_INTERFACE))
        + "[[zone]]\nname = \"tm.example\"\n[[zone]]\nname = \"edge.example\"\n";
    let named = |name: &str, full: &str, target: &str| {
        let key = format!("dns_name = \"{full}\"\nrouting_method");
        profile(name, target).replacen("routing_method", &key, 1)
    };
    let profiles = [
        named("web", "web.edge.example", "192.0.2.10"),
        named("else", "www.else.example", "192.0.2.11"),
        named("wild", "*.shop.edge.example", "192.0.2.12"),
    ];
    let files = [("tm.toml", &*node), ("conf.d/p.toml", &profiles.concat())];
    let mut daemon = tm_tests::daemon::Daemon::start(&lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    let verify = |name| verify(&lab, &daemon, name);
    // What the resolver keeps has less of its time left.
    let as_it_came = |out: &str| {
        let words = |line: &str| {
            let mut words: Vec<&str> = line.split(' ').collect();
            if words.len() > 4 && words[1].parse::<u32>().is_ok() {
                words[1] = "TTL";
            }
            words.join(" ") + "\n"
        };
        out.lines().map(words).collect::<String>()
    };
    for (name, lines) in [
        (
            "second.contoso.com",
            "second.contoso.com. TTL IN CNAME web.edge.example.\nweb.edge.example. TTL IN A 192.0.2.10\nprofile web  Online\nok\n",
        ),
        (
            "full.contoso.com",
            "full.contoso.com. TTL IN CNAME www.else.example.\nwww.else.example. TTL IN A 192.0.2.11\nprofile else  Online\nok\n",
        ),
        ("www.else.example", "www.else.example. TTL IN A 192.0.2.11\nprofile else  Online\nok\n"),
        (
            "wild.contoso.com",
            "wild.contoso.com. TTL IN CNAME any.shop.edge.example.\nany.shop.edge.example. TTL IN A 192.0.2.12\nprofile wild  Online\nok\n",
        ),
    ] {
        let good = verify(name);
        let out = as_it_came(&good.out);
        assert_eq!((good.code, good.err.as_str(), out.as_str()), (Some(0), "", lines), "{name}");
    }
    let bad = verify("none.contoso.com");
    assert_eq!(bad.code, Some(1), "{}", bad.err);
    let said = "missing: no profile answers none.edge.example: make one, as `tm profile create NAME dns_name=none.edge.example routing_method=priority`, or let the CNAME name one that is there";
    assert_eq!(bad.out.lines().last(), Some(said));
}
