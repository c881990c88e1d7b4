//! Raw messages through all that stands behind the sockets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::check_message;

fuzz_target!(|octets: &[u8]| check_message(octets));
