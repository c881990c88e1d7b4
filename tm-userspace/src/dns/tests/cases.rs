//! One line a case: what is asked, and all that is said.

use super::kit::{Ask, responder};
use crate::dns::{Responder, Transport};

pub(super) const RD: u16 = 0x0100;
pub(super) const AUTHORITY: &str = "ns tm.example. 60 SOA ns1.tm.example. 1800000000";
pub(super) const SOA: &str = "an tm.example. 60 SOA ns1.tm.example. 1800000000";
pub(super) const NODATA: &[&str] = &["NOERROR aa", AUTHORITY];
pub(super) const NXDOMAIN: &[&str] = &["NXDOMAIN aa", AUTHORITY];
pub(super) const WEB: &[&str] = &["NOERROR aa", "an web.tm.example. 100 A 192.0.2.10"];
pub(super) const REFUSED: &[&str] = &["REFUSED"];
pub(super) const FORMERR: &[&str] = &["FORMERR"];
pub(super) const NO_QUESTION: &[&str] = &["FORMERR", "0 questions"];
pub(super) const NOTIMP: &[&str] = &["NOTIMP"];
pub(super) const SILENCE: &[&str] = &[];

/// Over UDP and, unless it is cut short there, alike over TCP.
pub(super) fn check(responder: &Responder, ask: &Ask, expected: &[&str]) {
    assert_eq!(ask.udp(responder), expected, "over UDP: {ask:?}");
    if !expected.first().is_some_and(|status| status.contains("tc")) {
        assert_eq!(ask.reply(responder, Transport::Tcp), expected, "over TCP: {ask:?}");
    }
}

pub(super) fn check_all(cases: &[(Ask, &[&str])]) {
    let responder = responder();
    for (ask, expected) in cases {
        check(&responder, ask, expected);
    }
}

/// The lines with an OPT behind them.
pub(super) fn with_opt<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    [lines, &["opt 1232"]].concat()
}
