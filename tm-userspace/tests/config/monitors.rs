//! `[profile.monitor]`, rule by rule.

use crate::kit::check_monitor;

#[test]
fn monitors_are_in_range() {
    check_monitor("port = 0", "conf.d/a.toml:5:8 `0` port 0 is out of range");
    check_monitor("port = 65536", "conf.d/a.toml:5:8 `65536` port 65536 is out of range");
    check_monitor("tolerated_failures = 10", "conf.d/a.toml:5:22 `10` tolerated_failures 10 is out of range");
    check_monitor("tolerated_failures = 0", "");
    check_monitor(
        "successes_to_recover = 0",
        "conf.d/a.toml:5:24 `0` successes_to_recover 0 is out of range",
    );
}

#[test]
fn times_are_durations_that_fit_each_other() {
    check_monitor("interval = \"10\"", "conf.d/a.toml:5:12 `\"10\"` interval `10` is not a duration");
    check_monitor("interval = \"199ms\"", "conf.d/a.toml:5:12 `\"199ms\"` interval `199ms` is out of range");
    check_monitor("interval = \"200ms\"", "");
    check_monitor(
        "interval = \"24h 1ms\"",
        "conf.d/a.toml:5:12 `\"24h 1ms\"` interval `24h 1ms` is out of range",
    );
    check_monitor(
        "interval = \"99999999999999999999y\"",
        "conf.d/a.toml:5:12 `\"99999999999999999999y\"` interval `99999999999999999999y` is not a duration",
    );
    check_monitor(
        "interval = 10",
        "conf.d/a.toml:5:12 `10` expected a duration in quotes with its unit, as \"10s\" or \"200ms\", found integer `10`",
    );
    check_monitor("timeout = \"soon\"", "conf.d/a.toml:5:11 `\"soon\"` timeout `soon` is not a duration");
    check_monitor("timeout = \"0s\"", "conf.d/a.toml:5:11 `\"0s\"` timeout `0s` is too short");
    check_monitor(
        "timeout = \"30s\"",
        "conf.d/a.toml:5:11 `\"30s\"` timeout `30s` is not shorter than the interval",
    );
    check_monitor("timeout = \"29999ms\"", "");
    check_monitor(
        "interval = \"5s\"\ntimeout = \"5s\"",
        "conf.d/a.toml:6:11 `\"5s\"` timeout `5s` is not shorter than the interval (conf.d/a.toml:5:12 `\"5s\"`)",
    );
    // The interval's fault is not the timeout's.
    check_monitor(
        "interval = \"1\"\ntimeout = \"1h\"",
        "conf.d/a.toml:5:12 `\"1\"` interval `1` is not a duration",
    );
}

#[test]
fn paths_are_for_http() {
    check_monitor(
        "path = \"health\"",
        "conf.d/a.toml:5:8 `\"health\"` path `health` does not begin with `/`",
    );
    check_monitor("path = \"\"", "conf.d/a.toml:5:8 `\"\"` path `` does not begin with `/`");
    check_monitor("path = \"/a b\"", "conf.d/a.toml:5:8 `\"/a b\"` path `/a b` has ' ' in it");
    check_monitor("path = \"/a#b\"", "conf.d/a.toml:5:8 `\"/a#b\"` path `/a#b` has '#' in it");
    check_monitor(
        "protocol = \"tcp\"\npath = \"/\"",
        "conf.d/a.toml:6:8 `\"/\"` path `/` with protocol tcp, which asks for none",
    );
}

#[test]
fn expected_statuses_are_ranges_of_statuses() {
    let status = |text: &str, what: &str| {
        check_monitor(
            &format!("expected_status = [\"200\", \"{text}\"]"),
            &format!("conf.d/a.toml:5:27 `\"{text}\"` expected_status `{text}` {what}"),
        );
    };
    for bad in ["", "99", "600", "2xx", "+200", "200-", "-200", "200-600", "200 - 299", "200-250-299"] {
        status(bad, "is no HTTP status");
    }
    status("299-200", "ends before it begins");
    check_monitor("expected_status = [\"100-599\", \"200\"]", "");
    check_monitor("expected_status = []", "conf.d/a.toml:5:19 `[]` expected_status is empty");
    check_monitor(
        "expected_status = [1, 200]",
        "conf.d/a.toml:5:20 `1` expected_status `1` is no HTTP status",
    );
    check_monitor("expected_status = [200, 201, 202, 203, 204, 205, 206, 207]", "");
    check_monitor(
        "expected_status = [200, 201, 202, 203, 204, 205, 206, 207, 208]",
        "conf.d/a.toml:5:60 `208` expected_status has 9 ranges, over 8",
    );
}

#[test]
fn headers_can_be_sent() {
    check_monitor(
        "headers = { \"X Y\" = \"a\" }",
        "conf.d/a.toml:5:13 `\"X Y\"` `X Y` is not a header's name",
    );
    check_monitor(
        r#"headers = { X = "a\nb" }"#,
        r#"conf.d/a.toml:5:17 `"a\nb"` the value of header `X` has characters no header can carry"#,
    );
    check_monitor(
        "headers = { Host = \"*.contoso.com\" }",
        "conf.d/a.toml:5:20 `\"*.contoso.com\"` the value of header `Host` is not a host: `*.contoso.com`",
    );
    check_monitor(
        "headers = { X-A = \"1\", x-a = \"2\" }",
        "conf.d/a.toml:5:24 `x-a` header `x-a` is given twice (conf.d/a.toml:5:13 `X-A`)",
    );
    check_monitor(
        "headers = { Content-Length = \"1\" }",
        "conf.d/a.toml:5:13 `Content-Length` header `Content-Length` would describe a body, and a probe has none",
    );
    check_monitor(
        "headers = { A = \"\", B = \"\", C = \"\", D = \"\", E = \"\", F = \"\", G = \"\", H = \"\" }",
        "",
    );
    check_monitor(
        "headers = { A = \"\", B = \"\", C = \"\", D = \"\", E = \"\", F = \"\", G = \"\", H = \"\", I = \"\" }",
        "conf.d/a.toml:5:77 `I` headers has 9 of them, over 8",
    );
}
