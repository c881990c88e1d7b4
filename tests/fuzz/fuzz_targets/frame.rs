//! Raw frames through the engine.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::check_frame;

fuzz_target!(|octets: &[u8]| check_frame(octets));
