//! `[rate_limit]`: how many answers one prefix of clients is given.

use tm_common::limit::MOST_ALLOWED;

use crate::desired::{Limit, RateLimit};

use super::{
    defaults, raw,
    report::{Fault, Notes},
    value::{number, prefixes},
};

/// The limit.
pub(super) fn check(raw: &raw::RateLimit, notes: &mut Notes<'_>) -> RateLimit {
    let answers_per_second = number(
        notes,
        "answers_per_second",
        raw.answers_per_second.as_ref(),
        defaults::ANSWERS_PER_SECOND_RANGE,
        defaults::ANSWERS_PER_SECOND,
    );
    let slip = number(notes, "slip", raw.slip.as_ref(), defaults::SLIP_RANGE, defaults::SLIP);
    let faults = notes.faults();
    let allow = prefixes(&raw.allow, notes);
    if let Some(first_over) = raw.allow.get(MOST_ALLOWED) {
        let message = format!("allow has {} prefixes, over {MOST_ALLOWED}", raw.allow.len());
        notes.error(first_over.span(), message, "write shorter prefixes, or leave some out");
    } else if notes.faults() == faults {
        for (i, (prefix, written)) in allow.iter().zip(&raw.allow).enumerate() {
            if let Some(first) = allow[..i].iter().position(|known| known == prefix) {
                let fault =
                    Fault::new(format!("`{}` is given twice", written.get_ref()), "remove one of the two");
                notes.clash(written.span(), fault, raw.allow[first].span(), "first given here");
            }
        }
    }
    RateLimit { limit: Limit { answers_per_second, slip }, allow: allow.into() }
}
