//! Databases of places: a small one of the tests' own (`make.py` tells what is in it), and a real one that set-up fetches.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is how they fail")]

use std::{collections::BTreeMap, fs, net::IpAddr, path::PathBuf};

use tm_userspace::geo::{Atlas, Database, Mapping, placed_by};

fn small() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/geo/places.mmdb")
}

/// Of the npm package that set-up names, version and all.
fn real() -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/test-data/geo-whois-asn-country.mmdb");
    assert!(path.exists(), "{} is not there: run cargo xtask setup --for test", path.display());
    path
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check(database: &Database, asked: &str, network: &str, code: &str) {
    let found = database.find(address(asked)).unwrap();
    assert_eq!((found.network.as_str(), found.code.as_str()), (network, code), "{asked}");
}

#[test]
fn both_schemas_are_read() {
    let database = Database::open(&small()).unwrap();
    check(&database, "203.0.113.7", "203.0.113.0/25", "US-CA");
    check(&database, "203.0.113.128", "203.0.113.128/25", "US");
    check(&database, "198.51.100.200", "198.51.100.0/24", "DE");
    check(&database, "192.0.2.1", "192.0.2.0/26", "US-CA");
    check(&database, "192.0.2.64", "192.0.2.64/26", "GB-SCT");
    check(&database, "192.0.2.255", "192.0.2.128/25", "FR");
    check(&database, "2001:db8:1::", "2001:db8::/33", "FR");
    check(&database, "2001:db8:ffff::", "2001:db8:8000::/33", "CA-ON");
}

