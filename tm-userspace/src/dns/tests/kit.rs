//! A small zone with a bit of everything, queries octet by octet, and replies as text.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, RwLock},
    time::SystemTime,
};

use hickory_proto::{
    op::Message,
    rr::{RData, Record, rdata::opt::EdnsOption},
    serialize::binary::{BinDecodable, BinDecoder},
};
use tokio::sync::watch;

use crate::{
    compile::{Tree, Zones, compile},
    decide::decide,
    desired::{Desired, Endpoint, NameServer, Node, Profile, Status, Zone},
    dns::{Contents, Responder, Transport, ZoneView},
    dnstap::{Line, Tap},
    frozen::Frozen,
    health::Health,
    names::DnsName,
    places::View,
    samples,
    sync::Image,
};

pub(super) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 99));

/// From there to here; nobody taps it.
pub(super) fn untapped(transport: Transport) -> Line {
    Tap::new().0.line((CLIENT, 5353).into(), ([192, 0, 2, 53], 53).into(), transport)
}
pub(super) const ID: u16 = 0xabcd;

/// A name of 255 octets: labels of 63, 63, 63 and 50 before the zone's twelve octets.
pub(super) fn longest() -> String {
    format!("{}.{}.{}.{}.tm.example", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(50))
}

fn profile(name: &str, ttl: u32, status: Status, targets: &[(&str, Status)]) -> Profile {
    let endpoint = |(i, (target, status)): (usize, &(&str, Status))| Endpoint {
        status: *status,
        priority: i as u16 + 1,
        always_serve: true,
        service: None,
        ..samples::endpoint(&format!("e{i}"), target)
    };
    let endpoints = targets.iter().enumerate().map(endpoint).collect();
    let any = samples::profile("any", samples::monitor(), endpoints);
    Profile { name: name.into(), dns_name: name.parse().unwrap(), ttl, status, ..any }
}

pub(super) fn desired(name_servers: Vec<NameServer>) -> Desired {
    use Status::{Disabled, Enabled};
    // With the longest name before it this does not fit into 512 octets: 12 + 255 + 4, then 12 + 255.
    let far = format!("{}.{}.{}.{}.far.test", "x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(52));
    let profiles = [
        profile("web.tm.example", 100, Enabled, &[("192.0.2.10", Enabled)]),
        profile("six.tm.example", 30, Enabled, &[("2001:db8::7", Enabled)]),
        profile("alias.tm.example", 30, Enabled, &[("www.contoso.com", Enabled)]),
        profile("leaf.mid.top.tm.example", 30, Enabled, &[("192.0.2.11", Enabled)]),
        profile("off.tm.example", 7, Disabled, &[("192.0.2.12", Enabled)]),
        profile("slow.tm.example", 900, Disabled, &[("192.0.2.12", Enabled)]),
        profile("empty.tm.example", 8, Enabled, &[("192.0.2.13", Disabled)]),
        profile("half.tm.example", 9, Disabled, &[("192.0.2.14", Enabled)]),
        profile("below.half.tm.example", 30, Enabled, &[("192.0.2.15", Enabled)]),
        profile(&longest(), 30, Enabled, &[(&far, Enabled)]),
    ];
    let sample = samples::desired(&[], profiles.into());
    let node = Arc::new(Node {
        default_zone: Zone { name_servers, ..sample.node.zone().clone() },
        ..(*sample.node).clone()
    });
    Desired { generation: 1_800_000_000, node, ..sample }
}

pub(super) fn name_server(name: &str, addresses: &[&str]) -> NameServer {
    NameServer {
        name: name.parse().unwrap(),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    }
}

pub(super) fn three_servers() -> Vec<NameServer> {
    vec![
        name_server("ns1.tm.example", &[]),
        name_server("ns2.dc.tm.example", &["192.0.2.54", "2001:db8::54"]),
        name_server("ns.example.net", &[]),
    ]
}

pub(super) fn image(desired: &Desired, buckets: u32, listening: &[IpAddr]) -> Image {
    let tree = Tree::of(desired, Arc::new(Zones::of(desired)), listening);
    let compiled: Vec<(DnsName, _)> = desired
        .profiles
        .values()
        .map(|profile| {
            let decision = decide(
                &desired.profiles,
                profile,
                &View::anywhere(),
                &Health::default(),
                SystemTime::UNIX_EPOCH,
            );
            (profile.dns_name.clone(), compile(&decision, &tree))
        })
        .collect();
    let mut image = Image::new(buckets, 42);
    image.set_frozen(Frozen { payload: desired.node.sockets.payload, ..Frozen::default() });
    image.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
    for (name, compiled) in tree.all() {
        image.apply([(&name, Some(&compiled))]);
    }
    image
}

pub(super) fn responder_for(desired: &Desired, buckets: u32) -> Responder {
    responder_at(desired, buckets, &["192.0.2.53", "fe80::1", "127.0.0.1"])
}

pub(super) fn responder_at(desired: &Desired, buckets: u32, listening: &[&str]) -> Responder {
    let listening: Vec<IpAddr> = listening.iter().map(|address| address.parse().unwrap()).collect();
    let (_, zone) = watch::channel(Arc::new(ZoneView::new(desired, &listening)));
    let (_, contents) = watch::channel(Contents::new());
    Responder::new(
        Arc::new(RwLock::new(image(desired, buckets, &listening))),
        zone,
        contents,
        crate::traffic::Traffic::new().0,
    )
}

pub(super) fn responder() -> Responder {
    responder_for(&desired(three_servers()), 512)
}

/// A query in the making: every octet can be other than it should.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) flags: u16,
    pub(super) counts: [u16; 4],
    pub(super) question: Vec<u8>,
    pub(super) behind: Vec<u8>,
}

