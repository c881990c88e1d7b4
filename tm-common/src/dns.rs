//! The DNS header, as words in memory order ([RFC 1035, section 4.1.1]).
//!
//! ```text
//!  octet 0-1  ID
//!        2    QR | OPCODE (4) | AA | TC | RD
//!        3    RA | Z | AD | CD | RCODE (4)
//!        4-11 QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT
//! ```
//!
//! [RFC 1035, section 4.1.1]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1.1

use crate::{sum::Sum, tables::Meta};

/// ID and flags; question and answer counts; authority and additional counts.
pub type Header = [u32; 3];

/// Octets of QTYPE and QCLASS, after the name.
pub const FIXED: usize = 4;

const ONE_QUESTION: u32 = u32::from_le_bytes([0, 1, 0, 0]);
const ONE_ADDITIONAL: u32 = u32::from_le_bytes([0, 0, 0, 1]);

/// Accepts a plain query: QR, OPCODE, AA, TC, Z and RCODE clear; one question; at most one additional record. Says whether there is one.
///
/// RD, RA, AD and CD may be set: they ask for things an authoritative server does not do, and change nothing.
#[inline(always)]
pub fn query(header: &Header) -> Option<bool> {
    const CLEAR: u32 = u32::from_le_bytes([0, 0, 0xfe, 0x4f]);
    let [first, counts, rest] = *header;
    let additional = match rest {
        0 => false,
        ONE_ADDITIONAL => true,
        _ => return None,
    };
    (first & CLEAR == 0 && counts == ONE_QUESTION).then_some(additional)
}

/// The header that answers a plain query: QR and AA set, RD as it came, all other flags the answer's; an additional record for one.
#[inline(always)]
pub fn reply(query: &Header, answer: &Meta) -> Header {
    const KEEP: u32 = u32::from_le_bytes([0xff, 0xff, 0x01, 0]);
    const SET: u32 = u32::from_le_bytes([0, 0, 0x84, 0]);
    let [first, _, rest] = *query;
    [
        first & KEEP | SET | u32::from(answer.flags) << 16,
        ONE_QUESTION | u32::from(answer.answers) << 16,
        rest | u32::from(answer.authorities),
    ]
}

/// The header's part of the checksum.
#[inline(always)]
pub fn sum(header: &Header) -> Sum {
    Sum::default().and(header[0]).and(header[1]).and(header[2])
}

/// Which of an entry's blocks answers a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A.
    A,
    /// AAAA.
    Aaaa,
    /// ANY ([RFC 8482](https://www.rfc-editor.org/rfc/rfc8482)).
    Any,
    /// Every other type of data.
    Other,
}

/// How many kinds of question there are.
pub const ASKED: usize = 4;

/// Reads type and class in memory order. `None` for a class other than IN and for types that are no data: 0, OPT, and 128 to 254
/// ([RFC 6895, section 3.1](https://www.rfc-editor.org/rfc/rfc6895#section-3.1)).
#[inline(always)]
pub fn asked(fixed: u32) -> Option<Asked> {
    const A: u32 = u32::from_le_bytes([0, 1, 0, 1]);
    const AAAA: u32 = u32::from_le_bytes([0, 28, 0, 1]);
    const ANY: u32 = u32::from_le_bytes([0, 255, 0, 1]);
    const IN: u32 = u32::from_le_bytes([0, 1, 0, 0]);
    match fixed {
        A => return Some(Asked::A),
        AAAA => return Some(Asked::Aaaa),
        ANY => return Some(Asked::Any),
        _ => {}
    }
    let kind = (fixed as u16).swap_bytes();
    let data = fixed >> 16 == IN && kind != 0 && kind != 41 && !(128..256).contains(&kind);
    data.then_some(Asked::Other)
}
