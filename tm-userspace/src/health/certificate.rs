//! When the certificate that an HTTPS probe was shown expires, and what is to be said of that.

use std::time::{Duration, SystemTime};

use x509_parser::prelude::{FromDer as _, X509Certificate};

const DAY: u64 = 86_400;

/// The end of a certificate's validity; none where it cannot be read, or is older than 1970.
pub(super) fn expiry(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// What to say at `now` of a certificate that expires then, where that is less than `within` ahead.
pub(super) fn warning(expires: SystemTime, within: Duration, now: SystemTime) -> Option<String> {
    match expires.duration_since(now) {
        Ok(left) if left >= within => None,
        Ok(left) => Some(format!("the certificate expires in {}", days(left))),
        Err(past) => Some(format!("the certificate expired {} ago", days(past.duration()))),
    }
}

/// Whole days, or less than one.
fn days(duration: Duration) -> String {
    match duration.as_secs() / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_validity_is_read() {
        let mut parameters = rcgen::CertificateParams::new(vec!["www.contoso.com".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let expected = humantime::parse_rfc3339("2031-02-03T00:00:00Z").unwrap();
        assert_eq!(expiry(certificate.der()), Some(expected));
        for end in (0..certificate.der().len()).step_by(7) {
            assert_eq!(expiry(&certificate.der()[..end]), None);
        }
    }

    #[test]
    fn a_warning_comes_in_its_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 * DAY);
        let day = |days: u64| Duration::from_secs(days * DAY);
        let second = Duration::from_secs(1);
        let said = |expires| warning(expires, day(21), now);
        let some = |text: &str| Some(format!("the certificate {text}"));
        assert_eq!(said(now + day(21)), None);
        assert_eq!(said(now + day(21) - second), some("expires in 20 days"));
        assert_eq!(said(now + day(1)), some("expires in 1 day"));
        assert_eq!(said(now + second), some("expires in less than a day"));
        assert_eq!(said(now - second), some("expired less than a day ago"));
        assert_eq!(said(now - day(2)), some("expired 2 days ago"));
    }
}
