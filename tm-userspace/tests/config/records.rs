//! `[[profile.record]]` and `[[profile.endpoint.record]]`: what is told of them, and where.

use crate::kit::{NODE, PROFILE, check_profiles, load_files, loaded_profile};

/// A profile with these records, and an endpoint with those; the first of the profile's lines is 4.
fn with(own: &[&str], target: &str, of_endpoint: &[&str]) -> String {
    let records = |table: &str, all: &[&str]| -> String {
        all.iter().map(|lines| format!("[[{table}]]\n{lines}\n")).collect()
    };
    format!(
        "{PROFILE}{}[[profile.endpoint]]\nname = \"east\"\ntarget = \"{target}\"\nalways_serve = true\n{}",
        records("profile.record", own),
        records("profile.endpoint.record", of_endpoint)
    )
}

#[test]
fn what_is_right_is_taken_in_the_order_of_the_file() {
    let txt = "type = \"txt\"\ndata = 'b \"c d\"'\nttl = 0";
    let loaded = loaded_profile(&with(
        &[txt, "type = \"MX\"\ndata = \"10 mail.contoso.com\""],
        "192.0.2.1",
        &["type = \"TXT\"\ndata = \"b\""],
    ));
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let profile = loaded.profiles.values().next().unwrap();
    let told = |records: &[tm_userspace::desired::Record]| -> Vec<(String, Option<u32>, Vec<u8>)> {
        records.iter().map(|record| (record.kind.to_string(), record.ttl, record.data.to_vec())).collect()
    };
    assert_eq!(
        told(&profile.records),
        [
            ("TXT".to_owned(), Some(0), b"\x01b\x03c d".to_vec()),
            ("MX".to_owned(), None, b"\x00\x0a\x04mail\x07contoso\x03com\x00".to_vec())
        ]
    );
    assert_eq!(told(&profile.endpoints[0].records), [("TXT".to_owned(), None, b"\x01b".to_vec())]);
}

#[test]
fn whose_record_is_wrong_is_told_and_what_to_write() {
    let own = ["type = \"NS\"\ndata = \"x\"", "type = \"MX\"\ndata = \"mail.contoso.com\"\nttl = -1"];
    let of_endpoint = ["type = \"SRV\"\ndata = \"0 5 web.contoso.com\"", "data = \"x\""];
    check_profiles(
        &with(&own, "192.0.2.1", &of_endpoint[..1]),
        "conf.d/a.toml:5:8 `\"NS\"` a record of profile `contoso`: type `NS` is not known to this version
         conf.d/a.toml:10:7 `-1` a record of profile `contoso`: ttl -1 is out of range
         conf.d/a.toml:17:8 `\"0 5 web.contoso.com\"` endpoint `east` of profile `contoso`: SRV `0 5 web.contoso.com`: it has 3 of 4 words: priority, weight, port, target",
    );
    check_profiles(
        &with(&own[..0], "192.0.2.1", &of_endpoint[1..]),
        "conf.d/a.toml:8:1 `[[profile.endpoint.record]]` missing key `type`",
    );
    let text = with(&["type = \"MX\"\ndata = \"mail.contoso.com\""], "192.0.2.1", &[]);
    let error =
        load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]).1.unwrap_err();
    assert_eq!(error.problems()[0].help, "write it as in data = \"10 mail.contoso.com\"");
}

#[test]
fn what_cannot_be_answered_together_is_told() {
    let txt = |data: &str| format!("type = \"TXT\"\ndata = \"{data}\"");
    let twice = [txt("a"), txt("\\u0061"), txt("b")];
    check_profiles(
        &with(&twice.each_ref().map(String::as_str), "192.0.2.1", &[]),
        "conf.d/a.toml:9:8 `\"\\u0061\"` profile `contoso`: TXT `a` is there twice",
    );
    // Twelve, and 495 with the lengths of two strings: twice that is over 1,008.
    let long = ["x", "y"].map(|letter| txt(&letter.repeat(493)));
    check_profiles(
        &with(&long.each_ref().map(String::as_str), "192.0.2.1", &[]),
        &format!(
            "conf.d/a.toml:9:8 `\"{}\"` the TXT records of profile `contoso` have 1014 octets, over 1008",
            "y".repeat(493)
        ),
    );
    check_profiles(
        &with(&[&long[0]], "192.0.2.1", &[&long[1]]),
        &format!(
            "conf.d/a.toml:13:8 `\"{}\"` the TXT records of profile `contoso` and of its endpoint `east` have 1014 octets, over 1008",
            "y".repeat(493)
        ),
    );
    let fit = ["x", "y"].map(|letter| txt(&letter.repeat(490)));
    check_profiles(&with(&[&fit[0]], "192.0.2.1", &[&fit[1]]), "");
}

#[test]
fn what_is_never_answered_is_told() {
    let txt = "type = \"TXT\"\ndata = \"a\"";
    let loaded = loaded_profile(&with(&[], "www.contoso.com", &[txt]));
    let told = |warning: &str| warning.split_once("a.toml:").map(|(_, told)| told.to_owned());
    assert_eq!(
        loaded.warnings.iter().filter_map(|warning| told(warning)).collect::<Vec<_>>(),
        ["9:8: records of endpoint `east` are never answered: it answers with a CNAME, which stands alone"]
    );
    let loaded = loaded_profile(&with(&[txt], "www.contoso.com", &[]));
    assert_eq!(
        loaded.warnings.iter().filter_map(|warning| told(warning)).collect::<Vec<_>>(),
        [
            "5:8: records of profile `contoso` are hardly ever answered: it answers with a CNAME, which stands alone"
        ]
    );
    let nested = with(&[], "192.0.2.1", &[txt]).replace(
        "target = \"192.0.2.1\"\nalways_serve = true",
        "type = \"nested\"\ntarget_profile = \"other\"",
    );
    check_profiles(
        &(nested + "[[profile]]\nname = \"other\"\nrouting_method = \"priority\"\n"),
        "conf.d/a.toml:9:8 `\"TXT\"` a record on a nested endpoint, which does not answer itself",
    );
}
