//! Options made from octets, well-formed and otherwise, in queries that are right but for them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::check_options;

fuzz_target!(|octets: &[u8]| check_options(octets));
