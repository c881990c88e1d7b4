//! Configuration files, as `tm check` reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tm_tests::property::config::check_octets;

fuzz_target!(|octets: &[u8]| check_octets(octets));
