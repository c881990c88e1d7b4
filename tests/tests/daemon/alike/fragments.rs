//! Packets that come in parts, and parts alone.

use tm_tests::frame::{Frame, checksum};

use super::{
    Outcome::{Alike, Answered, Silence},
    check, from, one, v4, v6,
};

/// The parts of an IPv4 packet whose data is cut every so many octets, a multiple of 8.
fn v4_parts(frame: &Frame, every: usize) -> Vec<Vec<u8>> {
    let whole = frame.build();
    let (head, data) = whole.split_at(34);
    let parts = data.chunks(every).enumerate().map(|(i, part)| {
        let mut octets = head.to_vec();
        let more = if (i + 1) * every < data.len() { 0x2000 } else { 0 };
        let place = u16::try_from(i * every / 8).unwrap() | more;
        octets[16..18].copy_from_slice(&u16::try_from(20 + part.len()).unwrap().to_be_bytes());
        octets[18..20].copy_from_slice(&[0x53, 0x53]);
        octets[20..22].copy_from_slice(&place.to_be_bytes());
        octets[24..26].fill(0);
        let sum = checksum(&[&octets[14..34]]);
        octets[24..26].copy_from_slice(&sum.to_be_bytes());
        octets.extend(part);
        octets
    });
    parts.collect()
}

/// The parts of an IPv6 packet, likewise (RFC 8200, section 4.5).
fn v6_parts(frame: &Frame, every: usize) -> Vec<Vec<u8>> {
    let whole = frame.build();
    let (head, data) = whole.split_at(54);
    let parts = data.chunks(every).enumerate().map(|(i, part)| {
        let mut octets = head.to_vec();
        octets[18..20].copy_from_slice(&u16::try_from(8 + part.len()).unwrap().to_be_bytes());
        octets[20] = 44;
        let more = u16::from((i + 1) * every < data.len());
        octets.extend([17, 0]);
        octets.extend((u16::try_from(i * every).unwrap() | more).to_be_bytes());
        octets.extend([0, 0, 0x53, 0x53]);
        octets.extend(part);
        octets
    });
    parts.collect()
}

#[test]
fn rfc_791_section_3_2_and_rfc_8200_section_4_5_fragments() {
    let later = |fragment| Frame { fragment, ..v4() };
    let reserved = Frame { fragment: 0x8000, ..v4() };
    check(
        [
            one("first only", later(0x2000), Silence),
            one("offset", later(0x0010), Silence),
            ("first only, v6", vec![v6_parts(&v6(), 40).remove(0)], Silence),
            ("last only, v6", vec![v6_parts(&from("[2001:db8::6]:40053"), 40).remove(1)], Silence),
            (
                "2 fragments",
                v4_parts(&Frame { source: from("10.53.0.2:40054").source, ..v4() }, 32),
                Answered,
            ),
            (
                "8-byte fragments",
                v4_parts(&Frame { source: from("10.53.0.2:40055").source, ..v4() }, 8),
                Answered,
            ),
            ("2 fragments, v6", v6_parts(&from("[2001:db8::3]:40053"), 32), Answered),
            ("8-byte fragments, v6", v6_parts(&from("[2001:db8::4]:40053"), 8), Answered),
            ("v6 atomic fragment", v6_parts(&from("[2001:db8::5]:40053"), 1024), Answered),
            one("no DF", later(0), Answered),
            one("the reserved bit", reserved, Alike),
        ],
        1,
    );
}
