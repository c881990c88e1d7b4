//! A record as a line, as zone files have it.

use hickory_proto::rr::{RData, Record};

/// Name, TTL, class, type and data.
pub(super) fn line(record: &Record) -> String {
    format!("{} {} {} {} {}", record.name, record.ttl, record.dns_class, record.record_type(), data(record))
}

/// The data alone. Hickory runs texts together, and ends each parameter of a service in a comma.
pub(super) fn data(record: &Record) -> String {
    match &record.data {
        RData::TXT(texts) => texts.txt_data.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" "),
        RData::SVCB(_) | RData::HTTPS(_) => {
            let text = record.data.to_string();
            let words = text.split(' ').map(|word| word.strip_suffix(',').unwrap_or(word));
            words.collect::<Vec<_>>().join(" ")
        }
        data => data.to_string(),
    }
}

/// A text in quotes ([RFC 1035, section 5.1](https://www.rfc-editor.org/rfc/rfc1035#section-5.1)).
fn quoted(text: &[u8]) -> String {
    let octet = |octet: &u8| match octet {
        b'"' | b'\\' => format!("\\{}", char::from(*octet)),
        b' '..=b'~' => char::from(*octet).to_string(),
        _ => format!("\\{octet:03}"),
    };
    format!("\"{}\"", text.iter().map(octet).collect::<String>())
}

#[cfg(test)]
mod tests {
    use hickory_proto::{rr::Name, serialize::binary::BinDecodable as _};

    use super::*;

    fn record(kind: u8, data: &[u8]) -> Record {
        let head = [0, 0, kind, 0, 1, 0, 0, 0, 30, 0, data.len() as u8];
        Record::from_bytes(&[&head[..], data].concat()).unwrap()
    }

    #[test]
    fn texts_are_told_apart_and_nothing_of_them_is_lost() {
        let record = record(16, b"\x07a \"b\\\xff\n\x00\x01;");
        assert_eq!(record.name, Name::root());
        assert_eq!(line(&record), r#". 30 IN TXT "a \"b\\\255\010" "" ";""#);
    }

    #[test]
    fn parameters_are_parted_by_spaces() {
        let octets = b"\x00\x01\x00\x00\x01\x00\x06\x02h2\x02h3\x00\x03\x00\x02\x00\x35";
        assert_eq!(data(&record(65, octets)), "1 . alpn=h2,h3 port=53");
    }
}
