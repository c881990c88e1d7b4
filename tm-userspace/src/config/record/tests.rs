//! Data of every type against octets by hand, those of SVCB from the standard's own examples ([RFC 9460, appendix D]), and against hickory's codec.
//!
//! [RFC 9460, appendix D]: https://www.rfc-editor.org/rfc/rfc9460#appendix-D

use hickory_proto::{
    rr,
    serialize::binary::{BinDecodable as _, BinEncodable as _},
};

use super::*;

/// The record around this data, at the root, as it lies in a message.
fn record(kind: RecordType, data: &[u8]) -> Vec<u8> {
    let [kind, class, length] = [kind.into(), 1, data.len() as u16].map(u16::to_be_bytes);
    [&[0][..], &kind, &class, &30_u32.to_be_bytes(), &length, data].concat()
}

/// What is written comes to these octets, and hickory, which reads them, writes the same.
fn check(kind: RecordType, text: &str, expected: &[u8]) {
    let octets = data(kind, text).unwrap_or_else(|error| panic!("{kind} {text}: {error}"));
    assert_eq!(octets, expected, "{kind} {text}");
    let ours = record(kind, &octets);
    let read = rr::Record::from_bytes(&ours).unwrap_or_else(|error| panic!("{kind} {text}: {error}"));
    assert_eq!(read.record_type(), kind);
    assert_eq!(read.to_bytes().unwrap(), ours, "{kind} {text}");
}

/// Whatever is wrong is told in these words.
fn check_fault(kind: RecordType, text: &str, expected: &str) {
    assert_eq!(data(kind, text).expect_err(text), expected, "{kind} {text}");
}

#[test]
fn rfc1035_section_3_3_14_texts() {
    let kind = RecordType::TXT;
    check(kind, "hello", b"\x05hello");
    check(kind, "\"v=spf1 -all\"", b"\x0bv=spf1 -all");
    check(kind, "one\t\"two words\"  three", b"\x03one\x09two words\x05three");
    check(kind, "\"\"", b"\x00");
    check(kind, "\"\" \"\"", b"\x00\x00");
    check(kind, "a\\\"b \"c;(d)\" \\255\\000 \\;", b"\x03a\"b\x05c;(d)\x02\xff\x00\x01;");
    check(kind, "\u{e4}", b"\x02\xc3\xa4");
    let long = |length: usize| "x".repeat(length);
    check(kind, &long(255), &[&[255], long(255).as_bytes()].concat());
    check(kind, &long(256), &[&[255], long(255).as_bytes(), b"\x01x"].concat());
    check(
        kind,
        &format!("\"{}\" y", long(600)),
        &[&[255], long(255).as_bytes(), &[255], long(255).as_bytes(), &[90], long(90).as_bytes(), b"\x01y"]
            .concat(),
    );
    check_fault(kind, "", "it has no text");
    check_fault(kind, "  ", "it has no text");
    check_fault(kind, "\"open", "the quotes are not closed");
    check_fault(kind, "\"a\"b", "there is no space behind the closing quotes");
    check_fault(kind, "a\"b\"", "there are quotes within a word: write `\\\"` for them");
    check_fault(kind, "a;b", "there is a `;` outside quotes: put the text in quotes");
    for text in ["\\", "\\25", "\\256", "\\2x5"] {
        check_fault(kind, text, "a backslash is followed by no character, and by no three digits up to 255");
    }
    check_fault(kind, "\"a\nb\"", "there is '\\n' in it: write `\\DDD` for it");
    check_fault(kind, &long(1005), "it has 1009 octets, over 1008");
}

#[test]
fn rfc8659_section_4_1_authorities() {
    let kind = RecordType::CAA;
    check(kind, "0 issue \"ca.example\"", b"\x00\x05issueca.example");
    check(kind, "0 issue ca.example", b"\x00\x05issueca.example");
    check(kind, "128 issuewild \";\"", b"\x80\x09issuewild;");
    check(kind, "0 iodef \"mailto:security@example.com\"", b"\x00\x05iodefmailto:security@example.com");
    check(kind, "0 issue \"\"", b"\x00\x05issue");
    check_fault(kind, "0 issue", "it has 2 of 3 words: flags, tag, value");
    check_fault(kind, "256 issue \"x\"", "flags is no number from 0 to 255");
    check_fault(kind, "0 issue-wild \"x\"", "the tag is not 1 to 255 letters and digits");
    check_fault(kind, "0 \"\" \"x\"", "the tag is not 1 to 255 letters and digits");
}

#[test]
fn rfc1035_section_3_3_9_and_rfc7505_mail() {
    let kind = RecordType::MX;
    check(kind, "10 Mail.Contoso.com", b"\x00\x0a\x04mail\x07contoso\x03com\x00");
    check(kind, "65535 mail.contoso.com.", b"\xff\xff\x04mail\x07contoso\x03com\x00");
    check(kind, "0 .", b"\x00\x00\x00");
    check_fault(kind, "10", "it has 1 of 2 words: preference, exchange");
    check_fault(kind, "-1 mail", "preference is no number from 0 to 65535");
    check_fault(kind, "65536 mail", "preference is no number from 0 to 65535");
    check_fault(kind, "10 @", "`@` is no name: write it in full, without quotes");
    check_fault(kind, "10 192.0.2.1", "`192.0.2.1` is no name but an address: write the name that has it");
    check_fault(kind, "10 \"mail\"", "`\"mail\"` is no name: write it in full, without quotes");
    check_fault(
        kind,
        "10 a..b",
        "`a..b` is not a domain name: labels have 1 to 63 octets, separated by single dots",
    );
}

