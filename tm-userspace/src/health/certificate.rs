//! What is to be said of when the certificate that an HTTPS probe was shown expires.

use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;

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
