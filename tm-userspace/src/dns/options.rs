//! What the OPT of a reply says to who asked for it: which server it is ([RFC 5001]), and because of what it goes over, how long the connection may be idle ([RFC 7828]), and padding
//! ([RFC 8467]).
//!
//! The server is named where its operator wants that; keepalive is told over a connection of its own, padding given where nobody can read along.
//!
//! [RFC 5001]: https://www.rfc-editor.org/rfc/rfc5001
//! [RFC 7828]: https://www.rfc-editor.org/rfc/rfc7828
//! [RFC 8467]: https://www.rfc-editor.org/rfc/rfc8467

use std::time::Duration;

use hickory_proto::{
    op::Header,
    rr::{RecordType, rdata::opt::EdnsCode},
    serialize::binary::{BinDecodable, BinDecoder},
};

use super::{
    query::{Record, skip_name},
    transport::Transport,
};

/// Octets that padded replies are a multiple of ([RFC 8467, section 4.1](https://www.rfc-editor.org/rfc/rfc8467#section-4.1)).
const BLOCK: usize = 468;
/// Octets of an OPT before its options, and before their length.
const FIXED: usize = tm_common::edns::LEN;
const BEFORE_LENGTH: usize = FIXED - 2;
/// Octets of an option before its data.
const HEAD: usize = 4;

/// Adds the options that `query` asks for to its finished `reply`. `idle` is how long the connection may be idle, where it is one; `nsid` what the server is called, where that is to be said;
/// `most` says how long the reply may be.
pub(super) fn add(
    query: &[u8],
    reply: &mut Vec<u8>,
    transport: Transport,
    idle: Option<Duration>,
    nsid: Option<&str>,
    most: impl FnOnce() -> usize,
) {
    let private = matches!(transport, Transport::Tls | Transport::Https);
    // Without an additional record there is no OPT.
    if !(private || idle.is_some() || nsid.is_some()) || query.get(10..12).is_none_or(|count| count == [0, 0])
    {
        return;
    }
    let Some(asked) = opt(query).filter(|asked| asked.version() == 0) else { return };
    let Some((at, data)) = opt(reply).map(|told| (told.at, told.data.len())) else { return };
    if at + FIXED + data != reply.len() {
        return;
    }
    // What has no room is left out: a reply without it is one of use, and TC would say something else.
    if let Some(nsid) = nsid.filter(|_| asked.has(EdnsCode::NSID))
        && reply.len() + HEAD + nsid.len() <= most()
    {
        put(reply, at, EdnsCode::NSID, nsid.as_bytes());
    }
    if let Some(idle) = idle.filter(|_| asked.has(EdnsCode::Keepalive)) {
        let units = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
        put(reply, at, EdnsCode::Keepalive, &units.to_be_bytes());
    }
    if private && asked.has(EdnsCode::Padding) {
        let padding = (reply.len() + HEAD).next_multiple_of(BLOCK) - reply.len() - HEAD;
        put(reply, at, EdnsCode::Padding, &vec![0; padding]);
    }
}

/// Puts an option behind all that there is, into the OPT that begins at `at`; not where the message would be too long.
fn put(message: &mut Vec<u8>, at: usize, code: EdnsCode, data: &[u8]) {
    let length = message.len() + HEAD + data.len() - at - FIXED;
    let (true, Ok(length)) =
        (message.len() + HEAD + data.len() <= usize::from(u16::MAX), u16::try_from(length))
    else {
        return;
    };
    message.extend(u16::from(code).to_be_bytes());
    message.extend((data.len() as u16).to_be_bytes());
    message.extend(data);
    message[at + BEFORE_LENGTH..at + FIXED].copy_from_slice(&length.to_be_bytes());
}

/// The OPT of a message.
fn opt(message: &[u8]) -> Option<Record<'_>> {
    additionals(message)?.into_iter().find(|record| record.kind == RecordType::OPT)
}

/// The additional records of a message, as far as they are well-formed; `None` where what stands before them is not.
pub(super) fn additionals(message: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut decoder = BinDecoder::new(message);
    let counts = Header::read(&mut decoder).ok()?.counts;
    for _ in 0..counts.queries {
        skip_name(&mut decoder)?;
        decoder.read_slice(4).ok()?;
    }
    for _ in 0..usize::from(counts.answers) + usize::from(counts.authorities) {
        Record::read(&mut decoder)?;
    }
    Some((0..counts.additionals).map_while(|_| Record::read(&mut decoder)).collect())
}

impl Record<'_> {
    fn version(&self) -> u8 {
        self.ttl.to_be_bytes()[1]
    }

    fn has(&self, wanted: EdnsCode) -> bool {
        let mut options = self.data;
        while let Some(([a, b, c, d], rest)) = options.split_first_chunk() {
            if u16::from_be_bytes([*a, *b]) == u16::from(wanted) {
                return true;
            }
            options = rest.get(usize::from(u16::from_be_bytes([*c, *d]))..).unwrap_or_default();
        }
        false
    }
}
