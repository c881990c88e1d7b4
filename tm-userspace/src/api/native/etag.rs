//! `ETag`, `If-Match` and `If-None-Match` ([RFC 9110, section 13]).
//!
//! [RFC 9110, section 13]: https://www.rfc-editor.org/rfc/rfc9110#section-13

use axum::http::{HeaderMap, HeaderName, header};

use super::Problem;
use crate::catalog::Expected;

/// What a request that changes something believes to be there.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let wants = list(headers, header::IF_MATCH)?;
    let excludes = list(headers, header::IF_NONE_MATCH)?;
    match (wants, excludes) {
        (None, None) => Ok(Expected::Anything),
        (Some(Tags::Any), None) => Ok(Expected::Present),
        (Some(Tags::These(tags)), None) => Ok(Expected::OneOf(tags)),
        (None, Some(Tags::Any)) => Ok(Expected::Absent),
        (None, Some(Tags::These(_))) => {
            Err(Problem::bad("If-None-Match takes `*` alone where something is changed"))
        }
        (Some(_), Some(_)) => Err(Problem::bad("give If-Match or If-None-Match, not both")),
    }
}

/// Has who asks this version already?
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    match list(headers, header::IF_NONE_MATCH) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::These(tags))) => tags.iter().any(|tag| tag.trim_start_matches("W/") == etag),
        _ => false,
    }
}

enum Tags {
    Any,
    These(Vec<String>),
}

/// Tags without their quotes; a weak one keeps its `W/`, so that it is never the same as a strong one.
fn list(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>, Problem> {
    let mut tags = Vec::new();
    for value in headers.get_all(&name) {
        let malformed = || Problem::bad(format_args!("{name} is not `*` or a list of ETags in quotes"));
        let mut rest = value.to_str().map_err(|_| malformed())?.trim();
        if rest == "*" {
            return Ok(Some(Tags::Any));
        }
        while !rest.is_empty() {
            let weak = if rest.starts_with("W/") { "W/" } else { "" };
            let quoted = rest[weak.len()..].strip_prefix('"').ok_or_else(malformed)?;
            let (tag, after) = quoted.split_once('"').ok_or_else(malformed)?;
            tags.push(format!("{weak}{tag}"));
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(malformed()),
            };
        }
    }
    Ok(headers.contains_key(&name).then_some(Tags::These(tags)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[(HeaderName, &'static str)]) -> HeaderMap {
        values.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn preconditions_are_read() {
        let read = |values: &[(HeaderName, &'static str)]| expected(&headers(values)).ok();
        let these = |tags: &[&str]| Some(Expected::OneOf(tags.iter().map(ToString::to_string).collect()));
        assert_eq!(read(&[]), Some(Expected::Anything));
        assert_eq!(read(&[(header::IF_MATCH, "*")]), Some(Expected::Present));
        assert_eq!(read(&[(header::IF_NONE_MATCH, "*")]), Some(Expected::Absent));
        assert_eq!(read(&[(header::IF_MATCH, "\"r1\", W/\"r2\" ,\"r,3\"")]), these(&["r1", "W/r2", "r,3"]));
        for bad in ["r1", "\"r1", "\"r1\" \"r2\"", "W/r1"] {
            assert_eq!(read(&[(header::IF_MATCH, bad)]), None, "{bad}");
        }
        assert_eq!(read(&[(header::IF_NONE_MATCH, "\"r1\"")]), None);
        assert_eq!(read(&[(header::IF_MATCH, "*"), (header::IF_NONE_MATCH, "*")]), None);
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let known = |tags: &'static str| is_known(&headers(&[(header::IF_NONE_MATCH, tags)]), "r7");
        assert!(known("\"r7\"") && known("W/\"r7\"") && known("*") && known("\"r1\", \"r7\""));
        assert!(!known("\"r8\"") && !is_known(&HeaderMap::new(), "r7"));
    }
}
