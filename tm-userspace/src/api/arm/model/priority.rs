//! Priorities that a body leaves out: the service gives each endpoint one, by the order of the list.

use std::collections::HashSet;

use serde_json::Value;

use super::Document;

/// Gives a priority to each endpoint that has none: its place in the list, or the next number that is free.
pub(super) fn assign(endpoints: &mut [Document]) {
    let written = endpoints.iter().filter_map(|endpoint| endpoint.get("priority")?.as_i64());
    let mut taken: HashSet<i64> = written.collect();
    for (endpoint, place) in endpoints.iter_mut().zip(1_i64..) {
        if endpoint.get("priority").is_none_or(Value::is_null) {
            let free = (place..).find(|number| !taken.contains(number)).unwrap_or(place);
            taken.insert(free);
            endpoint.insert("priority".to_owned(), free.into());
        }
    }
}
