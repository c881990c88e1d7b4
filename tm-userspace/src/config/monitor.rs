//! `[profile.monitor]`: how a profile's endpoints are probed.

use std::{ops::RangeInclusive, time::Duration};

use toml::Spanned;

use crate::desired::{Monitor, Protocol};

use super::{
    address, defaults, header,
    raw::{self, DurationText, List, StatusText, Text},
    report::{Fault, Notes},
    value::{duration, number, quote, word},
};

const PROTOCOLS: &[(&str, Protocol)] =
    &[("http", Protocol::Http), ("https", Protocol::Https), ("tcp", Protocol::Tcp)];

/// The monitor of a profile.
pub(super) fn check(raw: &raw::Monitor, notes: &mut Notes<'_>) -> Monitor {
    if let Some(target) = &raw.target {
        let help =
            "write `target` into the [profile.endpoint.monitor] of the endpoint that is probed elsewhere";
        notes.error(target.span(), "a monitor's target in a profile's own monitor", help);
    }
    read(raw, raw, notes)
}

/// The monitor of an endpoint that says `own`, in a profile whose monitor says `base` and is right.
pub(super) fn check_own(own: &raw::Monitor, base: &raw::Monitor, notes: &mut Notes<'_>) -> Monitor {
    read(&own.over(base), own, notes)
}

/// Those keys of `raw` that stand in `own` are warned of where they are idle.
fn read(raw: &raw::Monitor, own: &raw::Monitor, notes: &mut Notes<'_>) -> Monitor {
    let protocol = word(notes, "protocol", raw.protocol.as_ref(), PROTOCOLS, &[], Protocol::Http);
    let default_port = match protocol {
        Protocol::Https => defaults::MONITOR_PORT_HTTPS,
        Protocol::Http | Protocol::Tcp => defaults::MONITOR_PORT,
    };
    warn_of_idle_keys(own, protocol, notes);
    let (interval, timeout) = times(raw.interval.as_ref(), raw.timeout.as_ref(), notes);
    Monitor {
        protocol,
        port: number(notes, "port", raw.port.as_ref(), defaults::PORT_RANGE, default_port),
        path: path(raw.path.as_ref(), protocol, notes),
        interval,
        timeout,
        tolerated_failures: number(
            notes,
            "tolerated_failures",
            raw.tolerated_failures.as_ref(),
            defaults::TOLERATED_FAILURES_RANGE,
            defaults::TOLERATED_FAILURES,
        ),
        successes_to_recover: number(
            notes,
            "successes_to_recover",
            raw.successes_to_recover.as_ref(),
            defaults::SUCCESSES_TO_RECOVER_RANGE,
            defaults::SUCCESSES_TO_RECOVER,
        ),
        expected_status: expected_status(raw.expected_status.as_ref(), notes),
        headers: raw.headers.as_ref().map(|headers| header::check(headers, notes)).unwrap_or_default(),
        verify_certificate: raw.verify_certificate.as_ref().is_some_and(|verify| *verify.get_ref()),
        target: raw.target.as_ref().and_then(|written| {
            address::target(written.get_ref()).map_err(|fault| notes.fault(written.span(), fault)).ok()
        }),
        source: raw.source.as_ref().and_then(|written| {
            address::host_address(written.get_ref()).map_err(|fault| notes.fault(written.span(), fault)).ok()
        }),
        body_contains: raw.body_contains.as_ref().map(|written| body_contains(written, notes)),
        certificate_warning: raw.certificate_warning_days.as_ref().map(|written| {
            let key = "certificate_warning_days";
            let days = number(notes, key, Some(written), defaults::CERTIFICATE_WARNING_DAYS_RANGE, 1);
            Duration::from_secs(days * 86_400)
        }),
    }
}

fn body_contains(written: &Text, notes: &mut Notes<'_>) -> String {
    let text = written.get_ref();
    if !(1..=defaults::BODY_CONTAINS_AT_MOST).contains(&text.len()) {
        let message = format!("body_contains has {} octets", text.len());
        let help = format!("write 1 to {} octets, or leave the key out", defaults::BODY_CONTAINS_AT_MOST);
        notes.error(written.span(), message, help);
    }
    text.clone()
}

