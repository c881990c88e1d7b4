//! From one message to its reply: no I/O, no clock, and nothing remembered but counts.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use hickory_proto::{
    op::OpCode,
    rr::{DNSClass, RecordType},
};
use tm_common::{
    answer::answer_message,
    edns::{PAYLOAD, SMALLEST},
    name::{LONG, SHORT},
    net::{BARE, Bare},
    packet::{Buffer, Packet},
    tables::Names,
    verdict::Reason,
};
use tokio::sync::watch;

use super::{
    counts::{Counts, Outcome},
    query::Query,
    write::{Sections, write},
    zone::{Found, ZoneView},
};
use crate::{names::DnsName, sync::Image};

/// How much longer the engine's reply may be than the query: records of the large class and an OPT.
const ROOM: usize = 2048;

/// What a message came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Replies of at most 1,232 octets.
    Udp,
    /// Replies of any length.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        })
    }
}

/// Answers messages, from the tables and from what of the zone is not in them.
#[derive(Debug)]
pub struct Responder {
    image: Arc<RwLock<Image>>,
    zone: watch::Receiver<Arc<ZoneView>>,
    counts: Counts,
}

/// Where a reply comes from.
enum Reply {
    /// The engine has finished it.
    Finished(Vec<u8>),
    /// To be written.
    Of(Outcome, Sections),
}

impl Responder {
    /// A responder over these tables and, always as it is at the moment, this zone.
    pub fn new(image: Arc<RwLock<Image>>, zone: watch::Receiver<Arc<ZoneView>>) -> Self {
        Responder { image, zone, counts: Counts::default() }
    }

    /// The reply to a message, or nothing where it is no query.
    pub fn reply(&self, query: &[u8], client: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        let image = self.image();
        let (outcome, reply) = self.answer(query, client, transport, &image, &*image);
        self.counts.add(outcome);
        reply
    }

    /// What the reply would be if it were this turn in every block: nothing is counted, and nobody's turn is taken.
    pub fn preview(&self, query: &[u8], client: IpAddr, transport: Transport, turn: u32) -> Option<Vec<u8>> {
        let image = self.image();
        self.answer(query, client, transport, &image, &image.at_turn(turn)).1
    }

