//! From one message to its reply: no I/O, no clock but for signatures, and nothing remembered but counts.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, SystemTime},
};

use hickory_proto::{
    op::OpCode,
    rr::{DNSClass, RecordType},
};
use tm_common::{
    cookie::{self, Jar},
    limit::{Kind, limited},
    tables::Lookup as _,
    verdict::Reason,
};
use tokio::sync::watch;

use super::{
    ask::{Answered, ask},
    chaos,
    counts::{Counts, Messages, Outcome},
    extended::Extended,
    options,
    query::Query,
    transfer::{Contents, Refused, Transfer},
    transport::Transport,
    tsig,
    write::{Room, Sections, write},
    zone::ZoneView,
};
use crate::{
    listen,
    names::DnsName,
    sync::{Image, Reader},
    traffic::{Told, Traffic},
};

/// Answers messages, from the tables and from what of the zone is not in them.
#[derive(Debug)]
pub struct Responder {
    image: Arc<RwLock<Image>>,
    zone: watch::Receiver<Arc<ZoneView>>,
    contents: watch::Receiver<Contents>,
    counts: Counts,
    traffic: Traffic,
}

/// What is said to a message.
pub(super) enum Reply {
    /// One message.
    Message(Vec<u8>),
    /// A zone in messages.
    Transfer(Box<Transfer>),
}

/// Where an answer comes from.
enum Answer {
    /// The engine has finished it.
    Finished(Answered),
    /// To be written.
    Of(Outcome, Sections),
}

impl Responder {
    /// A responder over these tables and, always as they are at the moment, this zone and what there is to transfer of it; `traffic` is told of answers.
    pub fn new(
        image: Arc<RwLock<Image>>,
        zone: watch::Receiver<Arc<ZoneView>>,
        contents: watch::Receiver<Contents>,
        traffic: Traffic,
    ) -> Self {
        Responder { image, zone, contents, counts: Counts::default(), traffic }
    }

    /// The greatest serial of what there is to transfer.
    pub fn serial(&self) -> Option<u32> {
        self.contents.borrow().values().map(|content| content.serial()).max()
    }

    /// The reply to a message, or nothing where it is no query.
    pub fn reply(&self, query: &[u8], client: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        match self.respond(query, client, transport, None)? {
            Reply::Message(reply) => Some(reply),
            // Only asked for over connections.
            Reply::Transfer(mut transfer) => transfer.next(),
        }
    }

    /// The same over a connection that may be idle for so long.
    pub(super) fn respond(
        &self,
        query: &[u8],
        client: IpAddr,
        transport: Transport,
        idle: Option<Duration>,
    ) -> Option<Reply> {
        if tsig::is_signed(query)
            && let Some(read) = Query::read(query).filter(|read| read.is_whole)
        {
            let read = with_cookie(read, client, &self.image().reader());
            let (outcome, reply) = self.respond_signed(query, &read, client, transport, idle);
            self.counts.add(transport, outcome);
            return reply;
        }
        let (outcome, mut reply) = self.answer(query, client, transport);
        self.counts.add(transport, outcome);
        // What is slipped stays as short as the query.
        if let Some(reply) = reply.as_mut().filter(|_| outcome != Outcome::Slipped) {
            let view = self.zone.borrow().clone();
            let most = || self.most(query, client, transport);
            options::add(query, reply, transport, idle, view.nsid(), most);
        }
        reply.map(Reply::Message)
    }

    /// Whoever signs is told by a signed reply, and may have the zone where it may be had.
    fn respond_signed(
        &self,
        message: &[u8],
        query: &Query<'_>,
        client: IpAddr,
        transport: Transport,
        idle: Option<Duration>,
    ) -> (Outcome, Option<Reply>) {
        let view = self.zone.borrow().clone();
        let room = Room::of(query, transport, self.image().frozen().payload);
        let (plain, session) = match tsig::check(message, view.transfer(), SystemTime::now()) {
            Ok(checked) => checked,
            Err(wrong) => {
                let written = write(query, wrong.outcome(), Sections::default(), room);
                let (outcome, reply) = limit(query, client, transport, self.image().reader(), written);
                return (outcome, reply.and_then(|reply| wrong.seal(reply)).map(Reply::Message));
            }
        };
        let is_query =
            query.metadata.op_code == OpCode::Query && query.opt.is_none_or(|opt| opt.version == 0);
        let asked = query.question.as_ref().filter(|question| is_query && question.class == DNSClass::IN);
        let (outcome, mut reply, mut session) = match asked.map(|question| question.kind) {
            Some(RecordType::AXFR | RecordType::IXFR) => {
                let contents = self.contents.borrow().clone();
                match Transfer::new(&plain, transport, &view, &contents, session) {
                    Ok(transfer) => return (Outcome::Transfer, Some(Reply::Transfer(Box::new(transfer)))),
                    Err(Refused { outcome, session }) => {
                        let (outcome, reply) = write(query, outcome, Sections::default(), room);
                        (outcome, reply, session)
                    }
                }
            }
            _ => match self.answer(&plain, client, transport) {
                (outcome, Some(reply)) => (outcome, reply, session),
                (outcome, None) => return (outcome, None),
            },
        };
        // What is slipped stays as it is; else what has no room beside the signature is left out.
        if outcome != Outcome::Slipped {
            let most = || room.limit.saturating_sub(session.len());
            options::add(&plain, &mut reply, transport, idle, view.nsid(), most);
        }
        let (outcome, reply) = match reply.len() + session.len() > room.limit {
            true => write(query, Outcome::Truncated, Sections::default(), room),
            false => (outcome, reply),
        };
        (outcome, session.sign(reply).ok().map(Reply::Message))
    }

