//! CNAMEs that lead on, for clients whose subnet decides what is answered: only the first is given ([RFC 7871, section 7.2.1]), since a reply has one scope for all that is in it, and each name of a
//! chain may have another. Whoever is told asks on.
//!
//! The programs leave such replies to the sockets, whose own are whole when they come here.
//!
//! [RFC 7871, section 7.2.1]: https://www.rfc-editor.org/rfc/rfc7871#section-7.2.1

use hickory_proto::{
    op::Header,
    rr::{RecordType, rdata::opt::EdnsCode},
    serialize::binary::{BinDecodable, BinDecoder},
};

use super::query::{Record, skip_name};

/// Of an option's data, where the scope stands.
const SCOPE: usize = 3;

/// Cuts what follows the first record out of the engine's reply, where that is a CNAME and the reply says how far it holds.
pub(super) fn cut(reply: &mut Vec<u8>) {
    if let Some((from, to)) = rest(reply) {
        reply.drain(from..to);
        // NOERROR, one answer, no authority.
        reply[3] &= 0xf0;
        reply[6..10].copy_from_slice(&[0, 1, 0, 0]);
    }
}

/// From where to where that stands.
fn rest(reply: &[u8]) -> Option<(usize, usize)> {
    let mut decoder = BinDecoder::new(reply);
    let counts = Header::read(&mut decoder).ok()?.counts;
    if counts.answers < 2 || counts.additionals == 0 {
        return None;
    }
    for _ in 0..counts.queries {
        skip_name(&mut decoder)?;
        decoder.read_slice(4).ok()?;
    }
    let first = Record::read(&mut decoder)?;
    let from = decoder.index();
    for _ in 1..usize::from(counts.answers) + usize::from(counts.authorities) {
        Record::read(&mut decoder)?;
    }
    let opt = Record::read(&mut decoder)?;
    let scope = *opt.option(EdnsCode::Subnet)?.get(SCOPE)?;
    (first.kind == RecordType::CNAME && opt.kind == RecordType::OPT && scope > 0).then_some((from, opt.at))
}
