//! What the server says of itself in class CHAOS, if its operator wants that ([RFC 4892]): which version runs, and which of several servers answers.
//!
//! [RFC 4892]: https://www.rfc-editor.org/rfc/rfc4892

use hickory_proto::rr::RecordType;

use super::query::Question;
use crate::{desired::Chaos, names::DnsName};

/// The text at a name of class CHAOS; `None` where there is nothing to be said, which is refused as every other name of the class is.
pub(super) fn find<'a>(question: &Question<'_>, chaos: &'a Chaos) -> Option<&'a str> {
    if !matches!(question.kind, RecordType::TXT | RecordType::ANY) {
        return None;
    }
    let text = match DnsName::from_wire(question.name).wire() {
        b"\x07version\x04bind\0" | b"\x07version\x06server\0" => &chaos.version,
        b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => &chaos.server,
        _ => return None,
    };
    text.as_deref()
}
