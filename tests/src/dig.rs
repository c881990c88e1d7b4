//! A DNS message as text, near to what dig prints, for comparison with golden files.
//!
//! ```text
//! NOERROR qr aa rd
//! ? www.x. IN A
//! www.x. 30 IN A 1.2.3.4
//! auth x. 30 IN SOA ns1.x. hostmaster.x. 1 2 3 4 5
//! edns 0 udp 1232
//! ```

use std::fmt::Write;

use hickory_proto::{
    op::{Edns, Message, MessageType},
    rr::{DNSClass, RData, Record, RecordType},
};

/// The whole message: rcode and flags, question, answers, authorities, additionals, OPT; a line each, in the message's order.
pub fn text(message: &Message) -> String {
    let metadata = &message.metadata;
    let flags = [
        (metadata.message_type == MessageType::Response, " qr"),
        (metadata.authoritative, " aa"),
        (metadata.truncation, " tc"),
        (metadata.recursion_desired, " rd"),
        (metadata.recursion_available, " ra"),
        (metadata.authentic_data, " ad"),
        (metadata.checking_disabled, " cd"),
    ];
    let mut text = rcode(u16::from(metadata.response_code));
    text.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word));
    text.push('\n');
    for query in &message.queries {
        // Writing to a string cannot fail.
        _ = writeln!(text, "? {} {} {}", query.name, class(query.query_class), kind(query.query_type));
    }
    let sections = [("", &message.answers), ("auth ", &message.authorities), ("add ", &message.additionals)];
    for (prefix, records) in sections {
        for record in records {
            _ = writeln!(text, "{prefix}{}", line(record));
        }
    }
    if let Some(edns) = &message.edns {
        text.push_str(&edns_line(edns));
    }
    text
}

/// The answers alone, a line each.
pub fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(line).collect()
}

fn line(record: &Record) -> String {
    let (class, kind) = (class(record.dns_class), kind(record.record_type()));
    format!("{} {} {class} {kind} {}", record.name, record.ttl, data(record))
}

/// Texts in quotes, which hickory runs together.
fn data(record: &Record) -> String {
    let RData::TXT(texts) = &record.data else { return record.data.to_string() };
    let quoted = |text: &[u8]| format!("\"{}\"", text.escape_ascii());
    texts.txt_data.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" ")
}

/// [RFC 3597, section 5](https://www.rfc-editor.org/rfc/rfc3597#section-5): what has no name has a number.
fn kind(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        RecordType::ZERO => "TYPE0".to_owned(),
        named => named.to_string(),
    }
}

fn class(class: DNSClass) -> String {
    match class {
        DNSClass::Unknown(number) => format!("CLASS{number}"),
        named => named.to_string(),
    }
}

fn edns_line(edns: &Edns) -> String {
    let mut line = format!("edns {} udp {}", edns.version(), edns.max_payload());
    if edns.flags().dnssec_ok {
        line.push_str(" do");
    }
    for (code, option) in &edns.options().options {
        _ = write!(line, " {code:?} {option:?}");
    }
    line.push('\n');
    line
}

/// The words of the [registry](https://www.iana.org/assignments/dns-parameters), in capitals as dig shows them.
fn rcode(number: u16) -> String {
    const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    match (NAMES.get(usize::from(number)), number) {
        (Some(name), _) => (*name).to_owned(),
        (None, 16) => "BADVERS".to_owned(),
        (None, 23) => "BADCOOKIE".to_owned(),
        (None, _) => format!("RCODE{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_as_text() {
        // Written by hand: an answer, an SOA compressed to the question, and an OPT with the DO bit.
        let wire = [
            &[0x12, 0x34, 0x85, 0x00, 0, 1, 0, 1, 0, 1, 0, 1][..],
            b"\x03wWw\x01x\x00\x00\x01\x00\x01",
            &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 1, 2, 3, 4],
            &[0xc0, 16, 0, 6, 0, 1, 0, 0, 0, 30, 0, 30],
            b"\x03ns1\xc0\x10\x01h\xc0\x10",
            &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5],
            &[0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0],
        ];
        let message = Message::from_vec(&wire.concat()).unwrap();
        let wanted = "NOERROR qr aa rd\n? wWw.x. IN A\nwWw.x. 30 IN A 1.2.3.4\nauth x. 30 IN SOA ns1.x. h.x. 1 2 3 4 5\nedns 0 udp 1232 do\n";
        assert_eq!(text(&message), wanted);
        assert_eq!(answers(&message), ["wWw.x. 30 IN A 1.2.3.4"]);
    }

    #[test]
    fn numbers_where_there_is_no_name() {
        assert_eq!([kind(RecordType::A), kind(1000.into()), kind(0.into())], ["A", "TYPE1000", "TYPE0"]);
        assert_eq!([class(DNSClass::CH), class(DNSClass::from(256))], ["CH", "CLASS256"]);
        assert_eq!([3, 5, 16, 9].map(rcode), ["NXDOMAIN", "REFUSED", "BADVERS", "RCODE9"]);
    }
}
