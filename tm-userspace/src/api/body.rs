//! Bodies of requests, held to a size, a time and a depth before anybody looks at them.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use serde_json::Value;

/// Octets of a body.
pub const SIZE_AT_MOST: usize = 1 << 20;
/// How deep its JSON may be nested.
pub const DEPTH_AT_MOST: usize = 32;
/// How long it may take to come.
pub const TIME_AT_MOST: Duration = Duration::from_secs(30);
/// Octets over the size that are read and thrown away, so that who sends them gets to read the answer.
const PATIENCE: usize = 64 << 20;

/// Why a body is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// 413.
    #[error("the body has more than {0} octets")]
    TooLarge(usize),
    /// 408.
    #[error("the body did not come within {} s", TIME_AT_MOST.as_secs())]
    TooSlow,
    /// The other end broke off: nobody reads the answer.
    #[error("the body broke off")]
    BrokenOff,
    /// 400.
    #[error("the body's JSON is nested more than {DEPTH_AT_MOST} deep")]
    TooDeep,
    /// 400.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
}

/// All of a body of [`SIZE_AT_MOST`].
pub async fn read(body: Body) -> Result<Bytes, BodyError> {
    read_at_most(SIZE_AT_MOST, body).await
}

/// All of a body of so many octets at most.
pub async fn read_at_most(size: usize, body: Body) -> Result<Bytes, BodyError> {
    tokio::time::timeout(TIME_AT_MOST, gather(size, body)).await.unwrap_or(Err(BodyError::TooSlow))
}

/// The value that these octets are.
pub fn json(octets: &[u8]) -> Result<Value, BodyError> {
    if is_too_deep(octets) {
        return Err(BodyError::TooDeep);
    }
    serde_json::from_slice(octets).map_err(|error| BodyError::NotJson(error.to_string()))
}

async fn gather(size: usize, mut body: Body) -> Result<Bytes, BodyError> {
    let mut octets = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::BrokenOff)?.into_data() else { continue };
        seen += data.len();
        match seen {
            _ if seen <= size => octets.extend_from_slice(&data),
            _ if seen > size + PATIENCE => return Err(BodyError::TooLarge(size)),
            _ => octets = Vec::new(),
        }
    }
    if seen > size { Err(BodyError::TooLarge(size)) } else { Ok(octets.into()) }
}

/// By its brackets outside strings, whatever else it is.
fn is_too_deep(octets: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for octet in octets {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_AT_MOST {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(nested(32).as_bytes()).is_ok());
        assert_eq!(json(nested(33).as_bytes()), Err(BodyError::TooDeep));
        assert_eq!(json(nested(100_000).as_bytes()), Err(BodyError::TooDeep));
        let text = format!("[\"{}\\\"[\"]", "[".repeat(40));
        assert!(json(text.as_bytes()).is_ok());
        assert!(matches!(json(b"[1,"), Err(BodyError::NotJson(_))));
    }

    #[tokio::test]
    async fn a_body_is_held_to_its_size_to_the_octet() {
        assert_eq!(read(Body::from(vec![b' '; SIZE_AT_MOST])).await.unwrap().len(), SIZE_AT_MOST);
        assert_eq!(
            read(Body::from(vec![b' '; SIZE_AT_MOST + 1])).await,
            Err(BodyError::TooLarge(SIZE_AT_MOST))
        );
    }
}
