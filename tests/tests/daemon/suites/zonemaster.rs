//! `zonemaster-cli`, by which registries judge delegations: all its tests of a zone that is delegated to the daemon.

use std::collections::BTreeMap;

use tm_tests::namespace::run;

use super::internet::Internet;

/// What it finds worth a notice, and why that is as it should be.
const EXPLAINED: [(&str, &str, usize); 3] = [
    // Nothing is signed.
    ("NOTICE", "NEITHER_DNSKEY_NOR_DS", 1),
    ("NOTICE", "NOT_SIGNED", 1),
    // What does not exist may be kept for a minute, so that nobody misses what comes to exist.
    ("NOTICE", "SOA_DEFAULT_TTL_MAXIMUM_VALUE_LOWER", 1),
];

/// What it finds right: once, or at each of the four addresses.
const FOUND: [(&str, usize); 52] = [
    ("ADDRESSES_MATCH", 1),
    ("ARE_AUTHORITATIVE", 1),
    ("AXFR_FAILURE", 4),
    ("CAN_BE_RESOLVED", 1),
    ("CASE_QUERIES_RESULTS_OK", 1),
    ("CHILD_DISTINCT_NS_IP", 1),
    ("DEL_DISTINCT_NS_IP", 1),
    ("DISTINCT_IP_ADDRESS", 1),
    ("EDNS0_SUPPORT", 1),
    ("ENOUGH_IPV4_NS_CHILD", 1),
    ("ENOUGH_IPV4_NS_DEL", 1),
    ("ENOUGH_IPV6_NS_CHILD", 1),
    ("ENOUGH_IPV6_NS_DEL", 1),
    ("ENOUGH_NS_CHILD", 1),
    ("ENOUGH_NS_DEL", 1),
    ("EXPIRE_MINIMUM_VALUE_OK", 1),
    ("GLOBAL_VERSION", 1),
    ("HAS_NAMESERVERS", 4),
    ("HAS_NAMESERVER_NO_WWW_A_TEST", 1),
    ("HAS_PARENT", 1),
    ("MNAME_IS_NOT_CNAME", 2),
    ("MNAME_SYNTAX_OK", 1),
    ("MX_RECORD_IS_NOT_CNAME", 1),
    ("MX_SYNTAX_OK", 1),
    ("NAMESERVERS_IP_WITH_REVERSE", 1),
    ("NAMESERVER_IP_PTR_MATCH", 1),
    ("NAMESERVER_SYNTAX_OK", 2),
    ("NAMES_MATCH", 1),
    ("NO_DOUBLE_DASH", 1),
    ("NO_ENDING_HYPHENS", 1),
    ("NO_IP_PRIVATE_NETWORK", 1),
    ("NO_NS_CNAME", 1),
    ("NO_RECURSOR", 4),
    ("NO_UPWARD_REFERRAL", 1),
    ("ONE_NS_SET", 1),
    ("ONE_SOA", 1),
    ("ONE_SOA_MNAME", 1),
    ("ONE_SOA_RNAME", 1),
    ("ONE_SOA_SERIAL", 1),
    ("ONE_SOA_TIME_PARAMETER_SET", 1),
    ("ONLY_ALLOWED_CHARS", 1),
    ("QNAME_CASE_SENSITIVE", 4),
    ("REFERRAL_SIZE_OK", 1),
    ("REFRESH_HIGHER_THAN_RETRY", 1),
    ("REFRESH_MINIMUM_VALUE_OK", 1),
    ("RETRY_MINIMUM_VALUE_OK", 1),
    ("RNAME_NO_AT_SIGN", 1),
    ("RNAME_RFC822_VALID", 1),
    ("SAME_SOURCE_IP", 1),
    ("SOA_EXISTS", 1),
    ("SOA_SERIAL", 1),
    ("Z09_MX_DATA", 1),
];

#[test]
fn zonemaster_finds_nothing_wrong_with_a_delegated_zone() {
    let internet = Internet::new("");
    let mut command = internet.lab.client("zonemaster-cli");
    command.args(["--hints", &internet.path("hints"), "--level", "INFO", "--raw", "--no-progress"]);
    let said = run(command.args(["--no-show-module", "--no-show-testcase", "tm.example"])).unwrap();
    let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in said.lines() {
        // Behind the seconds that it took.
        let words: Vec<&str> = line.split_whitespace().skip(1).take(2).collect();
        let [level, tag] = words[..] else { panic!("{line}") };
        *found.entry((level, tag)).or_default() += 1;
    }
    let expected = FOUND.iter().map(|(tag, count)| (("INFO", *tag), *count));
    let expected = expected.chain(EXPLAINED.map(|(level, tag, count)| ((level, tag), count)));
    assert_eq!(found, expected.collect(), "{said}");
    // Its questions are XDP's but for SOA, NS and what the apex has not.
    assert!(internet.daemon.status(&internet.lab).unwrap().packets("answered") > 20);
}
