//! What the headers of UDP, IPv4 and IPv6 say of a packet and of themselves.

use tm_tests::{
    frame::Frame,
    query::{Edns, Query, qtype},
};

use super::{
    Outcome::{Alike, Answered, Silence},
    check, from, one, query, v4, v6,
};

#[test]
fn rfc_768_and_rfc_8200_section_8_1_and_rfc_1122_section_3_2_1_2_checksums() {
    check(
        [
            one("v4.csum0", Frame { udp_checksum: Some(0), ..v4() }, Answered),
            one("v6.csum0", Frame { udp_checksum: Some(0), ..v6() }, Silence),
            one("v4.badcsum", Frame { udp_checksum: Some(0x1234), ..v4() }, Silence),
            one("v6.badcsum", Frame { udp_checksum: Some(0x1234), ..v6() }, Silence),
            one("bad-ipcsum", Frame { ip_checksum: Some(0x1234), ..v4() }, Silence),
            one(
                "bad-ipcsum and csum0",
                Frame { ip_checksum: Some(0), udp_checksum: Some(0), ..v4() },
                Silence,
            ),
            one("as they should be", v4(), Answered),
            one("as they should be, v6", v6(), Answered),
        ],
        3,
    );
}

#[test]
fn rfc_791_section_3_1_and_rfc_8200_section_3_lengths_and_versions() {
    let udp = u16::try_from(8 + query().len()).unwrap();
    let v4_length = |length| Frame { ip_length: Some(length), ..v4() };
    let v6_length = |length| Frame { ip_length: Some(length), ..v6() };
    let udp_length = |frame, length| Frame { udp_length: Some(length), ..frame };
    let cut = |frame: Frame, by: usize| {
        let whole = frame.build();
        vec![whole[..whole.len() - by].to_vec()]
    };
    // Octets that IP counts and UDP does not.
    let behind = |mut frame: Frame| {
        frame.udp_length = Some(udp);
        let mut right = frame.clone();
        right.udp_length = None;
        let sums = right.build();
        let at = if frame.source.is_ipv4() { 40 } else { 60 };
        frame.udp_checksum = Some(u16::from_be_bytes([sums[at], sums[at + 1]]));
        frame.ip_length = Some(if frame.source.is_ipv4() { 20 + udp + 3 } else { udp + 3 });
        frame.padding = vec![1, 2, 3];
        frame
    };
    check(
        [
            one("totlen-over", v4_length(20 + udp + 1), Silence),
            one("totlen-short", v4_length(20 + udp - 1), Silence),
            one("totlen of the header", v4_length(20), Silence),
            one("totlen 0", v4_length(0), Silence),
            one("plen-over", v6_length(udp + 1), Silence),
            one("plen-short", v6_length(udp - 1), Silence),
            one("plen0", v6_length(0), Silence),
            one("udplen-short", udp_length(v4(), udp - 1), Silence),
            one("udplen-over", udp_length(v4(), udp + 1), Silence),
            one("udplen 0", udp_length(v4(), 0), Silence),
            one("udplen 7", udp_length(v4(), 7), Silence),
            one("udplen-short, v6", udp_length(v6(), udp - 1), Silence),
            one("udplen-over, v6", udp_length(v6(), udp + 1), Silence),
            one("udplen 0, v6: to Linux as in a jumbogram", udp_length(v6(), 0), Alike),
            one("udplen-less", behind(v4()), Answered),
            one("udplen-less, v6", behind(v6()), Answered),
            one("ihl4", Frame { version: Some(0x44), ..v4() }, Silence),
            one("ihl15", Frame { version: Some(0x4f), ..v4() }, Silence),
            one("ver5", Frame { version: Some(0x55), ..v4() }, Silence),
            one("ver6 in IPv4's type", Frame { ethertype: Some(0x0800), ..v6() }, Silence),
            one("ver4 in IPv6's type", Frame { ethertype: Some(0x86dd), ..v4() }, Silence),
            ("truncated-frame", cut(v4(), 1), Silence),
            ("truncated-frame, half", cut(v4(), 30), Silence),
            ("truncated-frame, v6", cut(v6(), 1), Silence),
            one("pad60", Frame { padding: vec![0; 6], ..v4() }, Answered),
            one("pad60, v6", Frame { padding: vec![0xff; 1], ..v6() }, Answered),
            one("pad-long", Frame { padding: vec![0xff; 700], ..v4() }, Answered),
            one("pad-long, v6", Frame { padding: vec![0; 700], ..v6() }, Answered),
        ],
        0,
    );
}

