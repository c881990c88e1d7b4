//! Durations of documents (`"30s"`) and whole seconds of bodies.

use std::time::Duration;

use serde_json::Value;

/// The duration that a document says.
pub(super) fn parse(value: Option<&Value>) -> Option<Duration> {
    humantime::parse_duration(value?.as_str()?).ok()
}

/// In whole seconds; what is shorter is shown as one, since clients take 0 for nothing.
pub(super) fn seconds(duration: Duration) -> i64 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i64::try_from(whole.max(1)).unwrap_or(i64::MAX)
}

/// What a document is to say for these seconds: what it said, where that was shown as the same number. `shown` is the default that was shown where it said
/// nothing.
pub(super) fn keep(seconds: Option<i64>, before: Option<&Value>, shown: Option<Duration>) -> Option<Value> {
    let seconds = seconds?;
    match before {
        Some(before) if parse(Some(before)).map(self::seconds) == Some(seconds) => Some(before.clone()),
        None if shown.map(self::seconds) == Some(seconds) => None,
        _ => Some(format!("{seconds}s").into()),
    }
}
