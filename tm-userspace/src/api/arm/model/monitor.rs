//! `monitorConfig`.

use serde_json::{Map, Value, json};

use super::{Document, Fields, duration, headers, set, text};
use crate::{api::arm::fault::Fault, config::defaults};

const PROTOCOLS: &[(&str, &str)] = &[("HTTP", "http"), ("HTTPS", "https"), ("TCP", "tcp")];
/// Ranges of statuses that there may be.
const RANGES_AT_MOST: usize = 8;

/// Puts what a body says into a profile's document.
pub(super) fn read(fields: &Fields<'_>, profile: &mut Document) -> Result<(), Fault> {
    let mut monitor = profile.get("monitor").and_then(Value::as_object).cloned().unwrap_or_default();
    set(&mut monitor, "protocol", fields.word("protocol", PROTOCOLS)?);
    set(&mut monitor, "port", fields.integer("port")?);
    set(&mut monitor, "path", fields.text("path")?);
    read_times(fields, &mut monitor)?;
    set(&mut monitor, "tolerated_failures", fields.integer("toleratedNumberOfFailures")?);
    set(&mut monitor, "headers", headers::read(fields)?);
    set(&mut monitor, "expected_status", expected_status(fields)?);
    set(profile, "monitor", (!monitor.is_empty()).then_some(monitor));
    Ok(())
}

/// Seconds from one probe of a profile's to the next, and that one may take.
pub fn times(profile: &Document) -> (i64, i64) {
    let key = |key: &str| profile.get("monitor").and_then(|monitor| duration::parse(monitor.get(key)));
    let interval = key("interval").unwrap_or(defaults::INTERVAL);
    let timeout = key("timeout").unwrap_or_else(|| defaults::timeout(interval));
    (duration::seconds(interval), duration::seconds(timeout))
}

/// Azure's form of a profile's monitor. What clients use without looking whether it is there is there.
pub(super) fn show(profile: &Document, status: &str) -> Value {
    let empty = Map::new();
    let monitor = profile.get("monitor").and_then(Value::as_object).unwrap_or(&empty);
    let protocol = text(monitor, "protocol").unwrap_or("http").to_ascii_uppercase();
    let default_port =
        if protocol == "HTTPS" { defaults::MONITOR_PORT_HTTPS } else { defaults::MONITOR_PORT };
    let number = |key: &str, default: i64| monitor.get(key).and_then(Value::as_i64).unwrap_or(default);
    let (interval, timeout) = times(profile);
    let path = text(monitor, "path").filter(|path| !path.is_empty());
    let path = path.or((protocol != "TCP").then_some(defaults::MONITOR_PATH));
    let mut shown = json!({
        "profileMonitorStatus": status,
        "protocol": protocol,
        "port": number("port", default_port.into()),
        "path": path,
        "intervalInSeconds": interval,
        "toleratedNumberOfFailures": number("tolerated_failures", defaults::TOLERATED_FAILURES.into()),
        "timeoutInSeconds": timeout,
    });
    if let Some(headers) = headers::show(monitor.get("headers")) {
        shown["customHeaders"] = headers;
    }
    if let Some(ranges) = monitor.get("expected_status").and_then(Value::as_array) {
        shown["expectedStatusCodeRanges"] = ranges.iter().filter_map(range).collect();
    }
    shown
}

/// Those of a document that a client shows again as it was shown them stay as they are: half a second is no second.
fn read_times(fields: &Fields<'_>, monitor: &mut Document) -> Result<(), Fault> {
    let interval = positive(fields, "intervalInSeconds")?;
    let timeout = positive(fields, "timeoutInSeconds")?;
    let before = monitor.get("interval").cloned();
    let known = duration::parse(before.as_ref()).unwrap_or(defaults::INTERVAL);
    let interval = duration::keep(interval, before.as_ref(), Some(known));
    // The default for another interval may be another one.
    let same = interval == before;
    let timeout = duration::keep(timeout, monitor.get("timeout"), same.then(|| defaults::timeout(known)));
    set(monitor, "interval", interval);
    set(monitor, "timeout", timeout);
    Ok(())
}

/// Seconds are more than none.
fn positive(fields: &Fields<'_>, key: &str) -> Result<Option<i64>, Fault> {
    let seconds = fields.integer(key)?;
    if seconds.is_some_and(|seconds| seconds < 1) {
        let path = fields.path(key);
        return Err(Fault::property(&path, format!("The value of property '{path}' must be at least 1.")));
    }
    Ok(seconds)
}

fn expected_status(fields: &Fields<'_>) -> Result<Option<Value>, Fault> {
    let key = "expectedStatusCodeRanges";
    let items = fields.objects(key)?;
    if items.len() > RANGES_AT_MOST {
        let path = fields.path(key);
        let message = format!(
            "The property '{path}' has {} ranges; at most {RANGES_AT_MOST} are allowed.",
            items.len()
        );
        return Err(Fault::property(&path, message));
    }
    let mut ranges = Vec::new();
    for item in &items {
        let (min, max) = (item.integer("min")?, item.integer("max")?);
        let (Some(min), Some(max)) = (min.or(max), max.or(min)) else {
            let path = item.path("min");
            return Err(Fault::property(&path, format!("The property '{path}' is required.")));
        };
        ranges.push(Value::from(if min == max { min.to_string() } else { format!("{min}-{max}") }));
    }
    Ok((!ranges.is_empty()).then_some(Value::Array(ranges)))
}

/// `"200-299"`, `"200"` or `200` of a document.
fn range(written: &Value) -> Option<Value> {
    let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
    let (min, max) = text.split_once('-').unwrap_or((&text, &text));
    Some(json!({ "min": min.trim().parse::<u16>().ok()?, "max": max.trim().parse::<u16>().ok()? }))
}
