//! `[samples]`: of which answers something is told.

use crate::desired::Sampling;

use super::{
    defaults, raw,
    report::Notes,
    value::{duration_in, number},
};

pub(super) fn check(raw: &raw::Node, notes: &mut Notes<'_>) -> Sampling {
    let (one_in, window) = (raw.samples.one_in.as_ref(), raw.samples.window.as_ref());
    Sampling {
        one_in: number(notes, "one_in", one_in, defaults::ONE_IN_RANGE, defaults::ONE_IN),
        window: duration_in(
            notes,
            "window",
            window,
            defaults::TRAFFIC_WINDOW_RANGE,
            defaults::TRAFFIC_WINDOW,
        ),
    }
}
