//! `[rate_limit]`: how many answers one prefix of clients is given, and when.

use tm_common::limit::MOST_ALLOWED;

use crate::desired::{Arming, Limit, RateLimit};

use super::{
    defaults, raw,
    report::{Fault, Notes},
    value::{duration_in, number, prefixes},
};

/// The limit.
pub(super) fn check(raw: &raw::RateLimit, notes: &mut Notes<'_>) -> RateLimit {
    let range = defaults::ANSWERS_PER_SECOND_RANGE;
    let written = raw.answers_per_second.as_ref();
    let given = written.map(|written| number(notes, "answers_per_second", Some(written), range, 1));
    let range = defaults::ARMED_ABOVE_RANGE;
    let above = number(notes, "armed_above", raw.armed_above.as_ref(), range, defaults::ARMED_ABOVE);
    let arming = arming(raw, above, given, notes);
    let answers_per_second = given.unwrap_or(defaults::ANSWERS_WHILE_ARMED.min(above / 10).max(1));
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
    RateLimit { limit: Limit { answers_per_second, slip }, arming, allow: allow.into() }
}

/// When the limit holds: over a number of answers, unless only that to a prefix is given.
fn arming(raw: &raw::RateLimit, above: u32, given: Option<u32>, notes: &mut Notes<'_>) -> Option<Arming> {
    let written = raw.disarmed_after.as_ref();
    let range = defaults::DISARMED_AFTER_RANGE;
    let calm = duration_in(notes, "disarmed_after", written, range, defaults::DISARMED_AFTER);
    match (given, &raw.armed_above) {
        (Some(0), Some(armed_above)) => {
            let message =
                "armed_above says when there is a limit, and answers_per_second 0 that there is none";
            notes.error(armed_above.span(), message, "leave one of the two out");
        }
        (Some(_), None) => {
            if let Some(written) = written {
                let message = "disarmed_after is given, but the limit does not wait for anything";
                notes.error(written.span(), message, "give `armed_above` too, or leave it out");
            }
            return None;
        }
        _ => {}
    }
    Some(Arming { above, calm })
}
