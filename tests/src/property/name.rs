//! What holds for any name: as text, on the wire, and in the tables.

use hickory_proto::{rr::Name, serialize::binary::BinDecodable};
use tm_common::verdict::Reason;
use tm_userspace::{
    compile::{Choices, Compiled, Records},
    listen::key,
    names::DnsName,
    sync::Image,
};

use crate::{frame::Frame, host::answer_frame, lab::SERVER_V4, query::Query, reply::check_reply};

/// A name as text, its kind of writing and another name for it; and two names in one table.
pub fn check_name(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text(text);
    }
    let (stored, asked) = octets.split_at(octets.len() / 2);
    // Configuration takes no zero octet in a name, and the engine relies on it.
    let stored: Vec<u8> = stored.iter().map(|octet| (*octet).max(1)).collect();
    check_table(&labels(&stored), &labels(asked));
}

/// Refused with a message, or taken: then hickory-proto reads its wire form, and it is written so that it is read again.
fn check_text(text: &str) {
    match text.parse::<DnsName>() {
        Ok(name) => {
            let wire = name.wire();
            assert!(wire.len() <= 255 && wire.last() == Some(&0), "{name}");
            assert!(Name::from_bytes(wire).is_ok(), "hickory-proto cannot read {wire:02x?}");
            assert_eq!(name.to_string().parse(), Ok(name.clone()), "{name} is not read as it is written");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// With one name in the tables, it alone is answered, in whatever case it is asked for.
fn check_table(stored: &[u8], asked: &[u8]) {
    const RECORD: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1];
    let records = Records {
        octets: RECORD.into(),
        answers: 1,
        authorities: 0,
        code: 0,
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    };
    let choices = Choices { answers: vec![records], slots: vec![0], sticky: false };
    let compiled = Compiled {
        name: DnsName::from_wire(stored),
        view: None,
        types: vec![],
        places: vec![vec![choices; 4]],
        absent: None,
    };
    let mut image = Image::new(1, u64::from(asked.len() as u8));
    image.apply([(&compiled.name, Some(&compiled))]);
    image.set_addresses(&[key(&SERVER_V4.into())], &[]);
    for name in [stored, &stored.to_ascii_uppercase(), asked] {
        let query = Query { name: name.to_vec(), ..Query::with_edns(".", 1) };
        let (reason, out) = answer_frame(&Frame::v4(query.build()).build(), &image);
        assert_eq!(
            reason == Reason::Answered,
            name.eq_ignore_ascii_case(stored),
            "{name:02x?} of {stored:02x?}"
        );
        if reason == Reason::Answered {
            let reply = check_reply(&out).unwrap_or_else(|error| panic!("{error:#}: {out:02x?}"));
            assert_eq!(reply.payload[12..12 + name.len()], *name);
        }
    }
}

/// The wire form of a name of labels that begin with these octets: each octet's six lower bits tell the length of a label, and the octets behind it fill that.
pub(super) fn labels(mut octets: &[u8]) -> Vec<u8> {
    let mut wire = vec![];
    while let Some((first, rest)) = octets.split_first() {
        let length = usize::from(first & 63).min(rest.len()).min(253_usize.saturating_sub(wire.len()));
        if length == 0 {
            break;
        }
        wire.push(length as u8);
        wire.extend(&rest[..length]);
        octets = &rest[length..];
    }
    wire.push(0);
    wire
}
