//! Octets over a TCP connection, in pieces: the first octet says how long these are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::check_stream;

fuzz_target!(|octets: &[u8]| check_stream(octets));