    /// What the reply would be if it were this turn in every block: nothing is counted, and nobody's turn is taken.
    pub fn preview(&self, query: &[u8], client: IpAddr, transport: Transport, turn: u32) -> Option<Vec<u8>> {
        self.answer_over(query, client, transport, self.image().at_turn(turn)).reply
    }

    /// Octets of the longest reply to this query.
    fn most(&self, query: &[u8], client: IpAddr, transport: Transport) -> usize {
        let image = self.image();
        let query = Query::read(query).map(|query| with_cookie(query, client, &image.reader()));
        query.map_or(0, |query| Room::of(&query, transport, image.frozen().payload).limit)
    }

    /// What became of the messages so far, by label, whatever they came over.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.counts.sums()
    }

    /// The same by what they came over, as the next run is to know it.
    pub fn messages(&self) -> Vec<Messages> {
        let of = |(transport, outcome, count): (Transport, Outcome, u64)| Messages {
            transport: transport.label().into(),
            outcome: outcome.label().into(),
            rcode: outcome.mnemonic(),
            count,
        };
        self.counts.all().map(of).collect()
    }

    /// Goes on from what an earlier run counted.
    pub fn add_earlier(&self, counts: &[Messages]) {
        self.counts.add_earlier(counts);
    }

    fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, message: &[u8], client: IpAddr, transport: Transport) -> (Outcome, Option<Vec<u8>>) {
        let image = self.image();
        let Answered { outcome, reply, sampled } =
            self.answer_over(message, client, transport, image.reader());
        if let Some((counter, message)) = sampled.zip(reply.as_ref()) {
            let (tables, client) = (image.hash_seed(), SocketAddr::new(client, 0));
            self.traffic.tell(Told { tables, counter, count: 1, client, message: message.clone() });
        }
        (outcome, reply)
    }

    fn answer_over(
        &self,
        message: &[u8],
        client: IpAddr,
        transport: Transport,
        tables: Reader<'_>,
    ) -> Answered {
        let ask = |message: &[u8]| ask(tables, message, client, transport);
        if let Ok(answered) = ask(message) {
            return answered;
        }
        let Some(query) = Query::read(message) else {
            return Answered { outcome: Outcome::Ignored, reply: None, sampled: None };
        };
        let query = with_cookie(query, client, &tables);
        let ask_again = || ask(&query.canonical().ok_or(Reason::NotQuery)?);
        let room = Room::of(&query, transport, tables.payload());
        match self.judge(&query, ask_again) {
            Answer::Finished(answered) => answered,
            Answer::Of(outcome, sections) => {
                let (outcome, reply) = write(&query, outcome, sections, room);
                let (outcome, reply) = limit(&query, client, transport, tables, (outcome, reply));
                Answered { outcome, reply, sampled: None }
            }
        }
    }

    /// What the engine did not answer, in the order in which it is refused, then found.
    fn judge(&self, query: &Query<'_>, ask: impl FnOnce() -> Result<Answered, Reason>) -> Answer {
        if query.metadata.op_code != OpCode::Query {
            return Answer::error(Outcome::NotImp, Extended::NotSupported);
        }
        let Some(question) = query.question.as_ref().filter(|_| query.is_whole) else {
            return Answer::bare(match query.has_sound_cookie() {
                Some(true) => Outcome::Cookie,
                Some(false) => Outcome::BadCookie,
                None => Outcome::FormErr,
            });
        };
        if query.opt.is_some_and(|opt| opt.version > 0) {
            return Answer::bare(Outcome::BadVers);
        }
        if query.opt.is_some_and(|opt| !opt.is_right()) {
            return Answer::bare(Outcome::FormErr);
        }
        if question.class == DNSClass::CH
            && let Some(text) = chaos::find(question, self.zone.borrow().chaos())
        {
            return Answer::Of(Outcome::Chaos, Sections::text(text));
        }
        if question.class != DNSClass::IN {
            return Answer::error(Outcome::Refused, Extended::NotSupported);
        }
        if let Some((outcome, extended)) = refusal(question.kind) {
            return Answer::error(outcome, extended);
        }
        let name = DnsName::from_wire(question.name);
        let view = self.zone.borrow().clone();
        let reason = match ask() {
            Ok(answered) => return Answer::Finished(answered),
            Err(Reason::TooLarge) => return Answer::bare(Outcome::Truncated),
            Err(reason) => reason,
        };
        let Some(zone) = view.zones().find(&name) else {
            return Answer::error(Outcome::Refused, Extended::NotAuthoritative);
        };
        // All names are in the tables, and all answers but those that are left to us.
        if zone.name != name || reason != Reason::NoAnswer {
            return Answer::error(Outcome::ServFail, Extended::NotReady);
        }
        // RFC 4035, section 3.1.4.1: what a delegation is signed with is said by the zone above it, where we have that too.
        if question.kind == RecordType::DS
            && let Some(above) = view.zones().above(zone)
        {
            return Answer::Of(Outcome::NoData, Sections::absence(&name, above.soa.minimum, above));
        }
        match question.kind {
            // RFC 8482, section 4.1: of ANY one of the RRsets is enough.
            RecordType::SOA | RecordType::ANY => {
                // What may be transferred goes on counting where the configuration's generation began.
                let contents = self.contents.borrow();
                let zone = contents.get(&zone.name).map_or(&**zone, |content| content.zone());
                Answer::Of(Outcome::Apex, Sections::soa(&name, zone))
            }
            RecordType::NS => {
                let (servers, addresses) = view.servers(zone);
                Answer::of(Outcome::Apex, Sections::of(&name, &servers, &addresses))
            }
            _ => Answer::Of(Outcome::NoData, Sections::absence(&name, zone.soa.minimum, zone)),
        }
    }
}