#[test]
fn coordinates_are_read_in_every_form() {
    let database = Database::open(&small()).unwrap();
    for (asked, point) in [
        ("203.0.113.7", Some((37.77, -122.42))),
        ("192.0.2.64", Some((55.95, -3.19))),
        ("192.0.2.1", Some((34.05, -118.24))),
        ("198.51.100.1", None),
    ] {
        let found = database.find(address(asked)).unwrap().point;
        // Single precision is what the file of the tests has for numbers that are not text.
        assert_eq!(found.map(|point| (round(point.latitude), round(point.longitude))), point, "{asked}");
    }
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[test]
fn what_has_no_country_of_the_hierarchy_is_in_the_world() {
    let database = Database::open(&small()).unwrap();
    check(&database, "198.18.0.1", "198.18.0.0/24", "WORLD");
    check(&database, "198.18.1.1", "198.18.1.0/24", "WORLD");
    let nowhere = database.find(address("10.0.0.1")).unwrap();
    assert_eq!((nowhere.country, nowhere.code.as_str()), (None, "WORLD"));
    assert_eq!(database.find(address("198.18.0.1")).unwrap().country.as_deref(), Some("EH"));
}

#[test]
fn a_survey_counts_every_row() {
    let survey = Database::open(&small()).unwrap().survey().unwrap();
    assert_eq!((survey.rows_ipv4, survey.rows_ipv6), (9, 2));
    // US DE GB FR EH CA; US-CA GB-SCT CA-ON.
    assert_eq!((survey.countries, survey.divisions, survey.without_country), (6, 3, 1));
    assert_eq!(survey.unknown, BTreeMap::from([("EH".to_owned(), 2)]));
    assert_eq!(survey.kind, "Test-City");
    assert_eq!(tm_userspace::time::rfc3339(survey.built), "2026-01-02T03:04:05.000Z");
}

#[test]
fn a_real_database_is_read_whole() {
    let atlas = Atlas::load(&real()).unwrap();
    let survey = &atlas.survey;
    assert_eq!((survey.rows_ipv4, survey.rows_ipv6), (494_271, 516_614));
    // Azure's West Europe, and RIPE NCC in Amsterdam.
    assert_eq!(atlas.database.find(address("20.50.0.1")).unwrap().code.as_str(), "NL");
    assert_eq!(atlas.database.find(address("2001:67c:2e8::1")).unwrap().country.as_deref(), Some("NL"));
}

fn mapping(codes: &[(&str, usize)]) -> Mapping {
    let mut mapping = Mapping::default();
    codes.iter().for_each(|(code, owner)| mapping.add(code, *owner).unwrap());
    mapping
}

#[test]
fn rows_belong_to_whom_their_code_is_mapped_to() {
    let database = Database::open(&small()).unwrap();
    let rows = |codes: &[(&str, usize)]| {
        let rows = database.rows(&mapping(codes)).unwrap();
        let v4 = rows.v4.iter().map(|(network, owner)| {
            (format!("{}/{}", std::net::Ipv4Addr::from_bits(network.start), network.length), *owner)
        });
        let v6 = rows.v6.iter().map(|(network, owner)| {
            (format!("{}/{}", std::net::Ipv6Addr::from_bits(network.start), network.length), *owner)
        });
        let lines = v4.chain(v6).map(|(network, owner)| format!("{network} {}", owner));
        (lines.collect::<Vec<_>>().join(", "), rows.rest)
    };
    // 203.0.113.0/24 and 2001:db8::/32 come together, 192.0.2.0/24 in part.
    let (networks, rest) = rows(&[("US", 0), ("GB", 0), ("GEO-NA", 1), ("FR", 1)]);
    assert_eq!(networks, "192.0.2.0/25 0, 192.0.2.128/25 1, 203.0.113.0/24 0, 2001:db8::/32 1");
    assert_eq!(rest, None);
    // What is mapped otherwise than WORLD is all there is to tell.
    let (networks, rest) = rows(&[("WORLD", 0), ("US-CA", 1), ("DE", 0)]);
    assert_eq!(networks, "192.0.2.0/26 1, 203.0.113.0/25 1");
    assert_eq!(rest, Some(0));
    assert_eq!(rows(&[]), (String::new(), None));
}

#[test]
fn rows_of_a_real_database_agree_with_its_look_ups() {
    let database = Database::open(&real()).unwrap();
    let mapping = mapping(&[("GEO-EU", 0), ("GEO-AS", 1), ("US", 2), ("WORLD", 3), ("DE", 4)]);
    let rows = database.rows(&mapping).unwrap();
    let place = |address: u32| {
        let at = rows.v4.partition_point(|(network, _)| network.start <= address);
        let before = at.checked_sub(1).map(|at| rows.v4[at]);
        before
            .filter(|(network, _)| (address ^ network.start).leading_zeros() >= u32::from(network.length))
            .map_or(rows.rest, |(_, owner)| Some(owner))
    };
    // A prime apart, so that every length of prefix is hit.
    for address in (0..=u32::MAX).step_by(1_000_003) {
        let found = database.find(std::net::Ipv4Addr::from_bits(address).into()).unwrap();
        assert_eq!(place(address), mapping.owner(found.code), "{found:?}");
    }
    assert!(
        rows.v4.is_sorted_by_key(|(network, _)| network.start)
            && rows.v6.is_sorted_by_key(|(network, _)| network.start)
    );
}

#[test]
fn a_damaged_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mmdb");
    let whole = fs::read(small()).unwrap();
    let load = |octets: &[u8]| {
        fs::write(&path, octets).unwrap();
        format!("{:#}", Atlas::load(&path).unwrap_err())
    };
    for octets in [&b""[..], b"no database", &whole[..whole.len() / 2], &whole[..whole.len() - 40]] {
        assert!(load(octets).contains("not a database in MaxMind's format"), "{}", load(octets));
    }
    // With any octet changed it is read or refused, and nothing panics.
    for at in 0..whole.len() {
        let mut octets = whole.clone();
        octets[at] ^= 0xff;
        fs::write(&path, &octets).unwrap();
        if let Ok(atlas) = Atlas::load(&path) {
            let _ = atlas.database.find(address("203.0.113.7"));
        }
    }
    assert!(format!("{:#}", Atlas::load(dir.path()).unwrap_err()).contains("not a regular file"));
}

#[test]
fn a_database_knows_whether_its_file_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mmdb");
    fs::copy(small(), &path).unwrap();
    let database = Database::open(&path).unwrap();
    assert!(database.is_current());
    fs::write(&path, "").unwrap();
    assert!(!database.is_current());
    // It is in memory: what was read stays.
    check(&database, "203.0.113.7", "203.0.113.0/25", "US-CA");
    fs::remove_file(&path).unwrap();
    assert!(!database.is_current());
}

#[test]
fn an_address_inside_another_places_it() {
    for (outer, inner) in [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("64:ff9b::203.0.113.7", "203.0.113.7"),
        ("2002:cb00:7107::1", "203.0.113.7"),
        // The example of RFC 4380, section 4: client 192.0.2.45 behind server 65.54.227.120.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ("64:ff9b:1::203.0.113.7", "64:ff9b:1::cb00:7107"),
        ("::203.0.113.7", "::203.0.113.7"),
        ("2001:1::1", "2001:1::1"),
        ("203.0.113.7", "203.0.113.7"),
    ] {
        assert_eq!(placed_by(address(outer)), address(inner), "{outer}");
    }
}
