//! Values that may be written in more than one way.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// A whole number; one that 64 bits cannot hold is the nearest that they can, and out of every range.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Integer(pub(in crate::config) i64);

/// A number, or a text such as `50%`.
#[derive(Debug)]
pub(in crate::config) enum Count {
    Number(Integer),
    Text(String),
}

/// A duration as written.
#[derive(Clone, Debug)]
pub(in crate::config) struct DurationText(pub(in crate::config) String);

/// A status or a range of them as written, with quotes or without.
#[derive(Clone, Debug)]
pub(in crate::config) struct StatusText(pub(in crate::config) String);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Integer, E> {
                Ok(Integer(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Integer, E> {
                Ok(Integer(i64::try_from(value).unwrap_or(i64::MAX)))
            }
            fn visit_i128<E: de::Error>(self, value: i128) -> Result<Integer, E> {
                Ok(Integer(i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })))
            }
            fn visit_u128<E: de::Error>(self, value: u128) -> Result<Integer, E> {
                Ok(Integer(i64::try_from(value).unwrap_or(i64::MAX)))
            }
        }
        deserializer.deserialize_i64(Any)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a part in quotes, as \"50%\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Count, E> {
                Ok(Count::Number(Integer(value)))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Count, E> {
                Ok(Count::Text(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = DurationText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes with its unit, as \"10s\" or \"200ms\"")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<DurationText, E> {
                Ok(DurationText(value.to_owned()))
            }
        }
        deserializer.deserialize_str(Any)
    }
}

impl<'de> Deserialize<'de> for StatusText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = StatusText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an HTTP status or a range of them in quotes, as \"200\" or \"200-299\"")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<StatusText, E> {
                Ok(StatusText(value.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<StatusText, E> {
                Ok(StatusText(value.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