impl Answer {
    fn bare(outcome: Outcome) -> Self {
        Answer::Of(outcome, Sections::default())
    }

    fn error(outcome: Outcome, extended: Extended) -> Self {
        Answer::Of(outcome, Sections::none(extended))
    }

    /// Records that fit no message are ours to mend: the client can only ask another server.
    fn of<E>(outcome: Outcome, sections: Result<Sections, E>) -> Self {
        match sections {
            Ok(sections) => Answer::Of(outcome, sections),
            Err(_) => Answer::error(Outcome::ServFail, Extended::Other),
        }
    }
}

/// How a type is refused that is no data, wherever it is asked for; `None` for data and ANY.
fn refusal(kind: RecordType) -> Option<(Outcome, Extended)> {
    const MAILB: u16 = 253;
    const MAILA: u16 = 254;
    match u16::from(kind) {
        // RFC 5936, section 5, and RFC 1995: nobody gets the zone without a key.
        _ if matches!(kind, RecordType::AXFR | RecordType::IXFR) => {
            Some((Outcome::Refused, Extended::Prohibited))
        }
        MAILA | MAILB => Some((Outcome::NotImp, Extended::NotSupported)),
        // RFC 6895, section 3.1: 0, OPT, and what is left of the QTYPEs and meta types.
        0 | 41 | 128..=254 => Some((Outcome::FormErr, Extended::InvalidQueryType)),
        _ => None,
    }
}

/// The query with the cookie that is given back for its own, where it has one.
fn with_cookie<'a>(query: Query<'a>, client: IpAddr, jar: &impl Jar) -> Query<'a> {
    let asked = query.opt.and_then(|opt| cookie::Asked::of(opt.cookie?));
    Query { cookie: asked.and_then(|asked| asked.answer(jar, &listen::key(&client))), ..query }
}

/// What becomes of a reply that the engine has not made, where it is one too many over UDP for whoever has no right cookie. Errors, which say nothing of TCP, are given in the place of a
/// reply that says it.
fn limit(
    query: &Query<'_>,
    client: IpAddr,
    transport: Transport,
    tables: Reader<'_>,
    (outcome, reply): (Outcome, Vec<u8>),
) -> (Outcome, Option<Vec<u8>>) {
    if transport != Transport::Udp || query.cookie.is_some_and(|cookie| cookie.is_right) {
        return (outcome, Some(reply));
    }
    let has_answers = outcome == Outcome::Truncated || reply.get(6..8).is_some_and(|count| count != [0, 0]);
    let kind = Kind::of(outcome.code().into(), has_answers);
    match limited(&tables, &listen::key(&client), kind, tables.seed()) {
        None => (outcome, Some(reply)),
        Some(Reason::Slipped) if kind == Kind::Error => (Outcome::Slipped, Some(reply)),
        Some(Reason::Slipped) => {
            let room = Room::of(query, transport, tables.payload());
            let (_, reply) = write(&query.bare(), Outcome::Truncated, Sections::default(), room);
            (Outcome::Slipped, Some(reply))
        }
        Some(_) => (Outcome::Limited, None),
    }
}
