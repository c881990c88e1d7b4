//! The keys of a profile that say which endpoints are let in and out of its answers, and how fast.

use std::{
    ops::{Range, RangeInclusive},
    sync::Arc,
    time::Duration,
};

use toml::Spanned;

use crate::desired::{Allowance, Endpoint, Failback, Guard, RoutingMethod, Rules, Target, WhenAllDown};

use super::{
    defaults,
    raw::{self, DurationText, Text},
    report::{Fault, Notes},
    value::{duration, number, quote, word},
};

const WHEN_ALL_DOWN: &[(&str, WhenAllDownWord)] =
    &[("all", WhenAllDownWord::All), ("none", WhenAllDownWord::None)];

#[derive(Clone, Copy)]
enum WhenAllDownWord {
    All,
    None,
}

/// The rules of a profile with these endpoints.
pub(super) fn check(
    raw: &raw::Profile,
    method: RoutingMethod,
    endpoints: &[Arc<Endpoint>],
    notes: &mut Notes<'_>,
) -> Rules {
    nothing_probed(raw, endpoints, notes);
    Rules {
        when_all_down: when_all_down(raw, endpoints, notes),
        failback: raw.failback.as_ref().map(|written| failback(written, notes)).unwrap_or_default(),
        guard: raw.guard.as_ref().and_then(|written| guard(written, notes)),
        slow_start: raw.slow_start.as_ref().and_then(|written| slow_start(written, method, raw, notes)),
        sticky: raw.sticky.as_ref().is_some_and(|written| sticky(written, method, raw, notes)),
    }
}

/// What nested endpoints are is their profiles' matter, and rules on verdicts have nothing to look at.
fn nothing_probed(raw: &raw::Profile, endpoints: &[Arc<Endpoint>], notes: &mut Notes<'_>) {
    let is_nested = |endpoint: &Arc<Endpoint>| matches!(endpoint.target, Target::Profile(_));
    if endpoints.is_empty() || !endpoints.iter().all(is_nested) {
        return;
    }
    let keys = [
        ("failback", raw.failback.as_ref().map(Spanned::span)),
        ("guard", raw.guard.as_ref().map(|guard| guard.withdraw_at_most.span())),
    ];
    for (key, span) in keys {
        if let Some(span) = span {
            notes.warn(
                span,
                format!("{key} has no effect where all endpoints are nested: write it in their profiles"),
            );
        }
    }
}

fn when_all_down(raw: &raw::Profile, endpoints: &[Arc<Endpoint>], notes: &mut Notes<'_>) -> WhenAllDown {
    let written = raw.when_all_down.as_ref();
    let chosen = word(notes, "when_all_down", written, WHEN_ALL_DOWN, &[], WhenAllDownWord::All);
    let Some(last) = &raw.last_resort else {
        return match chosen {
            WhenAllDownWord::All => WhenAllDown::All,
            WhenAllDownWord::None => WhenAllDown::None,
        };
    };
    if let Some(other) = written {
        let fault = Fault::new("last_resort beside when_all_down", "remove one of the two");
        notes.clash(last.span(), fault, other.span(), "when_all_down");
    }
    let name = last.get_ref();
    match endpoints.iter().find(|endpoint| endpoint.name.to_lowercase() == name.to_lowercase()) {
        Some(endpoint) => {
            if endpoints.len() == 1 {
                let message = format!("last_resort {} is the profile's only endpoint", quote(name));
                notes.error(last.span(), message, "add the endpoints that answer before it");
            }
            WhenAllDown::LastResort(endpoint.name.clone())
        }
        None => {
            let message = format!("last_resort {} is no endpoint of this profile", quote(name));
            notes.error(last.span(), message, "write the name of one of its endpoints");
            WhenAllDown::All
        }
    }
}

fn failback(written: &Text, notes: &mut Notes<'_>) -> Failback {
    let text = written.get_ref();
    match text.to_ascii_lowercase().as_str() {
        "automatic" => return Failback::Automatic,
        "manual" => return Failback::Manual,
        _ => {}
    }
    let Ok(delay) = humantime::parse_duration(text) else {
        let message = format!("failback {} is neither a word nor a duration", quote(text));
        notes.error(
            written.span(),
            message,
            "write \"automatic\", \"manual\" or how long to wait, as \"10m\"",
        );
        return Failback::Automatic;
    };
    if !defaults::WINDOW_RANGE.contains(&delay) {
        out_of_range("failback", text, written.span(), "7d", notes);
    }
    Failback::After(delay)
}

fn guard(written: &raw::Guard, notes: &mut Notes<'_>) -> Option<Guard> {
    let most = &written.withdraw_at_most;
    let withdraw_at_most = match most.get_ref() {
        raw::Count::Number(count) => {
            let count = Spanned::new(most.span(), *count);
            Allowance::Count(number(
                notes,
                "withdraw_at_most",
                Some(&count),
                defaults::WITHDRAW_AT_MOST_RANGE,
                1,
            ))
        }
        raw::Count::Text(text) => match text.strip_suffix('%').and_then(|text| text.trim().parse().ok()) {
            Some(percent @ 1..=100) => Allowance::Percent(percent),
            _ => {
                let message = format!("withdraw_at_most {} is no part of the endpoints", quote(text));
                notes.error(most.span(), message, "write a number of endpoints, or \"1%\" to \"100%\"");
                return None;
            }
        },
    };
    let window = bounded("window", &written.window, defaults::WINDOW_RANGE, "7d", notes)?;
    Some(Guard { withdraw_at_most, window })
}

fn slow_start(
    written: &Spanned<DurationText>,
    method: RoutingMethod,
    raw: &raw::Profile,
    notes: &mut Notes<'_>,
) -> Option<Duration> {
    weighted_alone("slow_start", written.span(), method, raw, notes);
    bounded("slow_start", written, defaults::SLOW_START_RANGE, "24h", notes)
}

fn sticky(written: &Spanned<bool>, method: RoutingMethod, raw: &raw::Profile, notes: &mut Notes<'_>) -> bool {
    let is_sticky = *written.get_ref();
    if is_sticky {
        weighted_alone("sticky", written.span(), method, raw, notes);
    }
    is_sticky
}

/// For a key that only makes sense where there are weights.
fn weighted_alone(
    key: &str,
    span: Range<usize>,
    method: RoutingMethod,
    raw: &raw::Profile,
    notes: &mut Notes<'_>,
) {
    if method != RoutingMethod::Weighted {
        let help = format!("remove `{key}`, or write routing_method = \"weighted\"");
        let fault = Fault::new(format!("{key} without weights"), help);
        notes.clash(span, fault, raw.routing_method.span(), "the method");
    }
}

fn bounded(
    key: &str,
    written: &Spanned<DurationText>,
    range: RangeInclusive<Duration>,
    most: &str,
    notes: &mut Notes<'_>,
) -> Option<Duration> {
    let known = duration(notes, key, written)?;
    if !range.contains(&known) {
        out_of_range(key, &written.get_ref().0, written.span(), most, notes);
        return None;
    }
    Some(known)
}

fn out_of_range(key: &str, text: &str, span: Range<usize>, most: &str, notes: &mut Notes<'_>) {
    let message = format!("{key} {} is out of range", quote(text));
    notes.error(span, message, format!("write a duration from \"1s\" to \"{most}\""));
}
