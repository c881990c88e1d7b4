//! Times as people and scripts read them: RFC 3339 in UTC, durations in milliseconds.

use std::time::{Duration, SystemTime};

/// `2026-11-21T04:00:00.123Z`.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// `2026-11-21T04:00:00.123456Z`, for what is compared with the times of packets.
pub fn rfc3339_micros(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

/// A `SystemTime` as an RFC 3339 string.
pub mod serde_rfc3339 {
    use super::SystemTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// For serde.
    pub fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*time))
    }

    /// For serde.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map_err(D::Error::custom)
    }
}

/// A `Duration` as milliseconds.
pub mod serde_millis {
    use super::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    /// For serde.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64() * 1000.0)
    }

    /// For serde.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Ok(Duration::from_secs_f64(f64::deserialize(deserializer)?.max(0.0) / 1000.0))
    }
}
