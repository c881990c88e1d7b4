//! The fuzz targets' corpus, replayed: what holds for any octets holds for those that fuzzing found worth keeping.

use tm_tests::{
    corpus::inputs,
    property::{
        check_frame, check_message, check_options, check_query, check_stream, config::check_octets,
        name::check_name,
    },
};

/// Runs a property over a target's inputs; fails where there are none.
fn replay(target: &str, check: fn(&[u8])) {
    let mut count = 0;
    for (name, octets) in inputs(target) {
        eprintln!("{name}"); // shown where it fails
        check(octets);
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is empty");
}

#[test]
fn frames() {
    replay("frame", check_frame);
}

#[test]
fn queries() {
    replay("query", check_query);
}

#[test]
fn options() {
    replay("options", check_options);
}

#[test]
fn messages() {
    replay("message", check_message);
}

#[test]
fn streams() {
    replay("stream", check_stream);
}

#[test]
fn configurations() {
    replay("config", check_octets);
}

#[test]
fn names() {
    replay("name", check_name);
}