fn times(
    interval: Option<&Spanned<DurationText>>,
    timeout: Option<&Spanned<DurationText>>,
    notes: &mut Notes<'_>,
) -> (Duration, Duration) {
    let known = match interval {
        Some(written) => duration(notes, "interval", written).filter(|&interval| {
            let fits = defaults::INTERVAL_RANGE.contains(&interval);
            if !fits {
                let message = format!("interval {} is out of range", quote(&written.get_ref().0));
                notes.error(written.span(), message, "write a duration from \"200ms\" to \"24h\"");
            }
            fits
        }),
        None => Some(defaults::INTERVAL),
    };
    let used = known.unwrap_or(defaults::INTERVAL);
    let Some(written) = timeout else { return (used, defaults::timeout(used)) };
    let Some(timeout) = duration(notes, "timeout", written) else { return (used, defaults::timeout(used)) };
    let text = quote(&written.get_ref().0);
    if timeout < defaults::TIMEOUT_AT_LEAST {
        notes.error(written.span(), format!("timeout {text} is too short"), "write \"1ms\" or more");
    }
    if known.is_some_and(|interval| timeout >= interval) {
        let of_interval = humantime::format_duration(used);
        let message = format!("timeout {text} is not shorter than the interval");
        let help = format!("write less than the interval of {of_interval}, or a longer interval");
        match interval {
            Some(other) => {
                notes.clash(written.span(), Fault::new(message, help), other.span(), "the interval");
            }
            None => notes.error(written.span(), message, help),
        }
    }
    (used, timeout)
}

fn path(written: Option<&Text>, protocol: Protocol, notes: &mut Notes<'_>) -> String {
    let default = defaults::MONITOR_PATH.to_owned();
    let Some(written) = written else { return default };
    let text = written.get_ref();
    if protocol == Protocol::Tcp {
        // Azure's clients send an empty path for none.
        if !text.is_empty() {
            let message = format!("path {} with protocol tcp, which asks for none", quote(text));
            notes.error(written.span(), message, "remove `path`, or probe by protocol = \"http\"");
        }
        return default;
    }
    let odd = text.chars().find(|char| !char.is_ascii_graphic() || "#\\".contains(*char));
    if !text.starts_with('/') {
        let message = format!("path {} does not begin with `/`", quote(text));
        notes.error(written.span(), message, "write the path as in a URL, as \"/health?full=1\"");
    } else if let Some(char) = odd {
        let message = format!("path {} has {char:?} in it", quote(text));
        notes.error(written.span(), message, "write such characters as in a URL, as `%20` for a space");
    }
    text.clone()
}

fn expected_status(written: Option<&List<StatusText>>, notes: &mut Notes<'_>) -> Vec<RangeInclusive<u16>> {
    let default = vec![defaults::EXPECTED_STATUS..=defaults::EXPECTED_STATUS];
    let Some(written) = written else { return default };
    let items = written.get_ref();
    if items.is_empty() {
        notes.error(written.span(), "expected_status is empty", "write [\"200\"], or leave the key out");
    }
    if let Some(over) = items.get(defaults::STATUS_RANGES_AT_MOST) {
        let message =
            format!("expected_status has {} ranges, over {}", items.len(), defaults::STATUS_RANGES_AT_MOST);
        notes.error(over.span(), message, "join neighbouring ranges");
    }
    let mut ranges = Vec::new();
    for item in items {
        match status_range(&item.get_ref().0) {
            Ok(range) => ranges.push(range),
            Err(fault) => notes.fault(item.span(), fault),
        }
    }
    ranges
}

/// `200` or `200-299`.
fn status_range(text: &str) -> Result<RangeInclusive<u16>, Fault> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let fault = |what| {
        let message = format!("expected_status {} {what}", quote(text));
        Err(Fault::new(message, "write a status from 100 to 599 or a range, as \"200\" or \"200-299\""))
    };
    let status = |text: &str| {
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|status| digits && defaults::STATUS_RANGE.contains(status))
    };
    match (status(from), status(to)) {
        (Some(from), Some(to)) if from <= to => Ok(from..=to),
        (Some(_), Some(_)) => fault("ends before it begins"),
        _ => fault("is no HTTP status"),
    }
}

/// Keys that the protocol has no use for are no error: a monitor may be switched to TCP and back.
fn warn_of_idle_keys(raw: &raw::Monitor, protocol: Protocol, notes: &mut Notes<'_>) {
    if protocol == Protocol::Tcp {
        let keys = [
            ("expected_status", raw.expected_status.as_ref().map(Spanned::span)),
            ("headers", raw.headers.as_ref().map(Spanned::span)),
            ("body_contains", raw.body_contains.as_ref().map(Spanned::span)),
        ];
        for (key, span) in keys {
            if let Some(span) = span {
                notes.warn(span, format!("{key} is not used with protocol tcp"));
            }
        }
    }
    if protocol != Protocol::Https {
        let keys = [
            ("verify_certificate", raw.verify_certificate.as_ref().map(Spanned::span)),
            ("certificate_warning_days", raw.certificate_warning_days.as_ref().map(Spanned::span)),
        ];
        for (key, span) in keys {
            if let Some(span) = span {
                notes.warn(span, format!("{key} is used with protocol https alone"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_timeout_is_shorter_than_the_interval() {
        let timeout = |millis| defaults::timeout(Duration::from_millis(millis)).as_millis();
        assert_eq!(timeout(30_000), 10_000);
        assert_eq!(timeout(10_001), 10_000);
        assert_eq!(timeout(10_000), 9_000);
        assert_eq!(timeout(5_000), 4_500);
        assert_eq!(timeout(200), 180);
    }
}
