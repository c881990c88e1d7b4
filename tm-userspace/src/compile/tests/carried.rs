//! Records of other types: whose, when, and their octets.

use super::*;
use crate::desired::{Record, Status, WhenAllDown};

const TXT: u16 = 16;
const SRV: u16 = 33;

fn record(kind: RecordType, ttl: Option<u32>, data: &[u8]) -> Record {
    Record { kind, ttl, data: data.into() }
}

/// An endpoint that carries these.
fn carrier(name: &str, target: &str, records: &[Record]) -> Endpoint {
    Endpoint { always_serve: true, records: records.to_vec(), ..samples::endpoint(name, target) }
}

/// What `web.tm.example` comes to.
fn web(profile: Profile) -> Compiled {
    let profile = Arc::new(Profile { dns_name: "web.tm.example".parse().unwrap(), ..profile });
    let decision =
        decide(&Profiles::new(), &profile, &View::anywhere(), &Health::default(), SystemTime::UNIX_EPOCH);
    compile(&decision, &tree()).unwrap()
}

fn profile(records: &[Record], endpoints: Vec<Endpoint>) -> Profile {
    Profile { records: records.to_vec(), ..samples::profile("p", samples::monitor(), endpoints) }
}

/// The block that answers a type.
fn block(compiled: &Compiled, kind: u16) -> &Choices {
    &compiled.places[0][row_index(&compiled.types, kind).unwrap()]
}

/// The one answer to a type.
fn answer(compiled: &Compiled, kind: u16) -> &Records {
    let block = block(compiled, kind);
    assert_eq!((block.slots.as_slice(), block.answers.len()), (&[0][..], 1), "type {kind}");
    &block.answers[0]
}

