//! The keys of nested endpoints, and that only these have them.

use crate::desired::{MinChild, Target};

use super::{defaults, raw, report::Notes, value::number};

/// The profile that a nested endpoint stands for, by its name as it was written.
pub(super) fn target(raw: &raw::Endpoint, notes: &mut Notes<'_>) -> Option<Target> {
    if let Some(target) = &raw.target {
        let help = "remove it: target_profile alone says who answers; or write type = \"external\"";
        notes.error(target.span(), "a nested endpoint has a `target_profile`, no `target`", help);
    }
    if let Some(always) = raw.always_serve.as_ref().filter(|always| *always.get_ref()) {
        let help = "remove it, and write it on the endpoints of the target profile";
        notes.error(always.span(), "always_serve on a nested endpoint, which is not probed", help);
    }
    if let Some(monitor) = &raw.monitor {
        let help = "remove it, and write it on the target profile or on endpoints of that";
        notes.error(monitor.span(), "a monitor on a nested endpoint, which is not probed", help);
    }
    let Some(written) = &raw.target_profile else {
        if raw.target.is_none() {
            let help = "give `target_profile` the name of another profile in this table";
            notes.error(raw.name.span(), "missing key `target_profile` of a nested endpoint", help);
        }
        return None;
    };
    Some(Target::Profile(written.get_ref().as_str().into()))
}

/// How many endpoints of its child it needs.
pub(super) fn min_child(raw: &raw::Endpoint, notes: &mut Notes<'_>) -> MinChild {
    let mut family =
        |key, written: &Option<_>| number(notes, key, written.as_ref(), defaults::MIN_CHILD_FAMILY_RANGE, 0);
    MinChild {
        ipv4: family("min_child_endpoints_ipv4", &raw.min_child_endpoints_ipv4),
        ipv6: family("min_child_endpoints_ipv6", &raw.min_child_endpoints_ipv6),
        endpoints: number(
            notes,
            "min_child_endpoints",
            raw.min_child_endpoints.as_ref(),
            defaults::MIN_CHILD_ENDPOINTS_RANGE,
            defaults::MIN_CHILD_ENDPOINTS,
        ),
    }
}

/// What only nested endpoints have is a fault on an external one.
pub(super) fn no_keys_of_nested(raw: &raw::Endpoint, notes: &mut Notes<'_>) {
    let keys = [
        ("target_profile", raw.target_profile.as_ref().map(|written| written.span())),
        ("min_child_endpoints", raw.min_child_endpoints.as_ref().map(|written| written.span())),
        ("min_child_endpoints_ipv4", raw.min_child_endpoints_ipv4.as_ref().map(|written| written.span())),
        ("min_child_endpoints_ipv6", raw.min_child_endpoints_ipv6.as_ref().map(|written| written.span())),
    ];
    for (key, span) in keys {
        if let Some(span) = span {
            let message = format!("`{key}` on an endpoint that is not nested");
            notes.error(span, message, "write type = \"nested\" and target_profile, or remove it");
        }
    }
}
