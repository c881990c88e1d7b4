//! The README's example, value by value, and what keys mean that are left out.

use std::{sync::Arc, time::Duration};

use tm_common::edns::Payload;
use tm_userspace::desired::{
    Arming, Chaos, Cookies, Endpoint, Limit, Listen, MinChild, Monitor, NameServer, Node, Probes, Profile,
    Protocol, RateLimit, RoutingMethod, Rules, Sampling, Scope, Soa, Sockets, Status, Target, Tcp, Transfer,
    XdpMode, Zone,
};

use crate::kit::{NODE, PROFILE, load_files, loaded_profile};

const TM_TOML: &str = r#"
zone = "tm.example"
name_servers = ["ns1.tm.example"]
state_dir = "/var/lib/tm"
[listen]
interfaces = ["eth0"]      # addresses = [...] to narrow; port = 53; mode = "auto" | "native" | "generic" | "off"; vlans = []
"#;

const CONTOSO_TOML: &str = r#"
[[profile]]
name = "contoso"                     # answers contoso.tm.example; relative_name = "..." where the two differ
routing_method = "priority"          # or "weighted"
ttl = 30
[profile.monitor]
protocol = "http"                    # http | https | tcp
port = 80
path = "/"
interval = "10s"
timeout = "5s"
tolerated_failures = 3
successes_to_recover = 1
expected_status = ["200"]            # "200-299", ...
headers = { Host = "www.contoso.com" }
[[profile.endpoint]]
name = "virginia"
target = "192.0.2.10"                # IPv4, IPv6 or a DNS name
priority = 1                         # weight = 10 for weighted
status = "enabled"                   # or "disabled"
[[profile.endpoint]]
name = "amsterdam"
target = "198.51.100.7"
priority = 2
"#;

fn endpoint(name: &str, target: [u8; 4], priority: u16) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        name: name.into(),
        target: Target::V4(target.into()),
        status: Status::Enabled,
        priority,
        weight: 1,
        always_serve: false,
        service: None,
        follows: None,
        min_child: MinChild { endpoints: 1, ipv4: 0, ipv6: 0 },
        monitor: None,
        subnets: vec![],
        geo_mapping: vec![],
        location: None,
        records: vec![],
    })
}

