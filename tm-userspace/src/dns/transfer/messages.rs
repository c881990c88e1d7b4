//! A transfer in messages: who may have it, which records in which order, and a signature on each message.

use std::iter::once;

use hickory_proto::{
    op::{Edns, Message, MessageType, Query as Question, ResponseCode},
    rr::{RData, Record, RecordType},
};

use super::content::{Changes, Content, Contents};
use crate::{
    dns::{counts::Outcome, transport::Transport, tsig::Session, zone::ZoneView},
    names::DnsName,
};

/// Records in a message: with names of 255 octets everywhere these still fit.
const RECORDS: usize = 100;

/// The messages of one transfer, made as they are taken.
pub(in crate::dns) struct Transfer {
    head: Message,
    records: Box<dyn Iterator<Item = Record> + Send>,
    session: Session,
}

/// Why there is none.
pub(in crate::dns) struct Refused {
    /// What becomes of the query.
    pub(in crate::dns) outcome: Outcome,
    /// What that is to be signed with.
    pub(in crate::dns) session: Session,
}

impl Transfer {
    /// The transfer that a signed query asks for, if it may be had; `message` is the query without its signature.
    pub(in crate::dns) fn new(
        message: &[u8],
        transport: Transport,
        zone: &ZoneView,
        contents: &Contents,
        session: Session,
    ) -> Result<Self, Refused> {
        let refused = |outcome, session| Err(Refused { outcome, session });
        let is_known = zone.transfer().allow.contains(session.key());
        if !is_known || contents.is_empty() {
            return refused(Outcome::Refused, session);
        }
        let Ok(query) = Message::from_vec(message) else { return refused(Outcome::FormErr, session) };
        let Some(question) = query.queries.first() else { return refused(Outcome::FormErr, session) };
        let Some(content) = contents.get(&DnsName::from_hickory(question.name())) else {
            return refused(Outcome::NotAuth, session);
        };
        let is_stream = matches!(transport, Transport::Tcp | Transport::Tls);
        let records: Box<dyn Iterator<Item = Record> + Send> = match question.query_type() {
            RecordType::AXFR if is_stream => whole(content),
            RecordType::IXFR if transport != Transport::Https => {
                let Some(serial) = serial(&query) else { return refused(Outcome::FormErr, session) };
                match content.since(serial) {
                    Changes::None => Box::new(once(content.soa())),
                    // RFC 1995, section 2: who asks over UDP is told by the SOA alone to come back.
                    _ if !is_stream => Box::new(once(content.soa())),
                    Changes::Known(records) => {
                        Box::new(once(content.soa()).chain(records).chain(once(content.soa())))
                    }
                    Changes::Unknown => whole(content),
                }
            }
            _ => return refused(Outcome::Refused, session),
        };
        Ok(Transfer { head: head(&query, question, zone.payload().most), records, session })
    }
}

impl Iterator for Transfer {
    type Item = Vec<u8>;

    /// The next message; the transfer breaks off where one cannot be made.
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut message = self.head.clone();
        message.answers = self.records.by_ref().take(RECORDS).collect();
        if message.answers.is_empty() {
            return None;
        }
        self.session.sign(message.to_vec().ok()?).ok()
    }
}

/// All of the zone ([RFC 5936, section 2.2](https://www.rfc-editor.org/rfc/rfc5936#section-2.2)).
fn whole(content: &Content) -> Box<dyn Iterator<Item = Record> + Send> {
    Box::new(once(content.soa()).chain(content.records()).chain(once(content.soa())))
}

/// The serial that an incremental transfer is asked from ([RFC 1995, section 3](https://www.rfc-editor.org/rfc/rfc1995#section-3)).
fn serial(query: &Message) -> Option<u32> {
    match &query.authorities.first()?.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    }
}

/// What all messages have in common; `payload` is what their OPT announces.
fn head(query: &Message, question: &Question, payload: u16) -> Message {
    let mut head = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    head.metadata.authoritative = true;
    head.metadata.recursion_desired = query.metadata.recursion_desired;
    head.metadata.response_code = ResponseCode::NoError;
    head.add_query(question.clone());
    head.edns = query.edns.as_ref().map(|asked| {
        let mut edns = Edns::new();
        edns.set_max_payload(payload).set_dnssec_ok(asked.flags().dnssec_ok);
        edns
    });
    head
}
