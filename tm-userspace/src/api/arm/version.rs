//! Versions of the API: every one that Microsoft has published for the service, with one form of bodies, since clients pass over what they do not know.

use super::fault::Fault;

/// Of the service itself.
const VERSIONS: [&str; 13] = [
    "2015-11-01",
    "2017-03-01",
    "2017-05-01",
    "2017-09-01-preview",
    "2018-02-01",
    "2018-03-01",
    "2018-04-01",
    "2018-08-01",
    "2022-04-01-preview",
    "2022-04-01",
    "2024-04-01-preview",
    "2025-01-01-preview",
    "2026-09-01",
];

/// Is it a version that a request for the service may name?
pub fn check(version: Option<&str>, of: &str) -> Result<(), Fault> {
    let version = needed(version)?;
    if VERSIONS.iter().any(|known| known.eq_ignore_ascii_case(version)) {
        return Ok(());
    }
    let known = VERSIONS.join(", ");
    Err(Fault {
        code: "NoRegisteredProviderFound",
        ..Fault::bad_request(format!(
            "No registered resource provider found for location 'global' and API version '{version}' for type '{of}'. The supported api-versions are '{known}'. The supported locations are 'global'."
        ))
    })
}

/// Is it a version at all? What surrounds the service has many, and looks alike in all of them.
pub fn check_date(version: Option<&str>) -> Result<(), Fault> {
    let version = needed(version)?;
    let is_date = |text: &str| {
        let digits = |range: std::ops::Range<usize>| {
            text.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let ends =
            text.get(10..).is_some_and(|rest| rest.is_empty() || rest.eq_ignore_ascii_case("-preview"));
        digits(0..4)
            && digits(5..7)
            && digits(8..10)
            && text.as_bytes().get(4) == Some(&b'-')
            && text.as_bytes().get(7) == Some(&b'-')
            && ends
    };
    if is_date(version) {
        return Ok(());
    }
    Err(Fault {
        code: "InvalidApiVersionParameter",
        ..Fault::bad_request(format!("The api-version '{version}' is invalid."))
    })
}

/// The versions, the latest first.
pub fn all() -> impl Iterator<Item = &'static str> {
    VERSIONS.into_iter().rev()
}

fn needed(version: Option<&str>) -> Result<&str, Fault> {
    version.filter(|version| !version.is_empty()).ok_or_else(|| Fault {
        code: "MissingApiVersionParameter",
        ..Fault::bad_request("The api-version query parameter (?api-version=) is required for all requests.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_published_ones_of_the_service_and_any_date_around_it() {
        let code = |result: Result<(), Fault>| result.map_err(|fault| fault.code);
        for good in ["2018-04-01", "2018-08-01", "2022-04-01", "2026-09-01", "2022-04-01-Preview"] {
            assert_eq!(code(check(Some(good), "x")), Ok(()), "{good}");
        }
        assert_eq!(code(check(None, "x")), Err("MissingApiVersionParameter"));
        assert_eq!(code(check(Some(""), "x")), Err("MissingApiVersionParameter"));
        assert_eq!(code(check(Some("2099-01-01"), "x")), Err("NoRegisteredProviderFound"));
        assert_eq!(code(check_date(Some("2099-01-01"))), Ok(()));
        assert_eq!(code(check_date(Some("2024-11-01-preview"))), Ok(()));
        for bad in ["now", "2024-11-0", "2024/11/01", "2024-11-01-beta", "2024-11-01ä"] {
            assert_eq!(code(check_date(Some(bad))), Err("InvalidApiVersionParameter"), "{bad}");
        }
    }
}
