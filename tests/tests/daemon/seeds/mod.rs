//! The procedures of five documents on Traffic Manager, from 2012 to 2018, one file each, as an operator goes through them and as the public
//! sees it: by files and `tm`, and through a caching resolver, for which www.contoso.com is a CNAME to the profile's name.

mod failover_2012;
mod failover_2015;
mod performance_2012;
mod round_robin_2012;
mod two_regions_2018;

use std::{fmt::Write as _, net::Ipv4Addr, time::Instant};

use hickory_proto::op::Message;
use tm_tests::{
    DEADLINE,
    client::Asker,
    daemon::Daemon,
    dig::answers,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
    resolver::{self, Resolver},
    status::Status,
};

use crate::{NODE, ended::Ended, wait_until_ready};

/// What the public asks for.
const WWW: &str = "www.contoso.com";
/// The name of the profile.
const CONTOSO: &str = "contoso.tm.example";

/// Hosted services: a name below `cloudapp.example`, and the last octet of the address (10.53.0.x) where it runs.
const US: (&str, u8) = ("contoso-us", 11);
const EUROPE: (&str, u8) = ("contoso-europe", 12);
const ASIA: (&str, u8) = ("contoso-asia", 13);

/// The operator's hosts, the public's, and the services.
struct Scene {
    daemon: Daemon,
    resolver: Resolver,
    /// By their order in [`Scene::new`].
    services: Vec<FakeEndpoint>,
    lab: Lab,
}

impl Scene {
    /// These services run, and the daemon with this profile.
    fn new(services: &[(&str, u8)], profile: &str) -> Self {
        Self::with(services, profile, Resolver::start)
    }

    /// The same with a resolver that tells who its clients are.
    fn with_subnets(services: &[(&str, u8)], profile: &str) -> Self {
        Self::with(services, profile, Resolver::start_with_subnets)
    }

    fn with(
        services: &[(&str, u8)],
        profile: &str,
        start: impl Fn(&Lab, &[(&str, &str)]) -> anyhow::Result<Resolver>,
    ) -> Self {
        let lab = Lab::new().unwrap();
        let hosts = |(name, host): &(&str, u8)| format!("{name} IN A 10.53.0.{host}\n");
        let hosts: String = services.iter().map(hosts).collect();
        let alias = format!("www IN CNAME {CONTOSO}.");
        let resolver = start(&lab, &[("contoso.com", &alias), ("cloudapp.example", &hosts)]).unwrap();
        let run = |(_, host): &(&str, u8)| FakeEndpoint::on_client(&lab, [10, 53, 0, *host].into()).unwrap();
        let services = services.iter().map(run).collect();
        let node = NODE.replace("\"tm0\"", &format!("\"tm0\", \"{}\"", resolver::SERVER_INTERFACE));
        let files = [("tm.toml", node.as_str()), ("conf.d/contoso.toml", profile)];
        let mut daemon = Daemon::start(&lab, &files).unwrap();
        wait_until_ready(&mut daemon);
        Self { daemon, resolver, services, lab }
    }

    /// Saves the profile anew, and waits until that is in force.
    fn save(&mut self, profile: &str) {
        self.daemon.write("conf.d/contoso.toml", profile).unwrap();
        self.daemon.wait_for("the new profile", |line| line.contains("configuration published"));
    }

    /// Waits until the services are seen as this.
    fn wait_for(&self, expected: &[&str]) -> Status {
        self.daemon.wait_for_endpoints(&self.lab, "contoso", expected)
    }

    /// Asks the name servers themselves.
    fn direct(&self) -> Vec<String> {
        let mut asker = self.lab.asker(SERVER_V4.into()).unwrap();
        answers(&asker.ask(&Query::with_edns(CONTOSO, qtype::A)).unwrap())
    }

    /// What `tm` prints when the operator types this.
    fn tm(&self, words: &[&str]) -> Ended {
        let ended = Ended::of(&mut self.daemon.tm(&self.lab, words).unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{words:?}");
        ended
    }

    /// One of the public.
    fn visitor(&self) -> Visitor {
        Visitor(self.resolver.asker(&self.lab).unwrap())
    }

    /// One of the public, who asks from here.
    fn visitor_from(&self, source: [u8; 4]) -> Visitor {
        Visitor(self.resolver.asker_from(&self.lab, Ipv4Addr::from(source)).unwrap())
    }
}

/// Who asks the resolver for [`WWW`].
struct Visitor(Asker);

/// What a visitor is told.
#[derive(Debug)]
struct Told {
    message: Message,
    /// How long what the profile says may be kept, in seconds: of its record, or of the SOA.
    ttl: u32,
    /// The address at the end, or the rcode.
    end: String,
}

impl Visitor {
    fn ask(&mut self) -> Told {
        let message = self.0.ask(&Query::with_edns(WWW, qtype::A)).unwrap();
        let lines = answers(&message);
        assert!(lines[0].ends_with(" IN CNAME contoso.tm.example."), "{message}");
        let (ttl, end) = match (&message.answers[1..], &message.authorities[..]) {
            ([], [soa]) => (soa.ttl, format!("{}", message.metadata.response_code)),
            ([record, ..], _) => (record.ttl, message.answers.last().unwrap().data.to_string()),
            _ => panic!("{message}"),
        };
        Told { message, ttl, end }
    }

    /// Asks on while the resolver keeps what it has, `old`, until it has fetched `new`, and a little longer: what is kept never may be for longer than `ttl` seconds,
    /// and `old` is not seen again.
    fn drain(&mut self, ttl: u32, old: &str, new: &str) {
        let began = Instant::now();
        let mut ask = |expected: &[&str]| {
            let told = self.ask();
            assert!(told.ttl <= ttl, "at most {ttl} s: {told:?}");
            assert!(expected.contains(&told.end.as_str()), "{expected:?} was awaited: {told:?}");
            told.end
        };
        while ask(&[old, new]) == old {
            assert!(began.elapsed() < DEADLINE, "{old} stays, {new} was awaited");
        }
        for _ in 0..20 {
            ask(&[new]);
        }
    }
}

/// A profile of hosted services: its lines, the page that is looked at, and the services in their order, with further lines each.
fn policy(lines: &str, path: &str, services: &[((&str, u8), &str)]) -> String {
    let mut text = format!(
        "[[profile]]\nname = \"contoso\"\n{lines}\n[profile.monitor]\npath = \"{path}\"\n\
         interval = \"200ms\"\ntimeout = \"150ms\"\ntolerated_failures = 0\n"
    );
    for ((name, host), lines) in services {
        // What runs in the cloud has a name there; the probes know where.
        _ = writeln!(
            text,
            "[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"{name}.cloudapp.example\"\n{lines}\n\
             [profile.endpoint.monitor]\ntarget = \"10.53.0.{host}\""
        );
    }
    text
}

/// What the name servers say: this service, for so many seconds.
fn cname(ttl: u32, service: &str) -> Vec<String> {
    vec![format!("contoso.tm.example. {ttl} IN CNAME {service}.cloudapp.example.")]
}