#[test]
fn rfc_791_section_3_1_and_rfc_7126_options() {
    let with = |options: &[u8]| Frame { options: options.to_vec(), ..v4() };
    // Room for two addresses, none of which is filled yet.
    let route = |kind| [kind, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(
        [
            one("NOP", with(&[1, 1, 1, 0]), Answered),
            one("router alert", with(&[148, 4, 0, 0]), Answered),
            one("timestamp", with(&[68, 8, 5, 0, 0, 0, 0, 0]), Answered),
            one("record-route", with(&route(7)), Answered),
            one("loose source route", with(&[131, 7, 4, 10, 53, 0, 9, 0]), Silence),
            one("strict source route", with(&[137, 7, 4, 10, 53, 0, 9, 0]), Silence),
            one("an option that is longer than all", with(&[7, 40, 4, 0]), Silence),
        ],
        0,
    );
}

#[test]
fn rfc_8200_section_4_and_rfc_5095_extension_headers() {
    let with = |protocol, extensions: &[u8]| Frame { protocol, extensions: extensions.to_vec(), ..v6() };
    let padding = [17, 0, 1, 4, 0, 0, 0, 0];
    check(
        [
            one("hop-by-hop", with(0, &padding), Answered),
            one("dest options", with(60, &padding), Answered),
            one("both", with(0, &[60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0]), Answered),
            one("an option to be dropped for", with(60, &[17, 0, 0x41, 4, 0, 0, 0, 0]), Silence),
            one("RH0", with(43, &[&[17, 2, 0, 1, 0, 0, 0, 0][..], &[0xfd; 16]].concat()), Silence),
            one("next header 59", with(59, &[]), Silence),
            one("a header past the end", with(60, &[17, 200, 1, 4, 0, 0, 0, 0]), Silence),
        ],
        0,
    );
}

#[test]
fn rfc_1122_section_3_2_1_and_rfc_3168_what_ip_says_besides() {
    let [plain, six] = [v4, v6];
    check(
        [
            one("ttl1", Frame { ttl: 1, ..plain() }, Answered),
            one("ttl0", Frame { ttl: 0, ..plain() }, Alike),
            one("hlim1", Frame { ttl: 1, ..six() }, Answered),
            one("DF", Frame { fragment: 0x4000, ..plain() }, Answered),
            one("TOS 0xbb", Frame { traffic_class: 0xbb, ..plain() }, Answered),
            one("class 0xbb", Frame { traffic_class: 0xbb, ..six() }, Answered),
            one("sport 53", from("10.53.0.2:53"), Answered),
            one("sport 7", from("10.53.0.2:7"), Answered),
            one("sport 19", from("[fd53::2]:19"), Answered),
            one("sport 65535", from("10.53.0.2:65535"), Answered),
            one("sport 0", from("10.53.0.2:0"), Silence),
            one("sport 0, v6", from("[fd53::2]:0"), Silence),
        ],
        10,
    );
}

#[test]
fn rfc_7830_and_rfc_9715_long_queries() {
    let padded = |octets: usize, make: fn(Vec<u8>) -> Frame| {
        let edns = Edns { payload_size: 65_535, options: vec![(12, vec![0; octets])], ..Edns::default() };
        make(Query { edns: Some(edns), ..Query::new("web.tm.example", qtype::A) }.build())
    };
    check(
        [
            one("a short padding", padded(64, Frame::v4), Answered),
            one("1.2 kB with padding", padded(1200, Frame::v4), Answered),
            one("1.2 kB with padding, v6", padded(1200, Frame::v6), Answered),
            one("all that a frame takes", padded(1425, Frame::v4), Answered),
        ],
        1,
    );
}
