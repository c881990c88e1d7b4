//! Queries made from octets, as frames through the engine and as messages through the sockets' side.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::check_query;

fuzz_target!(|octets: &[u8]| check_query(octets));