/// A plain query for `name type`.
pub(super) fn ask(text: &str) -> Ask {
    let (name, kind) = text.split_once(' ').unwrap();
    ask_raw(&wire(name), kind_of(kind))
}

/// A plain query for a name given as it lies on the wire.
pub(super) fn ask_raw(name: &[u8], kind: u16) -> Ask {
    let question = [name, &kind.to_be_bytes(), &[0, 1]].concat();
    Ask { flags: 0, counts: [1, 0, 0, 0], question, behind: vec![] }
}

/// Splits at dots, whatever the labels are.
pub(super) fn wire(name: &str) -> Vec<u8> {
    let mut octets: Vec<u8> = name
        .split('.')
        .filter(|label| !label.is_empty())
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect();
    octets.push(0);
    octets
}

fn kind_of(text: &str) -> u16 {
    match text {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "DS" => 43,
        "HTTPS" => 65,
        "ANY" => 255,
        number => number.parse().unwrap(),
    }
}

/// A record: owner as it lies on the wire, type, class, TTL, data.
pub(super) fn record(owner: &[u8], kind: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &kind.to_be_bytes(), &class.to_be_bytes(), &ttl.to_be_bytes(), &length, data].concat()
}

impl Ask {
    pub(super) fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    pub(super) fn class(mut self, class: u16) -> Self {
        let at = self.question.len() - 2;
        self.question[at..].copy_from_slice(&class.to_be_bytes());
        self
    }

    pub(super) fn counts(mut self, counts: [u16; 4]) -> Self {
        self.counts = counts;
        self
    }

    /// These octets behind what there is.
    pub(super) fn and(mut self, octets: &[u8]) -> Self {
        self.behind.extend(octets);
        self
    }

    /// A record in a section: 1 answer, 2 authority, 3 additional.
    pub(super) fn record(mut self, section: usize, octets: &[u8]) -> Self {
        self.counts[section] += 1;
        self.and(octets)
    }

    /// An OPT: payload size; upper code, version and flags; options.
    pub(super) fn opt(self, payload: u16, rest: u32, options: &[u8]) -> Self {
        self.record(3, &record(&[0], 41, payload, rest, options))
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let words = [ID, self.flags, self.counts[0], self.counts[1], self.counts[2], self.counts[3]];
        [&words.map(u16::to_be_bytes).concat()[..], &self.question, &self.behind].concat()
    }

    /// What is said to it, as text, after a look at what holds for every reply.
    pub(super) fn reply(&self, responder: &Responder, transport: Transport) -> Vec<String> {
        let query = self.octets();
        let Some(reply) = responder.reply(&query, CLIENT, transport) else {
            return vec![];
        };
        let mut decoder = BinDecoder::new(&reply);
        let message = Message::read(&mut decoder).unwrap();
        assert!(decoder.is_empty(), "nothing stands behind the message");
        let [flags, questions] = [2, 4].map(|at| u16::from_be_bytes([reply[at], reply[at + 1]]));
        assert_eq!(reply[..2], ID.to_be_bytes());
        assert_eq!(flags & 0x8000, 0x8000, "QR");
        assert_eq!(flags & 0x7800, self.flags & 0x7800, "opcode");
        assert_eq!(flags & 0x0100, self.flags & 0x0100, "RD");
        if questions == 1 {
            assert_eq!(
                reply[12..12 + self.question.len()],
                self.question,
                "the question is echoed octet by octet"
            );
        }
        if transport == Transport::Udp {
            let limit = message.edns.as_ref().map_or(512, |_| 1232);
            assert!(reply.len() <= limit, "{} octets", reply.len());
        }
        text(&message, flags, questions)
    }

    pub(super) fn udp(&self, responder: &Responder) -> Vec<String> {
        self.reply(responder, Transport::Udp)
    }
}

/// Status and flags; records by section; what the OPT says.
fn text(message: &Message, flags: u16, questions: u16) -> Vec<String> {
    let names = [(10, "aa"), (9, "tc"), (8, "rd"), (7, "ra"), (6, "z"), (5, "ad"), (4, "cd")];
    let set = names.iter().filter(|(bit, _)| flags >> bit & 1 != 0).map(|(_, name)| format!(" {name}"));
    // Code 16 has two names; this is no signed message.
    let status = format!("{:?}", message.response_code).to_uppercase().replace("BADSIG", "BADVERS");
    let mut lines = vec![status + &set.collect::<String>()];
    if questions != 1 {
        lines.push(format!("{questions} questions"));
    }
    let sections = [("an", &message.answers), ("ns", &message.authorities), ("ar", &message.additionals)];
    for (section, records) in sections {
        lines.extend(records.iter().map(|record| format!("{section} {}", line(record))));
    }
    if let Some(edns) = &message.edns {
        assert_eq!((edns.version(), edns.flags().z), (0, 0));
        let dnssec_ok = if edns.flags().dnssec_ok { " do" } else { "" };
        let why = edns.options().as_ref().iter().map(|(code, option)| match option {
            EdnsOption::Unknown(15, data) => format!(" why {data:?}"),
            _ => panic!("{code:?}: {option:?}"),
        });
        lines.push(format!("opt {}{dnssec_ok}{}", edns.max_payload(), why.collect::<String>()));
    }
    lines
}

fn line(record: &Record) -> String {
    let data = match &record.data {
        RData::SOA(soa) => format!("{} {}", soa.mname, soa.serial),
        data => data.to_string(),
    };
    format!("{} {} {} {data}", record.name, record.ttl, record.record_type())
}
