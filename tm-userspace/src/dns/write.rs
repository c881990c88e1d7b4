//! Puts a reply together: header, the question as it came, finished sections, OPT; cut down where it is too long.

use hickory_proto::{
    ProtoError,
    op::Message,
    rr::{RData, Record},
    serialize::binary::{BinEncodable, BinEncoder},
};
use tm_common::edns::Payload;

use super::{counts::Outcome, extended::Extended, query::Query, transport::Transport};
use crate::{
    compile::{Zone, nodata},
    names::DnsName,
};

/// Octets before the question.
const HEADER: usize = 12;

/// Finished records, names compressed to the question.
#[derive(Default)]
pub(super) struct Sections {
    octets: Vec<u8>,
    answers: u16,
    authorities: u16,
    /// What may be left out: additional records.
    extra: Vec<u8>,
    additionals: u16,
    /// Of an error: what more there is to say of it.
    extended: Option<Extended>,
}

impl Sections {
    /// None, of an error of which there is more to say.
    pub(super) fn none(extended: Extended) -> Self {
        Sections { extended: Some(extended), ..Sections::default() }
    }

    /// The SOA as the answer.
    pub(super) fn soa(question: &DnsName, zone: &Zone) -> Self {
        // RFC 2308, section 3: with MINIMUM for its own TTL the SOA says the same wherever it stands.
        let records = nodata(question, zone.soa.minimum, zone);
        Sections { octets: records.octets.to_vec(), answers: 1, ..Sections::default() }
    }

    /// The SOA as the proof of a name's or type's absence, to be kept for `ttl` seconds or MINIMUM, whichever is less: the records that a profile without data has too.
    pub(super) fn absence(question: &DnsName, ttl: u32, zone: &Zone) -> Self {
        let records = nodata(question, ttl, zone);
        Sections { octets: records.octets.to_vec(), authorities: 1, ..Sections::default() }
    }

    /// One text at the name that was asked, of class CHAOS, to be kept no time at all: whoever asks next may ask another server. At most 255 octets of it.
    pub(super) fn text(text: &str) -> Self {
        let text = &text.as_bytes()[..text.len().min(255)];
        let length = text.len() as u8;
        // The name, by a pointer to the question; TXT, CH, TTL 0.
        let head = [0xc0, HEADER as u8, 0, 16, 0, 3, 0, 0, 0, 0];
        let octets = [&head[..], &(u16::from(length) + 1).to_be_bytes(), &[length], text].concat();
        Sections { octets, answers: 1, ..Sections::default() }
    }

    /// These records as answers and additional ones. Fails where they do not fit any message.
    pub(super) fn of(
        question: &DnsName,
        answers: &[Record],
        additionals: &[Record],
    ) -> Result<Self, ProtoError> {
        let mut octets = vec![];
        let mut encoder = BinEncoder::new(&mut octets);
        // What stands before them in the message, so that names are compressed to it.
        encoder.emit_vec(&[0; HEADER])?;
        question.to_hickory().emit(&mut encoder)?;
        encoder.emit_vec(&[0; 4])?;
        let start = encoder.len();
        answers.iter().try_for_each(|record| record.emit(&mut encoder))?;
        let end = encoder.len();
        additionals.iter().try_for_each(|record| record.emit(&mut encoder))?;
        let extra = octets.split_off(end);
        octets.drain(..start);
        Ok(Sections {
            octets,
            answers: answers.len() as u16,
            authorities: 0,
            extra,
            additionals: additionals.len() as u16,
            extended: None,
        })
    }
}

/// How long a reply may be.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// Octets of the longest, 512 to 65,535.
    pub(super) limit: usize,
    /// Octets that its OPT announces.
    announced: u16,
}

impl Room {
    /// That of the reply to `query`, where replies over UDP may be as long as `payload` says.
    pub(super) fn of(query: &Query<'_>, transport: Transport, payload: Payload) -> Self {
        let is_right = query.cookie.is_some_and(|cookie| cookie.is_right);
        let limit = match transport {
            Transport::Udp => payload.limit(query.opt.map_or(0, |opt| opt.payload), is_right),
            Transport::Tcp | Transport::Tls | Transport::Https => u16::MAX,
        };
        Room { limit: limit.into(), announced: payload.most }
    }
}

/// The reply to `query`, as long as there is room, and what became of it: [`Outcome::Truncated`], or as it was.
pub(super) fn write(
    query: &Query<'_>,
    outcome: Outcome,
    mut sections: Sections,
    Room { limit, announced }: Room,
) -> (Outcome, Vec<u8>) {
    let code = u16::from(outcome.code());
    let mut options = query.cookie.map_or(vec![], |cookie| cookie.octets().to_vec());
    options.extend(sections.extended.iter().flat_map(|extended| extended.option()));
    let opt = query.opt.map(|opt| opt.reply(announced, (code >> 4) as u8, &options));
    let rest = HEADER
        + query.question.as_ref().map_or(0, |question| question.octets.len())
        + opt.as_ref().map_or(0, Vec::len)
        + sections.octets.len();
    let truncated = outcome == Outcome::Truncated || rest > limit;
    if truncated {
        sections = Sections::default();
    } else if rest + sections.extra.len() > limit {
        // RFC 2181, section 9: that additional records had no room is not what TC says.
        sections.extra.clear();
        sections.additionals = 0;
    }

    let asked = &query.metadata;
    let flags = 0x8000
        | u16::from(u8::from(asked.op_code)) << 11
        | u16::from(outcome.is_authoritative()) << 10
        | u16::from(truncated) << 9
        | u16::from(asked.recursion_desired) << 8
        | code & 15;
    let mut octets = Vec::with_capacity(rest + sections.extra.len());
    for word in [
        asked.id,
        flags,
        u16::from(query.question.is_some()),
        sections.answers,
        sections.authorities,
        sections.additionals + u16::from(opt.is_some()),
    ] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(query.question.iter().flat_map(|question| question.octets));
    octets.extend(sections.octets);
    octets.extend(sections.extra);
    octets.extend(opt.into_iter().flatten());
    (if truncated { Outcome::Truncated } else { outcome }, octets)
}

/// Seconds that a finished reply may be kept ([RFC 8484, section 5.1]): the least TTL of its answers, or where it has none, that of the SOA that says so;
/// `None` where nothing says so.
///
/// [RFC 8484, section 5.1]: https://www.rfc-editor.org/rfc/rfc8484#section-5.1
pub(super) fn freshness(reply: &[u8]) -> Option<u32> {
    let reply = Message::from_vec(reply).ok()?;
    let least = reply.answers.iter().map(|record| record.ttl).min();
    least.or_else(|| {
        reply.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        })
    })
}