    /// What became of the messages so far, by label.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.counts.all()
    }

    /// Goes on from what an earlier run counted.
    pub fn add_earlier(&self, counts: &BTreeMap<String, u64>) {
        self.counts.add_earlier(counts);
    }

    fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(
        &self,
        message: &[u8],
        client: IpAddr,
        transport: Transport,
        image: &Image,
        tables: &impl Tables,
    ) -> (Outcome, Option<Vec<u8>>) {
        let ask = |message: &[u8]| ask(tables, message, client, transport);
        if let Ok(reply) = ask(message) {
            return (Outcome::Engine, Some(reply));
        }
        let Some(query) = Query::read(message) else {
            return (Outcome::Ignored, None);
        };
        let ask_again = || ask(&query.canonical().ok_or(Reason::NotQuery)?);
        let limit = match transport {
            Transport::Udp => query.opt.map_or(SMALLEST, |opt| opt.payload.clamp(SMALLEST, PAYLOAD)),
            Transport::Tcp => u16::MAX,
        };
        let (outcome, reply) = match self.judge(&query, |name| image.has(name), ask_again) {
            Reply::Finished(reply) => (Outcome::Engine, reply),
            Reply::Of(outcome, sections) => write(&query, outcome, sections, limit.into()),
        };
        (outcome, Some(reply))
    }

    /// What the engine did not answer, in the order in which it is refused, then found.
    fn judge(
        &self,
        query: &Query<'_>,
        has: impl FnOnce(&DnsName) -> bool,
        ask: impl FnOnce() -> Result<Vec<u8>, Reason>,
    ) -> Reply {
        if query.metadata.op_code != OpCode::Query {
            return Reply::bare(Outcome::NotImp);
        }
        let Some(question) = query.question.as_ref().filter(|_| query.is_whole) else {
            return Reply::bare(Outcome::FormErr);
        };
        if query.opt.is_some_and(|opt| opt.version > 0) {
            return Reply::bare(Outcome::BadVers);
        }
        if query.opt.is_some_and(|opt| !opt.is_right()) {
            return Reply::bare(Outcome::FormErr);
        }
        if question.class != DNSClass::IN {
            return Reply::bare(Outcome::Refused);
        }
        if let Some(outcome) = refusal(question.kind) {
            return Reply::bare(outcome);
        }
        let name = DnsName::from_wire(question.name);
        if has(&name) {
            return match ask() {
                Ok(reply) => Reply::Finished(reply),
                Err(Reason::TooLarge) => Reply::bare(Outcome::Truncated),
                Err(_) => Reply::bare(Outcome::ServFail),
            };
        }
        let view = self.zone.borrow().clone();
        let zone = view.zone();
        match view.find(&name, question.kind) {
            Found::Outside => Reply::bare(Outcome::Refused),
            Found::Soa => Reply::Of(Outcome::Apex, Sections::soa(&name, zone)),
            Found::Servers => {
                let (servers, addresses) = view.servers();
                Reply::of(Outcome::Apex, Sections::of(&name, servers, &addresses))
            }
            Found::Addresses(addresses) => Reply::of(Outcome::Server, Sections::of(&name, &addresses, &[])),
            Found::NoData(ttl) => Reply::Of(Outcome::NoData, Sections::absence(&name, ttl, zone)),
            Found::NoName(ttl) => Reply::Of(Outcome::NxDomain, Sections::absence(&name, ttl, zone)),
        }
    }
}

impl Reply {
    fn bare(outcome: Outcome) -> Self {
        Reply::Of(outcome, Sections::default())
    }

    /// Records that fit no message are ours to mend: the client can only ask another server.
    fn of<E>(outcome: Outcome, sections: Result<Sections, E>) -> Self {
        sections.map_or_else(|_| Reply::bare(Outcome::ServFail), |sections| Reply::Of(outcome, sections))
    }
}

/// How a type is refused that is no data, wherever it is asked for; `None` for data and ANY.
fn refusal(kind: RecordType) -> Option<Outcome> {
    const MAILB: u16 = 253;
    const MAILA: u16 = 254;
    match u16::from(kind) {
        // RFC 5936, section 2.2.1, and RFC 1995: nobody gets the zone.
        _ if matches!(kind, RecordType::AXFR | RecordType::IXFR) => Some(Outcome::Refused),
        MAILA | MAILB => Some(Outcome::NotImp),
        // RFC 6895, section 3.1: 0, OPT, and what is left of the QTYPEs and meta types.
        0 | 41 | 128..=254 => Some(Outcome::FormErr),
        _ => None,
    }
}

/// What the engine is asked over: names of any length.
trait Tables: Names<SHORT> + Names<LONG> {}

impl<T: Names<SHORT> + Names<LONG>> Tables for T {}

/// Asks the engine.
fn ask(
    tables: &impl Tables,
    message: &[u8],
    client: IpAddr,
    transport: Transport,
) -> Result<Vec<u8>, Reason> {
    let limit = match transport {
        Transport::Udp => 0,
        Transport::Tcp => u16::MAX,
    };
    let size = BARE + message.len();
    let mut octets = Vec::with_capacity(size + ROOM);
    octets.extend(Bare::prefix(client, limit));
    octets.extend(message);
    octets.resize(size + ROOM, 0);
    let mut packet = Buffer::new(&mut octets, size);
    match answer_message::<SHORT>(&mut packet, tables) {
        Err(Reason::LongName) => answer_message::<LONG>(&mut packet, tables)?,
        done => done?,
    }
    let size = packet.size();
    octets.truncate(size);
    octets.drain(..BARE);
    Ok(octets)
}