#[test]
fn rfc2782_services() {
    let kind = RecordType::SRV;
    check(kind, "1 2 443 a.b", b"\x00\x01\x00\x02\x01\xbb\x01a\x01b\x00");
    check(kind, "0 0 0 .", b"\x00\x00\x00\x00\x00\x00\x00");
    check_fault(kind, "1 2 443", "it has 3 of 4 words: priority, weight, port, target");
    check_fault(kind, "1 2 65536 a.b", "port is no number from 0 to 65535");
    check_fault(kind, "1 x 443 a.b", "weight is no number from 0 to 65535");
}

const FOO_COM: &[u8] = b"\x03foo\x07example\x03com\x00";
const FOO_ORG: &[u8] = b"\x03foo\x07example\x03org\x00";

#[test]
fn rfc9460_appendix_d_right_ones() {
    let foo = |priority: u8, name: &[u8], rest: &[u8]| [&[0, priority], name, rest].concat();
    let cases: [(&str, Vec<u8>); 12] = [
        ("0 foo.example.com.", foo(0, FOO_COM, b"")),
        ("1 .", b"\x00\x01\x00".to_vec()),
        ("16 foo.example.com. port=53", foo(16, FOO_COM, b"\x00\x03\x00\x02\x00\x35")),
        ("1 foo.example.com. key667=hello", foo(1, FOO_COM, b"\x02\x9b\x00\x05hello")),
        (
            "1 foo.example.com. key667=\"hello\\210qoo\"",
            foo(1, FOO_COM, b"\x02\x9b\x00\x09hello\xd2qoo"),
        ),
        (
            "1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
            foo(
                1,
                FOO_COM,
                b"\x00\x06\x00\x20\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01",
            ),
        ),
        (
            "1 example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"",
            b"\x00\x01\x07example\x03com\x00\x00\x06\x00\x10\x20\x01\x0d\xb8\x01\x22\x03\x44\0\0\0\0\xc0\0\x02\x21".to_vec(),
        ),
        (
            "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
            foo(
                16,
                FOO_ORG,
                b"\x00\x00\x00\x04\x00\x01\x00\x04\x00\x01\x00\x09\x02h2\x05h3-19\x00\x04\x00\x04\xc0\x00\x02\x01",
            ),
        ),
        (
            r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
            foo(16, FOO_ORG, b"\x00\x01\x00\x0c\x08f\\oo,bar\x02h2"),
        ),
        (
            r"16 foo.example.org. alpn=f\\\092oo\092,bar,h2",
            foo(16, FOO_ORG, b"\x00\x01\x00\x0c\x08f\\oo,bar\x02h2"),
        ),
        (
            "1 . no-default-alpn alpn=h3",
            b"\x00\x01\x00\x00\x01\x00\x03\x02h3\x00\x02\x00\x00".to_vec(),
        ),
        ("1 . ech=AAEC", b"\x00\x01\x00\x00\x05\x00\x03\x00\x01\x02".to_vec()),
    ];
    for (text, expected) in cases {
        for kind in [RecordType::SVCB, RecordType::HTTPS] {
            check(kind, text, &expected);
        }
    }
    assert_eq!(data(RecordType::SVCB, "1 . ohttp").unwrap(), b"\x00\x01\x00\x00\x08\x00\x00");
}

#[test]
fn rfc9460_appendix_d_wrong_ones() {
    for (text, expected) in [
        ("1", "it has no priority and target"),
        ("1 foo.example.com key123=abc key123=def", "it has key123 twice"),
        ("1 foo.example.com mandatory", "mandatory has no value"),
        ("1 foo.example.com alpn", "alpn has no value"),
        ("1 foo.example.com alpn=\"\"", "alpn has no value"),
        ("1 foo.example.com port", "port has no value"),
        ("1 foo.example.com ipv4hint", "ipv4hint has no value"),
        ("1 foo.example.com ipv6hint", "ipv6hint has no value"),
        ("1 foo.example.com alpn=h2 no-default-alpn=abc", "no-default-alpn has a value"),
        ("1 foo.example.com no-default-alpn", "it has no-default-alpn without alpn"),
        ("1 foo.example.com mandatory=key123", "key123 is mandatory, but it is not there"),
        ("1 foo.example.com mandatory=mandatory", "mandatory is in its own list, which it never is"),
        ("1 foo.example.com mandatory=key123,key123 key123=abc", "mandatory is not a list of different keys"),
        ("1 foo.example.com mandatory=alpn,,port alpn=h2", "there is an empty item in a list"),
        ("1 foo.example.com alpn=h2,", "there is an empty item in a list"),
        ("1 foo.example.com port=65536", "port is not a port"),
        ("1 foo.example.com port=+53", "port is not a port"),
        ("1 foo.example.com ipv4hint=2001:db8::1", "ipv4hint is not a list of addresses of its family"),
        ("1 foo.example.com ipv6hint=192.0.2.1", "ipv6hint is not a list of addresses of its family"),
        ("1 foo.example.com ech=!", "ech is not base64"),
        ("1 foo.example.com key65535=x", "`key65535=x` is no key of a parameter"),
        ("1 foo.example.com key0667=x", "`key0667=x` is no key of a parameter"),
        ("1 foo.example.com quic=1", "`quic=1` is no key of a parameter"),
        ("1 foo.example.com key1=h2", "key1 is called alpn"),
        ("0 foo.example.com alpn=h2", "it is an alias (priority 0), which has no parameters"),
    ] {
        check_fault(RecordType::HTTPS, text, expected);
    }
}