/// A record owned by the question: pointer, type, IN, TTL, length, data.
fn octets(kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let [kind, length] = [kind, data.len() as u16].map(u16::to_be_bytes);
    [&[0xc0, 12], &kind[..], &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

#[test]
fn a_type_that_is_carried_has_a_block_and_any_other_is_no_data() {
    let srv = record(RecordType::SRV, None, b"\0\0\0\x05\x01\xbb\x01a\0");
    let texts = [b"\x05first", b"\x05other"].map(|data| record(RecordType::TXT, None, data));
    let compiled = web(profile(&texts, vec![carrier("e", "192.0.2.1", &[srv])]));
    assert_eq!(compiled.types, [TXT, SRV]);
    assert!(compiled.places.iter().all(|row| row.len() == 6));
    let txt = answer(&compiled, TXT);
    assert_eq!(txt.octets[..], [octets(16, 30, b"\x05first"), octets(16, 30, b"\x05other")].concat());
    assert_eq!((txt.answers, txt.authorities, txt.code, &*txt.counts_for), (2, 0, 0, &[][..]));
    let srv = answer(&compiled, SRV);
    assert_eq!(srv.octets[..], octets(33, 30, b"\0\0\0\x05\x01\xbb\x01a\0"));
    assert_eq!((srv.answers, srv.authorities, &*srv.counts_for), (1, 0, &[samples::key("p", "e")][..]));
    for kind in [28, 5, 15, 257, 65_280] {
        let none = answer(&compiled, kind);
        assert_eq!((none.answers, none.authorities, none.counts_for.len()), (0, 1, 0), "type {kind}");
    }
    assert_eq!(answer(&compiled, 1).octets[..], octets(1, 30, &[192, 0, 2, 1]));
    assert_eq!(answer(&compiled, 255), answer(&compiled, 1), "of ANY the address");
}

#[test]
fn blocks_are_found_by_type() {
    let types = [TXT, SRV];
    for (kind, at) in [(1, 0), (28, 1), (255, 2), (5, 3), (TXT, 4), (SRV, 5), (257, 3), (65_280, 3)] {
        assert_eq!(row_index(&types, kind), Some(at), "type {kind}");
    }
    for kind in [0, 41, 128, 252] {
        assert_eq!(row_index(&types, kind), None, "type {kind}");
    }
}

#[test]
fn rfc2181_section_5_2_an_rrset_has_the_least_ttl() {
    let kind = RecordType::TXT;
    let own = [record(kind, Some(500), b"\x05first"), record(kind, None, b"\x05other")];
    let of_endpoint = [record(kind, Some(7), b"\x05third"), record(kind, Some(1), b"\x05first")];
    let compiled = web(profile(&own, vec![carrier("e", "192.0.2.1", &of_endpoint)]));
    // The second `first` is none, its TTL is not looked at.
    let all = [b"\x05first", b"\x05other", b"\x05third"].map(|data| octets(16, 7, data));
    assert_eq!(answer(&compiled, TXT).octets[..], all.concat());
    let alone = web(profile(&own[..1], vec![carrier("e", "192.0.2.1", &[])]));
    assert_eq!(answer(&alone, TXT).octets[..], octets(16, 500, b"\x05first"), "longer than the profile's");
}

#[test]
fn rfc1034_section_3_6_2_a_cname_stands_alone() {
    let txt = record(RecordType::TXT, None, b"\x05first");
    let endpoint = carrier("e", "www.contoso.com", std::slice::from_ref(&txt));
    let compiled = web(profile(&[txt], vec![endpoint]));
    for kind in [1, 28, 255, 5, TXT, 257] {
        let message = read(&compiled.name, answer(&compiled, kind));
        let kinds: Vec<RecordType> = message.answers.iter().map(|record| record.record_type()).collect();
        assert_eq!(kinds, [RecordType::CNAME], "type {kind}");
    }
}

#[test]
fn a_multivalue_profile_gives_the_records_of_those_that_answer() {
    let srv = |host: u8| record(RecordType::SRV, None, &[0, 0, 0, 0, 1, 187, 1, b'a' + host, 0]);
    let endpoints = |down: &[u8], family: [&str; 4]| -> Vec<Endpoint> {
        let endpoint = |(host, target): (u8, &str)| {
            let endpoint = carrier(&format!("e{host}"), target, &[srv(host)]);
            let status = if down.contains(&host) { Status::Disabled } else { Status::Enabled };
            Endpoint { status, ..endpoint }
        };
        (0..).zip(family).map(endpoint).collect()
    };
    // The fourth carries none.
    let several = |down: &[u8], max_return| {
        let mut endpoints = endpoints(down, ["192.0.2.1", "2001:db8::2", "192.0.2.3", "192.0.2.4"]);
        endpoints[3].records.clear();
        web(Profile { routing_method: RoutingMethod::MultiValue, max_return, ..profile(&[], endpoints) })
    };
    let hosts = |compiled: &Compiled| -> Vec<Vec<u8>> {
        let block = block(compiled, SRV);
        let host = |records: &Records| records.octets.chunks(21).map(|record| record[19] - b'a').collect();
        block.slots.iter().map(|slot| host(&block.answers[usize::from(*slot)])).collect()
    };
    assert_eq!(hosts(&several(&[], 10)), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
    assert_eq!(hosts(&several(&[], 2)), [[0, 1], [1, 2], [2, 0]]);
    assert_eq!(hosts(&several(&[1], 10)), [[0, 2], [2, 0]]);
    assert_eq!(hosts(&several(&[0, 2], 10)), [[1]]);
    let none = several(&[0, 1, 2], 10);
    assert_eq!(none.types, [SRV], "the shape is the same whoever is up");
    assert_eq!((answer(&none, SRV).answers, answer(&none, SRV).authorities), (0, 1));
    let counted: Vec<usize> =
        block(&several(&[], 2), SRV).answers.iter().map(|records| records.counts_for.len()).collect();
    assert_eq!(counted, [2, 2, 2]);
}

#[test]
fn where_nobody_answers_the_profiles_records_are_left() {
    let [txt, srv] = [(RecordType::TXT, &b"\x05first"[..]), (RecordType::SRV, b"\0\0\0\0\0\0\x01a\0")]
        .map(|(kind, data)| record(kind, None, data));
    let endpoint = samples::endpoint("e", "192.0.2.1");
    let mut profile = profile(&[txt], vec![Endpoint { records: vec![srv], ..endpoint }]);
    profile.rules.when_all_down = WhenAllDown::None;
    let compiled = compiled_while_down(profile);
    assert_eq!(answer(&compiled, TXT).octets[..], octets(16, 30, b"\x05first"));
    assert_eq!(
        answer(&compiled, 255).octets,
        answer(&compiled, TXT).octets,
        "of ANY what there is (RFC 8482)"
    );
    for kind in [1, 28, SRV, 257] {
        assert_eq!(
            (answer(&compiled, kind).answers, answer(&compiled, kind).authorities),
            (0, 1),
            "type {kind}"
        );
    }
}

#[test]
fn records_that_are_too_short_for_the_tables_are_made_longer() {
    // Twelve octets and three of data.
    let none = record(RecordType::MX, None, &[0, 0, 0]);
    let compiled = web(profile(std::slice::from_ref(&none), vec![carrier("e", "192.0.2.1", &[])]));
    assert_eq!(
        answer(&compiled, 15).octets[..],
        *b"\x03web\x02tm\x07example\0\0\x0f\0\x01\0\0\0\x1e\0\x03\0\0\0",
        "the owner is spelled out"
    );
    // With another one it is long enough.
    let two = [none.clone(), record(RecordType::MX, None, &[0, 1, 0])];
    let compiled = web(profile(&two, vec![carrier("e", "192.0.2.1", &[])]));
    assert_eq!(
        answer(&compiled, 15).octets[..],
        [octets(15, 30, &[0; 3]), octets(15, 30, &[0, 1, 0])].concat()
    );
    // Nobody knows which name is asked for below an asterisk.
    for (kind, endpoint) in [(15, carrier("e", "192.0.2.1", &[])), (1, carrier("e", "x", &[]))] {
        let profile = Arc::new(Profile {
            dns_name: "*.web.tm.example".parse().unwrap(),
            ..profile(std::slice::from_ref(&none), vec![endpoint])
        });
        let decision =
            decide(&Profiles::new(), &profile, &View::anywhere(), &Health::default(), SystemTime::UNIX_EPOCH);
        let compiled = compile(&decision, &tree()).unwrap();
        let records = answer(&compiled, kind);
        assert_eq!((records.answers, records.authorities), (1, 1));
        let own = if kind == 15 { octets(15, 30, &[0; 3]) } else { octets(5, 30, b"\x01x\0") };
        let servers = b"\x02tm\x07example\0\0\x02\0\x01\0\0\x0e\x10\0\x10\x03ns1\x02tm\x07example\0";
        assert_eq!(records.octets[..], [&own[..], servers].concat(), "type {kind}");
    }
}

#[test]
fn records_that_are_too_long_for_the_tables_are_those_of_fewer_endpoints() {
    // Twelve and 241 octets: four of them have 1,012.
    let txt = |host: u8| record(RecordType::TXT, None, &[&[240][..], &[b'a' + host; 240]].concat());
    let endpoints =
        (0..4).map(|host| carrier(&format!("e{host}"), &format!("192.0.2.{host}"), &[txt(host)])).collect();
    let compiled =
        web(Profile { routing_method: RoutingMethod::MultiValue, max_return: 10, ..profile(&[], endpoints) });
    let block = block(&compiled, TXT);
    let (answers, lengths): (Vec<u16>, Vec<usize>) =
        block.answers.iter().map(|records| (records.answers, records.octets.len())).unzip();
    assert_eq!((answers, lengths), (vec![3; 4], vec![759; 4]));
    assert!(block.answers.iter().all(|records| records.counts_for.len() == 3));
}
