//! Wanted states for tests: one of each type, right in every field, to be changed where a test cares.

use std::{sync::Arc, time::Duration};

use tm_common::edns::Payload;

use crate::desired::{
    Cookies, Desired, Endpoint, EndpointKey, Listen, MinChild, Monitor, NameServer, Node, Probes, Profile,
    Protocol, RateLimit, RoutingMethod, Rules, Sampling, Scope, Service, ServiceKind, ServiceState, Soa,
    Sockets, Status, Target, Transfer, XdpMode, Zone,
};

/// The smallest state with `profiles`, in which `allow` may be probed.
pub(crate) fn desired(allow: &[(&str, u8)], profiles: Vec<Profile>) -> Desired {
    let name = |text: &str| text.parse().unwrap();
    let allow = allow.iter().map(|(prefix, length)| (prefix.parse().unwrap(), *length)).collect();
    let node = Node {
        scope: Scope { subscription: "s".into(), resource_group: "g".into() },
        api: None,
        metrics: None,
        webhooks: Vec::new(),
        sampling: Sampling::default(),
        dnstap: None,
        default_zone: Zone {
            name: name("tm.example"),
            name_servers: vec![NameServer { name: name("ns1.tm.example"), addresses: Vec::new() }],
            soa: soa(),
        },
        more_zones: Vec::new(),
        state_dir: "/nowhere".into(),
        listen: Listen {
            interfaces: Vec::new(),
            addresses: Vec::new(),
            port: 53,
            mode: XdpMode::Off,
            vlans: Vec::new(),
            route_lookup: false,
            pins: "/sys/fs/bpf/tm".into(),
            keep: false,
        },
        // What fits a client is given to it, cookie or not.
        sockets: Sockets { payload: Payload { most: 1232, without_cookie: 1232 }, ..Sockets::default() },
        cookies: Cookies::Off,
        rate_limit: RateLimit::default(),
        transfer: Transfer::default(),
        probes: Probes { allow },
        capacity: 1,
    };
    let profiles = profiles.into_iter().map(|profile| (profile.name.clone(), Arc::new(profile))).collect();
    Desired {
        generation: 1,
        node: Arc::new(node),
        profiles,
        services: Default::default(),
        atlas: None,
        overrides: Arc::default(),
    }
}

/// A service of the inventory.
pub(crate) fn service(state: ServiceState) -> Arc<Service> {
    Arc::new(Service {
        id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip".into(),
        kind: ServiceKind::PublicIp,
        name: "pip".into(),
        target: target("192.0.2.1"),
        location: None,
        state,
    })
}

/// The SOA of `tm.example`.
pub(crate) fn soa() -> Soa {
    Soa {
        mailbox: "hostmaster.tm.example".parse().unwrap(),
        refresh: 3600,
        retry: 600,
        expire: 1_209_600,
        minimum: 60,
    }
}

/// A Priority profile at `name` in `tm.example` whose endpoints are those of `endpoints`.
pub(crate) fn profile(name: &str, monitor: Monitor, endpoints: Vec<Endpoint>) -> Profile {
    Profile {
        name: name.into(),
        dns_name: format!("{name}.tm.example").parse().unwrap(),
        routing_method: RoutingMethod::Priority,
        ttl: 30,
        status: Status::Enabled,
        rules: Rules::default(),
        monitor: Arc::new(monitor),
        max_return: 2,
        traffic_view: false,
        records: Vec::new(),
        endpoints: endpoints.into_iter().map(Arc::new).collect(),
    }
}

/// An enabled endpoint.
pub(crate) fn endpoint(name: &str, target: &str) -> Endpoint {
    Endpoint {
        name: name.into(),
        target: self::target(target),
        status: Status::Enabled,
        priority: 1,
        weight: 1,
        always_serve: false,
        service: None,
        follows: None,
        min_child: MinChild { endpoints: 1, ipv4: 0, ipv6: 0 },
        monitor: None,
        subnets: Vec::new(),
        geo_mapping: Vec::new(),
        location: None,
        records: Vec::new(),
    }
}

/// A target from text.
pub(crate) fn target(text: &str) -> Target {
    match text.parse() {
        Ok(std::net::IpAddr::V4(address)) => Target::V4(address),
        Ok(std::net::IpAddr::V6(address)) => Target::V6(address),
        Err(_) => Target::Name(text.parse().unwrap()),
    }
}

/// Azure's fast monitor: every 10 s, at most 5 s, 3 failures tolerated.
pub(crate) fn monitor() -> Monitor {
    Monitor {
        protocol: Protocol::Http,
        port: 80,
        path: "/".to_owned(),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
        tolerated_failures: 3,
        successes_to_recover: 1,
        expected_status: vec![200..=200],
        headers: Vec::new(),
        verify_certificate: false,
        target: None,
        source: None,
        body_contains: None,
        certificate_warning: None,
    }
}

/// An endpoint's key.
pub(crate) fn key(profile: &str, endpoint: &str) -> EndpointKey {
    EndpointKey { profile: profile.into(), endpoint: endpoint.into() }
}