#[test]
fn the_example_is_what_it_says() {
    let files: [(&str, &[u8]); 2] =
        [("tm.toml", TM_TOML.as_bytes()), ("conf.d/contoso.toml", CONTOSO_TOML.as_bytes())];
    let loaded = load_files(&files).1.unwrap();
    let node = Node {
        default_zone: Zone {
            name: "tm.example".parse().unwrap(),
            name_servers: vec![NameServer { name: "ns1.tm.example".parse().unwrap(), addresses: vec![] }],
            soa: Soa {
                mailbox: "hostmaster.tm.example".parse().unwrap(),
                refresh: 3600,
                retry: 600,
                expire: 1_209_600,
                minimum: 60,
            },
        },
        more_zones: vec![],
        state_dir: "/var/lib/tm".into(),
        listen: Listen {
            interfaces: vec!["eth0".to_owned()],
            addresses: vec![],
            port: 53,
            mode: XdpMode::Auto,
            vlans: vec![],
            route_lookup: false,
            pins: "/sys/fs/bpf/tm".into(),
            keep: false,
        },
        sockets: Sockets {
            tcp: Tcp {
                idle_timeout: Duration::from_secs(10),
                message_timeout: Duration::from_secs(10),
                connections: 1000,
                connections_per_client: 100,
            },
            dot: None,
            doh: None,
            chaos: Chaos::default(),
            nsid: None,
            stale_answers: false,
            payload: Payload { most: 1232, without_cookie: 512 },
        },
        cookies: Cookies::Own,
        rate_limit: RateLimit {
            limit: Limit { answers_per_second: 25_000, slip: 2 },
            arming: Some(Arming { above: 2_000_000, calm: Duration::from_secs(60) }),
            allow: Arc::new([]),
        },
        transfer: Transfer::default(),
        probes: Probes { allow: vec![] },
        capacity: 0,
        scope: Scope {
            subscription: "00000000-0000-0000-0000-000000000001".into(),
            resource_group: "default".into(),
        },
        api: None,
        metrics: None,
        webhooks: vec![],
        sampling: Sampling::default(),
        dnstap: None,
    };
    let profile = Profile {
        name: "contoso".into(),
        dns_name: "contoso.tm.example".parse().unwrap(),
        routing_method: RoutingMethod::Priority,
        ttl: 30,
        max_return: 2,
        traffic_view: false,
        records: vec![],
        status: Status::Enabled,
        rules: Rules::default(),
        monitor: Arc::new(Monitor {
            protocol: Protocol::Http,
            port: 80,
            path: "/".to_owned(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            tolerated_failures: 3,
            successes_to_recover: 1,
            expected_status: vec![200..=200],
            headers: vec![("Host".to_owned(), "www.contoso.com".to_owned())],
            verify_certificate: false,
            target: None,
            source: None,
            body_contains: None,
            certificate_warning: None,
        }),
        endpoints: vec![
            endpoint("virginia", [192, 0, 2, 10], 1),
            endpoint("amsterdam", [198, 51, 100, 7], 2),
        ],
    };
    assert_eq!(*loaded.node, node);
    assert_eq!(loaded.profiles.len(), 1);
    assert_eq!(*loaded.profiles["contoso"], profile);
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn every_key_of_a_node_arrives() {
    let text = r#"
        zone = "Edge.Example."
        name_servers = ["ns.elsewhere.net", { name = "ns1.edge.example", addresses = ["192.0.2.53", "2001:db8::53"] }]
        state_dir = "/srv/tm"
        [soa]
        mailbox = "john.doe@example.net"
        refresh = 1
        retry = 2
        expire = 3
        minimum = 0
        [listen]
        interfaces = ["eth0", "eth1"]
        addresses = ["192.0.2.53", "::1"]
        port = 5353
        mode = "Generic"
        vlans = [0, 4094]
        pins = "/run/bpf/tm"
        keep = true
        [probes]
        allow = ["127.0.0.0/8", "::1/128"]
        [limits]
        names = 4096
    "#;
    let node = load_files(&[("tm.toml", text.as_bytes())]).1.unwrap().node;
    assert_eq!(node.zone().name.wire(), b"\x04edge\x07example\x00");
    let ns1 = vec!["192.0.2.53".parse().unwrap(), "2001:db8::53".parse().unwrap()];
    assert_eq!(
        node.zone().name_servers,
        [
            NameServer { name: "ns.elsewhere.net".parse().unwrap(), addresses: vec![] },
            NameServer { name: "ns1.edge.example".parse().unwrap(), addresses: ns1 },
        ]
    );
    assert_eq!(node.state_dir, std::path::Path::new("/srv/tm"));
    assert_eq!(node.zone().soa.mailbox.wire(), b"\x08john.doe\x07example\x03net\x00");
    assert_eq!(
        (node.zone().soa.refresh, node.zone().soa.retry, node.zone().soa.expire, node.zone().soa.minimum),
        (1, 2, 3, 0)
    );
    assert_eq!(node.listen.interfaces, ["eth0", "eth1"]);
    assert_eq!(
        node.listen.addresses,
        ["192.0.2.53".parse().unwrap(), "::1".parse::<std::net::IpAddr>().unwrap()]
    );
    assert_eq!((node.listen.port, node.listen.mode), (5353, XdpMode::Generic));
    assert_eq!(node.listen.vlans, [0, 4094]);
    assert_eq!((node.listen.pins.as_path(), node.listen.keep), (std::path::Path::new("/run/bpf/tm"), true));
    assert_eq!(node.probes.allow, [("127.0.0.0".parse().unwrap(), 8), ("::1".parse().unwrap(), 128)]);
    assert_eq!(node.capacity, 4096);
}

#[test]
fn every_key_of_a_profile_arrives() {
    let text = r#"
        [[profile]]
        name = "Shop"
        relative_name = "Shop.EU"
        status = "Disabled"
        routing_method = "Weighted"
        ttl = 2147483647
        [profile.monitor]
        protocol = "HTTPS"
        port = 8443
        path = "/health?full=1"
        interval = "200ms"
        timeout = "199ms"
        tolerated_failures = 9
        successes_to_recover = 5
        expected_status = ["200-299", 301, "599"]
        headers = { X-Zebra = "z", Host = "shop.example:8443", Accept = "" }
        verify_certificate = true
        [[profile.endpoint]]
        name = "one"
        type = "External"
        target = "One.Example.net."
        priority = 1000
        weight = 1000
        status = "DISABLED"
        always_serve = true
        [[profile.endpoint]]
        name = "two"
        target = "two.example.net"
        priority = 1
    "#;
    let loaded = loaded_profile(text);
    let shop = &loaded.profiles["Shop"];
    assert_eq!(shop.dns_name.wire(), b"\x04shop\x02eu\x02tm\x07example\x00");
    assert_eq!(
        (shop.status, shop.routing_method, shop.ttl),
        (Status::Disabled, RoutingMethod::Weighted, 2_147_483_647)
    );
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let monitor = Monitor {
        protocol: Protocol::Https,
        port: 8443,
        path: "/health?full=1".to_owned(),
        interval: Duration::from_millis(200),
        timeout: Duration::from_millis(199),
        tolerated_failures: 9,
        successes_to_recover: 5,
        expected_status: vec![200..=299, 301..=301, 599..=599],
        headers: [("X-Zebra", "z"), ("Host", "shop.example:8443"), ("Accept", "")].map(owned).to_vec(),
        verify_certificate: true,
        target: None,
        source: None,
        body_contains: None,
        certificate_warning: None,
    };
    assert_eq!(*shop.monitor, monitor);
    let one = Endpoint {
        name: "one".into(),
        target: Target::Name("one.example.net".parse().unwrap()),
        status: Status::Disabled,
        priority: 1000,
        weight: 1000,
        always_serve: true,
        service: None,
        follows: None,
        min_child: MinChild { endpoints: 1, ipv4: 0, ipv6: 0 },
        monitor: None,
        subnets: vec![],
        geo_mapping: vec![],
        location: None,
        records: vec![],
    };
    assert_eq!(*shop.endpoints[0], one);
    assert_eq!(shop.endpoints[1].priority, 1);
}

#[test]
fn keys_left_out_have_their_defaults() {
    let text = format!(
        "{PROFILE}[[profile.endpoint]]\nname = \"a\"\ntarget = \"2001:db8::1\"\n[[profile.endpoint]]\nname = \"b\"\ntarget = \"2001:db8::2\"\n"
    );
    let loaded = loaded_profile(&text);
    let profile = &loaded.profiles["contoso"];
    assert_eq!((profile.ttl, profile.status), (30, Status::Enabled));
    let monitor = Monitor {
        protocol: Protocol::Http,
        port: 80,
        path: "/".to_owned(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        tolerated_failures: 3,
        successes_to_recover: 1,
        expected_status: vec![200..=200],
        headers: vec![],
        verify_certificate: false,
        target: None,
        source: None,
        body_contains: None,
        certificate_warning: None,
    };
    assert_eq!(*profile.monitor, monitor);
    let order: Vec<_> =
        profile.endpoints.iter().map(|endpoint| (&*endpoint.name, endpoint.priority)).collect();
    assert_eq!(order, [("a", 1), ("b", 2)]);
    assert!(profile.endpoints.iter().all(|endpoint| endpoint.weight == 1 && !endpoint.always_serve));
}

#[test]
fn ports_and_timeouts_follow_protocol_and_interval() {
    let monitor = |lines: &str| {
        let loaded = loaded_profile(&format!("{PROFILE}[profile.monitor]\n{lines}\n"));
        loaded.profiles["contoso"].monitor.clone()
    };
    assert_eq!(monitor("protocol = \"https\"").port, 443);
    assert_eq!(monitor("protocol = \"tcp\"").port, 80);
    assert_eq!(monitor("interval = \"10s\"").timeout, Duration::from_secs(9));
    assert_eq!(monitor("interval = \"1s\"").timeout, Duration::from_millis(900));
    assert_eq!(monitor("interval = \"1m 30s\"").interval, Duration::from_secs(90));
    let tcp = monitor("protocol = \"tcp\"\npath = \"\"");
    assert_eq!((tcp.protocol, tcp.path.as_str()), (Protocol::Tcp, "/"));
}

#[test]
fn the_methods_of_2012_are_known() {
    let method = |word: &str| {
        let text = format!("[[profile]]\nname = \"a\"\nrouting_method = \"{word}\"\n");
        loaded_profile(&text).profiles["a"].routing_method
    };
    assert_eq!(method("Failover"), RoutingMethod::Priority);
    assert_eq!(method("round_robin"), RoutingMethod::Weighted);
}

#[test]
fn a_node_without_profiles_is_whole() {
    let loaded = load_files(&[("tm.toml", NODE.as_bytes())]).1.unwrap();
    assert!(loaded.profiles.is_empty());
}
