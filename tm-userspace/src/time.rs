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

/// What time it is, and waiting for one: the system's, or a test's.
#[derive(Clone, Debug)]
pub enum Clock {
    /// `CLOCK_REALTIME`.
    System,
    /// What the test says, as it says it.
    #[cfg(test)]
    Owned(tokio::sync::watch::Receiver<SystemTime>),
}

impl Clock {
    /// The time.
    pub fn now(&self) -> SystemTime {
        match self {
            Clock::System => SystemTime::now(),
            #[cfg(test)]
            Clock::Owned(time) => *time.borrow(),
        }
    }

    /// Waits until `time`, as far as the clock is not set meanwhile; for ever where there is none.
    pub async fn sleep_until(&self, time: Option<SystemTime>) {
        let Some(time) = time else { return std::future::pending().await };
        match self {
            Clock::System => {
                let left = time.duration_since(SystemTime::now()).unwrap_or_default();
                tokio::time::sleep(left).await;
            }
            #[cfg(test)]
            Clock::Owned(now) => {
                let mut now = now.clone();
                if now.wait_for(|now| *now >= time).await.is_err() {
                    std::future::pending().await
                }
            }
        }
    }
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

    /// The same where there may be none.
    pub mod option {
        use super::{Deserialize, Deserializer, Error, Serializer, SystemTime};

        /// For serde.
        pub fn serialize<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// For serde.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<SystemTime>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| humantime::parse_rfc3339(&text).map_err(D::Error::custom)).transpose()
        }
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
