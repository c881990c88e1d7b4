//! Names as text, on the wire and in the tables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::name::check_name;

fuzz_target!(|octets: &[u8]| check_name(octets));
